// Attributes and tensors as messages.

internal import COnnxSchema
internal import CProtobufC
import Tensors

extension ModelWriter {
  mutating func attribute(
    _ attribute: Attribute
  ) throws(ONNXError) -> UnsafeMutablePointer<RankerkitOnnx__AttributeProto> {
    let proto = arena.message(rankerkit_onnx__attribute_proto__init)
    proto.pointee.name = try written(attribute.name, attribute.presence, .name)
    proto.pointee.doc_string = try text(attribute.documentation)
    proto.pointee.ref_attr_name = try text(attribute.reference)
    proto.pointee.has_type = 1
    proto.pointee.type = RankerkitOnnx__AttributeProto__AttributeType(rawValue: attribute.value.typeNumber)
    // A reference has the type alone; the value is the caller's.
    if attribute.reference == nil { try value(attribute.value, &proto.pointee) }
    try unknown(attribute.unknownFields, &proto.pointee.base)
    return proto
  }

  private mutating func value(
    _ value: Attribute.Value, _ proto: inout RankerkitOnnx__AttributeProto
  ) throws(ONNXError) {
    switch value {
    case .float(let value): (proto.has_f, proto.f) = (1, value)
    case .int(let value): (proto.has_i, proto.i) = (1, value)
    case .string(let value): (proto.has_s, proto.s) = (1, bytes(value))
    case .tensor(let value):
      proto.t = try nested("t") { (writer) throws(ONNXError) in try writer.tensor(value, mayBeExternal: false) }
    case .graph(let value): proto.g = try graph(value, "g")
    case .sparseTensor(let value):
      proto.sparse_tensor = try nested("sparse_tensor") { (writer) throws(ONNXError) in
        try writer.sparseTensor(value)
      }
    case .type(let value): proto.tp = try valueType(value)
    case .floats(let values): (proto.n_floats, proto.floats) = (values.count, arena.copy(values))
    case .ints(let values): (proto.n_ints, proto.ints) = (values.count, arena.copy(values))
    case .strings(let values): (proto.n_strings, proto.strings) = (values.count, arena.copy(values.map(bytes)))
    case .tensors(let values):
      (proto.n_tensors, proto.tensors) = try list(values, "tensors") { (writer, value) throws(ONNXError) in
        try writer.tensor(value, mayBeExternal: false)
      }
    case .graphs(let values):
      (proto.n_graphs, proto.graphs) = try list(values, "graphs") { (writer, value) throws(ONNXError) in
        try writer.graph(value, "graph")
      }
    case .sparseTensors(let values):
      (proto.n_sparse_tensors, proto.sparse_tensors) = try list(values, "sparse_tensors") {
        (writer, value) throws(ONNXError) in try writer.sparseTensor(value)
      }
    case .types(let values):
      (proto.n_type_protos, proto.type_protos) = try list(values, "type_protos") {
        (writer, value) throws(ONNXError) in try writer.valueType(value)
      }
    }
  }

  mutating func sparseTensor(
    _ sparse: SparseTensor
  ) throws(ONNXError) -> UnsafeMutablePointer<RankerkitOnnx__SparseTensorProto> {
    let proto = arena.message(rankerkit_onnx__sparse_tensor_proto__init)
    proto.pointee.values = try nested("values") { (writer) throws(ONNXError) in
      try writer.tensor(sparse.values, mayBeExternal: false)
    }
    proto.pointee.indices = try nested("indices") { (writer) throws(ONNXError) in
      try writer.tensor(sparse.indices, mayBeExternal: false)
    }
    (proto.pointee.n_dims, proto.pointee.dims) = (sparse.shape.count, arena.copy(sparse.shape))
    try unknown(sparse.unknownFields, &proto.pointee.base)
    return proto
  }

  mutating func tensor(
    _ initializer: Initializer, mayBeExternal: Bool
  ) throws(ONNXError) -> UnsafeMutablePointer<RankerkitOnnx__TensorProto> {
    let proto = arena.message(rankerkit_onnx__tensor_proto__init)
    let tensor = initializer.tensor
    proto.pointee.name = try omitted(initializer.name, initializer.presence, .name)
    proto.pointee.doc_string = try text(initializer.documentation)
    (proto.pointee.n_metadata_props, proto.pointee.metadata_props) = try metadata(initializer.metadata)
    try unknown(initializer.unknownFields, &proto.pointee.base)

    let dimensions = initializer.segment?.shape ?? tensor.shape.map(Int64.init)
    (proto.pointee.n_dims, proto.pointee.dims) = (dimensions.count, arena.copy(dimensions))
    if let segment = initializer.segment {
      let part = arena.message(rankerkit_onnx__tensor_proto__segment__init)
      (part.pointee.has_begin, part.pointee.begin) = (1, segment.begin)
      (part.pointee.has_end, part.pointee.end) = (1, segment.end)
      proto.pointee.segment = part
    }

    switch tensor.elementType {
    case .undefined: break
    case .string:
      (proto.pointee.has_data_type, proto.pointee.data_type) = (1, ElementType.string.rawValue)
      (proto.pointee.n_string_data, proto.pointee.string_data) = (
        tensor.elementCount, arena.copy(tensor.strings.map(bytes))
      )
    default:
      (proto.pointee.has_data_type, proto.pointee.data_type) = (1, tensor.elementType.rawValue)
      if mayBeExternal, let externalData, externalData.takes(tensor) {
        let place = try externalData.append(tensor)
        let entries = [
          ("location", externalData.location), ("offset", try text("\(place.offset)")),
          ("length", try text("\(place.length)")),
        ]
        let items = arena.allocate(
          entries.count, of: UnsafeMutablePointer<RankerkitOnnx__StringStringEntryProto>?.self)
        for (index, entry) in entries.enumerated() {
          let item = arena.message(rankerkit_onnx__string_string_entry_proto__init)
          item.pointee.key = try text(entry.0)
          item.pointee.value = entry.1
          items[index] = item
        }
        (proto.pointee.n_external_data, proto.pointee.external_data) = (entries.count, items)
        proto.pointee.has_data_location = 1
        proto.pointee.data_location = RANKERKIT_ONNX__TENSOR_PROTO__DATA_LOCATION__EXTERNAL
      } else {
        // The storage outlives the message: the tensor is part of the value that is being written.
        let data = tensor.withUnsafeBytes { $0 }
        proto.pointee.has_raw_data = 1
        proto.pointee.raw_data = ProtobufCBinaryData(
          len: data.count, data: UnsafeMutablePointer(mutating: data.baseAddress?.assumingMemoryBound(to: UInt8.self)))
      }
    }
    return proto
  }
}

extension Attribute.Value {
  /// The number of this kind of attribute in the format.
  var typeNumber: UInt32 {
    switch self {
    case .float: 1
    case .int: 2
    case .string: 3
    case .tensor: 4
    case .graph: 5
    case .floats: 6
    case .ints: 7
    case .strings: 8
    case .tensors: 9
    case .graphs: 10
    case .sparseTensor: 11
    case .sparseTensors: 12
    case .type: 13
    case .types: 14
    }
  }
}
