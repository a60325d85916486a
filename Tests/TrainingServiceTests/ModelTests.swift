import Testing
import TrainingService

@Suite("Models")
struct ModelTests {
  /// Makes versions of a model, one job each.
  private func train(_ count: Int, _ model: String, owner: User, in service: TestService) async throws {
    for _ in 0..<count {
      try await service.add(model: model, owner: owner)
      try await service.queue.complete(try #require(try await service.claim()), .example)
    }
  }

  @Test("versions count from 1 for each owner and name", arguments: TestDatabase.available)
  func counts(on database: TestDatabase) async throws {
    let service = try TestService(database)
    let anna = try await service.user()
    let ben = try await service.user("ben@example.org")
    try await train(2, "shop", owner: anna, in: service)
    try await train(1, "shop", owner: ben, in: service)
    try await train(1, "news", owner: anna, in: service)
    let own = try await service.models.versions(for: Viewer(anna))
    #expect(own.map { "\($0.name) \($0.version)" } == ["news 1", "shop 2", "shop 1"])
    #expect(try await service.models.versions(of: "shop", for: Viewer(ben)).map(\.owner) == ["ben@example.org"])
  }

  @Test(
    "a promoted version is in use until another one is; rolling back goes the way back",
    arguments: TestDatabase.available)
  func promotes(on database: TestDatabase) async throws {
    let service = try TestService(database)
    let anna = try await service.user()
    try await train(4, "shop", owner: anna, in: service)
    let models = service.models
    await #expect(throws: ModelError.notPromoted(name: "shop")) { try await models.promoted("shop", for: Viewer(anna)) }
    for version in [1, 3, 4, 4] { _ = try await models.promote(version, of: "shop", by: anna) }
    #expect(try await models.promoted("shop", for: Viewer(anna)).version == 4)
    #expect(try await models.versions(for: Viewer(anna)).filter(\.isPromoted).map(\.version) == [4])
    await #expect(throws: ModelError.isPromoted(name: "shop", version: 4)) {
      try await models.remove(4, of: "shop", for: Viewer(anna))
    }
    _ = try await models.remove(3, of: "shop", for: Viewer(anna))
    #expect(try await models.rollBack("shop", by: anna).version == 1, "3 is gone")
    await #expect(throws: ModelError.nothingToRollBack(name: "shop")) { try await models.rollBack("shop", by: anna) }
    _ = try await models.promote(2, of: "shop", by: anna)
    #expect(try await models.rollBack("shop", by: anna).version == 1)
    try await train(1, "shop", owner: anna, in: service)
    #expect(try await models.versions(for: Viewer(anna)).first?.version == 5)
  }

  @Test("one's own jobs and models only, except for an administrator", arguments: TestDatabase.available)
  func separatesAccounts(on database: TestDatabase) async throws {
    let service = try TestService(database)
    let anna = try await service.user()
    let ben = try await service.user("ben@example.org")
    let admin = try await service.user("admin@example.org", isAdmin: true)
    let job = try await service.add(model: "shop", owner: anna)
    try await service.queue.complete(try #require(try await service.claim()), .example)
    let unknown = JobError.unknown(id: job.id)
    await #expect(throws: unknown) { try await service.book.job(job.id, for: Viewer(ben)) }
    await #expect(throws: unknown) { try await service.book.cancel(job.id, for: Viewer(ben)) }
    await #expect(throws: unknown) { try await service.book.retry(job.id, for: Viewer(ben)) }
    await #expect(throws: unknown) { try await service.book.events(of: job.id, for: Viewer(ben)) }
    #expect(try await service.book.jobs(JobBook.Filter(), for: Viewer(ben)).total == 0)
    #expect(try await service.book.jobs(JobBook.Filter(), for: Viewer(admin)).total == 1)
    let missing = ModelError.unknownVersion(name: "shop", version: 1)
    await #expect(throws: missing) { try await service.models.version(1, of: "shop", for: Viewer(ben)) }
    await #expect(throws: missing) { try await service.models.promote(1, of: "shop", by: ben) }
    await #expect(throws: missing) { try await service.models.remove(1, of: "shop", for: Viewer(ben)) }
    #expect(try await service.models.promote(1, of: "shop", by: admin).owner == "anna@example.org")
    #expect(try await service.models.promoted("shop", for: Viewer(anna)).version == 1)
  }
}
