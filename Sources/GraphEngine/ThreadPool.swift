// The engine's threads: workers that take the tasks of a loop together with the caller, handed over in about 1 µs.

import CKernels
import Glibc
import Synchronization

/// Threads that share the iterations of a loop.
///
/// The loops of a training step last 20 to 100 µs, too short to wake a sleeping thread for (about 50 µs).
/// So a worker that runs out of work looks for more for `spinTime` and only then sleeps; an idle pool costs nothing.
/// Each participant has its own contiguous part of the tasks, so that the same rows meet the same core's cache from
/// one loop to the next, and helps the others when it is done with it.
package final class ThreadPool: Sendable {
  /// Threads that work on a loop, the caller with them.
  package let threadCount: Int
  private let crew: Crew?

  /// One thread: the caller.
  package static let serial = ThreadPool(threads: 1)
  /// As many threads as the process may run on at once.
  package static let defaultThreadCount = rk_processor_count()

  /// - Parameter threads: threads that work on a loop, the caller with them; less than 1 counts as 1.
  package init(threads: Int) {
    threadCount = min(max(threads, 1), Crew.maximum)
    crew = threadCount > 1 ? Crew(size: threadCount) : nil
  }

  deinit { crew?.dismiss() }

  /// Calls `body` with each of `0..<tasks` once, in any order, on any of the pool's threads, and returns when all are
  /// done. What it wrote is then visible to the caller.
  ///
  /// Inside a loop of the same pool, and while another thread's loop runs, the tasks run on the calling thread.
  package func parallel(_ tasks: Int, _ body: (Int) -> Void) {
    parallel(tasks) { task, _ in body(task) }
  }

  /// The same, telling `body` also which participant calls it (`0..<threadCount`): no two run at once with the same
  /// number, so that each can have its own scratch.
  package func parallel(_ tasks: Int, _ body: (_ task: Int, _ participant: Int) -> Void) {
    guard tasks > 1, let crew, crew.claim() else {
      for task in 0..<max(tasks, 0) { body(task, 0) }
      return
    }
    crew.run(tasks, body)
    crew.release()
  }
}

/// The state that the threads of a pool share.
private final class Crew: @unchecked Sendable {
  static let maximum = 256
  private static let spinTime = 40_000  // ns: about the cost of a sleep and a wake-up, see `ThreadPool`.

  private let size: Int
  private let spins: Bool
  /// One loop at a time.
  private let claimed = Atomic<Bool>(false)
  /// The loop that is open to workers: its number, whether it is open, and how many workers are in it.
  /// One word, so that a worker enters only while the loop is open and the caller leaves only when they are out.
  private let gate = Atomic<UInt>(0)
  private static let open: UInt = 1 << 15
  private static let loop: UInt = 1 << 16
  private static let inside: UInt = open - 1

  private let sleepers = Atomic<Int>(0)
  private let dismissed = Atomic<Bool>(false)
  private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
  private let wakeUp = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
  /// Each participant's next task, a cache line apart.
  private let next: UnsafeMutablePointer<Atomic<Int>>
  private static let stride = 128 / MemoryLayout<Atomic<Int>>.stride
  private var threads: [pthread_t] = []

  // Written by the caller while the gate is shut, read by those who passed it.
  private var taskCount = 0
  private var job: UnsafePointer<(Int, Int) -> Void>?

  init(size: Int) {
    self.size = size
    spins = size <= rk_processor_count()
    next = .allocate(capacity: size * Self.stride)
    for index in 0..<size * Self.stride { (next + index).initialize(to: Atomic(0)) }
    pthread_mutex_init(mutex, nil)
    pthread_cond_init(wakeUp, nil)
    for participant in 1..<size { start(participant) }
  }

  deinit {
    next.deinitialize(count: size * Self.stride)
    next.deallocate()
    pthread_cond_destroy(wakeUp)
    pthread_mutex_destroy(mutex)
    wakeUp.deallocate()
    mutex.deallocate()
  }

  private final class Start {
    let crew: Crew
    let participant: Int
    init(_ crew: Crew, _ participant: Int) { (self.crew, self.participant) = (crew, participant) }
  }

  /// Starts a worker. Where the system gives no thread, the others do its share.
  private func start(_ participant: Int) {
    var thread = pthread_t()
    let start = Unmanaged.passRetained(Start(self, participant))
    let failure = pthread_create(
      &thread, nil,
      { argument in
        let start = Unmanaged<Start>.fromOpaque(argument!).takeRetainedValue()
        start.crew.work(as: start.participant)
        return nil
      }, start.toOpaque())
    if failure == 0 { threads.append(thread) } else { start.release() }
  }

