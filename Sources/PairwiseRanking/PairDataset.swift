// The data of the pairwise ranker: every item's features once, and the pairs as rows of that matrix.

import Datasets
import Tensors

/// Labelled pairs in the form that the training computes with.
///
/// ```swift
/// let data = try PairDataset(path: "dataset.jsonl")
/// print(data.pairs.count, data.layout.summary)
/// ```
public struct PairDataset: Sendable {
  /// One pair: rows of `features`, and 1 (A preferred), 0 (equal) or -1 (B preferred).
  public struct Pair: Sendable, Hashable {
    public var itemA: Int32
    public var itemB: Int32
    public var label: Int32
    /// The line of the file, counted from 1.
    public var line: Int32
  }

  /// Where the data came from.
  public let path: String
  public let layout: FeatureLayout
  /// `[items, features]`; NaN for a missing metric.
  public let features: Tensor
  public let pairs: [Pair]
  /// For each pair the number of its unordered pair of items: mirrors and repetitions share it.
  public let groups: [Int]
  /// What the reader left out, with reasons.
  public let skipped: SkippedLines
  /// Metrics that items do not have, by name; only names with at least one.
  public let missingMetrics: [String: Int]

  /// Reads pairs from JSONL or a JSON array (`-`: standard input).
  ///
  /// - Parameters:
  ///   - embeddingDimension: the width that embeddings must have; nil takes the most frequent one. Pairs of other widths
  ///     are left out and counted.
  ///   - isStrict: makes the first bad line an error.
  /// - Throws: `DatasetError`, and `RankingError` where the usable pairs teach nothing.
  public init(path: String, embeddingDimension: Int? = nil, isStrict: Bool = false) throws {
    let file = try PairFile(
      path: path,
      options: ReadOptions(
        isStrict: isStrict, embeddingWidth: embeddingDimension.map { .exactly($0) } ?? .uniform))
    try self.init(file, path: path)
  }

  /// Takes pairs that were read already.
  ///
  /// - Precondition: all items of `file` have embeddings of one width, or none (`ReadOptions.embeddingWidth`).
  public init(_ file: PairFile, path: String) throws(RankingError) {
    self.path = path
    skipped = file.skipped
    groups = file.groups
    let layout = FeatureLayout(
      embeddingDimension: file.embeddingWidth ?? 0, metricNames: file.items.lazy.flatMap { $0.metrics.keys })
    guard layout.count > 0 else { throw .noFeatures(path: path) }
    self.layout = layout
    (features, missingMetrics) = try Self.matrix(of: file.items, layout: layout)
    pairs = file.pairs.map { pair in
      Pair(
        itemA: Int32(pair.itemA), itemB: Int32(pair.itemB), label: Int32(pair.label.rawValue),
        line: Int32(clamping: pair.line))
    }
    guard pairs.contains(where: { $0.label != 0 }) else { throw .onlyTies(path: path, count: pairs.count) }
  }

  private static func matrix(
    of items: [Item], layout: FeatureLayout
  ) throws(RankingError) -> (features: Tensor, missing: [String: Int]) {
    var failure: RankingError?
    var missing: [String: Int] = [:]
    let features = Tensor(uninitialized: [items.count, layout.count], elementType: .float) { bytes in
      let values = bytes.bindMemory(to: Float.self)
      for (index, item) in items.enumerated() {
        let row = UnsafeMutableBufferPointer(
          rebasing: values[index * layout.count..<(index + 1) * layout.count])
        do throws(RankingError) {
          if try layout.write(item, to: row) > 0 {
            for name in layout.metricNames where item.metrics[name] == nil { missing[name, default: 0] += 1 }
          }
        } catch {
          failure = error
          return
        }
      }
    }
    if let failure { throw failure }
    return (features, missing)
  }

  public var itemCount: Int { features.shape[0] }

  /// Pairs of each label.
  public var labelCounts: (preferA: Int, equal: Int, preferB: Int) {
    pairs.reduce(into: (0, 0, 0)) { counts, pair in
      switch pair.label {
      case 1: counts.0 += 1
      case 0: counts.1 += 1
      default: counts.2 += 1
      }
    }
  }

  /// What a person should know before trusting a model of this data.
  public var warnings: [String] {
    var warnings: [String] = []
    if skipped.count > 0 {
      let examples = skipped.examples.prefix(3).map { "\n  \($0)" }.joined()
      warnings.append(
        "\(skipped.count) of \(skipped.count + pairs.count) lines of \(path) were left out:\(examples)")
    }
    let counts = labelCounts
    if counts.preferA == 0 || counts.preferB == 0 {
      let only = counts.preferA == 0 ? "-1 (B preferred)" : "1 (A preferred)"
      warnings.append(
        "every pair with a winner is labelled \(only); that trains as well as any order, but if the file lists winners "
          + "first by mistake, nothing in it will show that")
    }
    if pairs.count < Self.fewPairs {
      warnings.append("\(pairs.count) pairs are few: below \(Self.fewPairs), measures of quality are mostly chance")
    }
    if !missingMetrics.isEmpty {
      let names = missingMetrics.sorted { $0.key < $1.key }.map { "\($0.key) (\($0.value) items)" }
      warnings.append("missing metrics take the training mean: \(names.joined(separator: ", "))")
    }
    return warnings
  }

  /// With a fifth of 100 pairs held out, one pair is 5% of the accuracy.
  private static let fewPairs = 100

  /// The rows of the items that occur in some of the pairs, ascending.
  func items(of pairs: [Int]) -> [Int] {
    var occurs = [Bool](repeating: false, count: itemCount)
    for index in pairs {
      occurs[Int(self.pairs[index].itemA)] = true
      occurs[Int(self.pairs[index].itemB)] = true
    }
    return occurs.indices.filter { occurs[$0] }
  }
}
