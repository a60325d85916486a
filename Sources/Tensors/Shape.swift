// The extent of a tensor along each axis, and the broadcasting of two of them.

/// The extents of a tensor, outermost axis first. A scalar has no axis.
public struct Shape: Sendable, Hashable, ExpressibleByArrayLiteral, RandomAccessCollection, CustomStringConvertible {
  public let dimensions: [Int]

  public init(_ dimensions: some Sequence<Int>) { self.dimensions = Array(dimensions) }
  public init(arrayLiteral elements: Int...) { dimensions = elements }

  /// The shape of one number: no axes.
  public static let scalar = Shape([])

  public var startIndex: Int { 0 }
  public var endIndex: Int { dimensions.count }
  public subscript(axis: Int) -> Int { dimensions[axis] }

  /// The number of axes.
  public var rank: Int { dimensions.count }

  /// The number of elements: the product of the extents, 1 for a scalar.
  public var elementCount: Int { dimensions.reduce(1, *) }

  /// The number of elements, or nil where an extent is negative or the product leaves `Int`.
  /// For shapes that come from a file.
  public var checkedElementCount: Int? {
    var product = 1
    for extent in dimensions {
      guard extent >= 0 else { return nil }
      let (next, overflow) = product.multipliedReportingOverflow(by: extent)
      guard !overflow else { return nil }
      product = next
    }
    return product
  }

  /// Elements between neighbours along each axis of a contiguous row-major tensor.
  public var strides: [Int] {
    var strides = [Int](repeating: 1, count: rank)
    for axis in stride(from: rank - 2, through: 0, by: -1) { strides[axis] = strides[axis + 1] * dimensions[axis + 1] }
    return strides
  }

  /// The shape that this one and `other` broadcast to by ONNX's multidirectional rule
  /// (aligned at the last axis, an extent of 1 stretches), or nil where they do not fit.
  public func broadcast(with other: Shape) -> Shape? {
    let rank = Swift.max(rank, other.rank)
    var result = [Int](repeating: 1, count: rank)
    for back in 1..<(rank + 1) {
      let mine = back <= self.rank ? self[self.rank - back] : 1
      let theirs = back <= other.rank ? other[other.rank - back] : 1
      guard mine == theirs || mine == 1 || theirs == 1 else { return nil }
      result[rank - back] = mine == 1 ? theirs : mine
    }
    return Shape(result)
  }

  /// Strides that read a tensor of this shape as if it had been broadcast to `target`: 0 along stretched axes.
  /// - Precondition: this shape broadcasts to `target`.
  public func broadcastStrides(to target: Shape) -> [Int] {
    let own = strides
    var result = [Int](repeating: 0, count: target.rank)
    for axis in 0..<rank where self[axis] != 1 { result[target.rank - rank + axis] = own[axis] }
    return result
  }

  public var description: String { "[" + dimensions.map(String.init).joined(separator: ", ") + "]" }
}
