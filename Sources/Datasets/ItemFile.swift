// A file of items, and a file of embeddings that items refer to.

/// The items of a JSONL file (one object a line) or of a JSON array, in the order of the file.
public struct ItemFile: Sendable {
  public var items: [Item]
  /// The line that each item begins on, counted from 1.
  public var lines: [Int]
  public var skipped: SkippedLines
  public let path: String

  /// Reads the items of `path` (`-`: standard input). An id may come more than once: who stores items decides what
  /// that means.
  ///
  /// - Throws: where the file can't be read, holds no usable item, holds a number that is not finite, or, with
  ///   `options.isStrict`, for the first bad line.
  public init(path: String, options: ReadOptions = ReadOptions()) throws(DatasetError) {
    let file = try RecordFile(path: path)
    let read = try file.decode(options: options) {
      ValueDecoder(maximumLength: options.maximumLineLength) { value throws(RecordProblem) in try Item(json: value) }
    }
    self.path = file.path
    skipped = read.skipped
    items = read.ranges.flatMap { $0.decoder.values }
    lines = read.ranges.flatMap { range in range.decoder.lines.map { $0 + range.linesBefore } }
    try checkWidths(options)
    if items.isEmpty { throw .nothingUsable(path: file.path, expected: "item", skipped: skipped) }
  }

  /// The most frequent width among the items that have an embedding, and the first line that has it.
  private var commonWidth: (width: Int, line: Int)? {
    var uses: [Int: (count: Int, line: Int)] = [:]
    for (item, line) in zip(items, lines) {
      if let width = item.embedding?.count { uses[width, default: (0, line)].count += 1 }
    }
    return uses.max { ($0.value.count, -$0.value.line) < ($1.value.count, -$1.value.line) }
      .map { ($0.key, $0.value.line) }
  }

  /// Leaves out items whose embedding is not as wide as the others'; items without one may get theirs from elsewhere.
  private mutating func checkWidths(_ options: ReadOptions) throws(DatasetError) {
    let expected: Int
    let origin: String
    switch options.embeddingWidth {
    case .any: return
    case .exactly(let width): (expected, origin) = (width, "as asked for")
    case .uniform:
      guard let common = commonWidth else { return }
      (expected, origin) = (common.width, "as on line \(common.line)")
    }
    var kept: [Int] = []
    for index in items.indices {
      guard let width = items[index].embedding?.count, width != expected else {
        kept.append(index)
        continue
      }
      let problem = LineProblem(
        line: lines[index],
        message: "\"\(items[index].id.shortened)\" has an embedding of \(width) numbers, "
          + "expected \(expected) (\(origin))")
      if options.isStrict { throw .badLine(path: path, problem: problem) }
      skipped.add(problem, keeping: options.keptProblems)
    }
    if kept.count < items.count {
      items = kept.map { items[$0] }
      lines = kept.map { lines[$0] }
      skipped.examples.sort { $0.line < $1.line }
    }
  }

  /// Gives each item that names an embedding and carries none the one that `embeddings` has for it.
  ///
  /// - Returns: the items whose embedding is not there.
  public mutating func resolveEmbeddings(from embeddings: EmbeddingFile) -> [Item] {
    var missing: [Item] = []
    for index in items.indices where items[index].embedding == nil {
      guard let name = items[index].embeddingID else { continue }
      if let embedding = embeddings.vectors[name] {
        items[index].embedding = embedding
      } else {
        missing.append(items[index])
      }
    }
    return missing
  }
}

/// Embeddings by name: a JSONL file or JSON array of `{"embedding_id": …, "embedding": […]}`.
public struct EmbeddingFile: Sendable {
  public var vectors: [String: [Float]]
  public var skipped: SkippedLines

  /// Reads the embeddings of `path` (`-`: standard input). A name that comes again with other numbers is a bad line.
  ///
  /// - Throws: where the file can't be read, holds no usable embedding, holds a number that is not finite, or, with
  ///   `options.isStrict`, for the first bad line.
  public init(path: String, options: ReadOptions = ReadOptions()) throws(DatasetError) {
    let file = try RecordFile(path: path)
    let read = try file.decode(options: options) {
      ValueDecoder(maximumLength: options.maximumLineLength) { value throws(RecordProblem) in
        try NamedEmbedding(json: value)
      }
    }
    vectors = [:]
    skipped = read.skipped
    for (decoder, linesBefore) in read.ranges {
      for (named, line) in zip(decoder.values, decoder.lines) {
        guard let known = vectors.updateValue(named.embedding, forKey: named.id), known != named.embedding else {
          continue
        }
        vectors[named.id] = known
        let problem = LineProblem(
          line: line + linesBefore,
          message: "embedding \"\(named.id.shortened)\" was there before with other numbers; the first are kept")
        if options.isStrict { throw .badLine(path: file.path, problem: problem) }
        skipped.add(problem, keeping: options.keptProblems)
      }
    }
    skipped.examples.sort { $0.line < $1.line }
    if vectors.isEmpty { throw .nothingUsable(path: file.path, expected: "embedding", skipped: skipped) }
  }
}

private struct NamedEmbedding {
  let id: String
  let embedding: [Float]

  init(json value: JSONValue) throws(RecordProblem) {
    guard value.kind == .object else {
      throw RecordProblem(message: "an embedding's line must be an object, found \(value.kindName)")
    }
    var seen = SeenKeys()
    var id: String?
    var embedding: [Float]?
    for (key, field) in value.fields {
      switch key {
      case "embedding_id":
        try seen.add(0, key)
        id = try field.requiredText(key)
      case "embedding":
        try seen.add(1, key)
        embedding = try field.optionalEmbedding()
      default: break
      }
    }
    guard let id else { throw RecordProblem(message: "\"embedding_id\" is missing") }
    guard let embedding else { throw RecordProblem(message: "\"embedding\" is missing") }
    self.id = id
    self.embedding = embedding
  }
}

/// Decodes records that are a JSON value each, with the line that each came from.
final class ValueDecoder<Value>: RecordDecoder {
  private(set) var values: [Value] = []
  private(set) var lines: [Int] = []
  private let parser: JSONParser
  private let maximumLength: Int
  private let make: (JSONValue) throws(RecordProblem) -> Value

  init(maximumLength: Int, make: @escaping (JSONValue) throws(RecordProblem) -> Value) {
    parser = JSONParser(maximumLength: maximumLength)
    self.maximumLength = maximumLength
    self.make = make
  }

  func decode(_ record: UnsafeRawBufferPointer, line: Int) throws(RecordProblem) {
    let value: JSONValue
    do throws(JSONFailure) { value = try parser.parse(record) } catch {
      throw error.problem(in: record, maximumLength: maximumLength)
    }
    values.append(try make(value))
    lines.append(line)
  }
}
