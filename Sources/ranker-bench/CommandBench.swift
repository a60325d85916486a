// The commands as a person runs them: reading pairs, a whole training, the help page.

import Datasets
import Foundation

/// The program `ranker` that was built beside this one.
let rankerPath = URL(fileURLWithPath: CommandLine.arguments[0]).resolvingSymlinksInPath().deletingLastPathComponent()
  .appendingPathComponent("ranker").path

/// Runs `ranker` with its output thrown away. With `posix_spawn`, since what is measured is the command and not
/// the few hundredths of a second that Foundation's `Process` takes to notice an end.
/// - Returns: the most memory that it held, in megabytes.
/// - Throws: where it cannot be started, or does not exit with 0.
@discardableResult
func runRanker(_ arguments: [String]) throws -> Double {
  var actions = posix_spawn_file_actions_t()
  posix_spawn_file_actions_init(&actions)
  defer { posix_spawn_file_actions_destroy(&actions) }
  posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0)
  var words: [UnsafeMutablePointer<CChar>?] = ([rankerPath] + arguments).map { strdup($0) } + [nil]
  var environment: [UnsafeMutablePointer<CChar>?] =
    ProcessInfo.processInfo.environment.map { strdup("\($0.key)=\($0.value)") } + [nil]
  defer { for text in words + environment { free(text) } }
  var process = pid_t()
  var status: Int32 = 0
  var usage = rusage()
  guard posix_spawn(&process, rankerPath, &actions, nil, &words, &environment) == 0,
    wait4(process, &status, 0, &usage) == process
  else { throw BenchError.commandNotStarted(path: rankerPath) }
  guard status == 0 else { throw BenchError.commandFailed(arguments: arguments, status: status >> 8) }
  return Double(usage.ru_maxrss) / 1024
}

enum BenchError: Error, CustomStringConvertible {
  case commandFailed(arguments: [String], status: Int32)
  case commandNotStarted(path: String)

  var description: String {
    switch self {
    case .commandNotStarted(let path): "\(path) cannot be started; build it with swift build -c release"
    case .commandFailed(let arguments, let status): "ranker \(arguments.joined(separator: " ")) exited with \(status)"
    }
  }
}

/// Reading a file of pairs: parsing, checking, and all numbers in memory.
func measureReading(_ path: String) throws -> [Measurement] {
  var pairCount = 0
  let timing = try Timing(seconds: 1) { pairCount = try PairFile(path: path).pairs.count }
  return [
    Measurement(
      name: "reading pairs", value: timing.median * 1e3, unit: "ms", detail: "\(pairCount) pairs of \(path)")
  ]
}

/// `ranker train pairwise`, from the start of the process to its end, verification included.
func measureTrainingCommand(_ path: String) throws -> [Measurement] {
  let folder = FileManager.default.temporaryDirectory.appendingPathComponent("ranker-bench-\(getpid())")
  defer { try? FileManager.default.removeItem(at: folder) }
  let seconds = try Timing.once {
    try runRanker(["train", "pairwise", "--input", path, "--output", folder.path, "--epochs", "10", "--quiet"])
  }
  return [
    Measurement(
      name: "ranker train pairwise", value: seconds, unit: "s",
      detail: "10 epochs, the whole process with verification and report")
  ]
}

/// `ranker --help`.
func measureHelp() throws -> [Measurement] {
  let timing = try Timing(seconds: 1) { try runRanker(["--help"]) }
  return [Measurement(name: "ranker --help", value: timing.median * 1e3, unit: "ms", detail: "the whole process")]
}

/// Writes pairs like those of the headline: 1,536 numbers of embedding and 6 metrics an item, 400 items.
func writePairs(_ count: Int, to path: String) throws {
  var generator = SeededGenerator(seed: 7)
  let itemCount = 400
  let items = (0..<itemCount).map { index in
    Item(
      id: "proj-\(index)", itemType: "project", itemReferenceID: "ref-\(index)",
      embedding: (0..<TrainingBench.embeddingDimension).map { _ in Float.random(in: -0.05...0.05, using: &generator) },
      metrics: Dictionary(
        uniqueKeysWithValues: TrainingBench.metricNames.map { ($0, Double.random(in: 0...1, using: &generator)) }))
  }
  var text: [UInt8] = []
  for _ in 0..<count {
    let a = Int.random(in: 0..<itemCount, using: &generator)
    let b = (a + Int.random(in: 1..<itemCount, using: &generator)) % itemCount
    let preferred = items[a].metrics["impact"]! > items[b].metrics["impact"]!
    PreferencePair(itemA: items[a], itemB: items[b], label: preferred ? .preferA : .preferB).appendJSON(to: &text)
    text.append(UInt8(ascii: "\n"))
  }
  try Data(text).write(to: URL(fileURLWithPath: path))
}
