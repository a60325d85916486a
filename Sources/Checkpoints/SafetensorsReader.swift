// Reads safetensors, with every rule of the format's specification checked before a tensor is made.

import Tensors

enum SafetensorsReader {
  /// The specification's limit.
  static let maximumHeaderSize = 100_000_000

  /// Reads the bytes of a file.
  ///
  /// - Parameter path: The file's name, for errors.
  static func read(_ bytes: UnsafeRawBufferPointer, path: String) throws -> SafetensorsFile {
    let format = FileFormat(of: bytes)
    guard format == .safetensors || format == .other else {
      throw format.refusal(path: path, wanted: "a safetensors file")
    }
    func malformed(_ place: String, _ found: String, _ expected: String) -> CheckpointError {
      .malformed(path: path, place: place, found: found, expected: expected)
    }
    var cursor = ByteCursor(bytes)
    guard let announced = cursor.read(UInt64.self) else {
      throw malformed("the start of the file", "\(bytes.count) bytes", "8 bytes with the header's size")
    }
    guard announced <= UInt64(maximumHeaderSize) else {
      throw CheckpointError.excessive(
        path: path, what: "the header of the file (if it is safetensors at all)", found: "\(announced) bytes",
        limit: "the \(maximumHeaderSize) that the format allows")
    }
    guard let json = cursor.read(count: Int(announced)) else {
      throw malformed(
        "the header", "\(cursor.remaining) bytes in the file after its size", "\(announced), as its size says")
    }
    let header = try SafetensorsHeader(json, path: path)
    let data = UnsafeRawBufferPointer(rebasing: bytes[cursor.position...])
    try check(header.entries, cover: data.count, path: path)

    var tensors = StateDictionary()
    for entry in header.entries {
      let source = UnsafeRawBufferPointer(rebasing: data[entry.start..<entry.end])
      tensors[entry.name] = Tensor(uninitialized: entry.shape, elementType: entry.elementType) { target in
        target.copyMemory(from: source)
        if entry.elementType == .bool { target.normalizeBools() }
      }
    }
    return SafetensorsFile(tensors: tensors, metadata: header.metadata)
  }

  /// Each entry has the bytes that its type and shape need, and together they are the data: no gap, no overlap.
  private static func check(_ entries: [SafetensorsHeader.Entry], cover byteCount: Int, path: String) throws {
    var position = 0
    for entry in entries.sorted(by: { ($0.start, $0.end) < ($1.start, $1.end) }) {
      func malformed(_ found: String, _ expected: String) -> CheckpointError {
        .malformed(path: path, place: "tensor \"\(entry.name)\"", found: found, expected: expected)
      }
      guard let count = entry.shape.safeElementCount,
        let (bits, overflow) = entry.elementType.bitWidth.map({ count.multipliedReportingOverflow(by: $0) }),
        !overflow, bits % 8 == 0
      else {
        throw malformed("the shape \(entry.shape)", "a number of whole bytes that memory can hold")
      }
      guard entry.start <= entry.end, entry.end <= byteCount else {
        throw malformed("data from byte \(entry.start) to \(entry.end)", "a range of the file's \(byteCount) bytes")
      }
      guard entry.end - entry.start == bits / 8 else {
        throw malformed(
          "\(entry.end - entry.start) bytes of data", "\(bits / 8) for \(entry.elementType)\(entry.shape)")
      }
      guard entry.start == position else {
        throw malformed(
          "data from byte \(entry.start)",
          "byte \(position), where the tensor before it ends (\(entry.start > position ? "a gap" : "an overlap"))")
      }
      position = entry.end
    }
    guard position == byteCount else {
      throw CheckpointError.malformed(
        path: path, place: "the data", found: "\(byteCount) bytes",
        expected: "the \(position) that the header describes")
    }
  }
}
