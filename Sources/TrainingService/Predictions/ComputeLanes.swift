// Threads for what takes the processor, so that those that serve requests never wait for it.

import NIOPosix
import Synchronization

/// A fixed number of threads, and so many who may wait for one.
final class ComputeLanes: Sendable {
  private let threads: NIOThreadPool
  private let most: Int
  private let taken = Mutex(0)

  init(threads count: Int, mostWaiting: Int) {
    threads = NIOThreadPool(numberOfThreads: max(1, count))
    most = max(1, count) + mostWaiting
    threads.start()
  }

  deinit { threads.shutdownGracefully { _ in } }

  /// How many are computed or wait for it.
  var load: Int { taken.withLock(\.self) }

  /// Runs `body` on one of the threads.
  /// - Parameter isLetIn: runs it however many wait, for those who have been let in already.
  /// - Throws: ``ServiceProblem`` where too many wait.
  func run<Value: Sendable>(
    isLetIn: Bool = false, _ body: @escaping @Sendable () throws -> Value
  ) async throws -> Value {
    let isTaken = taken.withLock { taken in
      guard isLetIn || taken < most else { return false }
      taken += 1
      return true
    }
    guard isTaken else {
      throw ServiceProblem(
        status: .serviceUnavailable, message: "too many requests wait for the processor; try again in a moment",
        headers: [.retryAfter: "1"])
    }
    defer { taken.withLock { $0 -= 1 } }
    return try await threads.runIfActive(body)
  }
}
