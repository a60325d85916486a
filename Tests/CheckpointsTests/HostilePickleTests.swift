// Pickles that want to run something, to fill the memory or to read what is not theirs.

import Checkpoints
import Tensors
import Testing

@Suite("Hostile .pth files")
struct HostilePickleTests {
  struct Hostile: Sendable, CustomTestStringConvertible {
    let name: String
    let opcodes: [Opcode]
    var storages: [[UInt8]] = []
    let message: String
    var testDescription: String { name }
  }

  @Test(
    "a pickle that names anything else is refused with that name",
    arguments: [
      ("os", "system"), ("posix", "system"), ("builtins", "eval"), ("builtins", "getattr"), ("__builtin__", "exec"),
      ("subprocess", "Popen"), ("torch", "load"), ("torch.hub", "load"), ("torch._utils", "_rebuild_sparse_tensor"),
      ("torch.storage", "_load_from_bytes"), ("collections", "Counter"), ("numpy.core.multiarray", "_reconstruct"),
      ("torch", "FloatStorage.__reduce__"), ("torch.FloatStorage", ""), ("", ""),
    ])
  func otherNames(module: String, name: String) throws {
    let call: [Opcode] = [.global(module, name), .text("echo hello"), .tuple1, .reduce]
    let stackCall: [Opcode] = [.text(module), .text(name), .stackGlobal, .text("echo hello"), .tuple1, .reduce]
    // INST and OBJ, which make instances of classes.
    let instance: [Opcode] = [.mark, .text("echo hello"), .raw([0x69] + Array("\(module)\n\(name)\n".utf8))]
    let unused: [Opcode] = [.global(module, name), .pop, .none]
    for opcodes in [call, stackCall, instance, unused] {
      let error = try #require(throws: CheckpointError.self) { try CheckpointValue(bytes: opcodes.archive()) }
      #expect(error == .refusedGlobal(path: "test", name: "\(module).\(name)"))
    }
  }

  @Test("a refusal says what was refused and what to do")
  func refusalMessage() {
    let error = CheckpointError.refusedGlobal(path: "m.pth", name: "os.system")
    #expect("\(error)".hasPrefix("m.pth: the pickle names os.system, which a state dict does not need"))
    #expect("\(error)".contains("torch.save(model.state_dict()"))
  }

