// Items and pairs as JSON text: one line each, keys in a fixed order, the shortest digits that read back the same.

extension Item {
  /// Appends the item as one JSON object without line breaks: keys in the order of the type, metrics by name, what is
  /// absent left out. Equal items give equal bytes.
  public func appendJSON(to text: inout [UInt8]) {
    text.append(contentsOf: "{\"id\": ".utf8)
    JSONWriter.append(id, to: &text)
    text.append(contentsOf: ", \"item_type\": ".utf8)
    JSONWriter.append(itemType, to: &text)
    text.append(contentsOf: ", \"item_reference_id\": ".utf8)
    JSONWriter.append(itemReferenceID, to: &text)
    if let embedding {
      text.append(contentsOf: ", \"embedding\": [".utf8)
      for (index, number) in embedding.enumerated() {
        if index > 0 { text.append(contentsOf: ", ".utf8) }
        JSONWriter.append(number, to: &text)
      }
      text.append(UInt8(ascii: "]"))
    }
    if let embeddingID {
      text.append(contentsOf: ", \"embedding_id\": ".utf8)
      JSONWriter.append(embeddingID, to: &text)
    }
    text.append(contentsOf: ", \"metrics\": {".utf8)
    for (index, name) in metrics.keys.sorted().enumerated() {
      if index > 0 { text.append(contentsOf: ", ".utf8) }
      JSONWriter.append(name, to: &text)
      text.append(contentsOf: ": ".utf8)
      JSONWriter.append(metrics[name]!, to: &text)
    }
    text.append(UInt8(ascii: "}"))
    if let itemText = self.text {
      text.append(contentsOf: ", \"text\": ".utf8)
      JSONWriter.append(itemText, to: &text)
    }
    if let createdAt {
      text.append(contentsOf: ", \"created_at\": \"\(createdAt)\"".utf8)
    }
    text.append(UInt8(ascii: "}"))
  }
}

extension PreferencePair {
  /// Appends the pair as one JSON object without line breaks, both items whole. Equal pairs give equal bytes.
  public func appendJSON(to text: inout [UInt8]) {
    text.append(contentsOf: "{\"item_a\": ".utf8)
    itemA.appendJSON(to: &text)
    text.append(contentsOf: ", \"item_b\": ".utf8)
    itemB.appendJSON(to: &text)
    text.append(contentsOf: ", \"label\": \(label.rawValue), \"reason_tags\": [".utf8)
    for (index, tag) in reasonTags.enumerated() {
      if index > 0 { text.append(contentsOf: ", ".utf8) }
      JSONWriter.append(tag, to: &text)
    }
    text.append(UInt8(ascii: "]"))
    if let similarity {
      text.append(contentsOf: ", \"similarity\": ".utf8)
      JSONWriter.append(similarity, to: &text)
    }
    if let createdAt {
      text.append(contentsOf: ", \"created_at\": \"\(createdAt)\"".utf8)
    }
    text.append(UInt8(ascii: "}"))
  }
}

/// Strings and numbers as JSON writes them.
public enum JSONWriter {
  /// A string in quotes; control characters, quotes and backslashes escaped, all else as UTF-8.
  public static func append(_ string: String, to text: inout [UInt8]) {
    text.append(UInt8(ascii: "\""))
    for byte in string.utf8 {
      switch byte {
      case UInt8(ascii: "\""): text.append(contentsOf: "\\\"".utf8)
      case UInt8(ascii: "\\"): text.append(contentsOf: "\\\\".utf8)
      case UInt8(ascii: "\n"): text.append(contentsOf: "\\n".utf8)
      case UInt8(ascii: "\r"): text.append(contentsOf: "\\r".utf8)
      case UInt8(ascii: "\t"): text.append(contentsOf: "\\t".utf8)
      case 0..<0x20, 0x7F:
        let digits = String(byte, radix: 16)
        text.append(contentsOf: "\\u00\(digits.count == 1 ? "0" : "")\(digits)".utf8)
      default: text.append(byte)
      }
    }
    text.append(UInt8(ascii: "\""))
  }

  /// The fewest digits that read back to the same number; `null` for what JSON has no number for.
  public static func append(_ number: Float, to text: inout [UInt8]) {
    text.append(contentsOf: (number.isFinite ? number.description : "null").utf8)
  }

  /// The fewest digits that read back to the same number; `null` for what JSON has no number for.
  public static func append(_ number: Double, to text: inout [UInt8]) {
    text.append(contentsOf: (number.isFinite ? number.description : "null").utf8)
  }
}
