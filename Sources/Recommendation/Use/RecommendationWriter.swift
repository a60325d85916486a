// Recommendations and predictions as files: the name's suffix says the form.

import Datasets
import Parquet

/// Writes recommendations or predictions, one row each, so that nobody ever sees half of the file.
///
/// Columns: `user_id`, `item_id`, `rank` (of recommendations, from 1), `score`, `source`. The suffix chooses the form:
/// `.csv`, `.tsv`, `.jsonl` (also standard output, `-`) or `.parquet` (`.pq`).
public final class RecommendationWriter {
  /// What is written.
  public enum Content: Sendable {
    case recommendations
    case predictions
  }

  private enum Form {
    case separated(LineWriter, separator: UInt8)
    case lines(LineWriter)
    case parquet(ParquetWriter)
  }

  private let content: Content
  private let form: Form
  /// Rows written so far.
  public private(set) var rowCount = 0
  private var pending = Columns()

  /// Rows that are not yet a row group.
  private struct Columns {
    var users: [String] = []
    var items: [String] = []
    var ranks: [Int32] = []
    var scores: [Float] = []
    var sources: [String] = []
  }

  /// Rows of a row group: large enough to compress, small enough to hold.
  private static let groupRows = 1 << 18

  /// - Throws: `RecommendationError.unknownForm` where the suffix says nothing; `FileError` and `ParquetError` where the
  ///   file can't be written.
  public init(path: String, content: Content) throws {
    self.content = content
    switch OutputForm(path: path) {
    case .delimited(let separator): form = .separated(try LineWriter(path: path), separator: separator)
    case .lines: form = .lines(try LineWriter(path: path))
    case .parquet:
      var fields: [ParquetField] = [.init("user_id", .string), .init("item_id", .string)]
      if content == .recommendations { fields.append(.init("rank", .integer(bits: 32, isSigned: true))) }
      fields += [.init("score", .float), .init("source", .string)]
      form = .parquet(try ParquetWriter(path: path, fields: fields))
    case .document, nil:
      guard path == "-" else { throw RecommendationError.unknownForm(path: path) }
      form = .lines(try LineWriter(path: path))
    }
    if case .separated(let writer, let separator) = form {
      let names =
        content == .recommendations
        ? ["user_id", "item_id", "rank", "score", "source"] : ["user_id", "item_id", "score", "source"]
      try writer.writeLine { line in
        for (index, name) in names.enumerated() {
          if index > 0 { line.append(separator) }
          line.append(contentsOf: name.utf8)
        }
      }
    }
  }

  /// Writes a row for each entry.
  public func write(_ recommendation: Recommender.Recommendation) throws {
    for (index, entry) in recommendation.entries.enumerated() {
      try write(
        user: recommendation.user, item: entry.item, rank: index + 1, score: entry.score, recommendation.source)
    }
  }

  public func write(_ prediction: Recommender.Prediction) throws {
    try write(
      user: prediction.user, item: prediction.item, rank: nil, score: prediction.score, prediction.source)
  }

  /// Writes what is left and gives the file its name.
  public func finish() throws {
    switch form {
    case .separated(let writer, _), .lines(let writer): try writer.finish()
    case .parquet(let writer):
      try writeGroup(writer)
      try writer.finish()
    }
  }

  private func write(
    user: String, item: String, rank: Int?, score: Float, _ source: Recommender.Source
  ) throws {
    rowCount += 1
    switch form {
    case .separated(let writer, let separator):
      try writer.writeLine { line in
        DelimitedText.append(user, separator: separator, to: &line)
        line.append(separator)
        DelimitedText.append(item, separator: separator, to: &line)
        line.append(separator)
        if let rank {
          line.append(contentsOf: String(rank).utf8)
          line.append(separator)
        }
        line.append(contentsOf: score.description.utf8)
        line.append(separator)
        line.append(contentsOf: source.rawValue.utf8)
      }
    case .lines(let writer):
      try writer.writeLine { line in
        line.append(contentsOf: "{\"user_id\": ".utf8)
        JSONWriter.append(user, to: &line)
        line.append(contentsOf: ", \"item_id\": ".utf8)
        JSONWriter.append(item, to: &line)
        if let rank { line.append(contentsOf: ", \"rank\": \(rank)".utf8) }
        line.append(contentsOf: ", \"score\": ".utf8)
        JSONWriter.append(score, to: &line)
        line.append(contentsOf: ", \"source\": \"\(source.rawValue)\"}".utf8)
      }
    case .parquet(let writer):
      pending.users.append(user)
      pending.items.append(item)
      if let rank { pending.ranks.append(Int32(clamping: rank)) }
      pending.scores.append(score)
      pending.sources.append(source.rawValue)
      if pending.users.count == Self.groupRows { try writeGroup(writer) }
    }
  }

  private func writeGroup(_ writer: ParquetWriter) throws {
    var columns: [any ParquetColumnData] = [ParquetColumn(pending.users), ParquetColumn(pending.items)]
    if content == .recommendations { columns.append(ParquetColumn(pending.ranks)) }
    columns += [ParquetColumn(pending.scores), ParquetColumn(pending.sources)]
    try writer.write(columns)
    pending = Columns()
  }
}
