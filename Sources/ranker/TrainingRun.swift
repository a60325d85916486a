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

/// Prints what the verification of each graph compared, for `--verbose`.
func printDifferences(_ reports: [VerificationReport]) {
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
