// Fine-tuning and running an encoder of MiniLM-L6's sizes: random weights and tokens, dropout 0.1, ten labels.

import Encoders
import GraphEngine
import ONNX
import Tensors
import Training

/// A classifier of the sizes of all-MiniLM-L6-v2, as `tools/peers/torch_encoder.py` has it.
struct EncoderBench {
  static let batch = 16
  static let length = 128
  static let labels = 10
  private static let loss = "loss"

  private let configuration = EncoderConfiguration(
    family: .bert, vocabularySize: 30522, width: 384, layerCount: 6, headCount: 12, innerWidth: 1536)
  private let parameters: [String: Tensor]
  let threads: Int

  init(threads: Int) {
    self.threads = threads
    var generator = SystemRandomNumberGenerator()
    parameters = configuration.initialParameters(
      configuration.allParameters(labels: Self.labels), using: &generator)
  }

  // MARK: Training

  /// The classifier with its loss: the mean of the binary cross-entropies of all labels.
  private func trainer(clip: Float?) throws -> Trainer {
    let builder = GraphBuilder(name: "text_classifier", opset: 17)
    let network = EncoderNetwork(configuration, parameters: parameters, in: builder)
    let logits = network.logits(network.inputs())
    let wanted = builder.input("labels", .float, ["batch", Dimension(Self.labels)])
    builder.output((logits.softplus() - logits * wanted).mean(), Self.loss, .float, [])
    return try Trainer(
      builder.model(), loss: Self.loss, parameters: builder.parameters,
      options: Trainer.Options(optimizer: .adamW(), gradientClip: clip, seed: 42, threads: threads))
  }

  private var trainingSpecs: [String: TensorSpec] {
    specs(Self.batch).merging(["labels": TensorSpec(.float, [Self.batch, Self.labels])]) { first, _ in first }
  }

  /// Steps of training.
  /// - Parameter clip: the largest norm of the gradients; nil leaves them.
  func trainingTiming(seconds: Double, clip: Float? = nil) throws -> Timing {
    let trainer = try trainer(clip: clip)
    return try Timing(seconds: seconds) { try trainer.step(trainingSpecs, learningRate: 2e-5, fill: fill) }
  }

  /// The seconds that each node of a step takes.
  func profile() throws -> [(node: String, microseconds: Double)] {
    let trainer = try trainer(clip: nil)
    return try nodeProfile(runs: 5) { _ in
      try trainer.profiledStep(trainingSpecs, learningRate: 2e-5, fill: fill)
    }
  }

  // MARK: Running

  /// The graph as it is exported, in single precision.
  var exported: Model { configuration.classifierModel(parameters, labels: Self.labels) }

  /// Runs of an exported graph over so many texts.
  func inferenceTiming(_ model: Model, _ batch: Int, seconds: Double) throws -> Timing {
    let plan = try plan(model, batch)
    return try Timing(seconds: seconds) { try plan.session.execute(plan.plan) }
  }

  private func plan(_ model: Model, _ batch: Int) throws -> (session: Session, plan: Plan) {
    let session = try Session(
      model, outputs: [EncoderConfiguration.logitsOutput], options: Session.Options(threads: threads))
    guard let plan = try session.plan(for: specs(batch)) else {
      throw EngineError.invalidGraph(problem: "the encoder's shapes depend on values that only a run tells")
    }
    fill(plan)
    return (session, plan)
  }

  /// The seconds that each node of an exported graph takes.
  func profile(_ model: Model, _ batch: Int) throws -> [(node: String, microseconds: Double)] {
    let plan = try plan(model, batch)
    return try nodeProfile(runs: 20, warmUp: 5) { _ in try plan.plan.profiled() }
  }

  // MARK: Batches

  private func specs(_ batch: Int) -> [String: TensorSpec] {
    let names = [EncoderNetwork.tokenInput, EncoderNetwork.maskInput, EncoderNetwork.typeInput]
    return Dictionary(uniqueKeysWithValues: names.map { ($0, TensorSpec(.int64, [batch, Self.length])) })
  }

  private func fill(_ plan: Plan) {
    plan.withUnsafeMutableInput(EncoderNetwork.tokenInput, as: Int64.self) { tokens in
      for place in tokens.indices { tokens[place] = Int64.random(in: 0..<Int64(configuration.vocabularySize)) }
    }
    plan.withUnsafeMutableInput(EncoderNetwork.maskInput, as: Int64.self) { $0.update(repeating: 1) }
    plan.withUnsafeMutableInput(EncoderNetwork.typeInput, as: Int64.self) { $0.update(repeating: 0) }
    plan.withUnsafeMutableInput("labels", as: Float.self) { labels in
      for place in labels.indices { labels[place] = Float.random(in: 0..<1) > 0.8 ? 1 : 0 }
    }
  }

  /// All of it; the graph that ran is written to `export`, for other runtimes, where that is given.
  func measure(seconds: Double, export: String?) throws -> [Measurement] {
    let training = try trainingTiming(seconds: seconds)
    let peak = peakMegabytes()
    if let export { try exported.write(to: export) }
    let size = "MiniLM-L6, \(Self.length) tokens"
    var rows = [
      Measurement(
        name: "encoder training step", value: training.median * 1e3, unit: "ms",
        detail: "\(size), batch \(Self.batch), AdamW"),
      Measurement(
        name: "encoder training memory", value: peak, unit: "MB", detail: "the most that the process held"),
    ]
    for (name, batch) in [("encoder one text", 1), ("encoder \(Self.batch) texts", Self.batch)] {
      let timing = try inferenceTiming(exported, batch, seconds: seconds)
      rows += [
        Measurement(name: name, value: timing.median * 1e3, unit: "ms", detail: size),
        Measurement(name: "\(name), p95", value: timing.percentile(95) * 1e3, unit: "ms", detail: size),
      ]
    }
    return rows
  }
}
