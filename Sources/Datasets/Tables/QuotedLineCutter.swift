// Cuts lines in which a quoted field may hold line breaks (RFC 4180).

import Glibc

/// The non-blank records of a file of separated fields, line breaks within quotes kept. A quote opens a field only at
/// its beginning.
final class QuotedLineCutter: RecordCutter {
  private let window: ByteWindow
  private let separator: [UInt8]
  private let maximumLength: Int
  private(set) var lineCount = 0

  init(window: ByteWindow, separator: [UInt8], maximumLength: Int) {
    self.window = window
    self.separator = separator
    self.maximumLength = maximumLength
  }

  func next() throws(SystemError) -> RawRecord? {
    while true {
      var scan = QuotedLineScan(separator: separator)
      var whole: Int?
      while whole == nil {
        whole = scan.lineEnd(in: window.bytes)
        if whole == nil {
          if window.bytes.count > maximumLength {
            return RawRecord(
              line: lineCount + 1,
              content: .unreadable(
                "a record of more than \(maximumLength) bytes: a quotation mark that is never closed?"))
          }
          if try !window.extend() { break }
        }
      }
      let bytes = window.bytes
      guard !bytes.isEmpty else { return nil }
      let line = lineCount + 1
      lineCount += scan.breakCount + (whole == nil ? 0 : 1)
      if whole == nil, bytes.last != UInt8(ascii: "\n") { lineCount += 1 }
      let text = UnsafeRawBufferPointer(rebasing: bytes[..<(whole ?? bytes.count)]).droppingCarriageReturn()
      window.drop(whole.map { $0 + 1 } ?? bytes.count)
      if text.isEmpty { continue }
      return RawRecord(line: line, content: .text(text))
    }
  }
}

/// Looks for the end of a record; goes on where it stopped when more of the file has come.
struct QuotedLineScan {
  let separator: [UInt8]
  private var position = 0
  private var isAtFieldStart = true
  private var isQuoted = false
  /// Line breaks within quotes.
  private(set) var breakCount = 0

  init(separator: [UInt8]) { self.separator = separator }

  /// Where the line break behind the record stands; nil where it is not among `bytes`, which begin with the record.
  mutating func lineEnd(in bytes: UnsafeRawBufferPointer) -> Int? {
    while position < bytes.count {
      let byte = bytes[position]
      if isQuoted {
        if byte == UInt8(ascii: "\n") { breakCount += 1 }
        // A doubled quote closes and at once opens again: `isAtFieldStart` holds for the byte behind a quote.
        if byte == UInt8(ascii: "\"") {
          isQuoted = false
          isAtFieldStart = true
        }
        position += 1
        continue
      }
      if byte == UInt8(ascii: "\n") { return position }
      if isAtFieldStart, byte == UInt8(ascii: "\"") {
        isQuoted = true
        position += 1
        continue
      }
      // A separator's last byte may be followed by a quote; a wrong guess in the middle of a long separator is undone by
      // the next byte.
      isAtFieldStart = byte == separator.last
      position += 1
    }
    return nil
  }
}
