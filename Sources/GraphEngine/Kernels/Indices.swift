// Indices that come at run time: read from either integer type, counted from the end where negative, and checked.

import Tensors

/// The indices of an input, each resolved into `0..<extent`.
///
/// A kernel cannot throw, so an index outside its range is recorded as the run's fault and taken as 0.
struct Indices {
  private let wide: UnsafeMutablePointer<Int64>?
  private let narrow: UnsafeMutablePointer<Int32>?
  private let faults: Faults
  private let node: String
  private let position: Int
  let count: Int

  /// - Parameter position: the input that holds them; `Inference.requireIndices` has checked its type.
  init(_ binding: Binding, _ position: Int) {
    let buffer = binding.input(position)
    wide = buffer.spec.elementType == .int64 ? buffer.elements() : nil
    narrow = buffer.spec.elementType == .int64 ? nil : buffer.elements()
    count = buffer.count
    faults = binding.faults
    node = binding.node.described(binding.inference.inputs)
    self.position = position
  }

  /// The index at a place as it was given.
  @inline(__always)
  func given(_ place: Int) -> Int { wide.map { Int($0[place]) } ?? Int(narrow.unsafelyUnwrapped[place]) }

  /// The index at a place, counted from the front; nil where it is outside `-extent..<extent`.
  @inline(__always)
  func checked(_ place: Int, extent: Int) -> Int? {
    let given = given(place)
    let index = given < 0 ? given &+ extent : given
    if index >= 0, index < extent { return index }
    record(given, place, extent)
    return nil
  }

  /// The index at a place, or 0 where it is outside its range.
  /// - Precondition: `extent` is not 0.
  @inline(__always)
  func resolved(_ place: Int, extent: Int) -> Int { checked(place, extent: extent) ?? 0 }

  @inline(never)
  private func record(_ given: Int, _ place: Int, _ extent: Int) {
    faults.record(
      .invalidNode(
        node: node, problem: "index \(given) at place \(place) of input \(position) is outside an extent of \(extent)"))
  }
}

extension Inference {
  /// Requires that an input holds indices.
  func requireIndices(_ index: Int) throws { try require(index, .int64, .int32) }
}

/// Calls `body` for each place of a shape in order with an offset by given strides.
@inline(__always)
func forEachOffset(_ shape: [Int], strides: [Int], _ body: (_ place: Int, _ offset: Int) -> Void) {
  let last = shape.count - 1
  guard last >= 0 else { return body(0, 0) }
  let (columns, step) = (shape[last], strides[last])
  let rows = shape.dropLast().reduce(columns == 0 ? 0 : 1, *)
  for row in 0..<rows {
    var (rest, offset) = (row, 0)
    for axis in stride(from: last - 1, through: 0, by: -1) {
      let (outer, index) = rest.quotientAndRemainder(dividingBy: shape[axis])
      offset += index * strides[axis]
      rest = outer
    }
    for column in 0..<columns { body(row * columns + column, offset + column * step) }
  }
}
