// Epochs: the best one is kept, patience ends them, a saved state goes on to the same bits, trouble is named.

import Foundation
import GraphEngine
import ONNX
import Tensors
import Testing
import Training

/// Sixteen samples, fitted by `w · x = 1` under dropout, so that the order and the random numbers show.
private struct Fit {
  let values = (0..<16).map { Float($0) / 16 + 0.2 }

  func trainer(threads: Int = 1) throws -> Trainer {
    let builder = GraphBuilder(name: "fit", opset: 17)
    let x = builder.input("x", .float, ["batch", 4])
    let w = builder.parameter("w", Tensor([0.1, -0.2, 0.3, 0.4] as [Float], shape: [1, 4]))
    let scores = builder.node("Gemm", [x.dropout(0.3), w], [Attribute("transB", .int(1))])
    let error = 1 - scores
    builder.output((error * error).mean(), "loss", .float, [])
    return try Trainer(
      builder.model(), loss: "loss", parameters: ["w"], options: Trainer.Options(seed: 9, threads: threads))
  }

  var samples: TrainingLoop.Samples {
    TrainingLoop.Samples(
      count: values.count, order: { epoch in (0..<16).map { ($0 * 5 + epoch) % 16 } },
      specs: { ["x": TensorSpec(.float, [$0.count, 4])] },
      fill: { plan, batch in
        plan.withUnsafeMutableInput("x", as: Float.self) { input in
          for (row, sample) in batch.enumerated() {
            for column in 0..<4 { input[row * 4 + column] = values[sample] * Float(column + 1) }
          }
        }
      })
  }
}

@Suite("A training loop")
struct TrainingLoopTests {
  private let fit = Fit()
  private let loop = TrainingLoop(epochs: 6, batchSize: 5, learningRate: 0.05)

  @Test("a training that goes on from a saved state ends in the bits of one that never stopped", arguments: 1...5)
  func resume(epoch: Int) throws {
    var states: [TrainingState] = []
    let whole = try loop.run(
      try fit.trainer(), over: fit.samples, evaluate: { _ in EpochEvaluation(metrics: [:]) },
      save: { states.append($0) })
    let path = FileManager.default.temporaryDirectory.appendingPathComponent("state-\(UUID()).pth").path
    defer { try? FileManager.default.removeItem(atPath: path) }
    try SavedTraining(identity: ["seed": "9"], state: states[epoch - 1]).write(to: path)
    let saved = try SavedTraining(contentsOf: path)
    let resumed = try loop.run(
      try fit.trainer(), over: fit.samples, from: saved.state, evaluate: { _ in EpochEvaluation(metrics: [:]) })
    #expect(resumed.trainer.parameters == whole.trainer.parameters)
    #expect(resumed.trainer.moments == whole.trainer.moments)
    #expect(resumed.history == whole.history)
    #expect(resumed.trainer.step == 24)
  }

  @Test("the best epoch's parameters are kept, and patience counts from it")
  func bestEpoch() throws {
    let accuracies = [0.5, 0.8, 0.7, 0.8, 0.6, 0.9]
    var loop = loop
    loop.monitor = (metric: "accuracy", largerIsBetter: true)
    loop.patience = 3
    var seen: [[String: Tensor]] = []
    let state = try loop.run(try fit.trainer(), over: fit.samples) { parameters in
      seen.append(parameters)
      return EpochEvaluation(metrics: ["accuracy": accuracies[seen.count - 1]])
    }
    #expect(state.history.count == 5)
    #expect(state.bestEpoch == 2)
    #expect(state.bestParameters == seen[1])
  }

  @Test("the loss falls")
  func learns() throws {
    var loop = loop
    loop.epochs = 60
    let state = try loop.run(
      try fit.trainer(), over: fit.samples, evaluate: { _ in EpochEvaluation(metrics: [:]) })
    #expect(state.history[59].trainLoss < 0.8 * state.history[0].trainLoss)
  }

  @Test("a loss that is no number ends the training and names the batch")
  func notFinite() throws {
    var samples = fit.samples
    let fill = samples.fill
    samples.fill = { plan, batch in
      try fill(plan, batch)
      guard batch.contains(3) else { return }
      plan.withUnsafeMutableInput("x", as: Float.self) { for index in $0.indices { $0[index] = .infinity } }
    }
    let error = #expect(throws: TrainingError.self) {
      try loop.run(try fit.trainer(), over: samples, evaluate: { _ in EpochEvaluation(metrics: [:]) })
    }
    guard case .lossNotFinite(let epoch, _, _, let batch)? = error else {
      Issue.record("another error: \(String(describing: error))")
      return
    }
    #expect(epoch == 1 && batch.contains(3))
  }

  @Test("no sample is an error")
  func noSamples() throws {
    var samples = fit.samples
    samples.count = 0
    #expect(throws: TrainingError.self) {
      try loop.run(try fit.trainer(), over: samples, evaluate: { _ in EpochEvaluation(metrics: [:]) })
    }
  }

  @Test("progress counts every batch, and the last report of an epoch has its record")
  func progress() throws {
    var records: [EpochRecord] = []
    _ = try loop.run(
      try fit.trainer(), over: fit.samples, evaluate: { _ in EpochEvaluation(metrics: ["m": 1]) },
      report: { progress in
        #expect(progress.batches == 4 && progress.epochs == 6)
        if let record = progress.record { records.append(record) }
      })
    #expect(records.map(\.epoch) == Array(1...6))
  }
}
