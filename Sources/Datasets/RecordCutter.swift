// Cuts a file into records: its lines, or the elements of one JSON array.

import CSimdJSON
import Glibc

/// One record, before it is parsed.
struct RawRecord {
  enum Content {
    /// Valid until the next record is cut.
    case text(UnsafeRawBufferPointer)
    /// Cut off at the limit and skipped.
    case tooLong
    /// The rest of an array that is not closed or not separated as JSON wants it.
    case broken(String)
    /// A file whose frame is not as it should be, so that what follows means nothing.
    case unreadable(String)
  }

  /// The line on which it begins, counted from 1 where the cutter began.
  let line: Int
  let content: Content
  var place = RecordPlace()
}

/// Where a record stands in a document of sections.
struct RecordPlace {
  /// The number of the section among those asked for.
  var section = 0
  /// The number of the element in the section's array, from 0; nil where the section is one object.
  var index: Int?
}

/// Cuts records off the front of a file.
protocol RecordCutter: AnyObject {
  func next() throws(SystemError) -> RawRecord?
  /// Line breaks seen so far.
  var lineCount: Int { get }
}

/// The non-blank lines that begin in a range of a file.
final class LineCutter: RecordCutter {
  private let window: ByteWindow
  private let maximumLength: Int
  private let endOffset: Int?
  private let trimsLines: Bool
  private(set) var lineCount = 0

  /// - Parameters:
  ///   - startsInsideLine: the window begins somewhere in a line, which belongs to the range before; one byte early,
  ///     so that a line which begins with the range is not taken for the rest of one.
  ///   - endOffset: lines that begin at or behind it belong to the next range.
  ///   - trimsLines: takes white space off both ends; otherwise only the carriage return of a line's end.
  init(
    window: ByteWindow, startsInsideLine: Bool, endOffset: Int?, trimsLines: Bool = true, maximumLength: Int
  ) throws(SystemError) {
    self.window = window
    self.trimsLines = trimsLines
    self.maximumLength = maximumLength
    self.endOffset = endOffset
    if startsInsideLine { try skipLine() }
  }

  func next() throws(SystemError) -> RawRecord? {
    while true {
      if let endOffset, let offset = window.offset, offset >= endOffset { return nil }
      var searched = 0
      var line: UnsafeRawBufferPointer?
      while line == nil {
        let bytes = window.bytes
        if let length = Self.lineBreak(in: bytes, from: searched) {
          line = UnsafeRawBufferPointer(rebasing: bytes[..<length])
          window.drop(length + 1)
          break
        }
        searched = bytes.count
        if searched > maximumLength {
          lineCount += 1
          try skipLine()
          return RawRecord(line: lineCount, content: .tooLong)
        }
        if try !window.extend() {
          let rest = window.bytes
          if rest.isEmpty { return nil }
          line = rest
          window.drop(rest.count)
        }
      }
      lineCount += 1
      let text = trimsLines ? line!.trimmingJSONWhitespace() : line!.droppingCarriageReturn()
      if text.isEmpty { continue }
      if text.count > maximumLength { return RawRecord(line: lineCount, content: .tooLong) }
      return RawRecord(line: lineCount, content: .text(text))
    }
  }

  private func skipLine() throws(SystemError) {
    while true {
      let bytes = window.bytes
      if let length = Self.lineBreak(in: bytes, from: 0) {
        window.drop(length + 1)
        return
      }
      window.drop(bytes.count)
      if try !window.extend() { return }
    }
  }

  private static func lineBreak(in bytes: UnsafeRawBufferPointer, from start: Int) -> Int? {
    guard start < bytes.count, let base = bytes.baseAddress,
      let found = memchr(base + start, Int32(UInt8(ascii: "\n")), bytes.count - start)
    else { return nil }
    return UnsafeRawPointer(found) - base
  }
}

/// The elements of a file that is one JSON array.
final class ArrayCutter: RecordCutter {
  private let window: ByteWindow
  private let maximumLength: Int
  private var breaksBefore = 0
  private var isFirst = true
  private var isDone = false
  /// What the record handed out last takes of the window; dropped before the next one is cut.
  private var pending = 0

  init(window: ByteWindow, maximumLength: Int) {
    self.window = window
    self.maximumLength = maximumLength
  }

  var lineCount: Int { breaksBefore + 1 }

  func next() throws(SystemError) -> RawRecord? {
    if isDone { return nil }
    drop(pending)
    pending = 0
    guard let first = try peek() else { return isFirst ? nil : broken("the array is not closed (a file cut short?)") }
    if isFirst {
      // Whoever chose this cutter saw the bracket.
      drop(1)
    } else if first == UInt8(ascii: ",") {
      drop(1)
    } else if first != UInt8(ascii: "]") {
      return broken("a comma or the array's end was expected here")
    }
    guard let start = try peek() else { return broken("the array is not closed (a file cut short?)") }
    if start == UInt8(ascii: "]") {
      guard isFirst || first == UInt8(ascii: "]") else { return broken("an element was expected behind the comma") }
      drop(1)
      isDone = true
      return try peek() == nil ? nil : broken("text behind the end of the array")
    }
    isFirst = false
    let line = lineCount
    if start == UInt8(ascii: "{") || start == UInt8(ascii: "[") {
      while true {
        let bytes = window.bytes
        let length = csimdjson_bracketed_length(bytes.baseAddress, bytes.count)
        if length > maximumLength || length == 0 && bytes.count > maximumLength {
          return broken("an element longer than \(maximumLength) bytes, or one that is not closed")
        }
        if length > 0 {
          pending = length
          return RawRecord(line: line, content: .text(UnsafeRawBufferPointer(rebasing: bytes[..<length])))
        }
        if try !window.extend() { return broken("the array ends inside this element (a file cut short?)") }
      }
    }
    return broken("an object was expected as an element of the array")
  }

  private func broken(_ message: String) -> RawRecord {
    isDone = true
    return RawRecord(line: lineCount, content: .broken(message))
  }

  /// The next byte that is not white space; nil at the end of the file.
  private func peek() throws(SystemError) -> UInt8? {
    while true {
      let bytes = window.bytes
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

extension UInt8 {
  var isJSONWhitespace: Bool {
    self == UInt8(ascii: " ") || self == UInt8(ascii: "\t") || self == UInt8(ascii: "\r") || self == UInt8(ascii: "\n")
  }
}

extension UnsafeRawBufferPointer {
  func droppingCarriageReturn() -> UnsafeRawBufferPointer {
    last == UInt8(ascii: "\r") ? UnsafeRawBufferPointer(rebasing: dropLast()) : self
  }

  func trimmingJSONWhitespace() -> UnsafeRawBufferPointer {
    var start = 0
    var end = count
    while start < end, self[start].isJSONWhitespace { start += 1 }
    while start < end, self[end - 1].isJSONWhitespace { end -= 1 }
    return UnsafeRawBufferPointer(rebasing: self[start..<end])
  }
}
