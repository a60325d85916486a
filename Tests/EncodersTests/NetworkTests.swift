// The network against transformers: hidden states, logits and embeddings, in both runtimes and in several opsets.

import Encoders
import GraphEngine
import ONNX
import ReferenceRuntime
import Tensors
import Testing

@Suite("The encoder's network")
struct NetworkTests {
  /// What the project promises: hidden states within 1e-4 of transformers'.
  private static let tolerance = 1e-4

  @Test(
    "hidden states, logits and sentence embeddings are those of transformers",
    arguments: EncoderConfiguration.Family.allCases, [17, 20, 21])
  func matchesTransformers(family: EncoderConfiguration.Family, opset: Int) throws {
    let recording = try Recording(family)
    let (configuration, parameters) = (recording.encoder.configuration, recording.encoder.parameters)
    let models = [
      configuration.encoderModel(parameters, opset: opset), configuration.embeddingModel(parameters, opset: opset),
      configuration.classifierModel(parameters, labels: 3, opset: opset),
    ]
    for model in models {
      try model.check(fullCheck: true)
      let engine = try Session(model)
      let reference = try ReferenceSession(model)
      let output = model.graph.outputs[0].name
      for batch in Recording.batches {
        let expected = try recording.value(batch, output)
        let inputs = try recording.inputs(batch)
        let found = try #require(try engine.run(inputs)[output])
        #expect(found.distance(to: expected) < Self.tolerance, "\(output) of '\(batch)' in the engine")
        let plain = try #require(try reference.run(inputs)[output])
        #expect(plain.distance(to: expected) < Self.tolerance, "\(output) of '\(batch)' in the reference runtime")
      }
    }
  }

  @Test(
    "the tanh GELU and ReLU are those of transformers too",
    arguments: EncoderConfiguration.Family.allCases, [17, 20])
  func activations(family: EncoderConfiguration.Family, opset: Int) throws {
    let recording = try Recording(family)
    for activation in [EncoderConfiguration.Activation.geluNew, .relu] {
      var configuration = recording.encoder.configuration
      configuration.activation = activation
      let model = configuration.classifierModel(recording.encoder.parameters, labels: 3, opset: opset)
      let expected = try recording.value(activation.rawValue, "logits")
      let inputs = try recording.inputs("padded")
      let found = try #require(try Session(model).run(inputs)["logits"])
      #expect(found.distance(to: expected) < Self.tolerance, "\(activation) in the engine")
      let plain = try #require(try ReferenceSession(model).run(inputs)["logits"])
      #expect(plain.distance(to: expected) < Self.tolerance, "\(activation) in the reference runtime")
    }
  }

  @Test("what fills a text up changes nothing", arguments: EncoderConfiguration.Family.allCases)
  func paddingIsInert(family: EncoderConfiguration.Family) throws {
    let recording = try Recording(family)
    let session = try Session(
      recording.encoder.configuration.classifierModel(recording.encoder.parameters, labels: 3))
    var inputs = try recording.inputs("one")
    let expected = try #require(try session.run(inputs)["logits"])
    for (name, tensor) in inputs {
      // Anything may stand in the padding: its mask is 0.
      let filler: Int64 = name == "input_ids" ? 7 : name == "attention_mask" ? 0 : 1
      let values = tensor.elements(as: Int64.self) + [Int64](repeating: filler, count: 6)
      inputs[name] = Tensor(values, shape: [1, values.count])
    }
    let padded = try #require(try session.run(inputs)["logits"])
    #expect(padded.distance(to: expected) < 1e-5)
  }

  @Test("the first token's states are those of the whole sequence", arguments: EncoderConfiguration.Family.allCases)
  func firstStates(family: EncoderConfiguration.Family) throws {
    let recording = try Recording(family)
    let configuration = recording.encoder.configuration
    let builder = GraphBuilder(name: "first", opset: 17)
    let network = EncoderNetwork(
      configuration.withoutDropout, parameters: recording.encoder.parameters, in: builder)
    builder.output(network.firstStates(network.inputs()), "first", .float, ["batch", Dimension(configuration.width)])
    let session = try Session(builder.model())
    for batch in Recording.batches {
      let found = try #require(try session.run(try recording.inputs(batch))["first"])
      let states = try recording.value(batch, "last_hidden_state")
      let (length, width) = (states.shape[1], states.shape[2])
      let all = states.elements(as: Float.self)
      let expected = (0..<states.shape[0]).flatMap { text in all[text * length * width..<text * length * width + width]
      }
      #expect(found.distance(to: Tensor(expected, shape: [states.shape[0], width])) < Self.tolerance)
    }
  }

  @Test(
    "graphs that PyTorch exported give what PyTorch computed, in both runtimes",
    arguments: EncoderConfiguration.Family.allCases, ["", "_program"])
  func exportedByPyTorch(family: EncoderConfiguration.Family, exporter: String) throws {
    let recording = try Recording(family)
    let model = try Model(contentsOf: Resources.path("\(family.rawValue)\(exporter).onnx"))
    try model.check(fullCheck: true)
    let (engine, reference) = (try Session(model), try ReferenceSession(model))
    for batch in Recording.batches {
      let expected = try recording.value(batch, "logits")
      let inputs = try recording.inputs(batch)
      let found = try #require(try engine.run(inputs)["logits"])
      #expect(found.distance(to: expected) < Self.tolerance, "'\(batch)' in the engine")
      let plain = try #require(try reference.run(inputs)["logits"])
      #expect(plain.distance(to: expected) < Self.tolerance, "'\(batch)' in the reference runtime")
    }
  }
}
