// Softmax and its kin, and normalisation by mean and variance.

import Glibc
import Tensors

enum Normalizations {
  static let operators: OperatorTable = [
    "Softmax": alongAxis(softmax),
    "LogSoftmax": alongAxis { lane in
      let normalizer = Reductions.logSumExp(lane)
      return lane.map { $0 - normalizer }
    },
    "Hardmax": alongAxis { lane in
      let largest = lane.indices.max { lane[$0] < lane[$1] || lane[$0] == lane[$1] && $0 > $1 }
      return lane.indices.map { $0 == largest ? 1 : 0 }
    },
    "LayerNormalization": .many(layer),
    "RMSNormalization": .one(rootMeanSquare),
    "BatchNormalization": .many(batch),
    "InstanceNormalization": .one(instance),
    "GroupNormalization": .one(group),
    "MeanVarianceNormalization": .one(meanVariance),
    "LpNormalization": .one(lp),
    "LRN": .one(localResponse),
  ]

  static func softmax(_ lane: [Double]) -> [Double] {
    let largest = lane.reduce(-.infinity, Arithmetic.larger)
    let exponentials = lane.map { exp($0 - largest) }
    let sum = exponentials.reduce(0, +)
    return exponentials.map { $0 / sum }
  }

  /// An operator that maps each lane along an axis (the last by default). Before opset 13 the lanes are the rows of
  /// a matrix: the axes from `axis` on (1 by default) taken as one.
  private static func alongAxis(_ body: @escaping @Sendable ([Double]) -> [Double]) -> Operator {
    .one { call in
      let x = try call.operand(0)
      var shape = x.shape
      var axis = try call.int("axis", default: call.version < 13 ? 1 : -1)
      if call.version < 13 {
        guard axis >= -x.rank, axis <= x.rank else { throw call.failure("an axis within the rank, not \(axis)") }
        let split = axis < 0 ? axis + x.rank : axis
        shape = [x.shape.dimensions[..<split].reduce(1, *), x.shape.dimensions[split...].reduce(1, *)]
        axis = 1
      }
      axis = try call.axis(axis, rank: shape.rank)
      var values = try call.floats(x)
      for lane in lanes(of: shape, axis: axis) {
        for (position, value) in zip(lane.positions, body(lane.positions.map { values[$0] })) {
          values[position] = value
        }
      }
      return Operand(values, x.shape, x.elementType)
    }
  }

  /// `(x - mean) / √(variance + ε) · scale + bias` over the axes from `axis` on; also the mean and `1 / √(…)`.
  private static func layer(_ call: Call) throws -> [Value] {
    let (x, scale, bias) = (try call.operand(0), try call.operand(1), try call.optional(2))
    let axis = try call.axis(call.int("axis", default: -1), rank: x.rank)
    let epsilon = try call.float("epsilon", default: 1e-5)
    let size = x.shape.dimensions[axis...].reduce(1, *)
    let values = try call.floats(x)
    var normalized = values
    var (means, inverses): ([Double], [Double]) = ([], [])
    for row in 0..<x.shape.dimensions[..<axis].reduce(1, *) {
      let range = row * size..<(row + 1) * size
      let (mean, variance) = moments(values[range])
      let inverse = 1 / (variance + epsilon).squareRoot()
      for position in range { normalized[position] = (values[position] - mean) * inverse }
      means.append(mean)
      inverses.append(inverse)
    }
    let y = try affine(call, Operand(normalized, x.shape, x.elementType), scale, bias)
    let statistics = Shape(x.shape.dimensions[..<axis] + x.shape.dimensions[axis...].map { _ in 1 })
    return [
      .tensor(y), .tensor(Operand(means, statistics, .float)), .tensor(Operand(inverses, statistics, .float)),
    ]
  }

  /// `x / √(mean(x²) + ε) · scale` over the axes from `axis` on.
  private static func rootMeanSquare(_ call: Call) throws -> Operand {
    let (x, scale) = (try call.operand(0), try call.operand(1))
    let axis = try call.axis(call.int("axis", default: -1), rank: x.rank)
    let epsilon = try call.float("epsilon", default: 1e-5)
    let size = x.shape.dimensions[axis...].reduce(1, *)
    var values = try call.floats(x)
    for row in 0..<x.shape.dimensions[..<axis].reduce(1, *) {
      let range = row * size..<(row + 1) * size
      let meanSquare = values[range].reduce(0) { $0 + $1 * $1 } / Double(size)
      for position in range { values[position] /= (meanSquare + epsilon).squareRoot() }
    }
    return try affine(call, Operand(values, x.shape, x.elementType), scale, nil)
  }

