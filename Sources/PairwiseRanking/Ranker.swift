// A trained ranker in use: items in, scores out.

import Datasets
import Foundation
import GraphEngine
import ONNX
import Synchronization
import Tensors
import Verification

/// A trained pairwise ranker, ready to score items. May be used from several threads at once.
///
/// ```swift
/// let ranker = try Ranker(directory: "models/pairwise_ranker")
/// let ranking = try ranker.rank(items, topK: 10)
/// for entry in ranking.entries { print(entry.rank, entry.item.id, entry.score) }
/// ```
public final class Ranker: Sendable {
  public let metadata: RankerMetadata
  private let session: Mutex<Session>

  /// Rows of one run: enough to fill the matrix product, little enough to stay in the cache.
  private static let rowsPerRun = 512

  /// Opens the model of a directory and checks its files' checksums.
  ///
  /// - Parameter threads: threads that share the work of one call; nil takes as many as the processor has.
  /// - Throws: `ModelError.notAModel`, `CheckpointError` where a file was changed, `ONNXError`, `EngineError`.
  public init(directory: String, threads: Int? = nil) throws {
    let model = try ModelDirectory<RankerMetadata>(path: directory)
    metadata = model.metadata
    let name = metadata.files.scorer
    try model.verifyChecksum(of: name)
    let graph = try Model(contentsOf: model.path(of: name))
    session = Mutex(try Session(graph, options: Session.Options(threads: threads)))
  }

  /// An item's place in a ranking.
  public struct Entry: Sendable {
    /// Counted from 1.
    public let rank: Int
    public let item: Item
    /// Comparable within one model; a difference of the margin is a clear preference.
    public let score: Float
  }

  /// Items, best first.
  public struct Ranking: Sendable {
    public let entries: [Entry]
    /// Items that could not be scored, with the reason.
    public let leftOut: [(id: String, reason: String)]
    /// Metrics that items did not have and the graph took the training's mean for.
    public let missingMetrics: Int
  }

  /// The scores of items; the larger, the better.
  ///
  /// A metric that an item does not have counts as the training's mean.
  /// - Throws: `RankingError.embeddingWidth` for an item whose embedding the model does not take.
  public func scores(of items: [Item]) throws -> [Float] {
    var scores: [Float] = []
    scores.reserveCapacity(items.count)
    _ = try score(items) { scores.append(contentsOf: $0) }
    return scores
  }

  /// By how much the model prefers `a` to `b`: above 0 where it does.
  public func compare(_ a: Item, _ b: Item) throws -> Float {
    let scores = try scores(of: [a, b])
    return scores[0] - scores[1]
  }

  /// Ranks items, leaving out those that cannot be scored.
  ///
  /// Equal scores keep the order of `items`.
  /// - Parameter topK: the length of the ranking; nil ranks all.
  /// - Throws: `RankingError.noUsableItem` where none can be scored.
  public func rank(_ items: [Item], topK: Int? = nil) throws -> Ranking {
    var usable: [Item] = []
    var leftOut: [(id: String, reason: String)] = []
    for item in items {
      if let problem = problem(with: item) {
        leftOut.append((item.id, "\(problem)"))
      } else {
        usable.append(item)
      }
    }
    guard !usable.isEmpty else {
      throw RankingError.noUsableItem(count: items.count, firstProblem: leftOut.first?.reason ?? "there is no item")
    }
    var scores: [Float] = []
    let missing = try score(usable) { scores.append(contentsOf: $0) }
    let order = scores.indices.sorted { (-scores[$0], $0) < (-scores[$1], $1) }
    let entries = order.prefix(topK ?? .max).enumerated().map { place, index in
      Entry(rank: place + 1, item: usable[index], score: scores[index])
    }
    return Ranking(entries: entries, leftOut: leftOut, missingMetrics: missing)
  }

  /// What came of an evaluation.
  public struct Evaluation: Sendable {
    public let measures: PairMeasures
    public let skipped: SkippedLines
    /// Metrics that items did not have and the graph took the training's mean for.
    public let missingMetrics: Int
  }

  /// Measures the model on the pairs of a file. Pairs whose embeddings the model does not take are left out.
  ///
  /// - Throws: `DatasetError` where the file cannot be read or holds no pair for this model.
  public func evaluate(path: String, isStrict: Bool = false) throws -> Evaluation {
    let dimension = metadata.layout.embeddingDimension
    let file = try PairFile(
      path: path, options: ReadOptions(isStrict: isStrict, embeddingWidth: dimension > 0 ? .exactly(dimension) : .any))
    var scores: [Float] = []
    let missing = try score(file.items) { scores.append(contentsOf: $0) }
    let measures = try PairMeter(graph: metadata.graph).measures(
      differences: file.pairs.map { scores[$0.itemA] - scores[$0.itemB] }, labels: file.pairs.map(\.label.rawValue))
    return Evaluation(measures: measures, skipped: file.skipped, missingMetrics: missing)
  }

  private func problem(with item: Item) -> RankingError? {
    let expected = metadata.layout.embeddingDimension
    if expected > 0, item.embedding?.count != expected {
      return .embeddingWidth(item: item.id, found: item.embedding?.count, expected: expected)
    }
    for name in metadata.layout.metricNames {
      if let value = item.metrics[name], !Float(value).isFinite {
        return .metricTooLarge(item: item.id, metric: name, value: value)
      }
    }
    return nil
  }

  /// Scores items in runs of some hundred; returns how many metrics were missing.
  private func score(_ items: [Item], _ take: (UnsafeBufferPointer<Float>) -> Void) throws -> Int {
    let layout = metadata.layout
    var missing = 0
    for start in stride(from: 0, to: items.count, by: Self.rowsPerRun) {
      let rows = min(Self.rowsPerRun, items.count - start)
      let scores = try session.withLock { session in
        guard let plan = try session.plan(for: ["input": TensorSpec(.float, [rows, layout.count])]) else {
          throw EngineError.invalidGraph(
            problem: "the scorer's shapes depend on values; it is no graph of this toolkit")
        }
        try plan.withUnsafeMutableInput("input", as: Float.self) { values in
          for row in 0..<rows {
            let slice = UnsafeMutableBufferPointer(rebasing: values[row * layout.count..<(row + 1) * layout.count])
            missing += try layout.write(items[start + row], to: slice)
          }
        }
        try session.execute(plan)
        return plan.withUnsafeOutput("score", as: Float.self) { Array($0) } ?? []
      }
      scores.withUnsafeBufferPointer(take)
    }
    return missing
  }
}
