// Runs a pickle's opcodes without running anything of Python: the values and tensors of a state dict, nothing else.

import Tensors

/// A machine for the pickle protocols 2 to 5.
///
/// Every opcode takes at least a byte and makes at most one item of a fixed size, and copying of what the memo holds is
/// counted, so that memory stays within a fixed multiple of the pickle's size.
struct PickleReader {
  private typealias Item = Pickle.Item

  private let path: String
  private var cursor: ByteCursor
  private var pickle = Pickle()
  private var stack: [Item] = []
  /// Heights of the stack at the marks.
  private var marks: [Int] = []
  private var memo: [Item] = []
  /// Memo entries that do not follow the one before them.
  private var sparseMemo: [UInt32: Item] = [:]
  private var storageIndices: [String: Int32] = [:]
  /// Items that may still be copied by opcodes that copy more than one.
  private var copiesLeft: Int

  /// A pickle of a checkpoint with ten million names is a quarter of this.
  private static let maximumSize = 1 << 30
  /// PyTorch's own tensors have at most 64 dimensions.
  private static let maximumRank = 64

  /// Runs the pickle at the cursor and leaves the cursor behind it.
  static func read(_ cursor: inout ByteCursor, path: String) throws -> Pickle {
    var reader = try PickleReader(cursor, path: path)
    try reader.run()
    cursor = reader.cursor
    return reader.pickle
  }

  private init(_ cursor: ByteCursor, path: String) throws {
    self.path = path
    self.cursor = cursor
    copiesLeft = 1 << 20 + cursor.remaining
  }

  private func malformed(_ found: String, _ expected: String) -> CheckpointError {
    .malformed(path: path, place: "pickle at byte \(cursor.position)", found: found, expected: expected)
  }

  // MARK: - Opcodes

  private mutating func run() throws {
    let start = cursor.position
    while true {
      // Texts are remembered by 32-bit offsets; a legacy file's storages may follow the pickle, so ask as it is read.
      guard cursor.position - start <= Self.maximumSize, cursor.position < Int(UInt32.max) else {
        throw CheckpointError.excessive(
          path: path, what: "the pickle", found: "over a gigabyte", limit: "\(Self.maximumSize) bytes")
      }
      let opcode = try byte()
      if opcode == UInt8(ascii: ".") { break }
      try execute(opcode)
    }
    guard stack.count == 1, marks.isEmpty else {
      throw malformed("\(stack.count) values at the end", "one value")
    }
    pickle.root = stack[0]
  }

  private mutating func execute(_ opcode: UInt8) throws {
    switch opcode {
    case 0x80: try checkProtocol()
    case 0x95: _ = try integer(UInt64.self)  // FRAME: a hint for buffering.
    case UInt8(ascii: "N"): stack.append(.none)
    case 0x88: stack.append(.bool(true))
    case 0x89: stack.append(.bool(false))
    case UInt8(ascii: "K"): stack.append(.int(Int(try byte())))
    case UInt8(ascii: "M"): stack.append(.int(Int(try integer(UInt16.self))))
    case UInt8(ascii: "J"): stack.append(.int(Int(try integer(Int32.self))))
    case 0x8A: try pushLong(count: Int(try byte()))
    case 0x8B: try pushLong(count: Int(try integer(Int32.self)))
    case UInt8(ascii: "G"): stack.append(.float(Double(bitPattern: try integer(UInt64.self).byteSwapped)))
    case UInt8(ascii: "X"), UInt8(ascii: "T"): try pushText(count: UInt64(try integer(UInt32.self)))
    case 0x8C, UInt8(ascii: "U"): try pushText(count: UInt64(try byte()))
    case 0x8D: try pushText(count: try integer(UInt64.self))
    case UInt8(ascii: "("): marks.append(stack.count)
    case UInt8(ascii: "0"): try discard()
    case UInt8(ascii: "1"): _ = try popToMark()
    case UInt8(ascii: "2"): stack.append(try top())
    case UInt8(ascii: ")"): stack.append(.tuple(0))
    case 0x85: try pushTuple(last: 1)
    case 0x86: try pushTuple(last: 2)
    case 0x87: try pushTuple(last: 3)
    case UInt8(ascii: "t"): stack.append(tuple(Array(try popToMark())))
    case UInt8(ascii: "]"): stack.append(list([]))
    case UInt8(ascii: "l"): stack.append(list(Array(try popToMark())))
    case UInt8(ascii: "a"): try appendToList([pop()])
    case UInt8(ascii: "e"): try appendToList(popToMark())
    case UInt8(ascii: "}"): stack.append(dictionary(isOrderedDict: false))
    case UInt8(ascii: "d"):
      let entries = try popToMark()
      stack.append(dictionary(isOrderedDict: false))
      try setItems(entries)
    case UInt8(ascii: "s"):
      let value = try pop()
      try setItems([pop(), value])
    case UInt8(ascii: "u"): try setItems(popToMark())
    case UInt8(ascii: "h"): try pushMemo(UInt32(try byte()))
    case UInt8(ascii: "j"): try pushMemo(try integer(UInt32.self))
    case UInt8(ascii: "q"): try remember(at: UInt32(try byte()))
    case UInt8(ascii: "r"): try remember(at: try integer(UInt32.self))
    case 0x94: try remember(at: UInt32(clamping: memo.count + sparseMemo.count))
    case UInt8(ascii: "c"): try pushGlobal()
    case 0x93: try pushStackGlobal()
    case UInt8(ascii: "Q"): try pushStorage()
    case UInt8(ascii: "R"), 0x81: try reduce()
    case UInt8(ascii: "b"): try build()
    default: throw refusal(of: opcode)
    }
  }

