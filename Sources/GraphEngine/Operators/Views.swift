// Operators that give the same elements another shape: no kernel runs where the memory can be shared.

import ONNX
import Tensors

extension Operator {
  /// An operator whose output holds the first input's elements in order.
  private static func view(
    _ name: String, _ arity: ClosedRange<Int>, domain: String = "", shapeInputs: ClosedRange<Int>? = nil,
    gradient: Gradient? = nil, shape: @escaping @Sendable (Inference) throws -> Shape
  ) -> Operator {
    Operator(
      name: name, domain: domain, arity: arity, memory: .viewWhereUnchanged, shapeInputs: shapeInputs,
      infer: { inference in
        let input = try inference.spec(0)
        let output = try shape(inference)
        guard output.elementCount == input.shape.elementCount else {
          throw inference.failure("\(input.shape.elementCount) elements do not fit the shape \(output)")
        }
        return [TensorSpec(input.elementType, output)]
      },
      bind: copyKernel,
      gradient: gradient
        ?? .rule { rule in
          guard rule.needs(0), let dy = rule.outputGradient() else { return }
          rule.contribute(0, rule.emitInternal("ReshapeLike", [dy, rule.input(0)]))
        })
  }

  /// Copies the first input to the output, for the rare place where a view does not serve.
  @Sendable private static func copyKernel(_ binding: Binding) -> Kernel {
    let (input, output) = (binding.input(0), binding.output())
    let byteCount = output.spec.byteCount
    return { _ in output.pointer.copyMemory(from: input.pointer, byteCount: byteCount) }
  }

  static let views: [Operator] = [
    view("Identity", 1...1) { try $0.shape(0) },
    view("ReshapeLike", 2...2, domain: gradientDomain, shapeInputs: 1...1) { try $0.shape(1) },
    view("Reshape", 2...2) { inference in
      let input = try inference.shape(0)
      return try reshaped(
        input, by: inference.integers(1), keepsZero: inference.node.int("allowzero") ?? 0 != 0, inference)
    },
    view("Flatten", 1...1) { inference in
      let input = try inference.shape(0)
      let given = inference.node.int("axis") ?? 1
      let axis = given == input.rank ? given : try inference.axis(given, rank: max(input.rank, 1))
      return [input.prefix(axis).reduce(1, *), input.dropFirst(axis).reduce(1, *)]
    },
    view("Squeeze", 1...2) { inference in
      let input = try inference.shape(0)
      guard inference.isPresent(1) else { return Shape(input.filter { $0 != 1 }) }
      let axes = Set(try inference.integers(1).map { try inference.axis($0, rank: input.rank) })
      for axis in axes where input[axis] != 1 {
        throw inference.failure("axis \(axis) of \(input) has \(input[axis]) elements; only axes of 1 can be squeezed")
      }
      return Shape(input.indices.filter { !axes.contains($0) }.map { input[$0] })
    },
    view("Unsqueeze", 2...2) { inference in
      let input = try inference.shape(0)
      let given = try inference.integers(1)
      let rank = input.rank + given.count
      let axes = Set(try given.map { try inference.axis($0, rank: rank) })
      guard axes.count == given.count else { throw inference.failure("axes \(given) name an axis twice") }
      var rest = input.makeIterator()
      return Shape((0..<rank).map { axes.contains($0) ? 1 : rest.next()! })
    },
  ]

  /// The target of a `Reshape`: 0 keeps an extent (unless `keepsZero`), one -1 takes what is left.
  private static func reshaped(_ input: Shape, by target: [Int], keepsZero: Bool, _ inference: Inference) throws
    -> Shape
  {
    var extents = target
    for (axis, extent) in target.enumerated() where extent == 0 && !keepsZero {
      guard axis < input.rank else {
        throw inference.failure("0 at axis \(axis) of \(target), and \(input) has no such axis")
      }
      extents[axis] = input[axis]
    }
    let open = extents.indices.filter { extents[$0] == -1 }
    guard open.count <= 1, extents.allSatisfy({ $0 >= -1 }) else {
      throw inference.failure("\(target) is no shape: at most one -1, and nothing below it")
    }
    if let axis = open.first {
      extents[axis] = 1
      guard let rest = Shape(extents).checkedElementCount, rest > 0, input.elementCount % rest == 0 else {
        throw inference.failure("\(input) does not reshape to \(target)")
      }
      extents[axis] = input.elementCount / rest
    }
    guard Shape(extents).checkedElementCount == input.elementCount else {
      throw inference.failure("\(input) does not reshape to \(target)")
    }
    return Shape(extents)
  }
}
