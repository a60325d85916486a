// PyTorch's names for element types.

import Tensors

enum TorchTypes {
  /// Types with a storage class of their own, which `_rebuild_tensor_v2` takes.
  private static let storages: [(name: String, type: ElementType)] = [
    ("FloatStorage", .float), ("DoubleStorage", .double), ("HalfStorage", .float16), ("BFloat16Storage", .bfloat16),
    ("LongStorage", .int64), ("IntStorage", .int32), ("ShortStorage", .int16), ("CharStorage", .int8),
    ("ByteStorage", .uint8), ("BoolStorage", .bool), ("ComplexFloatStorage", .complex64),
    ("ComplexDoubleStorage", .complex128),
  ]

  private static let dtypes: [(name: String, type: ElementType)] = [
    ("float32", .float), ("float64", .double), ("float16", .float16), ("bfloat16", .bfloat16), ("int64", .int64),
    ("int32", .int32), ("int16", .int16), ("int8", .int8), ("uint8", .uint8), ("bool", .bool),
    ("complex64", .complex64), ("complex128", .complex128), ("uint16", .uint16), ("uint32", .uint32),
    ("uint64", .uint64), ("float8_e4m3fn", .float8e4m3fn), ("float8_e4m3fnuz", .float8e4m3fnuz),
    ("float8_e5m2", .float8e5m2), ("float8_e5m2fnuz", .float8e5m2fnuz), ("float8_e8m0fnu", .float8e8m0),
  ]

  static func storage(name: String) -> ElementType? { storages.first { $0.name == name }?.type }
  static func dtype(name: String) -> ElementType? { dtypes.first { $0.name == name }?.type }
  static func storageName(of type: ElementType) -> String? { storages.first { $0.type == type }?.name }
  static func dtypeName(of type: ElementType) -> String? { dtypes.first { $0.type == type }?.name }
}
