// Work beside work: hashing while reading, drawing while training.

import Dispatch
import Glibc
import Synchronization

/// A piece of work on a thread of its own. Whoever starts it waits for it, also where something else failed meanwhile: a
/// process that exits while a thread is inside a C library may crash in that library's clean-up.
///
/// ```swift
/// let hash = Background { try SHA256.hexadecimal(ofFile: path) }
/// defer { hash.wait() }
/// let data = try read(path)
/// print(try hash.value())
/// ```
public final class Background<Value: Sendable>: Sendable {
  private let done = DispatchSemaphore(value: 0)
  private let result = Mutex<Result<Value, any Error>?>(nil)

  /// Starts the work; where no thread can be had, it is done before this returns.
  public init(_ work: @escaping @Sendable () throws -> Value) {
    let body: @Sendable () -> Void = {
      let outcome = Result { try work() }
      self.result.withLock { $0 = outcome }
      self.done.signal()
    }
    if let thread = startThread(body) { pthread_detach(thread) } else { body() }
  }

  /// Waits for the end of the work, whatever came of it.
  public func wait() {
    done.wait()
    done.signal()
  }

  /// Waits for the work and gives what came of it.
  public func value() throws -> Value {
    wait()
    return try result.withLock { $0! }.get()
  }
}
