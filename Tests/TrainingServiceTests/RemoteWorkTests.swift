import CommandSupport
import Foundation
import Testing
import TrainingService

/// A worker that shares no disk with its server, over HTTP.
@Suite("A worker far away")
struct RemoteWorkTests {
  /// A worker with a folder of its own; it saves its state several times a second.
  private static func source(_ server: TestServer, scratch: String, token: String) throws -> RemoteWork {
    var settings = RemoteWorkSettings(
      server: "http://127.0.0.1:\(server.port)", token: token, scratch: server.folder.path(scratch))
    settings.stateInterval = .milliseconds(100)
    return try RemoteWork(settings)
  }

  private static func worker(_ source: RemoteWork, of server: TestServer, name: String = "far") -> Worker {
    Worker(
      name: name, source: source, catalogue: server.fake.catalogue,
      settings: WorkerSettings(modelsDirectory: source.jobsDirectory), logger: silent)
  }

  /// A job of the fake training.
  private static func start(
    _ values: [String: JSONValue], data: String? = nil, on server: TestServer, token: String
  ) async throws -> String {
    let answer = try await server.json(
      "POST", "/api/v1/jobs",
      ["kind": "fake", "data_path": data.map(JSONValue.string) ?? .null, "parameters": .object(values)], token: token)
    #expect(answer.status == 201, "\(answer.text)")
    return try answer.json["id"]?.string ?? ""
  }

  private static func lines(_ name: String, of job: String, in folder: String) -> [String] {
    let text = try? String(contentsOfFile: "\(folder)/\(job)/\(name)", encoding: .utf8)
    return text?.split(separator: "\n").map(String.init) ?? []
  }

  /// Everything that is below a folder of the server, hidden or not.
  private static func names(below folder: String) -> [String] {
    ((try? FileManager.default.subpathsOfDirectory(atPath: folder)) ?? []).sorted()
  }

  @Test("fetches the data, and brings the model to the server, byte by byte")
  func trains() async throws {
    try await TestServer.run(workers: 0) { server in
      let admin = try await server.token("admin@example.org", isAdmin: true)
      let token = try await server.workerToken(admin)
      // More than is fetched and sent at a time, in a folder with another file.
      var bytes = [UInt8](repeating: 0, count: 20_000_003)
      for index in bytes.indices { bytes[index] = UInt8(truncatingIfNeeded: index &* 2_654_435_761 >> 13) }
      let data = server.folder.url.appendingPathComponent("data/clicks")
      try FileManager.default.createDirectory(at: data, withIntermediateDirectories: true)
      try Data(bytes).write(to: data.appendingPathComponent("clicks.csv"))
      try Data("hidden".utf8).write(to: data.appendingPathComponent(".hidden"))
      try Data("small".utf8).write(to: data.appendingPathComponent("small.csv"))
      let source = try Self.source(server, scratch: "far", token: token)
      let work = Task { await Self.worker(source, of: server).run() }
      for round in 1...2 {
        let id = try await Self.start(["trouble": "copy"], data: "clicks", on: server, token: admin)
        let job = try await server.wait(for: id, token: admin)
        #expect(job["status"] == "completed", "\(job)")
        #expect(job["attempt"] == 1)
        let model = server.folder.path("models/\(id)")
        #expect(job["model_path"]?.string == model)
        #expect(job["result"]?["directory"]?.string == model)
        // A state may have been sent meanwhile.
        let names = Self.names(below: model).filter { $0 != ".lock" && $0 != "fake_training_state.pth" }
        #expect(names == ["fake.onnx", "samples", "samples/clicks.csv", "samples/small.csv"])
        #expect(try Data(contentsOf: URL(fileURLWithPath: "\(model)/samples/clicks.csv")) == Data(bytes))
        let version = try await server.json("GET", "/api/v1/models/fake", token: admin).json
        #expect(version["versions"]?.array?.count == round)
      }
      // The second job found the data here: two files, once each.
      #expect(Self.names(below: server.folder.path("far/data")).count == 2)
      #expect(Self.names(below: server.folder.path("far/jobs")).isEmpty)
      #expect(Self.names(below: server.folder.path("models/.incoming")).isEmpty)
      work.cancel()
      await work.value
    }
  }