  @Test("each attack ends in an error that names it", arguments: attacks)
  func attack(_ hostile: Hostile) throws {
    let error = try #require(throws: CheckpointError.self) {
      try CheckpointValue(bytes: hostile.opcodes.archive(storages: hostile.storages))
    }
    #expect("\(error)".contains(hostile.message), "\(error)")
  }

  /// Lists nested so deep that recursion would leave the stack.
  private static func nested(_ levels: Int) -> [Opcode] {
    [.raw([UInt8](repeating: 0x5D, count: levels)), .raw([UInt8](repeating: 0x61, count: levels - 1))]
  }

  /// A list of lists that each hold the one before: every one is near the top, and the last is as deep as there are.
  private static func ladder(_ levels: Int) -> [Opcode] {
    var opcodes: [Opcode] = [.emptyList, .mark, .emptyList, .put(0)]
    for level in 1...levels { opcodes += [.emptyList, .get(level - 1), .append, .put(level)] }
    return opcodes + [.appends]
  }

  /// A list of ten references to a list of ten references to … a list.
  private static func laughs(_ levels: Int) -> [Opcode] {
    var opcodes: [Opcode] = [.emptyList, .put(0), .pop]
    for level in 1...levels {
      opcodes += [.emptyList, .mark] + [Opcode](repeating: .get(level - 1), count: 10) + [.appends, .put(level), .pop]
    }
    return opcodes + [.get(levels)]
  }

  /// A text of a mebibyte, of which the memo makes as many as one likes.
  private static let longText = String(repeating: "x", count: 1 << 20)

  static let attacks: [Hostile] = [
    .init(name: "a list of a million levels", opcodes: nested(1_000_000), message: "nesting"),
    .init(
      name: "a tuple of a million levels", opcodes: [.none, .raw(.init(repeating: 0x85, count: 1_000_000))],
      message: "nesting"),
    .init(
      name: "lists that each hold the one before, side by side", opcodes: ladder(100), message: "nesting"),
    .init(name: "billion laughs", opcodes: laughs(12), message: "repetitions written out"),
    .init(
      name: "a long text ten thousand times",
      opcodes: [.text(longText), .put(0), .pop, .emptyList, .mark] + [Opcode](repeating: .get(0), count: 10_000)
        + [.appends],
      message: "repetitions written out"),
    .init(
      name: "a long list of pairs made a dict again and again",
      opcodes: [.emptyList, .put(0), .mark]
        + [Opcode](repeating: .none, count: 2).flatMap { _ in [Opcode.emptyList, .mark, .int(1), .int(2), .appends] }
        + [.appends, .pop, .emptyList, .put(1), .mark, .emptyList, .mark, .int(1), .int(2), .appends, .put(2)]
        + [Opcode](repeating: .get(2), count: 100_000) + [.appends, .pop]
        + [Opcode](repeating: .none, count: 200).flatMap { _ in
          [Opcode.global("collections", "OrderedDict"), .get(1), .tuple1, .reduce, .pop]
        } + [.none],
      message: "more values than it has bytes"),
    .init(name: "a list that holds itself", opcodes: [.emptyList, .dup, .append], message: "holds itself"),
    .init(
      name: "a dict that holds itself", opcodes: [.emptyDictionary, .put(0), .text("a"), .get(0), .setItem],
      message: "holds itself"),
    .init(
      name: "a tuple in a list that holds it", opcodes: [.emptyList, .put(0), .get(0), .tuple1, .append],
      message: "holds itself"),
    .init(name: "a dict as its own key", opcodes: [.emptyDictionary, .dup, .none, .setItem], message: "holds itself"),
    .init(name: "a list as a key", opcodes: [.emptyDictionary, .emptyList, .none, .setItem], message: "key of a dict"),
    .init(
      name: "a text of four gigabytes", opcodes: [.raw([0x58, 0xFF, 0xFF, 0xFF, 0xFF])],
      message: "a string of 4294967295 bytes"),
    .init(
      name: "a text of 2^64 bytes", opcodes: [.raw([0x8D] + [UInt8](repeating: 0xFF, count: 8))],
      message: "a string of 18446744073709551615 bytes"),
    .init(
      name: "a text of 2^63-1 bytes", opcodes: [.raw([0x8D] + [UInt8](repeating: 0xFF, count: 7) + [0x7F])],
      message: "a string of 9223372036854775807 bytes"),
    .init(name: "an integer of -1 bytes", opcodes: [.raw([0x8B, 0xFF, 0xFF, 0xFF, 0xFF])], message: "-1 bytes"),
    .init(
      name: "an integer beyond 64 bits", opcodes: [.raw([0x8A, 9, 0, 0, 0, 0, 0, 0, 0, 0, 1])], message: "64 bits"),
    .init(
      name: "an integer of 64 bits without room for its sign",
      opcodes: [.raw([0x8A, 9, 0, 0, 0, 0, 0, 0, 0, 0x80, 0])], message: "64 bits"),
    .init(name: "a text that is no UTF-8", opcodes: [.raw([0x58, 1, 0, 0, 0, 0xFF])], message: "not UTF-8"),
    .init(name: "an empty stack", opcodes: [.append], message: "too few values"),
    .init(name: "an empty pickle", opcodes: [], message: "0 values at the end"),
    .init(name: "two values", opcodes: [.none, .none], message: "2 values at the end"),
    .init(name: "a mark left over", opcodes: [.none, .mark], message: "at the end"),
    .init(name: "no mark", opcodes: [.none, .tuple], message: "no mark"),
    .init(name: "values taken from below a mark", opcodes: [.none, .none, .mark, .tuple2], message: "too few values"),
    .init(name: "the memo before it was written", opcodes: [.get(5)], message: "memo entry 5"),
    .init(name: "an extension code", opcodes: [.raw([0x82, 1])], message: "extension registry"),
    .init(name: "attributes of a list", opcodes: [.emptyList, .emptyDictionary, .build], message: "attributes"),
    .init(name: "a call of a text", opcodes: [.text("eval"), .emptyTuple, .reduce], message: "a call of a value"),
    .init(
      name: "a call of a type", opcodes: [.global("torch", "FloatStorage"), .emptyTuple, .reduce],
      message: "a call of a type"),
    .init(name: "a class as a value", opcodes: [.global("collections", "OrderedDict")], message: "as a value"),
    .init(
      name: "a storage as a value", opcodes: .storage(count: 1), storages: [[0, 0, 0, 0]],
      message: "without a tensor"),
    .init(name: "another persistent id", opcodes: [.text("module"), .tuple1, .persistentID], message: "persistent id"),
    .init(name: "bytes", opcodes: [.raw([0x43, 1, 0])], message: "a bytes object"),
    .init(name: "a set", opcodes: [.raw([0x8F])], message: "a set"),
    .init(name: "a pickle of protocol 0", opcodes: [.raw(Array("I5\n".utf8))], message: "protocol 0 or 1"),
    .init(name: "a later protocol", opcodes: [.raw([0x80, 6]), .none], message: "pickle protocol 6"),
    .init(name: "a negative storage", opcodes: .storage(count: -1), message: "a storage of -1 elements"),
    .init(
      name: "a storage of 2^63-1 elements", opcodes: .storage(count: .max), message: "a storage of 9223372036854775807"),
    .init(
      name: "a storage with two sizes",
      opcodes: .storage(count: 1) + .tensor(shape: [1], strides: [1], storageCount: 2) + [.tuple2],
      storages: [[0, 0, 0, 0]], message: "two types or sizes"),
    .init(
      name: "a storage smaller than announced", opcodes: .tensor(shape: [4], strides: [1], storageCount: 4),
      storages: [[0, 0, 0]], message: "3 bytes, expected the 16"),
    .init(
      name: "a storage that is not there", opcodes: .tensor(shape: [4], strides: [1], storageCount: 4),
      message: "no record \"archive/data/0\""),
    .init(
      name: "a tensor beyond its storage", opcodes: .tensor(shape: [5], strides: [1], storageCount: 4),
      storages: [.init(repeating: 0, count: 16)], message: "one within the 4 elements"),
    .init(
      name: "an offset beyond the storage", opcodes: .tensor(offset: 4, shape: [1], strides: [1], storageCount: 4),
      storages: [.init(repeating: 0, count: 16)], message: "one within the 4 elements"),
    .init(
      name: "an offset before the storage", opcodes: .tensor(offset: -1, shape: [1], strides: [1], storageCount: 4),
      storages: [.init(repeating: 0, count: 16)], message: "one within the 4 elements"),
    .init(
      name: "a negative stride", opcodes: .tensor(offset: 3, shape: [4], strides: [-1], storageCount: 4),
      storages: [.init(repeating: 0, count: 16)], message: "one within the 4 elements"),
    .init(
      name: "strides whose reach leaves 64 bits", opcodes: .tensor(shape: [3], strides: [.max], storageCount: 4),
      storages: [.init(repeating: 0, count: 16)], message: "one within the 4 elements"),
    .init(
      name: "a shape whose product leaves 64 bits",
      opcodes: .tensor(shape: [1 << 32, 1 << 32], strides: [0, 0], storageCount: 1),
      storages: [[0, 0, 0, 0]], message: "one within the 1 elements"),
    .init(
      name: "such a shape with a zero",
      opcodes: .tensor(shape: [0, 1 << 32, 1 << 32], strides: [0, 0, 0], storageCount: 1),
      storages: [[0, 0, 0, 0]], message: "one within the 1 elements"),
    .init(
      name: "one number repeated into 4 terabytes", opcodes: .tensor(shape: [1 << 40], strides: [0], storageCount: 1),
      storages: [[0, 0, 0, 0]], message: "would take 4398046511104 bytes"),
    .init(
      name: "a size in bytes that leaves 64 bits",
      opcodes: .tensor(shape: [1 << 62], strides: [0], storageCount: 1), storages: [[0, 0, 0, 0]],
      message: "would take"),
    .init(
      name: "65 dimensions",
      opcodes: .tensor(
        shape: .init(repeating: 1, count: 65), strides: .init(repeating: 1, count: 65), storageCount: 1),
      storages: [[0, 0, 0, 0]], message: "at most 64 dimensions"),
    .init(
      name: "as many strides as one wants", opcodes: .tensor(shape: [1, 1], strides: [1], storageCount: 1),
      storages: [[0, 0, 0, 0]], message: "the arguments of a tensor"),
    .init(
      name: "a hundred large views of one storage",
      opcodes: [.mark]
        + (0..<100).flatMap { [Opcode].tensor(offset: $0, shape: [1 << 18], strides: [1], storageCount: 1 << 18 + 100) }
        + [.tuple],
      storages: [.init(repeating: 0, count: 4 * (1 << 18 + 100))], message: "are taken"),
  ]

  @Test("a pickle cut at any byte is an error")
  func cutPickle() throws {
    let whole = ([.proto] + .tensor(shape: [2], strides: [1], storageCount: 2) + [.stop]).bytes
    let storage = [UInt8](repeating: 0, count: 8)
    #expect(try CheckpointValue(bytes: ZipBuilder(pickle: whole, storages: [storage]).build()).tensor != nil)
    for count in 0..<whole.count {
      let cut = ZipBuilder(pickle: Array(whole.prefix(count)), storages: [storage]).build()
      #expect(throws: CheckpointError.self, "cut to \(count) bytes") { try CheckpointValue(bytes: cut) }
    }
  }
}
