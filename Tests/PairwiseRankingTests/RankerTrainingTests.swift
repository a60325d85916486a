// The training as a whole: what it learns, that it repeats itself to the bit, and that nothing stops it for good.

import Checkpoints
import CommandSupport
import Datasets
import Foundation
import ONNX
import PairwiseRanking
import Tensors
import Testing
import Training
import Verification

@Suite("Training a ranker")
struct RankerTrainingTests {
  private let folder = try! TemporaryDirectory()

  private func training(
    _ pairs: [PreferencePair]? = nil, to output: String, epochs: Int = 4
  ) throws -> RankerTraining {
    let input = folder.path("pairs.jsonl")
    if pairs != nil || !FileManager.default.fileExists(atPath: input) {
      _ = try folder.write(pairs ?? simplePairs(120), to: "pairs.jsonl")
    }
    var training = RankerTraining(input: input, output: folder.path(output))
    training.settings.epochs = epochs
    training.settings.hiddenDimension = 16
    return training
  }

  private static let files = ["pairwise_ranker.onnx", "pairwise_ranker_scorer.onnx", "pairwise_ranker.pth"]

  private func expectSameFiles(_ a: String, _ b: String, _ names: [String] = files) throws {
    for name in names { #expect(try folder.bytes(of: "\(a)/\(name)") == folder.bytes(of: "\(b)/\(name)"), "\(name)") }
  }

  @Test("on the bundled sample it orders well above 70% of the pairs that it has not seen")
  func learns() throws {
    var training = try training(Sample.pairs, to: "model", epochs: 10)
    training.settings.hiddenDimension = 256
    let metadata = try training.run().metadata
    let validation = try #require(metadata.validation)
    // Labels are noisy: about 95% is the best there could be.
    #expect(try #require(validation.accuracy) > 0.75)
    #expect(try #require(validation.kendallTau) > 0.3)
    #expect(metadata.history.count == 10)
    #expect(
      metadata.history.map { $0.metrics["validation_loss"]! }.min()
        == metadata.history[metadata.bestEpoch - 1].metrics["validation_loss"])
  }

  @Test("the same seed gives the same bytes, metadata too but for the times")
  func sameSeed() throws {
    for name in ["a", "b"] { _ = try training(to: name).run() }
    try expectSameFiles("a", "b", Self.files + ["pairwise_ranker_report.html", "test_data_set_0/output_0.pb"])
    func untimed(_ name: String) throws -> [String] {
      String(decoding: try folder.bytes(of: "\(name)/pairwise_ranker_metadata.json"), as: UTF8.self)
        .split(separator: "\n").map(String.init)
        .filter { !$0.contains("\"created_at\"") && !$0.contains("\"training_time\"") }
    }
    #expect(try untimed("a") == untimed("b"))
    var other = try training(to: "c")
    other.settings.seed = 43
    _ = try other.run()
    #expect(try folder.bytes(of: "a/pairwise_ranker.pth") != folder.bytes(of: "c/pairwise_ranker.pth"))
  }

  @Test("the number of threads changes no bit")
  func threads() throws {
    for threads in [1, 2, 3] {
      // Wide enough for the matrix products to be shared.
      var training = try training(simplePairs(150, items: 60, embedding: 700), to: "threads-\(threads)", epochs: 2)
      training.settings.hiddenDimension = 256
      training.settings.threads = threads
      _ = try training.run()
    }
    try expectSameFiles("threads-1", "threads-2")
    try expectSameFiles("threads-1", "threads-3")
  }

  @Test("a cancelled training goes on and ends in the bytes of one that never stopped", arguments: [nil, 3])
  func resumes(folds: Int?) async throws {
    var uninterrupted = try training(to: "whole", epochs: 8)
    uninterrupted.settings.folds = folds
    _ = try uninterrupted.run()
    var interrupted = try training(to: "parts", epochs: 8)
    interrupted.settings.folds = folds
    // Every stop is at another place: the first epoch of the first fold, a later one, ….
    for stop in 1...3 {
      interrupted.resumes = stop > 1
      let part = interrupted
      let task = Task {
        var epochs = 0
        _ = try part.run { event in
          guard case .progress(let progress, _) = event, progress.record != nil else { return }
          epochs += 1
          if epochs == stop { withUnsafeCurrentTask { $0?.cancel() } }
        }
      }
      await #expect(throws: CancellationError.self) { try await task.value }
    }
    interrupted.resumes = true
    let outcome = try interrupted.run()
    #expect(!outcome.wasFinished)
    try expectSameFiles("whole", "parts", Self.files + ["pairwise_ranker_report.html"])
    // Once more: it says that nothing is left to do.
    #expect(try interrupted.run().wasFinished)
  }

