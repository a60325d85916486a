// Conversion between element types.

import ONNX
import Tensors

extension Operator {
  static let casting: [Operator] = [
    cast("Cast", 1...1) { inference in
      guard let number = inference.node.int("to"), let type = ElementType(rawValue: Int32(clamping: number)) else {
        throw inference.failure("'to' names no element type")
      }
      return type
    },
    cast("CastLike", 2...2) { try $0.spec(1).elementType },
  ]

  private static func cast(
    _ name: String, _ arity: ClosedRange<Int>, target: @escaping @Sendable (Inference) throws -> ElementType
  ) -> Operator {
    Operator(
      name: name, arity: arity, memory: .viewWhereUnchanged, shapeInputs: 1...1,
      infer: { inference in
        let (input, target) = (try inference.spec(0), try target(inference))
        guard input.elementType == target || isConvertible(input.elementType) && isConvertible(target) else {
          throw inference.failure("the engine does not convert \(input.elementType) to \(target)")
        }
        return [TensorSpec(target, input.shape)]
      },
      bind: castKernel,
      gradient: .rule { rule in
        guard rule.needs(0), let dy = rule.outputGradient() else { return }
        rule.contribute(0, rule.emit("CastLike", [dy, rule.input(0)]))
      })
  }

  private static func isConvertible(_ type: ElementType) -> Bool {
    switch type {
    case .undefined, .string, .complex64, .complex128: false
    default: true
    }
  }

  @Sendable private static func castKernel(_ binding: Binding) throws -> Kernel {
    let (input, output) = (binding.input(0), binding.output())
    let pair = (input.spec.elementType, output.spec.elementType)
    switch pair {
    case (.float, .double): return convert(binding) { (x: Float) in Double(x) }
    case (.double, .float): return convert(binding) { (x: Double) in Float(x) }
    case (.int32, .float): return convert(binding) { (x: Int32) in Float(x) }
    case (.int64, .float): return convert(binding) { (x: Int64) in Float(x) }
    case (.int32, .int64): return convert(binding) { (x: Int32) in Int64(x) }
    case (.int64, .int32): return convert(binding) { (x: Int64) in Int32(truncatingIfNeeded: x) }
    case (.float, .int64): return convert(binding) { (x: Float) in Int64(converting: Double(x)) }
    case (.float, .int32): return convert(binding) { (x: Float) in Int32(converting: Double(x)) }
    case (.bool, .float): return convert(binding) { (x: UInt8) in x == 0 ? Float(0) : 1 }
    case (.bool, .int64): return convert(binding) { (x: UInt8) in x == 0 ? Int64(0) : 1 }
    case (.bool, .int32): return convert(binding) { (x: UInt8) in x == 0 ? Int32(0) : 1 }
    case (.float, .bool): return convert(binding) { (x: Float) in UInt8(x == 0 ? 0 : 1) }
    case (.int64, .bool): return convert(binding) { (x: Int64) in UInt8(x == 0 ? 0 : 1) }
    case (.int32, .bool): return convert(binding) { (x: Int32) in UInt8(x == 0 ? 0 : 1) }
    default:
      // Everything else, rarely met inside a graph, goes the way that files go.
      let saturates = binding.node.int("saturate") ?? 1 != 0
      return { _ in
        let bytes = UnsafeRawBufferPointer(start: input.pointer, count: input.spec.byteCount)
        let tensor = Tensor(bytes: bytes, shape: input.shape, elementType: pair.0)
        // `infer` let only types through that convert.
        guard let converted = try? tensor.converted(to: pair.1, saturate: saturates) else { return }
        converted.withUnsafeBytes { output.pointer.copyMemory(from: $0.baseAddress!, byteCount: $0.count) }
      }
    }
  }

  @inline(__always)
  private static func convert<Source, Target>(_ binding: Binding, _ function: @escaping (Source) -> Target) -> Kernel {
    let (source, target): (UnsafeMutablePointer<Source>, UnsafeMutablePointer<Target>) = (
      binding.input(0).elements(), binding.output().elements()
    )
    let (count, pool) = (binding.output().count, binding.pool)
    return { _ in
      pool.parallel(over: count, grain: Grain.plain) { range in
        for index in range { target[index] = function(source[index]) }
      }
    }
  }
}
