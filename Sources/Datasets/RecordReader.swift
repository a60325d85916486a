// Reads a file of records: opens it, sees what it is, cuts it, decodes on several threads, counts what is left out.

import Glibc
import Threads

/// Why a record can't be used.
struct RecordProblem: Error {
  let message: String
  /// Stops the reading even where bad lines are left out.
  var isFatal = false
}

/// Takes records one after the other and keeps what it made of them.
protocol RecordDecoder: AnyObject, SendableMetatype {
  func decode(_ record: UnsafeRawBufferPointer, line: Int) throws(RecordProblem)
  /// As above, for files in which a record is also known by its section.
  func decode(_ record: UnsafeRawBufferPointer, line: Int, place: RecordPlace) throws(RecordProblem)
}

extension RecordDecoder {
  func decode(_ record: UnsafeRawBufferPointer, line: Int, place: RecordPlace) throws(RecordProblem) {
    try decode(record, line: line)
  }
}

/// How a file is cut into records.
enum RecordForm: Sendable {
  /// One record a line.
  case lines
  /// The elements of one JSON array.
  case array
  /// One JSON object: the elements of the arrays under these keys, and the objects under these keys as a whole.
  case document([String])
  /// One record a line, line breaks within quotes aside; fields apart by this separator.
  case quotedLines(separator: [UInt8])
  /// Lines of fields, ends not trimmed: a tab may separate empty ones.
  case untrimmedLines
}

/// What became of one range of a file. Lines are counted from the range's start.
struct DecodedRange<Decoder: RecordDecoder> {
  let decoder: Decoder
  var skipped = SkippedLines()
  /// The problem that stopped the reading of this range.
  var failure: LineProblem?
  var systemError: SystemError?
  var lineCount = 0
  var recordCount = 0
}

/// A file descriptor that closes itself.
private final class Descriptor: Sendable {
  let number: Int32

  init(_ number: Int32) { self.number = number }

  deinit { close(number) }
}

extension RecordForm {
  /// Whether a range may begin in the middle of the file.
  fileprivate var canStartAnywhere: Bool {
    switch self {
    case .lines, .untrimmedLines: true
    case .array, .document, .quotedLines: false
    }
  }

  fileprivate var trimsLines: Bool {
    if case .untrimmedLines = self { false } else { true }
  }
}

/// Hands the window of a pipe to the one thread that reads it.
private struct Handover: @unchecked Sendable {
  let window: ByteWindow?
}

/// A file of records, opened.
struct RecordFile {
  let path: String
  /// The first bytes behind a byte-order mark: all of a short file.
  private(set) var head: [UInt8]
  private let file: Descriptor
  /// Nil for what has no size before it is read: a pipe, a file of /proc.
  private let size: Int?
  private let contentOffset: Int
  /// What was read of a pipe to look at it; only the one call of `decode` reads on. The decoding of a pipe is one range.
  private nonisolated(unsafe) let pipe: ByteWindow?

  static let headSize = 64 << 10

  /// Opens `path`, `-` for standard input.
  init(path: String) throws(DatasetError) {
    let isInput = path == "-"
    let name = isInput ? "standard input" : path
    let number = isInput ? dup(STDIN_FILENO) : open(path, O_RDONLY | O_CLOEXEC)
    guard number >= 0 else { throw .unreadable(path: name, reason: SystemError(code: errno).description) }
    let file = Descriptor(number)
    var status = stat()
    guard fstat(number, &status) == 0 else {
      throw .unreadable(path: name, reason: SystemError(code: errno).description)
    }
    let type = status.st_mode & S_IFMT
    guard type != S_IFDIR else { throw .isDirectory(path: name) }
    self.file = file
    self.path = name
    do throws(SystemError) {
      if type == S_IFREG, status.st_size > 0 {
        size = Int(status.st_size)
        pipe = nil
        var head = [UInt8](repeating: 0, count: min(Self.headSize, Int(status.st_size)))
        let count = pread(number, &head, head.count, 0)
        guard count >= 0 else { throw SystemError(code: errno) }
        head.removeLast(head.count - count)
        self.head = head
      } else {
        size = nil
        let window = ByteWindow(descriptor: number, from: nil)
        while window.bytes.count < Self.headSize, try window.extend() {}
        pipe = window
        head = Array(window.bytes.prefix(Self.headSize))
      }
    } catch {
      throw .unreadable(path: name, reason: error.description)
    }
    contentOffset = try Self.judge(head, path: name)
    head.removeFirst(contentOffset)
    pipe?.drop(contentOffset)
  }

  /// Whether it can be read only once.
  var isPipe: Bool { pipe != nil }

  /// One array, or lines: what a file of JSON is cut into where nothing else is asked for.
  private var jsonForm: RecordForm {
    head.first { !$0.isJSONWhitespace } == UInt8(ascii: "[") ? .array : .lines
  }

