// How raw metrics become comparable numbers: the means and standard deviations that the graph carries.

import Tensors

/// The mean and standard deviation of each metric over the items of the training part, each item once.
///
/// The graph computes `(m - mean) / std`, and takes `mean` for a missing metric, so that any runtime feeds raw numbers.
public struct MetricScaling: Sendable, Hashable, Codable {
  public let means: [Float]
  public let standardDeviations: [Float]

  public init(means: [Float], standardDeviations: [Float]) {
    self.means = means
    self.standardDeviations = standardDeviations
  }

  /// Measures the metric columns of some rows. A metric that never varies gets a deviation of 1, one that no row has the
  /// mean 0 too.
  init(of data: PairDataset, rows: [Int]) {
    var means: [Float] = []
    var deviations: [Float] = []
    let width = data.layout.count
    data.features.withUnsafeElements(as: Float.self) { features in
      for column in data.layout.metricColumns {
        let values = rows.lazy.map { Double(features[$0 * width + column]) }.filter { !$0.isNaN }
        let count = Double(max(values.count, 1))
        let mean = values.reduce(0, +) / count
        let deviation = (values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / count).squareRoot()
        means.append(Float(mean))
        // A constant column keeps a deviation of rounding errors; dividing by it would blow up any other value.
        deviations.append(
          deviation > Self.leastVariation * max(mean.magnitude, .leastNormalMagnitude) ? Float(deviation) : 1)
      }
    }
    self.means = means
    standardDeviations = deviations.map { $0.isNormal ? $0 : 1 }
  }

  /// A few units in the last place of single precision.
  private static let leastVariation = 1e-6
}