  @Test("a training killed with SIGKILL goes on and ends in the bytes of one that never stopped")
  func killed() throws {
    let input = try folder.write(simplePairs(120), to: "pairs.jsonl")
    let state = folder.path("killed/pairwise_ranker_training_state.pth")
    func arguments(_ output: String, _ epochs: Int) -> [String] {
      [
        "train", "pairwise", "--input", input, "--output", folder.path(output), "--epochs", "\(epochs)",
        "--hidden-dim", "16", "--quiet",
      ]
    }
    // More epochs than fit into any patience: it is killed as soon as it has saved its state once.
    let ranker = try Command("ranker")
    let process = try ranker.start(arguments("killed", 10_000_000), in: folder)
    let deadline = ContinuousClock.now + .seconds(60)
    while !FileManager.default.fileExists(atPath: state), ContinuousClock.now < deadline { usleep(20_000) }
    process.signal(SIGKILL)
    #expect(process.wait() == 128 + SIGKILL)
    let epochs = try SavedTraining(contentsOf: state).state.history.count + 3
    for arguments in [arguments("killed", epochs) + ["--resume"], arguments("whole", epochs)] {
      #expect(try ranker.run(arguments, in: folder).status == 0)
    }
    try expectSameFiles("killed", "whole")
  }

  @Test("other settings or data are refused, and what differs is named")
  func resumesOnlyTheSame() throws {
    var training = try training(to: "model")
    _ = try training.run()
    training.resumes = true
    training.settings.learningRate = 0.5
    let error = try #require(throws: TrainingError.self) { _ = try training.run() }
    #expect(error.description.contains("--learning-rate was 0.001 and is now 0.5"))
    training.settings.learningRate = 0.001
    _ = try folder.write(simplePairs(121), to: "pairs.jsonl")
    let other = try #require(throws: TrainingError.self) { _ = try training.run() }
    #expect(other.description.contains("SHA-256"))
  }

  @Test("a finished training takes more epochs, as if they had been asked for at once")
  func extended() throws {
    var training = try training(to: "model", epochs: 3)
    _ = try training.run()
    training.resumes = true
    training.settings.epochs = 7
    #expect(try training.run().metadata.history.count == 7)
    _ = try self.training(to: "whole", epochs: 7).run()
    try expectSameFiles("model", "whole")
  }

  @Test("resuming without a saved state is an error that says so")
  func nothingToResume() throws {
    var training = try training(to: "model")
    training.resumes = true
    let error = try #require(throws: TrainingError.self) { _ = try training.run() }
    #expect(error.description.contains("without --resume"))
  }

  @Test("a pair and its mirror are never on both sides of a split")
  func mirrors() throws {
    let pairs = simplePairs(60)
    let mirrored = pairs.map { PreferencePair(itemA: $0.itemB, itemB: $0.itemA, label: $0.label.mirrored) }
    let data = try PairDataset(path: folder.write(pairs + mirrored, to: "mirrored.jsonl"))
    let split = Split.holdOut(groups: data.groups, fraction: 0.25, seed: 3)
    func keys(_ part: [Int]) -> Set<Set<Int32>> {
      Set(part.map { [data.pairs[$0].itemA, data.pairs[$0].itemB] })
    }
    #expect(!split.validation.isEmpty)
    #expect(keys(split.training).isDisjoint(with: keys(split.validation)))
  }

  @Test("metrics alone and embeddings alone train too", arguments: [(0, ["clarity"]), (4, [])])
  func oneKindOfFeature(embedding: Int, metrics: [String]) throws {
    let training = try training(simplePairs(150, embedding: embedding, metrics: metrics), to: "model", epochs: 30)
    let metadata = try training.run().metadata
    #expect(metadata.layout.count == embedding + metrics.count)
    #expect(try #require(metadata.validation?.accuracy) > 0.8)
  }

