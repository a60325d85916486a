// Writes values as Python's own pickler does in protocol 2, the one that torch.save uses.

import Tensors

/// The pickle of a checkpoint, and the tensors whose bytes it refers to as `data/0`, `data/1`, ….
///
/// Opcode for opcode what `torch.save` writes for the same values. (Python also shares equal strings and tuples when
/// they happen to be one object; here only what PyTorch itself repeats is shared.)
struct PickleWriter {
  private(set) var bytes: [UInt8] = [0x80, 2]
  /// The tensors whose elements are the storages, in order. Tensors that share memory share a storage.
  private(set) var storages: [Tensor] = []

  private let path: String
  private var memoCount: UInt32 = 0
  /// Memo entries of names and texts that PyTorch's pickles repeat.
  private var memo: [String: UInt32] = [:]
  private var storageKeys: [StorageIdentity: Int] = [:]

  private struct StorageIdentity: Hashable {
    let address: UnsafeRawPointer?
    let count: Int
    let elementType: ElementType
  }

  /// Python's pickler appends so many items at a time.
  private static let batch = 1000
  /// Deeper than any checkpoint nests; the reader allows no more either.
  private static let maximumDepth = 64

  /// - Throws: `CheckpointError.unsupported` for tensors that PyTorch has no type for (strings, packed integers).
  init(_ value: CheckpointValue, path: String) throws {
    self.path = path
    try write(value, depth: 0)
    bytes.append(UInt8(ascii: "."))
  }

  private mutating func write(_ value: CheckpointValue, depth: Int) throws {
    guard depth <= Self.maximumDepth else {
      throw CheckpointError.unsupported(
        path: path, found: "a value nested over \(Self.maximumDepth) levels deep", advice: "flatten it")
    }
    switch value {
    case .none: put("N")
    case .bool(let value): bytes.append(value ? 0x88 : 0x89)
    case .int(let value): write(value)
    case .float(let value):
      put("G")
      bytes.append(littleEndian: value.bitPattern.byteSwapped)
    case .string(let value): try write(value)
    case .list(let values): try writeList(values, depth: depth)
    case .tuple(let values):
      try writeTuple(values.count) { writer, index in try writer.write(values[index], depth: depth + 1) }
    case .dictionary(let dictionary): try writeDictionary(dictionary, depth: depth)
    case .tensor(let tensor): try write(tensor)
    }
  }

  // MARK: - Plain values

  private mutating func write(_ value: Int) {
    if let small = UInt8(exactly: value) {
      put("K")
      bytes.append(small)
    } else if let short = UInt16(exactly: value) {
      put("M")
      bytes.append(littleEndian: short)
    } else if let word = Int32(exactly: value) {
      put("J")
      bytes.append(littleEndian: word)
    } else {
      // LONG1: as few bytes as the number and its sign need.
      let needed = 64 - (value < 0 ? ~value : value).leadingZeroBitCount + 1
      let count = (needed + 7) / 8
      bytes.append(0x8A)
      bytes.append(UInt8(count))
      withUnsafeBytes(of: value.littleEndian) { bytes.append(contentsOf: $0.prefix(count)) }
    }
  }

  private mutating func write(_ text: String) throws {
    guard let count = UInt32(exactly: text.utf8.count) else {
      throw CheckpointError.unsupported(
        path: path, found: "a string of \(text.utf8.count) bytes", advice: "protocol 2 allows 4 GiB: split it")
    }
    put("X")
    bytes.append(littleEndian: count)
    bytes.append(contentsOf: text.utf8)
    remember()
  }

  private mutating func writeTuple(_ count: Int, _ element: (inout PickleWriter, Int) throws -> Void) rethrows {
    guard count > 0 else { return put(")") }
    if count > 3 { put("(") }
    for index in 0..<count { try element(&self, index) }
    bytes.append(count > 3 ? UInt8(ascii: "t") : 0x84 + UInt8(count))
    remember()
  }

  private mutating func writeList(_ values: [CheckpointValue], depth: Int) throws {
    put("]")
    remember()
    if values.count == 1 {
      try write(values[0], depth: depth + 1)
      put("a")
      return
    }
    for start in stride(from: 0, to: values.count, by: Self.batch) {
      put("(")
      for value in values[start..<Swift.min(start + Self.batch, values.count)] { try write(value, depth: depth + 1) }
      put("e")
    }
  }

