// Work beside work: hashing while reading, drawing while training.

import Foundation
import Synchronization

/// A piece of work on a thread of its own.
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

  /// Waits for the work.
  func value() throws -> Value {
    done.wait()
    done.signal()
    return try result.withLock { $0! }.get()
  }
}
