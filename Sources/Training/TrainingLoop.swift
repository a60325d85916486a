// Epochs over a data set: shuffled batches, validation, the best epoch kept, early stopping, a state to resume from.

import GraphEngine
import Tensors

/// One epoch of a training as it is kept in the history.
public struct EpochRecord: Sendable, Codable, Equatable {
  /// Counted from 1.
  public var epoch: Int
  /// The mean of the batches' losses, weighted by their samples, while the parameters changed.
  public var trainLoss: Double
  /// What the training's own evaluation gave: `validation_loss`, `validation_accuracy`, ….
  public var metrics: [String: Double]
  /// Counts of (true class, predicted class), where the training tells classes apart.
  public var confusion: [[Int]]?

  public init(epoch: Int, trainLoss: Double, metrics: [String: Double], confusion: [[Int]]? = nil) {
    self.epoch = epoch
    self.trainLoss = trainLoss
    self.metrics = metrics
    self.confusion = confusion
  }

  enum CodingKeys: String, CodingKey {
    case epoch
    case trainLoss = "train_loss"
    case metrics, confusion
  }
}

/// What a training measured of its parameters after an epoch.
public struct EpochEvaluation: Sendable {
  public var metrics: [String: Double]
  public var confusion: [[Int]]?

  public init(metrics: [String: Double], confusion: [[Int]]? = nil) {
    self.metrics = metrics
    self.confusion = confusion
  }
}

/// What a training reports while it runs.
public struct TrainingProgress: Sendable {
  public var epoch: Int
  public var epochs: Int
  /// Batches done in this epoch, and their number.
  public var batch: Int
  public var batches: Int
  /// The mean loss of this epoch so far.
  public var loss: Double
  public var samplesPerSecond: Double
  /// Seconds left at the present pace.
  public var secondsLeft: Double
  /// The finished epoch's record, in the last report of an epoch.
  public var record: EpochRecord?

  /// For trainings whose epochs are not made of batches of samples.
  public init(
    epoch: Int, epochs: Int, batch: Int, batches: Int, loss: Double, samplesPerSecond: Double, secondsLeft: Double,
    record: EpochRecord? = nil
  ) {
    self.epoch = epoch
    self.epochs = epochs
    self.batch = batch
    self.batches = batches
    self.loss = loss
    self.samplesPerSecond = samplesPerSecond
    self.secondsLeft = secondsLeft
    self.record = record
  }
}

/// Why a training stopped without a model.
public enum TrainingError: Error, Sendable, CustomStringConvertible {
  /// The loss of a step is NaN or infinite.
  case lossNotFinite(epoch: Int, batch: Int, value: Float, samples: [Int])
  /// There is nothing to train on.
  case noSamples
  /// The state was left by a training of other settings or data.
  case stateDoesNotFit(String)
  /// There is nothing to go on from, or it is of another training.
  case cannotResume(path: String, problem: String)

  public var description: String {
    switch self {
    case .lossNotFinite(let epoch, let batch, let value, _):
      "the loss became \(value) at epoch \(epoch), batch \(batch): lower the learning rate, or look for extreme values "
        + "in that batch's samples"
    case .noSamples: "there is no sample to train on"
    case .stateDoesNotFit(let problem): "the saved state does not fit this training: \(problem)"
    case .cannotResume(let path, let problem): "cannot resume from \(path): \(problem)"
    }
  }
}

/// Where a training stands between two epochs: all that the rest of it depends on.
public struct TrainingState: Sendable {
  public var trainer: Trainer.State
  public var history: [EpochRecord]
  /// The epoch whose parameters are the best so far, counted from 1; 0 before the first.
  public var bestEpoch: Int
  public var bestParameters: [String: Tensor]

  public init(trainer: Trainer.State, history: [EpochRecord], bestEpoch: Int, bestParameters: [String: Tensor]) {
    self.trainer = trainer
    self.history = history
    self.bestEpoch = bestEpoch
    self.bestParameters = bestParameters
  }
}

/// Runs a trainer over the epochs of a data set.
///
/// Every epoch's order is drawn from the seed and the epoch's number alone, so a training that goes on from the state
/// between two epochs ends in the same bits as one that never stopped.
public struct TrainingLoop: Sendable {
  public var epochs: Int
  public var batchSize: Int
  public var learningRate: Float
  public var schedule: Schedule
  /// Epochs without a better value of the monitored metric before the training stops; nil never stops early.
  public var patience: Int?
  /// The metric that marks the best epoch (`nil`: the train loss), and whether larger is better. The earliest epoch
  /// wins among equals.
  public var monitor: (metric: String, largerIsBetter: Bool)?
  public var seed: UInt64

  public init(
    epochs: Int, batchSize: Int, learningRate: Float, schedule: Schedule = .constant, patience: Int? = nil,
    monitor: (metric: String, largerIsBetter: Bool)? = nil, seed: UInt64 = 0
  ) {
    self.epochs = epochs
    self.batchSize = batchSize
    self.learningRate = learningRate
    self.schedule = schedule
    self.patience = patience
    self.monitor = monitor
    self.seed = seed
  }

  /// What the data set does for the loop.
  public struct Samples {
    /// How many there are.
    public var count: Int
    /// The order of an epoch: a permutation of `0..<count` drawn from the seed.
    public var order: (_ epoch: Int) -> [Int]
    /// The types of the graph's inputs for a batch of samples.
    public var specs: (_ batch: ArraySlice<Int>) -> [String: TensorSpec]
    /// Writes a batch into a plan's inputs.
    public var fill: (_ plan: Plan, _ batch: ArraySlice<Int>) throws -> Void

