// From protobuf-c's structs to the value types. Each function reads one message.

internal import COnnxSchema
internal import CProtobufC
import Tensors

/// Reads messages that were unpacked from a skeleton of `source`.
struct ModelReader {
  /// The encoded message, into which the skeleton's raw data references point.
  let source: UnsafeRawBufferPointer
  /// The files that tensors may name as their data.
  let externalData: ExternalDataFiles

  typealias List<Message> = UnsafeMutablePointer<UnsafeMutablePointer<Message>?>?

  // MARK: Model

  func model(_ proto: RankerkitOnnx__ModelProto) throws(ONNXError) -> Model {
    guard let graph = proto.graph else {
      throw .malformed(location: "", problem: "there is no graph in it; it may be a file of another kind")
    }
    var model = Model(
      irVersion: proto.has_ir_version != 0 ? proto.ir_version : 0,
      operatorSets: try list(proto.n_opset_import, proto.opset_import, "opset_import", operatorSet),
      graph: try self.graph(graph.pointee, "graph"))
    model.producerName = text(proto.producer_name)
    model.producerVersion = text(proto.producer_version)
    model.domain = text(proto.domain)
    model.modelVersion = proto.has_model_version != 0 ? proto.model_version : nil
    model.documentation = text(proto.doc_string)
    model.metadata = try metadata(proto.n_metadata_props, proto.metadata_props)
    model.functions = try list(proto.n_functions, proto.functions, "functions", function)
    model.trainingInfo = try list(proto.n_training_info, proto.training_info, "training_info", trainingInfo)
    model.deviceConfigurations = try list(
      proto.n_configuration, proto.configuration, "configuration", deviceConfiguration)
    model.unknownFields = UnknownFields(proto.base)
    return model
  }

  func operatorSet(_ proto: RankerkitOnnx__OperatorSetIdProto) throws(ONNXError) -> OperatorSet {
    var set = OperatorSet(domain: text(proto.domain) ?? "", version: proto.has_version != 0 ? proto.version : 0)
    if proto.domain == nil { set.presence.note(.domain) }
    set.unknownFields = UnknownFields(proto.base)
    return set
  }

  func entry(_ proto: RankerkitOnnx__StringStringEntryProto) throws(ONNXError) -> MetadataEntry {
    var entry = MetadataEntry(key: text(proto.key) ?? "", value: text(proto.value) ?? "")
    if proto.key == nil { entry.presence.note(.key) }
    if proto.value == nil { entry.presence.note(.value) }
    entry.unknownFields = UnknownFields(proto.base)
    return entry
  }

  func metadata(
    _ count: Int, _ items: List<RankerkitOnnx__StringStringEntryProto>, _ field: StaticString = "metadata_props"
  ) throws(ONNXError) -> [MetadataEntry] {
    try list(count, items, field, entry)
  }

  func function(_ proto: RankerkitOnnx__FunctionProto) throws(ONNXError) -> Function {
    var function = Function(name: text(proto.name) ?? "", domain: text(proto.domain) ?? "")
    if proto.name == nil { function.presence.note(.name) }
    if proto.domain == nil { function.presence.note(.domain) }
    function.overload = text(proto.overload)
    function.inputs = texts(proto.n_input, proto.input)
    function.outputs = texts(proto.n_output, proto.output)
    function.attributeNames = texts(proto.n_attribute, proto.attribute)
    function.attributeDefaults = try list(
      proto.n_attribute_proto, proto.attribute_proto, "attribute_proto", attribute)
    function.nodes = try list(proto.n_node, proto.node, "node", node)
    function.operatorSets = try list(proto.n_opset_import, proto.opset_import, "opset_import", operatorSet)
    function.valueInfo = try list(proto.n_value_info, proto.value_info, "value_info", valueInfo)
    function.documentation = text(proto.doc_string)
    function.metadata = try metadata(proto.n_metadata_props, proto.metadata_props)
    function.unknownFields = UnknownFields(proto.base)
    return function
  }

  func trainingInfo(_ proto: RankerkitOnnx__TrainingInfoProto) throws(ONNXError) -> TrainingInfo {
    var info = TrainingInfo()
    if let graph = proto.initialization { info.initialization = try self.graph(graph.pointee, "initialization") }
    if let graph = proto.algorithm { info.algorithm = try self.graph(graph.pointee, "algorithm") }
    info.initializationBindings = try metadata(
      proto.n_initialization_binding, proto.initialization_binding, "initialization_binding")
    info.updateBindings = try metadata(proto.n_update_binding, proto.update_binding, "update_binding")
    info.unknownFields = UnknownFields(proto.base)
    return info
  }

  // MARK: Graph

