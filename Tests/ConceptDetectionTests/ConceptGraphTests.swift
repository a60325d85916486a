// The network: what it computes, beside its formula written out.

import ConceptDetection
import Foundation
import GraphEngine
import ONNX
import ReferenceRuntime
import Tensors
import Testing

@Suite("The network of a detector")
struct ConceptGraphTests {
  private static let rows = 9
  private static let width = 2
  private static let concepts = 3

  /// Numbers that are exact in single precision.
  private let table: [[Double]] = [
    [0, 0], [0.25, 0.875], [0.5, 0.75], [0.75, 0.625], [1, 0.5], [1.25, 0.375], [1.5, 0.25], [1.75, 0.125], [2, 0],
  ]
  private let weights: [[Double]] = [[1, -0.5], [-1, 0.25], [0.5, 2]]
  private let bias: [Double] = [-1, 0.5, 0]

  /// Notes of five, one and no words; words of one to three features.
  private let notes: [[[Int]]] = [[[1, 2], [3], [4, 4, 5], [8], [6, 7]], [[2]], []]

  private func parameters() -> [String: Tensor] {
    func tensor(_ values: [[Double]]) -> Tensor {
      Tensor(values.flatMap { $0.map(Float.init) }, shape: [values.count, values[0].count])
    }
    return [
      "feature_embedding.weight": tensor(table), "concepts.weight": tensor(weights),
      "concepts.bias": Tensor(bias.map(Float.init)),
    ]
  }

  private func features(words: Int = 5, features: Int = 4) -> Tensor {
    var ids: [Int64] = []
    for note in notes {
      for word in 0..<words {
        let own = word < note.count ? note[word] : []
        ids += own.map(Int64.init) + [Int64](repeating: 0, count: features - own.count)
      }
    }
    return Tensor(ids, shape: [notes.count, words, features])
  }

  /// `b[c] + max over w of Σ of three s[w, c]`, with `s[w, c] = C[c] · (Σ of n E[f]) / √(2n)`.
  private func expected(_ note: [[Int]]) -> [Double] {
    (0..<Self.concepts).map { concept in
      var scores: [Double] = []
      for word in note {
        var score = 0.0
        for feature in word {
          score += weights[concept][0] * table[feature][0] + weights[concept][1] * table[feature][1]
        }
        scores.append(score / Double(Self.width * word.count).squareRoot())
      }
      var best = -Double.infinity
      for start in scores.indices { best = max(best, scores[start..<min(start + 3, scores.count)].reduce(0, +)) }
      return bias[concept] + best
    }
  }

  @Test("scores the best three words of a note, whatever the padding behind", arguments: 13...21)
  func logits(opset: Int) throws {
    let graph = ConceptGraph(featureRows: Self.rows, width: Self.width, conceptCount: Self.concepts, opset: opset)
    let model = graph.detector(parameters())
    try model.check(fullCheck: true)
    for features in [features(), features(words: 8, features: 32)] {
      let found = try Session(model, options: .init(threads: 1)).run(["features": features])
      let other = try ReferenceSession(model).run(["features": features])
      let logits = try #require(found["logits"]).doubles()
      for (row, note) in notes.enumerated() where !note.isEmpty {
        for (concept, value) in expected(note).enumerated() {
          #expect(abs(logits[row * 3 + concept] - value) < 1e-5, "note \(row), concept \(concept)")
        }
      }
      // A note without a word has no concept.
      #expect(found["probabilities"]!.doubles()[6...].allSatisfy { $0 == 0 })
      for name in ["logits", "probabilities", "word_scores"] {
        #expect(zip(found[name]!.doubles(), other[name]!.doubles()).allSatisfy { abs($0 - $1) < 1e-5 }, "\(name)")
      }
    }
  }

  @Test("has the weighted binary cross-entropy of its logits as loss")
  func loss() throws {
    let graph = ConceptGraph(featureRows: Self.rows, width: Self.width, conceptCount: Self.concepts)
    let truth: [Float] = [1, 0, 1, 0, 0, 1, 0, 0, 0]
    // A training has no notes without words: the loss of the third is left out.
    let weights: [Float] = [1, 1, 0.5, 1, 0, 1, 1, 1, 1]
    var feeds = [
      "features": features(), "concepts": Tensor(truth, shape: [3, 3]), "weight": Tensor(weights, shape: [3, 3]),
    ]
    for name in feeds.keys {
      let whole = feeds[name]!
      feeds[name] =
        name == "features"
        ? Tensor(Array(whole.elements(as: Int64.self)[..<40]), shape: [2, 5, 4])
        : Tensor(Array(whole.elements(as: Float.self)[..<6]), shape: [2, 3])
    }
    let loss = try Session(graph.training(parameters())).run(feeds)["loss"]!.doubles()[0]
    var expected = 0.0
    for (row, note) in notes.prefix(2).enumerated() {
      for (concept, z) in self.expected(note).enumerated() {
        let probability = 1 / (1 + exp(-z))
        expected -=
          Double(weights[row * 3 + concept]) * log(truth[row * 3 + concept] == 1 ? probability : 1 - probability) / 6
      }
    }
    #expect(abs(loss - expected) < 1e-6)
  }
}
