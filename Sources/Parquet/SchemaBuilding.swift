// From the schema's elements, which are a tree in depth-first order, to columns.

/// A leaf of the schema: a column, or why it can't be read.
struct SchemaLeaf: Sendable {
  let name: String
  let field: ParquetField?
  let reason: Fault?
}

struct SchemaTree {
  private(set) var leaves: [SchemaLeaf] = []

  /// Groups inside groups. Deeper ones are not data but an attack.
  private static let deepest = 64

  /// A group whose children are being read.
  private struct Group {
    var remaining: Int
    var names: [String]
    var definition: UInt8
    var repetition: UInt8
    /// The definition level of an element of the innermost list.
    var repeatedDefinition: UInt8
    /// Set where the group is a level of what a list is made of.
    var list: ListPart?
    var isListOptional: Bool
  }

  /// How far the walk is inside `optional group NAME (LIST) { repeated group list { element } }`.
  private enum ListPart { case outer, inner }

  init(_ elements: [SchemaElement]) throws {
    guard let root = elements.first else { throw Self.malformed(found: "no elements", expected: "a root") }
    var stack = [
      Group(
        remaining: try Self.childCount(root), names: [], definition: 0, repetition: 0, repeatedDefinition: 0,
        isListOptional: false)
    ]
    for element in elements.dropFirst() {
      while let last = stack.last, last.remaining == 0 { stack.removeLast() }
      guard let parent = stack.last else {
        throw Self.malformed(found: "elements after the last child of the root", expected: "none")
      }
      stack[stack.count - 1].remaining -= 1
      try add(element, in: parent, to: &stack)
    }
    guard stack.allSatisfy({ $0.remaining == 0 }) else {
      throw Self.malformed(found: "fewer elements than the groups have children", expected: "all of them")
    }
  }

  private mutating func add(_ element: SchemaElement, in parent: Group, to stack: inout [Group]) throws {
    guard let code = element.repetition, let repetition = Repetition(rawValue: code) else {
      throw Self.malformed(
        found: "\(element.name) with repetition \(element.repetition.map(String.init) ?? "missing")",
        expected: "0, 1 or 2")
    }
    var group = parent
    group.list = nil
    switch repetition {
    case .required: break
    case .optional: group.definition += 1
    case .repeated:
      group.definition += 1
      group.repetition += 1
      group.repeatedDefinition = group.definition
      group.isListOptional = parent.definition > 0
    }
    // Of a list the two inner levels are only its making: their names say nothing.
    switch parent.list {
    case .outer where repetition == .repeated: group.list = .inner
    case .inner: break
    default: group.names.append(element.name)
    }
    if element.type != nil {
      try addLeaf(element, group, isOptional: group.definition > group.repeatedDefinition)
      return
    }
    group.remaining = try Self.childCount(element)
    guard stack.count < Self.deepest else {
      throw Self.malformed(found: "more than \(Self.deepest) levels of groups", expected: "fewer")
    }
    if group.list == .inner, group.remaining != 1 {
      // The repeated group is itself the element, of several fields.
      group.list = nil
    } else if group.list == nil, element.annotation == .list, repetition != .repeated, group.remaining == 1 {
      group.list = .outer
    } else if parent.list == .inner {
      group.names.append(element.name)
    }
    stack.append(group)
  }

  private mutating func addLeaf(_ element: SchemaElement, _ group: Group, isOptional: Bool) throws {
    let name = group.names.joined(separator: ".")
    guard let code = element.type, let physical = ParquetPhysicalType(rawValue: code) else {
      throw Self.malformed(found: "\(name) of physical type \(element.type ?? -1)", expected: "0 to 7")
    }
    let typeLength = Int(element.typeLength ?? 0)
    if physical == .fixedLengthByteArray, typeLength <= 0 {
      throw Self.malformed(found: "\(name) of \(typeLength) bytes a value", expected: "1 or more")
    }
    guard group.repetition <= 1 else {
      leaves.append(
        SchemaLeaf(
          name: name, field: nil,
          reason: .unsupported(
            "schema", found: "a list inside a list",
            advice: "flatten the column to one level of lists where the file is written, or leave it out")))
      return
    }
    let field = ParquetField(
      name: name, type: ParquetType(element, physical, typeLength), physicalType: physical, isOptional: isOptional,
      isList: group.repetition == 1, isListOptional: group.repetition == 1 && group.isListOptional,
      typeLength: typeLength, maximumDefinition: group.definition, repeatedDefinition: group.repeatedDefinition,
      maximumRepetition: group.repetition)
    leaves.append(SchemaLeaf(name: name, field: field, reason: nil))
  }

  private static func childCount(_ element: SchemaElement) throws -> Int {
    guard let count = element.childCount, count >= 0 else {
      throw malformed(
        found: "\(element.name) with neither a type nor a number of children", expected: "one of the two")
    }
    return Int(count)
  }

  private static func malformed(found: String, expected: String) -> Fault {
    .malformed("schema", found: found, expected: expected)
  }
}

extension ParquetType {
  /// An annotation that doesn't fit the physical type is left aside, as the format asks.
  init(_ element: SchemaElement, _ physical: ParquetPhysicalType, _ length: Int) {
    switch (physical, element.annotation) {
    case (.boolean, _): self = .boolean
    case (.int32, .integer(let bits, let isSigned)) where [8, 16, 32].contains(bits):
      self = .integer(bits: Int(bits), isSigned: isSigned)
    case (.int64, .integer(64, let isSigned)): self = .integer(bits: 64, isSigned: isSigned)
    case (.int32, .date): self = .date
    case (.int32, .time(.milliseconds)): self = .time(.milliseconds)
    case (.int64, .time(let unit)) where unit != .milliseconds: self = .time(unit)
    case (.int64, .timestamp(let unit, let isUTC)): self = .timestamp(unit, isUTC: isUTC)
    case (.int32, .decimal(let precision, let scale)), (.int64, .decimal(let precision, let scale)),
      (.byteArray, .decimal(let precision, let scale)), (.fixedLengthByteArray, .decimal(let precision, let scale)):
      self = .decimal(precision: Int(precision), scale: Int(scale))
    case (.int32, _): self = .integer(bits: 32, isSigned: true)
    case (.int64, _): self = .integer(bits: 64, isSigned: true)
    case (.int96, _): self = .timestamp(.nanoseconds, isUTC: false)
    case (.float, _): self = .float
    case (.double, _): self = .double
    case (.byteArray, .string), (.byteArray, .json), (.byteArray, .enumeration): self = .string
    case (.byteArray, _): self = .bytes
    case (.fixedLengthByteArray, .float16) where length == 2: self = .float16
    case (.fixedLengthByteArray, _): self = .fixedBytes(length)
    }
  }
}
