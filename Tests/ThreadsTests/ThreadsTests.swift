// Shares of work come back in order; work beside work is waited for.

import Synchronization
import Testing
import Threads

@Suite("Threads")
struct ThreadsTests {
  private struct Failure: Error {}

  @Test("shares run at the same time, and their results come back in order", arguments: [1, 2, 7])
  func shares(count: Int) {
    // Every share waits until all have begun: one after another they would wait for ever.
    let begun = Atomic(0)
    let results = concurrently(count) { index in
      begun.add(1, ordering: .relaxed)
      while begun.load(ordering: .relaxed) < count {}
      return "share \(index)"
    }
    #expect(results == (0..<count).map { "share \($0)" })
  }

  @Test("no shares are no results")
  func none() {
    #expect(concurrently(0) { $0 }.isEmpty)
  }

  @Test("work in the background gives its value as often as one asks, and its error")
  func background() throws {
    let work = Background { (1...1000).reduce(0, +) }
    work.wait()
    #expect(try work.value() == 500_500)
    #expect(try work.value() == 500_500)
    #expect(throws: Failure.self) { try Background<Int> { throw Failure() }.value() }
  }
}
