// From the value types to protobuf-c's structs. Each function makes one message.

internal import COnnxSchema
internal import CProtobufC
import Tensors

/// Makes messages in an arena. They point into the tensors' own storage for the weights, so the value they were made
/// from must outlive them.
struct ModelWriter {
  let arena = Arena()
  /// Where large initializers go when they are not written into the model itself.
  let externalData: ExternalDataFile?
  /// How many messages enclose the one that is made; what readers refuse is not written.
  private var depth = 0

  init(externalData: ExternalDataFile? = nil) { self.externalData = externalData }

  // MARK: Model

  mutating func model(_ model: Model) throws(ONNXError) -> UnsafeMutablePointer<RankerkitOnnx__ModelProto> {
    let proto = arena.message(rankerkit_onnx__model_proto__init)
    if model.irVersion != 0 { (proto.pointee.has_ir_version, proto.pointee.ir_version) = (1, model.irVersion) }
    proto.pointee.producer_name = try text(model.producerName)
    proto.pointee.producer_version = try text(model.producerVersion)
    proto.pointee.domain = try text(model.domain)
    if let version = model.modelVersion {
      (proto.pointee.has_model_version, proto.pointee.model_version) = (1, version)
    }
    proto.pointee.doc_string = try text(model.documentation)
    proto.pointee.graph = try graph(model.graph, "graph")
    (proto.pointee.n_opset_import, proto.pointee.opset_import) = try list(model.operatorSets, "opset_import") {
      (writer, set) throws(ONNXError) in try writer.operatorSet(set)
    }
    (proto.pointee.n_metadata_props, proto.pointee.metadata_props) = try metadata(model.metadata)
    (proto.pointee.n_training_info, proto.pointee.training_info) = try list(model.trainingInfo, "training_info") {
      (writer, info) throws(ONNXError) in try writer.trainingInfo(info)
    }
    (proto.pointee.n_functions, proto.pointee.functions) = try list(model.functions, "functions") {
      (writer, function) throws(ONNXError) in try writer.function(function)
    }
    (proto.pointee.n_configuration, proto.pointee.configuration) = try list(
      model.deviceConfigurations, "configuration"
    ) { (writer, configuration) throws(ONNXError) in try writer.deviceConfiguration(configuration) }
    try unknown(model.unknownFields, &proto.pointee.base)
    return proto
  }

  private mutating func operatorSet(
    _ set: OperatorSet
  ) throws(ONNXError) -> UnsafeMutablePointer<RankerkitOnnx__OperatorSetIdProto> {
    let proto = arena.message(rankerkit_onnx__operator_set_id_proto__init)
    proto.pointee.domain = try written(set.domain, set.presence, .domain)
    (proto.pointee.has_version, proto.pointee.version) = (1, set.version)
    try unknown(set.unknownFields, &proto.pointee.base)
    return proto
  }

  mutating func metadata(_ entries: [MetadataEntry], _ field: StaticString = "metadata_props") throws(ONNXError) -> (
    Int, List<RankerkitOnnx__StringStringEntryProto>
  ) {
    try list(entries, field) { (writer, entry) throws(ONNXError) in
      let proto = writer.arena.message(rankerkit_onnx__string_string_entry_proto__init)
      proto.pointee.key = try writer.written(entry.key, entry.presence, .key)
      proto.pointee.value = try writer.written(entry.value, entry.presence, .value)
      try writer.unknown(entry.unknownFields, &proto.pointee.base)
      return proto
    }
  }

