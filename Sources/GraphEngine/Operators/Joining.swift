// Operators that put tensors together along an axis, and take them apart again.

import ONNX
import Tensors

extension Operator {
  static let joining: [Operator] = [
    Operator(
      name: "Concat", arity: 1...Int.max, memory: .joins,
      rows: .inputs { inference in
        try inference.axis(inference.node.int("axis") ?? 0, rank: inference.shape(0).rank) == 0
          ? nil : Array(inference.inputs.indices)
      },
      infer: { inference in
        let first = try inference.spec(0)
        guard let given = inference.node.int("axis") else { throw inference.failure("has no axis") }
        let axis = try inference.axis(given, rank: first.shape.rank)
        var extents = first.shape.dimensions
        _ = try inference.width(0)
        for index in 1..<max(inference.inputs.count, 1) {
          let other = try inference.spec(index)
          let fits =
            other.elementType == first.elementType && other.shape.rank == first.shape.rank
            && extents.indices.allSatisfy { $0 == axis || extents[$0] == other.shape[$0] }
          guard fits else {
            throw inference.failure("input \(index), \(other), does not join \(first) along axis \(axis)")
          }
          extents[axis] += other.shape[axis]
        }
        return [TensorSpec(first.elementType, Shape(extents))]
      },
      bind: { binding in
        let output = binding.output()
        let joint = try JointAxis(output.spec, binding.inference)
        let parts = binding.inputs.compactMap { $0 }
        let pool = binding.pool
        return { _ in
          var start = 0
          for part in parts {
            let extent = part.shape[joint.axis]
            if !joint.isInPlace(part.pointer, at: start, of: output.pointer) {
              joint.copy(
                pool, from: part.pointer, extent: extent, at: 0, to: output.pointer, extent: joint.extent, at: start,
                count: extent)
            }
            start += extent
          }
        }
      },
      gradient: .rule { rule in
        guard let dy = rule.outputGradient() else { return }
        for index in rule.node.inputs.indices where rule.needs(index) {
          let axis = rule.node.attributes.filter { $0.name == "axis" }
          rule.contribute(index, rule.emitInternal("ConcatGrad", [dy] + rule.node.inputs[0...index], axis))
        }
      }),
    // (dy, x₀ … xⱼ) → the part of dy that belongs to xⱼ.
    Operator(
      name: "ConcatGrad", domain: gradientDomain, arity: 2...Int.max, shapeInputs: 1...Int.max,
      rows: .inputs { inference in
        try inference.axis(inference.node.int("axis") ?? 0, rank: inference.shape(0).rank) == 0
          ? nil : Array(inference.inputs.indices)
      },
      infer: { inference in [try inference.spec(inference.inputs.count - 1)] },
      bind: { binding in
        let (dy, output) = (binding.input(0), binding.output())
        let joint = try JointAxis(dy.spec, binding.inference)
        let start = binding.inputs[1..<(binding.inputs.count - 1)].reduce(0) { $0 + ($1?.shape[joint.axis] ?? 0) }
        let extent = output.shape[joint.axis]
        let pool = binding.pool
        return { _ in
          joint.copy(
            pool, from: dy.pointer, extent: joint.extent, at: start, to: output.pointer, extent: extent, at: 0,
            count: extent)
        }
      }),
    Operator(
      name: "Split", arity: 1...2,
      infer: { inference in
        let input = try inference.spec(0)
        let (axis, parts) = try splitParts(inference, sizes: 1, outputs: inference.node.outputs.count)
        return parts.map { size in
          var extents = input.shape.dimensions
          extents[axis] = size
          return TensorSpec(input.elementType, Shape(extents))
        }
      },
      bind: { binding in
        let input = binding.input(0)
        let joint = try JointAxis(input.spec, binding.inference)
        let (_, parts) = try splitParts(binding.inference, sizes: 1, outputs: binding.outputs.count)
        let (outputs, pool) = (binding.outputs, binding.pool)
        return { _ in
          var start = 0
          for (output, extent) in zip(outputs, parts) {
            if let output {
              joint.copy(
                pool, from: input.pointer, extent: joint.extent, at: start, to: output.pointer, extent: extent, at: 0,
                count: extent)
            }
            start += extent
          }
        }
      },
      gradient: .rule { rule in
        guard rule.needs(0) else { return }
        let parts = rule.node.outputs.indices.map { rule.outputGradient($0) ?? "" }
        let sizes = rule.node.inputs.count > 1 ? rule.input(1) : ""
        rule.contribute(0, rule.emitInternal("SplitGrad", [rule.input(0), sizes] + parts, rule.node.attributes))
      }),
    // (x, sizes or none, dy₀ …) → the parts put together, with zeros where one is missing.
    Operator(
      name: "SplitGrad", domain: gradientDomain, arity: 3...Int.max, shapeInputs: 0...0,
      infer: { inference in
        for index in 2..<inference.inputs.count where inference.isPresent(index) {
          try inference.require(index, .float)
        }
        return [try inference.spec(0)]
      },
      bind: { binding in
        let output = binding.output()
        let joint = try JointAxis(output.spec, binding.inference)
        let gradients = binding.inputs[2...]
        let (_, parts) = try splitParts(binding.inference, sizes: 1, outputs: gradients.count)
        let pool = binding.pool
        let isWhole = gradients.allSatisfy { $0 != nil }
        return { _ in
          if !isWhole { output.floats.update(repeating: 0, count: output.count) }
          var start = 0
          for (gradient, extent) in zip(gradients, parts) {
            if let gradient {
              joint.copy(
                pool, from: gradient.pointer, extent: extent, at: 0, to: output.pointer, extent: joint.extent,
                at: start, count: extent)
            }
            start += extent
          }
        }
      }),
  ]

