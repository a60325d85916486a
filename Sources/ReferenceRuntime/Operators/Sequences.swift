// Sequences of tensors, and values that may be absent.

import ONNX
import Tensors

enum Sequences {
  static let operators: OperatorTable = [
    "SequenceEmpty": .many { _ in [.sequence([])] },
    "SequenceConstruct": .many { call in [.sequence(try call.operands().map { .tensor($0) })] },
    "SequenceInsert": .many(insert),
    "SequenceErase": .many(erase),
    "SequenceAt": .many(at),
    "SequenceLength": .one { Operand(indices: [try sequence($0, 0).count], .scalar) },
    "SequenceMap": .many(map),
    "SplitToSequence": .many(split),
    "ConcatFromSequence": .one(concatenate),
    "Optional": .many { call in [.optional(call.optionalValue(0))] },
    "OptionalHasElement": .one { call in
      switch call.optionalValue(0) {
      case nil, .optional(nil)?: Operand(booleans: [false], .scalar)
      default: Operand(booleans: [true], .scalar)
      }
    },
    "OptionalGetElement": .many { call in
      switch try call.value(0) {
      case .optional(let value?): return [value]
      case .optional(nil): throw call.failure("an optional that has an element")
      case let value: return [value]
      }
    },
  ]

  private static func sequence(_ call: Call, _ index: Int) throws -> [Value] {
    guard case .sequence(let values) = try call.value(index) else { throw call.failure("a sequence as input \(index)") }
    return values
  }

  /// A position in a sequence, from the front or, negative, from the back; `limit` is the first that is not allowed.
  private static func position(_ call: Call, _ index: Int, count: Int, limit: Int) throws -> Int {
    let position = try call.scalarIndex(call.operand(index), "the position")
    guard position >= -count, position < limit else {
      throw call.failure("a position from \(-count) to \(limit - 1), not \(position)")
    }
    return position < 0 ? position + count : position
  }

  private static func insert(_ call: Call) throws -> [Value] {
    var values = try sequence(call, 0)
    let new = try call.operand(1)
    if case .tensor(let first)? = values.first { try call.requireSameType([first, new]) }
    let place =
      try call.optional(2) == nil
      ? values.count : position(call, 2, count: values.count, limit: values.count + 1)
    values.insert(.tensor(new), at: place)
    return [.sequence(values)]
  }

  private static func erase(_ call: Call) throws -> [Value] {
    var values = try sequence(call, 0)
    guard !values.isEmpty else { throw call.failure("a sequence that is not empty") }
    let place =
      try call.optional(1) == nil ? values.count - 1 : position(call, 1, count: values.count, limit: values.count)
    values.remove(at: place)
    return [.sequence(values)]
  }

  private static func at(_ call: Call) throws -> [Value] {
    let values = try sequence(call, 0)
    return [values[try position(call, 1, count: values.count, limit: values.count)]]
  }

  /// Runs the body on the elements of each sequence, position by position; a tensor input goes along with each.
  private static func map(_ call: Call) throws -> [Value] {
    let body = try ControlFlow.subgraph(call, "body")
    let first = try sequence(call, 0)
    var results = [[Value]](repeating: [], count: body.outputs.count)
    for position in first.indices {
      let arguments = try call.inputs.indices.map { index -> Value in
        guard case .sequence(let values) = try call.value(index) else { return try call.value(index) }
        guard position < values.count else { throw call.failure("sequences of \(first.count) elements") }
        return values[position]
      }
      for (index, value) in try body.call(arguments, from: call).enumerated() { results[index].append(value) }
    }
    return results.map { .sequence($0) }
  }

  /// Parts along an axis: of one length, of given lengths, or single slices (then `keepdims` 0 drops the axis).
  private static func split(_ call: Call) throws -> [Value] {
    let x = try call.operand(0)
    let axis = try call.axis(call.int("axis", default: 0), rank: x.rank)
    let extent = x.shape[axis]
    var lengths = [Int](repeating: 1, count: extent)
    if let given = try call.optional(1) {
      lengths = try call.indices(given, "split")
      if given.rank == 0 {
        guard lengths[0] > 0 else { throw call.failure("a length of at least 1") }
        let length = min(lengths[0], max(extent, 1))
        lengths = stride(from: 0, to: extent, by: length).map { min(length, extent - $0) }
      }
    }
    guard lengths.allSatisfy({ $0 >= 0 && $0 <= extent }), lengths.reduce(0, +) == extent else {
      throw call.failure("lengths that add up to \(extent), not \(lengths)")
    }
    let drops = try call.optional(1) == nil && !call.flag("keepdims", default: true)
    var start = 0
    return [
      .sequence(
        lengths.map { length in
          defer { start += length }
          let part = Movements.part(x, axis: axis, from: start, count: length)
          guard drops else { return .tensor(part) }
          return .tensor(part.reshaped(Shape(x.shape.dimensions[..<axis] + x.shape.dimensions[(axis + 1)...])))
        })
    ]
  }

  /// The tensors of a sequence along an axis that they have, or with `new_axis` along one of their own.
  private static func concatenate(_ call: Call) throws -> Operand {
    let operands = try sequence(call, 0).map { value in
      guard case .tensor(let operand) = value else { throw call.failure("a sequence of tensors") }
      return operand
    }
    guard let first = operands.first, let given = try call.int("axis") else {
      throw call.failure("a sequence that is not empty, and the attribute axis")
    }
    guard try call.flag("new_axis") else {
      return try Movements.joined(call, operands, axis: call.axis(given, rank: first.rank))
    }
    let axis = try call.axis(given, rank: first.rank + 1)
    let units = try operands.map { operand in
      guard operand.shape == first.shape else { throw call.failure("tensors of one shape") }
      return operand.reshaped(Shape(first.shape.dimensions[..<axis] + [1] + first.shape.dimensions[axis...]))
    }
    return try Movements.joined(call, units, axis: axis)
  }
}
