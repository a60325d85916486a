// Measures the toolkit on this machine and prints a table or JSON.

import ArgumentParser
import Foundation

@main
struct RankerBench: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "ranker-bench",
    abstract: "Measures training, reading, scoring and matrix products on this machine.",
    discussion: """
      The figures are medians. tools/bench --peers runs the same work in other libraries beside it and prints the \
      ratios.
      """)

  enum Part: String, CaseIterable, ExpressibleByArgument {
    case step, read, parquet, train, score, help, matmul, als, ncf, encoder, tokenizer, concept
    case growth

    /// What is measured where nothing is named: all that takes seconds.
    static var standard: [Part] { allCases.filter { $0 != .growth } }
  }

  @Option(parsing: .upToNextOption, help: "What to measure; everything but growth without it.")
  var only: [Part] = []

  @Option(help: "A JSONL file of pairs for reading and training; 2,000 pairs are made up without it.")
  var pairs: String?

  @Option(help: "A CSV file of interactions for als; 930,000 are made up without it.")
  var interactions: String?

  @Option(help: "A Parquet file for the clickstream: read where it is there, written where it is not.")
  var clickstream: String?

  @Option(help: "Where to write the encoder's graph, for other runtimes to be measured on it.")
  var encoderGraph: String?

  @Option(help: "A file with a text a line for tokenizer, up to the first tab; texts are made up without it.")
  var texts: String?

  @Option(help: "A directory with the vocab.txt for tokenizer; a vocabulary is learnt from the texts without it.")
  var encoder: String?

  @Option(help: "Threads.")
  var threads = 2

  @Option(help: "About how many seconds each figure is measured for.")
  var seconds = 2.0

  @Flag(help: "Print JSON.")
  var json = false

  @Flag(help: "Instead, print where the time of a training step goes, node by node.")
  var profile = false

  func validate() throws {
    guard threads > 0 else { throw ValidationError("--threads must be at least 1.") }
    guard seconds > 0 else { throw ValidationError("--seconds must be more than 0.") }
  }

  func run() throws {
    if profile {
      let nodes =
        switch only.first {
        case .ncf: try NCFBench(threads: threads).profile()
        case .encoder: try EncoderBench(threads: threads).profile()
        default: try TrainingBench(threads: threads).profile()
        }
      for (node, microseconds) in nodes {
        print(String(format: "%9.1f µs  %@", microseconds, node))
      }
      return
    }
    let parts = only.isEmpty ? Part.standard : only
    var rows: [Measurement] = []
    for part in parts { rows += try measure(part) }
    if json {
      let encoder = JSONEncoder()
      encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
      print(String(decoding: try encoder.encode(["rows": rows]), as: UTF8.self))
    } else {
      let width = rows.map(\.name.count).max() ?? 0
      for row in rows {
        let name = row.name.padding(toLength: width, withPad: " ", startingAt: 0)
        print("\(name)  \(String(format: "%10.3f", row.value)) \(row.unit)  \(row.detail)")
      }
    }
  }

  private func measure(_ part: Part) throws -> [Measurement] {
    switch part {
    case .step: try TrainingBench(threads: threads).measure(seconds: seconds)
    case .read: try withPairs(measureReading)
    case .parquet: try withClickstream { try measureParquet($0, threads: threads, seconds: seconds) }
    case .train: try withPairs(measureTrainingCommand)
    case .score: try measureScoring(TrainingBench(threads: threads).graph, threads: threads, seconds: seconds)
    case .help: try measureHelp()
    case .tokenizer:
      try measureTokenizer(directory: encoder, texts: texts, threads: threads, seconds: seconds)
    case .concept: try measureConcepts(threads: threads, seconds: seconds)
    case .als: try measureFactorization(path: interactions, threads: threads)
    case .growth: try measureGrowth(threads: threads)
    case .encoder: try EncoderBench(threads: threads).measure(seconds: seconds, export: encoderGraph)
    case .ncf:
      try NCFBench(threads: threads).measure(seconds: seconds)
        + NCFBench(threads: threads, userCount: 1_000_000, itemCount: 1_000_000).measure(seconds: seconds)
        + measureNCFScoring(threads: threads, seconds: seconds)
    case .matmul:
      measureMatrixProducts(threads: threads, seconds: seconds / 4).map { row in
        Measurement(
          name: "matmul \(row.name) \(row.engine)", value: row.medianGigaflops, unit: "GFLOP/s",
          detail: "packing included")
      }
    }
  }

  /// Works on the given clickstream, written where it is missing, or on one of this run.
  private func withClickstream(_ work: (String) throws -> [Measurement]) throws -> [Measurement] {
    if let clickstream {
      if !FileManager.default.fileExists(atPath: clickstream) { try writeClickstream(to: clickstream) }
      return try work(clickstream)
    }
    let path = FileManager.default.temporaryDirectory.appendingPathComponent("ranker-bench-\(getpid()).parquet").path
    defer { try? FileManager.default.removeItem(atPath: path) }
    try writeClickstream(to: path)
    return try work(path)
  }

  /// Works on the given pairs, or on ones made up for this run.
  private func withPairs(_ work: (String) throws -> [Measurement]) throws -> [Measurement] {
    if let pairs { return try work(pairs) }
    let path = FileManager.default.temporaryDirectory.appendingPathComponent("ranker-bench-\(getpid()).jsonl").path
    defer { try? FileManager.default.removeItem(atPath: path) }
    try writePairs(2000, to: path)
    return try work(path)
  }
}