  /// The length of the byte-order mark; throws for what begins like another kind of file.
  private static func judge(_ head: [UInt8], path: String) throws(DatasetError) -> Int {
    if head.starts(with: [0xEF, 0xBB, 0xBF]) { return 3 }
    if head.starts(with: [0xFF, 0xFE]) || head.starts(with: [0xFE, 0xFF]) {
      throw .notJSON(path: path, found: "UTF-16 text", advice: "convert it: iconv -f UTF-16 -t UTF-8")
    }
    if head.starts(with: [0x1F, 0x8B]) {
      throw .notJSON(path: path, found: "compressed with gzip", advice: "unpack it first: gunzip")
    }
    if head.starts(with: [0x28, 0xB5, 0x2F, 0xFD]) {
      throw .notJSON(path: path, found: "compressed with zstd", advice: "unpack it first: unzstd")
    }
    if head.starts(with: Array("PK\u{3}\u{4}".utf8)) {
      throw .notJSON(path: path, found: "a zip archive", advice: "unpack it first: unzip")
    }
    if head.starts(with: Array("PAR1".utf8)) {
      throw .notJSON(path: path, found: "a Parquet file", advice: "export it as JSON lines")
    }
    if head.starts(with: Array("SQLite format 3".utf8)) {
      throw .notJSON(path: path, found: "a SQLite database", advice: "use ranker export to get its pairs")
    }
    return 0
  }

  /// Decodes every record, each range of the file with a decoder and a thread of its own.
  ///
  /// - Parameters:
  ///   - form: nil looks whether the file is an array.
  ///   - heading: how many bytes and lines stand before the records.
  ///   - isEmptyAllowed: makes a file without records no error.
  /// - Returns: the ranges in the order of the file, each with what to add to the line numbers that its decoder saw.
  /// - Throws: for the first line that is fatal.
  func decode<Decoder: RecordDecoder>(
    options: ReadOptions, form: RecordForm? = nil, heading: (bytes: Int, lines: Int) = (0, 0),
    isEmptyAllowed: Bool = false, with makeDecoder: @Sendable () -> Decoder
  ) throws(DatasetError) -> (ranges: [(decoder: Decoder, linesBefore: Int)], skipped: SkippedLines, recordCount: Int) {
    let form = form ?? jsonForm
    let rangeCount = self.rangeCount(options: options, form: form)
    let contentOffset = contentOffset + heading.bytes
    pipe?.drop(heading.bytes)
    let results = concurrently(rangeCount) { [file, size, pipe = Handover(window: pipe)] index in
      var range = DecodedRange(decoder: makeDecoder())
      do throws(SystemError) {
        let share = ((size ?? 0) - contentOffset) / rangeCount
        let start = contentOffset + index * share
        let window = pipe.window ?? ByteWindow(descriptor: file.number, from: index == 0 ? start : start - 1)
        let limit = options.maximumLineLength
        let cutter: any RecordCutter =
          switch form {
          case .array: ArrayCutter(window: window, maximumLength: limit)
          case .document(let sections): DocumentCutter(window: window, sections: sections, maximumLength: limit)
          case .quotedLines(let separator):
            QuotedLineCutter(window: window, separator: separator, maximumLength: limit)
          case .lines, .untrimmedLines:
            try LineCutter(
              window: window, startsInsideLine: index > 0,
              endOffset: index == rangeCount - 1 ? nil : start + share, trimsLines: form.trimsLines,
              maximumLength: limit)
          }
        try Self.decodeAll(of: cutter, into: &range, options: options)
      } catch {
        range.systemError = error
      }
      return range
    }

    var ranges: [(decoder: Decoder, linesBefore: Int)] = []
    var skipped = SkippedLines()
    var linesBefore = heading.lines
    var recordCount = 0
    for range in results {
      for problem in range.skipped.examples where skipped.examples.count < options.keptProblems {
        skipped.examples.append(LineProblem(line: problem.line + linesBefore, message: problem.message))
      }
      skipped.count += range.skipped.count
      if let error = range.systemError { throw .unreadable(path: path, reason: error.description) }
      if let failure = range.failure {
        throw .badLine(
          path: path, problem: LineProblem(line: failure.line + linesBefore, message: failure.message))
      }
      ranges.append((range.decoder, linesBefore))
      linesBefore += range.lineCount
      recordCount += range.recordCount
    }
    if recordCount == 0, !isEmptyAllowed { throw .empty(path: path) }
    return (ranges, skipped, recordCount)
  }

  /// A thread is worth its start from a few mebibytes on; what can only be cut from its start is read by one.
  private func rangeCount(options: ReadOptions, form: RecordForm) -> Int {
    guard let size, form.canStartAnywhere else { return 1 }
    let processors = options.threadCount ?? min(8, processorCount)
    return options.threadCount.map { max(1, min($0, size / 64 + 1)) } ?? max(1, min(processors, size >> 21))
  }

  private static func decodeAll<Decoder: RecordDecoder>(
    of cutter: any RecordCutter, into range: inout DecodedRange<Decoder>, options: ReadOptions
  ) throws(SystemError) {
    defer { range.lineCount = cutter.lineCount }
    while let record = try cutter.next() {
      range.recordCount += 1
      do throws(RecordProblem) {
        switch record.content {
        case .text(let text): try range.decoder.decode(text, line: record.line, place: record.place)
        case .tooLong:
          throw RecordProblem(message: "the line is longer than \(options.maximumLineLength) bytes")
        case .broken(let message): throw RecordProblem(message: message)
        case .unreadable(let message): throw RecordProblem(message: message, isFatal: true)
        }
      } catch {
        let problem = LineProblem(line: record.line, message: error.message)
        if options.isStrict || error.isFatal {
          range.failure = problem
          return
        }
        range.skipped.add(problem, keeping: options.keptProblems)
      }
    }
  }
}