  /// The axis that a `Split` cuts and the extents of its parts: given, or as even as its opset has it.
  private static func splitParts(_ inference: Inference, sizes: Int, outputs: Int) throws -> (axis: Int, parts: [Int]) {
    let shape = try inference.shape(0)
    _ = try inference.width(0)
    let axis = try inference.axis(inference.node.int("axis") ?? 0, rank: shape.rank)
    let extent = shape[axis]
    if inference.isPresent(sizes) {
      let parts = try inference.integers(sizes)
      var sum = 0
      for part in parts {
        guard part >= 0, part <= extent - sum else {
          throw inference.failure("parts of \(parts) do not make the \(extent) of axis \(axis)")
        }
        sum += part
      }
      guard sum == extent, parts.count == outputs else {
        throw inference.failure("parts of \(parts) do not make the \(extent) of axis \(axis) in \(outputs) outputs")
      }
      return (axis, parts)
    }
    let count = inference.node.int("num_outputs") ?? outputs
    guard count == outputs, count > 0 else { throw inference.failure("\(count) parts for \(outputs) outputs") }
    guard inference.opset >= 18 || extent % count == 0 else {
      throw inference.failure("\(extent) elements of axis \(axis) do not split evenly into \(count)")
    }
    let part = (extent + count - 1) / count
    return (axis, (0..<count).map { max(0, min(part, extent - $0 * part)) })
  }
}

/// Stretches along the node's axis of tensors that agree in every other axis.
private struct JointAxis {
  let axis: Int
  /// The whole's extent along the axis.
  let extent: Int
  private let outer: Int
  /// Bytes of one step along the axis.
  private let inner: Int

  init(_ whole: TensorSpec, _ inference: Inference) throws {
    axis = try inference.axis(inference.node.int("axis") ?? 0, rank: whole.shape.rank)
    extent = whole.shape[axis]
    outer = whole.shape[..<axis].reduce(1, *)
    inner = whole.shape[(axis + 1)...].reduce(1, *) * (whole.elementType.byteCount(1) ?? 0)
  }

  /// Whether a part was written where it belongs in the whole.
  func isInPlace(_ part: UnsafeRawPointer, at start: Int, of whole: UnsafeRawPointer) -> Bool {
    outer == 1 && part == whole + start * inner
  }

  /// Copies `count` steps along the axis, at every place before it.
  func copy(
    _ pool: ThreadPool, from source: UnsafeRawPointer, extent sourceExtent: Int, at sourceStart: Int,
    to destination: UnsafeMutableRawPointer, extent destinationExtent: Int, at destinationStart: Int, count: Int
  ) {
    let byteCount = count * inner
    guard byteCount > 0 else { return }
    pool.parallel(rows: outer, work: byteCount / 4 + 8) { rows in
      for row in rows {
        (destination + (row * destinationExtent + destinationStart) * inner).copyMemory(
          from: source + (row * sourceExtent + sourceStart) * inner, byteCount: byteCount)
      }
    }
  }
}
