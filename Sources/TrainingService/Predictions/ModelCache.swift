// The models that are in memory, so that a question does not wait for files.

import Synchronization

/// Loaded models by version. The one that was asked longest ago goes first where memory is needed; whoever still uses it
/// keeps it until the answer is there.
final class ModelCache: Sendable {
  private struct Entry {
    let loading: Task<any Predictor, any Error>
    /// Nil while it is read.
    var byteCount: Int?
    var lastUse: Int
  }

  private struct State {
    var entries: [Int64: Entry] = [:]
    var uses = 0
  }

  private let state = Mutex(State())
  private let mostBytes: Int
  private let mostModels: Int

  /// - Parameter mostBytes: of all models together; the last one stays, however large.
  init(mostBytes: Int, mostModels: Int) {
    self.mostBytes = mostBytes
    self.mostModels = mostModels
  }

  /// The model of a version. Who asks while it is read waits for it; what can't be read is read anew next time.
  func predictor(
    of version: Int64, load: @escaping @Sendable () async throws -> any Predictor
  ) async throws -> any Predictor {
    let loading = state.withLock { state in
      state.uses += 1
      if let entry = state.entries[version] {
        state.entries[version]!.lastUse = state.uses
        return entry.loading
      }
      let loading = Task { try await self.loaded(version, load) }
      state.entries[version] = Entry(loading: loading, lastUse: state.uses)
      return loading
    }
    return try await loading.value
  }

  private func loaded(
    _ version: Int64, _ load: @Sendable () async throws -> any Predictor
  ) async throws -> any Predictor {
    do {
      let predictor = try await load()
      state.withLock { state in
        state.entries[version]?.byteCount = predictor.byteCount
        makeRoom(&state, for: version)
      }
      return predictor
    } catch {
      drop(version)
      throw error
    }
  }

  private func makeRoom(_ state: inout State, for version: Int64) {
    func isTooMuch() -> Bool {
      state.entries.count > mostModels || state.entries.values.reduce(0) { $0 + ($1.byteCount ?? 0) } > mostBytes
    }
    while isTooMuch() {
      let others = state.entries.filter { $0.key != version && $0.value.byteCount != nil }
      guard let oldest = others.min(by: { $0.value.lastUse < $1.value.lastUse }) else { return }
      state.entries[oldest.key] = nil
    }
  }

  /// Forgets a version: it was deleted.
  func drop(_ version: Int64) { state.withLock { $0.entries[version] = nil } }

  /// How many models are loaded, and the bytes that they hold.
  var size: (models: Int, bytes: Int) {
    state.withLock { state in
      let loaded = state.entries.values.compactMap(\.byteCount)
      return (loaded.count, loaded.reduce(0, +))
    }
  }
}
