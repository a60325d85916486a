// libFuzzer's way into the reader of Parquet.

import Parquet

@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
  let bytes = Array(UnsafeBufferPointer(start: start, count: count))
  do {
    // Little memory, as libFuzzer takes a large allocation for a find.
    let file = try ParquetFile(bytes: bytes, options: .init(threads: 1, memoryLimit: 64 << 20))
    for name in file.schema.names { try readBack(file, name) }
  } catch is ParquetError {
  } catch {
    fatalError("a foreign error: \(error)")
  }
  return 0
}

/// What was read can be written, and is read again with as many rows.
private func readBack(_ file: ParquetFile, _ name: String) throws {
  let table: ParquetTable
  do {
    table = try file.table([name])
  } catch is ParquetError {
    return
  }
  guard table.columns[0].rowCount == file.rowCount else { fatalError("\(name): another number of rows") }
  guard let bytes = try? ParquetWriter.bytes(fields: table.fields, rowGroups: [table.columns]) else { return }
  do {
    guard try ParquetFile(bytes: bytes).table().columns[0].rowCount == file.rowCount else {
      fatalError("\(name): another number of rows in the copy")
    }
  } catch {
    fatalError("\(name): no way back: \(error)")
  }
}
