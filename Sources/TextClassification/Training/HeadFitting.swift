// The classifier's own layer before the training proper: fitted to what the pretrained encoder says already.

import Datasets
import Encoders
import GraphEngine
import ONNX
import Tensors
import Training

/// Fits the last layer alone, with the encoder as it came.
///
/// A head of random numbers sends gradients back that say nothing, and they bend the encoder before the head has learnt
/// anything; a head that fits the pretrained features first keeps what the encoder knows (Kumar et al., "Fine-tuning can
/// distort pretrained features and underperform out-of-distribution", 2022). It matters most where there are few samples
/// and few steps. The fit is a logistic regression for each label, on at most `mostSamples` of the texts, with the
/// features brought to mean 0 and, all by one factor, to a deviation of 1: what varies little says little, and must not be
/// made loud. What comes out is the same function of the features as they are.
struct HeadFitting {
  let graph: ClassifierGraph
  let seed: UInt64
  let threads: Int?

  /// Enough for a head of some hundred inputs, and a small part of an epoch.
  static let mostSamples = 1024
  private static let steps = 300
  private static let learningRate: Float = 0.02
  /// Of the squared weights; keeps what separates few samples by chance small.
  private static let penalty: Float = 1e-3

  /// The samples that the head is fitted to.
  func chosen(of count: Int) -> [Int] {
    guard count > Self.mostSamples else { return Array(0..<count) }
    var generator = SeededGenerator(seed: seed ^ 0x6865_6164)
    return generator.permutation(count).prefix(Self.mostSamples).sorted()
  }

  /// The fitted weight and bias, by name.
  /// - Parameters:
  ///   - features: `[samples, width]`.
  ///   - targets: `[samples, labels]`, from 0 to 1.
  ///   - weights: of the samples' losses, `[samples, 1]`.
  func fitted(features: Tensor, targets: Tensor, weights: Tensor) throws -> [String: Tensor] {
    let shapes = graph.configuration.classifierParameters(labels: graph.labels.count)
    let zeros = Dictionary(
      uniqueKeysWithValues: shapes.map { ($0.name, Tensor(zeros: $0.shape, elementType: .float)) })
    let builder = GraphBuilder(name: "head", opset: graph.opset)
    let (samples, width) = (features.shape[0], features.shape[1])
    let scaling = FeatureScaling(features)
    let x = builder.input("features", .float, [Dimension(samples), Dimension(width)])
    let y = builder.input("targets", .float, [Dimension(samples), Dimension(graph.labels.count)])
    let w = builder.input("weights", .float, [Dimension(samples), 1])
    let logits = builder.node(
      "Gemm", [x] + shapes.map { builder.parameter($0.name, zeros[$0.name]!) }, [Attribute("transB", .int(1))])
    builder.output(((logits.softplus() - y * logits) * w).mean(), "loss", .float, [])
    let trainer = try Trainer(
      builder.model(), loss: "loss", parameters: shapes.map(\.name),
      options: Trainer.Options(
        optimizer: .adam(weightDecay: Self.penalty),
        undecayed: Set(shapes.map(\.name).filter { $0.hasSuffix(".bias") }),
        seed: seed, threads: threads))
    let feeds = ["features": scaling.scaled(features), "targets": targets, "weights": weights]
    let specs = feeds.mapValues(\.spec)
    for step in 0..<Self.steps {
      let rate = Self.learningRate * Schedule.linear(warmup: 0, total: Self.steps).factor(at: step)
      try trainer.step(specs, learningRate: rate) { plan in
        guard step == 0 else { return }
        for (name, tensor) in feeds {
          tensor.withUnsafeElements(as: Float.self) { values in
            plan.withUnsafeMutableInput(name, as: Float.self) { _ = $0.update(from: values) }
          }
        }
      }
    }
    return scaling.unscaled(trainer.parameters, weight: shapes[0].name, bias: shapes[1].name)
  }
}

/// The mean of each column of a matrix, and the deviation from it over all columns.
private struct FeatureScaling {
  private let mean: [Float]
  private let deviation: Float

  init(_ features: Tensor) {
    let (rows, columns) = (features.shape[0], features.shape[1])
    var (sum, squares) = ([Double](repeating: 0, count: columns), [Double](repeating: 0, count: columns))
    features.withUnsafeElements(as: Float.self) { values in
      for row in 0..<rows {
        for column in 0..<columns {
          let value = Double(values[row * columns + column])
          sum[column] += value
          squares[column] += value * value
        }
      }
    }
    let count = Double(max(rows, 1))
    mean = sum.map { Float($0 / count) }
    let variances = zip(sum, squares).map { $1 / count - ($0 / count) * ($0 / count) }
    // Features that never change say nothing, and are divided by no tiny number.
    deviation = Float(max((variances.reduce(0, +) / Double(max(columns, 1))).squareRoot(), 1e-3))
  }

  func scaled(_ features: Tensor) -> Tensor {
    let columns = mean.count
    return Tensor(
      features.elements(as: Float.self).enumerated().map { ($1 - mean[$0 % columns]) / deviation },
      shape: features.shape)
  }

  /// The layer over features as they are that does what a layer over scaled ones does:
  /// `W' (x - mean) / deviation + b' = (W' / deviation) x + (b' - W' mean / deviation)`.
  func unscaled(_ parameters: [String: Tensor], weight: String, bias: String) -> [String: Tensor] {
    let (given, shift) = (parameters[weight]!, parameters[bias]!)
    let columns = mean.count
    let weights = given.elements(as: Float.self).map { $0 / deviation }
    let biases = shift.elements(as: Float.self).enumerated().map { row, value in
      value - zip(weights[row * columns..<(row + 1) * columns], mean).reduce(0) { $0 + $1.0 * $1.1 }
    }
    return [weight: Tensor(weights, shape: given.shape), bias: Tensor(biases, shape: shift.shape)]
  }
}
