// What a training from files to a model tells while it runs, and what comes of it.

/// What a training reports while it runs.
public enum TrainingEvent<Beginning: Sendable>: Sendable {
  /// What is being done before the first step.
  case preparing(String)
  /// The data is read and ready.
  case began(Beginning)
  /// The training goes on after this many epochs.
  case resumed(epochs: Int)
  case progress(TrainingProgress)
  /// What is being done after the last epoch.
  case finishing(String)
}

/// What came of a training.
public struct TrainingOutcome<Metadata: Sendable>: Sendable {
  public var directory: String
  public var metadata: Metadata
  /// The training had ended before, and nothing was done.
  public var wasFinished: Bool
  /// Files that were written, relative to the directory.
  public var files: [String]

  public init(directory: String, metadata: Metadata, wasFinished: Bool, files: [String]) {
    self.directory = directory
    self.metadata = metadata
    self.wasFinished = wasFinished
    self.files = files
  }
}
