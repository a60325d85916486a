// Ranked places where scores are equal but for rounding: either order is right.

import Tensors

/// Outputs that hold places in the order of other outputs' scores: `["items": "scores"]` for a graph that ends in `TopK`.
///
/// Two runtimes round differently, so items with scores that are equal, or nearly so, may change places between them. Where
/// that explains a difference it is none: the score next to it, one place up or down, is within the tolerance; and in the
/// last place any item may stand that the scores allow. The scores themselves are compared as ever.
typealias Rankings = [String: String]

extension [String: Tensor] {
  /// The outputs with the places of `expected` wherever rounding explains that they differ.
  func settled(as expected: [String: Tensor], rankings: Rankings, tolerance: Tolerance) -> [String: Tensor] {
    var settled = self
    for (name, scoreName) in rankings {
      guard let found = self[name], let wanted = expected[name], let scores = expected[scoreName],
        found.elementType == .int64, wanted.elementType == .int64, found.shape == wanted.shape,
        scores.shape == wanted.shape, scores.elementType.isFloatingPoint, let last = wanted.shape.dimensions.last
      else { continue }
      var places: [Int64] = found.elements()
      let right: [Int64] = wanted.elements()
      let values = scores.doubles()
      for position in places.indices where places[position] != right[position] {
        let column = position % last
        let isTied =
          column + 1 == last || tolerance.accepts(values[position + 1], values[position])
          || (column > 0 && tolerance.accepts(values[position - 1], values[position]))
        if isTied { places[position] = right[position] }
      }
      settled[name] = Tensor(places, shape: found.shape)
    }
    return settled
  }
}
