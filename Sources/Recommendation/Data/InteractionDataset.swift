// Interactions read from a file of any form that is understood, checked, with the cases held out by it.

import Datasets

/// The interactions of a file, and what is to be known of them.
///
/// ```swift
/// let data = try InteractionDataset(path: "interactions.json")
/// for warning in data.warnings { print(warning) }
/// let (training, heldOut) = data.interactions.leavingOneOut()
/// ```
public struct InteractionDataset: Sendable {
  /// Where the data came from.
  public let path: String
  /// What the file was found to be.
  public let format: DataFormat
  /// All interactions; of a clickstream those before the days that are held out.
  public var interactions: Interactions
  /// For each interaction what the user did; nil where the data does not say.
  public var kinds: InteractionKinds?
  /// The cases of `held_out_test`, or those of a clickstream's last days; empty where the data has none.
  public let heldOut: [HeldOutCase]
  /// Rows that were left out, with reasons.
  public let skipped: SkippedLines
  /// Interactions that repeat the user and the item of another; their strengths add up.
  public let duplicateCount: Int
  /// What a person should know before trusting a model of this data.
  public let warnings: [String]
  /// What is worth saying and no reason to worry: how the file was understood.
  public let notes: [String]

  /// Reads interactions; the content tells the form, not the name.
  ///
  /// - Parameter path: a file, or a clickstream's directory; `-` for standard input.
  /// - Throws: `DatasetError` and ``InteractionError`` where the file can't be read or holds no interaction, and, with
  ///   `options.isStrict`, for the first bad row.
  public init(path: String, options: InteractionReadOptions = InteractionReadOptions()) throws {
    let columns = try InteractionColumns(options)
    try Self.checkSample(path)
    let file = try DataFile(path: path)
    var draft: InteractionDraft
    switch file.kind {
    case .directory:
      format = .clickstream
      draft = try .init(clickstream: path, options: options)
    case .parquet:
      format = .parquet
      let read = try ParquetTableFile(path: path, columns: columns.columns, options: options.reading)
      draft = .init(read.table, skipped: read.skipped)
    case .json:
      format = .json
      draft = try .init(json: file, columns: columns, options: options)
    case .text, .empty:
      format = .csv
      draft = try .init(delimited: file, columns: columns, options: options)
    }
    self.path = file.path
    guard draft.interactions.count > 0 else {
      throw InteractionError.noInteractions(path: file.path, skipped: draft.skipped)
    }
    draft.judge(isClickstream: format == .clickstream)
    interactions = draft.interactions
    kinds = draft.kinds
    heldOut = draft.heldOut
    skipped = draft.skipped
    duplicateCount = draft.duplicateCount
    warnings = draft.warnings
    notes = draft.notes
  }
}

/// What users did, as columns beside the interactions.
public struct InteractionKinds: Sendable, Hashable {
  /// The kinds by place, in the order in which they first come.
  public var names: [String]
  /// For each interaction a place in `names`; -1 where it has none.
  public var places: [Int32]
  /// For each kind whether it is what a clickstream is evaluated by; nil where the data does not say.
  public var isContact: [Bool]?

  public init(names: [String], places: [Int32], isContact: [Bool]? = nil) {
    self.names = names
    self.places = places
    self.isContact = isContact
  }

  /// How many interactions are of each kind, in the order of `names`.
  public var counts: [Int] {
    var counts = [Int](repeating: 0, count: names.count)
    for place in places where place >= 0 { counts[Int(place)] += 1 }
    return counts
  }
}

extension InteractionDataset {
  /// Multiplies the strength of each interaction with the weight of its kind; kinds without a weight keep theirs.
  ///
  /// - Parameter weights: above 0, by name.
  /// - Throws: for a kind that the data does not have, and for a weight that is not a positive number.
  public mutating func weigh(byKind weights: [String: Float]) throws(InteractionError) {
    guard !weights.isEmpty else { return }
    guard let kinds else {
      throw .badForm(path: path, problem: "has no column interaction_type (or event) to weigh interactions by")
    }
    var factors = [Float](repeating: 1, count: kinds.names.count)
    for (name, weight) in weights.sorted(by: { $0.key < $1.key }) {
      guard let place = kinds.names.firstIndex(of: name) else {
        throw .badForm(
          path: path,
          problem: "has no interactions of the kind \"\(name)\"; it has \(kinds.names.joined(separator: ", "))")
      }
      guard weight.isFinite, weight > 0 else {
        throw .badForm(path: path, problem: "can't weigh \"\(name)\" by \(weight); a weight is a number above 0")
      }
      factors[place] = weight
    }
    for row in interactions.strengths.indices where kinds.places[row] >= 0 {
      interactions.strengths[row] *= factors[Int(kinds.places[row])]
    }
  }
}
