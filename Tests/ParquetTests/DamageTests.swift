// Thousands of damaged files: each is an error or a table, never a crash, and memory stays bounded.

import Glibc
import Parquet
import Testing

@Suite("Damaged files")
struct DamageTests {
  /// Little memory, as a claim that can't be true must not be believed.
  private static let options = ParquetReadOptions(threads: 1, memoryLimit: 16 << 20)

  /// Reads all columns. Any error but a `ParquetError` fails the test.
  private func attempt(_ bytes: [UInt8], _ note: @autoclosure () -> String) {
    do {
      let file = try ParquetFile(bytes: bytes, options: Self.options)
      for name in file.schema.names {
        do {
          let table = try file.table([name])
          // A list column of no rows has no values either; nothing else can have another number of rows.
          if table.columns[0].rowCount != file.rowCount {
            Issue.record("\(note()): column \(name) of \(table.columns[0].rowCount) rows, of \(file.rowCount)")
          }
        } catch let error as ParquetError {
          if error.description.isEmpty { Issue.record("\(note()): an error without words") }
        }
      }
    } catch is ParquetError {
    } catch {
      Issue.record("\(note()): a foreign error, \(error)")
    }
  }

  @Test("a file cut at any byte is an error", arguments: Resources.names)
  func cut(name: String) throws {
    let bytes = try Resources.bytes(name)
    for count in 0..<bytes.count where (try? ParquetFile(bytes: Array(bytes[..<count]))) != nil {
      Issue.record("cut to \(count) bytes it opens")
    }
  }

  @Test("pages cut at any byte, with the footer whole, are an error or a table", arguments: Resources.names)
  func cutPages(name: String) throws {
    let bytes = try Resources.bytes(name)
    let footer = bytes[(bytes.count - 8)..<(bytes.count - 4)].reversed().reduce(0) { $0 << 8 | Int($1) }
    let pages = bytes.count - 8 - footer
    for count in stride(from: 4, to: pages, by: max(1, pages / 500)) {
      attempt(Array(bytes[..<count] + bytes[pages...]), "\(name) with \(count) bytes of pages")
    }
  }

  @Test("random damage is an error or a table", arguments: Resources.names)
  func damage(name: String) throws {
    var random = Random(seed: 1)
    let bytes = try Resources.bytes(name)
    for round in 0..<600 { attempt(random.damaged(bytes), "\(name), round \(round)") }
  }

  @Test("random bytes are an error")
  func noise() {
    var random = Random(seed: 2)
    for _ in 0..<2000 {
      let noise = (0..<Int.random(in: 0..<300, using: &random)).map { _ in UInt8.random(in: 0...255, using: &random) }
      let size = (0..<4).map { UInt8(truncatingIfNeeded: noise.count >> (8 * $0)) }
      attempt(Array("PAR1".utf8) + noise + size + Array("PAR1".utf8), "noise")
    }
  }

  @Test("a flipped bit in a page with a checksum is seen, and other columns are read all the same")
  func checksum() throws {
    var bytes = try Resources.bytes("required")
    let original = try ParquetFile(bytes: bytes).column("b", as: String.self)
    let other = try ParquetFile(bytes: bytes).column("a", as: Int64.self)
    var seen = 0
    for position in 4..<900 {
      bytes[position] ^= 4
      do {
        let file = try ParquetFile(bytes: bytes)
        #expect(try file.column("b", as: String.self) == original)
      } catch let error as ParquetError {
        if error.description.contains("CRC-32") {
          seen += 1
          #expect(error.description.contains("column b, row group 0, page "))
          #expect(try ParquetFile(bytes: bytes).column("a", as: Int64.self) == other)
        }
      }
      bytes[position] ^= 4
    }
    #expect(seen > 100)
  }

  @Test("a missing file, a folder, an empty file and one that is not Parquet each say what they are")
  func notParquet() throws {
    func said(_ open: () throws -> ParquetFile) -> String {
      do {
        _ = try open()
        return ""
      } catch {
        return "\(error)"
      }
    }
    #expect(said { try ParquetFile(path: "/nowhere/x.parquet") }.contains("cannot open for reading: No such file"))
    #expect(said { try ParquetFile(path: "/") }.contains("Is a directory"))
    #expect(said { try ParquetFile(bytes: []) }.contains("found 0 bytes"))
    #expect(said { try ParquetFile(bytes: Array("user_id,item_id\n1,2\n".utf8)) }.contains("expected PAR1"))
    let encrypted = Array("PARE".utf8) + [0, 0, 0, 0] + Array("PARE".utf8)
    #expect(said { try ParquetFile(bytes: encrypted) }.contains("encryption is not supported"))
  }

  @Test("rows that would not fit into the allowed memory are an error before they are read")
  func memoryLimit() throws {
    let path = Resources.path("required.parquet")
    let file = try ParquetFile(path: path, options: .init(memoryLimit: 700))
    let error = #expect(throws: ParquetError.self) { try file.column("a", as: Int64.self) }
    #expect(error?.description.contains("800 bytes of values, more than the 700 that are allowed") == true)
    // By row groups it fits.
    let parts = try ParquetFile(path: Resources.path("many_row_groups.parquet"), options: .init(memoryLimit: 700))
    #expect(try parts.rowGroups[0].column("a", as: Int64.self).values == Array(0..<7))
  }
}