  /// Says of opcodes that are known, but not needed, what they are.
  private mutating func refusal(of opcode: UInt8) -> CheckpointError {
    switch opcode {
    case UInt8(ascii: "i"):  // INST names a class to make an instance of.
      if let module = cursor.readLine(), let name = cursor.readLine() {
        return .refusedGlobal(path: path, name: printable(module) + "." + printable(name))
      }
    case UInt8(ascii: "o"): return .refusedGlobal(path: path, name: "a class to make an instance of (opcode OBJ)")
    case 0x92: return .refusedGlobal(path: path, name: "a class to make an instance of (opcode NEWOBJ_EX)")
    case 0x82, 0x83, 0x84: return .refusedGlobal(path: path, name: "an entry of copyreg's extension registry")
    case UInt8(ascii: "B"), UInt8(ascii: "C"), 0x8E, 0x96:
      return unsupported("a bytes object", advice: "save tensors, numbers and strings only")
    case 0x8F, 0x90, 0x91:
      return unsupported("a set", advice: "save it as a list")
    case 0x97, 0x98:
      return unsupported("an out-of-band buffer", advice: "save with torch.save")
    case UInt8(ascii: "P"), UInt8(ascii: "I"), UInt8(ascii: "L"), UInt8(ascii: "F"), UInt8(ascii: "S"),
      UInt8(ascii: "V"), UInt8(ascii: "g"), UInt8(ascii: "p"):
      return unsupported("a pickle of protocol 0 or 1", advice: "save again with torch.save and its default protocol")
    default: break
    }
    return malformed("the opcode \(opcode)", "an opcode of a pickle")
  }

  private func unsupported(_ found: String, advice: String) -> CheckpointError {
    .unsupported(path: path, found: "\(found) in the pickle at byte \(cursor.position)", advice: advice)
  }

  private mutating func checkProtocol() throws {
    let version = try byte()
    guard version <= 5 else { throw malformed("pickle protocol \(version)", "2 to 5") }
  }

  /// Counts items that one opcode copies out of what the memo may name again and again.
  private mutating func chargeCopies(_ count: Int) throws {
    copiesLeft -= count
    guard copiesLeft >= 0 else {
      throw CheckpointError.excessive(
        path: path, what: "the pickle's dicts and shapes", found: "more values than it has bytes",
        limit: "\(1 << 20 + cursor.bytes.count) values")
    }
  }

  // MARK: - Reading

  private mutating func byte() throws -> UInt8 {
    guard let value = cursor.readByte() else { throw malformed("the end of the bytes", "an opcode") }
    return value
  }

  private mutating func integer<Integer: FixedWidthInteger & BitwiseCopyable>(_ type: Integer.Type) throws -> Integer {
    guard let value = cursor.read(type) else { throw malformed("the end of the bytes", "\(type)") }
    return value
  }

