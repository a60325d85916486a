// The encodings of values: from the bytes of a page to values in their place.

/// Decodes the values of one page after another.
struct ValueDecoder {
  private let reader: PageReader
  private let field: ParquetField
  private let kernel: ValueKernel
  private let memory: PageMemory

  /// Indices that are unpacked at once: they stay in the first-level cache between unpacking and looking up.
  private static let indexBlock = 1024

  init(_ reader: PageReader) {
    self.reader = reader
    field = reader.field
    kernel = reader.kernel
    memory = reader.memory
  }

  /// Writes the page's `count` values that are not null to `target`.
  func decode(_ page: DataPage, count: Int, to target: UnsafeMutableRawPointer) throws {
    if count == 0 { return }
    switch (Encoding(rawValue: page.encoding), field.physicalType) {
    case (.plain, _): try decodePlain(page.values, count: count, to: target)
    case (.runLengthDictionary, _), (.plainDictionary, _): try decodeIndices(page.values, count, target)
    case (.runLength, .boolean): try decodeBooleanRuns(page.values, count, target)
    case (.deltaBinaryPacked, .int32): try decodeDelta(page.values, Int32.self, count, target)
    case (.deltaBinaryPacked, .int64): try decodeDelta(page.values, Int64.self, count, target)
    case (.deltaLengthByteArray, .byteArray): try decodeDeltaLengths(page.values, count, target)
    case (.deltaByteArray, .byteArray), (.deltaByteArray, .fixedLengthByteArray):
      try decodePrefixes(page.values, count, target)
    case (.byteStreamSplit, let type) where type != .boolean && type != .byteArray && type != .int96:
      try decodeStreams(page.values, count, target)
    case (nil, _), (.bitPacked, _):
      throw Fault.unsupported(
        "page header", found: "encoding \(page.encoding)",
        advice: "write the file again with an encoding of the Parquet format 2.9, such as pyarrow's defaults")
    case (let encoding?, let type):
      throw Fault.malformed("page header", found: "encoding \(encoding)", expected: "one that fits \(type)")
    }
  }