  private mutating func function(
    _ function: Function
  ) throws(ONNXError) -> UnsafeMutablePointer<RankerkitOnnx__FunctionProto> {
    let proto = arena.message(rankerkit_onnx__function_proto__init)
    proto.pointee.name = try written(function.name, function.presence, .name)
    proto.pointee.domain = try written(function.domain, function.presence, .domain)
    proto.pointee.overload = try text(function.overload)
    (proto.pointee.n_input, proto.pointee.input) = try texts(function.inputs)
    (proto.pointee.n_output, proto.pointee.output) = try texts(function.outputs)
    (proto.pointee.n_attribute, proto.pointee.attribute) = try texts(function.attributeNames)
    (proto.pointee.n_attribute_proto, proto.pointee.attribute_proto) = try list(
      function.attributeDefaults, "attribute_proto"
    ) { (writer, attribute) throws(ONNXError) in try writer.attribute(attribute) }
    (proto.pointee.n_node, proto.pointee.node) = try list(function.nodes, "node") {
      (writer, node) throws(ONNXError) in try writer.node(node)
    }
    (proto.pointee.n_opset_import, proto.pointee.opset_import) = try list(function.operatorSets, "opset_import") {
      (writer, set) throws(ONNXError) in try writer.operatorSet(set)
    }
    (proto.pointee.n_value_info, proto.pointee.value_info) = try list(function.valueInfo, "value_info") {
      (writer, info) throws(ONNXError) in try writer.valueInfo(info)
    }
    proto.pointee.doc_string = try text(function.documentation)
    (proto.pointee.n_metadata_props, proto.pointee.metadata_props) = try metadata(function.metadata)
    try unknown(function.unknownFields, &proto.pointee.base)
    return proto
  }

  private mutating func trainingInfo(
    _ info: TrainingInfo
  ) throws(ONNXError) -> UnsafeMutablePointer<RankerkitOnnx__TrainingInfoProto> {
    let proto = arena.message(rankerkit_onnx__training_info_proto__init)
    if let graph = info.initialization { proto.pointee.initialization = try self.graph(graph, "initialization") }
    if let graph = info.algorithm { proto.pointee.algorithm = try self.graph(graph, "algorithm") }
    (proto.pointee.n_initialization_binding, proto.pointee.initialization_binding) = try metadata(
      info.initializationBindings, "initialization_binding")
    (proto.pointee.n_update_binding, proto.pointee.update_binding) = try metadata(
      info.updateBindings, "update_binding")
    try unknown(info.unknownFields, &proto.pointee.base)
    return proto
  }

  // MARK: Graph

  mutating func graph(
    _ graph: Graph, _ field: StaticString
  ) throws(ONNXError) -> UnsafeMutablePointer<RankerkitOnnx__GraphProto> {
    try nested(field) { (writer) throws(ONNXError) in try writer.graph(graph) }
  }

  private mutating func graph(_ graph: Graph) throws(ONNXError) -> UnsafeMutablePointer<RankerkitOnnx__GraphProto> {
    let proto = arena.message(rankerkit_onnx__graph_proto__init)
    proto.pointee.name = try written(graph.name, graph.presence, .name)
    (proto.pointee.n_node, proto.pointee.node) = try list(graph.nodes, "node") {
      (writer, node) throws(ONNXError) in try writer.node(node)
    }
    (proto.pointee.n_initializer, proto.pointee.initializer) = try list(graph.initializers, "initializer") {
      (writer, initializer) throws(ONNXError) in try writer.tensor(initializer, mayBeExternal: true)
    }
    (proto.pointee.n_sparse_initializer, proto.pointee.sparse_initializer) = try list(
      graph.sparseInitializers, "sparse_initializer"
    ) { (writer, sparse) throws(ONNXError) in try writer.sparseTensor(sparse) }
    proto.pointee.doc_string = try text(graph.documentation)
    (proto.pointee.n_input, proto.pointee.input) = try list(graph.inputs, "input") {
      (writer, info) throws(ONNXError) in try writer.valueInfo(info)
    }
    (proto.pointee.n_output, proto.pointee.output) = try list(graph.outputs, "output") {
      (writer, info) throws(ONNXError) in try writer.valueInfo(info)
    }
    (proto.pointee.n_value_info, proto.pointee.value_info) = try list(graph.valueInfo, "value_info") {
      (writer, info) throws(ONNXError) in try writer.valueInfo(info)
    }
    (proto.pointee.n_quantization_annotation, proto.pointee.quantization_annotation) = try list(
      graph.quantizationAnnotations, "quantization_annotation"
    ) { (writer, annotation) throws(ONNXError) in
      let proto = writer.arena.message(rankerkit_onnx__tensor_annotation__init)
      proto.pointee.tensor_name = try writer.written(annotation.tensorName, annotation.presence, .name)
      (proto.pointee.n_quant_parameter_tensor_names, proto.pointee.quant_parameter_tensor_names) =
        try writer.metadata(annotation.parameters, "quant_parameter_tensor_names")
      try writer.unknown(annotation.unknownFields, &proto.pointee.base)
      return proto
    }
    (proto.pointee.n_metadata_props, proto.pointee.metadata_props) = try metadata(graph.metadata)
    try unknown(graph.unknownFields, &proto.pointee.base)
    return proto
  }

