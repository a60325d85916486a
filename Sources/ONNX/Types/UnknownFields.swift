// What a file has beyond its meaning to this version, kept so that reading and writing loses nothing.

/// Fields that a newer version of the format has and this one does not know, in their wire form, in the file's order.
/// They are written back as they were read.
public struct UnknownFields: Sendable, Hashable {
  /// Each field's tag and payload, one after the other, as Protocol Buffers write them.
  public var bytes: [UInt8] = []

  public init() {}

  public var isEmpty: Bool { bytes.isEmpty }
}

/// String fields whose presence in the file is not what the writer would choose: written though empty, or left out
/// though it writes them always. It carries no meaning, so any two are equal: two models compare by what they say.
struct Presence: Sendable, Hashable {
  private var bits: UInt8 = 0

  enum Field: UInt8 {
    case name = 1
    case domain = 2
    case kind = 4
    case key = 8
    case value = 16
  }

  mutating func note(_ field: Field) { bits |= field.rawValue }
  func contains(_ field: Field) -> Bool { bits & field.rawValue != 0 }

  static func == (a: Presence, b: Presence) -> Bool { true }
  func hash(into hasher: inout Hasher) {}
}
