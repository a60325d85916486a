// The NCF networks against PyTorch's, trained step by step, and the graph that ranks against the one that scores pairs.

import Foundation
import GraphEngine
import Recommendation
import Tensors
import Testing
import Training

@Suite("NCF's graph")
struct NCFGraphTests {
  /// What `Resources/make_ncf.py` recorded.
  private struct Recording: Decodable {
    struct Values: Decodable {
      let shape: [Int]
      let values: [Float]

      var tensor: Tensor { Tensor(values, shape: Shape(shape)) }
    }
    struct Step: Decodable {
      let user, item: [Int64]
      let label: [Float]?
      let negative: [Int64]?
    }
    struct Pairs: Decodable {
      let user, item: [Int32]
    }
    struct Case: Decodable {
      let architecture: NCFGraph.Architecture
      let loss: NCFGraph.Loss
      let optimizer: String
      let parameters: [String: Values]
      let steps: [Step]
      let losses: [Float]
      let after: [String: Values]
      let pairs: Pairs
      let scores: [Float]
    }
    let users, items, embeddingDim: Int
    let hiddenLayers: [Int]
    let cases: [Case]

    func graph(_ recorded: Case) -> NCFGraph {
      NCFGraph(
        architecture: recorded.architecture, userCount: users, itemCount: items, embeddingDimension: embeddingDim,
        hiddenLayers: hiddenLayers, loss: recorded.loss)
    }

    static let pytorch: Recording = {
      let file = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .appendingPathComponent("Resources/pytorch_ncf.json")
      let decoder = JSONDecoder()
      decoder.keyDecodingStrategy = .custom { path in
        // Only the recording's own keys are in snake case; parameters keep their names.
        let key = path.last!.stringValue
        let names = ["embedding_dim": "embeddingDim", "hidden_layers": "hiddenLayers"]
        return Name(stringValue: names[key] ?? key)
      }
      return try! decoder.decode(Recording.self, from: Data(contentsOf: file))
    }()

    private struct Name: CodingKey {
      let stringValue: String
      var intValue: Int? { nil }
      init(stringValue: String) { self.stringValue = stringValue }
      init?(intValue: Int) { nil }
    }
  }

