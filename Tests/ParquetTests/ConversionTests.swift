// Columns as other types than their own: what is offered, and what would lose something.

import Parquet
import Testing

@Suite("Conversions")
struct ConversionTests {
  private func file(_ name: String = "types_none_v1") throws -> ParquetFile {
    try ParquetFile(path: Resources.path("\(name).parquet"))
  }

  /// The rows of a column as numbers, from the expectations.
  private func expected(_ column: String) throws -> [Double?] {
    guard case .flat(let cells) = try #require(Resources.expected("types_none_v1")[column]) else { return [] }
    return cells.map { $0.flatMap(Double.init) }
  }

  @Test(
    "integers widen to Int64 and keep their values",
    arguments: ["int8", "int16", "int32", "int64", "uint8", "uint16", "uint32"])
  func widening(name: String) throws {
    #expect(try Cells(file().column(name, as: Int64.self)) == Resources.expected("types_none_v1")[name])
    #expect(try Cells(file().column(name, as: Int.self)) == Resources.expected("types_none_v1")[name])
  }

  @Test("integers of up to 32 bits are exact as Double", arguments: ["int8", "int32", "uint16", "uint32"])
  func toDouble(name: String) throws {
    let column = try file().column(name, as: Double.self)
    #expect(try (0..<column.rowCount).map { column[$0] } == expected(name))
  }

  @Test("half and single precision widen to Double")
  func floats() throws {
    let half = try file().column("float16", as: Double.self)
    let values = (0..<half.rowCount).map { half[$0] }
    for (row, value) in values.enumerated() where value != nil {
      #expect(value == [1.5, -0.0, 65504, 0x1p-24, .infinity][row % 5])
      #expect(value?.sign == (row % 5 == 1 ? .minus : .plus))
    }
    let single = try file().column("float", as: Float.self)
    let double = try file().column("float", as: Double.self)
    #expect(double.values == single.values.map(Double.init))
  }

  @Test("what could lose something is an error that names both types")
  func narrowing() throws {
    let file = try file()
    func refused<Value: ParquetValue>(_ name: String, _ type: Value.Type) {
      #expect(throws: ParquetError.self, "\(name) as \(type)") { try file.column(name, as: type) }
    }
    refused("int64", Int32.self)
    refused("int64", UInt64.self)
    refused("int64", Double.self)
    refused("uint64", Int64.self)
    refused("uint32", Int32.self)
    refused("int32", UInt32.self)
    refused("int32", Float.self)
    refused("int8", UInt16.self)
    refused("double", Float.self)
    refused("double", Int64.self)
    refused("boolean", UInt8.self)
    refused("string", Int64.self)
    refused("fixed", String.self)
    refused("decimal9", Double.self)
    let error = #expect(throws: ParquetError.self) { try file.column("uint64", as: Int64.self) }
    let said = "column uint64, schema: found uint64, which can't be read as Int64"
    #expect(error?.description.contains(said) == true)
    #expect(error?.description.contains("its own type is UInt64") == true)
  }

  @Test("a list asked for as a column, and a column as a list, say so")
  func shapes() throws {
    let lists = try file("lists_v1")
    let error = #expect(throws: ParquetError.self) { try lists.column("numbers", as: Int32.self) }
    #expect(error?.description.contains("ask for a listColumn") == true)
    #expect(throws: ParquetError.self) { try file().listColumn("int32", as: Int32.self) }
    let numbers = try lists.listColumn("numbers", as: Int64.self)
    #expect(try Cells(numbers) == Resources.expected("lists_v1")["numbers"])
  }

  @Test("a missing column lists those that are there")
  func missing() throws {
    let error = #expect(throws: ParquetError.self) { try file("required").column("c", as: Int64.self) }
    #expect(error?.description.hasSuffix("required.parquet: no column c; the file has a, b") == true)
  }

  @Test("timestamps of every unit, and dates, convert to any unit that is as fine")
  func timestamps() throws {
    let file = try file()
    for (name, perSecond) in [("timestamp_ms", 1000), ("timestamp_us", 1_000_000)] as [(String, Int64)] {
      let own = try file.column(name, as: Int64.self)
      let fine = try file.timestamps(name, in: .nanoseconds, roundingDown: false)
      #expect(fine.values == own.values.map { $0 * (1_000_000_000 / perSecond) })
      #expect(fine.validity == own.validity)
      let coarse = try file.timestamps(name, in: .seconds, roundingDown: true)
      // Rounding down, also before 1970.
      #expect(coarse.values == own.values.map { Int64((Double($0) / Double(perSecond)).rounded(.down)) })
      #expect(throws: ParquetError.self) { try file.timestamps(name, in: .seconds) }
    }
    let days = try file.column("date", as: Int32.self)
    #expect(try file.timestamps("date", in: .seconds).values == days.values.map { Int64($0) * 86400 })
    #expect(throws: ParquetError.self) { try file.timestamps("int64", in: .seconds) }
  }

  @Test("a timestamp that overflows the unit is an error")
  func overflow() throws {
    let column = ParquetColumn<Int64>([1, .max / 1000 + 1])
    let bytes = try ParquetWriter.bytes(
      fields: [.init("t", .timestamp(.microseconds, isUTC: true))], rowGroups: [[column]])
    let file = try ParquetFile(bytes: bytes)
    #expect(try file.timestamps("t", in: .milliseconds, roundingDown: true).values == [0, .max / 1_000_000])
    let error = #expect(throws: ParquetError.self) { try file.timestamps("t", in: .nanoseconds) }
    #expect(error?.description.contains("value 1 of those that are not null") == true)
  }

  @Test("96-bit timestamps are nanoseconds, and convert like the others")
  func int96() throws {
    let file = try file("int96")
    let nanoseconds = try file.timestamps("timestamp_us", in: .nanoseconds)
    let microseconds = try file.timestamps("timestamp_us", in: .microseconds)
    #expect(try Cells(nanoseconds) == Resources.expected("int96")["timestamp_us"])
    #expect(nanoseconds.values == microseconds.values.map { $0 * 1000 })
  }
}