  /// `x · scale + bias`, both broadcast to x's shape.
  private static func affine(_ call: Call, _ x: Operand, _ scale: Operand, _ bias: Operand?) throws -> Operand {
    let scales = try call.floats(call.broadcast(scale, to: x.shape), "scale")
    var values = zip(try call.floats(x), scales).map { $0 * $1 }
    if let bias {
      values = zip(values, try call.floats(call.broadcast(bias, to: x.shape), "bias")).map { $0 + $1 }
    }
    return Operand(values, x.shape, x.elementType)
  }

  /// Mean and population variance.
  static func moments(_ values: some Collection<Double>) -> (mean: Double, variance: Double) {
    let mean = values.reduce(0, +) / Double(values.count)
    return (mean, values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(values.count))
  }

  /// Per channel (axis 1) `(x - mean) / √(variance + ε) · scale + bias`, with given statistics or, in training mode,
  /// the batch's own; then also the running statistics, moved towards the batch's.
  private static func batch(_ call: Call) throws -> [Value] {
    let operands = try (0..<5).map { try call.operand($0) }
    let x = operands[0]
    guard x.rank >= 1 else { throw call.failure("an input with a batch axis") }
    let channels = x.rank > 1 ? x.shape[1] : 1
    let parameters = try operands[1...].map { operand in
      guard operand.shape == [channels] else {
        throw call.failure("scale, bias, mean and variance of shape [\(channels)], not \(operand.summary)")
      }
      return try call.floats(operand)
    }
    let epsilon = try call.float("epsilon", default: 1e-5)
    let momentum = try call.float("momentum", default: 0.9)
    let training = try call.version >= 14 && call.flag("training_mode")
    var values = try call.floats(x)
    var (runningMeans, runningVariances) = (parameters[2], parameters[3])
    for channel in 0..<channels {
      let members = channelPositions(x.shape, channel)
      var (mean, variance) = (parameters[2][channel], parameters[3][channel])
      if training {
        (mean, variance) = moments(members.map { values[$0] })
        runningMeans[channel] = runningMeans[channel] * momentum + mean * (1 - momentum)
        runningVariances[channel] = runningVariances[channel] * momentum + variance * (1 - momentum)
      }
      for position in members {
        values[position] =
          (values[position] - mean) / (variance + epsilon).squareRoot() * parameters[0][channel]
          + parameters[1][channel]
      }
    }
    let y = Value.tensor(Operand(values, x.shape, x.elementType))
    guard training else { return [y] }
    return [
      y, .tensor(Operand(runningMeans, [channels], operands[3].elementType)),
      .tensor(Operand(runningVariances, [channels], operands[4].elementType)),
    ]
  }

  /// The positions of one channel (axis 1) over the batch and the further axes.
  private static func channelPositions(_ shape: Shape, _ channel: Int) -> [Int] {
    guard shape.rank > 1 else { return Array(0..<shape.elementCount) }
    let inner = shape.dimensions[2...].reduce(1, *)
    return (0..<shape[0]).flatMap { sample in
      let start = (sample * shape[1] + channel) * inner
      return start..<start + inner
    }
  }

  /// Each channel of each sample by its own mean and variance, then scale and bias of the channel.
  private static func instance(_ call: Call) throws -> Operand {
    let x = try call.operand(0)
    guard x.rank >= 2 else { throw call.failure("an input with batch and channel axes") }
    return try grouped(call, groups: x.shape[1], parametersPerGroup: false)
  }

  /// The channels of each sample in groups, each by its own mean and variance. Before opset 21 there is one scale and
  /// bias a group, since then one a channel.
  private static func group(_ call: Call) throws -> Operand {
    try grouped(call, groups: call.int("num_groups", default: 0), parametersPerGroup: call.version < 21)
  }

