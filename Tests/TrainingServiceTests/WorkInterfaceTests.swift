import Checkpoints
import CommandSupport
import Foundation
import Testing
import TrainingService

/// What a server takes from workers, and what it refuses.
@Suite("The API for workers")
struct WorkInterfaceTests {
  /// An attempt at a job, as a worker sees it.
  private struct Hold {
    let server: TestServer
    let admin: String
    let token: String
    let job: String

    init(_ server: TestServer) async throws {
      self.server = server
      admin = try await server.token("admin@example.org", isAdmin: true)
      token = try await server.workerToken(admin)
      job = try await server.json("POST", "/api/v1/jobs", ["kind": "fake"], token: admin).json["id"]?.string ?? ""
    }

    func claim(_ key: String) async throws -> Answer {
      try await server.json(
        "POST", "/api/v1/work/claims", ["worker": "test", "key": .string(key), "milliseconds": 0], token: token)
    }

    func path(_ rest: String, attempt: Int = 1) -> String { "/api/v1/work/jobs/\(job)/attempts/\(attempt)/\(rest)" }

    func send(_ text: String, as checksum: String? = nil, attempt: Int = 1) async throws -> Answer {
      let data = Data(text.utf8)
      let checksum = checksum ?? Self.checksum(text)
      return try await server.send(
        "PUT", path("files/\(checksum)", attempt: attempt), body: data, headers: ["Authorization": "Bearer \(token)"])
    }

    static func checksum(_ text: String) -> String { SHA256.hexadecimal(of: Array(text.utf8)) }

    func file(_ path: String, _ text: String) -> JSONValue {
      ["path": .string(path), "size": .integer(Int64(text.utf8.count)), "sha256": .string(Self.checksum(text))]
    }

    func post(_ rest: String, _ body: JSONValue, attempt: Int = 1) async throws -> Answer {
      try await server.json("POST", path(rest, attempt: attempt), body, token: token)
    }
  }

  @Test("only an administrator makes a worker's token, and it opens nothing else")
  func tokens() async throws {
    try await TestServer.run(workers: 0) { server in
      let hold = try await Hold(server)
      let anna = try await server.token("anna@example.org")
      let asked = try await server.json("POST", "/api/v1/tokens", ["name": "w", "worker": true], token: anna)
      #expect(asked.status == 403, "\(asked.text)")
      for (token, status) in [(anna, 403), (hold.admin, 403), (hold.token, 204)] {
        #expect(try await server.json("GET", "/api/v1/work", token: token).status == status)
      }
      #expect(try await server.json("GET", "/api/v1/work").status == 401)
      for token in [anna, hold.admin] {
        let body: JSONValue = ["worker": "x", "key": "0123456789abcdef", "milliseconds": 0]
        #expect(try await server.json("POST", "/api/v1/work/claims", body, token: token).status == 403)
      }
      for path in ["/api/v1/jobs", "/api/v1/me", "/api/v1/models", "/api/v1/tokens", "/metrics"] {
        #expect(try await server.json("GET", path, token: hold.token).status == 403, "\(path)")
      }
      #expect(try await hold.claim("0123456789abcdef").status == 200)
      for (method, rest) in [("GET", "data"), ("GET", "state"), ("POST", "renew")] {
        #expect(try await server.json(method, hold.path(rest), token: anna).status == 403)
      }
      let put = try await server.send(
        "PUT", hold.path("files/\(Hold.checksum("a"))"), body: Data("a".utf8),
        headers: ["Authorization": "Bearer \(anna)"])
      #expect(put.status == 403)
    }
  }

  @Test("a question whose answer got lost is answered as before")
  func sameKey() async throws {
    try await TestServer.run(workers: 0) { server in
      let hold = try await Hold(server)
      let first = try await hold.claim("0123456789abcdef")
      let second = try await hold.claim("0123456789abcdef")
      #expect(first.status == 200)
      #expect(try first.json == second.json)
      #expect(try first.json["attempt"] == 1)
      #expect(try await hold.claim("another question").status == 204)
    }
  }

  @Test("what was heard already is not noted twice")
  func reportsAgain() async throws {
    try await TestServer.run(workers: 0) { server in
      let hold = try await Hold(server)
      _ = try await hold.claim("0123456789abcdef")
      func log(_ text: String) -> JSONValue { ["kind": "log", "body": ["text": .string(text)]] }
      _ = try await hold.post("reports", ["events": [log("a"), log("b")]])
      _ = try await hold.post("reports", ["events": [log("a"), log("b"), log("c")], "heard": 0])
      _ = try await hold.post("reports", ["events": [log("d")], "heard": 3])
      let events = try await server.json("GET", "/api/v1/jobs/\(hold.job)/logs", token: hold.admin).json["events"]
      #expect(events?.array?.compactMap { $0["body"]?["text"]?.string } == ["a", "b", "c", "d"])
      #expect(try await hold.post("reports", ["status": "completed", "events": []]).status == 400)
    }
  }

  @Test("a file whose checksum is another is refused, and counts when it is sent again")
  func wrongChecksum() async throws {
    try await TestServer.run(workers: 0) { server in
      let hold = try await Hold(server)
      _ = try await hold.claim("0123456789abcdef")
      let wrong = try await hold.send("damaged", as: Hold.checksum("whole"))
      #expect(wrong.status == 422)
      #expect(wrong.text.contains("send it again"))
      let end: JSONValue = ["end": "completed", "files": [hold.file("fake.onnx", "whole")], "metrics": [:]]
      #expect(try await hold.post("end", end).json["missing"] == [.string(Hold.checksum("whole"))])
      #expect(try await hold.send("whole").status == 204)
      #expect(try await hold.post("end", end).json["missing"] == [])
      let model = server.folder.path("models/\(hold.job)/fake.onnx")
      #expect(try String(contentsOfFile: model, encoding: .utf8) == "whole")
      #expect(try await hold.post("end", end).status == 409, "a job ends once")
    }
  }

