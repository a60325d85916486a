// Where the writers of this module put their bytes.

import Files

/// Somewhere that bytes are written to in order: a file, or an array in memory.
protocol ByteSink {
  mutating func write(_ bytes: UnsafeRawBufferPointer) throws
}

extension AtomicFile: ByteSink {}

/// Bytes gathered in memory.
struct MemorySink: ByteSink {
  var bytes: [UInt8] = []

  mutating func write(_ bytes: UnsafeRawBufferPointer) {
    self.bytes.append(contentsOf: bytes)
  }
}
