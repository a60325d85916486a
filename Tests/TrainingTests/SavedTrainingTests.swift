// A training's state on the disk.

import Foundation
import Tensors
import Testing
import Training

@Suite("A saved training")
struct SavedTrainingTests {
  private let path = NSTemporaryDirectory() + "saved-training-\(UInt64.random(in: 0 ... .max)).pth"

  private var saved: SavedTraining {
    SavedTraining(
      identity: ["--seed": "42", "--margin": "1.0"],
      state: TrainingState(
        trainer: Trainer.State(
          step: 17, parameters: ["w": Tensor([0.1, -2] as [Float])], moments: ["w/moment1": Tensor([3, 4] as [Float])]),
        history: [
          EpochRecord(epoch: 1, trainLoss: 1 / 3, metrics: ["validation_loss": 0.1]),
          EpochRecord(epoch: 2, trainLoss: 0.2, metrics: [:], confusion: [[1, 2], [3, 4]]),
        ], bestEpoch: 1, bestParameters: ["w": Tensor([5, 6] as [Float])]),
      notes: "notes", seconds: 2.5, isFinished: true)
  }

  @Test("comes back from its file to the bit")
  func roundTrip() throws {
    defer { try? FileManager.default.removeItem(atPath: path) }
    try saved.write(to: path)
    let read = try SavedTraining(contentsOf: path)
    #expect(read.identity == saved.identity)
    #expect(read.state.trainer.step == 17)
    #expect(read.state.trainer.parameters == saved.state.trainer.parameters)
    #expect(read.state.trainer.moments == saved.state.trainer.moments)
    #expect(read.state.history == saved.state.history)
    #expect(read.state.bestEpoch == 1)
    #expect(read.state.bestParameters == saved.state.bestParameters)
    #expect(read.notes == "notes" && read.seconds == 2.5 && read.isFinished)
  }

  @Test("names every setting that differs, with both values")
  func differences() {
    #expect(saved.differences(from: saved.identity).isEmpty)
    #expect(
      saved.differences(from: ["--seed": "7", "--folds": "3"]) == [
        "--folds was not set and is now 3", "--margin was 1.0 and is now not set", "--seed was 42 and is now 7",
      ])
  }

  @Test("is gone on from only by the same training; what differs is named, and what to do")
  func resuming() throws {
    func problem(_ identity: [String: String]) throws -> String {
      try #require(throws: TrainingError.self) { try SavedTraining(resumingAt: path, identity: identity) }.description
    }
    defer { try? FileManager.default.removeItem(atPath: path) }
    #expect(try problem([:]).contains("there is no saved state; start the training without --resume"))
    var unfinished = saved
    unfinished.isFinished = false
    try unfinished.write(to: path)
    #expect(try SavedTraining(resumingAt: path, identity: saved.identity).state.history == saved.state.history)
    #expect(try problem(["--seed": "7", "--margin": "1.0"]).contains("--seed was 42 and is now 7. Give the same"))
    #expect(
      SavedTraining.replacementWarning(at: path, directory: "models")
        == "an unfinished training (2 epochs) in models is replaced by this one")
    try saved.write(to: path)
    #expect(SavedTraining.replacementWarning(at: path, directory: "models") == nil)
  }

  @Test("cut at any place it is an error, not a crash")
  func cut() throws {
    defer { try? FileManager.default.removeItem(atPath: path) }
    try saved.write(to: path)
    let whole = try Data(contentsOf: URL(fileURLWithPath: path))
    for length in stride(from: 0, to: whole.count, by: max(whole.count / 97, 1)) {
      try whole.prefix(length).write(to: URL(fileURLWithPath: path))
      #expect(throws: (any Error).self) { try SavedTraining(contentsOf: path) }
    }
  }

  @Test("is written at most once an interval, and at the end in any case")
  func keeper() throws {
    defer { try? FileManager.default.removeItem(atPath: path) }
    let keeper = TrainingStateKeeper(path: path, interval: .seconds(3600))
    try keeper.keep(saved)
    #expect(!FileManager.default.fileExists(atPath: path))
    try keeper.flush()
    #expect(try SavedTraining(contentsOf: path).seconds == 2.5)
  }
}