  private mutating func node(_ node: Node) throws(ONNXError) -> UnsafeMutablePointer<RankerkitOnnx__NodeProto> {
    let proto = arena.message(rankerkit_onnx__node_proto__init)
    (proto.pointee.n_input, proto.pointee.input) = try texts(node.inputs)
    (proto.pointee.n_output, proto.pointee.output) = try texts(node.outputs)
    proto.pointee.name = try omitted(node.name, node.presence, .name)
    proto.pointee.op_type = try written(node.operatorType, node.presence, .kind)
    proto.pointee.domain = try omitted(node.domain, node.presence, .domain)
    proto.pointee.overload = try text(node.overload)
    (proto.pointee.n_attribute, proto.pointee.attribute) = try list(node.attributes, "attribute") {
      (writer, attribute) throws(ONNXError) in try writer.attribute(attribute)
    }
    proto.pointee.doc_string = try text(node.documentation)
    (proto.pointee.n_metadata_props, proto.pointee.metadata_props) = try metadata(node.metadata)
    (proto.pointee.n_device_configurations, proto.pointee.device_configurations) = try list(
      node.deviceConfigurations, "device_configurations"
    ) { (writer, configuration) throws(ONNXError) in try writer.nodeDeviceConfiguration(configuration) }
    try unknown(node.unknownFields, &proto.pointee.base)
    return proto
  }

  // MARK: Values

  mutating func valueInfo(_ info: ValueInfo) throws(ONNXError) -> UnsafeMutablePointer<RankerkitOnnx__ValueInfoProto> {
    let proto = arena.message(rankerkit_onnx__value_info_proto__init)
    proto.pointee.name = try written(info.name, info.presence, .name)
    if let type = info.type { proto.pointee.type = try valueType(type) }
    proto.pointee.doc_string = try text(info.documentation)
    (proto.pointee.n_metadata_props, proto.pointee.metadata_props) = try metadata(info.metadata)
    try unknown(info.unknownFields, &proto.pointee.base)
    return proto
  }

  mutating func valueType(_ type: ValueType) throws(ONNXError) -> UnsafeMutablePointer<RankerkitOnnx__TypeProto> {
    try nested("type") { (writer) throws(ONNXError) in
      // A list of types is two messages deep: the list's own and that of its elements.
      try writer.nested("value") { (writer) throws(ONNXError) in try writer.type(type) }
    }
  }

