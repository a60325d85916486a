// Directories of encoders: every tensor accounted for, and what is wrong told by name.

import Checkpoints
import CommandSupport
import Encoders
import Foundation
import Tensors
import Testing

@Suite("Encoders on the disk")
struct PretrainedEncoderTests {
  /// A directory with the small BERT's configuration and the given tensors.
  private func directory(
    _ family: EncoderConfiguration.Family = .bert, _ change: (inout StateDictionary) -> Void
  ) throws -> TemporaryDirectory {
    let folder = try TemporaryDirectory()
    try FileManager.default.copyItem(
      atPath: Resources.path("\(family.rawValue)/config.json"), toPath: folder.path("config.json"))
    var state = try StateDictionary(contentsOf: Resources.path("\(family.rawValue)/model.safetensors"))
    change(&state)
    try state.writePyTorch(to: folder.path("pytorch_model.bin"))
    return folder
  }

  private func rename(_ state: inout StateDictionary, _ name: (String) -> String) {
    state = StateDictionary(state.map { (name($0.name), $0.tensor) })
  }

  /// What reading the directory says.
  private func complaint(_ folder: TemporaryDirectory) -> String {
    do {
      _ = try PretrainedEncoder(directory: folder.path(""))
      return ""
    } catch { return "\(error)" }
  }

  @Test("names without the prefix and the old names of normalisations are read", arguments: ["bert", "distilbert"])
  func oldNames(name: String) throws {
    let family = try #require(EncoderConfiguration.Family(rawValue: name))
    let folder = try directory(family) { state in
      rename(&state) { given in
        (given.hasPrefix("\(name).") ? String(given.dropFirst(name.count + 1)) : given)
          .replacingOccurrences(of: "LayerNorm.weight", with: "LayerNorm.gamma")
          .replacingOccurrences(of: "LayerNorm.bias", with: "LayerNorm.beta")
      }
      state["embeddings.position_ids"] = Tensor((0..<20).map(Int64.init), shape: [1, 20])
      state["cls.predictions.bias"] = Tensor([Float](repeating: 0, count: 48))
    }
    let expected = try PretrainedEncoder(directory: Resources.path(name))
    let found = try PretrainedEncoder(directory: folder.path(""))
    #expect(found.stateDictionary == expected.stateDictionary)
    #expect(found.ignored.sorted() == ["cls.predictions.bias", "embeddings.position_ids"])
  }

  @Test("half precision is widened")
  func halfPrecision() throws {
    let folder = try directory { state in
      for (name, tensor) in state { state[name] = try! tensor.converted(to: .float16) }
    }
    let exact = try PretrainedEncoder(directory: Resources.path("bert"))
    let found = try PretrainedEncoder(directory: folder.path(""))
    for (name, tensor) in exact.parameters {
      let widened = try #require(found.parameters[name])
      #expect(widened.elementType == .float)
      #expect(widened.distance(to: tensor) < 2e-3, "\(name)")
    }
  }

  @Test("a missing tensor is named with its shape")
  func missing() throws {
    let said = complaint(try directory { $0["bert.encoder.layer.1.output.dense.weight"] = nil })
    #expect(said.contains("'bert.encoder.layer.1.output.dense.weight' float[16, 24] is missing"), "\(said)")
  }

  @Test("a tensor too many is named")
  func extra() throws {
    let said = complaint(
      try directory { $0["bert.encoder.layer.2.output.dense.bias"] = Tensor([Float](repeating: 0, count: 16)) })
    #expect(said.contains("'bert.encoder.layer.2.output.dense.bias' float[16] has no place in the network"), "\(said)")
  }

  @Test("a tensor of another size is named with both shapes")
  func otherSizes() throws {
    let said = complaint(
      try directory { $0["bert.embeddings.word_embeddings.weight"] = Tensor(zeros: [47, 16], elementType: .float) })
    #expect(
      said.contains("'bert.embeddings.word_embeddings.weight' is float[47, 16], expected float[48, 16]"), "\(said)")
  }

  @Test("a tensor that holds what is no number is named", arguments: [Float.nan, .infinity, -.infinity])
  func noNumbers(value: Float) throws {
    let said = complaint(
      try directory {
        let name = "bert.encoder.layer.0.intermediate.dense.weight"
        var values = $0[name]!.elements(as: Float.self)
        values[17] = value
        $0[name] = Tensor(values, shape: $0[name]!.shape)
      })
    #expect(said.contains("'bert.encoder.layer.0.intermediate.dense.weight' holds NaN or infinity"), "\(said)")
  }

  @Test("half of a head is damage, none is an encoder alone")
  func heads() throws {
    let said = complaint(try directory { $0["classifier.bias"] = nil })
    #expect(said.contains("'classifier.bias' float[3] is missing"), "\(said)")
    let alone = try directory {
      for name in ["classifier.bias", "classifier.weight", "bert.pooler.dense.weight", "bert.pooler.dense.bias"] {
        $0[name] = nil
      }
    }
    #expect(try !PretrainedEncoder(directory: alone.path("")).hasPooler)
  }

  @Test("a directory without weights, without a configuration, or that is none says what it lacks")
  func incomplete() throws {
    let folder = try TemporaryDirectory()
    #expect(complaint(folder).contains("it has no config.json"))
    try FileManager.default.copyItem(atPath: Resources.path("bert/config.json"), toPath: folder.path("config.json"))
    #expect(complaint(folder).contains("it has neither model.safetensors nor pytorch_model.bin"))
    try Data("{}".utf8).write(to: folder.url.appendingPathComponent("model.safetensors.index.json"))
    #expect(complaint(folder).contains("split over several files"))
    let file = folder.path("config.json")
    #expect(throws: EncoderError.notAnEncoder(path: file, problem: "it is a file")) {
      try PretrainedEncoder(directory: file)
    }
    #expect(throws: EncoderError.notAnEncoder(path: "/nowhere", problem: "there is no such directory")) {
      try PretrainedEncoder(directory: "/nowhere")
    }
  }

  @Test("what is written is read again, bit for bit", arguments: ["bert", "distilbert"])
  func roundTrip(name: String) throws {
    let encoder = try PretrainedEncoder(directory: Resources.path(name))
    let folder = try TemporaryDirectory()
    var directory = try ArtifactDirectory(path: folder.path("copy"))
    try encoder.write(to: &directory)
    let copy = try PretrainedEncoder(directory: directory.path)
    #expect(copy.configuration == encoder.configuration)
    #expect(copy.stateDictionary == encoder.stateDictionary)
  }

  @Test("where no encoder is named and none was fetched, the message says how to get one")
  func noDefault() throws {
    let folder = try TemporaryDirectory()
    let environment = ["XDG_CACHE_HOME": folder.path("")]
    let error = try #require(throws: EncoderError.self) {
      try DefaultEncoder.directory(named: nil, environment: environment)
    }
    #expect("\(error)".contains("tools/fetch-encoder"))
    #expect(try DefaultEncoder.directory(named: "mine", environment: environment) == "mine")
  }
}