  @Test("every architecture, loss and optimizer follows PyTorch's losses and ends in its parameters", arguments: 0..<6)
  func followsPyTorch(number: Int) throws {
    let recording = Recording.pytorch
    let recorded = recording.cases[number]
    let graph = recording.graph(recorded)
    #expect(Set(graph.parameterNames) == Set(recorded.parameters.keys), "the names are those of the PyTorch module")
    let trainer = try Trainer(
      graph.training().replacing(recorded.parameters.mapValues(\.tensor)), loss: NCFGraph.lossName,
      parameters: graph.parameterNames,
      options: Trainer.Options(optimizer: recorded.optimizer == "sgd" ? .sgd() : .adam(epsilon: 1e-3), threads: 2))
    for (step, expected) in zip(recorded.steps, recorded.losses) {
      let count = step.user.count
      var specs = ["user": TensorSpec(.int64, [count]), "item": TensorSpec(.int64, [count])]
      specs[step.label == nil ? "negative" : "label"] = TensorSpec(step.label == nil ? .int64 : .float, [count])
      let loss = try trainer.step(specs, learningRate: recorded.optimizer == "sgd" ? 0.5 : 0.05) { plan in
        plan.withUnsafeMutableInput("user") { _ = $0.initialize(from: step.user) }
        plan.withUnsafeMutableInput("item") { _ = $0.initialize(from: step.item) }
        if let labels = step.label { plan.withUnsafeMutableInput("label") { _ = $0.initialize(from: labels) } }
        if let items = step.negative { plan.withUnsafeMutableInput("negative") { _ = $0.initialize(from: items) } }
      }
      #expect(abs(loss - expected) < 2e-5 * max(1, abs(expected)))
    }
    let parameters = trainer.parameters
    for (name, expected) in recorded.after {
      for (found, wanted) in zip(parameters[name]!.elements(as: Float.self), expected.values) {
        #expect(abs(found - wanted) < 5e-5 * max(1, abs(wanted)), "\(name)")
      }
    }
    let scorer = try NCFScorer(graph: graph, parameters: recorded.after.mapValues(\.tensor))
    let scores = try scorer.scores(users: recorded.pairs.user, items: recorded.pairs.item)
    for (found, wanted) in zip(scores, recorded.scores) { #expect(abs(found - wanted) < 1e-6) }
  }

  @Test("a step on two threads gives the bits of a step on one", arguments: NCFGraph.Architecture.allCases)
  func threads(architecture: NCFGraph.Architecture) throws {
    // Large enough that the batch is cut into rows for the threads.
    let graph = NCFGraph(
      architecture: architecture, userCount: 50, itemCount: 40, embeddingDimension: 32, hiddenLayers: [64, 32],
      dropout: 0.2)
    func trained(threads: Int) throws -> [String: Tensor] {
      let trainer = try Trainer(
        graph.training().replacing(graph.initialParameters(seed: 3)), loss: NCFGraph.lossName,
        parameters: graph.parameterNames, options: Trainer.Options(seed: 4, threads: threads))
      let batch = 250
      let specs = [
        "user": TensorSpec(.int64, [batch]), "item": TensorSpec(.int64, [batch]), "label": TensorSpec(.float, [batch]),
      ]
      for step in 0..<5 {
        try trainer.step(specs, learningRate: 0.01) { plan in
          plan.withUnsafeMutableInput("user", as: Int64.self) { rows in
            for row in rows.indices { rows[row] = Int64((row * 7 + step) % 50) }
          }
          plan.withUnsafeMutableInput("item", as: Int64.self) { rows in
            for row in rows.indices { rows[row] = Int64((row * 11 + step * 3) % 40) }
          }
          plan.withUnsafeMutableInput("label", as: Float.self) { rows in
            for row in rows.indices { rows[row] = row % 3 == 0 ? 1 : 0 }
          }
        }
      }
      return trainer.parameters
    }
    let one = try trained(threads: 1)
    let several = try trained(threads: 3)
    for (name, tensor) in one { #expect(several[name] == tensor, "\(name)") }
  }

  @Test(
    "the graph that ranks all items gives what the exported graph gives pair by pair",
    arguments: NCFGraph.Architecture.allCases, [[16, 8], []])
  func rankerMatchesScorer(architecture: NCFGraph.Architecture, hiddenLayers: [Int]) throws {
    let graph = NCFGraph(
      architecture: architecture, userCount: 6, itemCount: 300, embeddingDimension: 8, hiddenLayers: hiddenLayers)
    // Tables of ordinary size, so that scores differ.
    var parameters = graph.initialParameters(seed: 9)
    for name in graph.userTables + graph.itemTables {
      parameters[name] = Tensor(
        parameters[name]!.elements(as: Float.self).map { $0 * 100 }, shape: parameters[name]!.shape)
    }
    let scorer = try NCFScorer(graph: graph, parameters: parameters, threads: 2)
    for user in [0, 5] {
      let ranked = try scorer.scores(user: user)
      let paired = try scorer.scores(user: user, items: Array(0..<300))
      #expect(Set(ranked).count > 200, "the scores tell items apart")
      for (found, wanted) in zip(ranked, paired) { #expect(abs(found - wanted) < 1e-6) }
    }
    let all = Mutexed([[Float]](repeating: [], count: 3))
    try scorer.forEachUser([4, 0, 5]) { position, scores in all.set(position, Array(scores)) }
    #expect(all.value[1] == (try scorer.scores(user: 0)))
    #expect(throws: RecommendationError.unknownPlaces([6], of: "users", count: 6)) { try scorer.scores(user: 6) }
    #expect(throws: RecommendationError.unknownPlaces([-1], of: "items", count: 300)) {
      try scorer.scores(user: 0, items: [-1])
    }
  }
}

extension NCFGraphTests {
  @Test("a training starts with rows of 0.01, with weights that keep a signal's size, and with the known log-odds")
  func initialValues() throws {
    let graph = NCFGraph(userCount: 400, itemCount: 300)
    let parameters = graph.initialParameters(seed: 5, positiveShare: 0.2)
    func deviation(_ name: String) -> Double {
      let values = try! #require(parameters[name]).elements(as: Float.self).map(Double.init)
      return (values.reduce(0) { $0 + $1 * $1 } / Double(values.count)).squareRoot()
    }
    #expect(abs(deviation("user_embedding.weight") - 0.01) < 0.0002)
    // √(2 / inputs) where a ReLU follows, √(1 / inputs) at the end; a few percent for the chance of so many numbers.
    for (name, expected) in [
      ("mlp.0.weight", 0.125), ("mlp.2.weight", 0.125), ("mlp.4.weight", 0.17678), ("output.weight", 0.17678),
    ] {
      #expect(abs(deviation(name) / expected - 1) < (name == "output.weight" ? 0.3 : 0.03), "\(name)")
    }
    #expect(deviation("mlp.0.bias") == 0 && deviation("mlp.4.bias") == 0)
    // One positive sample to four drawn ones: log 1/4.
    let bias = try #require(parameters["output.bias"]).elements(as: Float.self)
    #expect(abs(bias[0] - -1.386294) < 1e-6)
    #expect(graph.initialParameters(seed: 5)["output.bias"]!.elements(as: Float.self) == [0])
  }
}

/// Values that several threads set.
private final class Mutexed: @unchecked Sendable {
  private let lock = NSLock()
  private var values: [[Float]]

  init(_ values: [[Float]]) { self.values = values }

  func set(_ position: Int, _ scores: [Float]) { lock.withLock { values[position] = scores } }

  var value: [[Float]] { lock.withLock { values } }
}
