// label_map.json: the labels by their numbers, for programs that read neither config.json nor our metadata.

import Foundation

/// The labels of a classifier's outputs and from which probability on each counts.
public struct LabelMap: Sendable, Hashable, Codable {
  /// The label of each output: `{"0": "000", "1": "100"}`.
  public var id2label: [String: String]
  /// The output of each label.
  public var label2id: [String: Int]
  /// From which probability on a text has the label.
  public var thresholds: [String: Double]

  /// - Precondition: as many thresholds as labels.
  public init(labels: [String], thresholds: [Double]) {
    precondition(labels.count == thresholds.count)
    id2label = Dictionary(uniqueKeysWithValues: labels.enumerated().map { ("\($0)", $1) })
    label2id = Dictionary(labels.enumerated().map { ($1, $0) }, uniquingKeysWith: { first, _ in first })
    self.thresholds = Dictionary(zip(labels, thresholds), uniquingKeysWith: { first, _ in first })
  }

  /// The JSON text; the same labels give the same bytes.
  public func json() throws -> [UInt8] {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    return Array(try encoder.encode(self)) + [UInt8(ascii: "\n")]
  }
}