  @Test("what an attempt sends that lost its lease is refused, and what it sent is swept")
  func staleAttempt() async throws {
    let folder = try TemporaryDirectory()
    try await TestServer.run(workers: 0, in: folder, lease: .milliseconds(300)) { server in
      let hold = try await Hold(server)
      _ = try await hold.claim("0123456789abcdef")
      #expect(try await hold.send("early").status == 204)
      try await Task.sleep(for: .milliseconds(500))
      // The lease ran out: the job waits for its next attempt, which comes after two seconds.
      #expect(try await hold.claim("another question").status == 204)
      for answer in [
        try await hold.send("late"), try await hold.post("renew", [:]),
        try await hold.post("reports", ["events": []]),
        try await hold.post("state", ["files": [hold.file("fake_training_state.pth", "early")]]),
        try await hold.post("end", ["end": "completed", "files": [hold.file("fake.onnx", "early")], "metrics": [:]]),
      ] { #expect(answer.status == 409, "\(answer.text)") }
      #expect(!FileManager.default.fileExists(atPath: folder.path("models/\(hold.job)/fake.onnx")))
    }
    let incoming = folder.path("models/.incoming")
    let left = try FileManager.default.subpathsOfDirectory(atPath: incoming)
    #expect(left.contains { $0.hasSuffix(Hold.checksum("early")) })
    try await TestServer.run(workers: 0, in: folder) { _ in
      for _ in 0..<100 where !(try FileManager.default.contentsOfDirectory(atPath: incoming)).isEmpty {
        try await Task.sleep(for: .milliseconds(50))
      }
      #expect(try FileManager.default.contentsOfDirectory(atPath: incoming).isEmpty)
    }
  }

  @Test(
    "a name that leads out of the job's folder is refused",
    arguments: [
      "../other", "/etc/passwd", "a/../../b", ".lock", "a/.hidden", "", "a//b", "a/", "a\u{0}b", "a\nb", ".",
      String(repeating: "n", count: 300),
    ])
  func pathTraversal(_ name: String) async throws {
    try await TestServer.run(workers: 0) { server in
      let hold = try await Hold(server)
      _ = try await hold.claim("0123456789abcdef")
      #expect(try await hold.send("content").status == 204)
      let end: JSONValue = ["end": "completed", "files": [hold.file(name, "content")], "metrics": [:]]
      #expect(try await hold.post("end", end).status == 400)
      let state: JSONValue = ["files": [hold.file(name + "/x_training_state.pth", "content")]]
      #expect(try await hold.post("state", state).status == 400)
      let job = try await server.json("GET", "/api/v1/jobs/\(hold.job)", token: hold.admin).json
      #expect(job["status"] == "loading_data")
      #expect(!FileManager.default.fileExists(atPath: server.folder.path("models/\(hold.job)")))
    }
  }

  @Test("a link in the job's folder leads no file elsewhere")
  func links() async throws {
    try await TestServer.run(workers: 0) { server in
      let hold = try await Hold(server)
      _ = try await hold.claim("0123456789abcdef")
      _ = try await hold.send("content")
      let outside = server.folder.path("outside")
      try FileManager.default.createDirectory(atPath: outside, withIntermediateDirectories: true)
      let model = server.folder.path("models/\(hold.job)")
      try FileManager.default.createDirectory(atPath: model, withIntermediateDirectories: true)
      try FileManager.default.createSymbolicLink(atPath: "\(model)/samples", withDestinationPath: outside)
      let end: JSONValue = ["end": "completed", "files": [hold.file("samples/x", "content")], "metrics": [:]]
      #expect(try await hold.post("end", end).status >= 400)
      #expect(try FileManager.default.contentsOfDirectory(atPath: outside).isEmpty)
    }
  }

  @Test("data is served by checksum, whole or in parts, and nothing else of the data folder")
  func data() async throws {
    try await TestServer.run(workers: 0) { server in
      let hold = try await Hold(server)
      try Data("0123456789".utf8).write(to: server.folder.url.appendingPathComponent("data/digits.csv"))
      try Data("secret".utf8).write(to: server.folder.url.appendingPathComponent("data/secret.csv"))
      _ = try await server.json("POST", "/api/v1/jobs/\(hold.job)/cancel", token: hold.admin)
      let job = try await server.json(
        "POST", "/api/v1/jobs", ["kind": "fake", "data_path": "digits.csv"], token: hold.admin
      ).json["id"]?.string
      #expect(try await hold.claim("0123456789abcdef").json["job"]?["id"]?.string == job)
      let path = "/api/v1/work/jobs/\(job ?? "")/attempts/1/data"
      let list = try await server.json("GET", path, token: hold.token).json["files"]
      #expect(list == [hold.file("digits.csv", "0123456789")])
      let authorization = ["Authorization": "Bearer \(hold.token)"]
      let file = "\(path)/\(Hold.checksum("0123456789"))"
      #expect(try await server.send("GET", file, headers: authorization).text == "0123456789")
      let part = try await server.send(
        "GET", file, headers: authorization.merging(["Range": "bytes=3-5"]) { $1 })
      #expect(part.status == 206)
      #expect(part.text == "345")
      #expect(part.header("Content-Range") == "bytes 3-5/10")
      let other = try await server.send("GET", "\(path)/\(Hold.checksum("secret"))", headers: authorization)
      #expect(other.status == 404)
    }
  }
}
