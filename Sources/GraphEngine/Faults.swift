// What kernels find wrong with the values they meet in a run: they cannot throw, so they note it here and go on safely.

import Synchronization

/// The first fault of a run. A kernel that meets an index outside its range takes a place inside instead,
/// so that no memory but its own is touched, and records the fault; the run then ends in that error.
final class Faults: Sendable {
  private let first = Mutex<EngineError?>(nil)

  /// Keeps the fault if it is the run's first.
  func record(_ fault: @autoclosure () -> EngineError) {
    first.withLock { if $0 == nil { $0 = fault() } }
  }

  /// - Throws: the first fault since the last check, once.
  func check() throws {
    if let fault = first.withLock({ $0.take() }) { throw fault }
  }
}
