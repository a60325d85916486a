// How the store's columns hold what SQL has no type for: metrics and tags as JSON text, embeddings as bytes.

import Datasets
import Foundation

enum StoredJSON {
  static func text(_ metrics: [String: Double]) -> String {
    var text: [UInt8] = [UInt8(ascii: "{")]
    for (index, name) in metrics.keys.sorted().enumerated() {
      if index > 0 { text.append(contentsOf: ", ".utf8) }
      JSONWriter.append(name, to: &text)
      text.append(contentsOf: ": ".utf8)
      JSONWriter.append(metrics[name]!, to: &text)
    }
    text.append(UInt8(ascii: "}"))
    return String(decoding: text, as: UTF8.self)
  }

  static func text(_ tags: [String]) -> String {
    var text: [UInt8] = [UInt8(ascii: "[")]
    for (index, tag) in tags.enumerated() {
      if index > 0 { text.append(contentsOf: ", ".utf8) }
      JSONWriter.append(tag, to: &text)
    }
    text.append(UInt8(ascii: "]"))
    return String(decoding: text, as: UTF8.self)
  }

  static func metrics(_ text: String) throws -> [String: Double] {
    text == "{}" ? [:] : try JSONDecoder().decode([String: Double].self, from: Data(text.utf8))
  }

  static func tags(_ text: String) throws -> [String] {
    text == "[]" ? [] : try JSONDecoder().decode([String].self, from: Data(text.utf8))
  }

  static func data(_ floats: [Float]) -> Data {
    floats.map(\.bitPattern.littleEndian).withUnsafeBytes { Data($0) }
  }

  /// The numbers of a column; bytes past the last whole number count for nothing.
  static func floats(_ data: Data) -> [Float] {
    data.withUnsafeBytes { bytes in
      (0..<bytes.count / 4).map { index in
        Float(bitPattern: UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: index * 4, as: UInt32.self)))
      }
    }
  }
}
