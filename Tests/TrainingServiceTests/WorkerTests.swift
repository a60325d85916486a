import Foundation
import Glibc
import Testing
import TrainingService

@Suite("A worker")
struct WorkerTests {
  @Test("gives a training no file of its own but input and output")
  func closesFiles() async throws {
    let service = try TestService(usesRealTime: true)
    let fake = try FakeTraining(in: service.folder)
    let anna = try await service.user()
    let job = try await fake.add([:], to: service, owner: anna)
    let work = Task { await fake.worker(service).run() }
    _ = try await service.wait(for: job.id, of: anna) { $0.status.isFinal }
    work.cancel()
    await work.value
    let links = service.lines("files", of: job)
    #expect(links.first == service.folder.path("models/\(job.id)/.lock"))
    // The shell itself opens its script and what it writes to.
    let own = service.folder.path("")
    #expect(links.allSatisfy { $0.hasPrefix("pipe:") || $0.hasPrefix(own) }, "\(links)")
  }

  @Test("runs a training, tells how it goes, and registers its model", arguments: TestDatabase.available)
  func runs(on database: TestDatabase) async throws {
    let service = try TestService(database, usesRealTime: true)
    let fake = try FakeTraining(in: service.folder)
    let anna = try await service.user()
    let job = try await fake.add([:], to: service, owner: anna)
    let work = Task { await fake.worker(service).run() }
    let done = try await service.wait(for: job.id, of: anna) { $0.status.isFinal }
    work.cancel()
    await work.value
    #expect(done.status == .completed)
    #expect(done.modelPath == service.folder.path("models/\(job.id)"))
    #expect(done.metrics?.member(at: "measures.recall") == 0.25)
    let (_, events) = try await service.book.events(of: job.id, for: Viewer(anna))
    #expect(
      events.filter { $0.kind == .status }.compactMap { $0.body["status"]?.string }
        == ["pending", "loading_data", "preprocessing", "training", "completed"])
    #expect(events.filter { $0.kind == .epoch }.compactMap { $0.body["epoch"]?.integer } == [1, 2, 3])
    #expect(
      events.filter { $0.kind == .log }.compactMap { $0.body["text"]?.string }
        == ["warning: a row was left out", "verifying it"])
    let version = try #require(try await service.models.versions(for: Viewer(anna)).first)
    #expect(version.files == ["fake.onnx"])
    #expect(version.jobID == job.id)
  }

  @Test("says in the training's own words why it was refused")
  func refuses() async throws {
    let service = try TestService(usesRealTime: true)
    let fake = try FakeTraining(in: service.folder)
    let anna = try await service.user()
    let job = try await fake.add(["trouble": "refuse"], to: service, owner: anna)
    let work = Task { await fake.worker(service).run() }
    let failed = try await service.wait(for: job.id, of: anna) { $0.status.isFinal }
    work.cancel()
    await work.value
    #expect(failed.status == .failed)
    #expect(failed.problem == "line 3: no user_id")
    #expect(failed.attempt == 1)
  }

  @Test("starts a killed training again, from where it was", arguments: TestDatabase.available)
  func resumes(on database: TestDatabase) async throws {
    let service = try TestService(database, usesRealTime: true)
    let fake = try FakeTraining(in: service.folder)
    let anna = try await service.user()
    let job = try await fake.add(["trouble": "once", "epochs": 4, "at": 3], to: service, owner: anna)
    let work = Task { await fake.worker(service).run() }
    let done = try await service.wait(for: job.id, of: anna) { $0.status.isFinal }
    work.cancel()
    await work.value
    #expect(done.status == .completed)
    #expect(done.attempt == 2)
    #expect(done.failures == 0, "it got further than any attempt before")
    #expect(service.lines("starts", of: job).compactMap { $0.split(separator: " ").last } == ["1", "3"])
    let (_, events) = try await service.book.events(of: job.id, kinds: [.epoch], for: Viewer(anna))
    #expect(events.compactMap { $0.body["epoch"]?.integer } == [1, 2, 3, 4])
  }

  @Test("registers the files of a training that had ended before anybody heard of it")
  func registersFinished() async throws {
    let service = try TestService(usesRealTime: true)
    let fake = try FakeTraining(in: service.folder)
    let anna = try await service.user()
    let job = try await fake.add(["trouble": "finished"], to: service, owner: anna)
    let folder = service.folder.url.appendingPathComponent("models/\(job.id)")
    try FileManager.default.createDirectory(
      at: folder.appendingPathComponent("samples"), withIntermediateDirectories: true)
    for name in ["fake.onnx", "samples/input.pb", "fake_training_state.pth"] {
      try Data("3".utf8).write(to: folder.appendingPathComponent(name))
    }
    let work = Task { await fake.worker(service).run() }
    let done = try await service.wait(for: job.id, of: anna) { $0.status.isFinal }
    work.cancel()
    await work.value
    #expect(done.status == .completed)
    #expect(try await service.models.versions(for: Viewer(anna)).first?.files == ["fake.onnx", "samples/input.pb"])
  }

  @Test("cancels a running training at once", arguments: TestDatabase.available)
  func cancels(on database: TestDatabase) async throws {
    let service = try TestService(database, usesRealTime: true)
    let fake = try FakeTraining(in: service.folder)
    let anna = try await service.user()
    let job = try await fake.add(["trouble": "hang"], to: service, owner: anna)
    let work = Task { await fake.worker(service).run() }
    _ = try await service.wait(for: job.id, of: anna) { $0.status == .training }
    _ = try await service.book.cancel(job.id, for: Viewer(anna))
    let ended = try await service.wait(for: job.id, of: anna) { $0.status.isFinal }
    work.cancel()
    await work.value
    #expect(ended.status == .cancelled)
    #expect(!FileManager.default.fileExists(atPath: service.folder.path("models/\(job.id)/running")))
  }

  @Test("gives its job back when it is stopped, after the training saved its state", arguments: TestDatabase.available)
  func stops(on database: TestDatabase) async throws {
    let service = try TestService(database, usesRealTime: true)
    let fake = try FakeTraining(in: service.folder)
    let anna = try await service.user()
    let job = try await fake.add(["trouble": "hang", "at": 3], to: service, owner: anna)
    let work = Task { await fake.worker(service).run() }
    _ = try await service.wait(for: job.id, of: anna) { $0.status == .training }
    work.cancel()
    await work.value
    let given = try await service.book.job(job.id, for: Viewer(anna))
    #expect(given.status == .pending)
    #expect(given.failures == 0)
    #expect(service.lines("fake_training_state.pth", of: job) == ["2"])
  }

  @Test("ends a training that a dead worker left behind before it starts its own", arguments: TestDatabase.available)
  func endsOrphans(on database: TestDatabase) async throws {
    let service = try TestService(database, usesRealTime: true, lease: .milliseconds(900))
    let fake = try FakeTraining(in: service.folder)
    let anna = try await service.user()
    let job = try await fake.add(["trouble": "hang", "at": 2], to: service, owner: anna)
    // A worker whose database is taken away can't renew its lease, as if it had died: its training lives on.
    let other = try service.openAgain()
    let dead = JobQueue(other, signals: JobSignals(), lease: .milliseconds(900))
    let claim = try #require(try await dead.claim(worker: "dead"))
    let orphan = Process()
    let folder = service.folder.path("models/\(job.id)")
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    let lock = open("\(folder)/.lock", O_RDWR | O_CREAT, 0o600)
    #expect(flock(lock, LOCK_EX | LOCK_NB) == 0)
    orphan.executableURL = URL(fileURLWithPath: fake.catalogue.program)
    orphan.arguments = ["--output=\(folder)", "--trouble=hang", "--at=2"]
    orphan.standardInput = FileHandle(fileDescriptor: lock, closeOnDealloc: false)
    orphan.standardOutput = FileHandle.nullDevice
    try orphan.run()
    close(lock)

    let work = Task { await fake.worker(service).run() }
    // It goes on where the orphan hung, and hangs there too.
    let running = try await service.wait(for: job.id, of: anna) { $0.status == .preprocessing }
    #expect(running.status == .preprocessing)
    #expect(running.attempt == 2)
    orphan.waitUntilExit()
    await #expect(throws: JobError.staleAttempt(id: job.id, attempt: 1)) { try await dead.complete(claim, .example) }
    _ = try await service.book.cancel(job.id, for: Viewer(anna))
    let ended = try await service.wait(for: job.id, of: anna) { $0.status.isFinal }
    work.cancel()
    await work.value
    #expect(ended.status == .cancelled)
    #expect(service.lines("collisions", of: job).isEmpty)
    #expect(service.lines("starts", of: job).count == 2)
  }

  @Test(
    "a hundred jobs over four workers, many of their trainings killed: none lost, none twice",
    arguments: TestDatabase.available)
  func survivesKills(on database: TestDatabase) async throws {
    let service = try TestService(database, usesRealTime: true)
    let fake = try FakeTraining(in: service.folder)
    let anna = try await service.user()
    var ids: [String] = []
    for _ in 0..<100 { ids.append(try await fake.add(["epochs": 20], to: service, owner: anna).id) }
    let work = Task {
      await withTaskGroup { group in
        for number in 1...4 { group.addTask { await fake.worker(service, name: "test \(number)").run() } }
      }
    }
    // Kills a training every tenth of a second, by the number that it wrote down; each job's once.
    let killer = Task {
      var killed: Set<String> = []
      while !Task.isCancelled {
        let (running, _) = try await service.book.jobs(.training, for: Viewer(anna))
        if let job = running.filter({ !killed.contains($0.id) }).randomElement(),
          let process = service.lines("starts", of: job).last?.split(separator: " ").first.flatMap({ Int32($0) })
        {
          // Only what still holds the job's lock is that training.
          let input = try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/\(process)/fd/0")
          if input == service.folder.path("models/\(job.id)/.lock") {
            kill(process, SIGKILL)
            killed.insert(job.id)
          }
        }
        try? await Task.sleep(for: .milliseconds(100))
      }
      return killed.count
    }
    for id in ids { _ = try await service.wait(for: id, of: anna) { $0.status.isFinal } }
    killer.cancel()
    #expect(try await killer.value > 0)
    work.cancel()
    await work.value
    var filter = JobBook.Filter()
    filter.limit = 1000
    let (jobs, _) = try await service.book.jobs(filter, for: Viewer(anna))
    #expect(jobs.count { $0.status == .completed } == 100, "\(jobs.filter { $0.status != .completed }.map(\.problem))")
    #expect(try await service.models.versions(for: Viewer(anna)).map(\.version) == (1...100).reversed())
    for job in jobs { #expect(service.lines("collisions", of: job).isEmpty) }
  }
}

extension JobBook.Filter {
  fileprivate static var training: JobBook.Filter {
    var filter = JobBook.Filter()
    filter.statuses = [.training]
    return filter
  }
}
