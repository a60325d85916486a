// Layer normalisation and batch normalisation.

import CKernels
import ONNX
import Tensors

extension Operator {
  static let normalizations: [Operator] = [
    Operator(
      name: "LayerNormalization", arity: 2...3,
      infer: { inference in
        let x = try inference.spec(0)
        try inference.require(0, .float, .double)
        let rows = try NormalizedRows(inference, input: 0)
        for index in 1...2 where inference.isPresent(index) {
          let spec = try inference.spec(index)
          guard spec.elementType == x.elementType, spec.shape.elementCount == rows.columns else {
            throw inference.failure("input \(index), \(spec), must have the \(rows.columns) elements of a row")
          }
        }
        guard (inference.node.int("stash_type") ?? 1) == 1 else {
          throw inference.failure("the engine keeps mean and deviation as float (stash_type 1)")
        }
        let statistics = TensorSpec(.float, rows.statistics)
        return [x, statistics, statistics]
      },
      bind: { binding in
        let rows = try NormalizedRows(binding.inference, input: 0)
        let (x, scale, y, pool) = (binding.input(0), binding.input(1), binding.optionalOutput(0), binding.pool)
        let bias = binding.optionalInput(2)
        let (mean, inverse) = (binding.optionalOutput(1)?.floats, binding.optionalOutput(2)?.floats)
        let epsilon = binding.node.float("epsilon") ?? 1e-5
        let columns = rows.columns
        guard x.spec.elementType == .float else {
          return normalizeDoubles(rows, x, scale, bias, y, mean, inverse, epsilon)
        }
        let target = y?.floats
        if target == nil { binding.reserveScratch(x.spec.byteCount) }
        return { scratch in
          let target = target ?? scratch.assumingMemoryBound(to: Float.self)
          pool.parallel(rows: rows.rows, work: columns * 2) { range in
            let (first, start) = (range.lowerBound, range.lowerBound * columns)
            rk_layer_normalization(
              range.count, columns, x.floats + start, scale.floats, bias?.floats, epsilon, target + start,
              mean.map { $0 + first }, inverse.map { $0 + first })
          }
        }
      },
      gradient: .rule { rule in
        guard let dy = rule.outputGradient() else { return }
        let axis = rule.node.attributes.filter { $0.name == "axis" }
        let (mean, inverse) = (rule.requestedOutput(1), rule.requestedOutput(2))
        if rule.needs(0) {
          let inputs = [dy, rule.input(0), rule.input(1), mean, inverse]
          rule.contribute(0, rule.emitInternal("LayerNormalizationGrad", inputs, axis))
        }
        guard rule.needs(1) || rule.needs(2) else { return }
        let gradients = rule.emitAll(
          "LayerNormalizationParametersGrad", domain: gradientDomain,
          [dy, rule.input(0), rule.input(1), mean, inverse], axis, outputs: 2)
        if rule.needs(1) { rule.contribute(1, gradients[0]) }
        if rule.needs(2) { rule.contribute(2, gradients[1]) }
      }),
    // (dy, x, scale, mean, inverse deviation) → dx
    Operator(
      name: "LayerNormalizationGrad", domain: gradientDomain, arity: 5...5, memory: .overwrites,
      infer: { inference in
        try inference.require(0, .float)
        return [try inference.spec(0)]
      },
      bind: { binding in
        let rows = try NormalizedRows(binding.inference, input: 0)
        let (dy, x, scale) = (binding.input(0).floats, binding.input(1).floats, binding.input(2).floats)
        let (mean, inverse, dx) = (binding.input(3).floats, binding.input(4).floats, binding.output().floats)
        let (columns, pool) = (rows.columns, binding.pool)
        return { _ in
          pool.parallel(rows: rows.rows, work: columns * 3) { range in
            let (first, start) = (range.lowerBound, range.lowerBound * columns)
            rk_layer_normalization_gradient(
              range.count, columns, dy + start, x + start, scale, mean + first, inverse + first, dx + start)
          }
        }
      }),
    // (dy, x, scale, mean, inverse deviation) → dscale, dbias, both in the scale's shape
    Operator(
      name: "LayerNormalizationParametersGrad", domain: gradientDomain, arity: 5...5,
      infer: { inference in
        try inference.require(0, .float)
        return [try inference.spec(2), try inference.spec(2)]
      },
      bind: { binding in
        let rows = try NormalizedRows(binding.inference, input: 0)
        let (dy, x) = (binding.input(0).floats, binding.input(1).floats)
        let (mean, inverse) = (binding.input(3).floats, binding.input(4).floats)
        let (dscale, dbias) = (binding.optionalOutput(0)?.floats, binding.optionalOutput(1)?.floats)
        let (columns, pool) = (rows.columns, binding.pool)
        return { _ in
          pool.parallel(over: columns, grain: max(16, Grain.plain / max(rows.rows, 1))) { range in
            let start = range.lowerBound
            rk_layer_normalization_parameters_gradient(
              rows.rows, range.count, dy + start, x + start, columns, mean, inverse, dscale.map { $0 + start },
              dbias.map { $0 + start })
          }
        }
      }),
    batchNormalization, batchNormalizationGrad,
  ]

