// Cuts a JSON object of arrays into the elements of those arrays, without ever holding the object.

import CSimdJSON
import Glibc

/// The elements of the arrays under some keys of a file that is one JSON object (or the elements of one array), and the
/// objects under such keys as a whole. Values under other keys are passed over.
final class DocumentCutter: RecordCutter {
  private enum State {
    case start, fields
    case array(section: Int, index: Int)
    case end, done
  }

  private let window: ByteWindow
  private let sections: [[UInt8]]
  private let names: [String]
  private let maximumLength: Int
  private var state = State.start
  private var isFirstField = true
  private var hasSeen: [Bool]
  private var breaksBefore = 0
  /// What the record handed out last takes of the window; dropped before the next one is cut.
  private var pending = 0

  /// - Parameter sections: keys; the first one also names the elements of a file that is one array.
  init(window: ByteWindow, sections: [String], maximumLength: Int) {
    self.window = window
    self.sections = sections.map { Array($0.utf8) }
    names = sections
    hasSeen = sections.map { _ in false }
    self.maximumLength = maximumLength
  }

  var lineCount: Int { breaksBefore + 1 }

  func next() throws(SystemError) -> RawRecord? {
    drop(pending)
    pending = 0
    while true {
      switch state {
      case .start:
        guard let first = try peek() else {
          state = .done
          return nil
        }
        drop(1)
        if first == UInt8(ascii: "[") {
          state = .array(section: 0, index: 0)
        } else {
          // Whoever chose this cutter saw the brace or the bracket.
          state = .fields
        }
      case .fields:
        if let record = try nextField() { return record }
      case .array(let section, let index):
        if let record = try nextElement(section: section, index: index) { return record }
      case .end:
        state = .done
        if try peek() != nil { return unreadable("text behind the end of the file's JSON value") }
      case .done:
        return nil
      }
    }
  }

  /// Goes on to the next key: hands out an object, enters an array, or passes over the value.
  private func nextField() throws(SystemError) -> RawRecord? {
    guard var byte = try peek() else { return unreadable("the object is not closed (a file cut short?)") }
    if byte == UInt8(ascii: "}") {
      drop(1)
      state = .end
      return nil
    }
    if !isFirstField {
      guard byte == UInt8(ascii: ",") else { return unreadable("a comma or the object's end was expected here") }
      drop(1)
      guard let next = try peek() else { return unreadable("the object is not closed (a file cut short?)") }
      byte = next
    }
    isFirstField = false
    guard byte == UInt8(ascii: "\""), let length = try stringLength() else {
      return unreadable("a key in quotes was expected here")
    }
    let key = Array(window.bytes[1..<length - 1])
    let section = sections.firstIndex(of: key)
    drop(length)
    guard try peek() == UInt8(ascii: ":") else { return unreadable("a colon was expected behind a key") }
    drop(1)
    guard let first = try peek() else { return unreadable("a value was expected behind a key (a file cut short?)") }
    guard let section else {
      return try skipValue() ? nil : unreadable("a value that is not closed (a file cut short?)")
    }
    guard !hasSeen[section] else { return unreadable("\"\(names[section])\" is there twice") }
    hasSeen[section] = true
    if first == UInt8(ascii: "[") {
      drop(1)
      state = .array(section: section, index: 0)
      return nil
    }
    if first == UInt8(ascii: "n") { return try skipValue() ? nil : unreadable("a value was expected here") }
    return try value(at: RecordPlace(section: section, index: nil))
  }

  private func nextElement(section: Int, index: Int) throws(SystemError) -> RawRecord? {
    guard var byte = try peek() else { return unreadable("the array is not closed (a file cut short?)") }
    if byte == UInt8(ascii: "]") {
      drop(1)
      state = isFirstField ? .end : .fields
      return nil
    }
    if index > 0 {
      guard byte == UInt8(ascii: ",") else { return unreadable("a comma or the array's end was expected here") }
      drop(1)
      guard let next = try peek() else { return unreadable("the array is not closed (a file cut short?)") }
      byte = next
      guard byte != UInt8(ascii: "]") else { return unreadable("an element was expected behind the comma") }
    }
    state = .array(section: section, index: index + 1)
    return try value(at: RecordPlace(section: section, index: index))
  }

  /// The value that the window begins with, as a record.
  private func value(at place: RecordPlace) throws(SystemError) -> RawRecord {
    let line = lineCount
    while true {
      let bytes = window.bytes
      let length: Int
      switch bytes[0] {
      case UInt8(ascii: "{"), UInt8(ascii: "["):
        length = csimdjson_bracketed_length(bytes.baseAddress, bytes.count)
      case UInt8(ascii: "\""):
        length = try stringLength() ?? 0
      default:
        // A number or a name reaches to whatever ends it; what it is, the parser says.
        length = bytes.firstIndex { $0.isJSONWhitespace || ",]}".utf8.contains($0) } ?? 0
      }
      if length > maximumLength || length == 0 && window.bytes.count > maximumLength {
        return unreadable("a value longer than \(maximumLength) bytes, or one that is not closed")
      }
      if length > 0 {
        pending = length
        return RawRecord(
          line: line, content: .text(UnsafeRawBufferPointer(rebasing: window.bytes[..<length])), place: place)
      }
      if try !window.extend() { return unreadable("the file ends inside a value (cut short?)") }
    }
  }

  /// Passes over the value that the window begins with, however long; false where the file ends in it. Looks only at
  /// brackets and strings.
  private func skipValue() throws(SystemError) -> Bool {
    var depth = 0
    while let byte = try peek() {
      switch byte {
      case UInt8(ascii: "\""):
        guard let length = try stringLength() else { return false }
        drop(length)
      case UInt8(ascii: "{"), UInt8(ascii: "["):
        depth += 1
        drop(1)
        continue
      case UInt8(ascii: "}"), UInt8(ascii: "]"):
        depth -= 1
        drop(1)
        if depth < 0 { return false }
      case UInt8(ascii: ","), UInt8(ascii: ":"):
        guard depth > 0 else { return false }
        drop(1)
        continue
      default:
        let end = window.bytes.firstIndex { $0.isJSONWhitespace || ",:]}[{\"".utf8.contains($0) }
        drop(end ?? window.bytes.count)
        if end == nil, try window.extend() { continue }
      }
      if depth == 0 { return true }
    }
    return false
  }

  /// The length of the string that the window begins with, its quotes included; nil where it is not closed or too long.
  private func stringLength() throws(SystemError) -> Int? {
    var position = 1
    while true {
      let bytes = window.bytes
      while position < bytes.count {
        if bytes[position] == UInt8(ascii: "\"") { return position + 1 }
        position += bytes[position] == UInt8(ascii: "\\") ? 2 : 1
      }
      guard bytes.count <= maximumLength, try window.extend() else { return nil }
    }
  }

  private func unreadable(_ message: String) -> RawRecord {
    state = .done
    return RawRecord(line: lineCount, content: .unreadable("not valid JSON: \(message)"))
  }

  /// The next byte that is not white space; nil at the end of the file.
  private func peek() throws(SystemError) -> UInt8? {
    while true {
      let bytes = window.bytes
      if let first = bytes.first, !first.isJSONWhitespace { return first }
      if let index = bytes.firstIndex(where: { !$0.isJSONWhitespace }) {
        drop(index)
        return bytes[index]
      }
      drop(bytes.count)
      if try !window.extend() { return nil }
    }
  }

  private func drop(_ count: Int) {
    for byte in window.bytes.prefix(count) where byte == UInt8(ascii: "\n") { breaksBefore += 1 }
    window.drop(count)
  }
}