  @Test("goes on from the state that a lost worker sent")
  func resumesElsewhere() async throws {
    try await TestServer.run(workers: 0, lease: .seconds(1)) { server in
      let admin = try await server.token("admin@example.org", isAdmin: true)
      let token = try await server.workerToken(admin)
      let id = try await Self.start(["trouble": "hang", "at": 4, "epochs": 6], on: server, token: admin)
      let first = try Self.source(server, scratch: "first", token: token)
      let work = Task { await Self.worker(first, of: server, name: "first").run() }
      try await server.wait(for: id, status: "training", token: admin)
      let state = server.folder.path("models/\(id)/fake_training_state.pth")
      for _ in 0..<400 where (try? String(contentsOfFile: state, encoding: .utf8)) != "3\n" {
        try await Task.sleep(for: .milliseconds(20))
      }
      // It is lost while the state is the server's: what it says from now on does not count.
      let accounts = Accounts(try ServiceStore(path: server.folder.path("service.db")))
      let user = try #require(try await accounts.user(email: "admin@example.org"))
      for lost in try await accounts.tokens(of: user) where lost.isWorker {
        _ = try await accounts.revokeToken(lost.id, of: user)
      }
      let second = try Self.source(server, scratch: "second", token: try await server.workerToken(admin))
      let other = Task { await Self.worker(second, of: server, name: "second").run() }
      let folder = second.jobsDirectory
      for _ in 0..<600 where Self.lines("starts", of: id, in: folder).isEmpty {
        try await Task.sleep(for: .milliseconds(20))
      }
      #expect(Self.lines("starts", of: id, in: folder).compactMap { $0.split(separator: " ").last } == ["4"])
      _ = try await server.json("POST", "/api/v1/jobs/\(id)/cancel", token: admin)
      let job = try await server.wait(for: id, token: admin)
      #expect(job["status"] == "cancelled")
      #expect(job["attempt"] == 2)
      for task in [work, other] {
        task.cancel()
        await task.value
      }
    }
  }

  @Test("gives its job back when it is stopped, its state with it")
  func stops() async throws {
    try await TestServer.run(workers: 0) { server in
      let admin = try await server.token("admin@example.org", isAdmin: true)
      var settings = RemoteWorkSettings(
        server: "http://127.0.0.1:\(server.port)", token: try await server.workerToken(admin),
        scratch: server.folder.path("far"))
      settings.stateInterval = .seconds(3600)
      let source = try RemoteWork(settings)
      let id = try await Self.start(["trouble": "hang", "at": 3], on: server, token: admin)
      let work = Task { await Self.worker(source, of: server).run() }
      try await server.wait(for: id, status: "training", token: admin)
      work.cancel()
      await work.value
      let job = try await server.json("GET", "/api/v1/jobs/\(id)", token: admin).json
      #expect(job["status"] == "pending")
      #expect(job["failures"] == 0)
      let state = server.folder.path("models/\(id)/fake_training_state.pth")
      #expect(try String(contentsOfFile: state, encoding: .utf8) == "2\n")
    }
  }

  @Test("says in the training's own words why it was refused, and tries a killed one again")
  func fails() async throws {
    try await TestServer.run(workers: 0) { server in
      let admin = try await server.token("admin@example.org", isAdmin: true)
      let source = try Self.source(server, scratch: "far", token: try await server.workerToken(admin))
      let work = Task { await Self.worker(source, of: server).run() }
      let refused = try await Self.start(["trouble": "refuse"], on: server, token: admin)
      let first = try await server.wait(for: refused, token: admin)
      #expect(first["status"] == "failed")
      #expect(first["problem"] == "line 3: no user_id")
      let killed = try await Self.start(["trouble": "once", "epochs": 4, "at": 3], on: server, token: admin)
      let second = try await server.wait(for: killed, token: admin)
      #expect(second["status"] == "completed")
      #expect(second["attempt"] == 2)
      let epochs = try await server.json("GET", "/api/v1/jobs/\(killed)/history", token: admin).json["events"]?.array
      #expect(epochs?.compactMap { $0["body"]?["epoch"]?.integer } == [1, 2, 3, 4])
      work.cancel()
      await work.value
    }
  }

  @Test("with the server's disk, fetches nothing; with too little room, says so")
  func dataOnADisk() async throws {
    try await TestServer.run(workers: 0) { server in
      let admin = try await server.token("admin@example.org", isAdmin: true)
      let token = try await server.workerToken(admin)
      try Data(repeating: 7, count: 3 << 20).write(to: server.folder.url.appendingPathComponent("data/clicks.csv"))
      var settings = RemoteWorkSettings(
        server: "http://127.0.0.1:\(server.port)", token: token, scratch: server.folder.path("small"))
      settings.cacheLimit = 2 << 20
      let small = try RemoteWork(settings)
      let id = try await Self.start([:], data: "clicks.csv", on: server, token: admin)
      var work = Task { await Self.worker(small, of: server).run() }
      var problem: JSONValue?
      for _ in 0..<400 {
        problem = try await server.json("GET", "/api/v1/jobs/\(id)", token: admin).json["problem"]
        if problem != .null { break }
        try await Task.sleep(for: .milliseconds(20))
      }
      #expect(problem == "the data has 3 MB, more than the 2 MB that this worker keeps (--cache-limit)")
      work.cancel()
      await work.value
      settings.dataRoot = server.folder.path("data")
      let near = try RemoteWork(settings)
      work = Task { await Self.worker(near, of: server).run() }
      #expect(try await server.wait(for: id, token: admin)["status"] == "completed")
      #expect(Self.names(below: server.folder.path("small/data")).isEmpty)
      work.cancel()
      await work.value
    }
  }
}
