// In which form rows are written: the name's suffix says it.

/// The forms in which rows are written.
public enum OutputForm: Sendable, Hashable {
  /// One JSON object with everything in it.
  case document
  /// A JSON object a line.
  case lines
  /// Separated fields, a row a line.
  case delimited(separator: UInt8)
  /// A table in columns.
  case parquet

  /// The form that a path's suffix asks for; nil where it says none.
  public init?(path: String) {
    switch path.split(separator: "/").last?.split(separator: ".").dropFirst().last.map({ $0.lowercased() }) {
    case "json": self = .document
    case "jsonl", "ndjson": self = .lines
    case "csv": self = .delimited(separator: UInt8(ascii: ","))
    case "tsv": self = .delimited(separator: UInt8(ascii: "\t"))
    case "parquet", "pq": self = .parquet
    default: return nil
    }
  }
}

/// Fields of delimited files.
public enum DelimitedText {
  /// Appends a field as RFC 4180 has it: in quotes where it holds a separator, a quote or a line break, or begins or ends
  /// with a blank, which readers take off.
  public static func append(_ text: String, separator: UInt8, to line: inout [UInt8]) {
    let bytes = text.utf8
    let needsQuotes =
      bytes.first == UInt8(ascii: " ") || bytes.last == UInt8(ascii: " ")
      || bytes.contains {
        $0 == separator || $0 == UInt8(ascii: "\"") || $0 == UInt8(ascii: "\n") || $0 == UInt8(ascii: "\r")
      }
    guard needsQuotes else {
      line.append(contentsOf: bytes)
      return
    }
    line.append(UInt8(ascii: "\""))
    for byte in bytes {
      if byte == UInt8(ascii: "\"") { line.append(byte) }
      line.append(byte)
    }
    line.append(UInt8(ascii: "\""))
  }
}
