// Writing the values of a test data set.

internal import COnnxSchema
internal import CProtobufC
import Tensors

extension DataValue {
  /// The value in the format's binary form.
  /// - Throws: `ONNXError.notWritable` where the content is not of the kind that it states.
  public func serialized() throws(ONNXError) -> [UInt8] {
    var writer = ModelWriter()
    let message = try writer.data(self)
    return try withExtendedLifetime((self, writer.arena)) { () throws(ONNXError) in try packed(message) }
  }

  /// Writes a file of this one value. The file appears whole or not at all.
  /// - Throws: `ONNXError.file` or `.notWritable`.
  public func write(to path: String) throws(ONNXError) {
    var writer = ModelWriter()
    let message = try writer.data(self)
    try withExtendedLifetime((self, writer.arena)) { () throws(ONNXError) in try ONNX.write(message, to: path) }
  }

  fileprivate var kind: Kind {
    switch content {
    case .tensor: .tensor
    case .sparseTensor: .sparseTensor
    case .sequence: .sequence
    case .map: .map
    case .optional: .optional
    }
  }
}

extension ModelWriter {
  fileprivate mutating func data(_ value: DataValue) throws(ONNXError) -> UnsafePointer<ProtobufCMessage> {
    switch value.content {
    case .tensor(let tensor): generic(try dataTensor(value.name, tensor))
    case .sparseTensor(let sparse): generic(try sparseTensor(sparse))
    case .sequence(let values, let kind): generic(try sequence(value.name, values, kind))
    case .map(let keys, let values, let kind): generic(try map(value.name, keys, values, kind))
    case .optional(let inner, let kind): generic(try optional(value.name, inner, kind))
    }
  }

  private func generic(_ message: UnsafeMutablePointer<some Any>) -> UnsafePointer<ProtobufCMessage> {
    UnsafeRawPointer(message).assumingMemoryBound(to: ProtobufCMessage.self)
  }

  private mutating func dataTensor(
    _ name: String, _ tensor: Tensor
  ) throws(ONNXError) -> UnsafeMutablePointer<RankerkitOnnx__TensorProto> {
    try self.tensor(Initializer(name, tensor), mayBeExternal: false)
  }

  private mutating func sequence(
    _ name: String, _ values: [DataValue], _ kind: DataValue.Kind
  ) throws(ONNXError) -> UnsafeMutablePointer<RankerkitOnnx__SequenceProto> {
    let proto = arena.message(rankerkit_onnx__sequence_proto__init)
    proto.pointee.name = try text(name)
    (proto.pointee.has_elem_type, proto.pointee.elem_type) = (1, kind.rawValue)
    if let other = values.first(where: { $0.kind != kind }) {
      throw .notWritable(location: name, problem: "a sequence of \(kind)s has a \(other.kind) in it")
    }
    switch kind {
    case .undefined: break
    case .tensor:
      (proto.pointee.n_tensor_values, proto.pointee.tensor_values) = try list(values, "tensor_values") {
        (writer, value) throws(ONNXError) in
        guard case .tensor(let tensor) = value.content else { preconditionFailure("the kind was checked") }
        return try writer.dataTensor(value.name, tensor)
      }
    case .sparseTensor:
      (proto.pointee.n_sparse_tensor_values, proto.pointee.sparse_tensor_values) = try list(
        values, "sparse_tensor_values"
      ) { (writer, value) throws(ONNXError) in
        guard case .sparseTensor(let sparse) = value.content else { preconditionFailure("the kind was checked") }
        return try writer.sparseTensor(sparse)
      }
    case .sequence:
      (proto.pointee.n_sequence_values, proto.pointee.sequence_values) = try list(values, "sequence_values") {
        (writer, value) throws(ONNXError) in
        guard case .sequence(let inner, let kind) = value.content else { preconditionFailure("the kind was checked") }
        return try writer.sequence(value.name, inner, kind)
      }
    case .map:
      (proto.pointee.n_map_values, proto.pointee.map_values) = try list(values, "map_values") {
        (writer, value) throws(ONNXError) in
        guard case .map(let keys, let inner, let kind) = value.content else {
          preconditionFailure("the kind was checked")
        }
        return try writer.map(value.name, keys, inner, kind)
      }
    case .optional:
      (proto.pointee.n_optional_values, proto.pointee.optional_values) = try list(values, "optional_values") {
        (writer, value) throws(ONNXError) in
        guard case .optional(let inner, let kind) = value.content else { preconditionFailure("the kind was checked") }
        return try writer.optional(value.name, inner, kind)
      }
    }
    return proto
  }

  private mutating func map(
    _ name: String, _ keys: Tensor, _ values: [DataValue], _ kind: DataValue.Kind
  ) throws(ONNXError) -> UnsafeMutablePointer<RankerkitOnnx__MapProto> {
    guard keys.elementCount == values.count else {
      throw .notWritable(location: name, problem: "a map of \(keys.elementCount) keys and \(values.count) values")
    }
    let proto = arena.message(rankerkit_onnx__map_proto__init)
    proto.pointee.name = try text(name)
    (proto.pointee.has_key_type, proto.pointee.key_type) = (1, keys.elementType.rawValue)
    switch keys.elementType {
    case .string:
      (proto.pointee.n_string_keys, proto.pointee.string_keys) = (values.count, arena.copy(keys.strings.map(bytes)))
    case .int64:
      (proto.pointee.n_keys, proto.pointee.keys) = (values.count, arena.copy(keys.elements(as: Int64.self)))
    default:
      throw .notWritable(
        location: name, problem: "a map with keys of type \(keys.elementType); int64 or string is needed")
    }
    proto.pointee.values = try nested("values") { (writer) throws(ONNXError) in
      try writer.sequence("", values, kind)
    }
    return proto
  }

  private mutating func optional(
    _ name: String, _ value: DataValue?, _ kind: DataValue.Kind
  ) throws(ONNXError) -> UnsafeMutablePointer<RankerkitOnnx__OptionalProto> {
    let proto = arena.message(rankerkit_onnx__optional_proto__init)
    proto.pointee.name = try text(name)
    (proto.pointee.has_elem_type, proto.pointee.elem_type) = (1, kind.rawValue)
    guard let value else { return proto }
    try nested("value") { (writer) throws(ONNXError) in
      switch value.content {
      case .tensor(let tensor): proto.pointee.tensor_value = try writer.dataTensor(value.name, tensor)
      case .sparseTensor(let sparse): proto.pointee.sparse_tensor_value = try writer.sparseTensor(sparse)
      case .sequence(let inner, let kind): proto.pointee.sequence_value = try writer.sequence(value.name, inner, kind)
      case .map(let keys, let inner, let kind):
        proto.pointee.map_value = try writer.map(value.name, keys, inner, kind)
      case .optional(let inner, let kind): proto.pointee.optional_value = try writer.optional(value.name, inner, kind)
      }
    }
    return proto
  }
}
