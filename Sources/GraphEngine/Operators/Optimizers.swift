// The updates of a training step as nodes: each changes its first input, a variable, where it lies.

import CKernels
import Glibc
import ONNX
import Tensors

/// The domain of the operators that update parameters. They never reach an exported file.
///
/// `Adam` and `SGD` take `(parameter, gradient, learning_rate, step, gradient_scale?, moments…)`; `AdamRows` and
/// `SGDRows` take `(parameter, indices, rows, learning_rate, step, gradient_scale?, moments…)`, and leave the row that
/// their attribute `padding` names as it is. The learning rate is a float and the step an `int64`, counted from 1. `ClipScale` takes gradients and gives the factor that brings their
/// joint norm to at most `max_norm`.
public let trainingDomain = "rankerkit.training"

extension Operator {
  static let optimizers: [Operator] = [
    update("Adam") { inputs in
      let rule = AdamRule(inputs)
      let (gradient, count) = (inputs.gradient[0], inputs.parameter.count)
      let (m, v) = (inputs.moments[0], inputs.moments[1])
      return { _ in
        var step = rule.step()
        inputs.split(count) { range in
          let at = range.lowerBound
          rk_adam_update(
            &step, range.count, gradient.floats + at, inputs.parameter.floats + at, m.floats + at, v.floats + at)
        }
      }
    },
    update("AdamRows") { inputs in
      let rule = AdamRule(inputs)
      let (m, v) = (inputs.moments[0], inputs.moments[1])
      return { _ in
        var step = rule.step()
        inputs.splitRows { indices, rows, count, width in
          rk_adam_update_rows(
            &step, count, indices, width, rows, inputs.parameter.floats, m.floats, v.floats)
        }
      }
    },
    // Adam's rows as a gather's gradient has them, in any order and repeated: written by `Fusion` alone.
    update("AdamScatteredRows") { inputs in
      let rule = AdamRule(inputs)
      let (parameter, m, v) = (inputs.parameter, inputs.moments[0], inputs.moments[1])
      let sums = RowSums(inputs.binding, indices: 1, rows: inputs.gradient[1], height: parameter.shape[0])
      let (width, padding) = (sums.width, inputs.padding)
      inputs.binding.reserveScratch(sums.scratchByteCount)
      return { scratch in
        var step = rule.step()
        let sorted = sums.sort(scratch)
        inputs.pool.parallel(rows: sorted.count, work: 8 * width + 16) { places in
          withUnsafeTemporaryAllocation(of: Float.self, capacity: width) { sum in
            for place in places {
              let row = sorted.index(place)
              if row == padding { continue }
              sums.sum(sorted, place, into: sum.baseAddress!)
              rk_adam_update(
                &step, width, sum.baseAddress!, parameter.floats + row * width, m.floats + row * width,
                v.floats + row * width)
            }
          }
        }
      }
    },
    update("SGD") { inputs in
      let rule = SGDRule(inputs)
      let (gradient, count) = (inputs.gradient[0], inputs.parameter.count)
      let momentum = inputs.moments.first
      return { _ in
        var step = rule.step()
        inputs.split(count) { range in
          let at = range.lowerBound
          rk_sgd_update(
            &step, range.count, gradient.floats + at, inputs.parameter.floats + at, momentum.map { $0.floats + at })
        }
      }
    },
    update("SGDRows") { inputs in
      let rule = SGDRule(inputs)
      let momentum = inputs.moments.first
      return { _ in
        var step = rule.step()
        inputs.splitRows { indices, rows, count, width in
          rk_sgd_update_rows(&step, count, indices, width, rows, inputs.parameter.floats, momentum?.floats)
        }
      }
    },
    // min(1, max_norm / (‖all gradients‖₂ + 1e-6)): torch.nn.utils.clip_grad_norm_.
    Operator(
      name: "ClipScale", domain: trainingDomain, arity: 1...Int.max,
      infer: { inference in
        for index in inference.inputs.indices { try inference.require(index, .float) }
        return [TensorSpec(.float, .scalar)]
      },
      bind: { binding in
        let gradients = binding.inputs.compactMap { $0 }
        let maximum = Double(binding.node.float("max_norm") ?? .infinity)
        let (output, pool) = (binding.output(), binding.pool)
        // Pieces of one length, added in their order: the sum is the same on any number of threads.
        let piece = 1 << 16
        let pieces = gradients.flatMap { gradient in
          stride(from: 0, to: gradient.count, by: piece).map { first in
            (start: gradient.floats + first, count: min(piece, gradient.count - first))
          }
        }
        binding.reserveScratch(pieces.count * MemoryLayout<Double>.stride)
        return { scratch in
          let squares = scratch.assumingMemoryBound(to: Double.self)
          pool.parallel(pieces.count) { squares[$0] = rk_sum_of_squares(pieces[$0].count, pieces[$0].start) }
          let sum = (0..<pieces.count).reduce(0) { $0 + squares[$1] }
          output.floats[0] = Float(min(1, maximum / (sum.squareRoot() + 1e-6)))
        }
      }),
    // The product that is a parameter's gradient and its update in one: the gradient never reaches memory.
    // (parameter, a, b, learning_rate, step, moments…) with Gemm's attributes and Adam's; written by `Fusion` alone.
    Operator(
      name: "GemmAdam", domain: trainingDomain, arity: 7...7, memory: .updatesVariable,
      multiplyAdds: { inference in
        guard let a = try? inference.shape(1), let b = try? inference.shape(2), b.rank == 2 else { return nil }
        return a.elementCount * b[GemmForm(inference.node).transB ? 0 : 1]
      },
      infer: { [try $0.spec(0)] },
      bind: { binding in
        let parameter = binding.input(0)
        let rule = AdamRule(
          node: binding.node, rate: binding.input(3), step: binding.input(4), scale: nil)
        let form = GemmForm(binding.node)
        let (a, b, pool) = (binding.input(1), binding.input(2), binding.pool)
        let product = MatrixProduct(
          rows: parameter.shape[0], columns: parameter.shape[1], depth: form.transA ? a.shape[0] : a.shape[1],
          a: .init(transposed: form.transA), b: .init(transposed: form.transB), alpha: form.alpha,
          keepsResult: false, threads: pool.threadCount)
        binding.reserveScratch(product.scratchByteCount)
        let block = Context(
          rk_adam_block(
            step: rk_adam(), p: parameter.floats, m: binding.input(5).floats, v: binding.input(6).floats,
            row: parameter.shape[1]))
        return { scratch in
          block.pointer.pointee.step = rule.step()
          product.run(
            a: a.floats, b: b.floats, c: nil, epilogue: .init(rk_epilogue_adam, context: block.pointer),
            scratch: scratch, pool: pool)
        }
      }),
  ]

