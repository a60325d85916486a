// Reads the format of torch.save before PyTorch 1.6: pickles one after another, then the storages.

import Tensors

enum LegacyPyTorchReader {
  /// The integer 0x1950a86a20f9469cfc6c as the first pickle writes it (LONG1 of ten bytes).
  private static let magic: [UInt8] = [0x8A, 0x0A, 0x6C, 0xFC, 0x9C, 0x46, 0xF9, 0x20, 0x6A, 0xA8, 0x50, 0x19]

  static func read(_ bytes: UnsafeRawBufferPointer, path: String) throws -> CheckpointValue {
    func malformed(_ found: String, _ expected: String) -> CheckpointError {
      .malformed(path: path, place: "the start of the file", found: found, expected: expected)
    }
    var cursor = ByteCursor(bytes)
    // PROTO and its version, the number, STOP.
    guard let start = cursor.read(count: 2 + magic.count + 1), start[2..<2 + magic.count].elementsEqual(magic),
      start[start.count - 1] == UInt8(ascii: ".")
    else {
      throw malformed("a pickle without the magic number of torch.save", "a file that torch.save wrote")
    }
    guard case .int(1001) = try PickleReader.read(&cursor, path: path).root else {
      throw malformed("an unknown version of the format", "1001")
    }
    try checkSystem(PickleReader.read(&cursor, path: path), bytes: bytes, path: path)
    let pickle = try PickleReader.read(&cursor, path: path)
    let keys = try PickleReader.read(&cursor, path: path)
    let storages = try findStorages(&cursor, of: pickle, keys: keys, path: path)
    let budget = MemoryBudget(path: path, fileSize: bytes.count)
    return try PickleConversion.convert(pickle, text: bytes, budget: budget, path: path) { index in
      guard let storage = storages[index] else {
        throw CheckpointError.malformed(
          path: path, place: "the storages", found: "no storage \"\(pickle.storages[index].key)\"",
          expected: "the storage that the pickle names")
      }
      return storage
    }
  }

  /// The third pickle tells the machine that saved the file; only its byte order matters.
  private static func checkSystem(_ pickle: Pickle, bytes: UnsafeRawBufferPointer, path: String) throws {
    guard case .dictionary(let index) = pickle.root else {
      throw CheckpointError.malformed(
        path: path, place: "the third pickle", found: "no dict", expected: "what system saved the file")
    }
    for (key, value) in pickle.dictionaries[Int(index)].entries {
      guard case .text(let offset, let count) = key, case .bool(false) = value,
        bytes[Int(offset)..<Int(offset) + Int(count)].elementsEqual("little_endian".utf8)
      else { continue }
      throw CheckpointError.unsupported(
        path: path, found: "big-endian data", advice: "save it again on a little-endian machine")
    }
  }

  /// After the pickles come the storages in the order of `keys`: a count of elements, then the elements.
  private static func findStorages(
    _ cursor: inout ByteCursor, of pickle: Pickle, keys: Pickle, path: String
  ) throws -> [Int: UnsafeRawBufferPointer] {
    func malformed(_ found: String, _ expected: String) -> CheckpointError {
      .malformed(path: path, place: "storages at byte \(cursor.position)", found: found, expected: expected)
    }
    guard case .list(let list) = keys.root else { throw malformed("no list of storages", "a list of their keys") }
    let indices = Dictionary(uniqueKeysWithValues: pickle.storages.enumerated().map { ($1.key, $0) })
    var found: [Int: UnsafeRawBufferPointer] = [:]
    for item in keys.lists[Int(list)] {
      guard case .text(let offset, let count) = item,
        let index = indices[String(decoding: cursor.bytes[Int(offset)..<Int(offset) + Int(count)], as: UTF8.self)]
      else { throw malformed("a key that no tensor uses", "the key of a storage") }
      let storage = pickle.storages[index]
      guard let elements = cursor.read(Int64.self), elements == storage.count,
        let bytes = cursor.read(count: storage.byteCount)
      else {
        throw malformed("no \(storage.byteCount) bytes", "storage \"\(storage.key)\" of \(storage)")
      }
      found[index] = bytes
    }
    return found
  }
}
