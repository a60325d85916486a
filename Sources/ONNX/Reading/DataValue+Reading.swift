// Reading the values of a test data set.

internal import COnnxSchema
internal import CProtobufC
import Tensors

extension DataValue {
  /// Reads a file that stores one value. The bytes do not say what kind of value they are: the model does.
  /// - Parameter type: the type of the graph's input or output that the value is for.
  /// - Throws: `ONNXError.file` or `.malformed`.
  public init(contentsOf path: String, as type: ValueType) throws(ONNXError) {
    do throws(ONNXError) {
      self = try withBytes(ofFile: path) { (bytes) throws(ONNXError) in
        try DataValue(encoded: bytes, as: type, directory: directory(of: path))
      }
    } catch {
      throw error.inFile(path)
    }
  }

  /// Reads one encoded value.
  /// - Throws: `ONNXError.malformed`.
  public init(bytes: some Collection<UInt8>, as type: ValueType) throws(ONNXError) {
    self = try withContiguousBytes(of: bytes) { (bytes) throws(ONNXError) in
      try DataValue(encoded: bytes, as: type, directory: nil)
    }
  }

  private init(encoded: UnsafeRawBufferPointer, as type: ValueType, directory: String?) throws(ONNXError) {
    let reader = ModelReader(source: encoded, externalData: ExternalDataFiles(directory: directory))
    switch type {
    case .tensor, .undetermined, .opaque:
      var prototype = RankerkitOnnx__TensorProto()
      rankerkit_onnx__tensor_proto__init(&prototype)
      self = try withUnpacked(encoded, as: prototype.base.descriptor) {
        (proto: UnsafePointer<RankerkitOnnx__TensorProto>) throws(ONNXError) in try reader.dataTensor(proto.pointee)
      }
    case .sparseTensor:
      var prototype = RankerkitOnnx__SparseTensorProto()
      rankerkit_onnx__sparse_tensor_proto__init(&prototype)
      self = try withUnpacked(encoded, as: prototype.base.descriptor) {
        (proto: UnsafePointer<RankerkitOnnx__SparseTensorProto>) throws(ONNXError) in
        try reader.dataSparseTensor(proto.pointee)
      }
    case .sequence:
      var prototype = RankerkitOnnx__SequenceProto()
      rankerkit_onnx__sequence_proto__init(&prototype)
      self = try withUnpacked(encoded, as: prototype.base.descriptor) {
        (proto: UnsafePointer<RankerkitOnnx__SequenceProto>) throws(ONNXError) in try reader.dataSequence(proto.pointee)
      }
    case .map:
      var prototype = RankerkitOnnx__MapProto()
      rankerkit_onnx__map_proto__init(&prototype)
      self = try withUnpacked(encoded, as: prototype.base.descriptor) {
        (proto: UnsafePointer<RankerkitOnnx__MapProto>) throws(ONNXError) in try reader.dataMap(proto.pointee)
      }
    case .optional:
      var prototype = RankerkitOnnx__OptionalProto()
      rankerkit_onnx__optional_proto__init(&prototype)
      self = try withUnpacked(encoded, as: prototype.base.descriptor) {
        (proto: UnsafePointer<RankerkitOnnx__OptionalProto>) throws(ONNXError) in try reader.dataOptional(proto.pointee)
      }
    }
  }
}

extension ModelReader {
  fileprivate func dataTensor(_ proto: RankerkitOnnx__TensorProto) throws(ONNXError) -> DataValue {
    let initializer = try initializer(proto)
    return DataValue(initializer.name, .tensor(initializer.tensor))
  }

  fileprivate func dataSparseTensor(_ proto: RankerkitOnnx__SparseTensorProto) throws(ONNXError) -> DataValue {
    let sparse = try sparseTensor(proto)
    return DataValue(sparse.values.name, .sparseTensor(sparse))
  }

  fileprivate func dataSequence(_ proto: RankerkitOnnx__SequenceProto) throws(ONNXError) -> DataValue {
    let kind = try kind(proto.has_elem_type != 0 ? proto.elem_type : 0)
    let values = try elements(proto)
    return DataValue(text(proto.name) ?? "", .sequence(values, of: kind))
  }

  /// The values of a sequence: all in the one list that its kind names.
  private func elements(_ proto: RankerkitOnnx__SequenceProto) throws(ONNXError) -> [DataValue] {
    let tensors = try list(proto.n_tensor_values, proto.tensor_values, "tensor_values", dataTensor)
    let sparse = try list(
      proto.n_sparse_tensor_values, proto.sparse_tensor_values, "sparse_tensor_values", dataSparseTensor)
    let sequences = try list(proto.n_sequence_values, proto.sequence_values, "sequence_values", dataSequence)
    let maps = try list(proto.n_map_values, proto.map_values, "map_values", dataMap)
    let optionals = try list(proto.n_optional_values, proto.optional_values, "optional_values", dataOptional)
    let lists = [tensors, sparse, sequences, maps, optionals].filter { !$0.isEmpty }
    guard lists.count <= 1 else {
      throw .malformed(location: "", problem: "the sequence has values of \(lists.count) kinds")
    }
    return lists.first ?? []
  }

  fileprivate func dataMap(_ proto: RankerkitOnnx__MapProto) throws(ONNXError) -> DataValue {
    let type = try elementType(proto.has_key_type != 0 ? proto.key_type : 0)
    let keys: Tensor
    if type == .string {
      let strings = UnsafeBufferPointer(start: proto.string_keys, count: proto.n_string_keys).map(bytes)
      keys = Tensor(strings: strings, shape: [strings.count])
    } else {
      keys = Tensor(Array(UnsafeBufferPointer(start: proto.keys, count: proto.n_keys)))
    }
    guard let values = proto.values?.pointee else {
      throw .malformed(location: "", problem: "the map has no values")
    }
    let elements = try elements(values)
    guard elements.count == keys.elementCount else {
      throw .malformed(location: "", problem: "the map has \(keys.elementCount) keys and \(elements.count) values")
    }
    let kind = try kind(values.has_elem_type != 0 ? values.elem_type : 0)
    return DataValue(text(proto.name) ?? "", .map(keys: keys, values: elements, of: kind))
  }

  fileprivate func dataOptional(_ proto: RankerkitOnnx__OptionalProto) throws(ONNXError) -> DataValue {
    let kind = try kind(proto.has_elem_type != 0 ? proto.elem_type : 0)
    var value: DataValue?
    if let tensor = proto.tensor_value { value = try dataTensor(tensor.pointee) }
    if let sparse = proto.sparse_tensor_value { value = try dataSparseTensor(sparse.pointee) }
    if let nested = proto.sequence_value { value = try dataSequence(nested.pointee) }
    if let nested = proto.map_value { value = try dataMap(nested.pointee) }
    if let nested = proto.optional_value { value = try dataOptional(nested.pointee) }
    return DataValue(text(proto.name) ?? "", .optional(value, of: kind))
  }

  private func kind(_ number: Int32) throws(ONNXError) -> DataValue.Kind {
    guard let kind = DataValue.Kind(rawValue: number) else {
      throw .malformed(location: "", problem: "\(number) is no known kind of value (known are 0 to 5)")
    }
    return kind
  }
}
