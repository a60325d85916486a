// What classifiers and regressors of `ai.onnx.ml` do to their scores, and how they name classes.

import Glibc
import Tensors

/// The `post_transform` of a node of `ai.onnx.ml`.
enum PostTransform: String {
  case none = "NONE"
  case softmax = "SOFTMAX"
  case logistic = "LOGISTIC"
  case softmaxZero = "SOFTMAX_ZERO"
  case probit = "PROBIT"

  init(_ call: Call) throws {
    let name = try call.string("post_transform", default: "NONE")
    guard let value = PostTransform(rawValue: name) else {
      throw call.failure("a post_transform of NONE, SOFTMAX, LOGISTIC, SOFTMAX_ZERO or PROBIT, not \"\(name)\"")
    }
    self = value
  }

  /// The scores of one sample, transformed.
  func apply(_ scores: [Double]) -> [Double] {
    switch self {
    case .none: return scores
    case .softmax: return Normalizations.softmax(scores)
    case .logistic: return scores.map(Activations.sigmoid)
    case .probit: return scores.map(Self.inverseNormal)
    case .softmaxZero:
      // As softmax, but scores of 0 stay 0.
      let largest = scores.reduce(-.infinity, Arithmetic.larger)
      let raised = scores.map { abs($0) > 1e-7 ? exp($0 - largest) : $0 * exp(-largest) }
      let sum = raised.reduce(0, +)
      return sum == 0 ? scores.map { _ in 0.5 } : raised.map { $0 / sum }
    }
  }

  /// The quantile of the standard normal distribution: Winitzki's approximation, then Newton's steps to full precision.
  static func inverseNormal(_ probability: Double) -> Double {
    guard probability > 0, probability < 1 else {
      return probability == 0 ? -.infinity : probability == 1 ? .infinity : .nan
    }
    let x = 2 * probability - 1
    let logarithm = log(1 - x * x)
    let half = 2 / (Double.pi * 0.147) + logarithm / 2
    var z = (x < 0 ? -1 : 1) * ((half * half - logarithm / 0.147).squareRoot() - half).squareRoot()
    for _ in 0..<4 { z -= (erf(z) - x) * Double.pi.squareRoot() / 2 * exp(z * z) }
    return 2.0.squareRoot() * z
  }
}

/// The names of classes: integers or strings.
struct ClassLabels {
  private let operand: Operand
  var count: Int { operand.count }

  /// Reads the class labels of a node, whose integer attribute has different names in different operators.
  init(_ call: Call, integers name: String) throws {
    if let texts = try call.strings(attribute: "classlabels_strings"), !texts.isEmpty {
      operand = Operand(strings: texts, [texts.count])
    } else if case .ints(let numbers)? = call.node.attribute(name), !numbers.isEmpty {
      operand = Operand(integers: numbers.map { Int128($0) }, [numbers.count], .int64)
    } else {
      throw call.failure("the labels of the classes, \(name) or classlabels_strings")
    }
  }

  /// The label of each sample's class.
  func picking(_ classes: [Int]) -> Operand { operand.picking(classes, [classes.count]) }
}

/// A matrix of samples `[samples, features]`; a vector is one sample.
struct Samples {
  let values: [Double]
  let count: Int
  let features: Int

  init(_ call: Call, _ index: Int = 0) throws {
    let x = try call.operand(index)
    guard x.rank == 1 || x.rank == 2, x.elementType != .bool else {
      throw call.failure("samples [count, features], not \(x.summary)")
    }
    values = try call.doubles(x)
    count = x.rank == 2 ? x.shape[0] : 1
    features = x.shape[x.rank - 1]
  }

  subscript(sample: Int) -> ArraySlice<Double> { values[sample * features..<(sample + 1) * features] }
}

/// The index of the largest score, the first of those that are equal in single precision, as the scores leave the node.
func largest(_ scores: [Double]) -> Int {
  scores.indices.dropFirst().reduce(0) { Float(scores[$1]) > Float(scores[$0]) ? $1 : $0 }
}
