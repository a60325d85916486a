// A file of preference pairs, read: each distinct item once, and the pairs as places in that list.

/// The pairs of a JSONL file (one object a line) or of a JSON array.
///
/// ```swift
/// let file = try PairFile(path: "dataset.jsonl", options: ReadOptions(embeddingWidth: .uniform))
/// for pair in file.pairs {
///   print(file.items[pair.itemA].id, pair.label, file.items[pair.itemB].id)
/// }
/// ```
public struct PairFile: Sendable {
  /// One pair; its items are indices into ``PairFile/items``.
  public struct Pair: Sendable, Hashable {
    public var itemA: Int
    public var itemB: Int
    public var label: PreferenceLabel
    public var reasonTags: [String]
    public var similarity: Double?
    public var createdAt: Timestamp?
    /// The line that the pair begins on, counted from 1.
    public var line: Int
  }

  /// Each distinct item once, in the order in which the file first names it. An id whose content changes within the
  /// file is there once for each content.
  public var items: [Item]
  /// The indices in `items` of those that the file only names (`options.allowsReferences`): all but the id is missing.
  public var references: Set<Int>
  /// In the order of the file.
  public var pairs: [Pair]
  public var skipped: SkippedLines
  /// The width of every embedding, where `options.embeddingWidth` asked for one; nil where items have none.
  public var embeddingWidth: Int?

  /// Reads the pairs of `path` (`-`: standard input).
  ///
  /// - Throws: where the file can't be read, holds no usable pair, holds a number that is not finite, or, with
  ///   `options.isStrict`, for the first bad line.
  public init(path: String, options: ReadOptions = ReadOptions()) throws(DatasetError) {
    let file = try RecordFile(path: path)
    let read = try file.decode(options: options) { PairDecoder(options: options) }
    skipped = read.skipped

    var all = ItemPool()
    var pairs: [DecodedPair] = []
    for (number, (decoder, linesBefore)) in read.ranges.enumerated() {
      if number == 0 {
        all = decoder.pool
        pairs = decoder.pairs
        continue
      }
      let places = all.insert(decoder.pool)
      for var pair in decoder.pairs {
        (pair.itemA, pair.itemB) = (places[pair.itemA], places[pair.itemB])
        pair.line += linesBefore
        pairs.append(pair)
      }
    }

    embeddingWidth = try EmbeddingWidths.check(
      &pairs, items: all.items, path: file.path, options: options, skipped: &skipped)
    if pairs.isEmpty { throw .nothingUsable(path: file.path, expected: "pair", skipped: skipped) }

    // Items in the order of their first use; those of lines that were left out go.
    var place = [Int](repeating: -1, count: all.items.count)
    var items: [Item] = []
    var references: Set<Int> = []
    func placed(_ index: Int) -> Int {
      if place[index] < 0 {
        place[index] = items.count
        if all.references.contains(index) { references.insert(items.count) }
        items.append(all.items[index])
      }
      return place[index]
    }
    self.pairs = pairs.map { pair in
      Pair(
        itemA: placed(pair.itemA), itemB: placed(pair.itemB), label: pair.label, reasonTags: pair.reasonTags,
        similarity: pair.similarity, createdAt: pair.createdAt, line: pair.line)
    }
    self.items = items
    self.references = references
  }

  /// The pair at `index` with its items in place.
  public func preferencePair(at index: Int) -> PreferencePair {
    let pair = pairs[index]
    return PreferencePair(
      itemA: items[pair.itemA], itemB: items[pair.itemB], label: pair.label, reasonTags: pair.reasonTags,
      similarity: pair.similarity, createdAt: pair.createdAt)
  }
}

extension PairFile {
  /// For each pair the number of its unordered pair of ids, counted in the order of the file: a pair, its repetitions
  /// and its mirrors share a group, and a split that keeps groups together can't leak an answer.
  public var groups: [Int] {
    var numberOfID: [String: Int] = [:]
    let ids = items.map { item in
      let number = numberOfID[item.id] ?? numberOfID.count
      numberOfID[item.id] = number
      return number
    }
    var numberOfPair: [UnorderedPair: Int] = [:]
    return pairs.map { pair in
      let key = UnorderedPair(ids[pair.itemA], ids[pair.itemB])
      let group = numberOfPair[key] ?? numberOfPair.count
      numberOfPair[key] = group
      return group
    }
  }
}

private struct UnorderedPair: Hashable {
  let low: Int
  let high: Int

  init(_ a: Int, _ b: Int) { (low, high) = (min(a, b), max(a, b)) }
}

/// Whether all embeddings are as wide as they should be.
private enum EmbeddingWidths {
  /// Removes from `pairs` those whose embeddings have another width than asked for, with a reason each; returns the
  /// width.
  static func check(
    _ pairs: inout [DecodedPair], items: [Item], path: String, options: ReadOptions, skipped: inout SkippedLines
  ) throws(DatasetError) -> Int? {
    let expected: Int?
    let origin: String
    switch options.embeddingWidth {
    case .any: return nil
    case .exactly(let width): (expected, origin) = (width, "as asked for")
    case .uniform:
      guard let common = mostFrequentWidth(pairs, items: items) else { return nil }
      (expected, origin) = (common.width, "as on line \(common.line)")
    }
    let isRight = items.map { $0.embedding?.count == expected }
    if isRight.allSatisfy({ $0 }) { return expected }

    var kept: [DecodedPair] = []
    var problems: [LineProblem] = []
    for pair in pairs {
      guard let wrong = [("item_a", pair.itemA), ("item_b", pair.itemB)].first(where: { !isRight[$0.1] }) else {
        kept.append(pair)
        continue
      }
      let item = items[wrong.1]
      problems.append(
        LineProblem(
          line: pair.line,
          message: "\(wrong.0): \"\(item.id.shortened)\" has \(describe(item.embedding?.count)), "
            + "expected \(describe(expected)) (\(origin))"))
    }
    pairs = kept
    if options.isStrict, let first = problems.first { throw .badLine(path: path, problem: first) }
    skipped.count += problems.count
    skipped.examples = Array(
      (skipped.examples + problems.prefix(options.keptProblems)).sorted { $0.line < $1.line }
        .prefix(options.keptProblems))
    return expected
  }

  private static func describe(_ width: Int?) -> String {
    width.map { "an embedding of \($0) number\($0 == 1 ? "" : "s")" } ?? "no embedding"
  }

  /// The earlier one of two as frequent; within a pair A's. Decided by place, as a dictionary's order is not the same
  /// twice.
  private static func mostFrequentWidth(_ pairs: [DecodedPair], items: [Item]) -> (width: Int?, line: Int)? {
    var place: [Int?: Int] = [:]
    var uses: [(width: Int?, line: Int, count: Int)] = []
    for pair in pairs {
      for index in [pair.itemA, pair.itemB] {
        let width = items[index].embedding?.count
        if let known = place[width] {
          uses[known].count += 1
        } else {
          place[width] = uses.count
          uses.append((width, pair.line, 1))
        }
      }
    }
    let highest = uses.map(\.count).max()
    return uses.first { $0.count == highest }.map { ($0.width, $0.line) }
  }
}
