// Files written here and read here; tools/crosscheck/parquet.py has pyarrow read them too.

import Foundation
import Parquet
import Testing

@Suite("Writing")
struct WritingTests {
  private static let compressions: [ParquetCompression] = [.none, .snappy, .gzip, .zstandard, .lz4]

  @Test("what pyarrow wrote comes back the same through the writer", arguments: Resources.names, compressions)
  func roundTrip(name: String, compression: ParquetCompression) throws {
    let file = try ParquetFile(path: Resources.path("\(name).parquet"))
    let table = try file.table()
    // Half precision is read as Float, and written as that.
    let fields = table.fields.map { field in
      field.type == .float16 ? ParquetField(field.name, .float, isOptional: field.isOptional) : field
    }
    let bytes = try ParquetWriter.bytes(
      fields: fields, rowGroups: [table.columns], options: .init(compression: compression))
    let copy = try ParquetFile(bytes: bytes)
    #expect(copy.rowCount == file.rowCount)
    #expect(copy.schema.columns.map(\.description) == fields.map(\.description))
    let read = try copy.table()
    for (index, field) in table.fields.enumerated() {
      #expect(try Cells(read.columns[index]) == Cells(table.columns[index]), "column \(field)")
    }
  }

  @Test("several row groups, with and without a dictionary, hold all rows")
  func rowGroups() throws {
    let fields: [ParquetField] = [
      .init("steps", .integer(bits: 64, isSigned: true)), .init("few", .string, isOptional: true),
      .init("many", .string), .init("lists", .integer(bits: 32, isSigned: true), isOptional: true, isList: true),
    ]
    func group(_ start: Int, _ count: Int) -> [any ParquetColumnData] {
      let rows = start..<start + count
      return [
        ParquetColumn(rows.map { Int64($0 / 100) }),
        ParquetColumn(optional: rows.map { $0 % 5 == 0 ? nil : "value \($0 % 7)" }),
        ParquetColumn(rows.map { "row number \($0)" }),
        ParquetListColumn(rows.map { row in (0..<row % 4).map { $0 == 2 ? nil : Int32(row + $0) } }),
      ]
    }
    let groups = [group(0, 3000), group(3000, 1), group(3001, 20_000)]
    let bytes = try ParquetWriter.bytes(fields: fields, rowGroups: groups)
    let file = try ParquetFile(bytes: bytes)
    #expect(file.rowGroups.map(\.rowCount) == [3000, 1, 20_000])
    let (steps, few, many) = try file.columns(
      .init("steps", as: Int64.self), .init("few", as: String.self), .init("many", as: String.self))
    let lists = try file.listColumn("lists", as: Int32.self)
    for row in [0, 5, 2999, 3000, 3001, 12_345, 23_000] {
      #expect(steps[row] == Int64(row / 100))
      #expect(few[row] == (row % 5 == 0 ? nil : "value \(row % 7)"))
      #expect(many[row] == "row number \(row)")
      #expect(lists[row] == (0..<row % 4).map { $0 == 2 ? nil : Int32(row + $0) })
    }
    #expect(few.nullCount == 4601)
    let plain = try ParquetWriter.bytes(fields: fields, rowGroups: groups, options: .init(usesDictionaries: false))
    #expect(bytes.count < plain.count)
    #expect(try ParquetFile(bytes: plain).column("few", as: String.self) == few)
  }

  @Test("a column of more than a page, of values hard to compress, holds all of them")
  func pages() throws {
    var random = Random(seed: 5)
    let values = (0..<400_000).map { _ in Int64(bitPattern: random.next()) }
    let optional = values.map { $0 % 3 == 0 ? nil : $0 }
    let type = ParquetType.integer(bits: 64, isSigned: true)
    let bytes = try ParquetWriter.bytes(
      fields: [.init("all", type), .init("some", type, isOptional: true)],
      rowGroups: [[ParquetColumn(values), ParquetColumn(optional: optional)]])
    let file = try ParquetFile(bytes: bytes)
    let (all, some) = try file.columns(.init("all", as: Int64.self), .init("some", as: Int64.self))
    #expect(all.values == values)
    #expect((0..<optional.count).allSatisfy { some[$0] == optional[$0] })
  }

