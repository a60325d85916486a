// A tensor: a shape, an element type and contiguous storage. A value, copied on write.

/// An n-dimensional array of one element type, row-major and contiguous, on 64-byte boundaries.
public struct Tensor: Sendable {
  public private(set) var shape: Shape
  public let elementType: ElementType
  private var storage: Storage
  private var texts: [ByteString]

  /// Storage shared by copies until one of them is written to. Written only while uniquely referenced.
  private final class Storage: @unchecked Sendable {
    let bytes: UnsafeMutableRawBufferPointer

    init(byteCount: Int) {
      bytes = .allocate(byteCount: Swift.max(byteCount, 1), alignment: 64)
    }

    deinit { bytes.deallocate() }
  }

  /// A tensor with every bit zero (empty strings for strings).
  /// - Precondition: the extents are non-negative and their product fits; check a file's with `checkedElementCount`.
  public init(zeros shape: Shape, elementType: ElementType) {
    self.init(uninitialized: shape, elementType: elementType)
    if byteCount > 0 { storage.bytes.initializeMemory(as: UInt8.self, repeating: 0) }
  }

  private init(uninitialized shape: Shape, elementType: ElementType) {
    let count = shape.elementCount
    self.shape = shape
    self.elementType = elementType
    storage = Storage(byteCount: elementType.byteCount(count) ?? 0)
    texts = elementType == .string ? Array(repeating: "", count: count) : []
  }

  /// A tensor of the given elements in row-major order.
  /// - Precondition: there are as many values as the shape has elements.
  public init<Element: TensorElement>(_ values: some Collection<Element>, shape: Shape) {
    precondition(values.count == shape.elementCount, "\(values.count) values for the shape \(shape)")
    self.init(uninitialized: shape, elementType: Element.elementType)
    _ = storage.bytes.bindMemory(to: Element.self).initialize(from: values)
  }

  /// A one-dimensional tensor.
  public init<Element: TensorElement>(_ values: some Collection<Element>) {
    self.init(values, shape: [values.count])
  }

  /// A tensor without axes that holds one number.
  public init<Element: TensorElement>(scalar value: Element) {
    self.init(CollectionOfOne(value), shape: .scalar)
  }

  /// A tensor of strings in row-major order.
  public init(strings: [ByteString], shape: Shape) {
    precondition(strings.count == shape.elementCount, "\(strings.count) strings for the shape \(shape)")
    self.init(uninitialized: shape, elementType: .string)
    texts = strings
  }

  /// A tensor over a copy of little-endian bytes, packed as in ONNX's `raw_data`.
  /// - Precondition: `bytes` has as many bytes as the shape and type need (`ElementType.byteCount`).
  public init(bytes: UnsafeRawBufferPointer, shape: Shape, elementType: ElementType) {
    self.init(uninitialized: shape, elementType: elementType)
    precondition(bytes.count == byteCount, "\(bytes.count) bytes for \(elementType)\(shape)")
    if bytes.count > 0 { storage.bytes.copyMemory(from: bytes) }
  }

  /// A tensor whose elements `body` writes; they are undefined until it has.
  public init(
    uninitialized shape: Shape, elementType: ElementType, body: (UnsafeMutableRawBufferPointer) throws -> Void
  ) rethrows {
    self.init(uninitialized: shape, elementType: elementType)
    try body(UnsafeMutableRawBufferPointer(rebasing: storage.bytes[0..<byteCount]))
  }

  public var elementCount: Int { shape.elementCount }

  /// Bytes of the elements; 0 for strings.
  public var byteCount: Int { elementType.byteCount(elementCount) ?? 0 }

  /// The strings of a string tensor in row-major order; empty for every other type.
  public var strings: [ByteString] { texts }

  /// The same elements under another shape.
  /// - Precondition: both shapes have as many elements.
  public func reshaped(to shape: Shape) -> Tensor {
    precondition(shape.elementCount == elementCount, "\(self.shape) does not reshape to \(shape)")
    var copy = self
    copy.shape = shape
    return copy
  }

  /// The address of the first element, for a runtime that binds kernels to memory before it runs them.
  /// Valid as long as this value or an unwritten copy of it lives; nobody may write through it once others read.
  public var unsafeBaseAddress: UnsafeRawPointer { UnsafeRawPointer(storage.bytes.baseAddress!) }

  /// Reads the elements' bytes.
  public func withUnsafeBytes<Result, Failure: Error>(
    _ body: (UnsafeRawBufferPointer) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    try body(UnsafeRawBufferPointer(rebasing: storage.bytes[0..<byteCount]))
  }

  /// Writes the elements' bytes, in a copy of its own if the storage is shared.
  public mutating func withUnsafeMutableBytes<Result, Failure: Error>(
    _ body: (UnsafeMutableRawBufferPointer) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    if !isKnownUniquelyReferenced(&storage) {
      let copy = Storage(byteCount: byteCount)
      copy.bytes.copyMemory(from: UnsafeRawBufferPointer(storage.bytes))
      storage = copy
    }
    return try body(UnsafeMutableRawBufferPointer(rebasing: storage.bytes[0..<byteCount]))
  }

  /// Reads the elements as their Swift type.
  /// - Precondition: `Element` is the tensor's element type.
  public func withUnsafeElements<Element: TensorElement, Result, Failure: Error>(
    as type: Element.Type = Element.self, _ body: (UnsafeBufferPointer<Element>) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    precondition(Element.elementType == elementType, "a \(elementType) tensor is not read as \(Element.elementType)")
    return try withUnsafeBytes { (bytes) throws(Failure) in try body(bytes.bindMemory(to: Element.self)) }
  }

  /// Writes the elements as their Swift type.
  /// - Precondition: `Element` is the tensor's element type.
  public mutating func withUnsafeMutableElements<Element: TensorElement, Result, Failure: Error>(
    as type: Element.Type = Element.self, _ body: (UnsafeMutableBufferPointer<Element>) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    precondition(Element.elementType == elementType, "a \(elementType) tensor is not written as \(Element.elementType)")
    return try withUnsafeMutableBytes { (bytes) throws(Failure) in try body(bytes.bindMemory(to: Element.self)) }
  }

  /// The elements in row-major order.
  /// - Precondition: `Element` is the tensor's element type.
  public func elements<Element: TensorElement>(as type: Element.Type = Element.self) -> [Element] {
    withUnsafeElements(as: type) { Array($0) }
  }
}

extension Tensor: Equatable {
  /// Equal in type, shape and bits: NaN equals the same NaN, 0 does not equal -0.
  public static func == (a: Tensor, b: Tensor) -> Bool {
    guard a.elementType == b.elementType, a.shape == b.shape, a.texts == b.texts else { return false }
    return a.withUnsafeBytes { left in b.withUnsafeBytes { right in left.elementsEqual(right) } }
  }
}
