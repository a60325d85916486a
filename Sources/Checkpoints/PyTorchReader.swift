// Reads what torch.save wrote: the zip archive of PyTorch 1.6 and later, and the plain pickles before it.

import Tensors

enum PyTorchReader {
  /// Reads the bytes of a `.pth` file.
  ///
  /// - Parameter path: The file's name, for errors.
  static func read(_ bytes: UnsafeRawBufferPointer, path: String) throws -> CheckpointValue {
    switch FileFormat(of: bytes) {
    case .zip: try readArchive(bytes, path: path)
    case .pickle: try LegacyPyTorchReader.read(bytes, path: path)
    case let other: throw other.refusal(path: path, wanted: "a checkpoint that torch.save wrote")
    }
  }

  private static func readArchive(_ bytes: UnsafeRawBufferPointer, path: String) throws -> CheckpointValue {
    let archive = try ZipArchive(bytes, path: path)
    guard let pickleName = archive.names.first(where: { $0 == "data.pkl" || $0.hasSuffix("/data.pkl") }) else {
      throw CheckpointError.malformed(
        path: path, place: "the zip archive", found: "the records \(archive.names.prefix(5).joined(separator: ", "))",
        expected: "a record data.pkl, as torch.save writes it")
    }
    let folder = String(pickleName.dropLast("data.pkl".count))
    if archive.entries[folder + "constants.pkl"] != nil {
      throw CheckpointError.unsupported(
        path: path, found: "a TorchScript archive",
        advice: "save its parameters: torch.save(torch.jit.load(file).state_dict(), \"state.pth\")")
    }
    let budget = MemoryBudget(path: path, fileSize: bytes.count)
    if let order = try archive.record(folder + "byteorder", budget: budget), !order.bytes.elementsEqual("little".utf8) {
      throw CheckpointError.unsupported(
        path: path, found: "the byte order \"\(String(decoding: order.bytes.prefix(20), as: UTF8.self))\"",
        advice: "save it again on a little-endian machine")
    }
    let pickleRecord = try archive.record(pickleName, budget: budget)!
    var cursor = ByteCursor(pickleRecord.bytes)
    let pickle = try PickleReader.read(&cursor, path: path)

    // Each storage is found once; its record stays as long as the conversion needs it.
    var records: [Int: ZipArchive.Record] = [:]
    return try withExtendedLifetime(pickleRecord) {
      try PickleConversion.convert(pickle, text: pickleRecord.bytes, budget: budget, path: path) { index in
        if let record = records[index] { return record.bytes }
        let storage = pickle.storages[index]
        let name = folder + "data/" + storage.key
        guard let record = try archive.record(name, budget: budget) else {
          throw CheckpointError.malformed(
            path: path, place: "the zip archive", found: "no record \"\(name)\"",
            expected: "the storage that the pickle names")
        }
        guard record.bytes.count == storage.byteCount else {
          throw CheckpointError.malformed(
            path: path, place: "record \"\(name)\"", found: "\(record.bytes.count) bytes",
            expected: "the \(storage.byteCount) of \(storage.description)")
        }
        records[index] = record
        return record.bytes
      }
    }
  }
}

extension Pickle.Storage: CustomStringConvertible {
  /// Bytes of all elements. (The reader has checked that they fit.)
  var byteCount: Int { count * ((elementType?.bitWidth ?? 8) / 8) }

  var description: String { "\(count) elements of \(elementType?.description ?? "bytes")" }
}
