// Losses of classifiers.

import Tensors

enum Losses {
  static let operators: OperatorTable = [
    "NegativeLogLikelihoodLoss": .one { try negativeLogLikelihood($0, $0.operand(0)) },
    "SoftmaxCrossEntropyLoss": .many { call in
      let scores = try call.operand(0)
      guard scores.rank >= 2 else { throw call.failure("scores with batch and class axes") }
      var values = try call.floats(scores)
      for lane in lanes(of: scores.shape, axis: 1) {
        let normalizer = Reductions.logSumExp(lane.positions.map { values[$0] })
        for position in lane.positions { values[position] -= normalizer }
      }
      let logarithms = Operand(values, scores.shape, scores.elementType)
      return [.tensor(try negativeLogLikelihood(call, logarithms)), .tensor(logarithms)]
    },
  ]

  /// `-weight[target] · x[n, target, …]`, 0 where the target is `ignore_index`; their sum, each of them, or their mean,
  /// which divides by the sum of the weights that count.
  private static func negativeLogLikelihood(_ call: Call, _ x: Operand) throws -> Operand {
    let target = try call.operand(1)
    let reduction = try call.choice("reduction", default: "mean", of: ["none", "sum", "mean"])
    let ignored = try call.int("ignore_index")
    guard x.rank >= 2, target.rank == x.rank - 1,
      target.shape.dimensions == [x.shape[0]] + x.shape.dimensions[2...]
    else { throw call.failure("scores [batch, classes, …] and targets [batch, …]") }
    let classes = x.shape[1]
    let weights =
      try call.optional(2).map { try call.floats($0, "the weights") } ?? [Double](repeating: 1, count: classes)
    guard weights.count == classes else { throw call.failure("\(classes) weights, not \(weights.count)") }
    let values = try call.floats(x)
    var losses: [Double] = []
    var total = 0.0
    for (lane, target) in zip(lanes(of: x.shape, axis: 1), try call.indices(target, "the targets")) {
      if target == ignored {
        losses.append(0)
        continue
      }
      guard target >= 0, target < classes else {
        throw call.failure("targets from 0 to \(classes - 1)\(ignored.map { " or \($0)" } ?? ""), not \(target)")
      }
      losses.append(-weights[target] * values[lane.position(target)])
      total += weights[target]
    }
    switch reduction {
    case "none": return Operand(losses, target.shape, x.elementType)
    case "sum": return Operand([losses.reduce(0, +)], .scalar, x.elementType)
    default: return Operand([losses.reduce(0, +) / total], .scalar, x.elementType)
    }
  }
}
