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

/// A file of records, opened.
struct RecordFile {
  let path: String
  private let file: Descriptor
  /// Nil for what has no size before it is read: a pipe, a file of /proc.
  private let size: Int?
  private let contentOffset: Int
  private let isArray: Bool

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
    if type == S_IFREG, status.st_size > 0 {
      size = Int(status.st_size)
      (contentOffset, isArray) = try Self.start(of: number, path: name)
    } else {
      (size, contentOffset, isArray) = (nil, 0, false)
    }
  }

  /// Looks at the first bytes: a byte-order mark, a bracket, or the signs of something that is not JSON text.
  private static func start(
    of descriptor: Int32, path: String
  ) throws(DatasetError) -> (offset: Int, isArray: Bool) {
    var head = [UInt8](repeating: 0, count: 4096)
    let count = pread(descriptor, &head, head.count, 0)
    guard count >= 0 else { throw .unreadable(path: path, reason: SystemError(code: errno).description) }
    head.removeLast(head.count - count)
    let offset = try judge(head, path: path)
    let first = head.dropFirst(offset).first { !$0.isJSONWhitespace }
    return (offset, first == UInt8(ascii: "["))
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
  /// - Returns: the ranges in the order of the file, each with what to add to the line numbers that its decoder saw.
  /// - Throws: for the first line that is fatal.
  func decode<Decoder: RecordDecoder>(
    options: ReadOptions, with makeDecoder: @Sendable () -> Decoder
  ) throws(DatasetError) -> (ranges: [(decoder: Decoder, linesBefore: Int)], skipped: SkippedLines, recordCount: Int) {
    let rangeCount = self.rangeCount(options: options)
    let results = concurrently(rangeCount) { [file, size, contentOffset, isArray] index in
      var range = DecodedRange(decoder: makeDecoder())
      do throws(SystemError) {
        let cutter: any RecordCutter
        if let size {
          let share = (size - contentOffset) / rangeCount
          let start = contentOffset + index * share
          let window = ByteWindow(descriptor: file.number, from: index == 0 ? start : start - 1)
          cutter =
            if isArray { ArrayCutter(window: window, maximumLength: options.maximumLineLength) } else {
              try LineCutter(
                window: window, startsInsideLine: index > 0,
                endOffset: index == rangeCount - 1 ? nil : start + share, maximumLength: options.maximumLineLength)
            }
        } else {
          let window = ByteWindow(descriptor: file.number, from: nil)
          cutter = try Self.pipeCutter(window, maximumLength: options.maximumLineLength)
        }
        try Self.decodeAll(of: cutter, into: &range, options: options)
      } catch {
        range.systemError = error
      }
      return range
    }

    var ranges: [(decoder: Decoder, linesBefore: Int)] = []
    var skipped = SkippedLines()
    var linesBefore = 0
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
    if recordCount == 0 { throw .empty(path: path) }
    return (ranges, skipped, recordCount)
  }

  /// A thread is worth its start from a few mebibytes on; an array and a pipe are read by one.
  private func rangeCount(options: ReadOptions) -> Int {
    guard let size, !isArray else { return 1 }
    let processors = options.threadCount ?? min(8, processorCount)
    return options.threadCount.map { max(1, min($0, size / 64 + 1)) } ?? max(1, min(processors, size >> 21))
  }

  /// A pipe can't be looked at before it is read, so its window is.
  private static func pipeCutter(_ window: ByteWindow, maximumLength: Int) throws(SystemError) -> any RecordCutter {
    while window.bytes.count < 4, try window.extend() {}
    if window.bytes.starts(with: [0xEF, 0xBB, 0xBF]) { window.drop(3) }
    while true {
      if let first = window.bytes.first(where: { !$0.isJSONWhitespace }) {
        return first == UInt8(ascii: "[")
          ? ArrayCutter(window: window, maximumLength: maximumLength)
          : try LineCutter(window: window, startsInsideLine: false, endOffset: nil, maximumLength: maximumLength)
      }
      guard window.bytes.count < maximumLength, try window.extend() else {
        return try LineCutter(window: window, startsInsideLine: false, endOffset: nil, maximumLength: maximumLength)
      }
    }
  }

  private static func decodeAll<Decoder: RecordDecoder>(
    of cutter: any RecordCutter, into range: inout DecodedRange<Decoder>, options: ReadOptions
  ) throws(SystemError) {
    defer { range.lineCount = cutter.lineCount }
    while let record = try cutter.next() {
      range.recordCount += 1
      do throws(RecordProblem) {
        switch record.content {
        case .text(let text): try range.decoder.decode(text, line: record.line)
        case .tooLong:
          throw RecordProblem(message: "the line is longer than \(options.maximumLineLength) bytes")
        case .broken(let message): throw RecordProblem(message: message)
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
