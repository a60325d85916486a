// A tensor's elements, from whichever of the format's places they are in, into storage of their own: copied once.

internal import COnnxSchema
internal import CProtobufC
import Tensors

extension ModelReader {
  func sparseTensor(_ proto: RankerkitOnnx__SparseTensorProto) throws(ONNXError) -> SparseTensor {
    func part(
      _ tensor: UnsafeMutablePointer<RankerkitOnnx__TensorProto>?, _ field: String
    ) throws(ONNXError) -> Initializer {
      guard let tensor else { throw .malformed(location: "", problem: "a sparse tensor without \(field)") }
      do throws(ONNXError) { return try initializer(tensor.pointee) } catch { throw error.inside(field) }
    }
    let shape = Array(UnsafeBufferPointer(start: proto.dims, count: proto.n_dims))
    var sparse = SparseTensor(
      values: try part(proto.values, "values"), indices: try part(proto.indices, "indices"), shape: shape)
    sparse.unknownFields = UnknownFields(proto.base)
    return sparse
  }

  func initializer(_ proto: RankerkitOnnx__TensorProto) throws(ONNXError) -> Initializer {
    let name = text(proto.name) ?? ""
    do throws(ONNXError) {
      let dimensions = UnsafeBufferPointer(start: proto.dims, count: proto.n_dims)
      var shape = Shape(dimensions.lazy.map(Int.init))
      var segment: TensorSegment?
      if let part = proto.segment?.pointee {
        guard part.has_begin != 0, part.has_end != 0, part.begin >= 0, part.end >= part.begin else {
          throw .malformed(location: "", problem: "its segment has no valid begin and end")
        }
        segment = TensorSegment(begin: part.begin, end: part.end, shape: Array(dimensions))
        shape = [Int(part.end - part.begin)]
      }
      let type = try elementType(proto.has_data_type != 0 ? proto.data_type : 0)
      var initializer = Initializer(name, try tensor(proto, shape, type))
      initializer.segment = segment
      // Graphs name their tensors; a tensor in an attribute often has no name at all.
      if proto.name != nil, name.isEmpty { initializer.presence.note(.name) }
      initializer.documentation = text(proto.doc_string)
      initializer.metadata = try metadata(proto.n_metadata_props, proto.metadata_props)
      initializer.unknownFields = UnknownFields(proto.base)
      return initializer
    } catch {
      throw error.inside("'\(name)'")
    }
  }

  private func tensor(
    _ proto: RankerkitOnnx__TensorProto, _ shape: Shape, _ type: ElementType
  ) throws(ONNXError) -> Tensor {
    guard let count = shape.checkedElementCount else {
      let isNegative = shape.dimensions.contains { $0 < 0 }
      throw .malformed(
        location: "", problem: "\(isNegative ? "a negative extent" : "more elements than can be counted") in \(shape)")
    }
    let isExternal =
      proto.has_data_location != 0
      && proto.data_location == RANKERKIT_ONNX__TENSOR_PROTO__DATA_LOCATION__EXTERNAL
    let sources = [
      isExternal ? 1 : 0, Int(proto.has_raw_data), proto.n_float_data, proto.n_int32_data, proto.n_string_data,
      proto.n_int64_data, proto.n_double_data, proto.n_uint64_data,
    ]
    guard sources.count(where: { $0 > 0 }) <= 1 else {
      throw .malformed(location: "", problem: "its data is in more than one field")
    }

    if type == .string {
      guard proto.n_string_data == count else { throw lengthError(proto.n_string_data, count, "strings", shape, type) }
      return Tensor(
        strings: UnsafeBufferPointer(start: proto.string_data, count: count).map(bytes), shape: shape)
    }
    guard type != .undefined else {
      guard sources.allSatisfy({ $0 == 0 }) else {
        throw .malformed(location: "", problem: "it has data and no element type")
      }
      return Tensor(zeros: shape, elementType: .undefined)
    }
    guard let byteCount = type.byteCount(count) else {
      throw .malformed(location: "", problem: "more bytes than can be counted for \(type)\(shape)")
    }

    if isExternal {
      let entries = try metadata(proto.n_external_data, proto.external_data, "external_data")
      return try externalData.withData(of: text(proto.name) ?? "", entries, byteCount: byteCount) {
        raw($0, shape, type)
      }
    }
    if proto.has_raw_data != 0 {
      let bytes = UnsafeRawBufferPointer(rebasing: source[RawDataReference(proto.raw_data).range])
      guard bytes.count == byteCount else { throw lengthError(bytes.count, byteCount, "bytes", shape, type) }
      return raw(bytes, shape, type)
    }
    return try typed(proto, shape, type, count: count)
  }

