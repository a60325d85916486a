// What the tests of the pairwise ranker share: temporary folders, made-up pairs, the bundled sample, the program.

import Datasets
import Foundation
import Glibc

/// A folder that goes away with the value's last reference.
final class TemporaryFolder: Sendable {
  let path: String

  init() {
    path = NSTemporaryDirectory() + "rankerkit-tests-\(getpid())-\(UInt64.random(in: 0 ... .max))"
    try! FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }

  func file(_ name: String) -> String { "\(path)/\(name)" }

  /// Writes a file and returns its path.
  func write(_ name: String, _ text: String) -> String {
    try! text.write(toFile: file(name), atomically: true, encoding: .utf8)
    return file(name)
  }

  /// Writes pairs as `ranker export` does.
  func write(_ name: String, _ pairs: [PreferencePair]) -> String {
    var text: [UInt8] = []
    for pair in pairs {
      pair.appendJSON(to: &text)
      text.append(UInt8(ascii: "\n"))
    }
    try! Data(text).write(to: URL(fileURLWithPath: file(name)))
    return file(name)
  }

  func bytes(_ name: String) throws -> Data { try Data(contentsOf: URL(fileURLWithPath: file(name))) }
}

enum Sample {
  private static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .appendingPathComponent("../../Sources/PairwiseRanking/Resources").standardized.path

  static let items = try! ItemFile(path: "\(folder)/sample_items.jsonl").items

  /// The bundled sample's pairs with their items in place.
  static let pairs: [PreferencePair] = {
    struct Line: Decodable {
      let itemA: String
      let itemB: String
      let label: PreferenceLabel
    }
    let byID = Dictionary(uniqueKeysWithValues: items.map { ($0.id, $0) })
    let decoder = JSONDecoder()
    decoder.keyDecodingStrategy = .convertFromSnakeCase
    let text = try! String(contentsOfFile: "\(folder)/sample_pairs.jsonl", encoding: .utf8)
    return text.split(separator: "\n").map { line in
      let line = try! decoder.decode(Line.self, from: Data(line.utf8))
      return PreferencePair(itemA: byID[line.itemA]!, itemB: byID[line.itemB]!, label: line.label)
    }
  }()
}

/// Pairs of items with a few numbers each; the better one has the larger first metric.
func simplePairs(
  _ count: Int, items: Int = 12, embedding: Int = 3, metrics: [String] = ["clarity", "impact"], seed: UInt64 = 5
) -> [PreferencePair] {
  var generator = SeededGenerator(seed: seed)
  let all = (0..<items).map { index in
    Item(
      id: "item-\(index)",
      embedding: embedding > 0 ? (0..<embedding).map { _ in Float(generator.normal()) } : nil,
      metrics: Dictionary(uniqueKeysWithValues: metrics.map { ($0, generator.uniform()) }))
  }
  func utility(_ item: Item) -> Double {
    metrics.first.flatMap { item.metrics[$0] } ?? Double(item.embedding!.first!)
  }
  return (0..<count).map { _ in
    let a = generator.below(items)
    let b = (a + 1 + generator.below(items - 1)) % items
    let difference = utility(all[a]) - utility(all[b])
    let label: PreferenceLabel = difference.magnitude < 0.05 ? .equal : difference > 0 ? .preferA : .preferB
    return PreferencePair(itemA: all[a], itemB: all[b], label: label)
  }
}

/// The program `ranker` that was built with the tests.
enum Program {
  static let path: String = {
    // The test runner lies in the build's folder, or two levels below it in a bundle.
    var folder = URL(fileURLWithPath: CommandLine.arguments[0]).resolvingSymlinksInPath().deletingLastPathComponent()
    while folder.path != "/",
      !FileManager.default.isExecutableFile(atPath: folder.appendingPathComponent("ranker").path)
    {
      folder.deleteLastPathComponent()
    }
    return folder.appendingPathComponent("ranker").path
  }()

  struct Result {
    let status: Int32
    let output: String
    let errors: String
  }

  static func start(_ arguments: [String], output: Any? = nil, errors: Any? = nil) throws -> Process {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: path)
    process.arguments = arguments
    process.standardInput = FileHandle.nullDevice
    process.standardOutput = output ?? FileHandle.nullDevice
    process.standardError = errors ?? FileHandle.nullDevice
    try process.run()
    return process
  }

  /// Runs the program to its end. Output goes through files, so that no pipe fills up.
  static func run(_ arguments: String...) throws -> Result {
    try run(arguments)
  }

  static func run(_ arguments: [String]) throws -> Result {
    let folder = TemporaryFolder()
    let output = FileHandle(forWritingAtPath: folder.write("out", ""))!
    let errors = FileHandle(forWritingAtPath: folder.write("err", ""))!
    let process = try start(arguments, output: output, errors: errors)
    process.waitUntilExit()
    return Result(
      status: process.terminationStatus, output: String(decoding: try folder.bytes("out"), as: UTF8.self),
      errors: String(decoding: try folder.bytes("err"), as: UTF8.self))
  }
}
