// The stages of a training: the folds of a cross-validation, if any, then the model itself.

import Datasets
import Foundation
import GraphEngine
import ONNX
import Tensors
import Training

/// Runs the stages of one training, saving where each stands.
struct Stages {
  let training: RankerTraining
  let data: PairDataset
  let initial: [String: Tensor]?
  let identity: [String: String]
  let keeper: TrainingStateKeeper
  /// Seconds of work so far.
  let seconds: () -> Double
  let report: (RankerTraining.Event) -> Void

  private var settings: RankerSettings { training.settings }

  /// What came of the last stage.
  struct Trained {
    let graph: RankerGraph
    let state: TrainingState
    let training: PairMeasures
    let validation: PairMeasures?
    let crossValidation: CrossValidation?
    fileprivate let identity: [String: String]
    fileprivate let notes: String
    fileprivate let seconds: () -> Double

    func saved(isFinished: Bool) -> SavedTraining {
      SavedTraining(identity: identity, state: state, notes: notes, seconds: seconds(), isFinished: isFinished)
    }
  }

  /// What the state file remembers beside the present stage's state.
  private struct Notes: Codable {
    var folds: [CrossValidation.Fold] = []
    /// The stage that the state belongs to: a fold's number from 0, or nil for the final model.
    var fold: Int?
  }

  /// Trains the stages that are not done yet.
  func run(split: Split, from saved: SavedTraining?) throws -> Trained {
    var notes = Notes()
    var state = saved?.state
    if let saved {
      notes = try saved.note(Notes.self, path: keeper.path)
    }
    var crossValidation: CrossValidation?
    if let count = settings.folds {
      let splits = Split.folds(groups: data.groups, count: count, seed: settings.seed)!
      // A state of the final model means that all folds are done.
      for fold in notes.folds.count..<max(count, notes.folds.count) {
        report(.fold(fold + 1, of: count))
        let resumed = notes.fold == fold ? state : nil
        state = nil
        notes.fold = fold
        let trained = try train(splits[fold], epochs: settings.epochs, from: resumed, notes: notes)
        let record = CrossValidation.Fold(
          bestEpoch: trained.state.bestEpoch, epochs: trained.state.history.count, validation: trained.validation!)
        notes.folds.append(record)
        report(.foldEnded(fold + 1, of: count, record))
      }
      let summary = CrossValidation(folds: notes.folds)
      crossValidation = summary
      if notes.fold != nil { state = nil }
      notes.fold = nil
      report(.finalModel(epochs: summary.finalEpochs, summary))
    }
    let trained = try train(
      split, epochs: crossValidation?.finalEpochs ?? settings.epochs, from: state, notes: notes)
    return Trained(
      graph: trained.graph, state: trained.state, training: trained.training, validation: trained.validation,
      crossValidation: crossValidation, identity: identity, notes: try SavedTraining.notes(notes), seconds: seconds)
  }

  /// Trains one network on one split.
  private func train(
    _ split: Split, epochs: Int, from state: TrainingState?, notes: Notes
  ) throws -> (graph: RankerGraph, state: TrainingState, training: PairMeasures, validation: PairMeasures?) {
    let graph = training.graph(data, split.training)
    var model = graph.training(seed: settings.seed)
    if let initial { model = model.replacing(initial) }
    let trainer = try Trainer(
      model, loss: RankerGraph.loss, parameters: RankerGraph.parameterNames,
      options: Trainer.Options(
        optimizer: settings.rule, undecayed: Set(RankerGraph.parameterNames.filter { $0.hasSuffix(".bias") }),
        seed: settings.seed, threads: settings.threads))
    let evaluator = try PairEvaluator(graph: graph, data: data, threads: settings.threads)
    let loop = TrainingLoop(
      epochs: epochs, batchSize: settings.batchSize, learningRate: settings.learningRate,
      patience: split.validation.isEmpty ? nil : settings.patience,
      monitor: split.validation.isEmpty ? nil : (metric: Self.monitored, largerIsBetter: false), seed: settings.seed)
    let fold = notes.fold.map { $0 + 1 }
    if let state { report(.resumed(epochs: state.history.count, fold: fold)) }
    let text = try SavedTraining.notes(notes)
    let final: TrainingState
    do {
      final = try loop.run(
        trainer, over: samples(of: split.training), from: state,
        evaluate: { parameters in
          try evaluator.set(parameters)
          return try self.evaluation(evaluator, split)
        },
        save: { state in
          try keeper.keep(SavedTraining(identity: identity, state: state, notes: text, seconds: seconds()))
        },
        report: { report(.progress($0, fold: fold)) })
    } catch TrainingError.lossNotFinite(let epoch, let batch, let value, let samples) {
      throw RankingError.lossNotFinite(
        path: data.path, epoch: epoch, batch: batch, value: value,
        lines: samples.map { Int(data.pairs[split.training[$0]].line) })
    }
    try evaluator.set(final.bestParameters)
    let scores = try evaluator.scores()
    return (
      graph, final, try evaluator.measures(of: split.training, scores: scores),
      split.validation.isEmpty ? nil : try evaluator.measures(of: split.validation, scores: scores)
    )
  }

  /// The loss of the pairs held out marks the best epoch: it moves with every pair's margin, while the accuracy of a
  /// hundred pairs moves in steps of a percent and ties between epochs.
  private static let monitored = "validation_loss"

  private func evaluation(_ evaluator: PairEvaluator, _ split: Split) throws -> EpochEvaluation {
    let scores = try evaluator.scores()
    let training = try evaluator.measures(of: split.training, scores: scores)
    var metrics: [String: Double] = [:]
    metrics["train_accuracy"] = training.accuracy
    metrics["train_kendall_tau"] = training.kendallTau
    guard !split.validation.isEmpty else { return EpochEvaluation(metrics: metrics, confusion: training.confusion) }
    let validation = try evaluator.measures(of: split.validation, scores: scores)
    metrics[Self.monitored] = validation.loss
    metrics["validation_accuracy"] = validation.accuracy
    metrics["validation_kendall_tau"] = validation.kendallTau
    metrics["validation_label_accuracy"] = validation.labelAccuracy
    return EpochEvaluation(metrics: metrics, confusion: validation.confusion)
  }

  private func samples(of pairs: [Int]) -> TrainingLoop.Samples {
    let width = data.layout.count
    let seed = settings.seed
    return TrainingLoop.Samples(
      count: pairs.count,
      order: { epoch in
        // Each epoch's order hangs on its number alone, so that a resumed training draws the same.
        var generator = SeededGenerator(seed: seed &+ UInt64(epoch) &* 0x9E37_79B9_7F4A_7C15)
        return generator.permutation(pairs.count)
      },
      specs: { batch in
        [
          "input_a": TensorSpec(.float, [batch.count, width]), "input_b": TensorSpec(.float, [batch.count, width]),
          "label": TensorSpec(.float, [batch.count]),
        ]
      },
      fill: { plan, batch in
        for (input, item) in [("input_a", \PairDataset.Pair.itemA), ("input_b", \PairDataset.Pair.itemB)] {
          plan.write(batch.map { Int(data.pairs[pairs[$0]][keyPath: item]) }, of: data.features, to: input)
        }
        plan.withUnsafeMutableInput("label", as: Float.self) { values in
          for (row, position) in batch.enumerated() { values[row] = Float(data.pairs[pairs[position]].label) }
        }
      })
  }
}
