// From a line to a pair: the items are cut out first, and parsed only when they are new.

import CSimdJSON

/// A pair whose items are places in a pool.
struct DecodedPair {
  var itemA: Int
  var itemB: Int
  var label: PreferenceLabel
  var reasonTags: [String]
  var similarity: Double?
  var createdAt: Timestamp?
  var line: Int
}

final class PairDecoder: RecordDecoder {
  private(set) var pool = ItemPool()
  private(set) var pairs: [DecodedPair] = []
  private let parser: JSONParser
  private let maximumLength: Int
  private let allowsReferences: Bool

  init(options: ReadOptions) {
    parser = JSONParser(maximumLength: options.maximumLineLength)
    maximumLength = options.maximumLineLength
    allowsReferences = options.allowsReferences
  }

  func decode(_ record: UnsafeRawBufferPointer, line: Int) throws(RecordProblem) {
    // The line is its frame (label, tags) with two items in it. Items are cut out, each a whole JSON object by itself,
    // and the frame with a number in their places is parsed as a whole: if all three are JSON, so is the line.
    var walker = FrameWalker(text: record)
    var cuts: [Range<Int>] = []
    var indexA: Int?
    var indexB: Int?
    while let (isA, start) = walker.nextItem() {
      let rest = UnsafeRawBufferPointer(rebasing: record[start...])
      let index: Int
      let length: Int
      if let known = pool.known(at: rest) {
        (index, length) = known
      } else {
        length = csimdjson_bracketed_length(rest.baseAddress, rest.count)
        if length == 0 { break }
        let text = UnsafeRawBufferPointer(rebasing: rest[..<length])
        index = pool.insert(try item(text, name: isA ? "item_a" : "item_b"))
        pool.remember(text, as: index)
      }
      cuts.append(start..<start + length)
      walker.position = start + length
      if isA { indexA = index } else { indexB = index }
    }
    try decodeFrame(record, cuts: cuts, indexA: indexA, indexB: indexB, line: line)
  }

  private func decodeFrame(
    _ record: UnsafeRawBufferPointer, cuts: [Range<Int>], indexA: Int?, indexB: Int?, line: Int
  ) throws(RecordProblem) {
    let frame = try parse(record, without: cuts)
    guard frame.kind == .object else {
      throw RecordProblem(message: "a pair must be an object, found \(frame.kindName)")
    }
    var seen = SeenKeys()
    var indexA = indexA
    var indexB = indexB
    var label: PreferenceLabel?
    var pair = DecodedPair(itemA: 0, itemB: 0, label: .equal, reasonTags: [], line: line)
    for (key, field) in frame.fields {
      switch key {
      case "item_a":
        try seen.add(0, key)
        if indexA == nil { indexA = try uncutItem(field, name: "item_a") }
      case "item_b":
        try seen.add(1, key)
        if indexB == nil { indexB = try uncutItem(field, name: "item_b") }
      case "label":
        try seen.add(2, key)
        label = try PreferenceLabel(json: field)
      case "reason_tags":
        try seen.add(3, key)
        pair.reasonTags = try field.optionalTags()
      case "similarity":
        try seen.add(4, key)
        if field.kind != .null { pair.similarity = try field.finiteNumber("similarity") }
      case "created_at":
        try seen.add(5, key)
        pair.createdAt = try field.optionalTimestamp(key)
      default: break
      }
    }
    guard let indexA else { throw RecordProblem(message: "\"item_a\" is missing") }
    guard let indexB else { throw RecordProblem(message: "\"item_b\" is missing") }
    guard let label else { throw RecordProblem(message: "\"label\" is missing") }
    let (a, b) = (pool.items[indexA], pool.items[indexB])
    guard a.id != b.id else { throw RecordProblem(message: "\"\(a.id.shortened)\" is compared with itself") }
    (pair.itemA, pair.itemB, pair.label) = (indexA, indexB, label)
    pairs.append(pair)
  }

  /// An item that the walker did not cut out: an id, or an object behind a key written with escapes.
  private func uncutItem(_ field: JSONValue, name: String) throws(RecordProblem) -> Int {
    if let id = field.string {
      guard allowsReferences else {
        throw RecordProblem(
          message: "\"\(name)\" is only an id, \"\(id.shortened)\"; whole items are expected here "
            + "(ranker pairs import takes ids, and ranker export writes whole items)")
      }
      guard !id.isEmpty else { throw RecordProblem(message: "\"\(name)\" is an empty string") }
      return pool.insertReference(id)
    }
    guard field.kind == .object else {
      throw RecordProblem(message: "\"\(name)\" must be an object, found \(field.kindName)")
    }
    return pool.insert(try Self.named(name) { () throws(RecordProblem) in try Item(json: field) })
  }

