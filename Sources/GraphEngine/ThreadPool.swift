// Threads that share the work of a kernel.

/// Shares the iterations of a loop.
package final class ThreadPool: Sendable {
  package static let serial = ThreadPool(threads: 1)
  package static let defaultThreadCount = 2
  package let threadCount: Int

  package init(threads: Int) { threadCount = threads }

  package func parallel(_ tasks: Int, _ body: (Int) -> Void) {
    for task in 0..<tasks { body(task) }
  }
}