  private mutating func pushLong(count: Int) throws {
    guard let bytes = cursor.read(count: count) else {
      throw malformed("an integer of \(count) bytes", "at most the \(cursor.remaining) that are left")
    }
    // Bytes that only repeat the sign add nothing.
    let sign: UInt8 = bytes.last.map { $0 & 0x80 == 0 ? 0 : 0xFF } ?? 0
    guard bytes.dropFirst(8).allSatisfy({ $0 == sign }), bytes.count <= 8 || (bytes[7] ^ sign) & 0x80 == 0 else {
      throw unsupported("an integer of more than 64 bits", advice: "save it as a string")
    }
    var value = sign == 0 ? 0 : -1
    for byte in bytes.prefix(8).reversed() { value = value << 8 | Int(byte) }
    stack.append(.int(value))
  }

  private mutating func pushText(count: UInt64) throws {
    let offset = cursor.position
    guard let count = Int(exactly: count), cursor.read(count: count) != nil, offset + count <= Int(UInt32.max) else {
      throw malformed("a string of \(count) bytes", "at most the \(cursor.remaining) that are left")
    }
    stack.append(.text(offset: UInt32(offset), count: UInt32(count)))
  }

  private func text(_ item: Item) -> UnsafeRawBufferPointer? {
    guard case .text(let offset, let count) = item else { return nil }
    return UnsafeRawBufferPointer(rebasing: cursor.bytes[Int(offset)..<Int(offset) + Int(count)])
  }

  /// Bytes for a message: at most 200 of them.
  private func printable(_ bytes: UnsafeRawBufferPointer) -> String {
    String(decoding: bytes.prefix(200), as: UTF8.self) + (bytes.count > 200 ? "…" : "")
  }

  // MARK: - Stack and memo

  /// The lowest height to which the stack may be popped: what is below the mark belongs to others.
  private var floor: Int { marks.last ?? 0 }

  private mutating func pop() throws -> Item {
    guard stack.count > floor else { throw malformed("too few values on the stack", "one more") }
    return stack.removeLast()
  }

  private func top() throws -> Item {
    guard stack.count > floor else { throw malformed("too few values on the stack", "one more") }
    return stack[stack.count - 1]
  }

  /// POP drops a value, or the mark where one is on top.
  private mutating func discard() throws {
    if marks.last == stack.count, !marks.isEmpty {
      marks.removeLast()
    } else {
      _ = try pop()
    }
  }

  private mutating func popToMark() throws -> [Item] {
    guard let height = marks.popLast() else { throw malformed("no mark on the stack", "a mark") }
    let items = Array(stack[height...])
    stack.removeSubrange(height...)
    return items
  }

  private func pushed(_ index: UInt32) -> Item? {
    index < memo.count ? memo[Int(index)] : sparseMemo[index]
  }

  private mutating func pushMemo(_ index: UInt32) throws {
    guard let item = pushed(index) else { throw malformed("memo entry \(index)", "one that was put before") }
    stack.append(item)
  }

  private mutating func remember(at index: UInt32) throws {
    let item = try top()
    if index < memo.count {
      memo[Int(index)] = item
    } else if index == memo.count, sparseMemo.isEmpty {
      memo.append(item)
    } else {
      sparseMemo[index] = item
    }
  }

  // MARK: - Containers

  private mutating func tuple(_ items: [Item]) -> Item {
    pickle.tuples.append(items)
    return .tuple(Int32(pickle.tuples.count - 1))
  }

  private mutating func pushTuple(last count: Int) throws {
    guard stack.count - floor >= count else { throw malformed("too few values on the stack", "\(count)") }
    let items = Array(stack.suffix(count))
    stack.removeLast(count)
    stack.append(tuple(items))
  }

  private mutating func list(_ items: [Item]) -> Item {
    pickle.lists.append(items)
    return .list(Int32(pickle.lists.count - 1))
  }

  private mutating func dictionary(isOrderedDict: Bool) -> Item {
    pickle.dictionaries.append(Pickle.Dictionary(isOrderedDict: isOrderedDict))
    return .dictionary(Int32(pickle.dictionaries.count - 1))
  }

  private mutating func appendToList(_ items: [Item]) throws {
    guard case .list(let index) = try top() else { throw malformed("values for something else", "a list") }
    pickle.lists[Int(index)].append(contentsOf: items)
  }

