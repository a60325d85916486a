// The values of a test data set that are not plain tensors: sequences and optionals.

internal import COnnxSchema
internal import CProtobufC
import Tensors

/// A value recorded in a file of its own, such as `input_0.pb` of a test data set.
public indirect enum RecordedValue: Sendable, Equatable {
  case tensor(Initializer)
  case sequence([RecordedValue])
  case optional(RecordedValue?)

  /// Reads a file as the kind of value that the graph declares, since the file does not tell its own kind.
  /// - Throws: `ONNXError.file`, `.malformed` or `.externalData`.
  public init(contentsOf path: String, type: ValueType?) throws(ONNXError) {
    switch type {
    case .sequence?:
      self = try Self.read(
        path, RankerkitOnnx__SequenceProto(), rankerkit_onnx__sequence_proto__init, \.base.descriptor
      ) {
        (reader, proto) throws(ONNXError) in try reader.sequence(proto)
      }
    case .optional?:
      self = try Self.read(
        path, RankerkitOnnx__OptionalProto(), rankerkit_onnx__optional_proto__init, \.base.descriptor
      ) {
        (reader, proto) throws(ONNXError) in try reader.optional(proto)
      }
    default: self = .tensor(try Initializer(contentsOf: path))
    }
  }

  private static func read<Message>(
    _ path: String, _ empty: Message, _ initialize: (UnsafeMutablePointer<Message>) -> Void,
    _ descriptor: KeyPath<Message, UnsafePointer<ProtobufCMessageDescriptor>?>,
    _ body: (ModelReader, Message) throws(ONNXError) -> RecordedValue
  ) throws(ONNXError) -> RecordedValue {
    let file = try MappedFile(path)
    do throws(ONNXError) {
      let reader = ModelReader(
        source: file.bytes, externalData: ExternalDataFiles(directory: directory(of: path)))
      var prototype = empty
      initialize(&prototype)
      return try withUnpacked(file.bytes, as: prototype[keyPath: descriptor]!) {
        (proto: UnsafePointer<Message>) throws(ONNXError) in try body(reader, proto.pointee)
      }
    } catch {
      throw error.inside(path)
    }
  }
}

extension ModelReader {
  func sequence(_ proto: RankerkitOnnx__SequenceProto) throws(ONNXError) -> RecordedValue {
    guard proto.n_sparse_tensor_values == 0, proto.n_map_values == 0 else {
      throw .malformed(location: "", problem: "a recorded sequence of sparse tensors or maps is not read")
    }
    let tensors = try list(proto.n_tensor_values, proto.tensor_values, "tensor_values", initializer)
    let sequences = try list(proto.n_sequence_values, proto.sequence_values, "sequence_values", sequence)
    let optionals = try list(proto.n_optional_values, proto.optional_values, "optional_values", optional)
    return .sequence(tensors.map(RecordedValue.tensor) + sequences + optionals)
  }

  func optional(_ proto: RankerkitOnnx__OptionalProto) throws(ONNXError) -> RecordedValue {
    if let tensor = proto.tensor_value { return .optional(.tensor(try initializer(tensor.pointee))) }
    if let sequence = proto.sequence_value { return .optional(try self.sequence(sequence.pointee)) }
    if let value = proto.optional_value { return .optional(try optional(value.pointee)) }
    guard proto.map_value == nil, proto.sparse_tensor_value == nil else {
      throw .malformed(location: "", problem: "a recorded optional of a map or sparse tensor is not read")
    }
    return .optional(nil)
  }
}
