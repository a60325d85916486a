// Long loops shared among threads.

extension ThreadPool {
  /// Shares `0..<count` among the threads in ranges of at least `grain`; a shorter loop runs on the calling thread.
  /// Ranges start at multiples of 16, so that no two threads write floats into one cache line.
  @inline(never)
  func parallel(over count: Int, grain: Int, _ body: (Range<Int>) -> Void) {
    let tasks = min(threadCount, count / max(grain, 1))
    guard tasks > 1 else {
      if count > 0 { body(0..<count) }
      return
    }
    let share = count >= 64 * tasks ? ((count + tasks - 1) / tasks + 15) & ~15 : (count + tasks - 1) / tasks
    parallel(tasks) { task in
      let start = min(task * share, count)
      let end = min(start + share, count)
      if start < end { body(start..<end) }
    }
  }

  /// Shares rows that each cost `work` (about so many additions).
  func parallel(rows: Int, work: Int, _ body: (Range<Int>) -> Void) {
    parallel(over: rows, grain: (Grain.plain + work - 1) / max(work, 1), body)
  }
}

/// The least number of elements worth another thread: some 4 µs of work, several times what waking a thread costs.
enum Grain {
  /// For additions and copies.
  static let plain = 16384
  /// For exponentials and the like.
  static let transcendental = 2048
}
