// The command that proves an exported graph: arguments in, verdicts out.

import ArgumentParser
import ConceptDetection
import Foundation
import PairwiseRanking
import Recommendation
import TextClassification
import Verification

@main
struct OnnxVerify: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "onnx-verify",
    abstract: "Proves that exported ONNX graphs give the outputs that they should.",
    discussion: """
      PATH is a directory of models (each with its *_metadata.json), one model's metadata file, its checkpoint or its \
      .onnx file beside that, another .onnx file, or a directory in ONNX's test-data layout (model.onnx and \
      test_data_set_*).

      For a model of ours the network is rebuilt from the metadata and the checkpoint, never from the .onnx file, \
      and run in the engine; the exported bytes run in the independent reference runtime. Both must agree on recorded \
      samples, on fresh ones and on the edges, and all parameters must be equal bit for bit.

      Exits with 0 when all match, 1 on a mismatch, 2 when something cannot be read or run.
      """)

  @Argument(help: "Directories of models, files of models, .onnx files, or directories in ONNX's test-data layout.")
  var paths: [String]

  @Option(help: "A .pth, .pt or .safetensors file whose parameters the .onnx file, or the one model, must hold.")
  var checkpoint: String?

  @Option(help: "Fresh samples to compare on, beside recorded ones and the edge cases.")
  var samples = 4

  @Option(help: "The largest relative difference.")
  var rtol = 1e-4

  @Option(help: "The largest absolute difference.")
  var atol = 1e-5

  @Option(help: "The runtime that replays graphs which are not ours: reference or engine.")
  var runtime = VerifyingRuntime.reference

  @Flag(help: "Print the reports as JSON.")
  var json = false

  @Option(help: "Also write the reports to this file, as JSON.")
  var report: String?

  func validate() throws {
    guard samples >= 0 else { throw ValidationError("--samples must not be negative.") }
    guard rtol >= 0, atol >= 0 else { throw ValidationError("--rtol and --atol must not be negative.") }
    guard checkpoint == nil || paths.count == 1 else {
      throw ValidationError("--checkpoint goes with one PATH: its parameters are one model's.")
    }
  }

  func run() throws {
    let verifier = PathVerifier(
      families: [.pairwiseRanker, .ncf, .als, .popularity, .textClassifier, .conceptDetector],
      checkpoint: checkpoint, runtime: runtime,
      options: VerificationOptions(
        sampleCount: samples, tolerance: Tolerance(relative: rtol, absolute: atol)))
    let results = paths.map(verifier.verify)
    if json { print(try results.json()) } else { print(results.text(), terminator: "") }
    if let report { try results.write(to: report) }
    switch results.verdict {
    case .matched: break
    case .mismatched: throw ExitCode(1)
    case .failed: throw ExitCode(2)
    }
  }
}

extension VerifyingRuntime: ExpressibleByArgument {}
