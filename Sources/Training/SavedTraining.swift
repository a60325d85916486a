// A training's state as a file, to go on from after an interruption.

import Checkpoints
import Foundation
import Tensors

/// The state of a training between two epochs, with what it was a training of.
///
/// The file is a `.pth` of plain values and tensors: `torch.load(path, weights_only=True)` shows what is in it.
public struct SavedTraining: Sendable {
  /// Everything that the outcome depends on, by name: settings, the data's checksum. A training goes on from a state only
  /// where all of it is the same.
  public var identity: [String: String]
  public var state: TrainingState
  /// What the training itself wants to remember, as text.
  public var notes: String
  /// Seconds of work so far, over all sessions.
  public var seconds: Double
  /// Whether the model of this training was written and verified.
  public var isFinished: Bool

  public init(
    identity: [String: String], state: TrainingState, notes: String = "", seconds: Double = 0, isFinished: Bool = false
  ) {
    self.identity = identity
    self.state = state
    self.notes = notes
    self.seconds = seconds
    self.isFinished = isFinished
  }

  private static let format = "rankerkit training state 1"

  /// Writes the file, whole or not at all.
  /// - Throws: `CheckpointError`.
  public func write(to path: String) throws {
    let history = String(decoding: try Self.encoder.encode(state.history), as: UTF8.self)
    let checkpoint: CheckpointValue = [
      "format": .string(Self.format),
      "identity": .dictionary(
        CheckpointDictionary(identity.sorted { $0.key < $1.key }.map { (.string($0.key), .string($0.value)) })),
      "step": .int(state.trainer.step),
      "parameters": Self.encoded(state.trainer.parameters),
      "moments": Self.encoded(state.trainer.moments),
      "history": .string(history),
      "best_epoch": .int(state.bestEpoch),
      "best_parameters": Self.encoded(state.bestParameters),
      "notes": .string(notes),
      "seconds": .float(seconds),
      "finished": .bool(isFinished),
    ]
    try checkpoint.writePyTorch(to: path)
  }

  /// Reads a file that `write(to:)` wrote.
  /// - Throws: `CheckpointError` where it cannot be read; `TrainingError.stateDoesNotFit` where it is something else.
  public init(contentsOf path: String) throws {
    let checkpoint = try CheckpointValue(contentsOf: path)
    func required<Value>(_ name: String, _ value: Value?) throws -> Value {
      guard let value else {
        throw TrainingError.stateDoesNotFit("\(path) has no '\(name)' as this version of the toolkit writes it")
      }
      return value
    }
    func tensors(_ name: String) throws -> [String: Tensor] {
      var tensors: [String: Tensor] = [:]
      for (key, value) in try required(name, checkpoint[name]?.dictionary) {
        guard case .string(let key) = key, case .tensor(let tensor) = value else {
          throw TrainingError.stateDoesNotFit("\(path): '\(name)' holds something else than tensors")
        }
        tensors[key] = tensor
      }
      return tensors
    }
    guard checkpoint["format"]?.string == Self.format else {
      throw TrainingError.stateDoesNotFit("\(path) is no training state that this version of the toolkit wrote")
    }
    identity = [:]
    for (key, value) in try required("identity", checkpoint["identity"]?.dictionary) {
      if case .string(let key) = key, case .string(let value) = value { identity[key] = value }
    }
    let history = try required("history", checkpoint["history"]?.string)
    guard let records = try? JSONDecoder().decode([EpochRecord].self, from: Data(history.utf8)) else {
      throw TrainingError.stateDoesNotFit("\(path): 'history' is not what this version of the toolkit writes")
    }
    let bestEpoch = try required("best_epoch", checkpoint["best_epoch"]?.int)
    guard (0...records.count).contains(bestEpoch) else {
      throw TrainingError.stateDoesNotFit("\(path): the best epoch is \(bestEpoch) of \(records.count)")
    }
    state = TrainingState(
      trainer: Trainer.State(
        step: try required("step", checkpoint["step"]?.int), parameters: try tensors("parameters"),
        moments: try tensors("moments")),
      history: records, bestEpoch: bestEpoch, bestParameters: try tensors("best_parameters"))
    notes = try required("notes", checkpoint["notes"]?.string)
    seconds = try required("seconds", checkpoint["seconds"]?.float)
    isFinished = try required("finished", checkpoint["finished"]?.bool)
  }