  private static func normalizeDoubles(
    _ rows: NormalizedRows, _ x: Buffer, _ scale: Buffer, _ bias: Buffer?, _ y: Buffer?,
    _ mean: UnsafeMutablePointer<Float>?, _ inverse: UnsafeMutablePointer<Float>?, _ epsilon: Float
  ) -> Kernel {
    let (source, gamma) = (x.elements(as: Double.self), scale.elements(as: Double.self))
    let (beta, target) = (bias?.elements(as: Double.self), y?.elements(as: Double.self))
    let count = rows.columns
    return { _ in
      for row in 0..<rows.rows {
        let line = source + row * count
        var (center, variance) = (0.0, 0.0)
        for index in 0..<count { center += line[index] / Double(count) }
        for index in 0..<count { variance += Double.square(line[index] - center) / Double(count) }
        let deviation = 1 / (variance + Double(epsilon)).squareRoot()
        mean?[row] = Float(center)
        inverse?[row] = Float(deviation)
        guard let target else { continue }
        for index in 0..<count {
          target[row * count + index] = (line[index] - center) * deviation * gamma[index] + (beta?[index] ?? 0)
        }
      }
    }
  }
}

/// A tensor as rows of all that lies behind a layer normalisation's axis.
private struct NormalizedRows {
  let rows: Int
  let columns: Int
  /// The shape of a number for each row.
  let statistics: Shape

  init(_ inference: Inference, input: Int) throws {
    let shape = try inference.shape(input)
    let axis = try inference.axis(inference.node.int("axis") ?? -1, rank: shape.rank)
    rows = shape[..<axis].reduce(1, *)
    columns = shape[axis...].reduce(1, *)
    statistics = Shape(shape.indices.map { $0 < axis ? shape[$0] : 1 })
  }
}

// MARK: Batch normalisation

extension Operator {
  /// `y = scale · (x - mean) / √(variance + epsilon) + bias` for each channel, axis 1.
  /// In training mode mean and variance are the batch's own, and the running ones come out updated.
  fileprivate static let batchNormalization = Operator(
    name: "BatchNormalization", arity: 5...5,
    infer: { inference in
      let x = try inference.spec(0)
      try inference.require(0, .float, .double)
      let channels = Channels(x.shape)
      for index in 1...4 {
        guard try inference.spec(index) == TensorSpec(x.elementType, [channels.count]) else {
          throw inference.failure("input \(index) must be \(x.elementType)[\(channels.count)], one for each channel")
        }
      }
      return [x, try inference.spec(3), try inference.spec(4)]
    },
    bind: { binding in
      binding.input(0).spec.elementType == .float
        ? batchKernel(binding, Float.self) : batchKernel(binding, Double.self)
    },
    gradient: .rule { rule in
      guard let dy = rule.outputGradient() else { return }
      guard rule.node.int("training_mode") ?? 0 == 0 else {
        throw rule.failure("has no gradient in training mode; freeze its statistics (training_mode 0)")
      }
      guard (0...4).contains(where: rule.needs) else { return }
      let epsilon = [Attribute("epsilon", .float(rule.node.float("epsilon") ?? 1e-5))]
      let inputs = [dy, rule.input(0), rule.input(1), rule.input(3), rule.input(4)]
      let gradients = rule.emitAll(
        "BatchNormalizationGrad", domain: gradientDomain, inputs, epsilon, outputs: 5)
      for index in 0...4 where rule.needs(index) { rule.contribute(index, gradients[index]) }
    })