  private mutating func setItems(_ items: [Item]) throws {
    guard case .dictionary(let index) = try top() else { throw malformed("entries for something else", "a dict") }
    guard items.count.isMultiple(of: 2) else { throw malformed("a key without a value", "pairs") }
    for position in stride(from: 0, to: items.count, by: 2) {
      pickle.dictionaries[Int(index)].entries.append((items[position], items[position + 1]))
    }
  }

  // MARK: - Names

  private mutating func pushGlobal() throws {
    guard let module = cursor.readLine(), let name = cursor.readLine() else {
      throw malformed("the end of the bytes", "a module and a name")
    }
    try push(module: module, name: name)
  }

  private mutating func pushStackGlobal() throws {
    let name = try pop()
    guard let module = text(try pop()), let name = text(name) else {
      throw malformed("a name that is not text", "a module and a name")
    }
    try push(module: module, name: name)
  }

  private mutating func push(module: UnsafeRawBufferPointer, name: UnsafeRawBufferPointer) throws {
    let (module, name) = (printable(module), printable(name))
    guard let global = Pickle.Global(module: module, name: name) else {
      throw CheckpointError.refusedGlobal(path: path, name: "\(module).\(name)")
    }
    stack.append(.global(global))
  }

  /// REDUCE and NEWOBJ: what Python would call. Here each known name has its case, and nothing is called.
  private mutating func reduce() throws {
    guard case .tuple(let index) = try pop(), case .global(let global) = try pop() else {
      throw malformed("a call of a value", "a name of a state dict and its arguments")
    }
    let arguments = pickle.tuples[Int(index)]
    switch global {
    case .orderedDict: try pushOrderedDict(arguments)
    case .size:
      guard arguments.count == 1, case .tuple = arguments[0] else { throw malformed("torch.Size", "a tuple for it") }
      stack.append(arguments[0])
    case .rebuildTensor: try pushTensor(arguments, counts: 4...4, dtype: nil)
    case .rebuildTensorV2: try pushTensor(arguments, counts: 6...7, dtype: nil)
    case .rebuildTensorV3:
      guard arguments.count > 6, case .global(.elementType(let type)) = arguments[6] else {
        throw malformed("_rebuild_tensor_v3 without a dtype", "a dtype of torch")
      }
      try pushTensor(arguments, counts: 7...8, dtype: type)
    case .rebuildParameter:
      guard let first = arguments.first, case .tensor = first else {
        throw malformed("_rebuild_parameter without a tensor", "a tensor")
      }
      stack.append(first)
    case .storageType, .untypedStorage, .elementType:
      throw malformed("a call of a type", "a type inside a persistent id")
    }
  }

  /// `OrderedDict()`, or `OrderedDict([[key, value], …])` as Python 2 wrote it.
  private mutating func pushOrderedDict(_ arguments: [Item]) throws {
    let result = dictionary(isOrderedDict: true)
    stack.append(result)
    guard let argument = arguments.first else { return }
    guard arguments.count == 1, case .list(let index) = argument else {
      throw malformed("arguments of OrderedDict", "none, or a list of pairs")
    }
    try chargeCopies(pickle.lists[Int(index)].count)
    for pair in pickle.lists[Int(index)] {
      switch pair {
      case .list(let index) where pickle.lists[Int(index)].count == 2: try setItems(pickle.lists[Int(index)])
      case .tuple(let index) where pickle.tuples[Int(index)].count == 2: try setItems(pickle.tuples[Int(index)])
      default: throw malformed("an entry of OrderedDict", "a key and a value")
      }
    }
  }

  /// BUILD: attributes for the object below. An OrderedDict may have some (`_metadata` of a module); they are dropped.
  private mutating func build() throws {
    _ = try pop()
    guard case .dictionary = try top() else {
      throw malformed("attributes for something else", "an OrderedDict")
    }
  }

  // MARK: - Tensors

