// Who waits for news hears of them at once, without asking the database again and again.

import Synchronization

/// News within one process: that a job changed, that there is work. They carry nothing: whoever hears one looks into the
/// store. Other processes write there too, so whoever waits also looks now and then without being told.
public final class JobSignals: Sendable {
  private struct State {
    var next = 0
    var watchers: [String: [Int: AsyncStream<Void>.Continuation]] = [:]
  }

  private let state = Mutex(State())
  private static let work = ""

  public init() {}

  /// A job changed.
  func announce(_ job: String) { wake(job) }

  /// Anything may have changed: news from elsewhere may have been missed.
  func announceEverything() {
    let watchers = state.withLock { $0.watchers.values.flatMap(\.values) }
    for watcher in watchers { watcher.yield() }
  }

  /// A job waits for a worker.
  func announceWork() { wake(Self.work) }

  /// News of a job, until the stream is dropped. Several that nobody has heard yet are one.
  package func news(of job: String) -> AsyncStream<Void> { stream(job) }

  /// News that there is work.
  package func newsOfWork() -> AsyncStream<Void> { stream(Self.work) }

  private func wake(_ name: String) {
    let watchers = state.withLock { $0.watchers[name].map { Array($0.values) } ?? [] }
    for watcher in watchers { watcher.yield() }
  }

  private func stream(_ name: String) -> AsyncStream<Void> {
    AsyncStream(bufferingPolicy: .bufferingNewest(1)) { continuation in
      let number = state.withLock { state in
        state.next += 1
        state.watchers[name, default: [:]][state.next] = continuation
        return state.next
      }
      continuation.onTermination = { [weak self] _ in
        self?.state.withLock { state in
          state.watchers[name]?[number] = nil
          if state.watchers[name]?.isEmpty == true { state.watchers[name] = nil }
        }
      }
    }
  }

  /// How many wait for news.
  var watcherCount: Int { state.withLock { $0.watchers.values.reduce(0) { $0 + $1.count } } }
}

extension AsyncStream<Void> {
  /// Waits for the next element; other processes' news bring none, so not for long.
  func wait(atMost time: Duration) async {
    await withTaskGroup { group in
      group.addTask { for await _ in self { return } }
      group.addTask { try? await Task.sleep(for: time) }
      await group.next()
      group.cancelAll()
    }
  }
}
