// Einsum: sums of products over named axes.

import Tensors

enum Einsum {
  /// One term of the equation: a label for each axis. Ellipsis axes get labels of their own, counted from the back.
  private enum Label: Hashable, Comparable {
    case ellipsis(Int)
    case letter(UInt8)
  }

  /// `Σ Π operands` over the labels that the result does not have.
  static func evaluate(_ call: Call) throws -> Operand {
    let operands = try call.operands()
    try call.requireSameType(operands)
    let equation = try call.string("equation", default: "").utf8.filter { $0 != UInt8(ascii: " ") }
    let text = String(decoding: equation, as: UTF8.self)
    let sides = text.split(separator: "->", omittingEmptySubsequences: false).map(String.init)
    let terms = sides.isEmpty ? [] : sides[0].split(separator: ",", omittingEmptySubsequences: false).map(String.init)
    guard sides.count <= 2, terms.count == operands.count else {
      throw call.failure("an equation with one term an input, not \"\(text)\"")
    }
    let labels = try zip(terms, operands).map { try self.labels(call, $0, rank: $1.rank) }
    var extents: [Label: Int] = [:]
    for (term, operand) in zip(labels, operands) {
      for (label, extent) in zip(term, operand.shape) {
        let known = extents[label] ?? 1
        guard known == extent || known == 1 || extent == 1 else {
          throw call.failure("equal extents along each label of \"\(text)\"")
        }
        extents[label] = known == 1 ? extent : known
      }
    }
    let kept = try resultLabels(call, sides, labels, extents)
    let summed = extents.keys.filter { !kept.contains($0) }.sorted()
    let shape = try call.checked(kept.map { extents[$0] ?? 1 })
    let sumShape = try call.checked(summed.map { extents[$0] ?? 1 })

    // Each operand's flat position is that of the kept labels plus that of the summed ones.
    let outer = zip(labels, operands).map { positions(in: shape, strides: strides($0, $1.shape, over: kept)) }
    let inner = zip(labels, operands).map { positions(in: sumShape, strides: strides($0, $1.shape, over: summed)) }
    let sumCount = sumShape.elementCount
    if operands[0].elementType.isFloatingPoint {
      let values = try operands.map { try call.floats($0) }
      let result = (0..<shape.elementCount).map { target in
        var sum = 0.0
        for term in 0..<sumCount {
          var product = 1.0
          for index in values.indices { product *= values[index][outer[index][target] + inner[index][term]] }
          sum += product
        }
        return sum
      }
      return Operand(result, shape, operands[0].elementType)
    }
    let values = try operands.map { try call.integers($0) }
    let type = operands[0].elementType
    let result = (0..<shape.elementCount).map { target -> Int128 in
      var sum: Int128 = 0
      for term in 0..<sumCount {
        var product: Int128 = 1
        for index in values.indices { product = product &* values[index][outer[index][target] + inner[index][term]] }
        sum = sum &+ product
      }
      return type.wrap(sum)
    }
    return Operand(integers: result, shape, type)
  }

  private static func labels(_ call: Call, _ term: String, rank: Int) throws -> [Label] {
    let parts = term.split(separator: "...", omittingEmptySubsequences: false).map { Array($0.utf8) }
    let letters = parts.flatMap { $0 }
    guard parts.count <= 2, letters.allSatisfy({ ($0 | 32) >= UInt8(ascii: "a") && ($0 | 32) <= UInt8(ascii: "z") })
    else { throw call.failure("letters and at most one ellipsis in the term \"\(term)\"") }
    let spare = rank - letters.count
    guard parts.count == 2 ? spare >= 0 : spare == 0 else {
      throw call.failure("as many labels in \"\(term)\" as its input has axes (\(rank))")
    }
    let first: [Label] = (parts.first ?? []).map { .letter($0) }
    guard parts.count == 2 else { return first }
    // Counted from the back, so that ellipses of different ranks align at their last axis.
    let middle: [Label] = (0..<spare).map { .ellipsis($0 - spare) }
    return first + middle + parts[1].map { .letter($0) }
  }

  /// The labels of the result: as the equation says, or the ellipsis and then every letter that occurs once, sorted.
  private static func resultLabels(
    _ call: Call, _ sides: [String], _ labels: [[Label]], _ extents: [Label: Int]
  ) throws -> [Label] {
    let ellipsis = extents.keys.filter { if case .ellipsis = $0 { true } else { false } }.sorted()
    if sides.count == 2 {
      let letters = sides[1].utf8.filter { $0 != UInt8(ascii: ".") }.count
      let rank = letters + (sides[1].contains("...") ? ellipsis.count : 0)
      let kept = try self.labels(call, sides[1], rank: rank)
      guard Set(kept).count == kept.count, kept.allSatisfy({ extents[$0] != nil }) else {
        throw call.failure("a result with labels of the terms, each once, not \"\(sides[1])\"")
      }
      return kept
    }
    var counts: [Label: Int] = [:]
    for label in labels.joined() { counts[label, default: 0] += 1 }
    let single = counts.filter { label, count in
      if case .letter = label { count == 1 } else { false }
    }
    return ellipsis + single.keys.sorted()
  }

  /// How far an operand's flat position moves along each wanted label; a label that repeats adds up (a diagonal).
  private static func strides(_ labels: [Label], _ shape: Shape, over wanted: [Label]) -> [Int] {
    let own = shape.strides
    return wanted.map { label in
      labels.indices.reduce(0) { labels[$1] == label && shape[$1] != 1 ? $0 + own[$1] : $0 }
    }
  }
}