  private static func batchKernel<T: FloatingNumber>(_ binding: Binding, _ type: T.Type) -> Kernel {
    let channels = Channels(binding.input(0).shape)
    let (x, y) = (binding.input(0).elements(as: type), binding.optionalOutput(0)?.elements(as: type))
    let parameters = (1...4).map { binding.input($0).elements(as: type) }
    let running = (1...2).map { binding.optionalOutput($0)?.elements(as: type) }
    let (epsilon, momentum) = (T(binding.node.float("epsilon") ?? 1e-5), T(binding.node.float("momentum") ?? 0.9))
    let isTraining = binding.node.int("training_mode") ?? 0 != 0
    let pool = binding.pool
    return { _ in
      pool.parallel(rows: channels.count, work: channels.elementsPerChannel) { range in
        for channel in range {
          var (mean, variance) = (parameters[2][channel], parameters[3][channel])
          if isTraining {
            let count = T(channels.elementsPerChannel)
            var (total, squares) = (T.zero, T.zero)
            channels.visit(channel) { total += x[$0] }
            let own = total / count
            channels.visit(channel) { squares += T.square(x[$0] - own) }
            running[0]?[channel] = mean * momentum + own * (1 - momentum)
            running[1]?[channel] = variance * momentum + squares / count * (1 - momentum)
            (mean, variance) = (own, squares / count)
          } else {
            running[0]?[channel] = mean
            running[1]?[channel] = variance
          }
          let factor = parameters[0][channel] / (variance + epsilon).squareRoot()
          let shift = parameters[1][channel] - mean * factor
          if let y { channels.visit(channel) { y[$0] = x[$0] * factor + shift } }
        }
      }
    }
  }

  /// `(dy, x, scale, mean, variance) → dx, dscale, dbias, dmean, dvariance`
  fileprivate static let batchNormalizationGrad = Operator(
    name: "BatchNormalizationGrad", domain: gradientDomain, arity: 5...5,
    infer: { inference in
      try inference.require(0, .float)
      let channel = try inference.spec(2)
      return [try inference.spec(0), channel, channel, channel, channel]
    },
    bind: { binding in
      let channels = Channels(binding.input(0).shape)
      let inputs = binding.inputs.compactMap { $0?.floats }
      let outputs = (0..<5).map { binding.optionalOutput($0)?.floats }
      let (epsilon, pool) = (binding.node.float("epsilon") ?? 1e-5, binding.pool)
      return { _ in
        pool.parallel(rows: channels.count, work: channels.elementsPerChannel * 2) { range in
          for channel in range {
            let (dy, x) = (inputs[0], inputs[1])
            let (scale, mean, variance) = (inputs[2][channel], inputs[3][channel], inputs[4][channel])
            let inverse = 1 / (variance + epsilon).squareRoot()
            var (sum, product) = (Float(0), Float(0))
            channels.visit(channel) { place in
              sum += dy[place]
              product += dy[place] * (x[place] - mean)
              outputs[0]?[place] = dy[place] * scale * inverse
            }
            outputs[1]?[channel] = product * inverse
            outputs[2]?[channel] = sum
            outputs[3]?[channel] = -sum * scale * inverse
            outputs[4]?[channel] = -0.5 * product * scale * inverse * inverse * inverse
          }
        }
      }
    })
}

/// The elements of each channel (axis 1) of a batch.
private struct Channels {
  let count: Int
  private let batch: Int
  private let inner: Int

  init(_ shape: Shape) {
    batch = shape.first ?? 1
    count = shape.rank > 1 ? shape[1] : 1
    inner = shape.dropFirst(2).reduce(1, *)
  }

  var elementsPerChannel: Int { batch * inner }

  @inline(__always)
  func visit(_ channel: Int, _ body: (_ place: Int) -> Void) {
    for element in 0..<batch {
      let start = (element * count + channel) * inner
      for place in start..<(start + inner) { body(place) }
    }
  }
}
