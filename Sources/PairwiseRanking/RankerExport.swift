// The files of a trained ranker: written, read back, verified, and only then described as a model.

import Checkpoints
import Files
import Foundation
import GraphEngine
import ONNX
import Tensors
import Verification

/// Writes a model's directory. The metadata come last: without them there is no model.
struct RankerExport {
  var directory: ArtifactDirectory
  /// What is known of the model; the writing adds the checksums, the verification and the time.
  var metadata: RankerMetadata

  /// - Parameters:
  ///   - parameters: the trained ones, by name.
  ///   - samples: inputs of the comparer that are recorded with their outputs.
  ///   - seconds: the time that the training has taken so far.
  ///   - report: is told what is being done.
  /// - Throws: `RankingError.notVerified` where the files do not give what the network gives.
  mutating func write(
    parameters: [String: Tensor], samples: [String: Tensor], drawing: RankerReport.Drawing, seconds: () -> Double,
    report: (String) -> Void
  ) throws {
    let files = metadata.files
    let graph = metadata.graph
    report("writing the model")
    let state = StateDictionary(RankerGraph.parameterNames.map { ($0, parameters[$0]!) })
    try directory.write(files.checkpoint) { try state.writePyTorch(to: $0) }
    let comparer = graph.comparer().replacing(parameters)
    try directory.write(files.comparer) { try comparer.write(to: $0) }
    try directory.write(files.scorer) { try graph.scorer().replacing(parameters).write(to: $0) }
    let outputs = try Session(comparer, options: Session.Options(threads: 1)).run(samples)
    try record(samples, comparer.graph.inputs, as: "input")
    try record(outputs, comparer.graph.outputs, as: "output")

    report("verifying it")
    metadata.verification = try verify()
    let failures = metadata.verification.flatMap(\.failures)
    guard failures.isEmpty else { throw RankingError.notVerified(directory: directory.path, problems: failures) }

    report("writing the report")
    let page = RankerReport.html(metadata, drawing: drawing.markup)
    try directory.write(files.report) { (file: AtomicFile) in try file.write(page) }
    metadata.checksums = try directory.checksums()
    metadata.trainingTime = (seconds() * 1000).rounded() / 1000
    let json = try metadata.json()
    try directory.write(RankerMetadata.Files.metadata(name: metadata.settings.name)) { (file: AtomicFile) in
      try file.write([UInt8](json))
    }
  }

  private mutating func record(_ values: [String: Tensor], _ infos: [ValueInfo], as stem: String) throws {
    for (index, info) in infos.enumerated() {
      let tensor = values[info.name]!
      try directory.write("\(metadata.files.testData)/\(stem)_\(index).pb") { path in
        try Initializer(info.name, tensor).write(to: path)
      }
    }
  }

  /// Rebuilds the network from the checkpoint as it is on the disk and compares it with the exported files.
  private func verify() throws -> [VerificationReport] {
    let checkpoint = try StateDictionary(contentsOf: directory.path(of: metadata.files.checkpoint))
    return try metadata.rebuilt(from: checkpoint).map { rebuilt in
      try Verification.verify(
        exportedGraph: try Model(contentsOf: directory.path(of: rebuilt.fileName)), against: rebuilt.model,
        recorded: try rebuilt.testData.map { try samples(in: $0, of: rebuilt.model) } ?? [],
        subject: rebuilt.fileName, options: VerificationOptions(domains: rebuilt.domains))
    }
  }

  private func samples(in folder: String, of model: Model) throws -> [VerificationSample] {
    func values(_ infos: [ValueInfo], _ stem: String) throws -> [String: Tensor] {
      var values: [String: Tensor] = [:]
      for (index, info) in infos.enumerated() {
        values[info.name] = try Initializer(contentsOf: directory.path(of: "\(folder)/\(stem)_\(index).pb")).tensor
      }
      return values
    }
    return [
      VerificationSample(
        name: folder, inputs: try values(model.graph.inputs, "input"),
        expected: try values(model.graph.outputs, "output"))
    ]
  }
}
