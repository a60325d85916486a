// Shapes that come from a file: whether every product that others will take of the extents stays in `Int`.

import Tensors

extension Shape {
  /// The number of elements; nil where an extent is negative or a product of any of the extents leaves `Int`, an extent
  /// of 0 beside it or not (strides are such products).
  var safeElementCount: Int? {
    guard Shape(map { $0 == 0 ? 1 : $0 }).checkedElementCount != nil else { return nil }
    return checkedElementCount
  }
}
