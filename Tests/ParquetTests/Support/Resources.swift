// The files that pyarrow wrote (tools/crosscheck/make_parquet_files.py), and what it says is in them.

import Foundation
import Parquet
import Testing

enum Resources {
  private static let directory = Bundle.module.bundleURL.appendingPathComponent("Resources").path

  /// All files but expected.json, by name.
  static let names: [String] = {
    let files = try! FileManager.default.contentsOfDirectory(atPath: directory)
    return files.filter { $0.hasSuffix(".parquet") }.map { String($0.dropLast(8)) }.sorted()
  }()

  static func path(_ name: String) -> String { "\(directory)/\(name)" }

  static func bytes(_ name: String) throws -> [UInt8] {
    Array(try Data(contentsOf: URL(fileURLWithPath: path("\(name).parquet"))))
  }

  /// The columns of a file, as pyarrow has them.
  static func expected(_ name: String) throws -> [String: Cells] {
    let all = try expectations.get()
    switch try #require(all[name]) {
    case .same(let other): return try expected(other)
    case .columns(let columns): return columns
    }
  }

  private static let expectations = Result {
    let data = try Data(contentsOf: URL(fileURLWithPath: path("expected.json")))
    return try JSONDecoder().decode([String: Expectation].self, from: data)
  }

  private enum Expectation: Decodable {
    case same(String)
    case columns([String: Cells])

    init(from decoder: any Decoder) throws {
      let value = try decoder.singleValueContainer()
      if let other = try? value.decode(String.self) {
        self = .same(other)
      } else {
        self = .columns(try value.decode([String: Cells].self))
      }
    }
  }
}

/// The rows of a column as text: how the script writes them too.
enum Cells: Equatable, Decodable {
  case flat([String?])
  case lists([[String?]?])

  init(from decoder: any Decoder) throws {
    let value = try decoder.singleValueContainer()
    if let flat = try? value.decode([String?].self) {
      self = .flat(flat)
    } else {
      self = .lists(try value.decode([[String?]?].self))
    }
  }

  init(_ column: any ParquetColumnData) throws {
    let showable = try #require(column as? any Showable)
    self = showable.cells
  }

  /// An empty column, and one of nulls, look the same for both.
  static func == (left: Cells, right: Cells) -> Bool {
    switch (left, right) {
    case (.flat(let left), .flat(let right)): left == right
    case (.lists(let left), .lists(let right)): left == right
    case (.flat(let flat), .lists(let lists)), (.lists(let lists), .flat(let flat)):
      flat.count == lists.count && flat.allSatisfy { $0 == nil } && lists.allSatisfy { $0 == nil }
    }
  }
}

protocol Showable {
  var cells: Cells { get }
}

extension ParquetColumn: Showable {
  var cells: Cells { .flat((0..<rowCount).map { self[$0].map(text) }) }
}

extension ParquetListColumn: Showable {
  var cells: Cells { .lists((0..<rowCount).map { self[$0].map { $0.map { $0.map(text) } } }) }
}

private func text(_ value: some ParquetValue) -> String {
  switch value {
  case let value as Float: "\(value.bitPattern)"
  case let value as Double: "\(value.bitPattern)"
  case let value as [UInt8]:
    value.map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined()
  default: "\(value)"
  }
}
