import CommandSupport
import Foundation
import Glibc
import Testing
import TrainingService

@Suite("Folders of old jobs")
struct SweepTests {
  @Test("go some days after their jobs failed or were cancelled, unless somebody came back to them")
  func sweeps() async throws {
    let service = try TestService()
    let anna = try await service.user()
    let manager = FileManager.default
    func job(_ end: (Claim) async throws -> Void) async throws -> Job {
      let job = try await service.add(owner: anna)
      try await end(try #require(try await service.claim()))
      try manager.createDirectory(
        atPath: service.folder.path("models/\(job.id)"), withIntermediateDirectories: true)
      try service.folder.write("state", to: "models/\(job.id)/als_training_state.pth")
      return job
    }
    let failed = try await job { try await service.queue.fail($0, .refused("no user_id")) }
    let retried = try await job { try await service.queue.cancelled($0) }
    let completed = try await job { try await service.queue.complete($0, .example) }
    let held = try await job { try await service.queue.cancelled($0) }
    service.clock.advance(by: .seconds(10 * 24 * 3600))
    let younger = try await job { try await service.queue.cancelled($0) }
    _ = try await service.book.retry(retried.id, for: Viewer(anna))

    let sweep = JobSweep(
      service.store, modelsDirectory: service.folder.path("models"), age: .seconds(14 * 24 * 3600), logger: silent)
    #expect(try await sweep.sweep().isEmpty, "ten days are not fourteen")
    service.clock.advance(by: .seconds(5 * 24 * 3600))
    // A training that its worker lost has the folder's lock.
    let lock = open(service.folder.path("models/\(held.id)/.lock"), O_RDWR | O_CREAT, 0o600)
    try #require(flock(lock, LOCK_EX | LOCK_NB) == 0)
    #expect(try await sweep.sweep() == [failed.id])
    close(lock)
    #expect(try await sweep.sweep() == [held.id])
    let left = try manager.contentsOfDirectory(atPath: service.folder.path("models"))
    #expect(Set(left) == [retried.id, completed.id, younger.id])
    #expect(try await service.book.job(failed.id, for: Viewer(anna)).status == .failed, "the record stays")
    #expect(try await service.book.retry(failed.id, for: Viewer(anna)).status == .pending)
  }
}
