// concept_mapping.json: the concepts by the numbers of the graph's outputs.

import Foundation
import Verification

/// The concepts of a model, in the order of its outputs.
public struct ConceptMapping: Sendable, Hashable, Codable {
  /// A concept of a model.
  public struct Entry: Sendable, Hashable, Codable {
    public var id: String
    public var label: String
    public var bucket: ConceptBucket
  }

  /// The output `n` of the graph is about `concepts[n]`.
  public var concepts: [Entry]

  /// - Parameter redacts: keeps what identifies a person out of the labels. Ids stay: they are what data is told by.
  init(_ lexicon: Lexicon, redacts: Bool) {
    concepts = lexicon.concepts.map {
      Entry(id: $0.id, label: redacts ? Redaction.redact($0.label) : $0.label, bucket: $0.bucket)
    }
  }

  /// - Throws: `ModelError.notAModel` where it is missing or damaged.
  public init(contentsOf path: String) throws {
    do { self = try JSONDecoder().decode(Self.self, from: Data(contentsOf: URL(fileURLWithPath: path))) } catch {
      throw ModelError.notAModel(path: path, problem: "does not name the concepts of a model: \(error)")
    }
  }

  /// The JSON text; the same concepts give the same bytes.
  func json() throws -> [UInt8] { try ConceptJSON.encoded(self) }
}

/// How the JSON files of a model are written.
enum ConceptJSON {
  static func encoded(_ value: some Encodable) throws -> [UInt8] {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    return Array(try encoder.encode(value)) + [UInt8(ascii: "\n")]
  }
}
