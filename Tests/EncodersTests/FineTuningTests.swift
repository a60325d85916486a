// Steps of a fine-tuning against PyTorch's: loss, gradients through the whole network, clipping, schedule, AdamW.

import Encoders
import GraphEngine
import ONNX
import Tensors
import Testing
import Training

@Suite("Fine-tuning an encoder")
struct FineTuningTests {
  @Test("four steps give PyTorch's losses and parameters", arguments: EncoderConfiguration.Family.allCases)
  func matchesPyTorch(family: EncoderConfiguration.Family) throws {
    let recording = try Recording(family)
    let configuration = recording.encoder.configuration.withoutDropout
    let builder = GraphBuilder(name: "fine_tuning", opset: 17)
    let network = EncoderNetwork(configuration, parameters: recording.encoder.parameters, in: builder)
    let logits = network.logits(network.inputs())
    let labels = builder.input("labels", .float, ["batch", 3])
    let weight = builder.input("weight", .float, ["batch", 1])
    builder.output(((logits.softplus() - labels * logits) * weight).mean(), "loss", .float, [])
    let names = configuration.allParameters(labels: 3).map(\.name)
    let trainer = try Trainer(
      builder.model(), loss: "loss", parameters: names,
      options: Trainer.Options(
        optimizer: .adamW(weightDecay: 0.1), gradientClip: 0.5,
        undecayed: Set(names.filter(EncoderConfiguration.isUndecayed))))
    var feeds = try recording.inputs("padded")
    feeds["labels"] = try recording.value("training", "labels")
    feeds["weight"] = try recording.value("training", "weight")
    let losses = try recording.value("training", "losses").elements(as: Float.self)
    let schedule = Schedule.linear(warmup: 2, total: 6)
    for step in 0..<4 {
      let loss = try trainer.step(
        feeds.mapValues(\.spec), learningRate: 0.01 * schedule.factor(at: step)
      ) { plan in
        for (name, tensor) in feeds {
          if tensor.elementType == .float {
            plan.withUnsafeMutableInput(name, as: Float.self) { _ = $0.update(from: tensor.elements(as: Float.self)) }
          } else {
            plan.withUnsafeMutableInput(name, as: Int64.self) { _ = $0.update(from: tensor.elements(as: Int64.self)) }
          }
        }
      }
      #expect(abs(loss - losses[step]) < 1e-4 * max(1, losses[step]), "step \(step + 1)")
    }
    let tokens = Set(try recording.value("padded", "input_ids").elements(as: Int64.self).map(Int.init))
    let trained = trainer.parameters
    var compared = 0
    for name in names {
      // A bias of the keys adds the same to all scores of a query: its gradient is 0, and Adam makes steps of the rounding.
      guard !name.hasSuffix("key.bias"), !name.hasSuffix("k_lin.bias"),
        let expected = try? recording.value("after", name)
      else { continue }
      let found = try #require(trained[name])
      compared += 1
      let (width, other) = (expected.shape.last ?? 1, expected.elements(as: Float.self))
      // A table's rows that no text names wait; PyTorch shrinks them by the weight decay.
      let isTable = name.contains("word_embeddings")
      let worst =
        zip(found.elements(as: Float.self), other).enumerated()
        .filter { !isTable || tokens.contains($0.offset / width) }
        .map { abs($0.element.0 - $0.element.1) }.max() ?? 0
      // Adam divides by the gradient's own size, so what is near zero may differ more than rounding does.
      #expect(worst < 1e-3, "\(name) after four steps")
    }
    #expect(compared > 10)
  }
}
