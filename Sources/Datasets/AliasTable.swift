// Draws places by weight, however many there are.

/// Draws numbers with given weights in constant time (Walker 1977, built by Vose's method of 1991).
public struct AliasTable: Sendable {
  private var thresholds: [Float]
  private var aliases: [Int32]

  /// - Parameter weights: none negative, at least one above 0.
  public init(_ weights: [Double]) {
    let count = weights.count
    let sum = weights.reduce(0, +)
    var scaled = weights.map { $0 * Double(count) / sum }
    thresholds = [Float](repeating: 1, count: count)
    aliases = (0..<Int32(count)).map { $0 }
    var small: [Int] = []
    var large: [Int] = []
    for index in 0..<count { if scaled[index] < 1 { small.append(index) } else { large.append(index) } }
    while let less = small.last, let more = large.last {
      small.removeLast()
      thresholds[less] = Float(scaled[less])
      aliases[less] = Int32(more)
      scaled[more] -= 1 - scaled[less]
      if scaled[more] < 1 {
        large.removeLast()
        small.append(more)
      }
    }
  }

  /// Draws a place among the weights.
  public func draw(using generator: inout SeededGenerator) -> Int {
    let index = generator.below(thresholds.count)
    return Float(generator.uniform()) < thresholds[index] ? index : Int(aliases[index])
  }
}
