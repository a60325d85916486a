// Pickles put together opcode by opcode, for what Python's pickler would never write.

/// Opcodes and their operands. `[.proto, .none, .stop].bytes` is a whole pickle.
enum Opcode {
  case proto, mark, stop, none, emptyTuple, emptyList, emptyDictionary, reduce, tuple, tuple1, tuple2, append, appends
  case setItem, setItems, persistentID, build, pop, dup, newObject, stackGlobal, memoize
  case int(Int)
  case text(String)
  case global(String, String)
  case put(Int)
  case get(Int)
  case raw([UInt8])

  var bytes: [UInt8] {
    switch self {
    case .proto: [0x80, 2]
    case .mark: [0x28]
    case .stop: [0x2E]
    case .none: [0x4E]
    case .emptyTuple: [0x29]
    case .emptyList: [0x5D]
    case .emptyDictionary: [0x7D]
    case .reduce: [0x52]
    case .tuple: [0x74]
    case .tuple1: [0x85]
    case .tuple2: [0x86]
    case .append: [0x61]
    case .appends: [0x65]
    case .setItem: [0x73]
    case .setItems: [0x75]
    case .persistentID: [0x51]
    case .build: [0x62]
    case .pop: [0x30]
    case .dup: [0x32]
    case .newObject: [0x81]
    case .stackGlobal: [0x93]
    case .memoize: [0x94]
    case .int(let value): [0x8A, 8] + word(value)
    case .text(let text): [0x58] + word(UInt32(text.utf8.count)) + Array(text.utf8)
    case .global(let module, let name): [0x63] + Array("\(module)\n\(name)\n".utf8)
    case .put(let index): [0x72] + word(UInt32(index))
    case .get(let index): [0x6A] + word(UInt32(index))
    case .raw(let bytes): bytes
    }
  }
}

extension [Opcode] {
  var bytes: [UInt8] { flatMap(\.bytes) }

  /// A checkpoint with this pickle, completed by PROTO and STOP.
  func archive(storages: [[UInt8]] = []) -> [UInt8] {
    ZipBuilder(pickle: ([.proto] + self + [.stop]).bytes, storages: storages).build()
  }

  /// The persistent id of a storage of floats.
  static func storage(key: String = "0", type: String = "FloatStorage", count: Int) -> [Opcode] {
    [
      .mark, .text("storage"), .global("torch", type), .text(key), .text("cpu"), .int(count), .tuple, .persistentID,
    ]
  }

  /// A tensor over storage "0".
  static func tensor(offset: Int = 0, shape: [Int], strides: [Int], storageCount: Int) -> [Opcode] {
    var opcodes: [Opcode] = [.global("torch._utils", "_rebuild_tensor_v2"), .mark]
    opcodes += storage(count: storageCount) + [.int(offset), .mark] + shape.map(Opcode.int) + [.tuple, .mark]
    opcodes += strides.map(Opcode.int) + [.tuple, .raw([0x89]), .global("collections", "OrderedDict"), .emptyTuple]
    return opcodes + [.reduce, .tuple, .reduce]
  }
}
