import Foundation
import Testing
import TrainingService

@Suite("The queue")
struct QueueTests {
  @Test("hands each job to one worker, the oldest first", arguments: TestDatabase.available)
  func handsOutOnce(on database: TestDatabase) async throws {
    let service = try TestService(database)
    let anna = try await service.user()
    var ids: [String] = []
    for _ in 0..<20 {
      ids.append(try await service.add(owner: anna).id)
      service.clock.advance(by: .milliseconds(1))
    }
    #expect(try await service.claim()?.job.id == ids[0])
    let rest = try await withThrowingTaskGroup { group in
      for _ in 0..<25 { group.addTask { try await service.claim()?.job.id } }
      return try await group.reduce(into: [String?]()) { $0.append($1) }
    }
    #expect(rest.compactMap(\.self).sorted() == ids.dropFirst().sorted())
    #expect(rest.count { $0 == nil } == 6)
  }

  @Test(
    "gives a lost worker's job to another one, and refuses what the lost one still says",
    arguments: TestDatabase.available)
  func fencesLostWorkers(on database: TestDatabase) async throws {
    let service = try TestService(database)
    let anna = try await service.user()
    let job = try await service.add(owner: anna)
    let lost = try #require(try await service.claim())
    service.clock.advance(by: .seconds(14))
    #expect(try await service.claim() == nil)
    #expect(try await service.queue.renew(lost) == false)
    service.clock.advance(by: .seconds(14))
    #expect(try await service.claim() == nil, "the lease was renewed 14 seconds ago")
    service.clock.advance(by: .seconds(2))
    #expect(try await service.claim() == nil, "the job waits after a failure")
    service.clock.advance(by: .seconds(2))
    let next = try #require(try await service.claim())
    #expect(next.job.id == job.id)
    #expect(next.attempt == 2)
    #expect(next.job.failures == 1)

    let stale = JobError.staleAttempt(id: job.id, attempt: 1)
    await #expect(throws: stale) { try await service.queue.renew(lost) }
    await #expect(throws: stale) { try await service.queue.report(.epoch(7), of: lost) }
    await #expect(throws: stale) { try await service.queue.complete(lost, .example) }
    await #expect(throws: stale) { try await service.queue.fail(lost, .broke("late")) }
    await #expect(throws: stale) { try await service.queue.release(lost) }
    #expect(try await service.models.versions(for: Viewer(anna)).isEmpty)

    try await service.queue.complete(next, .example)
    await #expect(throws: JobError.staleAttempt(id: job.id, attempt: 2)) {
      try await service.queue.complete(next, .example)
    }
    #expect(try await service.models.versions(for: Viewer(anna)).map(\.version) == [1])
    #expect(try await service.book.job(job.id, for: Viewer(anna)).status == .completed)
  }

  @Test("tries a broken job three times, waiting longer each time, then gives it up", arguments: TestDatabase.available)
  func deadLetters(on database: TestDatabase) async throws {
    let service = try TestService(database)
    let anna = try await service.user()
    let job = try await service.add(owner: anna)
    for wait in [2, 8] {
      let claim = try #require(try await service.claim())
      try await service.queue.fail(claim, .broke("no memory"))
      service.clock.advance(by: .milliseconds(wait * 1000 - 1))
      #expect(try await service.claim() == nil)
      service.clock.advance(by: .milliseconds(1))
    }
    let last = try #require(try await service.claim())
    #expect(last.attempt == 3)
    try await service.queue.fail(last, .broke("no memory"))
    service.clock.advance(by: .seconds(3600))
    #expect(try await service.claim() == nil)
    let given = try await service.book.job(job.id, for: Viewer(anna))
    #expect(given.status == .failed)
    #expect(given.problem == "given up after 3 attempts; the last one: no memory")

    _ = try await service.book.retry(job.id, for: Viewer(anna))
    #expect(try await service.claim()?.attempt == 4)
  }

  @Test("does not try again what the training itself refuses", arguments: TestDatabase.available)
  func failsAtOnce(on database: TestDatabase) async throws {
    let service = try TestService(database)
    let anna = try await service.user()
    let job = try await service.add(owner: anna)
    try await service.queue.fail(try #require(try await service.claim()), .refused("line 3: no user_id"))
    let failed = try await service.book.job(job.id, for: Viewer(anna))
    #expect(failed.status == .failed)
    #expect(failed.problem == "line 3: no user_id")
    #expect(failed.failures == 0)
  }

  @Test("never gives up a training that gets further with each lost worker", arguments: TestDatabase.available)
  func progressIsNoFailure(on database: TestDatabase) async throws {
    let service = try TestService(database)
    let anna = try await service.user()
    try await service.add(owner: anna)
    for attempt in 1...10 {
      let claim = try #require(try await service.claim())
      #expect(claim.attempt == attempt)
      try await service.queue.report(.epoch(Int64(attempt)), of: claim)
      service.clock.advance(by: .seconds(16))
    }
    // Where the last one was: not further.
    let claim = try #require(try await service.claim())
    #expect(claim.job.failures == 0)
    try await service.queue.report(.epoch(10), of: claim)
    try await service.queue.fail(claim, .broke("killed"))
    service.clock.advance(by: .seconds(2))
    #expect(try await service.claim()?.job.failures == 1)
  }

  @Test("gives up a job that loses its worker three times before its first epoch", arguments: TestDatabase.available)
  func poisonIsGivenUp(on database: TestDatabase) async throws {
    let service = try TestService(database)
    let anna = try await service.user()
    let job = try await service.add(owner: anna)
    for _ in 0..<3 {
      _ = try #require(try await service.claim())
      service.clock.advance(by: .seconds(16))
      _ = try await service.claim()
      service.clock.advance(by: .seconds(60))
    }
    let given = try await service.book.job(job.id, for: Viewer(anna))
    #expect(given.status == .failed)
    #expect(given.problem == "given up after 3 attempts; the last one: worker test was not heard of any more")
  }

  @Test("takes a stopped worker's job back without counting a failure", arguments: TestDatabase.available)
  func releases(on database: TestDatabase) async throws {
    let service = try TestService(database)
    let anna = try await service.user()
    try await service.add(owner: anna)
    try await service.queue.release(try #require(try await service.claim()))
    let again = try #require(try await service.claim())
    #expect(again.attempt == 2)
    #expect(again.job.failures == 0)
  }

  @Test("cancels a waiting job at once, and a running one through its worker", arguments: TestDatabase.available)
  func cancels(on database: TestDatabase) async throws {
    let service = try TestService(database)
    let anna = try await service.user()
    let waiting = try await service.add(owner: anna)
    #expect(try await service.book.cancel(waiting.id, for: Viewer(anna)).status == .cancelled)
    #expect(try await service.claim() == nil)

    let running = try await service.add(owner: anna)
    let claim = try #require(try await service.claim())
    #expect(try await service.book.cancel(running.id, for: Viewer(anna)).status == .loadingData)
    #expect(try await service.queue.renew(claim))
    try await service.queue.cancelled(claim)
    #expect(try await service.book.job(running.id, for: Viewer(anna)).status == .cancelled)
    await #expect(throws: JobError.cannotCancel(id: running.id, status: .cancelled)) {
      try await service.book.cancel(running.id, for: Viewer(anna))
    }

    let lost = try await service.add(owner: anna)
    _ = try #require(try await service.claim())
    _ = try await service.book.cancel(lost.id, for: Viewer(anna))
    service.clock.advance(by: .seconds(16))
    #expect(try await service.claim() == nil)
    #expect(try await service.book.job(lost.id, for: Viewer(anna)).status == .cancelled)
  }

  @Test("keeps accepted jobs and begun attempts through a new start", arguments: TestDatabase.available)
  func outlivesTheProcess(on database: TestDatabase) async throws {
    let service = try TestService(database)
    let anna = try await service.user()
    let first = try await service.add(owner: anna)
    let second = try await service.add(owner: anna)
    _ = try await service.claim()
    let again = try service.openAgain()
    let queue = JobQueue(again, signals: JobSignals())
    #expect(try await queue.claim(worker: "second")?.job.id == [first.id, second.id].max { $0 < $1 })
    #expect(try await queue.claim(worker: "second") == nil)
  }
}

extension JobQueue.Report {
  static func epoch(_ number: Int64) -> JobQueue.Report {
    var report = JobQueue.Report()
    report.status = .training
    report.progress = ["epoch": .integer(number)]
    report.events = [(.epoch, ["epoch": .integer(number)])]
    return report
  }
}
