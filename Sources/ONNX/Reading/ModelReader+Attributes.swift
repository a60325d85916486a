// An attribute's value: the field that its type names.

internal import COnnxSchema
import Tensors

extension ModelReader {
  func attributeValue(_ proto: RankerkitOnnx__AttributeProto) throws(ONNXError) -> Attribute.Value {
    let isReference = proto.ref_attr_name != nil
    let type = try attributeType(proto)

    /// What a field holds; for a reference, whose value is the caller's, what stands for its type.
    func required<Value>(_ value: Value?, _ field: String, _ standIn: Value) throws(ONNXError) -> Value {
      if let value { return value }
      guard isReference else { throw .malformed(location: "", problem: "its type says \(field), which is absent") }
      return standIn
    }

    switch type {
    case RANKERKIT_ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__FLOAT: return .float(proto.has_f != 0 ? proto.f : 0)
    case RANKERKIT_ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__INT: return .int(proto.has_i != 0 ? proto.i : 0)
    case RANKERKIT_ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__STRING: return .string(proto.has_s != 0 ? bytes(proto.s) : "")
    case RANKERKIT_ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__TENSOR:
      return .tensor(
        try required(
          try optional(proto.t, "t", initializer), "t", Initializer("", Tensor(zeros: [0], elementType: .undefined))))
    case RANKERKIT_ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__GRAPH:
      return .graph(try required(try optional(proto.g, "g", graph), "g", Graph(name: "")))
    case RANKERKIT_ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__SPARSE_TENSOR:
      let empty = Initializer("", Tensor(zeros: [0], elementType: .undefined))
      return .sparseTensor(
        try required(
          try optional(proto.sparse_tensor, "sparse_tensor", sparseTensor), "sparse_tensor",
          SparseTensor(values: empty, indices: empty, shape: [])))
    case RANKERKIT_ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__TYPE_PROTO:
      return .type(try required(try optional(proto.tp, "tp", valueType), "tp", .undetermined()))
    case RANKERKIT_ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__FLOATS:
      return .floats(Array(UnsafeBufferPointer(start: proto.floats, count: proto.n_floats)))
    case RANKERKIT_ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__INTS:
      return .ints(Array(UnsafeBufferPointer(start: proto.ints, count: proto.n_ints)))
    case RANKERKIT_ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__STRINGS:
      return .strings(UnsafeBufferPointer(start: proto.strings, count: proto.n_strings).map(bytes))
    case RANKERKIT_ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__TENSORS:
      return .tensors(try list(proto.n_tensors, proto.tensors, "tensors", initializer))
    case RANKERKIT_ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__GRAPHS:
      return .graphs(try list(proto.n_graphs, proto.graphs, "graphs", graph))
    case RANKERKIT_ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__SPARSE_TENSORS:
      return .sparseTensors(try list(proto.n_sparse_tensors, proto.sparse_tensors, "sparse_tensors", sparseTensor))
    case RANKERKIT_ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__TYPE_PROTOS:
      return .types(try list(proto.n_type_protos, proto.type_protos, "type_protos", valueType))
    default:
      throw .malformed(location: "", problem: "\(type.rawValue) is no known attribute type (known are 1 to 14)")
    }
  }

  /// The type that the attribute states; its value must be in that type's field and in no other.
  /// Files before IR version 2 state none: then it is the type of the one field that is there.
  private func attributeType(
    _ proto: RankerkitOnnx__AttributeProto
  ) throws(ONNXError) -> RankerkitOnnx__AttributeProto__AttributeType {
    let present = presentTypes(proto)
    guard proto.has_type != 0, proto.type != RANKERKIT_ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__UNDEFINED else {
      guard present.nonzeroBitCount == 1 else {
        throw .malformed(location: "", problem: "it states no type and has \(present.nonzeroBitCount) values")
      }
      return RankerkitOnnx__AttributeProto__AttributeType(rawValue: UInt32(present.trailingZeroBitCount))
    }
    let allowed = proto.type.rawValue < 32 && proto.ref_attr_name == nil ? UInt32(1) << proto.type.rawValue : 0
    guard present & ~allowed == 0 else {
      let found = (present & ~allowed).trailingZeroBitCount
      throw .malformed(
        location: "",
        problem: proto.ref_attr_name == nil
          ? "it states the type number \(proto.type.rawValue) and has a value of the type number \(found)"
          : "it takes its value from another attribute and has one of its own")
    }
    return proto.type
  }

  /// A bit for each type, by its number, whose field has something in it.
  private func presentTypes(_ proto: RankerkitOnnx__AttributeProto) -> UInt32 {
    func bit(_ isPresent: Bool, _ type: RankerkitOnnx__AttributeProto__AttributeType) -> UInt32 {
      isPresent ? 1 << type.rawValue : 0
    }
    var bits = bit(proto.has_f != 0, RANKERKIT_ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__FLOAT)
    bits |= bit(proto.has_i != 0, RANKERKIT_ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__INT)
    bits |= bit(proto.has_s != 0, RANKERKIT_ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__STRING)
    bits |= bit(proto.t != nil, RANKERKIT_ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__TENSOR)
    bits |= bit(proto.g != nil, RANKERKIT_ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__GRAPH)
    bits |= bit(proto.n_floats > 0, RANKERKIT_ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__FLOATS)
    bits |= bit(proto.n_ints > 0, RANKERKIT_ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__INTS)
    bits |= bit(proto.n_strings > 0, RANKERKIT_ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__STRINGS)
    bits |= bit(proto.n_tensors > 0, RANKERKIT_ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__TENSORS)
    bits |= bit(proto.n_graphs > 0, RANKERKIT_ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__GRAPHS)
    bits |= bit(proto.sparse_tensor != nil, RANKERKIT_ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__SPARSE_TENSOR)
    bits |= bit(proto.n_sparse_tensors > 0, RANKERKIT_ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__SPARSE_TENSORS)
    bits |= bit(proto.tp != nil, RANKERKIT_ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__TYPE_PROTO)
    bits |= bit(proto.n_type_protos > 0, RANKERKIT_ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__TYPE_PROTOS)
    return bits
  }

  private func optional<Message, Value>(
    _ message: UnsafeMutablePointer<Message>?, _ field: String, _ body: (Message) throws(ONNXError) -> Value
  ) throws(ONNXError) -> Value? {
    guard let message else { return nil }
    do throws(ONNXError) { return try body(message.pointee) } catch { throw error.inside(field) }
  }
}