  private func raw(_ bytes: UnsafeRawBufferPointer, _ shape: Shape, _ type: ElementType) -> Tensor {
    var tensor = Tensor(bytes: bytes, shape: shape, elementType: type)
    // Any byte but zero is true, and a Swift Bool must be 0 or 1.
    if type == .bool, bytes.contains(where: { $0 > 1 }) {
      tensor.withUnsafeMutableBytes { for index in $0.indices where $0[index] > 1 { $0[index] = 1 } }
    }
    return tensor
  }

  /// Elements from the field that the format has for their type, narrowed to their own width.
  private func typed(
    _ proto: RankerkitOnnx__TensorProto, _ shape: Shape, _ type: ElementType, count: Int
  ) throws(ONNXError) -> Tensor {
    func copy<Element: BitwiseCopyable>(
      _ elements: UnsafeMutablePointer<Element>?, _ found: Int, _ field: String, each: Int = 1
    ) throws(ONNXError) -> Tensor {
      let expected = count * each
      guard found == expected else { throw lengthError(found, expected, "numbers in \(field)", shape, type) }
      let bytes = UnsafeRawBufferPointer(UnsafeBufferPointer(start: elements, count: found))
      return Tensor(bytes: bytes, shape: shape, elementType: type)
    }

    /// Each number of a wide field becomes `Narrow`, signed or not: writers do both.
    func narrow<Wide: FixedWidthInteger, Narrow: FixedWidthInteger & BitwiseCopyable>(
      _ numbers: UnsafeMutablePointer<Wide>?, _ found: Int, _ field: String, to: Narrow.Type, expected: Int? = nil
    ) throws(ONNXError) -> Tensor {
      let expected = expected ?? count
      guard found == expected else { throw lengthError(found, expected, "numbers in \(field)", shape, type) }
      let lowest = -(Int64(1) << (Narrow.bitWidth - 1))
      let highest = Int64(1) << Narrow.bitWidth
      let values = UnsafeBufferPointer(start: numbers, count: found)
      if let wrong = values.first(where: { $0 < lowest || $0 >= highest }) {
        throw .malformed(location: "", problem: "\(wrong) in \(field) is out of the range of \(type)")
      }
      return Tensor(uninitialized: shape, elementType: type) { bytes in
        for (index, value) in values.enumerated() {
          let narrowed = type == .bool ? (value == 0 ? 0 : 1) : Narrow(truncatingIfNeeded: value)
          bytes.storeBytes(of: narrowed, toByteOffset: index * MemoryLayout<Narrow>.size, as: Narrow.self)
        }
      }
    }

    switch type {
    case .float: return try copy(proto.float_data, proto.n_float_data, "float_data")
    case .double: return try copy(proto.double_data, proto.n_double_data, "double_data")
    case .complex64: return try copy(proto.float_data, proto.n_float_data, "float_data", each: 2)
    case .complex128: return try copy(proto.double_data, proto.n_double_data, "double_data", each: 2)
    case .int64: return try copy(proto.int64_data, proto.n_int64_data, "int64_data")
    case .uint64: return try copy(proto.uint64_data, proto.n_uint64_data, "uint64_data")
    case .uint32: return try narrow(proto.uint64_data, proto.n_uint64_data, "uint64_data", to: UInt32.self)
    case .int32: return try copy(proto.int32_data, proto.n_int32_data, "int32_data")
    case .int16, .uint16, .float16, .bfloat16:
      return try narrow(proto.int32_data, proto.n_int32_data, "int32_data", to: UInt16.self)
    case .bool, .int8, .uint8, .float8e4m3fn, .float8e4m3fnuz, .float8e5m2, .float8e5m2fnuz, .float8e8m0:
      return try narrow(proto.int32_data, proto.n_int32_data, "int32_data", to: UInt8.self)
    case .int4, .uint4, .float4e2m1, .int2, .uint2:
      // Packed as in raw data, one byte to each number of the field.
      return try narrow(
        proto.int32_data, proto.n_int32_data, "int32_data", to: UInt8.self, expected: type.byteCount(count))
    case .string, .undefined:
      preconditionFailure("strings and undefined tensors have no numbers")
    }
  }

  private func lengthError(
    _ found: Int, _ expected: Int, _ unit: String, _ shape: Shape, _ type: ElementType
  ) -> ONNXError {
    .malformed(location: "", problem: "\(found) \(unit) where \(type)\(shape) takes \(expected)")
  }
}
