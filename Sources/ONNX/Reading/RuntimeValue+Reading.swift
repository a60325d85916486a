// Reading the values of a test data set: `input_0.pb` and its siblings.

internal import COnnxSchema
internal import CProtobufC
import Tensors

extension RuntimeValue {
  /// Reads a file of one value. The file does not say of what kind the value is: the graph that it belongs to does.
  ///
  /// - Parameter type: the declared type of the graph's input or output; nil reads a tensor.
  /// - Throws: `ONNXError.file`, `.malformed` or `.externalData`; `.malformed` too for sparse tensors, and for maps
  ///   whose values are not single numbers or strings of one type.
  public init(contentsOf path: String, as type: ValueType? = nil) throws(ONNXError) {
    do throws(ONNXError) {
      self = try withBytes(ofFile: path) { (bytes) throws(ONNXError) in
        try RuntimeValue(encoded: bytes, as: type, directory: directory(of: path))
      }
      retype(type)
    } catch {
      throw error.inside(path)
    }
  }

  private init(encoded: UnsafeRawBufferPointer, as type: ValueType?, directory: String) throws(ONNXError) {
    let reader = ModelReader(source: encoded, externalData: ExternalDataFiles(directory: directory))
    switch type {
    case .sequence?:
      var prototype = RankerkitOnnx__SequenceProto()
      rankerkit_onnx__sequence_proto__init(&prototype)
      self = try withUnpacked(encoded, as: prototype.base.descriptor) {
        (proto: UnsafePointer<RankerkitOnnx__SequenceProto>) throws(ONNXError) in
        .sequence(try reader.values(proto.pointee))
      }
    case .map?:
      var prototype = RankerkitOnnx__MapProto()
      rankerkit_onnx__map_proto__init(&prototype)
      self = try withUnpacked(encoded, as: prototype.base.descriptor) {
        (proto: UnsafePointer<RankerkitOnnx__MapProto>) throws(ONNXError) in try reader.map(proto.pointee)
      }
    case .optional?:
      var prototype = RankerkitOnnx__OptionalProto()
      rankerkit_onnx__optional_proto__init(&prototype)
      self = try withUnpacked(encoded, as: prototype.base.descriptor) {
        (proto: UnsafePointer<RankerkitOnnx__OptionalProto>) throws(ONNXError) in
        .optional(try reader.optional(proto.pointee))
      }
    default:
      var prototype = RankerkitOnnx__TensorProto()
      rankerkit_onnx__tensor_proto__init(&prototype)
      self = try withUnpacked(encoded, as: prototype.base.descriptor) {
        (proto: UnsafePointer<RankerkitOnnx__TensorProto>) throws(ONNXError) in
        .tensor(try reader.initializer(proto.pointee).tensor)
      }
    }
  }

  /// The data sets that onnx ships hold bfloat16 values as the uint16 of their bits; the graph says what they are.
  private mutating func retype(_ declared: ValueType?) {
    guard case .tensor(let tensor) = self, tensor.elementType == .uint16, case .tensor(let type, _)? = declared,
      type.elementType == .bfloat16
    else { return }
    self = .tensor(tensor.withUnsafeBytes { Tensor(bytes: $0, shape: tensor.shape, elementType: .bfloat16) })
  }
}

extension ModelReader {
  /// The elements of a sequence, of whichever kind it has.
  fileprivate func values(_ proto: RankerkitOnnx__SequenceProto) throws(ONNXError) -> [RuntimeValue] {
    guard proto.n_sparse_tensor_values == 0 else {
      throw .malformed(location: "sparse_tensor_values", problem: "sparse tensors are not read here")
    }
    var values: [RuntimeValue] = []
    values += try list(proto.n_tensor_values, proto.tensor_values, "tensor_values") { (proto) throws(ONNXError) in
      .tensor(try initializer(proto).tensor)
    }
    values += try list(proto.n_sequence_values, proto.sequence_values, "sequence_values") { (proto) throws(ONNXError) in
      .sequence(try self.values(proto))
    }
    values += try list(proto.n_map_values, proto.map_values, "map_values") { (proto) throws(ONNXError) in
      try map(proto)
    }
    values += try list(proto.n_optional_values, proto.optional_values, "optional_values") { (proto) throws(ONNXError) in
      .optional(try optional(proto))
    }
    return values
  }

  fileprivate func optional(_ proto: RankerkitOnnx__OptionalProto) throws(ONNXError) -> RuntimeValue? {
    if let tensor = proto.tensor_value { return .tensor(try initializer(tensor.pointee).tensor) }
    if let sequence = proto.sequence_value { return .sequence(try values(sequence.pointee)) }
    if let map = proto.map_value { return try self.map(map.pointee) }
    if let nested = proto.optional_value { return .optional(try optional(nested.pointee)) }
    guard proto.sparse_tensor_value == nil else {
      throw .malformed(location: "sparse_tensor_value", problem: "sparse tensors are not read here")
    }
    return nil
  }

  fileprivate func map(_ proto: RankerkitOnnx__MapProto) throws(ONNXError) -> RuntimeValue {
    let keys: Tensor
    if proto.n_string_keys > 0 {
      let texts = UnsafeBufferPointer(start: proto.string_keys, count: proto.n_string_keys)
      keys = Tensor(
        strings: texts.map { ByteString(UnsafeBufferPointer(start: $0.data, count: $0.len)) }, shape: [texts.count])
    } else {
      keys = Tensor(Array(UnsafeBufferPointer(start: proto.keys, count: proto.n_keys)))
    }
    let entries = try proto.values.map { (pointer) throws(ONNXError) in try values(pointer.pointee) } ?? []
    let tensors = entries.compactMap(\.tensor)
    let type = tensors.first?.elementType ?? .float
    guard tensors.count == keys.elementCount, tensors.count == entries.count,
      tensors.allSatisfy({ $0.elementCount == 1 && $0.elementType == type }), type == .string || type.bitWidth ?? 0 >= 8
    else { throw .malformed(location: "values", problem: "a map needs one number or string for each key") }
    if type == .string {
      return .map(keys: keys, values: Tensor(strings: tensors.flatMap(\.strings), shape: [tensors.count]))
    }
    let bytes = tensors.flatMap { $0.withUnsafeBytes { Array($0) } }
    let joined = bytes.withUnsafeBytes { Tensor(bytes: $0, shape: [tensors.count], elementType: type) }
    return .map(keys: keys, values: joined)
  }
}
