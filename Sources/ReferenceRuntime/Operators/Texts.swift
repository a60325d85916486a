// Strings: joined, split, normalised, matched, counted.

import Glibc
import Tensors

enum Texts {
  static let operators: OperatorTable = [
    "StringConcat": .one { call in
      let (a, b) = try Arithmetic.pair(call)
      return Operand(
        strings: zip(try call.strings(a), try call.strings(b)).map { ByteString($0.bytes + $1.bytes) }, a.shape)
    },
    "StringSplit": .many(split),
    "StringNormalizer": .one(normalize),
    "RegexFullMatch": .one(match),
    "TfIdfVectorizer": .one(countGrams),
  ]

  /// Parts between delimiters (or runs of white space) along a new last axis, filled up with empty strings; and how many.
  private static func split(_ call: Call) throws -> [Value] {
    let x = try call.operand(0)
    let delimiter = try call.string("delimiter", default: "")
    let limit = try call.int("maxsplit") ?? .max
    guard limit >= 0 else { throw call.failure("maxsplit of at least 0, not \(limit)") }
    let parts = try call.strings(x).map { text -> [String] in
      let text = text.description
      if delimiter.isEmpty { return splitAtSpaces(text, limit) }
      var (parts, rest): ([String], Substring) = ([], text[...])
      while parts.count < limit, let range = firstRange(of: delimiter, in: rest) {
        parts.append(String(rest[..<range.lowerBound]))
        rest = rest[range.upperBound...]
      }
      return parts + [String(rest)]
    }
    let width = parts.map(\.count).max() ?? 0
    let shape = try call.checked(x.shape.dimensions + [width])
    let padded = parts.flatMap { list in list.map { ByteString($0) } + Array(repeating: "", count: width - list.count) }
    return [
      .tensor(Operand(strings: padded, shape)), .tensor(Operand(indices: parts.map(\.count), x.shape)),
    ]
  }

  private static func splitAtSpaces(_ text: String, _ limit: Int) -> [String] {
    var parts: [String] = []
    var rest = text.drop(while: \.isWhitespace)
    while !rest.isEmpty {
      guard parts.count < limit, let end = rest.firstIndex(where: \.isWhitespace) else {
        while let last = rest.last, last.isWhitespace { rest.removeLast() }
        parts.append(String(rest))
        break
      }
      parts.append(String(rest[..<end]))
      rest = rest[end...].drop(while: \.isWhitespace)
    }
    return parts
  }

  private static func firstRange(of pattern: String, in text: Substring) -> Range<Substring.Index>? {
    var start = text.startIndex
    while start < text.endIndex {
      if text[start...].hasPrefix(pattern) { return start..<text.index(start, offsetBy: pattern.count) }
      start = text.index(after: start)
    }
    return nil
  }

  /// Removes stop words and changes case; nothing left is one empty string.
  private static func normalize(_ call: Call) throws -> Operand {
    let x = try call.operand(0)
    guard x.rank == 1 || x.rank == 2 && x.shape[0] == 1 else { throw call.failure("strings [count] or [1, count]") }
    let action = try call.choice("case_change_action", default: "NONE", of: ["NONE", "LOWER", "UPPER"])
    let sensitive = try call.flag("is_case_sensitive")
    func key(_ text: String) -> String { sensitive ? text : text.lowercased() }
    let stops = Set((try call.strings(attribute: "stopwords") ?? []).map { key($0.description) })
    let kept = try call.strings(x).map(\.description).filter { !stops.contains(key($0)) }
    let changed = kept.map { action == "LOWER" ? $0.lowercased() : action == "UPPER" ? $0.uppercased() : $0 }
    let result = changed.isEmpty ? [""] : changed.map { ByteString($0) }
    return Operand(strings: result, x.rank == 1 ? [result.count] : [1, result.count])
  }

  /// Whether each string as a whole matches a regular expression.
  private static func match(_ call: Call) throws -> Operand {
    let x = try call.operand(0)
    guard let pattern = try call.string("pattern") else { throw call.failure("the attribute pattern") }
    guard let parsed = try? Regex(pattern) else {
      throw call.failure("a pattern that is a regular expression, not \"\(pattern)\"")
    }
    // As RE2 reads patterns: by code points, with ASCII classes and plain word boundaries.
    let expression = parsed.matchingSemantics(.unicodeScalar).wordBoundaryKind(.simple).asciiOnlyWordCharacters()
      .asciiOnlyDigits().asciiOnlyWhitespace()
    return Operand(
      booleans: try call.strings(x).map { text in (try? expression.wholeMatch(in: text.description)) != nil }, x.shape)
  }