  /// An operator that updates its first input by the rest.
  private static func update(
    _ name: String, kernel: @escaping @Sendable (UpdateInputs) throws -> Kernel
  ) -> Operator {
    Operator(
      name: name, domain: trainingDomain, arity: 5...8, memory: .updatesVariable,
      infer: { inference in
        let parameter = try inference.spec(0)
        try inference.require(0, .float)
        let isRows = name.hasSuffix("Rows")
        let gradient = try inference.spec(isRows ? 2 : 1)
        guard isRows || gradient == parameter else {
          throw inference.failure("the gradient is \(gradient), the parameter \(parameter)")
        }
        if isRows { try requireRows(inference) }
        return [parameter]
      },
      bind: { try kernel(UpdateInputs($0, isRows: name.hasSuffix("Rows"))) })
  }
}

/// A C structure with an address of its own, for kernels that are handed its pointer.
final class Context<Value> {
  let pointer: UnsafeMutablePointer<Value>

  init(_ value: Value) {
    pointer = .allocate(capacity: 1)
    pointer.initialize(to: value)
  }

  deinit {
    pointer.deinitialize(count: 1)
    pointer.deallocate()
  }
}

/// The inputs of an update node by their meaning.
private struct UpdateInputs {
  let binding: Binding
  let node: Node
  let parameter: Buffer
  /// The dense gradient, or indices and rows.
  let gradient: [Buffer]
  let rate, step: Buffer
  let scale: Buffer?
  let moments: [Buffer]
  let pool: ThreadPool

