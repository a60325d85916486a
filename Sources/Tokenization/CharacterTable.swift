// What becomes of every character, looked up in two steps.

import Synchronization

/// What a character does to the word that is being put together.
enum CharacterKind: UInt8 {
  /// Nothing is left of it.
  case removed
  /// Nothing is left of it, but marks do not change places across it.
  case removedStarter
  case space
  /// A word of its own.
  case single
  /// Goes on with the word.
  case letter
  /// Goes on with the word; stands in the order of combining classes among its neighbours of this kind.
  case mark
  /// Becomes other characters.
  case expanded
}

/// What becomes of the characters of a text under a normalization.
///
/// A scalar's upper bits lead to a block of 128 entries; equal blocks are kept once. An entry holds a kind (bits 0–3);
/// for a mark its combining class (bits 8–); for an expansion its length (bits 4–7) and place (bits 8–).
final class CharacterTable: Sendable {
  /// A character of an expansion.
  struct Part: Equatable {
    var kind: CharacterKind
    var combiningClass: UInt8 = 0
    /// How many bytes of `utf8` are the character's.
    var count: UInt8 = 0
    var utf8: (UInt8, UInt8, UInt8, UInt8) = (0, 0, 0, 0)

    init(_ kind: CharacterKind) { self.kind = kind }

    init(_ kind: CharacterKind, _ scalar: Unicode.Scalar, combiningClass: UInt8 = 0) {
      self.kind = kind
      self.combiningClass = combiningClass
      withUnsafeMutableBytes(of: &utf8) { bytes in
        for (index, byte) in UTF8.encode(scalar)!.enumerated() { bytes[index] = byte }
      }
      count = UInt8(UTF8.width(scalar))
    }

    static func == (a: Part, b: Part) -> Bool {
      a.kind == b.kind && a.combiningClass == b.combiningClass && a.count == b.count && a.utf8 == b.utf8
    }
  }

  private nonisolated(unsafe) let blocks: UnsafeMutablePointer<UInt16>
  private nonisolated(unsafe) let entries: UnsafeMutablePointer<UInt32>
  private nonisolated(unsafe) let parts: UnsafeMutablePointer<Part>

  private static let tables = Mutex<[Normalization: CharacterTable]>([:])

  /// The table of a normalization, made when it is first asked for (some 20 ms) and kept.
  static func shared(_ normalization: Normalization) -> CharacterTable {
    tables.withLock { tables in
      if let table = tables[normalization] { return table }
      let table = CharacterTable(normalization)
      tables[normalization] = table
      return table
    }
  }

  /// What becomes of a scalar.
  @inline(__always)
  func entry(_ scalar: UInt32) -> UInt32 {
    entries[Int(blocks[Int(scalar >> 7)]) << 7 | Int(scalar & 127)]
  }

  @inline(__always)
  static func kind(_ entry: UInt32) -> CharacterKind { unsafeBitCast(UInt8(entry & 15), to: CharacterKind.self) }

  @inline(__always)
  func expansion(_ entry: UInt32) -> UnsafeBufferPointer<Part> {
    UnsafeBufferPointer(start: parts + Int(entry >> 8), count: Int(entry >> 4 & 15))
  }

  deinit {
    blocks.deallocate()
    entries.deallocate()
    parts.deallocate()
  }

  private init(_ normalization: Normalization) {
    var building = Building(normalization: normalization)
    var blocks: [UInt16] = []
    var entries: [UInt32] = []
    var known: [[UInt32]: UInt16] = [:]
    for block in UInt32(0)..<(0x110000 >> 7) {
      let content = building.block(block)
      if let number = known[content] {
        blocks.append(number)
      } else {
        let number = UInt16(entries.count >> 7)
        known[content] = number
        blocks.append(number)
        entries += content
      }
    }
    self.blocks = .allocate(capacity: blocks.count)
    self.blocks.initialize(from: blocks, count: blocks.count)
    self.entries = .allocate(capacity: entries.count)
    self.entries.initialize(from: entries, count: entries.count)
    parts = .allocate(capacity: max(building.parts.count, 1))
    parts.initialize(from: building.parts, count: building.parts.count)
  }
}

