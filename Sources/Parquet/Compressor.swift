// Compression of pages to be written, by Debian's libraries.

import CDeflate
import CLZ4
import CSnappy
import CZstandard

extension ParquetCompression {
  /// Zstandard's and libdeflate's own defaults.
  private static let zstandardLevel: Int32 = 3
  private static let deflateLevel: Int32 = 6

  func compress(_ source: [UInt8]) throws -> [UInt8] {
    let most: Int
    switch self {
    case .none: return source
    case .snappy: most = snappy_max_compressed_length(source.count)
    case .gzip: most = libdeflate_gzip_compress_bound(nil, source.count)
    case .zstandard: most = ZSTD_compressBound(source.count)
    case .lz4: most = Int(LZ4_compressBound(Int32(source.count)))
    }
    var made: Int?
    let bytes = [UInt8](unsafeUninitializedCapacity: most) { target, count in
      made = source.withUnsafeBytes { compress($0, UnsafeMutableRawBufferPointer(target)) }
      count = made ?? 0
    }
    guard made != nil else {
      throw Fault.unsupported("page", found: "what \(self) did not compress", advice: "write with another compression")
    }
    return bytes
  }

  private func compress(_ source: UnsafeRawBufferPointer, _ target: UnsafeMutableRawBufferPointer) -> Int? {
    let input = source.assumingMemoryBound(to: CChar.self).baseAddress
    let output = target.assumingMemoryBound(to: CChar.self).baseAddress
    switch self {
    case .none: return nil
    case .snappy:
      var count = target.count
      return snappy_compress(input, source.count, output, &count) == SNAPPY_OK ? count : nil
    case .gzip:
      guard let compressor = libdeflate_alloc_compressor(Self.deflateLevel) else { return nil }
      defer { libdeflate_free_compressor(compressor) }
      let count = libdeflate_gzip_compress(
        compressor, source.baseAddress, source.count, target.baseAddress, target.count)
      return count > 0 ? count : nil
    case .zstandard:
      let count = ZSTD_compress(target.baseAddress, target.count, source.baseAddress, source.count, Self.zstandardLevel)
      return ZSTD_isError(count) == 0 ? count : nil
    case .lz4:
      let count = LZ4_compress_default(input, output, Int32(source.count), Int32(target.count))
      return count > 0 ? Int(count) : nil
    }
  }
}
