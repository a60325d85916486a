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

  /// The type that the attribute states. Files before IR version 2 state none: then it is the field that is there.
  private func attributeType(
    _ proto: RankerkitOnnx__AttributeProto
  ) throws(ONNXError) -> RankerkitOnnx__AttributeProto__AttributeType {
    if proto.has_type != 0, proto.type != RANKERKIT_ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__UNDEFINED {
      return proto.type
    }
    let present: [(Bool, RankerkitOnnx__AttributeProto__AttributeType)] = [
      (proto.has_f != 0, RANKERKIT_ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__FLOAT),
      (proto.has_i != 0, RANKERKIT_ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__INT),
      (proto.has_s != 0, RANKERKIT_ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__STRING),
      (proto.t != nil, RANKERKIT_ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__TENSOR),
      (proto.g != nil, RANKERKIT_ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__GRAPH),
      (proto.n_floats > 0, RANKERKIT_ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__FLOATS),
      (proto.n_ints > 0, RANKERKIT_ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__INTS),
      (proto.n_strings > 0, RANKERKIT_ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__STRINGS),
      (proto.n_tensors > 0, RANKERKIT_ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__TENSORS),
      (proto.n_graphs > 0, RANKERKIT_ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__GRAPHS),
      (proto.sparse_tensor != nil, RANKERKIT_ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__SPARSE_TENSOR),
      (proto.n_sparse_tensors > 0, RANKERKIT_ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__SPARSE_TENSORS),
      (proto.tp != nil, RANKERKIT_ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__TYPE_PROTO),
      (proto.n_type_protos > 0, RANKERKIT_ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__TYPE_PROTOS),
    ]
    let types = present.filter(\.0)
    guard types.count == 1 else {
      throw .malformed(location: "", problem: "it states no type and has \(types.count) values")
    }
    return types[0].1
  }

  private func optional<Message, Value>(
    _ message: UnsafeMutablePointer<Message>?, _ field: String, _ body: (Message) throws(ONNXError) -> Value
  ) throws(ONNXError) -> Value? {
    guard let message else { return nil }
    do throws(ONNXError) { return try body(message.pointee) } catch { throw error.inside(field) }
  }
}
