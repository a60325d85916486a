// Dropout, the only operator that draws random numbers, and its gradient.

import CKernels
import ONNX
import Tensors

extension Operator {
  static let dropouts: [Operator] = [
    // y = x · mask / (1 - ratio) while training, y = x otherwise.
    // Its numbers come from the session's seed, the run's number, the node's name and the element's place.
    Operator(
      name: "Dropout", arity: 1...3, memory: .random, rows: .inputs { _ in [0] },
      infer: { inference in
        let input = try inference.spec(0)
        if try isTraining(inference) {
          try inference.require(0, .float)
          _ = try ratio(inference)
        }
        return [input, TensorSpec(.bool, input.shape)]
      },
      bind: { binding in
        let (x, y, mask) = (binding.input(0), binding.output(), binding.optionalOutput(1))
        let count = x.count
        guard try isTraining(binding.inference) else {
          let byteCount = x.spec.byteCount
          return { _ in
            y.pointer.copyMemory(from: x.pointer, byteCount: byteCount)
            mask?.elements(as: Bool.self).update(repeating: true, count: count)
          }
        }
        let draw = try DropoutDraw(ratio: ratio(binding.inference), binding)
        let (pool, offset) = (binding.pool, binding.offset)
        // About 2 µs of random numbers; a multiple of a block of them, so that none is drawn twice.
        let piece = 1 << 11
        return { _ in
          pool.parallel((count + piece - 1) / piece) { task in
            let first = task * piece
            rk_dropout(
              min(piece, count - first), draw.ratio, draw.seed, draw.stream, UInt64(offset + first), x.floats + first,
              y.floats + first,
              mask.map { $0.elements(as: UInt8.self) + first })
          }
        }
      },
      gradient: .rule { rule in
        guard rule.needs(0), let dy = rule.outputGradient() else { return }
        // The differentiation has seen to it that the node writes its mask.
        let settings = (1...2).map { $0 < rule.node.inputs.count ? rule.input($0) : "" }
        rule.contribute(0, rule.emitInternal("DropoutGradient", [dy] + settings + [rule.output(1)]))
      }),
    // dx = dy · mask / (1 - ratio), from (dy, ratio, training_mode, mask); dx = dy where the forward pass changed nothing.
    Operator(
      name: "DropoutGradient", domain: gradientDomain, arity: 4...4, memory: .overwrites, rows: .elementwise,
      infer: { [try $0.spec(0)] },
      bind: { binding in
        let (dy, mask, dx) = (binding.input(0), binding.input(3), binding.output())
        let scale = try isTraining(binding.inference) ? 1 / (1 - ratio(binding.inference)) : 1
        let pool = binding.pool
        let piece = 1 << 15
        return { _ in
          pool.parallel((dy.count + piece - 1) / piece) { task in
            let first = task * piece
            rk_dropout_gradient(
              min(piece, dy.count - first), scale, dy.floats + first, mask.elements(as: UInt8.self) + first,
              dx.floats + first)
          }
        }
      }),
  ]

  private static func isTraining(_ inference: Inference) throws -> Bool {
    try DropoutDraw.isTraining(inference, mode: 2)
  }

  private static func ratio(_ inference: Inference) throws -> Float { try DropoutDraw.ratio(inference, at: 1) }
}

/// The random numbers of one dropout: which elements it keeps in the present run.
struct DropoutDraw {
  let ratio: Float
  private let place: UInt64
  private let random: RandomState

  init(ratio: Float, _ binding: Binding) {
    self.ratio = ratio
    random = binding.random
    place = Self.stream(of: binding.node.string("dropout") ?? binding.node.outputs[0])
  }

  /// The dropout that a fused node does, or nil where it does none.
  /// - Parameter position: the input with the ratio; the mode of training follows it.
  init?(_ binding: Binding, ratio position: Int) throws {
    guard try Self.isTraining(binding.inference, mode: position + 1) else { return nil }
    self.init(ratio: try Self.ratio(binding.inference, at: position), binding)
  }

  var seed: UInt64 { random.seed }
  var stream: UInt64 { place &+ random.run &* 0x9E37_79B9_7F4A_7C15 }
  /// What the elements that stay are multiplied with.
  var scale: Float { 1 / (1 - ratio) }

  /// 1 for each element that stays, 0 for the others.
  func mask(_ range: Range<Int>, into target: UnsafeMutablePointer<UInt8>) {
    rk_dropout_mask(range.count, ratio, seed, stream, UInt64(range.lowerBound), target)
  }

  static func isTraining(_ inference: Inference, mode position: Int) throws -> Bool {
    guard inference.isPresent(position) else { return false }
    let mode = try inference.constant(position)
    guard mode.elementType == .bool, mode.elementCount == 1 else {
      throw inference.failure("the training mode must be one bool, not \(mode.spec)")
    }
    return mode.elements(as: Bool.self)[0]
  }

  /// The ratio's default is the specification's.
  static func ratio(_ inference: Inference, at position: Int) throws -> Float {
    guard inference.isPresent(position) else { return 0.5 }
    let tensor = try inference.constant(position)
    guard tensor.elementCount == 1, tensor.elementType.isFloatingPoint else {
      throw inference.failure("the ratio must be one number, not \(tensor.spec)")
    }
    let ratio = Float(tensor.doubles()[0])
    guard ratio >= 0, ratio < 1 else { throw inference.failure("the ratio \(ratio) is not in 0 ..< 1") }
    return ratio
  }

  /// A number for each dropout, from its output's name (FNV-1a): no two of a graph draw alike.
  private static func stream(of name: String) -> UInt64 {
    name.utf8.reduce(0xCBF2_9CE4_8422_2325) { ($0 ^ UInt64($1)) &* 0x0000_0100_0000_01B3 }
  }
}