  /// The state that a training of `identity` goes on from.
  /// - Throws: `TrainingError.cannotResume` where there is none, or one of another training: what differs is named;
  ///   `CheckpointError` and `TrainingError.stateDoesNotFit` where the file is damaged.
  public init(resumingAt path: String, identity: [String: String]) throws {
    guard FileManager.default.fileExists(atPath: path) else {
      throw TrainingError.cannotResume(
        path: path, problem: "there is no saved state; start the training without --resume")
    }
    let saved = try SavedTraining(contentsOf: path)
    let differences = saved.differences(from: identity)
    guard differences.isEmpty else {
      throw TrainingError.cannotResume(
        path: path,
        problem: "it is of another training: \(differences.joined(separator: "; ")). "
          + "Give the same settings and data, or start anew without --resume")
    }
    self = saved
  }

  /// What a new training says before it replaces an unfinished one; nil where there is none.
  /// - Parameter directory: where the model goes, for the message.
  public static func replacementWarning(at path: String, directory: String) -> String? {
    guard FileManager.default.fileExists(atPath: path), let left = try? SavedTraining(contentsOf: path),
      !left.isFinished
    else { return nil }
    return "an unfinished training (\(left.state.history.count) epochs) in \(directory) is replaced by this one"
  }

  /// What the training itself remembered, as `note(_:)` wrote it.
  /// - Throws: `TrainingError.cannotResume` where the notes are damaged.
  public func note<Note: Decodable>(_ type: Note.Type, path: String) throws -> Note {
    guard let note = try? JSONDecoder().decode(type, from: Data(notes.utf8)) else {
      throw TrainingError.cannotResume(path: path, problem: "its notes are damaged; start anew without --resume")
    }
    return note
  }

  /// A value as the text of `notes`; equal values give equal texts.
  public static func notes(_ note: some Encodable) throws -> String {
    String(decoding: try encoder.encode(note), as: UTF8.self)
  }

  /// Says what differs between the training that left this state and one of `identity`; empty where nothing does.
  public func differences(from identity: [String: String]) -> [String] {
    Set(self.identity.keys).union(identity.keys).sorted().compactMap { name in
      let (then, now) = (self.identity[name], identity[name])
      return then == now ? nil : "\(name) was \(then ?? "not set") and is now \(now ?? "not set")"
    }
  }

  private static var encoder: JSONEncoder {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys]
    return encoder
  }

  private static func encoded(_ tensors: [String: Tensor]) -> CheckpointValue {
    .stateDictionary(StateDictionary(tensors.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }))
  }
}

/// Writes the state of a running training, often enough to lose little and seldom enough to cost little.
public final class TrainingStateKeeper {
  public let path: String
  private let interval: Duration
  private let clock = ContinuousClock()
  private var lastWrite: ContinuousClock.Instant
  private var pending: SavedTraining?

  /// - Parameter interval: the least time between two writes; a write with its sync to the disk takes some 20 ms.
  public init(path: String, interval: Duration = .seconds(1)) {
    self.path = path
    self.interval = interval
    lastWrite = clock.now
  }

  /// Takes a state, and writes it if the last write is long enough ago.
  public func keep(_ saved: SavedTraining) throws {
    pending = saved
    if clock.now - lastWrite >= interval { try flush() }
  }

  /// Writes the last state that was taken, unless it was written already.
  public func flush() throws {
    guard let saved = pending else { return }
    try saved.write(to: path)
    pending = nil
    lastWrite = clock.now
  }
}