/// The table while it is made.
private struct Building {
  let normalization: Normalization
  private(set) var parts: [CharacterTable.Part] = []

  /// Blocks without a name in Unicode 9, and blocks of characters that are all alike, need no look at each character.
  /// Later characters are known to none of the tables but that of lower case, which the two first planes have.
  private static let uniform: [Range<UInt32>] = [
    0x3400..<0x4D80, 0x4E00..<0x9F80, 0x20000..<0x2F800, 0x2FA80..<0xE0000, 0xE0200..<0xFFF80, 0x100000..<0x10FF80,
  ]

  init(normalization: Normalization) { self.normalization = normalization }

  mutating func block(_ number: UInt32) -> [UInt32] {
    let first = number << 7
    if Self.uniform.contains(where: { $0.contains(first) }) {
      // The ideographs' blocks do not all end with a block of 128, so the one step that tells them apart is made here.
      if first < 0xE0000 {
        return (first..<first + 128).map { value in
          let isIdeograph = normalization.isolatesIdeographs && CharacterFacts.isIdeograph(Unicode.Scalar(value)!)
          return UInt32((isIdeograph ? CharacterKind.single : .letter).rawValue)
        }
      }
      if first < 0xF0000 { return [UInt32](repeating: UInt32(CharacterKind.letter.rawValue), count: 128) }
      return [UInt32](repeating: UInt32(CharacterKind.removed.rawValue), count: 128)
    }
    return (first..<first + 128).map { value in
      // Surrogates are no characters of a text.
      Unicode.Scalar(value).map { entry($0) } ?? UInt32(CharacterKind.removed.rawValue)
    }
  }

  private mutating func entry(_ scalar: Unicode.Scalar) -> UInt32 {
    let becomes = outcome(of: scalar)
    if becomes.isEmpty { return UInt32(CharacterKind.removed.rawValue) }
    if becomes.count == 1 {
      let part = becomes[0]
      let isUnchanged =
        part.count == 0
        || part
          == CharacterTable.Part(
            part.kind, scalar, combiningClass: part.combiningClass)
      if isUnchanged { return UInt32(part.kind.rawValue) | UInt32(part.combiningClass) << 8 }
    }
    let place = UInt32(parts.count)
    parts += becomes
    return UInt32(CharacterKind.expanded.rawValue) | UInt32(becomes.count) << 4 | place << 8
  }

  /// The steps of BERT's normalizer for one character: cleaning, Chinese characters, accents, lower case.
  private func outcome(of scalar: Unicode.Scalar) -> [CharacterTable.Part] {
    switch CharacterFacts.category(of: scalar) {
    case .removed: return []
    case .whiteSpace: return [.init(.space)]
    default: break
    }
    let isIsolated = normalization.isolatesIdeographs && CharacterFacts.isIdeograph(scalar)
    var parts: [CharacterTable.Part] = []
    for piece in normalization.stripsAccents ? CharacterFacts.decomposition(of: scalar) : [scalar] {
      var combiningClass: UInt8 = 0
      if normalization.stripsAccents {
        combiningClass = CharacterFacts.combiningClass(of: piece)
        if CharacterFacts.category(of: piece) == .nonspacingMark {
          if combiningClass == 0 { parts.append(.init(.removedStarter)) }
          continue
        }
      }
      for character in normalization.lowercases ? CharacterFacts.lowercase(of: piece) : [piece] {
        let isSingle = isIsolated || CharacterFacts.category(of: character) == .punctuation
        let kind: CharacterKind = isSingle ? .single : combiningClass > 0 ? .mark : .letter
        parts.append(.init(kind, character, combiningClass: kind == .mark ? combiningClass : 0))
      }
    }
    return parts
  }
}
