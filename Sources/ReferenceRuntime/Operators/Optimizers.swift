// Steps of optimizers, as the preview domain `ai.onnx.preview.training` defines them.

import Glibc
import Tensors

enum Optimizers {
  static let operators: OperatorTable = [
    "Adagrad": .many(adagrad), "Adam": .many(adam), "Momentum": .many(momentum),
  ]

  /// Inputs: the rate, the update count, then `kinds` lists of tensors (parameters, gradients, states) one after another.
  private static func run(
    _ call: Call, kinds: Int, _ body: (_ rate: Double, _ count: Double, _ values: [[Double]]) -> [[Double]]
  ) throws -> [Value] {
    let rate = try call.scalarDouble(call.operand(0), "the rate")
    let count = try call.scalarDouble(call.operand(1), "the update count")
    let tensors = call.inputs.count - 2
    guard tensors > 0, tensors % kinds == 0 else { throw call.failure("\(kinds) tensors for each parameter") }
    let parameters = tensors / kinds
    var results = [[Value]](repeating: [], count: kinds - 1)
    for parameter in 0..<parameters {
      let operands = try (0..<kinds).map { try call.operand(2 + $0 * parameters + parameter) }
      guard operands.allSatisfy({ $0.shape == operands[0].shape }) else {
        throw call.failure("a parameter, its gradient and states of one shape")
      }
      let new = body(rate, count, try operands.map { try call.floats($0) })
      for (kind, values) in new.enumerated() {
        results[kind].append(.tensor(Operand(values, operands[0].shape, operands[0].elementType)))
      }
    }
    return results.flatMap { $0 }
  }

  private static func adagrad(_ call: Call) throws -> [Value] {
    let (decay, norm) = (try call.float("decay_factor", default: 0), try call.float("norm_coefficient", default: 0))
    let epsilon = try call.float("epsilon", default: 1e-6)
    return try run(call, kinds: 3) { rate, count, values in
      let (x, gradient, squares) = (values[0], values[1], values[2])
      let effective = rate / (1 + count * decay)
      let regularized = zip(x, gradient).map { norm * $0 + $1 }
      let sums = zip(squares, regularized).map { $0 + $1 * $1 }
      return [x.indices.map { x[$0] - effective * regularized[$0] / (sums[$0].squareRoot() + epsilon) }, sums]
    }
  }

  private static func adam(_ call: Call) throws -> [Value] {
    let (alpha, beta) = (try call.float("alpha", default: 0.9), try call.float("beta", default: 0.999))
    let (norm, normAfter) = (
      try call.float("norm_coefficient", default: 0), try call.float("norm_coefficient_post", default: 0)
    )
    let epsilon = try call.float("epsilon", default: 1e-6)
    return try run(call, kinds: 4) { rate, count, values in
      let x = values[0]
      let gradient = zip(x, values[1]).map { norm * $0 + $1 }
      let first = zip(values[2], gradient).map { alpha * $0 + (1 - alpha) * $1 }
      let second = zip(values[3], gradient).map { beta * $0 + (1 - beta) * $1 * $1 }
      let effective = count > 0 ? rate * (1 - pow(beta, count)).squareRoot() / (1 - pow(alpha, count)) : rate
      let new = x.indices.map {
        (1 - normAfter) * (x[$0] - effective * first[$0] / (second[$0].squareRoot() + epsilon))
      }
      return [new, first, second]
    }
  }

  private static func momentum(_ call: Call) throws -> [Value] {
    guard let alpha = try call.float("alpha"), let beta = try call.float("beta"),
      let norm = try call.float("norm_coefficient")
    else { throw call.failure("alpha, beta and norm_coefficient") }
    let mode = try call.choice("mode", default: "", of: ["standard", "nesterov"])
    return try run(call, kinds: 3) { rate, count, values in
      let x = values[0]
      let gradient = zip(x, values[1]).map { norm * $0 + $1 }
      let adjusted = count > 0 ? beta : 1
      let velocity = zip(values[2], gradient).map { alpha * $0 + adjusted * $1 }
      let step = mode == "standard" ? velocity : zip(gradient, velocity).map { $0 + alpha * $1 }
      return [zip(x, step).map { $0 - rate * $1 }, velocity]
    }
  }
}
