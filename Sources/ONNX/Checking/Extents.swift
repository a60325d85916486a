// Arithmetic on extents of which some are only names or nothing at all. What leaves Int64 is unknown, never a trap.

import Tensors

extension Dimension.Extent {
  var fixedValue: Int64? { if case .fixed(let value) = self { value } else { nil } }

  static func + (a: Self, b: Self) -> Self {
    if b == .fixed(0) { return a }
    if a == .fixed(0) { return b }
    return combine(a, b) { $0.addingReportingOverflow($1) }
  }

  static func - (a: Self, b: Self) -> Self {
    if b == .fixed(0) { return a }
    return combine(a, b) { $0.subtractingReportingOverflow($1) }
  }

  static func * (a: Self, b: Self) -> Self {
    if b == .fixed(1) { return a }
    if a == .fixed(1) { return b }
    if a == .fixed(0) || b == .fixed(0) { return .fixed(0) }
    return combine(a, b) { $0.multipliedReportingOverflow(by: $1) }
  }

  /// Rounded down; unknown for a divisor that is not positive.
  static func / (a: Self, b: Self) -> Self {
    if b == .fixed(1) { return a }
    guard let divisor = b.fixedValue, divisor > 0 else { return .unknown }
    return combine(a, b) { dividend, divisor in
      let quotient = dividend / divisor
      return (dividend % divisor < 0 ? quotient - 1 : quotient, false)
    }
  }

  private static func combine(
    _ a: Self, _ b: Self, _ operation: (Int64, Int64) -> (partialValue: Int64, overflow: Bool)
  ) -> Self {
    guard case .fixed(let left) = a, case .fixed(let right) = b else { return .unknown }
    let (result, overflow) = operation(left, right)
    return overflow ? .unknown : .fixed(result)
  }

  /// What is known where both describe one axis, or nil where they contradict each other.
  func merged(with other: Self) -> Self? {
    switch (self, other) {
    case (.fixed(let a), .fixed(let b)): a == b ? self : nil
    case (.fixed, _): self
    case (_, .fixed): other
    case (.named, _): self
    default: other
    }
  }

  /// What two axes broadcast to by ONNX's rule, or nil where they do not fit.
  func broadcast(with other: Self) -> Self? {
    switch (self, other) {
    case (.fixed(1), _): other
    case (_, .fixed(1)): self
    case (.fixed(let a), .fixed(let b)): a == b ? self : nil
    case (.fixed, _): self
    case (_, .fixed): other
    case (.named(let a), .named(let b)) where a == b: self
    default: .unknown
    }
  }

  var text: String {
    switch self {
    case .fixed(let value): "\(value)"
    case .named(let name): name.isEmpty ? "?" : name
    case .unknown: "?"
    }
  }
}

typealias Extents = [Dimension.Extent]

extension Extents {
  /// The product of all extents.
  var product: Dimension.Extent { reduce(.fixed(1), *) }

  /// What two shapes broadcast to, or nil where they do not fit.
  func broadcast(with other: Extents) -> Extents? {
    let rank = Swift.max(count, other.count)
    var result: Extents = []
    for axis in 0..<rank {
      let mine = axis - (rank - count)
      let theirs = axis - (rank - other.count)
      guard
        let extent = (mine < 0 ? .fixed(1) : self[mine]).broadcast(with: theirs < 0 ? .fixed(1) : other[theirs])
      else { return nil }
      result.append(extent)
    }
    return result
  }

  var text: String { "[" + map(\.text).joined(separator: ", ") + "]" }
}

extension TensorType {
  /// The shape without denotations; an extent below zero, which some exporters write for a free axis, is unknown.
  var extents: Extents? {
    shape?.map { dimension in
      if case .fixed(let extent) = dimension.extent, extent < 0 { .unknown } else { dimension.extent }
    }
  }

  init(_ elementType: ElementType, extents: Extents?) {
    self.init(elementType, extents.map { $0.map { Dimension($0) } })
  }
}