  func graph(_ proto: RankerkitOnnx__GraphProto, _ field: StaticString) throws(ONNXError) -> Graph {
    do throws(ONNXError) { return try graph(proto) } catch { throw error.inside("\(field)") }
  }

  func graph(_ proto: RankerkitOnnx__GraphProto) throws(ONNXError) -> Graph {
    var graph = Graph(
      name: text(proto.name) ?? "",
      nodes: try list(proto.n_node, proto.node, "node", node),
      initializers: try list(proto.n_initializer, proto.initializer, "initializer", initializer),
      inputs: try list(proto.n_input, proto.input, "input", valueInfo),
      outputs: try list(proto.n_output, proto.output, "output", valueInfo))
    if proto.name == nil { graph.presence.note(.name) }
    graph.sparseInitializers = try list(
      proto.n_sparse_initializer, proto.sparse_initializer, "sparse_initializer", sparseTensor)
    graph.valueInfo = try list(proto.n_value_info, proto.value_info, "value_info", valueInfo)
    graph.quantizationAnnotations = try list(
      proto.n_quantization_annotation, proto.quantization_annotation, "quantization_annotation", annotation)
    graph.documentation = text(proto.doc_string)
    graph.metadata = try metadata(proto.n_metadata_props, proto.metadata_props)
    graph.unknownFields = UnknownFields(proto.base)
    return graph
  }

  func annotation(_ proto: RankerkitOnnx__TensorAnnotation) throws(ONNXError) -> QuantizationAnnotation {
    var annotation = QuantizationAnnotation(
      tensorName: text(proto.tensor_name) ?? "",
      parameters: try metadata(
        proto.n_quant_parameter_tensor_names, proto.quant_parameter_tensor_names, "quant_parameter_tensor_names"))
    if proto.tensor_name == nil { annotation.presence.note(.name) }
    annotation.unknownFields = UnknownFields(proto.base)
    return annotation
  }

  func node(_ proto: RankerkitOnnx__NodeProto) throws(ONNXError) -> Node {
    var node = Node(
      text(proto.op_type) ?? "", domain: text(proto.domain) ?? "", name: text(proto.name) ?? "",
      inputs: texts(proto.n_input, proto.input), outputs: texts(proto.n_output, proto.output))
    if proto.op_type == nil { node.presence.note(.kind) }
    if proto.domain != nil, node.domain.isEmpty { node.presence.note(.domain) }
    if proto.name != nil, node.name.isEmpty { node.presence.note(.name) }
    do throws(ONNXError) {
      node.attributes = try list(proto.n_attribute, proto.attribute, "attribute", attribute)
    } catch {
      throw error.inside("\(node.operatorType)\(node.name.isEmpty ? "" : " '\(node.name)'")")
    }
    node.overload = text(proto.overload)
    node.documentation = text(proto.doc_string)
    node.metadata = try metadata(proto.n_metadata_props, proto.metadata_props)
    node.deviceConfigurations = try list(
      proto.n_device_configurations, proto.device_configurations, "device_configurations", nodeDeviceConfiguration)
    node.unknownFields = UnknownFields(proto.base)
    return node
  }

  func attribute(_ proto: RankerkitOnnx__AttributeProto) throws(ONNXError) -> Attribute {
    let name = text(proto.name) ?? ""
    do throws(ONNXError) {
      var attribute = Attribute(name, try attributeValue(proto))
      if proto.name == nil { attribute.presence.note(.name) }
      attribute.reference = text(proto.ref_attr_name)
      attribute.documentation = text(proto.doc_string)
      attribute.unknownFields = UnknownFields(proto.base)
      return attribute
    } catch {
      throw error.inside("'\(name)'")
    }
  }

  // MARK: Values

  func valueInfo(_ proto: RankerkitOnnx__ValueInfoProto) throws(ONNXError) -> ValueInfo {
    var info = ValueInfo(text(proto.name) ?? "", nil)
    if proto.name == nil { info.presence.note(.name) }
    do throws(ONNXError) {
      if let type = proto.type { info.type = try valueType(type.pointee) }
    } catch {
      throw error.inside("type of '\(info.name)'")
    }
    info.documentation = text(proto.doc_string)
    info.metadata = try metadata(proto.n_metadata_props, proto.metadata_props)
    info.unknownFields = UnknownFields(proto.base)
    return info
  }