    public init(
      count: Int, order: @escaping (_ epoch: Int) -> [Int],
      specs: @escaping (_ batch: ArraySlice<Int>) -> [String: TensorSpec],
      fill: @escaping (_ plan: Plan, _ batch: ArraySlice<Int>) throws -> Void
    ) {
      self.count = count
      self.order = order
      self.specs = specs
      self.fill = fill
    }
  }

  /// Trains until the last epoch, or until patience runs out.
  /// - Parameters:
  ///   - state: where an earlier run stopped; nil starts anew.
  ///   - evaluate: the metrics of the parameters after an epoch.
  ///   - save: keeps the state after each epoch; a training that is killed goes on from the last kept.
  ///   - report: is told of the progress, at most every `reportInterval`, and at the end of each epoch.
  /// - Returns: the last state, with the best epoch's parameters.
  /// - Throws: `TrainingError`, and what the closures throw; `CancellationError` when the task was cancelled.
  public func run(
    _ trainer: Trainer, over samples: Samples, from state: TrainingState? = nil,
    evaluate: (_ parameters: [String: Tensor]) throws -> EpochEvaluation,
    save: (TrainingState) throws -> Void = { _ in }, report: (TrainingProgress) -> Void = { _ in }
  ) throws -> TrainingState {
    guard samples.count > 0 else { throw TrainingError.noSamples }
    var state =
      try state.map { state in
        try trainer.restore(state.trainer)
        return state
      } ?? Self.beginning(trainer)
    let batches = (samples.count + batchSize - 1) / batchSize
    let clock = ContinuousClock()
    let start = clock.now
    let firstEpoch = state.history.count
    var lastReport = start
    while state.history.count < epochs, !isExhausted(state) {
      // The trainer has it all, and what was kept is on the disk: a copy would be idle for an epoch.
      state.trainer = Trainer.State(step: trainer.stepCount, parameters: [:], moments: [:])
      let epoch = state.history.count + 1
      let order = samples.order(epoch)
      var sum = 0.0
      var done = 0
      func progress(_ batch: Int, record: EpochRecord?) -> TrainingProgress {
        let seconds = (clock.now - start).seconds
        let seen = Double((epoch - 1 - firstEpoch) * samples.count + done)
        let left = Double((epochs - epoch + 1) * samples.count - done)
        let pace = seconds > 0 ? seen / seconds : 0
        return TrainingProgress(
          epoch: epoch, epochs: epochs, batch: batch, batches: batches, loss: sum / Double(max(done, 1)),
          samplesPerSecond: pace, secondsLeft: pace > 0 ? left / pace : 0, record: record)
      }
      for batch in 0..<batches {
        try Task.checkCancellation()
        let part = order[batch * batchSize..<min((batch + 1) * batchSize, samples.count)]
        let rate = learningRate * schedule.factor(at: trainer.stepCount)
        let loss = try trainer.step(samples.specs(part), learningRate: rate) { try samples.fill($0, part) }
        guard loss.isFinite else {
          throw TrainingError.lossNotFinite(epoch: epoch, batch: batch + 1, value: loss, samples: Array(part))
        }
        sum += Double(loss) * Double(part.count)
        done += part.count
        if clock.now - lastReport > Self.reportInterval, batch + 1 < batches {
          lastReport = clock.now
          report(progress(batch + 1, record: nil))
        }
      }
      // One copy of everything, which the best epoch shares.
      state.trainer = trainer.state
      let parameters = state.trainer.parameters
      let evaluation = try evaluate(parameters)
      let record = EpochRecord(
        epoch: epoch, trainLoss: sum / Double(samples.count), metrics: evaluation.metrics,
        confusion: evaluation.confusion)
      state.history.append(record)
      if isBetter(record, than: state) {
        state.bestEpoch = epoch
        state.bestParameters = parameters
      }
      try save(state)
      report(progress(batches, record: record))
    }
    if state.history.isEmpty {
      state.trainer = trainer.state
      state.bestParameters = state.trainer.parameters
    }
    return state
  }

  private static func beginning(_ trainer: Trainer) -> TrainingState {
    let nothing = Trainer.State(step: trainer.stepCount, parameters: [:], moments: [:])
    return TrainingState(trainer: nothing, history: [], bestEpoch: 0, bestParameters: [:])
  }

  /// Often enough for the eye, too seldom to cost anything.
  private static let reportInterval = Duration.milliseconds(100)

  private func score(_ record: EpochRecord) -> Double {
    guard let monitor, let value = record.metrics[monitor.metric] else { return -record.trainLoss }
    return monitor.largerIsBetter ? value : -value
  }

  private func isBetter(_ record: EpochRecord, than state: TrainingState) -> Bool {
    guard state.bestEpoch > 0 else { return true }
    return score(record) > score(state.history[state.bestEpoch - 1])
  }

  private func isExhausted(_ state: TrainingState) -> Bool {
    guard let patience, state.bestEpoch > 0 else { return false }
    return state.history.count - state.bestEpoch >= patience
  }
}

extension Duration {
  /// As a number, for rates and reports.
  package var seconds: Double { Double(components.seconds) + Double(components.attoseconds) * 1e-18 }
}