  private mutating func type(_ type: ValueType) throws(ONNXError) -> UnsafeMutablePointer<RankerkitOnnx__TypeProto> {
    let proto = arena.message(rankerkit_onnx__type_proto__init)
    switch type {
    case .tensor(let tensor, let denotation):
      let nested = arena.message(rankerkit_onnx__type_proto__tensor__init)
      if tensor.elementType != .undefined {
        (nested.pointee.has_elem_type, nested.pointee.elem_type) = (1, tensor.elementType.rawValue)
      }
      if let dimensions = tensor.shape { nested.pointee.shape = try shape(dimensions) }
      try unknown(tensor.unknownFields, &nested.pointee.base)
      proto.pointee.value_case = RANKERKIT_ONNX__TYPE_PROTO__VALUE_TENSOR_TYPE
      proto.pointee.tensor_type = nested
      proto.pointee.denotation = try text(denotation)
    case .sparseTensor(let tensor, let denotation):
      let nested = arena.message(rankerkit_onnx__type_proto__sparse_tensor__init)
      if tensor.elementType != .undefined {
        (nested.pointee.has_elem_type, nested.pointee.elem_type) = (1, tensor.elementType.rawValue)
      }
      if let dimensions = tensor.shape { nested.pointee.shape = try shape(dimensions) }
      try unknown(tensor.unknownFields, &nested.pointee.base)
      proto.pointee.value_case = RANKERKIT_ONNX__TYPE_PROTO__VALUE_SPARSE_TENSOR_TYPE
      proto.pointee.sparse_tensor_type = nested
      proto.pointee.denotation = try text(denotation)
    case .sequence(let element, let denotation):
      let nested = arena.message(rankerkit_onnx__type_proto__sequence__init)
      if let element { nested.pointee.elem_type = try valueType(element) }
      proto.pointee.value_case = RANKERKIT_ONNX__TYPE_PROTO__VALUE_SEQUENCE_TYPE
      proto.pointee.sequence_type = nested
      proto.pointee.denotation = try text(denotation)
    case .optional(let element, let denotation):
      let nested = arena.message(rankerkit_onnx__type_proto__optional__init)
      if let element { nested.pointee.elem_type = try valueType(element) }
      proto.pointee.value_case = RANKERKIT_ONNX__TYPE_PROTO__VALUE_OPTIONAL_TYPE
      proto.pointee.optional_type = nested
      proto.pointee.denotation = try text(denotation)
    case .map(let key, let value, let denotation):
      let nested = arena.message(rankerkit_onnx__type_proto__map__init)
      if key != .undefined { (nested.pointee.has_key_type, nested.pointee.key_type) = (1, key.rawValue) }
      if let value { nested.pointee.value_type = try valueType(value) }
      proto.pointee.value_case = RANKERKIT_ONNX__TYPE_PROTO__VALUE_MAP_TYPE
      proto.pointee.map_type = nested
      proto.pointee.denotation = try text(denotation)
    case .opaque(let domain, let name, let denotation):
      let nested = arena.message(rankerkit_onnx__type_proto__opaque__init)
      nested.pointee.domain = try text(domain)
      nested.pointee.name = try text(name)
      proto.pointee.value_case = RANKERKIT_ONNX__TYPE_PROTO__VALUE_OPAQUE_TYPE
      proto.pointee.opaque_type = nested
      proto.pointee.denotation = try text(denotation)
    case .undetermined(let denotation, let unknownFields):
      proto.pointee.denotation = try text(denotation)
      try unknown(unknownFields, &proto.pointee.base)
    }
    return proto
  }

  private mutating func shape(
    _ dimensions: [Dimension]
  ) throws(ONNXError) -> UnsafeMutablePointer<RankerkitOnnx__TensorShapeProto> {
    let proto = arena.message(rankerkit_onnx__tensor_shape_proto__init)
    (proto.pointee.n_dim, proto.pointee.dim) = try list(dimensions, "dim") { (writer, dimension) throws(ONNXError) in
      let proto = writer.arena.message(rankerkit_onnx__tensor_shape_proto__dimension__init)
      switch dimension.extent {
      case .fixed(let extent):
        proto.pointee.value_case = RANKERKIT_ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE_DIM_VALUE
        proto.pointee.dim_value = extent
      case .named(let name):
        proto.pointee.value_case = RANKERKIT_ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE_DIM_PARAM
        proto.pointee.dim_param = try writer.text(name)
      case .unknown: break
      }
      proto.pointee.denotation = try writer.text(dimension.denotation)
      try writer.unknown(dimension.unknownFields, &proto.pointee.base)
      return proto
    }
    return proto
  }

  // MARK: Pieces