  init(_ binding: Binding, isRows: Bool) {
    let first = isRows ? 3 : 2
    self.binding = binding
    node = binding.node
    parameter = binding.input(0)
    gradient = (1..<first).map(binding.input)
    rate = binding.input(first)
    step = binding.input(first + 1)
    scale = binding.optionalInput(first + 2)
    moments = binding.inputs.dropFirst(first + 3).compactMap { $0 }
    pool = binding.pool
  }

  /// The row that padding names, or -1.
  var padding: Int { node.int("padding") ?? -1 }

  /// Shares `0..<count` among the threads in pieces that fit the cache.
  func split(_ count: Int, _ body: (Range<Int>) -> Void) {
    let piece = 1 << 14
    pool.parallel((count + piece - 1) / piece) { body($0 * piece..<min(($0 + 1) * piece, count)) }
  }

  /// Shares the rows that a batch named among the threads; the places after the last named row hold no row.
  func splitRows(
    _ body: (_ indices: UnsafePointer<Int64>, _ rows: UnsafePointer<Float>, _ count: Int, _ width: Int) -> Void
  ) {
    let indices = gradient[0].elements(as: Int64.self)
    let rows = gradient[1].floats
    let width = parameter.shape.dimensions.dropFirst().reduce(1, *)
    let height = parameter.shape[0]
    var count = gradient[0].count
    while count > 0, indices[count - 1] >= Int64(height) { count -= 1 }
    let piece = max(1, (1 << 13) / max(width, 1))
    let padding = Int64(padding)
    let still = (0..<count).first { indices[$0] == padding } ?? count
    pool.parallel((count + piece - 1) / piece) { task in
      let range = task * piece..<min((task + 1) * piece, count)
      for part in [range.clamped(to: 0..<still), range.clamped(to: min(still + 1, count)..<count)] where !part.isEmpty {
        body(indices + part.lowerBound, rows + part.lowerBound * width, part.count, width)
      }
    }
  }
}

/// Adam's attributes, and its numbers at the present step.
private struct AdamRule {
  let beta1, beta2, epsilon, decay: Float
  let isDecoupled: Bool
  let rate, count: Buffer
  let scale: Buffer?

  init(node: Node, rate: Buffer, step: Buffer, scale: Buffer?) {
    beta1 = node.float("beta1") ?? 0.9
    beta2 = node.float("beta2") ?? 0.999
    epsilon = node.float("epsilon") ?? 1e-8
    decay = node.float("weight_decay") ?? 0
    isDecoupled = node.int("decoupled") ?? 0 != 0
    self.rate = rate
    count = step
    self.scale = scale
  }

  init(_ inputs: UpdateInputs) {
    self.init(node: inputs.node, rate: inputs.rate, step: inputs.step, scale: inputs.scale)
  }

  func step() -> rk_adam {
    let learningRate = rate.floats[0]
    let time = Double(count.elements(as: Int64.self)[0])
    return rk_adam(
      gradient_scale: scale?.floats[0] ?? 1, coupled_decay: isDecoupled ? 0 : decay,
      retention: isDecoupled ? 1 - learningRate * decay : 1, beta1: beta1, beta2: beta2,
      step_size: Float(Double(learningRate) / (1 - pow(Double(beta1), time))),
      root_scale: Float(1 / (1 - pow(Double(beta2), time)).squareRoot()), epsilon: epsilon)
  }
}

/// The attributes of gradient descent, and its numbers at the present step.
private struct SGDRule {
  let momentum, decay: Float
  let isNesterov: Bool
  let rate: Buffer
  let scale: Buffer?

  init(_ inputs: UpdateInputs) {
    momentum = inputs.node.float("momentum") ?? 0
    decay = inputs.node.float("weight_decay") ?? 0
    isNesterov = inputs.node.int("nesterov") ?? 0 != 0
    rate = inputs.rate
    scale = inputs.scale
  }

  func step() -> rk_sgd {
    rk_sgd(
      gradient_scale: scale?.floats[0] ?? 1, decay: decay, momentum: momentum, rate: rate.floats[0],
      nesterov: isNesterov ? 1 : 0)
  }
}
