// Reads each Parquet file of a folder and writes what it read to another: for pyarrow, which compares the two.
//
//     parquet-copy FROM TO [none|snappy|gzip|zstandard|lz4]

import Foundation
import Parquet

let arguments = CommandLine.arguments
let compressions: [String: ParquetCompression] = [
  "none": .none, "snappy": .snappy, "gzip": .gzip, "zstandard": .zstandard, "lz4": .lz4,
]
guard (3...4).contains(arguments.count), let compression = compressions[arguments.dropFirst(3).first ?? "snappy"] else {
  print("usage: parquet-copy FROM TO [\(compressions.keys.sorted().joined(separator: "|"))]")
  exit(64)
}

for name in try FileManager.default.contentsOfDirectory(atPath: arguments[1]).sorted() where name.hasSuffix(".parquet")
{
  do {
    let file = try ParquetFile(path: "\(arguments[1])/\(name)")
    // Half precision is read as Float, and written as that.
    let fields = file.schema.columns.map { field in
      field.type == .float16 ? ParquetField(field.name, .float, isOptional: field.isOptional) : field
    }
    let writer = try ParquetWriter(
      path: "\(arguments[2])/\(name)", fields: fields, options: .init(compression: compression))
    for rowGroup in file.rowGroups { try writer.write(rowGroup.table().columns) }
    try writer.finish()
  } catch {
    print(error)
    exit(1)
  }
}