  @Test("one label only trains as well as a mix of labels")
  func oneLabel() throws {
    let pairs = simplePairs(150).filter { $0.label != .equal }.map { pair in
      pair.label == .preferA ? pair : PreferencePair(itemA: pair.itemB, itemB: pair.itemA, label: .preferA)
    }
    let metadata = try training(pairs, to: "model", epochs: 30).run().metadata
    #expect(try #require(metadata.validation?.accuracy) > 0.8)
  }

  @Test("missing metrics take the training's mean: an item without one scores as with the mean")
  func missingMetrics() throws {
    var pairs = simplePairs(120, embedding: 0)
    pairs[0].itemA.metrics["impact"] = nil
    pairs[0].itemA.id = "gap"
    let metadata = try training(pairs, to: "model").run().metadata
    #expect(metadata.data.missingMetrics == ["impact": 1])
    let ranker = try Ranker(directory: folder.path("model"))
    let mean = Double(metadata.scaling.means[1])
    let scores = try ranker.scores(of: [
      Item(id: "a", metrics: ["clarity": 0.3]), Item(id: "b", metrics: ["clarity": 0.3, "impact": mean]),
    ])
    #expect(scores[0] == scores[1])
  }

  @Test("the means and deviations come from the training part alone")
  func scaling() throws {
    let metadata = try training(to: "model").run().metadata
    let data = try PairDataset(path: folder.path("pairs.jsonl"))
    let split = Split.holdOut(groups: data.groups, fraction: 0.2, seed: 42)
    let rows = Set(split.training.flatMap { [Int(data.pairs[$0].itemA), Int(data.pairs[$0].itemB)] })
    let width = data.layout.count
    let column = data.layout.metricColumns.lowerBound
    let values = data.features.elements(as: Float.self)
    let sample = rows.map { Double(values[$0 * width + column]) }
    let mean = sample.reduce(0, +) / Double(sample.count)
    let variance = sample.map { ($0 - mean) * ($0 - mean) }.reduce(0, +) / Double(sample.count)
    #expect(abs(Double(metadata.scaling.means[0]) - mean) < 1e-6)
    #expect(abs(Double(metadata.scaling.standardDeviations[0]) - variance.squareRoot()) < 1e-6)
  }

  @Test("patience stops a training that gets no better")
  func patience() throws {
    var training = try training(to: "model", epochs: 400)
    training.settings.patience = 3
    training.settings.learningRate = 0.02
    let metadata = try training.run().metadata
    #expect(metadata.history.count < 400)
    #expect(metadata.history.count == metadata.bestEpoch + 3)
  }