  func valueType(_ proto: RankerkitOnnx__TypeProto) throws(ONNXError) -> ValueType {
    let denotation = text(proto.denotation)
    func nested(_ type: UnsafeMutablePointer<RankerkitOnnx__TypeProto>?) throws(ONNXError) -> ValueType? {
      guard let type else { return nil }
      return try valueType(type.pointee)
    }
    switch proto.value_case {
    case RANKERKIT_ONNX__TYPE_PROTO__VALUE_TENSOR_TYPE:
      let tensor = proto.tensor_type.pointee
      return .tensor(
        try tensorType(tensor.has_elem_type != 0, tensor.elem_type, tensor.shape, tensor.base), denotation: denotation)
    case RANKERKIT_ONNX__TYPE_PROTO__VALUE_SPARSE_TENSOR_TYPE:
      let tensor = proto.sparse_tensor_type.pointee
      return .sparseTensor(
        try tensorType(tensor.has_elem_type != 0, tensor.elem_type, tensor.shape, tensor.base), denotation: denotation)
    case RANKERKIT_ONNX__TYPE_PROTO__VALUE_SEQUENCE_TYPE:
      return .sequence(try nested(proto.sequence_type.pointee.elem_type), denotation: denotation)
    case RANKERKIT_ONNX__TYPE_PROTO__VALUE_OPTIONAL_TYPE:
      return .optional(try nested(proto.optional_type.pointee.elem_type), denotation: denotation)
    case RANKERKIT_ONNX__TYPE_PROTO__VALUE_MAP_TYPE:
      let map = proto.map_type.pointee
      return .map(
        key: try elementType(map.has_key_type != 0 ? map.key_type : 0), value: try nested(map.value_type),
        denotation: denotation)
    case RANKERKIT_ONNX__TYPE_PROTO__VALUE_OPAQUE_TYPE:
      let opaque = proto.opaque_type.pointee
      return .opaque(domain: text(opaque.domain), name: text(opaque.name), denotation: denotation)
    default:
      return .undetermined(denotation: denotation, unknownFields: UnknownFields(proto.base))
    }
  }

  private func tensorType(
    _ hasType: Bool, _ type: Int32, _ shape: UnsafeMutablePointer<RankerkitOnnx__TensorShapeProto>?,
    _ base: ProtobufCMessage
  ) throws(ONNXError) -> TensorType {
    var result = TensorType(try elementType(hasType ? type : 0), nil)
    if let shape { result.shape = try list(shape.pointee.n_dim, shape.pointee.dim, "dim", dimension) }
    result.unknownFields = UnknownFields(base)
    return result
  }

  func elementType(_ number: Int32) throws(ONNXError) -> ElementType {
    guard let type = ElementType(rawValue: number) else {
      throw .malformed(location: "", problem: "\(number) is no known element type (known are 0 to 26)")
    }
    return type
  }

  private func dimension(_ proto: RankerkitOnnx__TensorShapeProto__Dimension) throws(ONNXError) -> Dimension {
    let extent: Dimension.Extent =
      switch proto.value_case {
      case RANKERKIT_ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE_DIM_VALUE: .fixed(proto.dim_value)
      case RANKERKIT_ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE_DIM_PARAM: .named(text(proto.dim_param) ?? "")
      default: .unknown
      }
    var dimension = Dimension(extent, denotation: text(proto.denotation))
    dimension.unknownFields = UnknownFields(proto.base)
    return dimension
  }

  // MARK: Pieces

  /// Reads each message of a repeated field; an error says which one.
  func list<Message, Value>(
    _ count: Int, _ items: List<Message>, _ field: StaticString, _ body: (Message) throws(ONNXError) -> Value
  ) throws(ONNXError) -> [Value] {
    var values: [Value] = []
    values.reserveCapacity(count)
    for index in 0..<count {
      guard let item = items?[index] else { continue }
      do throws(ONNXError) {
        values.append(try body(item.pointee))
      } catch {
        throw error.inside("\(field)[\(index)]")
      }
    }
    return values
  }

  func text(_ text: UnsafePointer<CChar>?) -> String? { text.map { String(cString: $0) } }

  func texts(_ count: Int, _ items: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?) -> [String] {
    (0..<count).map { index in items?[index].map { String(cString: $0) } ?? "" }
  }

  func bytes(_ data: ProtobufCBinaryData) -> ByteString {
    ByteString(UnsafeRawBufferPointer(start: data.data, count: data.len))
  }
}

extension UnknownFields {
  init(_ message: ProtobufCMessage) {
    for index in 0..<Int(message.n_unknown_fields) {
      let field = message.unknown_fields[index]
      var tag = UInt64(field.tag) << 3 | UInt64(field.wire_type.rawValue)
      while tag >= 0x80 {
        bytes.append(UInt8(truncatingIfNeeded: tag) | 0x80)
        tag >>= 7
      }
      bytes.append(UInt8(tag))
      // protobuf-c keeps a length before the data where the wire type has one.
      bytes.append(contentsOf: UnsafeBufferPointer(start: field.data, count: field.len))
    }
  }
}
