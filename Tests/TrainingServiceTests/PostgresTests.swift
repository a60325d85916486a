import Foundation
import Synchronization
import Testing
import TrainingService

@Suite("With PostgreSQL", .needsPostgres)
struct PostgresTests {
  @Test("several processes that claim at the same time get no job twice, and each job one of them")
  func claimsOnce() async throws {
    let service = try TestService(.postgres)
    let anna = try await service.user()
    var ids: [String] = []
    for _ in 0..<60 { ids.append(try await service.add(owner: anna).id) }
    let stores = try (0..<5).map { _ in try service.openAgain() }
    let claimed = try await withThrowingTaskGroup { group in
      for store in stores {
        for number in 0..<4 {
          group.addTask {
            let queue = JobQueue(store, signals: JobSignals())
            var claimed: [String] = []
            while let claim = try await queue.claim(worker: "\(number)") {
              claimed.append(claim.job.id)
              #expect(claim.attempt == 1)
            }
            return claimed
          }
        }
      }
      return try await group.reduce(into: []) { $0 += $1 }
    }
    #expect(claimed.sorted() == ids.sorted())
  }

  @Test("who completes a job at the same time as another does it alone, and versions have no gap")
  func completesOnce() async throws {
    let service = try TestService(.postgres)
    let anna = try await service.user()
    let stores = try (0..<4).map { _ in try service.openAgain() }
    for round in 1...10 {
      try await service.add(owner: anna)
      let claim = try #require(try await service.claim())
      let outcomes = await withTaskGroup { group in
        for store in stores {
          group.addTask {
            do {
              try await JobQueue(store, signals: JobSignals()).complete(claim, .example)
              return true
            } catch {
              #expect(error as? JobError == .staleAttempt(id: claim.job.id, attempt: 1))
              return false
            }
          }
        }
        return await group.reduce(into: []) { $0.append($1) }
      }
      #expect(outcomes.count(where: \.self) == 1)
      #expect(try await service.models.versions(for: Viewer(anna)).first?.version == round)
    }
  }

  @Test("who follows a job while several processes write misses no event and sees them in order")
  func eventsInOrder() async throws {
    let service = try TestService(.postgres)
    let anna = try await service.user()
    let job = try await service.add(owner: anna)
    let claim = try #require(try await service.claim())
    let stores = try (0..<4).map { _ in try service.openAgain() }
    let writing = Task {
      try await withThrowingTaskGroup { group in
        for (writer, store) in stores.enumerated() {
          group.addTask {
            let queue = JobQueue(store, signals: JobSignals())
            for number in 0..<100 { try await queue.report(.epoch(Int64(writer * 100 + number)), of: claim) }
          }
        }
        try await group.waitForAll()
      }
    }
    var seen: [JobEvent] = []
    while seen.count(where: { $0.kind == .epoch }) < 400 {
      seen += try await service.book.events(of: job.id, after: seen.last?.id ?? 0, limit: 7, for: Viewer(anna)).events
    }
    try await writing.value
    let all = try await service.book.events(of: job.id, limit: 1000, for: Viewer(anna)).events
    #expect(seen.map(\.id) == all.map(\.id))
    #expect(Set(seen.compactMap { $0.body["epoch"]?.integer }) == Set(0..<400))
  }

  @Test("what another process changes is heard at once", .timeLimit(.minutes(1)))
  func hearsNews() async throws {
    let service = try TestService(.postgres)
    let anna = try await service.user()
    let other = JobSignals()
    let store = try service.openAgain()
    store.relayNews(to: other)
    let work = other.newsOfWork()
    var heard = work.makeAsyncIterator()
    // The first news is that there is a connection; what came before may have been missed.
    await heard.next()
    let job = try await service.add(owner: anna)
    await heard.next()
    let claim = try #require(try await JobQueue(store, signals: JobSignals()).claim(worker: "other"))
    let news = other.news(of: job.id)
    var changes = news.makeAsyncIterator()
    _ = try await service.book.cancel(job.id, for: Viewer(anna))
    await changes.next()
    #expect(try await JobQueue(store, signals: JobSignals()).renew(claim))
  }

  @Test("a change whose confirmation is lost on the way is stored once", arguments: CuttingProxy.Cut.allCases)
  func survivesLostAnswers(_ cut: CuttingProxy.Cut) async throws {
    let database = try PostgresDatabaseForTests()
    let port = try #require(database.address.split(separator: ":").last.flatMap { Int($0) })
    let proxy = try CuttingProxy(to: port)
    let way = database.address.replacing(":\(port)", with: ":\(proxy.port)") + "/\(database.name)?sslmode=disable"
    let store = try ServiceStore(database: way)
    let accounts = Accounts(store, cost: TestService.cheap)
    let anna = try await accounts.add(email: "anna@example.org", password: "correct horse")
    let book = JobBook(store, signals: JobSignals())
    // With the end of the text, since "READ COMMITTED" is said at the beginning.
    for statement in ["COMMIT\0", "BEGIN", "COMMIT\0"] {
      proxy.cut(cut, at: statement)
      _ = try await book.add(JobRequest(kind: "als", modelName: "als", dataPath: nil, parameters: [:]), owner: anna)
    }
    #expect(proxy.cutCount == 3)
    #expect(try await book.jobs(JobBook.Filter(), for: Viewer(anna)).total == 3)
    #expect(try database.client.run("SELECT COUNT(*) FROM job_events") == ["3"])
  }

