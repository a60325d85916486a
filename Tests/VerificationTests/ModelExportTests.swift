// Models on the disk: several in one directory, found by any of their files, and none where something is wrong.

import Checkpoints
import CommandSupport
import Foundation
import GraphEngine
import ONNX
import Tensors
import Testing
import Verification

/// The smallest model there is: `y = x·Wᵀ + b`. Its checkpoint keeps the state dict under a key, as recommenders do.
private struct LineMetadata: ModelMetadata {
  static let modelType = "line"
  static let kind = "line"
  static let trainingCommand = "draw line --output DIRECTORY"

  var common: CommonMetadata
  var width: Int

  init(name: String, width: Int) {
    common = CommonMetadata(
      modelType: Self.modelType, modelName: name, checkpoint: "\(name).pt", checkpointKey: "model_state_dict",
      files: ["onnx": "\(name).onnx", "report": "\(name)_report.html"], parameterCount: width * 2 + 2,
      trainedOn: "2 points", headline: .init(measure: "r2", value: 0.5, isShare: true, of: "validation"),
      createdAt: "2026-01-01T00:00:00Z", versions: .init(opset: 17, irVersion: 8))
    self.width = width
  }

  enum CodingKeys: CodingKey { case width }

  init(from decoder: any Decoder) throws {
    common = try CommonMetadata(from: decoder)
    width = try decoder.container(keyedBy: CodingKeys.self).decode(Int.self, forKey: .width)
  }

  func encode(to encoder: any Encoder) throws {
    try common.encode(to: encoder)
    var values = encoder.container(keyedBy: CodingKeys.self)
    try values.encode(width, forKey: .width)
  }

  var graph: Model {
    let builder = GraphBuilder(name: name, opset: 17)
    let layer = Linear("layer", inputs: width, outputs: 2, in: builder)
    builder.output(layer(builder.input("x", .float, ["batch", Dimension(width)])), "y", .float, ["batch", 2])
    return builder.model()
  }

  func rebuilt(from checkpoint: StateDictionary) throws -> [RebuiltGraph] {
    let parameters = try checkpoint.parameters(
      [("layer.weight", [2, width]), ("layer.bias", [2])], source: common.checkpoint)
    return [
      RebuiltGraph(fileName: "\(name).onnx", model: graph.replacing(parameters), testData: "\(name)_test_data_set_0")
    ]
  }
}

@Suite("Models on the disk")
struct ModelExportTests {
  private let folder: TemporaryDirectory
  private let verifier = PathVerifier(families: [ModelFamily(LineMetadata.self)])

  init() throws { folder = try TemporaryDirectory() }

  /// Exports a model into `models`; `tamper` changes the parameters on their way to the checkpoint.
  @discardableResult
  private func export(
    _ name: String, width: Int = 3, tamper: (inout [Float]) -> Void = { _ in }
  ) throws -> ModelExport<LineMetadata> {
    let metadata = LineMetadata(name: name, width: width)
    var weights = (0..<2 * width).map { Float($0) * 0.25 - 0.5 }
    let bias = Tensor([0.125, -1] as [Float])
    let graph = metadata.graph.replacing(["layer.weight": Tensor(weights, shape: [2, width]), "layer.bias": bias])
    tamper(&weights)
    let checkpoint: CheckpointValue = [
      "model_state_dict": .stateDictionary(
        StateDictionary([("layer.weight", Tensor(weights, shape: [2, width])), ("layer.bias", bias)])),
      "width": .int(width),
    ]
    var export = ModelExport(directory: try ArtifactDirectory(path: folder.path("models")), metadata: metadata)
    let samples = ["x": Tensor((0..<2 * width).map(Float.init), shape: [2, width])]
    try export.write(
      checkpoint: { try checkpoint.writePyTorch(to: $0) },
      graphs: [
        ExportedGraph(
          fileName: "\(name).onnx", model: graph,
          recording: .init(samples: samples, folder: "\(name)_test_data_set_0"))
      ],
      others: [.init("\(name)_notes.txt") { try Data("notes".utf8).write(to: URL(fileURLWithPath: $0)) }],
      seconds: { 1.5 }, page: { "<p>\($0.verification.badge)</p>" })
    return export
  }