  /// Ends the workers and waits for them.
  func dismiss() {
    dismissed.store(true, ordering: .sequentiallyConsistent)
    wakeAll()
    for thread in threads { pthread_join(thread, nil) }
  }

  private func wakeAll() {
    pthread_mutex_lock(mutex)
    pthread_cond_broadcast(wakeUp)
    pthread_mutex_unlock(mutex)
  }

  func claim() -> Bool { claimed.compareExchange(expected: false, desired: true, ordering: .acquiring).exchanged }

  func release() { claimed.store(false, ordering: .releasing) }

  func run(_ tasks: Int, _ body: (Int, Int) -> Void) {
    withoutActuallyEscaping(body) { body in
      withUnsafePointer(to: body) { pointer in
        job = pointer
        taskCount = tasks
        for participant in 0..<size {
          next[participant * Self.stride].store(begin(participant), ordering: .relaxed)
        }
        gate.wrappingAdd(Self.loop | Self.open, ordering: .sequentiallyConsistent)
        if sleepers.load(ordering: .sequentiallyConsistent) > 0 { wakeAll() }
        takeTasks(as: 0)
        var state = gate.wrappingSubtract(Self.open, ordering: .acquiringAndReleasing).newValue
        var waits = 0
        while state & Self.inside != 0 {
          waits += 1
          if spins && waits < 4_000 { rk_pause() } else { sched_yield() }
          state = gate.load(ordering: .acquiring)
        }
        job = nil
      }
    }
  }

  private func begin(_ participant: Int) -> Int {
    let (share, rest) = taskCount.quotientAndRemainder(dividingBy: size)
    return participant * share + min(participant, rest)
  }

  /// Does tasks until none is left: its own part first, then the others'. Not inlined, so that nothing of `job` is
  /// held when the worker has left the gate.
  @inline(never)
  private func takeTasks(as participant: Int) {
    for offset in 0..<size {
      let owner = participant + offset < size ? participant + offset : participant + offset - size
      let end = begin(owner + 1)
      let counter = next + owner * Self.stride
      while true {
        if counter.pointee.load(ordering: .relaxed) >= end { break }
        let task = counter.pointee.wrappingAdd(1, ordering: .relaxed).oldValue
        if task >= end { break }
        job.unsafelyUnwrapped.pointee(task, participant)
      }
    }
  }

  private func work(as participant: Int) {
    var last: UInt = 0
    while let loop = enter(after: last) {
      takeTasks(as: participant)
      gate.wrappingSubtract(1, ordering: .acquiringAndReleasing)
      last = loop
    }
  }

  /// Waits for an open loop other than `last` and enters it. Returns its number, or nil when the pool is gone.
  private func enter(after last: UInt) -> UInt? {
    while true {
      var until: Int?
      while true {
        if let loop = tryEnter(after: last) { return loop }
        if dismissed.load(ordering: .relaxed) { return nil }
        guard spins else { break }
        for _ in 0..<32 where !isOpen(after: last) { rk_pause() }
        if isOpen(after: last) { continue }
        let now = Self.nanoseconds()
        if let until, now >= until { break }
        if until == nil { until = now + Self.spinTime }
      }
      sleep(after: last)
    }
  }

  private func isOpen(after last: UInt) -> Bool {
    let state = gate.load(ordering: .relaxed)
    return state & Self.open != 0 && state / Self.loop != last
  }

  private func tryEnter(after last: UInt) -> UInt? {
    var state = gate.load(ordering: .relaxed)
    while state & Self.open != 0, state / Self.loop != last {
      let (entered, now) = gate.weakCompareExchange(
        expected: state, desired: state + 1, ordering: .acquiringAndReleasing)
      if entered { return state / Self.loop }
      state = now
    }
    return nil
  }

  private func sleep(after last: UInt) {
    pthread_mutex_lock(mutex)
    sleepers.wrappingAdd(1, ordering: .sequentiallyConsistent)
    // The caller opens the gate before it looks for sleepers, a sleeper counts itself before it looks at the gate:
    // one of the two sees the other.
    while true {
      let state = gate.load(ordering: .sequentiallyConsistent)
      if state & Self.open != 0, state / Self.loop != last { break }
      if dismissed.load(ordering: .sequentiallyConsistent) { break }
      pthread_cond_wait(wakeUp, mutex)
    }
    sleepers.wrappingSubtract(1, ordering: .sequentiallyConsistent)
    pthread_mutex_unlock(mutex)
  }

  private static func nanoseconds() -> Int {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return time.tv_sec * 1_000_000_000 + time.tv_nsec
  }
}