  /// Values as they are, one after another.
  func decodePlain(_ bytes: UnsafeRawBufferPointer, count: Int, to target: UnsafeMutableRawPointer) throws {
    if count == 0 { return }
    if let width = field.physicalWidth {
      guard bytes.count / width >= count else { throw ended(bytes.count, count) }
      try convert(bytes.baseAddress!, count, target)
    } else if field.physicalType == .boolean {
      guard bytes.count >= (count + 7) / 8 else { throw ended(bytes.count, count) }
      unpackBits(bytes.baseAddress!, count: count, to: target.assumingMemoryBound(to: UInt8.self))
    } else {
      let slices = self.slices(count)
      var position = 0
      for index in 0..<count {
        guard bytes.count - position >= 4 else { throw ended(bytes.count, count) }
        let size = Int(UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: position, as: UInt32.self)))
        guard size <= bytes.count - position - 4 else {
          throw Fault.malformed(
            "values", found: "a value of \(size) bytes", expected: "at most \(bytes.count - position - 4)")
        }
        slices[index] = Slice(offset: position + 4, count: size)
        position += 4 + size
      }
      try convertSlices(bytes.baseAddress!, slices, count, target)
    }
  }

  /// Indices of the dictionary: their width in a byte, then runs.
  private func decodeIndices(_ bytes: UnsafeRawBufferPointer, _ count: Int, _ target: UnsafeMutableRawPointer) throws {
    guard let dictionary = reader.dictionary else {
      throw Fault.malformed("values", found: "indices of a dictionary", expected: "a dictionary page before them")
    }
    guard let width = bytes.first else {
      throw Fault.malformed("values", found: "no bytes", expected: "indices of \(count) values")
    }
    var runs = try RunLengthReader(
      UnsafeRawBufferPointer(rebasing: bytes.dropFirst()), width: Int(width), part: "indices")
    let movement = kernel.movement
    let indices = memory.indices.reserve(Self.indexBlock * 4).assumingMemoryBound(to: UInt32.self)
    // Numbers so narrow that each of them is an index need no check.
    let isSafe = width < 32 && 1 << Int(width) <= dictionary.count
    var target = target
    var left = count
    while left > 0 {
      switch try runs.next(atMost: left) {
      case .repeated(let index, let length):
        guard index < dictionary.count else { throw outside(index, dictionary.count) }
        movement.fill(dictionary.start + Int(index) * movement.stride, length, target)
        target += length * movement.stride
        left -= length
      case .packed(var source, let length):
        left -= length
        var rest = length
        while rest > 0 {
          let block = min(rest, Self.indexBlock)
          unpack(source, width: runs.width, count: block, to: indices)
          if !isSafe {
            let greatest = maximum(indices, block)
            guard greatest < dictionary.count else { throw outside(greatest, dictionary.count) }
          }
          movement.gather(dictionary.start, indices, block, target)
          source += block / 8 * runs.width
          target += block * movement.stride
          rest -= block
        }
      }
    }
  }

  /// Booleans as runs, behind the length of all of them.
  private func decodeBooleanRuns(
    _ bytes: UnsafeRawBufferPointer, _ count: Int, _ target: UnsafeMutableRawPointer
  ) throws {
    guard bytes.count >= 4 else { throw ended(bytes.count, count) }
    let size = Int(UInt32(littleEndian: bytes.loadUnaligned(as: UInt32.self)))
    guard size <= bytes.count - 4 else {
      throw Fault.malformed("values", found: "a length of \(size) bytes", expected: "at most \(bytes.count - 4)")
    }
    var runs = try RunLengthReader(
      UnsafeRawBufferPointer(rebasing: bytes[4..<4 + size]), width: 1, part: "values")
    var target = target.assumingMemoryBound(to: UInt8.self)
    var left = count
    while left > 0 {
      let done: Int
      switch try runs.next(atMost: left) {
      case .repeated(let value, let length):
        target.update(repeating: UInt8(value), count: length)
        done = length
      case .packed(let source, let length):
        unpackBits(source, count: length, to: target)
        done = length
      }
      target += done
      left -= done
    }
  }

  private func decodeDelta<Number: FixedWidthInteger>(
    _ bytes: UnsafeRawBufferPointer, _ type: Number.Type, _ count: Int, _ target: UnsafeMutableRawPointer
  ) throws {
    var reader = try DeltaReader(bytes, expected: count, part: "values")
    try viaScratch(count, MemoryLayout<Number>.size, target) {
      try reader.read(to: $0.assumingMemoryBound(to: Number.self))
    }
  }

  private func decodeStreams(_ bytes: UnsafeRawBufferPointer, _ count: Int, _ target: UnsafeMutableRawPointer) throws {
    let width = field.physicalWidth!
    guard bytes.count / width >= count, bytes.count == count * width else { throw ended(bytes.count, count) }
    try viaScratch(count, width, target) { joinByteStreams(bytes, width: width, count: count, to: $0) }
  }

  /// All lengths, then all bytes.
  private func decodeDeltaLengths(
    _ bytes: UnsafeRawBufferPointer, _ count: Int, _ target: UnsafeMutableRawPointer
  ) throws {
    let (slices, data) = try readLengths(bytes, count)
    try convertSlices(data.baseAddress!, slices, count, target)
  }

  /// Lengths of byte arrays and the bytes behind them, which are checked to be there.
  private func readLengths(
    _ bytes: UnsafeRawBufferPointer, _ count: Int
  ) throws -> (UnsafeMutablePointer<Slice>, UnsafeRawBufferPointer) {
    var reader = try DeltaReader(bytes, expected: count, part: "lengths of values")
    let lengths = memory.scratch.reserve(count * 4).assumingMemoryBound(to: Int32.self)
    try reader.read(to: lengths)
    let data = reader.rest
    let slices = self.slices(count)
    var position = 0
    for index in 0..<count {
      let size = Int(lengths[index])
      guard size >= 0, size <= data.count - position else {
        throw Fault.malformed(
          "lengths of values", found: "\(size) bytes", expected: "0 to \(data.count - position)")
      }
      slices[index] = Slice(offset: position, count: size)
      position += size
    }
    return (slices, data)
  }

  /// How much each value shares with the one before it, then what is different, as lengths and bytes.
  private func decodePrefixes(_ bytes: UnsafeRawBufferPointer, _ count: Int, _ target: UnsafeMutableRawPointer) throws {
    var prefixReader = try DeltaReader(bytes, expected: count, part: "prefixes of values")
    let prefixes = memory.indices.reserve(count * 4).assumingMemoryBound(to: Int32.self)
    try prefixReader.read(to: prefixes)
    let (slices, data) = try readLengths(prefixReader.rest, count)

    var total = 0
    var previous = 0
    for index in 0..<count {
      let prefix = Int(prefixes[index])
      guard prefix >= 0, prefix <= previous else {
        throw Fault.malformed(
          "prefixes of values", found: "\(prefix) bytes of the value before", expected: "0 to \(previous)")
      }
      previous = prefix + slices[index].count
      guard field.physicalType == .byteArray || previous == field.typeLength else {
        throw Fault.malformed("values", found: "a value of \(previous) bytes", expected: "\(field.typeLength)")
      }
      total += previous
      guard total <= reader.memoryLimit else {
        throw Fault.excessive(
          "values", found: "more than \(total) bytes in a page of \(bytes.count)",
          limit: "the \(reader.memoryLimit) that are allowed")
      }
    }
    // The lengths in the scratch memory have become slices.
    let whole = memory.scratch.reserve(total)
    var position = 0
    var before = 0
    for index in 0..<count {
      let prefix = Int(prefixes[index])
      let suffix = slices[index]
      (whole + position).copyMemory(from: whole + before, byteCount: prefix)
      (whole + position + prefix).copyMemory(from: data.baseAddress! + suffix.offset, byteCount: suffix.count)
      slices[index] = Slice(offset: position, count: prefix + suffix.count)
      before = position
      position += prefix + suffix.count
    }
    if field.physicalType == .byteArray {
      try convertSlices(whole, slices, count, target)
    } else {
      try convert(whole, count, target)
    }
  }

  /// Has packed values of the physical width made in their place, or made elsewhere and converted.
  private func viaScratch(
    _ count: Int, _ width: Int, _ target: UnsafeMutableRawPointer, _ make: (UnsafeMutableRawPointer) throws -> Void
  ) throws {
    if kernel.isCopy { return try make(target) }
    let scratch = memory.scratch.reserve(count * width)
    try make(scratch)
    try convert(scratch, count, target)
  }

  private func convert(_ source: UnsafeRawPointer, _ count: Int, _ target: UnsafeMutableRawPointer) throws {
    if let bad = kernel.convert!(source, count, target) {
      throw Fault.conversion("value \(bad) of those that are not null", found: "\(field.type)", asked: kernel.wanted)
    }
  }

  private func convertSlices(
    _ base: UnsafeRawPointer, _ slices: UnsafePointer<Slice>, _ count: Int, _ target: UnsafeMutableRawPointer
  ) throws {
    if let bad = kernel.convertSlices!(base, slices, count, target) {
      throw Fault.conversion("value \(bad) of those that are not null", found: "\(field.type)", asked: kernel.wanted)
    }
  }

  private func slices(_ count: Int) -> UnsafeMutablePointer<Slice> {
    memory.slices.reserve(count * MemoryLayout<Slice>.stride).assumingMemoryBound(to: Slice.self)
  }

  private func maximum(_ numbers: UnsafePointer<UInt32>, _ count: Int) -> UInt32 {
    var greatest: UInt32 = 0
    for index in 0..<count { greatest = max(greatest, numbers[index]) }
    return greatest
  }

  private func ended(_ size: Int, _ count: Int) -> Fault {
    .malformed("values", found: "\(size) bytes", expected: "\(count) values of \(field.physicalType)")
  }

  private func outside(_ index: UInt32, _ count: Int) -> Fault {
    .malformed("values", found: "index \(index)", expected: "one of the dictionary's \(count) values")
  }
}