  @Test("cross-validation holds every pair out once and reports mean and deviation")
  func folds() throws {
    var training = try training(to: "model")
    training.settings.folds = 4
    let metadata = try training.run().metadata
    let cross = try #require(metadata.crossValidation)
    #expect(cross.folds.map(\.validation.pairs).reduce(0, +) == 120)
    let values = cross.folds.compactMap(\.validation.accuracy)
    let mean = values.reduce(0, +) / 4
    let variance = values.map { ($0 - mean) * ($0 - mean) }.reduce(0, +) / 3
    #expect(abs(try #require(cross.accuracy).mean - mean) < 1e-12)
    #expect(abs(try #require(cross.accuracy).standardDeviation - variance.squareRoot()) < 1e-12)
    #expect(metadata.data.trainingPairs == 120)
    #expect(metadata.history.count == cross.finalEpochs)
    // What the page tells first is the folds' figure, not that of the pairs the model was trained on.
    let page = try String(contentsOfFile: folder.path("model/pairwise_ranker_report.html"), encoding: .utf8)
    #expect(
      page.contains(
        """
        <span class="name">Accuracy</span><span class="value">\(String(format: "%.1f%%", mean * 100))</span>\
        <span class="note">pairs with a winner, on pairs held out, mean of 4 folds</span>
        """))
  }

  @Test("training goes on from the parameters of a .pth, an .onnx or a model", arguments: [".pth", ".onnx", ""])
  func initialParameters(suffix: String) throws {
    _ = try training(to: "first", epochs: 5).run()
    var second = try training(to: "second", epochs: 1)
    second.initialParameters = folder.path(suffix.isEmpty ? "first" : "first/pairwise_ranker\(suffix)")
    second.settings.learningRate = 1e-9
    let metadata = try second.run().metadata
    // Steps of almost nothing leave the parameters where they were.
    let before = try StateDictionary(contentsOf: folder.path("first/pairwise_ranker.pth"))
    let after = try StateDictionary(contentsOf: folder.path("second/pairwise_ranker.pth"))
    for (name, tensor) in before {
      let distances = zip(tensor.elements(as: Float.self), after[name]!.elements(as: Float.self)).map { abs($0 - $1) }
      #expect(distances.max()! < 1e-6)
    }
    #expect(metadata.initializedFrom?.sha256?.count == 64)
  }

  @Test("parameters that do not fit are named one by one")
  func unfittingParameters() throws {
    _ = try training(to: "first").run()
    var second = try training(to: "second")
    second.settings.hiddenDimension = 8
    second.initialParameters = folder.path("first")
    let error = try #require(throws: RankingError.self) { _ = try second.run() }
    #expect(error.description.contains("'shared_layer.0.weight' is float[16, 5], expected float[8, 5]"))
    #expect(error.description.contains("'score_layer.weight' is float[1, 16], expected float[1, 8]"))
  }

  @Test("a loss that leaves the numbers names the epoch, the batch and the lines")
  func diverging() throws {
    var training = try training(to: "model")
    training.settings.learningRate = 1e30
    training.settings.optimizer = .sgd
    let error = try #require(throws: RankingError.self) { _ = try training.run() }
    guard case .lossNotFinite(_, let epoch, let batch, _, let lines) = error else {
      Issue.record("\(error)")
      return
    }
    #expect(epoch >= 1 && batch >= 1)
    #expect(lines.count <= 32 && lines.allSatisfy { (1...120).contains($0) })
  }

  @Test("settings out of their range are refused by name")
  func settings() throws {
    var settings = RankerSettings()
    settings.dropout = 1
    #expect(throws: RankingError.invalidSetting(name: "--dropout", value: "1.0", expected: "from 0 to below 1")) {
      try settings.validate()
    }
    settings = RankerSettings()
    settings.opset = 12
    #expect(throws: RankingError.self) { try settings.validate() }
    settings = RankerSettings()
    settings.name = "../escape"
    #expect(throws: RankingError.self) { try settings.validate() }
  }

  @Test("the directory holds a model that verifies, with checksums of all its files and the metadata's keys")
  func artifacts() throws {
    let outcome = try training(to: "model").run()
    let result = PathVerifier(families: [.pairwiseRanker]).verify(folder.path("model"))
    #expect(result.verdict == .matched, "\(result.failure ?? "") \(result.reports.flatMap(\.failures))")
    #expect(outcome.metadata.verification.count == 2)
    #expect(outcome.metadata.verification.allSatisfy { $0.passed && $0.sampleCount > 4 })
    let object = try JSONSerialization.jsonObject(
      with: Data(folder.bytes(of: "model/pairwise_ranker_metadata.json")))
    let json = try #require(object as? [String: Any])
    for key in [
      "model_name", "input_dim", "hidden_dim", "learning_rate", "batch_size", "epochs", "margin", "dataset_size",
      "training_time", "loss_history", "metric_names", "metric_means", "metric_stds", "checksums", "verification",
    ] {
      #expect(json[key] != nil, "\(key)")
    }
    #expect(json["input_dim"] as? Int == 5)
    #expect((json["loss_history"] as? [Double])?.count == 4)
    let checksums = try #require(json["checksums"] as? [String: String])
    #expect(
      Set(checksums.keys) == [
        "pairwise_ranker.onnx", "pairwise_ranker_scorer.onnx", "pairwise_ranker.pth", "pairwise_ranker_report.html",
        "test_data_set_0/input_0.pb", "test_data_set_0/input_1.pb", "test_data_set_0/output_0.pb",
        "test_data_set_0/output_1.pb", "test_data_set_0/output_2.pb",
      ])
    for (name, digest) in checksums { #expect(try SHA256.hexadecimal(ofFile: folder.path("model/\(name)")) == digest) }
  }

  @Test("reading the metadata back and writing it again changes nothing")
  func metadataRoundTrip() throws {
    let metadata = try training(to: "model").run().metadata
    let read = try RankerMetadata(contentsOf: folder.path("model/pairwise_ranker_metadata.json"))
    #expect(read.scaling == metadata.scaling)
    let encoder = JSONEncoder()
    encoder.outputFormatting = .sortedKeys
    #expect(try encoder.encode(read) == encoder.encode(metadata))
  }
}
