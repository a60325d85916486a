// Reading a recommender's data and what metadata say of it.

import Checkpoints
import Datasets
import Foundation
import Threads
import Verification

/// What a recommender was trained on, and what was left out: `data` in its metadata.
public struct RecommenderDataSummary: Sendable, Hashable, Codable {
  public var source: SourceFile
  public var format: DataFormat
  public var users: Int
  public var items: Int
  /// Rows of the data.
  public var interactions: Int
  /// Distinct pairs of a user and an item that were trained on.
  public var trainingPairs: Int
  /// Cases that were held out, and where they come from.
  public var heldOutCases: Int
  public var heldOutSource: HeldOutEvaluation.Source
  public var skippedRows: Int

  /// Of all pairs, the share that was trained on.
  public var density: Double {
    users > 0 && items > 0 ? Double(trainingPairs) / (Double(users) * Double(items)) : 0
  }

  enum CodingKeys: String, CodingKey {
    case source, format
    case users = "num_users"
    case items = "num_items"
    case interactions = "num_interactions"
    case trainingPairs = "training_pairs"
    case heldOutCases = "held_out_cases"
    case heldOutSource = "held_out_source"
    case skippedRows = "skipped_rows"
  }
}

/// A recommender's data, read, weighed and split.
struct RecommenderData: Sendable {
  let dataset: InteractionDataset
  /// Nil for standard input.
  let checksum: String?
  let evaluation: HeldOutEvaluation
  /// Users by items: what is trained on, the values its strengths, weighed.
  let matrix: InteractionMatrix

  /// Reads the data and hashes its file side by side.
  /// - Throws: `DatasetError`, `InteractionError`, `RecommendationError`.
  init(
    path: String, options: InteractionReadOptions, eventWeights: [String: Float], halfLife: Double?,
    leavesOneOut: Bool, seed: UInt64
  ) throws {
    let hash = path == "-" ? nil : Background { try Self.checksum(of: path) }
    defer { hash?.wait() }
    var dataset = try InteractionDataset(path: path, options: options)
    try dataset.weigh(byKind: eventWeights)
    evaluation = HeldOutEvaluation(dataset, leavesOneOut: leavesOneOut, seed: seed)
    var training = evaluation.training
    if let halfLife {
      guard let decayed = training.decayed(halfLifeInDays: halfLife) else {
        throw RecommendationError.noTimes(path: path)
      }
      training = decayed
    }
    guard training.count > 0 else { throw RecommendationError.allHeldOut(path) }
    matrix = InteractionMatrix(training)
    self.dataset = dataset
    checksum = try hash?.value()
  }

  var summary: RecommenderDataSummary {
    RecommenderDataSummary(
      source: SourceFile(path: dataset.path, sha256: checksum), format: dataset.format, users: matrix.rowCount,
      items: matrix.columnCount, interactions: dataset.interactions.count, trainingPairs: matrix.count,
      heldOutCases: evaluation.cases.count, heldOutSource: evaluation.source, skippedRows: dataset.skipped.count)
  }

  /// What a person should know before the training.
  var warnings: [String] {
    var warnings = dataset.warnings
    if evaluation.source == .leaveOneOut, evaluation.cases.isEmpty {
      warnings.append("no user has two items, so nothing can be left out and nothing tells how good the model is")
    }
    return warnings
  }

  /// The SHA-256 of a file; of a directory, that of its files' names and digests, in the order of the names.
  private static func checksum(of path: String) throws -> String {
    var isDirectory: ObjCBool = false
    guard FileManager.default.fileExists(atPath: path, isDirectory: &isDirectory), isDirectory.boolValue else {
      return try SHA256.hexadecimal(ofFile: path)
    }
    let names = try FileManager.default.contentsOfDirectory(atPath: path).filter { $0.hasSuffix(".pq") }.sorted()
    let lines = try names.map { "\(try SHA256.hexadecimal(ofFile: "\(path)/\($0)"))  \($0)\n" }
    return SHA256.hexadecimal(of: Array(lines.joined().utf8))
  }
}
