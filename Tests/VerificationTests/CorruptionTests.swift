// What can go wrong with an export, each seen and told apart.

import GraphEngine
import ONNX
import Tensors
import Testing
import Verification

/// A scorer with two layers, as it is trained and as it is exported.
private struct Scorer {
  let training: Model
  var trained: Model { training.forInference(outputs: ["score"]) }

  init() {
    var generator = Numbers(state: 7)
    let builder = GraphBuilder(name: "scorer", opset: 17)
    let input = builder.input("input", .float, ["batch", 6])
    let first = Linear("first", inputs: 6, outputs: 6, in: builder, generator: &generator)
    let second = Linear("second", inputs: 6, outputs: 6, in: builder, generator: &generator)
    let hidden = builder.node(
      "LeakyRelu", [second(first(input).relu().dropout(0.5))], [Attribute("alpha", .float(0.2))])
    builder.output(hidden, "score", .float, ["batch", 6])
    training = builder.model()
  }
}

private struct Numbers: RandomNumberGenerator {
  var state: UInt64
  mutating func next() -> UInt64 {
    state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
    return state ^ (state >> 29)
  }
}

extension Model {
  /// What a reader of the exported file sees.
  fileprivate func reread() throws -> Model { try Model(bytes: serialized()) }

  fileprivate mutating func changeTensor(_ name: String, _ change: (inout Tensor) -> Void) {
    let index = graph.initializers.firstIndex { $0.name == name }!
    change(&graph.initializers[index].tensor)
  }

  fileprivate mutating func changeNode(_ operatorType: String, _ change: (inout Node) -> Void) {
    let index = graph.nodes.firstIndex { $0.operatorType == operatorType }!
    change(&graph.nodes[index])
  }
}

@Suite("Verification")
struct CorruptionTests {
  private let scorer = Scorer()

  private func report(_ change: (inout Model) throws -> Void) throws -> VerificationReport {
    var exported = scorer.trained
    try change(&exported)
    return try verify(exportedGraph: try exported.reread(), against: scorer.trained)
  }