  @Test("times are the server's, so that machines whose clocks differ agree")
  func serverClock() async throws {
    let database = try PostgresDatabaseForTests()
    // A server whose clock is an hour ahead: a function of its name that is found before PostgreSQL's own.
    try database.client.run(
      """
      CREATE FUNCTION clock_timestamp() RETURNS timestamptz LANGUAGE sql
      AS $$ SELECT pg_catalog.clock_timestamp() + interval '1 hour' $$
      """)
    let store = try ServiceStore(
      database: "\(database.address)/\(database.name)?options=-csearch_path%3Dpublic,pg_catalog")
    let anna = try await Accounts(store, cost: TestService.cheap).add(
      email: "anna@example.org", password: "correct horse")
    let ahead = anna.createdAt - .now
    // A busy machine may take a while from the one to the other.
    #expect(ahead > .seconds(3000) && ahead < .seconds(3610), "\(ahead)")
  }

  @Test("a text with the sign 0, which PostgreSQL can't hold, cuts nothing off")
  func zeroInText() async throws {
    let service = try TestService(.postgres)
    let anna = try await service.user()
    await #expect(throws: AccountError.wrongCredentials) {
      try await service.accounts.authenticate(
        email: "anna@example.org\0.com", password: "correct horse", client: "::1")
    }
    let job = try await service.add(owner: anna)
    try await service.queue.fail(try #require(try await service.claim()), .refused("before\0after"))
    #expect(try await service.book.job(job.id, for: Viewer(anna)).problem == "before\u{FFFD}after")
  }

  @Test("a database by DB_NAME where the address names none; the address's own comes first")
  func databaseName() throws {
    let environment = ["DB_NAME": "trainings"]
    let address = try PostgresAddress("postgres://anna@db.example.org", environment: environment)
    #expect(address.place == "PostgreSQL at db.example.org:5432, database trainings")
    #expect(try PostgresAddress("postgres://anna@db/own", environment: environment).database == "own")
    #expect(try PostgresAddress("postgresql://anna@db", environment: [:]).database == "anna")
  }

  @Test("what is wrong is said, with the place and what to try, and never the password")
  func explains() async throws {
    let database = try PostgresDatabaseForTests()
    let address = "\(database.address)/\(database.name)"
    let password = try #require(address.firstMatch(of: /:([0-9a-f]{32})@/)?.1)
    let place = try PostgresAddress(address).place
    func problem(_ address: String) -> String {
      do {
        _ = try ServiceStore(database: address)
        return "none"
      } catch {
        #expect(!"\(error)".contains(password) && !"\(error)".contains("secret"))
        return "\(error)"
      }
    }
    #expect(problem("postgres://anna:sec/ret@host/x").contains("expected postgres://user:password@host:port/database"))
    #expect(problem("postgres://anna:secret@127.0.0.1:1/x").contains("127.0.0.1:1, database x: no connection"))
    #expect(problem(address.replacing(password, with: "secret")).contains("\(place): the server does not let you in"))
    #expect(problem(address.replacing(database.name, with: "nowhere")).contains("there is no database \"nowhere\""))
    #expect(problem(address) == "none")
    try database.client.run("UPDATE service_schema SET version = 99")
    #expect(problem(address).contains("\(place): the tables are of a newer ranker (schema 99"))
    let other = try PostgresDatabaseForTests()
    try other.client.run("CREATE TABLE invoices (id BIGINT)")
    #expect(problem("\(other.address)/\(other.name)").contains("holds another program's tables"))
    #expect(try other.client.run("SELECT COUNT(*) FROM pg_tables WHERE schemaname = 'public'") == ["1"])
  }

  @Test("a server killed again and again while trainings run: no job lost, none completed twice")
  func survivesKills() async throws {
    let server = try PostgresServerForTests()
    let service = try TestService(.postgres, usesRealTime: true, server: server.address)
    let fake = try FakeTraining(in: service.folder)
    let anna = try await service.user()
    var ids: [String] = []
    for _ in 0..<60 { ids.append(try await fake.add(["epochs": 20], to: service, owner: anna).id) }
    // Two processes' stores, two workers each.
    let second = try service.openAgain()
    let queues = [service.queue, JobQueue(second, signals: JobSignals())]
    let work = Task {
      await withTaskGroup { group in
        for number in 0..<4 {
          group.addTask { await fake.worker(service, name: "test \(number)", queue: queues[number % 2]).run() }
        }
      }
    }
    let killer = Task {
      var rounds = 0
      while !Task.isCancelled {
        try? await Task.sleep(for: .milliseconds(Int.random(in: 100...700)))
        if rounds % 2 == 0 {
          server.killAll()
          try server.start()
        } else {
          server.killOneConnection()
        }
        rounds += 1
      }
      return rounds
    }
    for id in ids { _ = try await service.wait(for: id, of: anna) { $0.status.isFinal } }
    killer.cancel()
    #expect(try await killer.value >= 2)
    work.cancel()
    await work.value
    var filter = JobBook.Filter()
    filter.limit = 1000
    let (jobs, _) = try await service.book.jobs(filter, for: Viewer(anna))
    #expect(jobs.count { $0.status == .completed } == 60, "\(jobs.filter { $0.status != .completed }.map(\.problem))")
    #expect(try await service.models.versions(for: Viewer(anna)).map(\.version) == (1...60).reversed())
    for job in jobs { #expect(service.lines("collisions", of: job).isEmpty) }
  }
}
