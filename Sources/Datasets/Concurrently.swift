// A few threads for one piece of work that is cut by hand.

import Glibc

/// Runs `body(0)` to `body(count - 1)`, each on a thread of its own but the first, which runs on the caller's;
/// returns their results in order when all are done. Where a thread can't be had, its work runs on the caller's.
func concurrently<Result>(_ count: Int, _ body: @Sendable (Int) -> Result) -> [Result] {
  if count == 1 { return [body(0)] }
  return withoutActuallyEscaping(body) { body in
    let work = (0..<count).map { index in Work { body(index) } }
    var threads: [pthread_t] = []
    var unstarted: [Work<Result>] = []
    for item in work.dropFirst() {
      var thread = pthread_t()
      let argument = Unmanaged.passRetained(item as any Runnable as AnyObject)
      let status = pthread_create(
        &thread, nil,
        { argument in
          let item = Unmanaged<AnyObject>.fromOpaque(argument!).takeRetainedValue()
          (item as! any Runnable).run()
          return nil
        }, argument.toOpaque())
      if status == 0 {
        threads.append(thread)
      } else {
        argument.release()
        unstarted.append(item)
      }
    }
    work[0].run()
    for item in unstarted { item.run() }
    for thread in threads { pthread_join(thread, nil) }
    return work.map { $0.result! }
  }
}

private protocol Runnable: AnyObject { func run() }

/// One share of the work. Its result is written by the thread that runs it and read after that thread was joined.
private final class Work<Result>: Runnable, @unchecked Sendable {
  private let body: () -> Result
  private(set) var result: Result?

  init(_ body: @escaping () -> Result) { self.body = body }

  func run() { result = body() }
}
