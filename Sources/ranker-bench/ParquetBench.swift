// Reading a clickstream of ten million rows from a Parquet file.

import Foundation
import Parquet

/// A clickstream as a shop has it: a long tail of cookies and nodes, few kinds of events, ascending times.
private struct Clickstream {
  static let rowCount = 10_000_000
  /// As many as pyarrow puts into a row group.
  static let groupSize = 1 << 20

  static let fields: [ParquetField] = [
    .init("cookie", .integer(bits: 64, isSigned: true), isOptional: true),
    .init("node", .integer(bits: 32, isSigned: false), isOptional: true),
    .init("event", .integer(bits: 64, isSigned: true), isOptional: true),
    .init("event_date", .timestamp(.microseconds, isUTC: false), isOptional: true),
  ]

  private var state: UInt64 = 1

  /// Evenly in `0..<bound`.
  private mutating func random(_ bound: Int) -> Int {
    state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
    return Int((state >> 32) * UInt64(bound) >> 32)
  }

  /// In `0..<bound`, the low numbers much more often.
  private mutating func skewed(_ bound: Int) -> Int {
    let even = Double(random(1 << 30)) / Double(1 << 30)
    return Int(pow(Double(bound), even)) - 1
  }

  mutating func rows(from start: Int, count: Int) -> [any ParquetColumnData] {
    var cookies: [Int64] = []
    var nodes: [UInt32] = []
    var events: [Int64] = []
    var dates: [Int64] = []
    for row in start..<start + count {
      cookies.append(Int64(skewed(400_000)) &* 0x5851_F42D_4C95_7F2D)
      nodes.append(UInt32(skewed(50_000)))
      events.append(Int64(random(20)))
      // 90 days from 2024-01-01 on.
      dates.append(1_704_067_200_000_000 + Int64(row) * 777_600 + Int64(random(777)) * 1000)
    }
    return [ParquetColumn(cookies), ParquetColumn(nodes), ParquetColumn(events), ParquetColumn(dates)]
  }
}

/// Writes the clickstream with Snappy.
func writeClickstream(to path: String) throws {
  let writer = try ParquetWriter(path: path, fields: Clickstream.fields)
  var clickstream = Clickstream()
  for start in stride(from: 0, to: Clickstream.rowCount, by: Clickstream.groupSize) {
    let count = min(Clickstream.groupSize, Clickstream.rowCount - start)
    try writer.write(clickstream.rows(from: start, count: count))
  }
  try writer.finish()
}

/// Reads the four columns as their own types.
func measureParquet(_ path: String, threads: Int, seconds: Double) throws -> [Measurement] {
  var rows = 0
  let timing = try Timing(seconds: seconds) {
    let file = try ParquetFile(path: path, options: .init(threads: threads))
    let columns = try file.columns(
      .init("cookie", as: Int64.self), .init("node", as: UInt32.self), .init("event", as: Int64.self),
      .timestamps("event_date", in: .microseconds))
    rows = columns.0.rowCount
  }
  return [
    Measurement(
      name: "reading a clickstream", value: timing.median * 1e3, unit: "ms",
      detail: "Parquet with Snappy, \(rows) rows, 4 columns, \(threads) threads")
  ]
}