  private mutating func writeDictionary(_ dictionary: CheckpointDictionary, depth: Int) throws {
    if dictionary.isOrderedDict {
      writeEmptyOrderedDict()
    } else {
      put("}")
    }
    remember()
    for start in stride(from: 0, to: dictionary.count, by: Self.batch) {
      let entries = dictionary[start..<Swift.min(start + Self.batch, dictionary.count)]
      let isSingle = entries.count == 1 && (dictionary.count == 1 || dictionary.isOrderedDict)
      if !isSingle { put("(") }
      for (key, value) in entries {
        switch key {
        case .string(let name): try write(name)
        case .int(let number): write(number)
        }
        try write(value, depth: depth + 1)
      }
      put(isSingle ? "s" : "u")
    }
    // Python's pickler looks for a further batch of a plain dict after each full one.
    if !dictionary.isOrderedDict, !dictionary.isEmpty, dictionary.count.isMultiple(of: Self.batch) { put("(u") }
  }

  private mutating func writeEmptyOrderedDict() {
    writeName("collections", "OrderedDict")
    put(")R")
  }

  // MARK: - Tensors

  private mutating func write(_ tensor: Tensor) throws {
    guard let dtype = TorchTypes.dtypeName(of: tensor.elementType) else {
      throw CheckpointError.unsupported(
        path: path, found: "a tensor of \(tensor.elementType)",
        advice: "PyTorch has no such type: convert it to a type of whole bytes first")
    }
    let storageName = TorchTypes.storageName(of: tensor.elementType)
    writeName("torch._utils", storageName == nil ? "_rebuild_tensor_v3" : "_rebuild_tensor_v2")
    put("(")
    try writeStorage(of: tensor, className: storageName)
    write(0)
    writeTuple(tensor.shape.rank) { writer, axis in writer.write(tensor.shape[axis]) }
    let strides = Self.strides(of: tensor.shape)
    writeTuple(strides.count) { writer, axis in writer.write(strides[axis]) }
    // requires_grad, and no backward hooks.
    bytes.append(0x89)
    writeEmptyOrderedDict()
    remember()
    if storageName == nil { writeName("torch", dtype) }
    put("t")
    remember()
    put("R")
    remember()
  }

  /// `("storage", class, key, "cpu", count)` as a persistent id; untyped storages count bytes.
  private mutating func writeStorage(of tensor: Tensor, className: String?) throws {
    put("(")
    try writeConstant("storage")
    if let className {
      writeName("torch", className)
    } else {
      writeName("torch.storage", "UntypedStorage")
    }
    try writeConstant(String(key(of: tensor)))
    try writeConstant("cpu")
    write(className == nil ? tensor.byteCount : tensor.elementCount)
    put("t")
    remember()
    put("Q")
  }

  private mutating func key(of tensor: Tensor) -> Int {
    let identity = tensor.withUnsafeBytes {
      StorageIdentity(address: $0.baseAddress, count: $0.count, elementType: tensor.elementType)
    }
    if let known = storageKeys[identity] { return known }
    storages.append(tensor)
    storageKeys[identity] = storages.count - 1
    return storages.count - 1
  }

  /// PyTorch's strides of a contiguous tensor: as ever, but an extent of 0 counts as 1.
  private static func strides(of shape: Shape) -> [Int] {
    Shape(shape.map { Swift.max($0, 1) }).strides
  }

  // MARK: - Memo

  private mutating func writeName(_ module: String, _ name: String) {
    let line = "\(module)\n\(name)\n"
    if let known = memo[line] { return recall(known) }
    put("c")
    bytes.append(contentsOf: line.utf8)
    memo[line] = memoCount
    remember()
  }

  private mutating func writeConstant(_ text: String) throws {
    if let known = memo[text] { return recall(known) }
    memo[text] = memoCount
    try write(text)
  }

  private mutating func remember() {
    if let small = UInt8(exactly: memoCount) {
      put("q")
      bytes.append(small)
    } else {
      put("r")
      bytes.append(littleEndian: memoCount)
    }
    memoCount += 1
  }

  private mutating func recall(_ index: UInt32) {
    if let small = UInt8(exactly: index) {
      put("h")
      bytes.append(small)
    } else {
      put("j")
      bytes.append(littleEndian: index)
    }
  }

  private mutating func put(_ opcodes: StaticString) {
    opcodes.withUTF8Buffer { bytes.append(contentsOf: $0) }
  }
}
