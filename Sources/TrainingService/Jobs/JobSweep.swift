// What failed and cancelled trainings left behind, taken away when nobody has come back to it for days.

import Foundation
import Glibc
import Logging
import ServiceLifecycle

/// Removes the folders of jobs that failed or were cancelled long ago: half a model, and the state from which a retry
/// would have gone on. The jobs stay on record and can be tried again, from the beginning.
public struct JobSweep: Service {
  private let store: ServiceStore
  private let modelsDirectory: String
  private let age: Duration
  private let logger: Logger

  /// How often folders are looked through.
  private static let interval = Duration.seconds(3600)

  /// - Parameter age: how long ago a job has to have ended.
  public init(_ store: ServiceStore, modelsDirectory: String, age: Duration, logger: Logger) {
    self.store = store
    self.modelsDirectory = modelsDirectory
    self.age = age
    self.logger = logger
  }

  public func run() async throws {
    await cancelWhenGracefulShutdown {
      while !Task.isCancelled {
        do { _ = try await sweep() } catch {
          logger.error("folders of old jobs can't be removed", metadata: ["error": "\(error)"])
        }
        try? await Task.sleep(for: Self.interval)
      }
    }
  }

  /// Removes what is old now.
  /// - Returns: the jobs whose folders were removed.
  public func sweep() async throws -> [String] {
    let limit = store.now - age
    let names = Set((try? FileManager.default.contentsOfDirectory(atPath: modelsDirectory)) ?? [])
    // What a sweep set aside and did not get to the end of.
    for name in names where name.hasPrefix(Self.aside) { remove("\(modelsDirectory)/\(name)") }
    let old = try await store.read { transaction in
      try transaction.rows(
        "SELECT id FROM jobs WHERE status IN ('failed', 'cancelled') AND finished_at < $1", SQLValue(limit)
      ).map { $0.text("id") }
    }
    var swept: [String] = []
    for id in old where names.contains(id) {
      let (path, place) = ("\(modelsDirectory)/\(id)", "\(modelsDirectory)/\(Self.aside)\(id)")
      guard !isInUse(path) else { continue }
      // Set aside within the statement that finds the job still so: whoever tries it again, before or after, gets a
      // folder that nobody takes away.
      let isSetAside = try await store.write(durably: false) { transaction in
        let row = try transaction.row(
          """
          UPDATE jobs SET updated_at = updated_at
          WHERE id = $1 AND status IN ('failed', 'cancelled') AND finished_at < $2 RETURNING id
          """, .text(id), SQLValue(limit))
        return row != nil && rename(path, place) == 0
      }
      guard isSetAside else { continue }
      remove(place)
      swept.append(id)
      logger.info("removed the folder of an old job", metadata: ["job": "\(id)"])
    }
    return swept
  }

  private static let aside = ".swept-"

  private func remove(_ path: String) {
    do { try FileManager.default.removeItem(atPath: path) } catch {
      logger.warning("a folder can't be removed", metadata: ["path": "\(path)", "error": "\(error)"])
    }
  }

  /// Whether a training that its worker lost still runs in the folder.
  private func isInUse(_ path: String) -> Bool {
    let descriptor = open("\(path)/.lock", O_RDWR | O_CLOEXEC)
    guard descriptor >= 0 else { return false }
    defer { close(descriptor) }
    return flock(descriptor, LOCK_EX | LOCK_NB) != 0
  }
}
