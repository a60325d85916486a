// Walking over the elements of tensors: flat positions under any strides, and the lanes along an axis.

import Tensors

/// The flat positions that strides give to the indices of a shape, in row-major order of those indices:
/// `start + Σ index[axis] · strides[axis]`.
func positions(in shape: Shape, strides: [Int], start: Int = 0) -> [Int] {
  guard shape.elementCount > 0 else { return [] }
  var result = [start]
  for axis in 0..<shape.rank {
    var next: [Int] = []
    next.reserveCapacity(result.count * shape[axis])
    for base in result {
      for index in 0..<shape[axis] { next.append(base + index * strides[axis]) }
    }
    result = next
  }
  return result
}

/// Calls `body` with every index of a shape in row-major order.
func forEachIndex(of shape: Shape, _ body: ([Int]) throws -> Void) rethrows {
  guard shape.elementCount > 0 else { return }
  var index = [Int](repeating: 0, count: shape.rank)
  while true {
    try body(index)
    var axis = shape.rank - 1
    while axis >= 0 {
      index[axis] += 1
      if index[axis] < shape[axis] { break }
      index[axis] = 0
      axis -= 1
    }
    if axis < 0 { return }
  }
}

/// The elements of a tensor that differ in their index along one axis only.
struct Lane {
  let start: Int
  let stride: Int
  let count: Int

  func position(_ index: Int) -> Int { start + index * stride }

  /// Every position of the lane.
  var positions: [Int] { (0..<count).map { start + $0 * stride } }
}

/// The lanes of a shape along an axis, in row-major order of the other axes.
func lanes(of shape: Shape, axis: Int) -> [Lane] {
  let inner = shape.dimensions[(axis + 1)...].reduce(1, *)
  let outer = shape.dimensions[..<axis].reduce(1, *)
  var result: [Lane] = []
  result.reserveCapacity(outer * inner)
  for before in 0..<outer {
    for after in 0..<inner {
      result.append(Lane(start: before * shape[axis] * inner + after, stride: inner, count: shape[axis]))
    }
  }
  return result
}

extension Shape {
  /// Whether no extent is negative and the extents that are not 0 multiply to what one value may have.
  /// A shape without elements must pass too: a reduction of `[0, 2^40]` would have elements.
  var isManageable: Bool {
    guard let count = Shape(dimensions.map { $0 == 0 ? 1 : $0 }).checkedElementCount else { return false }
    return count <= Call.maximumElements
  }

  /// This shape with one extent replaced.
  func replacing(axis: Int, with extent: Int) -> Shape {
    var extents = dimensions
    extents[axis] = extent
    return Shape(extents)
  }
}