  /// The persistent id of a storage: `("storage", torch.FloatStorage, key, location, count)`.
  private mutating func pushStorage() throws {
    guard case .tuple(let index) = try pop() else { throw malformed("a persistent id", "a tuple") }
    let parts = pickle.tuples[Int(index)]
    guard parts.count == 5 || parts.count == 6, let kind = text(parts[0]), kind.elementsEqual("storage".utf8),
      case .global(let type) = parts[1], let keyBytes = text(parts[2]), keyBytes.count <= 200,
      let key = String(validating: keyBytes, as: UTF8.self), case .int(let count) = parts[4]
    else {
      throw malformed("a persistent id", #"("storage", a storage type, key, location, count)"#)
    }
    // The old format's sixth part makes a storage a view of another; only PyTorch before 0.4 wrote one.
    if parts.count == 6, case .none = parts[5] {
    } else if parts.count == 6 {
      throw unsupported("a view of a storage", advice: "load it in PyTorch and save it again with torch.save")
    }
    let elementType: ElementType?
    switch type {
    case .storageType(let type): elementType = type
    case .untypedStorage: elementType = nil
    default: throw malformed("a persistent id without a storage type", "a storage type of torch")
    }
    let width = (elementType?.bitWidth ?? 8) / 8
    guard count >= 0, count <= Int.max / width else {
      throw malformed("a storage of \(count) elements", "a size that memory can hold")
    }
    let storage = Pickle.Storage(key: key, elementType: elementType, count: count)
    if let known = storageIndices[key] {
      let other = pickle.storages[Int(known)]
      guard other.elementType == elementType, other.count == count else {
        throw malformed("storage \"\(key)\" with two types or sizes", "one of each")
      }
      stack.append(.storage(known))
    } else {
      pickle.storages.append(storage)
      storageIndices[key] = Int32(pickle.storages.count - 1)
      stack.append(.storage(Int32(pickle.storages.count - 1)))
    }
  }

  /// `(storage, offset, shape, strides, …)`, checked to lie within the storage.
  private mutating func pushTensor(_ arguments: [Item], counts: ClosedRange<Int>, dtype: ElementType?) throws {
    guard counts.contains(arguments.count), case .storage(let index) = arguments[0],
      case .int(let offset) = arguments[1],
      let shape = integers(arguments[2]), let strides = integers(arguments[3]), shape.count == strides.count
    else {
      throw malformed("the arguments of a tensor", "a storage, an offset, a shape and strides of at most 64 dimensions")
    }
    let storage = pickle.storages[Int(index)]
    guard let elementType = dtype ?? storage.elementType, let width = elementType.bitWidth.map({ $0 / 8 }) else {
      throw malformed("a tensor over an untyped storage", "a dtype")
    }
    let available = storage.elementType == nil ? storage.count / width : storage.count
    guard storage.elementType == nil || storage.elementType == elementType else {
      throw malformed("a \(elementType) tensor over a storage of \(storage.elementType!)", "one type")
    }
    guard let last = Self.lastElement(offset: offset, shape: shape, strides: strides), last < available else {
      throw malformed(
        "a tensor of shape \(Shape(shape)), strides \(Shape(strides)) and offset \(offset)",
        "one within the \(available) elements of storage \"\(storage.key)\"")
    }
    try chargeCopies(2 * shape.count)
    pickle.tensors.append(
      Pickle.TensorView(
        storage: Int(index), elementType: elementType, offset: offset, shape: shape, strides: strides))
    stack.append(.tensor(Int32(pickle.tensors.count - 1)))
  }

  /// The numbers of a tuple or list, at most 64.
  private func integers(_ item: Item) -> [Int]? {
    let items: [Item]
    switch item {
    case .tuple(let index): items = pickle.tuples[Int(index)]
    case .list(let index): items = pickle.lists[Int(index)]
    default: return nil
    }
    guard items.count <= Self.maximumRank else { return nil }
    var result: [Int] = []
    result.reserveCapacity(items.count)
    for item in items {
      guard case .int(let value) = item else { return nil }
      result.append(value)
    }
    return result
  }

  /// The position of a view's last element (-1 for a view without elements); nil where a number is negative or the
  /// position leaves `Int`.
  private static func lastElement(offset: Int, shape: [Int], strides: [Int]) -> Int? {
    guard offset >= 0, let count = Shape(shape).safeElementCount, strides.allSatisfy({ $0 >= 0 }) else { return nil }
    guard count > 0 else { return -1 }
    var last = offset
    for (extent, stride) in zip(shape, strides) {
      let (reach, overflow) = (extent - 1).multipliedReportingOverflow(by: stride)
      let (sum, overflowingSum) = last.addingReportingOverflow(reach)
      guard !overflow, !overflowingSum else { return nil }
      last = sum
    }
    return last
  }
}
