// The files of a trained model, of whatever kind: written, read back, verified, and only then described as a model.

import Checkpoints
import Files
import GraphEngine
import ONNX
import Tensors

/// A graph to export.
public struct ExportedGraph: Sendable {
  /// The file's name in the model's directory.
  public var fileName: String
  /// The graph with its trained parameters, without what belongs to training only.
  public var model: Model
  /// Inputs that are recorded with their outputs in ONNX's test-data layout, and the folder for them.
  public var recording: Recording?

  /// Inputs to record, by name, and the folder: `test_data_set_0`, or `NAME_test_data_set_0` where models share a
  /// directory.
  public struct Recording: Sendable {
    public var samples: [String: Tensor]
    public var folder: String

    public init(samples: [String: Tensor], folder: String) {
      self.samples = samples
      self.folder = folder
    }
  }

  public init(fileName: String, model: Model, recording: Recording? = nil) {
    self.fileName = fileName
    self.model = model
    self.recording = recording
  }
}

/// Writes a model's files: checkpoint, graphs, test data, report, and the metadata last, since without them there is no
/// model. Before that the network is rebuilt from the metadata and the checkpoint as they are on the disk, and compared
/// with the exported graphs in the reference runtime.
///
/// Several models may share a directory: each has its own names.
///
/// ```swift
/// var export = ModelExport(directory: directory, metadata: metadata)
/// try export.write(
///   checkpoint: { try checkpoint.writePyTorch(to: $0) },
///   graphs: [ExportedGraph(fileName: "ncf.onnx", model: scorer, recording: recording)],
///   seconds: { clock.seconds }, page: { RecommenderReport.html($0) })
/// ```
public struct ModelExport<Metadata: ModelMetadata> {
  /// The directory, with the names of the files that were written.
  public private(set) var directory: ArtifactDirectory
  /// What is known of the model; the writing adds the checksums, the verification and the time.
  public private(set) var metadata: Metadata

  public init(directory: ArtifactDirectory, metadata: Metadata) {
    self.directory = directory
    self.metadata = metadata
  }

  /// A file that only this kind of model has.
  public struct File {
    public var name: String
    /// Writes the file to a path, whole or not at all.
    public var write: (_ path: String) throws -> Void

    public init(_ name: String, write: @escaping (_ path: String) throws -> Void) {
      self.name = name
      self.write = write
    }
  }

  /// Writes and verifies the model.
  ///
  /// - Parameters:
  ///   - checkpoint: writes the checkpoint to a path; its name is the metadata's.
  ///   - others: further files, written before the graphs.
  ///   - seconds: the time that the training has taken so far.
  ///   - report: is told what is being done.
  ///   - page: the report, given all of the metadata but times and checksums; its name is `report` in the metadata's
  ///     `files`.
  /// - Throws: `ModelError.notVerified` where the files do not give what the network gives; `CheckpointError`,
  ///   `ONNXError` and `FileError` where they can't be written.
  public mutating func write(
    checkpoint: (_ path: String) throws -> Void, graphs: [ExportedGraph], others: [File] = [], seconds: () -> Double,
    report: (String) -> Void = { _ in }, page: (Metadata) throws -> String
  ) throws {
    report("writing the model")
    try directory.write(metadata.common.checkpoint, toPath: checkpoint)
    for file in others { try directory.write(file.name, toPath: file.write) }
    for graph in graphs {
      try directory.write(graph.fileName) { try graph.model.write(to: $0) }
      if let recording = graph.recording { try record(recording, graph.model) }
    }

    report("verifying it")
    metadata.common.verification = try verify()
    let failures = metadata.verification.flatMap(\.failures)
    guard failures.isEmpty else { throw ModelError.notVerified(directory: directory.path, problems: failures) }

    report("writing the report")
    if let name = metadata.common.files["report"] {
      let html = try page(metadata)
      try directory.write(name) { (file: AtomicFile) in try file.write(html) }
    }
    metadata.common.checksums = try directory.checksums()
    metadata.common.trainingTime = (seconds() * 1000).rounded() / 1000
    let json = try metadata.json()
    try directory.write(metadata.fileName) { (file: AtomicFile) in try file.write(json) }
  }

  /// Records inputs and what the engine makes of them, one file a value.
  private mutating func record(_ recording: ExportedGraph.Recording, _ model: Model) throws {
    let outputs = try Session(model, options: Session.Options(threads: 1)).run(recording.samples)
    for (stem, infos, values) in [
      ("input", model.graph.inputs, recording.samples), ("output", model.graph.outputs, outputs),
    ] {
      for (index, info) in infos.enumerated() {
        guard let tensor = values[info.name] else { continue }
        try directory.write("\(recording.folder)/\(stem)_\(index).pb") { path in
          try Initializer(info.name, tensor).write(to: path)
        }
      }
    }
  }

  private func verify() throws -> [VerificationReport] {
    let common = metadata.common
    let checkpoint = try StateDictionary(
      contentsOf: directory.path(of: common.checkpoint), key: common.checkpointKey)
    return try verifyFiles(
      of: try metadata.rebuilt(from: checkpoint), in: directory.path, options: VerificationOptions(),
      subject: \.fileName)
  }
}
