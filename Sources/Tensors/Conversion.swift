// Conversion between element types by the rules of ONNX's Cast.

/// Why a tensor can't be converted.
public enum ConversionError: Error, Equatable, CustomStringConvertible {
  /// No rule leads from one type to the other (complex numbers, `undefined`).
  case unsupported(from: ElementType, to: ElementType)
  /// A string is not a number.
  case notANumber(text: String, index: Int, to: ElementType)

  public var description: String {
    switch self {
    case .unsupported(let from, let to): "no conversion from \(from) to \(to)"
    case .notANumber(let text, let index, let to):
      "element \(index), \"\(text.prefix(80))\", is not a number, as a conversion to \(to) needs; "
        + "write it like 3.14, 1e-5, INF or NaN"
    }
  }
}

extension Tensor {
  /// The elements converted to another type by the rules of ONNX's Cast (see `init(doubles:…)` and `init(int64s:…)`).
  /// Numbers become the shortest text that reads back as the same number; booleans become `True` and `False`.
  ///
  /// - Parameter saturate: for float8 types, whether what passes the largest number becomes the largest number
  ///   (ONNX's default) or else infinity or NaN.
  /// - Throws: `ConversionError` for a string that is not a number, and for complex numbers.
  public func converted(to target: ElementType, saturate: Bool = true) throws -> Tensor {
    guard target != elementType else { return self }
    let complex: [ElementType] = [.complex64, .complex128]
    if complex.contains(elementType), complex.contains(target) {
      return Tensor(doubles: doubles(), shape: shape, elementType: target)
    }
    guard elementType != .undefined, target != .undefined, !complex.contains(elementType), !complex.contains(target)
    else { throw ConversionError.unsupported(from: elementType, to: target) }
    switch (elementType, target) {
    case (.string, _): return try numbers(to: target, saturate: saturate)
    case (_, .string): return Tensor(strings: texts(), shape: shape)
    case (.float16, .float), (.bfloat16, .float): return Tensor(singles(), shape: shape)
    case (.float, .float16): return narrowed(to: target, HalfPrecision.narrow)
    case (.float, .bfloat16): return narrowed(to: target, HalfPrecision.narrowBrain)
    case _ where elementType.isInteger || elementType == .bool:
      return Tensor(
        int64s: int64s(), shape: shape, elementType: target, unsigned: elementType == .uint64, saturate: saturate)
    default: return Tensor(doubles: doubles(), shape: shape, elementType: target, saturate: saturate)
    }
  }

  private func narrowed(
    to target: ElementType, _ narrow: (UnsafeBufferPointer<UInt32>, UnsafeMutableBufferPointer<UInt16>) -> Void
  ) -> Tensor {
    withUnsafeBytes { source in
      Tensor(uninitialized: shape, elementType: target) { bytes in
        narrow(source.bindMemory(to: UInt32.self), bytes.bindMemory(to: UInt16.self))
      }
    }
  }

  private func texts() -> [ByteString] {
    switch elementType {
    case .float: elements(as: Float.self).map { ByteString(NumberText.text($0)) }
    case .float16: elements(as: Float16.self).map { ByteString(NumberText.text($0)) }
    case .bfloat16: elements(as: BFloat16.self).map { ByteString(NumberText.text($0.float)) }
    case .bool: int64s().map { $0 == 0 ? "False" : "True" }
    case .uint64: elements(as: UInt64.self).map { ByteString(String($0)) }
    case _ where elementType.isInteger: int64s().map { ByteString(String($0)) }
    default: doubles().map { ByteString(NumberText.text($0)) }
    }
  }

  private func numbers(to target: ElementType, saturate: Bool) throws -> Tensor {
    if target.isInteger {
      // Whole numbers keep all of their 64 bits; anything else goes through double precision.
      let whole = strings.map { text in
        target == .uint64 ? UInt64(text.description).map { Int64(bitPattern: $0) } : Int64(text.description)
      }
      if !whole.contains(nil) {
        return Tensor(
          int64s: whole.compactMap { $0 }, shape: shape, elementType: target, unsigned: target == .uint64)
      }
    }
    let values = try strings.enumerated().map { index, text in
      guard let value = NumberText.double(text.description) else {
        throw ConversionError.notANumber(text: text.description, index: index, to: target)
      }
      return value
    }
    return Tensor(doubles: values, shape: shape, elementType: target, saturate: saturate)
  }
}