  @Test("a file is there whole after finish, and not before")
  func atomic() throws {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("parquet-\(UUID().uuidString)").path
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let path = folder + "/x.parquet"
    let writer = try ParquetWriter(
      path: path, fields: [.init("x", .double)], options: .init(keyValues: ["made": "today"]))
    try writer.write([ParquetColumn([1.5, -0.25])])
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder).isEmpty)
    try writer.finish()
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder) == ["x.parquet"])
    let file = try ParquetFile(path: path)
    #expect(try file.column("x", as: Double.self).values == [1.5, -0.25])
    #expect(file.keyValues == ["made": "today"])
    #expect(file.createdBy == "RankerKit")
    #expect(throws: ParquetError.self) { try ParquetWriter(path: folder + "/no/x.parquet", fields: []) }
  }

  @Test("what doesn't fit the fields is an error that names the column")
  func misfits() throws {
    let integer = ParquetType.integer(bits: 32, isSigned: true)
    func said(_ fields: [ParquetField], _ columns: [any ParquetColumnData]) -> String {
      do {
        _ = try ParquetWriter.bytes(fields: fields, rowGroups: [columns])
        return ""
      } catch {
        return "\(error)"
      }
    }
    let numbers = ParquetColumn<Int32>([1, 2])
    #expect(said([.init("a", integer)], []).contains("got 0 columns, expected 1"))
    #expect(
      said([.init("a", integer), .init("b", integer)], [numbers, ParquetColumn<Int32>([1])])
        .contains("column b: got 1 rows, expected 2, as a has"))
    #expect(said([.init("a", integer)], [ParquetColumn<Int64>([1])]).contains("column a, values: found Int64"))
    #expect(said([.init("a", .string)], [numbers]).contains("found Int32"))
    #expect(said([.init("a", integer)], [ParquetColumn<Int32>(optional: [1, nil])]).contains("found 1 nulls"))
    #expect(said([.init("a", integer, isList: true)], [numbers]).contains("ParquetListColumn"))
    #expect(said([.init("a", integer)], [ParquetListColumn<Int32>([[1]])]).contains("ParquetColumn"))
    #expect(said([.init("a", integer), .init("a", integer)], [numbers, numbers]).contains("a second a"))
    #expect(said([.init("a", .decimal(precision: 30, scale: 2))], [numbers]).contains("1 to 18 digits"))
    #expect(said([.init("a", .fixedBytes(3))], [ParquetColumn<[UInt8]>([[1, 2]])]).contains("row 0: found 2 bytes"))
    #expect(said([.init("a", integer, isList: true)], [ParquetListColumn<Int32>([nil])]).contains("null lists"))
  }

  @Test("narrow integers are written to wider columns")
  func widening() throws {
    let wide = ParquetType.integer(bits: 64, isSigned: true)
    let bytes = try ParquetWriter.bytes(
      fields: [.init("a", wide), .init("b", wide), .init("c", .double)],
      rowGroups: [
        [
          ParquetColumn<UInt32>([0, .max]), ParquetColumn<Int8>(optional: [-128, 127]),
          ParquetColumn<Float>([0.5, .infinity]),
        ]
      ])
    let file = try ParquetFile(bytes: bytes)
    #expect(try file.column("a", as: Int64.self).values == [0, 4_294_967_295])
    #expect(try file.column("b", as: Int64.self).values == [-128, 127])
    #expect(try file.column("c", as: Double.self).values == [0.5, .infinity])
  }

  @Test("files of the writer are damaged without a crash")
  func damage() throws {
    var random = Random(seed: 9)
    let file = try ParquetFile(path: Resources.path("nulls_v1.parquet"))
    let table = try file.table()
    for compression in Self.compressions {
      let bytes = try ParquetWriter.bytes(
        fields: table.fields, rowGroups: [table.columns, table.columns], options: .init(compression: compression))
      for _ in 0..<300 {
        let damaged = random.damaged(bytes)
        let options = ParquetReadOptions(threads: 1, memoryLimit: 16 << 20)
        do {
          _ = try ParquetFile(bytes: damaged, options: options).table()
        } catch {
          #expect(error is ParquetError)
        }
      }
    }
  }
}
