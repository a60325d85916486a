// How counts are spread.

/// The least, the quartiles, the ninth tenth, the most, and the mean of some counts.
public struct Quantiles: Sendable, Hashable, Codable {
  public let minimum: Int
  public let quarter: Int
  public let median: Int
  public let threeQuarters: Int
  public let nineTenths: Int
  public let maximum: Int
  public let mean: Double

  /// - Parameter counts: ascending, at least one.
  public init(_ counts: [Int]) {
    // The smallest count that so large a share of all is at or below.
    func at(_ share: Double) -> Int { counts[max(0, Int((share * Double(counts.count)).rounded(.up)) - 1)] }
    minimum = counts[0]
    quarter = at(0.25)
    median = at(0.5)
    threeQuarters = at(0.75)
    nineTenths = at(0.9)
    maximum = counts[counts.count - 1]
    mean = Double(counts.reduce(0, +)) / Double(counts.count)
  }
}
