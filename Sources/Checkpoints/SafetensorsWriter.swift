// Writes safetensors as the format's reference implementation does, byte for byte.

import Tensors

enum SafetensorsWriter {
  /// Writes the file and gives the sink back. Tensors' bytes go to the sink as they lie in memory.
  static func write<Sink: ByteSink>(_ file: SafetensorsFile, to sink: Sink, path: String) throws -> Sink {
    var sink = sink
    let entries = try sorted(file.tensors, path: path)
    var header = header(of: entries, metadata: file.metadata)
    // Spaces up to 8 bytes, so that the first tensor is aligned.
    header.append(contentsOf: repeatElement(UInt8(ascii: " "), count: (8 - header.count % 8) % 8))
    guard header.count <= SafetensorsReader.maximumHeaderSize else {
      throw CheckpointError.unsupported(
        path: path, found: "a header of \(header.count) bytes", advice: "the format allows 100 MB: shorten the metadata"
      )
    }
    var start: [UInt8] = []
    start.append(littleEndian: UInt64(header.count))
    try start.withUnsafeBytes { try sink.write($0) }
    try header.withUnsafeBytes { try sink.write($0) }
    for entry in entries { try entry.tensor.withUnsafeBytes { try sink.write($0) } }
    return sink
  }

  private typealias Entry = (name: String, tensor: Tensor, rank: Int)

  private static func sorted(_ tensors: StateDictionary, path: String) throws -> [Entry] {
    var entries: [Entry] = []
    for (name, tensor) in tensors {
      guard let rank = SafetensorsTypes.rank(of: tensor.elementType) else {
        throw CheckpointError.unsupported(
          path: path, found: "\"\(name)\" of type \(tensor.elementType)", advice: "safetensors has no such type")
      }
      guard name != "__metadata__" else {
        throw CheckpointError.unsupported(
          path: path, found: "a tensor named \"__metadata__\"", advice: "the format keeps that name: choose another")
      }
      guard tensor.elementCount * tensor.elementType.bitWidth! % 8 == 0 else {
        throw CheckpointError.unsupported(
          path: path, found: "\"\(name)\" of \(tensor.elementCount) elements that end within a byte",
          advice: "safetensors takes whole bytes: pad it")
      }
      entries.append((name, tensor, rank))
    }
    return entries.sorted { a, b in
      a.rank != b.rank ? a.rank < b.rank : a.name.utf8.lexicographicallyPrecedes(b.name.utf8)
    }
  }

  private static func header(of entries: [Entry], metadata: [String: String]) -> [UInt8] {
    var json: [UInt8] = [UInt8(ascii: "{")]
    if !metadata.isEmpty {
      json.append(contentsOf: #""__metadata__":{"#.utf8)
      let sorted = metadata.sorted { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }
      for (index, entry) in sorted.enumerated() {
        if index > 0 { json.append(UInt8(ascii: ",")) }
        json.append(quoted: entry.key)
        json.append(UInt8(ascii: ":"))
        json.append(quoted: entry.value)
      }
      json.append(UInt8(ascii: "}"))
    }
    var offset = 0
    for entry in entries {
      if json.count > 1 { json.append(UInt8(ascii: ",")) }
      let shape = entry.tensor.shape.map(String.init).joined(separator: ",")
      let end = offset + entry.tensor.byteCount
      json.append(quoted: entry.name)
      json.append(
        contentsOf: #":{"dtype":"\#(SafetensorsTypes.all[entry.rank].name)","shape":[\#(shape)],"#.utf8)
      json.append(contentsOf: #""data_offsets":[\#(offset),\#(end)]}"#.utf8)
      offset = end
    }
    json.append(UInt8(ascii: "}"))
    return json
  }
}

extension [UInt8] {
  /// Appends a JSON string: quotes, backslashes and control characters escaped, all else as it is.
  fileprivate mutating func append(quoted text: String) {
    append(UInt8(ascii: "\""))
    for byte in text.utf8 {
      switch byte {
      case UInt8(ascii: "\""): append(contentsOf: #"\""#.utf8)
      case UInt8(ascii: "\\"): append(contentsOf: #"\\"#.utf8)
      case 0x08: append(contentsOf: #"\b"#.utf8)
      case 0x09: append(contentsOf: #"\t"#.utf8)
      case 0x0A: append(contentsOf: #"\n"#.utf8)
      case 0x0C: append(contentsOf: #"\f"#.utf8)
      case 0x0D: append(contentsOf: #"\r"#.utf8)
      case 0..<0x20:
        append(contentsOf: (byte < 0x10 ? #"\u000"# : #"\u00"#).utf8)
        append(contentsOf: String(byte, radix: 16).utf8)
      default: append(byte)
      }
    }
    append(UInt8(ascii: "\""))
  }
}
