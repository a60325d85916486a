// The strings of ONNX: bytes that are UTF-8 by convention, kept whole where they are not.

/// A string of bytes. ONNX's string tensors and string attributes are bytes; most are UTF-8, none must be.
public struct ByteString: Sendable, Hashable, ExpressibleByStringLiteral, CustomStringConvertible {
  public var bytes: [UInt8]

  public init(_ bytes: some Sequence<UInt8>) { self.bytes = Array(bytes) }
  public init(_ string: String) { bytes = Array(string.utf8) }
  public init(stringLiteral value: String) { bytes = Array(value.utf8) }

  /// The text, with U+FFFD in place of what is not UTF-8.
  public var description: String { String(decoding: bytes, as: UTF8.self) }
}