  @Test("a model is its files and, last, the metadata with their checksums and what the verification found")
  func files() throws {
    let export = try export("one")
    let files = [
      "one.pt", "one_notes.txt", "one.onnx", "one_test_data_set_0/input_0.pb", "one_test_data_set_0/output_0.pb",
      "one_report.html",
    ]
    #expect(export.directory.names == files + ["one_metadata.json"])
    let model = try ModelDirectory<LineMetadata>(path: folder.path("models"))
    #expect(Set(model.metadata.checksums.digests.keys) == Set(files))
    #expect(model.metadata.width == 3 && model.metadata.trainingTime == 1.5)
    #expect(model.metadata.verification.map(\.subject) == ["one.onnx"])
    #expect(model.metadata.verification.allSatisfy { $0.passed && $0.sampleCount > 4 })
    #expect(try model.parameters()["layer.bias"] == Tensor([0.125, -1] as [Float]))
    #expect(try String(decoding: folder.bytes(of: "models/one_report.html"), as: UTF8.self).contains("verified"))
  }

  @Test("files that do not give what the network gives are no model: the export throws, and writes no metadata")
  func notVerified() throws {
    let error = try #require(throws: ModelError.self) { try export("one") { $0[4] += 1 } }
    #expect(error.description.contains("layer.weight"))
    #expect(!FileManager.default.fileExists(atPath: folder.path("models/one_metadata.json")))
  }

  @Test(
    "models of one directory are verified together, and each by any of its files",
    arguments: ["models", "models/two_metadata.json", "models/two.pt", "models/two.onnx"])
  func paths(path: String) throws {
    try export("one")
    try export("two", width: 5)
    let result = verifier.verify(folder.path(path))
    #expect(result.verdict == .matched, "\(result.failure ?? "")")
    let names = result.reports.map { ($0.subject as NSString).lastPathComponent }
    #expect(names == (path == "models" ? ["one.onnx", "two.onnx"] : ["two.onnx"]))
    #expect(result.reports.allSatisfy { $0.checks.contains { $0.name == "checksums" && $0.passed } })
  }

  @Test("a damaged model does not keep its neighbour from being verified")
  func neighbour() throws {
    try export("one")
    try export("two")
    try folder.write("{\"model_type\": \"line\"", to: "models/one_metadata.json")
    let result = verifier.verify(folder.path("models"))
    #expect(result.verdict == .failed)
    #expect(result.failure?.contains("one_metadata.json") == true)
    #expect(result.reports.map(\.passed) == [true])
  }

  @Test("a file changed after the training is seen, whichever of the model's files is named")
  func changed() throws {
    try export("one")
    try folder.write("other notes", to: "models/one_notes.txt")
    let result = verifier.verify(folder.path("models/one.onnx"))
    #expect(result.verdict == .mismatched)
    #expect(result.reports.flatMap(\.failures).joined().contains("one_notes.txt has other bytes"))
  }

  @Test("a checkpoint that no metadata lists is no model")
  func loneCheckpoint() throws {
    try export("one")
    try FileManager.default.removeItem(atPath: folder.path("models/one_metadata.json"))
    let result = verifier.verify(folder.path("models/one.pt"))
    #expect(result.failure?.contains("a checkpoint alone is no network") == true)
  }

  @Test("a directory of several models asks for one of them; a wrong or missing one says how to train")
  func opening() throws {
    try export("one")
    try export("two")
    func problem(_ path: String) throws -> String {
      try #require(throws: ModelError.self) { try ModelDirectory<LineMetadata>(path: path) }.description
    }
    #expect(try problem(folder.path("models")).contains("name one of one_metadata.json, two_metadata.json"))
    #expect(try ModelDirectory<LineMetadata>(path: folder.path("models/two.onnx")).metadata.name == "two")
    #expect(try problem(folder.path("nowhere")).contains("train one with: draw line --output DIRECTORY"))
    try folder.write("{\"model_type\": \"circle\"}", to: "models/two_metadata.json")
    // A model of another kind beside it does not make the choice hard.
    #expect(try ModelDirectory<LineMetadata>(path: folder.path("models")).metadata.name == "one")
    #expect(try problem(folder.path("models/two_metadata.json")).contains("of type 'circle', not a line"))
  }

  @Test("a listing needs to know nothing of the kind")
  func listing() throws {
    try export("one")
    try export("two")
    try folder.write("", to: "models/two.pt")
    let models = try ModelSummary.models(in: folder.url.path)
    #expect(models.map { $0.metadata?.modelName } == ["one", "two"])
    #expect(models.map { $0.metadata?.headline?.measure } == ["r2", "r2"])
    #expect(models[0].problem == nil)
    #expect(models[1].problem?.contains("two.pt") == true)
  }

  @Test("a checkpoint of another network names each tensor that does not fit")
  func otherNetwork() throws {
    let state = StateDictionary([("layer.weight", Tensor(zeros: [2, 4], elementType: .float))])
    let error = try #require(throws: ModelError.self) {
      try LineMetadata(name: "one", width: 3).rebuilt(from: state)
    }
    #expect(error.description.contains("'layer.weight' is float[2, 4], expected float[2, 3]"))
    #expect(error.description.contains("'layer.bias' is missing"))
  }
}