  typealias List<Message> = UnsafeMutablePointer<UnsafeMutablePointer<Message>?>?

  mutating func list<Value, Message>(
    _ values: [Value], _ field: StaticString,
    _ body: (inout ModelWriter, Value) throws(ONNXError) -> UnsafeMutablePointer<Message>
  ) throws(ONNXError) -> (Int, List<Message>) {
    guard !values.isEmpty else { return (0, nil) }
    let items = arena.allocate(values.count, of: UnsafeMutablePointer<Message>?.self)
    for (index, value) in values.enumerated() {
      items[index] = try nested("\(field)[\(index)]") { (writer) throws(ONNXError) in try body(&writer, value) }
    }
    return (values.count, items)
  }

  /// Goes one message deeper; an error says where.
  mutating func nested<Result>(
    _ field: @autoclosure () -> String, _ body: (inout ModelWriter) throws(ONNXError) -> Result
  ) throws(ONNXError) -> Result {
    depth += 1
    defer { depth -= 1 }
    do throws(ONNXError) {
      guard depth < WireScanner.deepestNesting else {
        throw .notWritable(location: "", problem: "messages are nested \(WireScanner.deepestNesting) deep")
      }
      return try body(&self)
    } catch {
      throw error.inside(field())
    }
  }

  mutating func nested<Result>(
    _ field: StaticString, _ body: (inout ModelWriter) throws(ONNXError) -> Result
  ) throws(ONNXError) -> Result {
    try nested("\(field)", body)
  }

  func text(_ text: String?) throws(ONNXError) -> UnsafeMutablePointer<CChar>? {
    guard let text else { return nil }
    guard !text.utf8.contains(0) else {
      throw .notWritable(location: "", problem: "the text '\(text)' has a zero byte in it")
    }
    let copy = arena.allocate(text.utf8.count + 1, of: CChar.self)
    for (index, byte) in text.utf8.enumerated() { copy[index] = CChar(bitPattern: byte) }
    return copy
  }

  /// A text that is written even when it is empty.
  func written(
    _ text: String, _ presence: Presence, _ field: Presence.Field
  ) throws(ONNXError) -> UnsafeMutablePointer<CChar>? {
    text.isEmpty && presence.contains(field) ? nil : try self.text(text)
  }

  /// A text that is left out when it is empty.
  func omitted(
    _ text: String, _ presence: Presence, _ field: Presence.Field
  ) throws(ONNXError) -> UnsafeMutablePointer<CChar>? {
    text.isEmpty && !presence.contains(field) ? nil : try self.text(text)
  }

  func texts(_ texts: [String]) throws(ONNXError) -> (Int, UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?) {
    guard !texts.isEmpty else { return (0, nil) }
    let items = arena.allocate(texts.count, of: UnsafeMutablePointer<CChar>?.self)
    for (index, text) in texts.enumerated() { items[index] = try self.text(text) }
    return (texts.count, items)
  }

  func bytes(_ string: ByteString) -> ProtobufCBinaryData {
    ProtobufCBinaryData(len: string.bytes.count, data: arena.copy(string.bytes))
  }

  /// Hangs fields of a newer format, in their wire form, onto a message.
  func unknown(_ fields: UnknownFields, _ message: inout ProtobufCMessage) throws(ONNXError) {
    guard !fields.isEmpty else { return }
    let bytes = UnsafeBufferPointer(start: arena.copy(fields.bytes), count: fields.bytes.count)
    let parsed = try WireScanner.fields(of: UnsafeRawBufferPointer(bytes))
    message.unknown_fields = arena.copy(
      parsed.map { field in
        ProtobufCMessageUnknownField(
          tag: field.number, wire_type: ProtobufCWireType(rawValue: UInt32(field.wire)), len: field.data.count,
          data: UnsafeMutablePointer(mutating: bytes.baseAddress! + field.data.lowerBound))
      })
    message.n_unknown_fields = UInt32(parsed.count)
  }
}
