// SHA-256 of bytes and files, by OpenSSL's libcrypto, which uses the processor's instructions for it.

import CCrypto
import Glibc

/// A running SHA-256: give it bytes part by part, then ask for the digest.
///
/// ```swift
/// let checksum = try SHA256.hexadecimal(ofFile: "model.onnx")
/// ```
public struct SHA256: ~Copyable {
  private let context: OpaquePointer

  public init() {
    context = EVP_MD_CTX_new()!
    let started = EVP_DigestInit_ex(context, EVP_sha256(), nil)
    precondition(started == 1, "libcrypto has no SHA-256")
  }

  deinit { EVP_MD_CTX_free(context) }

  /// Takes further bytes in.
  public func update(_ bytes: UnsafeRawBufferPointer) {
    let updated = EVP_DigestUpdate(context, bytes.baseAddress, bytes.count)
    precondition(updated == 1, "libcrypto failed to hash")
  }

  /// The digest of all bytes taken in, as 64 lower-case hexadecimal digits.
  public consuming func hexadecimal() -> String {
    let digest = [UInt8](unsafeUninitializedCapacity: Int(EVP_MAX_MD_SIZE)) { buffer, count in
      var size: UInt32 = 0
      let finished = EVP_DigestFinal_ex(context, buffer.baseAddress, &size)
      precondition(finished == 1, "libcrypto failed to hash")
      count = Int(size)
    }
    let digits = Array("0123456789abcdef".utf8)
    return String(decoding: digest.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
  }

  /// The SHA-256 of bytes in memory.
  public static func hexadecimal(of bytes: UnsafeRawBufferPointer) -> String {
    let hash = SHA256()
    hash.update(bytes)
    return hash.hexadecimal()
  }

  /// The SHA-256 of bytes in memory.
  public static func hexadecimal(of bytes: [UInt8]) -> String {
    bytes.withUnsafeBytes { hexadecimal(of: $0) }
  }

  /// The SHA-256 of a file, read part by part: memory does not grow with the file, and pipes work too.
  ///
  /// - Throws: `CheckpointError.system` where the file can't be read.
  public static func hexadecimal(ofFile path: String) throws -> String {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else {
      throw CheckpointError.system(path: path, action: "open for reading", code: errno)
    }
    defer { close(descriptor) }
    let hash = SHA256()
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 18, alignment: 64)
    defer { buffer.deallocate() }
    while true {
      let count = read(descriptor, buffer.baseAddress, buffer.count)
      if count < 0, errno == EINTR { continue }
      guard count >= 0 else { throw CheckpointError.system(path: path, action: "read", code: errno) }
      if count == 0 { return hash.hexadecimal() }
      hash.update(UnsafeRawBufferPointer(rebasing: buffer[0..<count]))
    }
  }
}