  private func item(_ text: UnsafeRawBufferPointer, name: String) throws(RecordProblem) -> Item {
    try Self.named(name) { () throws(RecordProblem) in try Item(json: try parse(text, without: [])) }
  }

  private func parse(
    _ text: UnsafeRawBufferPointer, without cuts: [Range<Int>]
  ) throws(RecordProblem) -> JSONValue {
    do throws(JSONFailure) { return try parser.parse(text, without: cuts) } catch {
      throw error.problem(in: text, maximumLength: maximumLength)
    }
  }

  /// Puts the item's name before what is wrong with it.
  private static func named<Value>(
    _ name: String, _ body: () throws(RecordProblem) -> Value
  ) throws(RecordProblem) -> Value {
    do throws(RecordProblem) { return try body() } catch {
      throw RecordProblem(message: "\(name): \(error.message)", isFatal: error.isFatal)
    }
  }
}

/// Walks over the fields of the object that a text begins with, only as far as needed to find where the items stand.
/// It proves nothing: at anything unexpected it stops, and the parser has the word.
private struct FrameWalker {
  let text: UnsafeRawBufferPointer
  var position = 0
  private var isInside = false

  init(text: UnsafeRawBufferPointer) { self.text = text }

  /// The next object behind the key `item_a` or `item_b`, and where it starts. The caller moves `position` behind it.
  mutating func nextItem() -> (isA: Bool, start: Int)? {
    while let separator = nextByte(), separator == (isInside ? UInt8(ascii: ",") : UInt8(ascii: "{")) {
      isInside = true
      position += 1
      guard nextByte() == UInt8(ascii: "\"") else { return nil }
      let keyStart = position + 1
      guard skipString() else { return nil }
      let key = JSONKey(bytes: UnsafeRawBufferPointer(rebasing: text[keyStart..<position - 1]))
      guard nextByte() == UInt8(ascii: ":") else { return nil }
      position += 1
      guard let first = nextByte() else { return nil }
      if first == UInt8(ascii: "{") {
        switch key {
        case "item_a": return (true, position)
        case "item_b": return (false, position)
        default: break
        }
      }
      guard skipValue(first) else { return nil }
    }
    return nil
  }

  private mutating func nextByte() -> UInt8? {
    while position < text.count {
      let byte = text[position]
      if !byte.isJSONWhitespace { return byte }
      position += 1
    }
    return nil
  }

  private mutating func skipString() -> Bool {
    position += 1
    while position < text.count {
      switch text[position] {
      case UInt8(ascii: "\""):
        position += 1
        return true
      case UInt8(ascii: "\\"): position += 2
      default: position += 1
      }
    }
    return false
  }

  private mutating func skipValue(_ first: UInt8) -> Bool {
    switch first {
    case UInt8(ascii: "\""): return skipString()
    case UInt8(ascii: "{"), UInt8(ascii: "["):
      let length = csimdjson_bracketed_length(text.baseAddress! + position, text.count - position)
      position += length
      return length > 0
    default:
      while position < text.count, text[position] != UInt8(ascii: ","), text[position] != UInt8(ascii: "}") {
        position += 1
      }
      return true
    }
  }
}

extension PreferenceLabel {
  init(json value: JSONValue) throws(RecordProblem) {
    guard let number = value.double else {
      throw RecordProblem(message: "\"label\" must be 1, 0 or -1, found \(value.kindName)")
    }
    guard let label = Int(exactly: number).flatMap(PreferenceLabel.init(rawValue:)) else {
      let found = Int(exactly: number).map(String.init) ?? "\(number)"
      throw RecordProblem(
        message: "\"label\" is \(found); it must be 1 (A preferred), 0 (equal) or -1 (B preferred)")
    }
    self = label
  }
}

extension JSONValue {
  fileprivate func optionalTags() throws(RecordProblem) -> [String] {
    if kind == .null { return [] }
    guard kind == .array else { throw RecordProblem(message: "\"reason_tags\" must be an array, found \(kindName)") }
    var tags: [String] = []
    for element in elements {
      guard let tag = element.string else {
        throw RecordProblem(message: "\"reason_tags[\(tags.count)]\" must be a string, found \(element.kindName)")
      }
      tags.append(tag)
    }
    return tags
  }
}
