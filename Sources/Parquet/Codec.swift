// Compression of pages, by Debian's libraries.

import CDeflate
import CLZ4
import CSnappy
import CZstandard

/// Decompresses pages, one after another. Keeps what the libraries want kept.
final class Decompressor {
  private var zstandard: OpaquePointer?
  private var deflate: OpaquePointer?

  deinit {
    if let zstandard { ZSTD_freeDCtx(zstandard) }
    if let deflate { libdeflate_free_decompressor(deflate) }
  }

  /// Fills `target`, whose size is what the page's header says; `source` must give exactly so much.
  func decompress(
    _ source: UnsafeRawBufferPointer, by codec: ParquetCompression, to target: UnsafeMutableRawBufferPointer
  ) throws {
    let made: Int?
    switch codec {
    case .none: made = nil
    case .snappy: made = snappy(source, target)
    case .gzip: made = gzip(source, target)
    case .zstandard: made = zstandard(source, target)
    case .lz4: made = lz4(source, target)
    }
    guard let made else {
      throw Fault.malformed("page", found: "bytes that \(codec) can't decompress", expected: "\(target.count) bytes")
    }
    guard made == target.count else {
      throw Fault.malformed("page", found: "\(made) bytes of \(codec)", expected: "\(target.count)")
    }
  }

  private func snappy(_ source: UnsafeRawBufferPointer, _ target: UnsafeMutableRawBufferPointer) -> Int? {
    let input = source.assumingMemoryBound(to: CChar.self).baseAddress
    var count = 0
    // The library writes as many bytes as the stream says: they are compared first.
    guard snappy_uncompressed_length(input, source.count, &count) == SNAPPY_OK else { return nil }
    guard count == target.count else { return count }
    let output = target.assumingMemoryBound(to: CChar.self).baseAddress
    return snappy_uncompress(input, source.count, output, &count) == SNAPPY_OK ? count : nil
  }

  /// Members one after another, or zlib's own frame, which some writers take for gzip.
  private func gzip(_ source: UnsafeRawBufferPointer, _ target: UnsafeMutableRawBufferPointer) -> Int? {
    if deflate == nil { deflate = libdeflate_alloc_decompressor() }
    guard let deflate else { return nil }
    var made = 0
    if source.count < 2 || source[0] != 0x1F || source[1] != 0x8B {
      let result = libdeflate_zlib_decompress(
        deflate, source.baseAddress, source.count, target.baseAddress, target.count, &made)
      return result == LIBDEFLATE_SUCCESS ? made : nil
    }
    var (read, written) = (0, 0)
    while read < source.count {
      var used = 0
      let result = libdeflate_gzip_decompress_ex(
        deflate, source.baseAddress! + read, source.count - read, target.baseAddress.map { $0 + written },
        target.count - written, &used, &made)
      guard result == LIBDEFLATE_SUCCESS, used > 0 else { return nil }
      read += used
      written += made
    }
    return written
  }

  private func zstandard(_ source: UnsafeRawBufferPointer, _ target: UnsafeMutableRawBufferPointer) -> Int? {
    if zstandard == nil { zstandard = ZSTD_createDCtx() }
    let made = ZSTD_decompressDCtx(zstandard, target.baseAddress, target.count, source.baseAddress, source.count)
    return ZSTD_isError(made) == 0 ? made : nil
  }

  private func lz4(_ source: UnsafeRawBufferPointer, _ target: UnsafeMutableRawBufferPointer) -> Int? {
    guard let (inputCount, outputCount) = both(Int32(exactly: source.count), Int32(exactly: target.count)) else {
      return nil
    }
    let made = LZ4_decompress_safe(
      source.assumingMemoryBound(to: CChar.self).baseAddress, target.assumingMemoryBound(to: CChar.self).baseAddress,
      inputCount, outputCount)
    return made < 0 ? nil : Int(made)
  }

  private func both<A, B>(_ a: A?, _ b: B?) -> (A, B)? {
    if let a, let b { (a, b) } else { nil }
  }
}

extension ParquetCompression {
  /// - Parameter code: of the format's `CompressionCodec`.
  init(code: Int32) throws {
    switch code {
    case 0: self = .none
    case 1: self = .snappy
    case 2: self = .gzip
    case 6: self = .zstandard
    case 7: self = .lz4
    default:
      let names: [Int32: String] = [3: "LZO", 4: "Brotli", 5: "LZ4 in Hadoop's frames"]
      throw Fault.unsupported(
        "compression", found: names[code] ?? "codec \(code)",
        advice: "write the file again with Snappy, Zstandard, gzip or LZ4_RAW, such as with pyarrow's "
          + "write_table(table, path, compression=\"zstd\")")
    }
  }

  /// A page can't be larger than this many times its compressed bytes, whatever its header says: what a single copy of
  /// Snappy (64 bytes of 3), a match of DEFLATE (258 bytes of 2 bits), a block of Zstandard (128 KiB of 4 bytes) and a
  /// length byte of LZ4 (255) can stand for.
  var largestRatio: Int {
    switch self {
    case .none: 1
    case .snappy: 32
    case .gzip: 1032
    case .zstandard: 32768
    case .lz4: 255
    }
  }
}
