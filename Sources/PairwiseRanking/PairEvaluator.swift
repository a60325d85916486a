// Measures a ranker on pairs: every item is scored once, then the pairs are differences.

import GraphEngine
import Measures
import ONNX
import Tensors

/// How well a ranker does on some pairs.
public struct PairMeasures: Sendable, Hashable, Codable {
  public var pairs: Int
  /// The margin ranking loss, ties included.
  public var loss: Double
  /// Of the pairs with a winner, the share ordered rightly (`PairwiseAgreement.accuracy`); nil without such pairs.
  public var accuracy: Double?
  /// Kendall's τ-b between labels and score differences (`preferenceTau`); nil where it is not defined.
  public var kendallTau: Double?
  /// Of all pairs, the share whose label is the predicted one, differences within half the margin being ties.
  public var labelAccuracy: Double?
  /// True labels (rows) against predicted ones (columns), in the order B preferred, equal, A preferred.
  public var confusion: [[Int]]

  enum CodingKeys: String, CodingKey {
    case pairs, loss, accuracy
    case kendallTau = "kendall_tau"
    case labelAccuracy = "label_accuracy"
    case confusion
  }
}

/// Measures score differences against labels.
struct PairMeter {
  private let margin: Float
  private let loss: Session

  init(graph: RankerGraph) throws {
    margin = graph.margin
    loss = try Session(graph.lossOfDifferences(), options: Session.Options(threads: 1))
  }

  /// - Precondition: as many labels as differences, and at least one.
  func measures(differences: [Float], labels: [Int]) throws -> PairMeasures {
    var agreement = PairwiseAgreement(tieBand: Double(margin) / 2)
    agreement.add(differences: differences, labels: labels)
    let value = try loss.run(["score_diff": Tensor(differences), "label": Tensor(labels.map { Float($0) })])
    return PairMeasures(
      pairs: labels.count, loss: Double(value[RankerGraph.loss]!.elements(as: Float.self)[0]),
      accuracy: agreement.accuracy, kendallTau: preferenceTau(differences: differences, labels: labels),
      labelAccuracy: agreement.labelAccuracy, confusion: agreement.confusion.counts)
  }
}

/// Scores a training's items with the graph that is exported, as its parameters stand.
final class PairEvaluator {
  private let data: PairDataset
  private let scorer: Session
  private let meter: PairMeter

  /// Items that are scored in one run: enough to fill the matrix product, little enough to stay in the cache.
  private static let rowsPerRun = 512

  init(graph: RankerGraph, data: PairDataset, threads: Int?) throws {
    self.data = data
    scorer = try Session(
      graph.scorer(), options: Session.Options(threads: threads, variables: Set(RankerGraph.parameterNames)))
    meter = try PairMeter(graph: graph)
  }

  /// Takes other parameters.
  func set(_ parameters: [String: Tensor]) throws {
    for (name, tensor) in parameters { try scorer.setVariable(name, to: tensor) }
  }

  /// The score of every item of the data, in its order.
  func scores() throws -> [Float] {
    let width = data.layout.count
    var scores: [Float] = []
    scores.reserveCapacity(data.itemCount)
    for start in stride(from: 0, to: data.itemCount, by: Self.rowsPerRun) {
      let rows = min(Self.rowsPerRun, data.itemCount - start)
      let plan = try scorer.plan(for: ["input": TensorSpec(.float, [rows, width])])!
      data.features.withUnsafeElements(as: Float.self) { features in
        plan.withUnsafeMutableInput("input") { input in
          input.baseAddress!.update(from: features.baseAddress! + start * width, count: rows * width)
        }
      }
      try scorer.execute(plan)
      plan.withUnsafeOutput("score", as: Float.self) { scores.append(contentsOf: $0) }
    }
    return scores
  }

  /// Measures some of the pairs, given all items' scores.
  func measures(of pairs: [Int], scores: [Float]) throws -> PairMeasures {
    var differences: [Float] = []
    var labels: [Int] = []
    differences.reserveCapacity(pairs.count)
    labels.reserveCapacity(pairs.count)
    for index in pairs {
      let pair = data.pairs[index]
      differences.append(scores[Int(pair.itemA)] - scores[Int(pair.itemB)])
      labels.append(Int(pair.label))
    }
    return try meter.measures(differences: differences, labels: labels)
  }
}