  @Test("an honest export passes, on every edge case")
  func honest() throws {
    let report = try report { _ in }
    #expect(report.passed, "\(report.failures)")
    #expect(report.sampleCount == 8)
    let names = report.checks.map(\.name).joined()
    for edge in ["a batch of one", "zeros", "large values", "equal rows"] { #expect(names.contains(edge)) }
    let output = try #require(report.outputs.first)
    #expect(output.matches && output.count > 0 && output.largestULP != nil)
  }

  @Test("one flipped bit in a weight is seen, also the lowest", arguments: [0, 13, 30, 31])
  func flippedBit(bit: UInt32) throws {
    let report = try report { model in
      model.changeTensor("second.weight") { tensor in
        tensor.withUnsafeMutableElements(as: Float.self) { values in
          values[5] = Float(bitPattern: values[5].bitPattern ^ (1 << bit))
        }
      }
    }
    #expect(!report.passed)
    #expect(report.failures.contains { $0.contains("second.weight") })
  }

  @Test("a zero that became a negative zero is seen")
  func negativeZero() throws {
    var trained = scorer.trained
    trained.changeTensor("first.bias") { $0 = Tensor([Float](repeating: 0, count: 6)) }
    var exported = trained
    exported.changeTensor("first.bias") { $0 = Tensor([-0.0, 0, 0, 0, 0, 0] as [Float]) }
    #expect(!(try verify(exportedGraph: exported, against: trained)).passed)
  }

  @Test("two swapped initializers are seen")
  func swapped() throws {
    let report = try report { model in
      let tensors = ["first.weight", "second.weight"].map { name in
        model.graph.initializers.first { $0.name == name }!.tensor
      }
      model.changeTensor("first.weight") { $0 = tensors[1] }
      model.changeTensor("second.weight") { $0 = tensors[0] }
    }
    #expect(report.failures.contains { $0.contains("first.weight") && $0.contains("second.weight") })
  }

  @Test("a wrong transposition is seen by the outputs, though every weight is right")
  func transposition() throws {
    let report = try report { model in
      model.changeNode("Gemm") { $0.attributes = [Attribute("transB", .int(0))] }
    }
    #expect(report.checks.contains { $0.name == "parameters" && $0.passed })
    #expect(report.failures.contains { $0.contains("sample") && $0.contains("'score'") })
  }

  @Test("a dropout left on is seen, and named")
  func dropoutLeftOn() throws {
    let exported = scorer.training
    let report = try verify(exportedGraph: exported, against: scorer.trained)
    #expect(report.failures.contains { $0.contains("Dropout") })
  }

  @Test("a wrong alpha is seen by the outputs")
  func alpha() throws {
    let report = try report { model in
      model.changeNode("LeakyRelu") { $0.attributes = [Attribute("alpha", .float(0.21))] }
    }
    #expect(report.failures.contains { $0.contains("'score'") })
    let output = try #require(report.outputs.first)
    #expect(output.mismatches > 0 && output.largestAbsolute != nil)
  }

  @Test("a renamed output is seen")
  func renamedOutput() throws {
    let report = try report { model in
      model.changeNode("LeakyRelu") { $0.outputs = ["points"] }
      model.graph.outputs[0].name = "points"
    }
    #expect(report.failures.contains { $0.contains("points") && $0.contains("score") })
  }

  @Test("a file cut anywhere is refused, or seen")
  func truncated() throws {
    let bytes = try scorer.trained.serialized()
    for length in stride(from: 0, to: bytes.count, by: 7) {
      do {
        let model = try Model(bytes: bytes.prefix(length))
        #expect(!(try verify(exportedGraph: model, against: scorer.trained)).passed, "cut at \(length)")
      } catch {}
    }
  }

  @Test("a missing initializer and one too many are named")
  func initializers() throws {
    let report = try report { model in
      model.graph.initializers.append(Initializer("stranger", Tensor([1] as [Float])))
    }
    #expect(report.failures.contains { $0.contains("stranger") })
  }

  @Test("a graph of bytes is followed step by step: an honest one passes, and what only its bytes show is seen")
  func bytes() throws {
    let trained = scorer.trained.dynamicallyQuantized()
    var options = VerificationOptions()
    options.sampleCount = 40
    let honest = try verify(exportedGraph: try trained.reread(), against: trained, options: options)
    #expect(honest.passed, "\(honest.failures)")
    #expect(honest.checks.last?.name == "quantised values")
    // Single precision apart: 8 bits themselves lose a thousand times as much.
    #expect(honest.outputs[0].largestAbsolute!.value < 0.01)

    // The second layer reads what the first one gives before its Relu, so that other bytes are made of it.
    var wrong = trained
    let relu = try #require(wrong.graph.nodes.first { $0.operatorType == "Relu" })
    let place = try #require(
      wrong.graph.nodes.firstIndex { $0.operatorType == "DynamicQuantizeLinear" && $0.inputs == relu.outputs })
    wrong.graph.nodes[place].inputs = relu.inputs
    let report = try verify(exportedGraph: try wrong.reread(), against: trained)
    #expect(report.failures.contains { $0.hasPrefix("quantised values of 'random 1'") })

    // A graph that quantises other values is no export of this one.
    let other = try verify(exportedGraph: trained, against: scorer.trained)
    #expect(other.failures.contains { $0.hasPrefix("quantised values: not in the model") })
  }

  @Test("recorded outputs that the graph no longer gives are seen")
  func recorded() throws {
    let input = Tensor((0..<12).map { Float($0) / 10 }, shape: [2, 6])
    let honest = try #require(try Session(scorer.trained).run(["input": input])["score"])
    var wrong = honest
    wrong.withUnsafeMutableElements(as: Float.self) { $0[3] += 0.01 }
    for (expected, passes) in [(honest, true), (wrong, false)] {
      let sample = VerificationSample(name: "kept", inputs: ["input": input], expected: ["score": expected])
      let report = try verify(exportedGraph: scorer.trained, against: scorer.trained, recorded: [sample])
      #expect(report.passed == passes)
    }
  }
}
