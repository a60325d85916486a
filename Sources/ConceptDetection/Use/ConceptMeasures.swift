// How well concepts are found in some notes.

import Foundation
import Measures

/// Loss, accuracy, precision, recall and F1 of a detector's decisions: over all of them, over concepts, buckets and
/// languages.
public struct ConceptMeasures: Sendable, Hashable, Codable {
  public var notes: Int
  /// The mean binary cross-entropy over notes and concepts.
  public var loss: Double
  /// The share of decisions, one for each note and concept, that are right. Most concepts are in few notes, so that a
  /// detector that finds nothing has a high one, too.
  public var accuracy: Double
  /// The share of notes of which every decision is right.
  public var exactMatch: Double
  /// Of the decisions about all concepts together: every decision weighs the same.
  public var micro: PrecisionRecall
  /// The mean over the concepts that a note has or is said to have: every concept weighs the same.
  public var macro: PrecisionRecall
  /// Micro averages over the concepts of each bucket, in the order of the buckets.
  public var buckets: [Group]
  /// Micro averages over the notes of each language, in the order of their names.
  public var languages: [Group]
  /// Those that a note has or is said to have, in the order of their ids.
  public var concepts: [Group]

  /// Precision, recall and F1 of a part of the decisions.
  public struct Group: Sendable, Hashable, Codable {
    public var name: String
    /// How often a note has one of its concepts.
    public var support: Int
    public var precision: Double
    public var recall: Double
    public var f1: Double

    init(_ name: String, _ counts: BinaryCounts) {
      self.name = name
      support = counts.support
      precision = counts.precision
      recall = counts.recall
      f1 = counts.f1
    }
  }

  enum CodingKeys: String, CodingKey {
    case notes, loss, accuracy
    case exactMatch = "exact_match"
    case micro, macro, buckets, languages, concepts
  }

  /// - Parameters:
  ///   - logits: `[notes, concepts]`, row by row.
  ///   - actual: for each note its concepts.
  ///   - threshold: from which probability on a note is taken to have a concept.
  ///   - languages: of the notes; nil where one does not say.
  init(
    logits: [Float], actual: [Set<Int>], languages: [String?], concepts: [ConceptMapping.Entry], threshold: Double
  ) {
    let count = concepts.count
    var loss = 0.0
    var predicted: [Set<Int>] = []
    let least = Float(log(threshold / (1 - threshold)))
    for (note, truth) in actual.enumerated() {
      var found: Set<Int> = []
      for concept in 0..<count {
        let logit = logits[note * count + concept]
        let z = Double(logit)
        loss += max(z, 0) + log1p(exp(-abs(z))) - (truth.contains(concept) ? z : 0)
        if logit >= least { found.insert(concept) }
      }
      predicted.append(found)
    }
    self.init(predicted: predicted, actual: actual, languages: languages, concepts: concepts)
    self.loss = logits.isEmpty ? 0 : loss / Double(logits.count)
  }

  /// The measures of decisions that have no probabilities; their loss is 0.
  init(predicted: [Set<Int>], actual: [Set<Int>], languages: [String?], concepts: [ConceptMapping.Entry]) {
    notes = actual.count
    loss = 0
    let report = LabelReport(labels: concepts.map(\.id), actual: actual, predicted: predicted)
    let wrong = zip(actual, predicted).map { $0.symmetricDifference($1).count }
    let decisions = actual.count * concepts.count
    accuracy = decisions == 0 ? 0 : 1 - Double(wrong.reduce(0, +)) / Double(decisions)
    exactMatch = actual.isEmpty ? 0 : Double(wrong.count { $0 == 0 }) / Double(actual.count)
    micro = report.micro
    let told = concepts.indices.filter { report.counts[$0].support + report.counts[$0].falsePositives > 0 }
    macro = LabelReport(labels: told.map { concepts[$0].id }, counts: told.map { report.counts[$0] }).macro
    buckets = ConceptBucket.allCases.compactMap { bucket in
      let own = concepts.indices.filter { concepts[$0].bucket == bucket }
      return own.isEmpty ? nil : Group(bucket.rawValue, own.reduce(BinaryCounts()) { $0 + report.counts[$1] })
    }
    var counts: [String: BinaryCounts] = [:]
    for (note, language) in languages.enumerated() {
      guard let language else { continue }
      let (truth, found) = (actual[note], predicted[note])
      let both = truth.intersection(found).count
      counts[language, default: BinaryCounts()] =
        counts[language, default: BinaryCounts()]
        + BinaryCounts(
          truePositives: both, falsePositives: found.count - both, falseNegatives: truth.count - both)
    }
    self.languages = counts.sorted { $0.key < $1.key }.map { Group($0.key, $0.value) }
    self.concepts = told.map { Group(concepts[$0].id, report.counts[$0]) }
  }
}