  /// How often each n-gram of a pool occurs in each row, with up to `max_skip_count` elements left out between
  /// neighbours; weighted by the mode (TF: the count, IDF: the weight if it occurs, TFIDF: their product).
  private static func countGrams(_ call: Call) throws -> Operand {
    let x = try call.operand(0)
    guard x.rank == 1 || x.rank == 2 else { throw call.failure("elements [count] or [rows, count]") }
    let mode = try call.choice("mode", default: "", of: ["TF", "IDF", "TFIDF"])
    guard let shortest = try call.int("min_gram_length"), let longest = try call.int("max_gram_length"),
      let skips = try call.int("max_skip_count"), let starts = try call.ints("ngram_counts"),
      let targets = try call.ints("ngram_indexes"), let highest = targets.max(), targets.allSatisfy({ $0 >= 0 }),
      shortest >= 1, longest >= shortest, skips >= 0
    else { throw call.failure("gram lengths, max_skip_count, ngram_counts and ngram_indexes") }
    let pool: [ByteString]
    let elements: [ByteString]
    // Numbers are compared by their text, so that one search serves both kinds.
    if case .strings(let texts) = x.elements {
      (pool, elements) = (try call.strings(attribute: "pool_strings") ?? [], texts)
    } else {
      guard case .ints(let numbers)? = call.node.attribute("pool_int64s") else {
        throw call.failure("pool_int64s for integers")
      }
      (pool, elements) = (numbers.map { ByteString("\($0)") }, try call.integers(x).map { ByteString("\($0)") })
    }
    let grams = try pooledGrams(call, pool, starts)
    let weights = try call.floats(attribute: "weights") ?? [Double](repeating: 1, count: targets.count)
    guard grams.count == targets.count, weights.count == targets.count else {
      throw call.failure("an index and a weight for each of \(grams.count) n-grams in the pool")
    }
    let rows = x.rank == 2 ? x.shape[0] : 1
    let width = x.shape[x.rank - 1]
    let shape = try call.checked((x.rank == 2 ? [rows] : []) + [highest + 1])
    var places: [[ByteString]: [Int]] = [:]
    for (index, gram) in grams.enumerated() { places[gram, default: []].append(index) }
    var result = [Double](repeating: 0, count: shape.elementCount)
    for row in 0..<rows {
      let line = elements[row * width..<(row + 1) * width]
      var counts = [Double](repeating: 0, count: grams.count)
      for length in shortest...longest where length <= width {
        // A single element has no neighbours to skip between.
        for skip in 0...(length == 1 ? 0 : skips) {
          let step = skip + 1
          guard let reach = Optional((length - 1).multipliedReportingOverflow(by: step).partialValue), reach < width
          else {
            break
          }
          for start in line.startIndex..<(line.endIndex - reach) {
            let gram = (0..<length).map { line[start + $0 * step] }
            for index in places[gram] ?? [] { counts[index] += 1 }
          }
        }
      }
      for (index, count) in counts.enumerated() where count > 0 {
        let value =
          switch mode {
          case "TF": count
          case "IDF": weights[index]
          default: count * weights[index]
          }
        let target = row * (highest + 1) + targets[index]
        result[target] = mode == "IDF" ? value : result[target] + value
      }
    }
    return Operand(result, shape, .float)
  }

  /// The pool's n-grams in order: `starts[n - 1]` is where those of n elements begin.
  private static func pooledGrams(_ call: Call, _ pool: [ByteString], _ starts: [Int]) throws -> [[ByteString]] {
    var grams: [[ByteString]] = []
    for (index, start) in starts.enumerated() {
      let end = index + 1 < starts.count ? starts[index + 1] : pool.count
      let length = index + 1
      guard start >= 0, end >= start, end <= pool.count, (end - start) % length == 0 else {
        throw call.failure("ngram_counts that divide the pool into n-grams of 1, 2, … elements")
      }
      grams += stride(from: start, to: end, by: length).map { Array(pool[$0..<$0 + length]) }
    }
    return grams
  }
}
