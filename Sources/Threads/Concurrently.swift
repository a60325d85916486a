// A few threads for one piece of work that is cut by hand.

import Glibc

/// Runs `body(0)` to `body(count - 1)`, each on a thread of its own but the first, which runs on the caller's;
/// returns their results in order when all are done. Where a thread can't be had, its work runs on the caller's.
///
/// ```swift
/// let sums = concurrently(2) { part in halves[part].reduce(0, +) }
/// ```
///
/// Errors are results too: `concurrently(count) { part in Result { try read(part) } }`.
public func concurrently<Result>(_ count: Int, _ body: @Sendable (Int) -> Result) -> [Result] {
  guard count > 1 else { return (0..<max(count, 0)).map(body) }
  return withoutActuallyEscaping(body) { body in
    let work = (0..<count).map { index in Work { body(index) } }
    var threads: [pthread_t] = []
    var unstarted: [Work<Result>] = []
    for item in work.dropFirst() {
      if let thread = startThread(item.run) { threads.append(thread) } else { unstarted.append(item) }
    }
    work[0].run()
    for item in unstarted { item.run() }
    for thread in threads { pthread_join(thread, nil) }
    return work.map { $0.result! }
  }
}

/// The number of processors of the machine.
public let processorCount = max(sysconf(Int32(_SC_NPROCESSORS_ONLN)), 1)

/// One share of the work. Its result is written by the thread that runs it and read after that thread was joined.
private final class Work<Result>: @unchecked Sendable {
  private let body: () -> Result
  private(set) var result: Result?

  init(_ body: @escaping () -> Result) { self.body = body }

  @Sendable func run() { result = body() }
}
