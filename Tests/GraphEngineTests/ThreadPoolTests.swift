// The pool's promises: each task once, nothing lost, no deadlock.

import Glibc
import GraphEngine
import Synchronization
import Testing

@Suite("Thread pool")
struct ThreadPoolTests {
  @Test("each task runs exactly once, and is done when the call returns", arguments: [1, 2, 3, 8])
  func eachTaskOnce(threads: Int) {
    let pool = ThreadPool(threads: threads)
    #expect(pool.threadCount == threads)
    for round in 0..<2_000 {
      let tasks = round % 37
      var counts = [Int](repeating: 0, count: tasks)
      counts.withUnsafeMutableBufferPointer { counts in
        nonisolated(unsafe) let counts = counts
        pool.parallel(tasks) { counts[$0] += 1 }
      }
      #expect(counts.allSatisfy { $0 == 1 })
    }
  }

  @Test("sleeping workers wake up for the next loop")
  func wakesSleepers() {
    let pool = ThreadPool(threads: 2)
    for _ in 0..<20 {
      usleep(2_000)
      // Two tasks that wait for each other: done only if a second thread takes part.
      let arrived = Atomic<Int>(0)
      pool.parallel(2) { _ in
        arrived.wrappingAdd(1, ordering: .sequentiallyConsistent)
        while arrived.load(ordering: .sequentiallyConsistent) < 2 { sched_yield() }
      }
      #expect(arrived.load(ordering: .relaxed) == 2)
    }
  }

  @Test("a loop within a loop runs on its own thread")
  func nests() {
    let pool = ThreadPool(threads: 3)
    let total = Atomic<Int>(0)
    pool.parallel(10) { _ in pool.parallel(10) { _ in total.wrappingAdd(1, ordering: .relaxed) } }
    #expect(total.load(ordering: .relaxed) == 100)
  }

  @Test("no participant is in two tasks at once")
  func participantsAreExclusive() {
    let pool = ThreadPool(threads: 4)
    let clashes = Atomic<Int>(0)
    var busy = [Int](repeating: 0, count: 4 * 16)
    busy.withUnsafeMutableBufferPointer { busy in
      nonisolated(unsafe) let busy = busy
      for _ in 0..<200 {
        pool.parallel(64) { _, participant in
          if busy[participant * 16] != 0 { clashes.wrappingAdd(1, ordering: .relaxed) }
          busy[participant * 16] = 1
          for _ in 0..<20 { sched_yield() }
          busy[participant * 16] = 0
        }
      }
    }
    #expect(clashes.load(ordering: .relaxed) == 0)
  }
}
