// What every `ranker train …` shares: its output options, ctrl-C, and the last lines.

import ArgumentParser
import Foundation
import Reports
import Verification

/// How much of a training is shown.
struct TrainingOutputOptions: ParsableArguments {
  @Flag(help: "Print only the last line.")
  var quiet = false

  @Flag(help: "Print every epoch, and what the verification compared.")
  var verbose = false

  @Flag(help: "Print progress and outcome as JSON, one object a line.")
  var json = false

  func validate() throws {
    guard [quiet, verbose, json].count(where: { $0 }) < 2 else {
      throw ValidationError("--quiet, --verbose and --json exclude each other.")
    }
  }

  var mode: ProgressView.Mode { json ? .json : quiet ? .quiet : verbose ? .verbose : .normal }
}

/// How a training that draws at random and may be interrupted is run.
struct TrainingRunOptions: ParsableArguments {
  @Option(help: ArgumentHelp("The same seed and data give the same files.", valueName: "n"))
  var seed: UInt64 = 42

  @Option(help: ArgumentHelp("Threads (default: as many as there are cores).", valueName: "n"))
  var threads: Int?

  @Flag(help: "Go on where an interrupted training of the same settings and data stopped.")
  var resume = false

  /// Requires that what is to be resumed can be read again.
  func validate(reading path: String) throws {
    if resume, path == "-" {
      throw ValidationError("--resume needs a file: standard input is read only once.")
    }
  }
}

/// Runs a training with a view of its progress. Ctrl-C ends it in order; then how to go on is said, and the command
/// exits as shells expect of an interrupted one.
///
/// - Parameter body: trains; what it reports, it shows in the view.
func runTraining<Outcome: Sendable>(
  _ mode: ProgressView.Mode, wording: ProgressWording,
  _ body: @escaping @Sendable (ProgressView) throws -> Outcome
) throws -> Outcome {
  do {
    return try interruptibly {
      let view = ProgressView(mode, wording: wording)
      defer { view.clear() }
      return try body(view)
    }
  } catch is CancellationError {
    remark("interrupted; to go on:\n  \(resumingCommand())")
    throw ExitCode(130)
  }
}

/// The last lines of every training: where the model is, how good it is, and what to do next.
struct LastLines {
  /// The model's directory, and the files in it that were written.
  var directory: String
  var files: [String]
  /// The file or directory that the last line names.
  var model: String
  var quality: String
  var metadata: any ModelMetadata
  var wasFinished: Bool
  /// Rows or lines of the data that were not used. With `--quiet` nothing else tells of them.
  var leftOut: (count: Int, noun: String)
  /// What to do next, by a word.
  var hints: [(word: String, command: String)]

  /// - Parameter measures: what this kind of model tells beside the rest where JSON takes the lines' place.
  func printOut(_ mode: ProgressView.Mode, measures: some Encodable) {
    guard mode != .json else { return printJSONLine(DoneLine(lines: self, measures: measures)) }
    if mode == .verbose { printDifferences(metadata.verification) }
    if mode != .quiet {
      for hint in hints { print("\("\(hint.word):".fitted(7)) \(hint.command)") }
    }
    let state =
      wasFinished
      ? "this training had ended before, nothing was left to do"
      : "verified, \(Figures.duration(metadata.trainingTime))"
    let left = leftOut.count > 0 ? "; \(count(leftOut.count, leftOut.noun)) of data left out" : ""
    print("\(Style.output.green("✓")) \(model): \(quality); \(state)\(left)")
  }
}

/// The last line with `--json`: one object of what every training tells, and what only this kind does.
private struct DoneLine<Measures: Encodable>: Encodable {
  let lines: LastLines
  let measures: Measures

  private enum CodingKeys: CodingKey {
    case event, directory, files, wasFinished, verified, trainingTime
  }

  func encode(to encoder: any Encoder) throws {
    var values = encoder.container(keyedBy: CodingKeys.self)
    try values.encode("done", forKey: .event)
    try values.encode(lines.directory, forKey: .directory)
    try values.encode(lines.files, forKey: .files)
    try values.encode(lines.wasFinished, forKey: .wasFinished)
    try values.encode(lines.metadata.verification.allSatisfy(\.passed), forKey: .verified)
    try values.encode(lines.metadata.trainingTime, forKey: .trainingTime)
    try measures.encode(to: encoder)
  }
}

/// Prints what the verification of each graph compared, for `--verbose`.
private func printDifferences(_ reports: [VerificationReport]) {
  for report in reports {
    print("verified \(report.subject) on \(report.sampleCount) samples")
    for output in report.outputs {
      print(
        "  \(output.name): largest difference \(Figures.number(output.largestAbsolute?.value, digits: 3)), "
          + "relative \(Figures.number(output.largestRelative?.value, digits: 3)), "
          + "\(Figures.number(output.largestULP?.value, digits: 3)) ULP")
    }
  }
}