  private static func grouped(_ call: Call, groups: Int, parametersPerGroup: Bool) throws -> Operand {
    let x = try call.operand(0)
    guard x.rank >= 2, groups > 0, x.shape[1] % groups == 0 else {
      if x.rank >= 2, x.shape[1] == 0, groups == 0 { return x }
      throw call.failure("channels (axis 1) that \(groups) groups divide")
    }
    let channels = x.shape[1]
    let parameterCount = parametersPerGroup ? groups : channels
    let parameters = try [1, 2].map { index in
      let operand = try call.operand(index)
      guard operand.shape == [parameterCount] else {
        throw call.failure("scale and bias of shape [\(parameterCount)], not \(operand.summary)")
      }
      return try call.floats(operand)
    }
    let epsilon = try call.float("epsilon", default: 1e-5)
    var values = try call.floats(x)
    let inner = x.shape.dimensions[2...].reduce(1, *)
    let size = channels / groups * inner
    for block in 0..<x.shape[0] * groups {
      let range = block * size..<(block + 1) * size
      let (mean, variance) = moments(values[range])
      for position in range {
        let channel = position / max(inner, 1) % channels
        let parameter = parametersPerGroup ? channel / (channels / groups) : channel
        values[position] =
          (values[position] - mean) / (variance + epsilon).squareRoot() * parameters[0][parameter]
          + parameters[1][parameter]
      }
    }
    return Operand(values, x.shape, x.elementType)
  }

  /// `(x - mean) / (√variance + 1e-9)` over axes (`[0, 2, 3]` by default), as the operator's definition has it.
  private static func meanVariance(_ call: Call) throws -> Operand {
    let x = try call.operand(0)
    let axes = try call.axes(call.ints("axes") ?? [0, 2, 3], rank: x.rank)
    let values = try call.floats(x)
    let groups = Groups(x.shape, axes: axes, keepingAxes: true)
    let means = try call.broadcast(
      Operand(groups.reduce(values) { moments($0).mean }, groups.shape, x.elementType), to: x.shape)
    let variances = try call.broadcast(
      Operand(groups.reduce(values) { moments($0).variance }, groups.shape, x.elementType), to: x.shape)
    let statistics = zip(try call.floats(means), try call.floats(variances))
    return Operand(
      zip(values, statistics).map { ($0 - $1.0) / ($1.1.squareRoot() + 1e-9) }, x.shape, x.elementType)
  }

  /// `x / ‖x‖` along an axis, with the norm of order 1 or 2; 0 where the norm is 0.
  private static func lp(_ call: Call) throws -> Operand {
    let x = try call.operand(0)
    let axis = try call.axis(call.int("axis", default: -1), rank: x.rank)
    let order = try call.int("p", default: 2)
    guard order == 1 || order == 2 else { throw call.failure("p to be 1 or 2, not \(order)") }
    var values = try call.floats(x)
    for lane in lanes(of: x.shape, axis: axis) {
      let members = lane.positions.map { values[$0] }
      let norm = order == 1 ? members.reduce(0) { $0 + abs($1) } : members.reduce(0) { $0 + $1 * $1 }.squareRoot()
      for position in lane.positions { values[position] = norm == 0 ? 0 : values[position] / norm }
    }
    return Operand(values, x.shape, x.elementType)
  }

  /// `x / (bias + α / size · Σ x²)^β`, the sum over `size` neighbouring channels.
  private static func localResponse(_ call: Call) throws -> Operand {
    let x = try call.operand(0)
    guard x.rank >= 2 else { throw call.failure("an input with batch and channel axes") }
    guard let size = try call.int("size"), size > 0 else { throw call.failure("size, at least 1") }
    let (alpha, beta) = (try call.float("alpha", default: 0.0001), try call.float("beta", default: 0.75))
    let bias = try call.float("bias", default: 1)
    let values = try call.floats(x)
    var result = values
    for lane in lanes(of: x.shape, axis: 1) {
      for channel in 0..<lane.count {
        let first = max(0, channel - (size - 1) / 2)
        let last = min(lane.count - 1, channel + size / 2)
        let sum = (first...last).reduce(0) { $0 + values[lane.position($1)] * values[lane.position($1)] }
        let position = lane.position(channel)
        result[position] = values[position] / pow(bias + alpha / Double(size) * sum, beta)
      }
    }
    return Operand(result, x.shape, x.elementType)
  }
}
