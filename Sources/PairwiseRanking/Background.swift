// Work beside work: hashing while reading, drawing while training.

import Foundation
import Synchronization

/// A piece of work on a thread of its own. Whoever starts it waits for it, also where something else failed meanwhile: a
/// process that exits while a thread is inside a C library may crash in that library's clean-up.
final class Background<Value: Sendable>: Sendable {
  private let done = DispatchSemaphore(value: 0)
  private let result = Mutex<Result<Value, any Error>?>(nil)

  init(_ work: @escaping @Sendable () throws -> Value) {
    Thread.detachNewThread {
      let outcome = Result { try work() }
      self.result.withLock { $0 = outcome }
      self.done.signal()
    }
  }

  /// Waits for the end of the work, whatever came of it.
  func wait() {
    done.wait()
    done.signal()
  }

  /// Waits for the work and gives what came of it.
  func value() throws -> Value {
    wait()
    return try result.withLock { $0! }.get()
  }
}
