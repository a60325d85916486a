// Files that pyarrow wrote, read here: all types, codecs, encodings, page versions, nulls and lists.

import Parquet
import Testing

@Suite("Reading what pyarrow writes")
struct ReadingTests {
  @Test("every file holds what pyarrow says", arguments: Resources.names)
  func values(name: String) throws {
    let file = try ParquetFile(path: Resources.path("\(name).parquet"))
    let expected = try Resources.expected(name)
    #expect(Set(file.schema.names) == Set(expected.keys))
    let table = try file.table()
    for (field, column) in zip(table.fields, table.columns) {
      #expect(try Cells(column) == expected[field.name], "column \(field)")
    }
  }

  @Test("one row group after another gives the same rows", arguments: ["many_row_groups", "lists_many_row_groups"])
  func rowGroups(name: String) throws {
    let file = try ParquetFile(path: Resources.path("\(name).parquet"))
    #expect(file.rowGroups.count > 9)
    #expect(file.rowGroups.reduce(0) { $0 + $1.rowCount } == file.rowCount)
    for (column, expected) in try Resources.expected(name) {
      var flat: [String?] = []
      var lists: [[String?]?] = []
      for group in file.rowGroups {
        switch try Cells(#require(group.table([column]).columns.first)) {
        case .flat(let cells): flat += cells
        case .lists(let cells): lists += cells
        }
      }
      #expect((flat.isEmpty ? .lists(lists) : .flat(flat)) == expected, "column \(column)")
    }
  }

  @Test("a file in memory, and one thread, give the same as the file with two threads")
  func memory() throws {
    let options = ParquetReadOptions(threads: 1)
    for name in ["types_snappy_v1", "many_row_groups", "lists_v2"] {
      let file = try ParquetFile(bytes: Resources.bytes(name), options: options)
      for (field, column) in zip(file.schema.columns, try file.table().columns) {
        #expect(try Cells(column) == Resources.expected(name)[field.name], "\(name), \(field)")
      }
    }
  }

  @Test("the schema tells types, nulls and lists")
  func schema() throws {
    let flat = try ParquetFile(path: Resources.path("types_none_v1.parquet")).schema
    #expect(flat["uint32"]?.type == .integer(bits: 32, isSigned: false))
    #expect(flat["int8"]?.type == .integer(bits: 8, isSigned: true))
    #expect(flat["timestamp_ns"]?.type == .timestamp(.nanoseconds, isUTC: false))
    #expect(flat["timestamp_utc"]?.type == .timestamp(.microseconds, isUTC: true))
    #expect(flat["decimal9"]?.type == .decimal(precision: 9, scale: 2))
    #expect(flat["fixed"]?.type == .fixedBytes(5))
    #expect(flat["float16"]?.type == .float16)
    #expect(flat["date"]?.type == .date)
    #expect(flat["time_us"]?.type == .time(.microseconds))
    #expect(flat["string"]?.isOptional == true)
    #expect(flat["missing"] == nil)

    let required = try ParquetFile(path: Resources.path("required.parquet"))
    #expect(required.schema["a"]?.isOptional == false)
    #expect(required.rowCount == 100)
    #expect(required.createdBy?.contains("parquet-cpp-arrow") == true)

    let lists = try ParquetFile(path: Resources.path("lists_v1.parquet")).schema
    #expect(lists["numbers"]?.isList == true)
    #expect(lists["numbers"]?.isOptional == true)
    #expect(lists["numbers"]?.isListOptional == true)
    #expect(lists["full"]?.isOptional == false)
    #expect(lists["full"]?.isListOptional == false)
    #expect(lists["texts"]?.type == .string)
  }

  @Test("several columns are read together, each as its own type")
  func together() throws {
    let file = try ParquetFile(path: Resources.path("types_zstd_v1.parquet"))
    let (wide, text, flags) = try file.columns(
      .init("uint32", as: Int64.self), .init("string", as: String.self), .init("boolean", as: Bool.self))
    let expected = try Resources.expected("types_zstd_v1")
    #expect(try Cells(wide) == expected["uint32"])
    #expect(try Cells(text) == expected["string"])
    #expect(try Cells(flags) == expected["boolean"])
    #expect(wide.nullCount == wide.validity?.count { !$0 })
  }

  @Test("a list inside a list is named, and the other columns are read")
  func deepNesting() throws {
    let file = try ParquetFile(path: Resources.path("nested.parquet"))
    #expect(file.unsupportedColumns == ["deep"])
    let error = #expect(throws: ParquetError.self) { try file.listColumn("deep", as: Int64.self) }
    #expect(error?.description.contains("column deep, schema: a list inside a list is not supported") == true)
  }
}
