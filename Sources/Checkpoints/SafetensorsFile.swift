// A safetensors file: a JSON header that says where each tensor lies, then the tensors' bytes.

import Tensors

/// The contents of a safetensors file: tensors, and text that the writer wanted to add.
public struct SafetensorsFile: Sendable, Equatable {
  public var tensors: StateDictionary
  /// `__metadata__` of the header.
  public var metadata: [String: String]

  public init(tensors: StateDictionary, metadata: [String: String] = [:]) {
    self.tensors = tensors
    self.metadata = metadata
  }

  /// Reads a file. The tensors are in the order of its header.
  ///
  /// - Throws: `CheckpointError` for whatever the format's specification does not allow: a header over 100 MB, a name
  ///   twice, bytes that belong to no tensor or to two.
  public init(contentsOf path: String) throws {
    self = try withBytes(ofFile: path) { try SafetensorsReader.read($0, path: path) }
  }

  /// Reads the bytes of a file.
  ///
  /// - Parameter source: What to call the bytes in errors.
  public init(bytes: UnsafeRawBufferPointer, source: String = "the safetensors bytes") throws {
    self = try SafetensorsReader.read(bytes, path: source)
  }

  /// Writes the file as the format's reference implementation lays it out, byte for byte.
  public func write(to path: String) throws {
    try writeFile(to: path) { _ = try SafetensorsWriter.write(self, to: $0, path: path) }
  }

  /// The bytes that `write(to:)` writes.
  public func bytes() throws -> [UInt8] {
    try SafetensorsWriter.write(self, to: MemorySink(), path: "the safetensors file").bytes
  }
}

/// The format's names for element types, in the order in which its reference writer lays tensors out: widest first,
/// so that every tensor is aligned.
enum SafetensorsTypes {
  static let all: [(name: String, type: ElementType)] = [
    ("U64", .uint64), ("I64", .int64), ("F64", .double), ("C64", .complex64), ("F32", .float), ("U32", .uint32),
    ("I32", .int32), ("BF16", .bfloat16), ("F16", .float16), ("U16", .uint16), ("I16", .int16),
    ("F8_E5M2FNUZ", .float8e5m2fnuz), ("F8_E4M3FNUZ", .float8e4m3fnuz), ("F8_E8M0", .float8e8m0),
    ("F8_E4M3", .float8e4m3fn), ("F8_E5M2", .float8e5m2), ("I8", .int8), ("U8", .uint8), ("F4", .float4e2m1),
    ("BOOL", .bool),
  ]

  static func type(named name: String) -> ElementType? { all.first { $0.name == name }?.type }
  static func rank(of type: ElementType) -> Int? { all.firstIndex { $0.type == type } }
}
