// Operators whose value is known before a run: constants, and what follows from shapes.

import ONNX
import Tensors

extension Operator {
  static let constants: [Operator] = [
    known("Constant", 0...0) { inference in
      let node = inference.node
      for attribute in node.attributes {
        switch (attribute.name, attribute.value) {
        case ("value", .tensor(let initializer)): return initializer.tensor
        case ("value_float", .float(let value)): return Tensor(scalar: value)
        case ("value_floats", .floats(let values)): return Tensor(values)
        case ("value_int", .int(let value)): return Tensor(scalar: value)
        case ("value_ints", .ints(let values)): return Tensor(values)
        default: continue
        }
      }
      throw inference.failure("holds no value that the engine reads (a tensor, floats or integers)")
    },
    known("Shape", 1...1) { inference in
      let shape = try inference.shape(0)
      func bound(_ name: String, _ fallback: Int) -> Int {
        let given = inference.node.int(name) ?? fallback
        return min(max(given < 0 ? given + shape.rank : given, 0), shape.rank)
      }
      let (start, end) = (bound("start", 0), bound("end", shape.rank))
      return Tensor(shape.dimensions[start..<max(start, end)].map(Int64.init))
    },
    known("Size", 1...1) { Tensor(scalar: Int64(try $0.shape(0).elementCount)) },
    known("ConstantOfShape", 1...1) { inference in
      let shape = Shape(try inference.integers(0))
      let value: Tensor =
        if case .tensor(let initializer)? = inference.node.attribute("value") { initializer.tensor } else {
          Tensor([Float(0)])
        }
      guard value.elementCount == 1 else { throw inference.failure("the value must be one element") }
      return try filled(with: value, shape: shape, inference)
    },
    known("Range", 3...3) { inference in
      let bounds = try (0..<3).map(inference.constant)
      switch bounds[0].elementType {
      case .int64: return try range(bounds, as: Int64.self, inference)
      case .int32: return try range(bounds, as: Int32.self, inference)
      case .float: return try range(bounds, as: Float.self, inference)
      case .double: return try range(bounds, as: Double.self, inference)
      default: throw inference.failure("counts in int32, int64, float or double, not \(bounds[0].elementType)")
      }
    },
    Operator(
      name: "OnesLike", domain: gradientDomain, arity: 1...1, shapeInputs: 0...0,
      infer: { inference in
        try inference.require(0, .float)
        return [try inference.spec(0)]
      },
      bind: { binding in
        let output = binding.output()
        return { _ in output.floats.update(repeating: 1, count: output.count) }
      }),
  ]

  /// An operator that is always folded while planning.
  private static func known(
    _ name: String, _ arity: ClosedRange<Int>, value: @escaping @Sendable (Inference) throws -> Tensor
  ) -> Operator {
    Operator(
      name: name, arity: arity,
      infer: { [try value($0).spec] },
      known: { [try value($0)] },
      bind: { binding in
        let value = try value(binding.inference)
        let output = binding.output()
        return { _ in
          value.withUnsafeBytes { output.pointer.copyMemory(from: $0.baseAddress!, byteCount: $0.count) }
        }
      },
      gradient: .zero)
  }

  /// A tensor that repeats one element.
  private static func filled(with value: Tensor, shape: Shape, _ inference: Inference) throws -> Tensor {
    guard let count = shape.checkedElementCount, let width = value.elementType.byteCount(1),
      value.elementType.byteCount(count) ?? .max <= maximumByteCount, value.elementType.bitWidth ?? 0 >= 8
    else { throw inference.failure("cannot fill the shape \(shape) with \(value.elementType)") }
    return Tensor(uninitialized: shape, elementType: value.elementType) { bytes in
      value.withUnsafeBytes { element in
        for offset in stride(from: 0, to: count * width, by: width) {
          (bytes.baseAddress! + offset).copyMemory(from: element.baseAddress!, byteCount: width)
        }
      }
    }
  }

  /// `start, start + delta, …` up to but not `limit`: `max(0, ceil((limit - start) / delta))` numbers.
  private static func range<Element: TensorElement & Numeric>(
    _ bounds: [Tensor], as type: Element.Type, _ inference: Inference
  ) throws -> Tensor {
    let numbers = try bounds.map { bound in
      guard bound.elementType == Element.elementType, bound.elementCount == 1 else {
        throw inference.failure("start, limit and delta must be single numbers of one type")
      }
      return bound.elements(as: type)[0]
    }
    let (start, limit, delta) = (number(numbers[0]), number(numbers[1]), number(numbers[2]))
    let count = ((limit - start) / delta).rounded(.up)
    guard delta != 0, count.isFinite, count < Double(maximumRangeCount) else {
      throw inference.failure("from \(start) to \(limit) by \(delta) is no range of under \(maximumRangeCount) numbers")
    }
    var values: [Element] = []
    var factor: Element = 0
    for _ in 0..<max(0, Int(count)) {
      values.append(numbers[0] + factor * numbers[2])
      factor += 1
    }
    return Tensor(values)
  }

  /// Longer ranges are taken for a mistake: 2²⁸ numbers.
  private static let maximumRangeCount = 1 << 28

  private static func number(_ value: some Numeric) -> Double {
    switch value {
    case let value as any BinaryInteger: Double(value)
    case let value as any BinaryFloatingPoint: Double(value)
    default: .nan
    }
  }
}
