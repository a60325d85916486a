import CommandSupport
import Foundation
import Synchronization
import Testing
import TrainingClient
import TrainingService

@Suite("The HTTP interface")
struct InterfaceTests {
  @Test("a training is started, followed and read as its users have always done it")
  func formerInterface() async throws {
    try await TestServer.run { server in
      let token = try await server.token()
      let headers = ["Authorization": "Bearer \(token)"]
      let started = try await server.form(
        "/start_training/", ["model_type": "fake", "data_path": "", "epochs": "5"], headers: headers)
      #expect(started.status == 200)
      let id = try #require(try started.json["job_id"]?.string)
      #expect(try started.json == ["job_id": .string(id), "status": "pending"])
      _ = try await server.wait(for: id, token: token)
      let status = try await server.send("GET", "/training_status/\(id)", headers: headers).json
      #expect(
        Set(status.object?.keys.map(\.self) ?? [])
          == ["job_id", "status", "metrics", "model_path", "created_at", "updated_at"])
      #expect(status["status"] == "completed")
      #expect(status["metrics"] == ["recall_at_k": 0.25, "precision_at_k": nil, "f1_at_k": nil])
      #expect(status["model_path"]?.string == server.folder.path("models/\(id)"))

      let refused = try await server.form("/start_training/", ["model_type": "tarot"], headers: headers)
      #expect(refused.status == 422)
      #expect(
        try refused.json.member(at: "error.fields")?.array?.first
          == ["field": "model_type", "message": "model_type is \"tarot\"; expected one of fake"])
      #expect(try await server.send("GET", "/training_status/nothing", headers: headers).status == 404)
    }
  }

  @Test("nobody gets in without signing in, and nobody sees what is another's")
  func separates() async throws {
    try await TestServer.run { server in
      let anna = try await server.token()
      let ben = try await server.token("ben@example.org")
      let job = try #require(
        try await server.json("POST", "/api/v1/jobs", ["kind": "fake"], token: anna).json["id"]?.string)
      _ = try await server.wait(for: job, token: anna)
      let addresses = [
        "/api/v1/me", "/api/v1/tokens", "/api/v1/kinds", "/api/v1/data", "/api/v1/jobs", "/api/v1/jobs/\(job)",
        "/api/v1/jobs/\(job)/logs", "/api/v1/jobs/\(job)/history", "/api/v1/jobs/\(job)/events", "/api/v1/models",
        "/api/v1/models/fake", "/api/v1/models/fake/versions/1", "/api/v1/models/fake/versions/1/files/fake.onnx",
        "/training_status/\(job)", "/metrics",
      ]
      for address in addresses {
        #expect(try await server.send("GET", address).status == 401, "\(address)")
        #expect(try await server.json("GET", address, token: "rk_wrong").status == 401, "\(address)")
        #expect(try await server.json("GET", address, token: anna).status == 200, "\(address)")
        let other = try await server.json("GET", address, token: ben)
        if address.contains(job) || address.contains("fake") { #expect(other.status == 404, "\(address)") }
      }
      let changes = [
        "/api/v1/jobs/\(job)/cancel", "/api/v1/jobs/\(job)/retry", "/api/v1/models/fake/versions/1/promote",
        "/api/v1/models/fake/roll_back",
      ]
      for address in changes {
        #expect(try await server.json("POST", address).status == 401, "\(address)")
        #expect(try await server.json("POST", address, token: ben).status == 404, "\(address)")
      }
      #expect(try await server.json("DELETE", "/api/v1/models/fake/versions/1", token: ben).status == 404)
      #expect(try await server.json("GET", "/api/v1/jobs", token: ben).json == ["jobs": [], "total": 0])
      #expect(try await server.json("GET", "/api/v1/jobs", token: anna).json["total"] == 1)
      #expect(try await server.send("GET", "/health").json == ["status": "ok"])
    }
  }

  @Test("a job is followed live to its end, and again from any event on")
  func follows() async throws {
    try await TestServer.run { server in
      let token = try await server.token()
      let job = try #require(
        try await server.json("POST", "/api/v1/jobs", ["kind": "fake", "parameters": ["epochs": 4]], token: token)
          .json["id"]?.string)
      let stream = try await server.json("GET", "/api/v1/jobs/\(job)/events", token: token)
      #expect(stream.header("Content-Type") == "text/event-stream; charset=utf-8")
      let blocks = stream.text.components(separatedBy: "\n\n").filter { !$0.isEmpty && !$0.hasPrefix(":") }
      let epochs = blocks.filter { $0.contains("event: epoch\n") }
      #expect(epochs.count == 4)
      let last = try #require(blocks.last)
      #expect(last.hasPrefix("event: job\n"))
      #expect(last.contains("\"status\":\"completed\""))

      let id = try #require(epochs[1].split(separator: "\n").first?.dropFirst(4))
      let rest = try await server.send(
        "GET", "/api/v1/jobs/\(job)/events",
        headers: ["Authorization": "Bearer \(token)", "Last-Event-ID": String(id)])
      #expect(rest.text.components(separatedBy: "event: epoch\n").count == 3)
    }
  }

  @Test("a model's files come down as they were written, and nothing else does")
  func downloads() async throws {
    try await TestServer.run { server in
      let token = try await server.token()
      let job = try #require(
        try await server.json("POST", "/api/v1/jobs", ["kind": "fake", "model_name": "shop"], token: token)
          .json["id"]?.string)
      _ = try await server.wait(for: job, token: token)
      let file = try await server.json("GET", "/api/v1/models/shop/versions/1/files/fake.onnx", token: token)
      #expect(file.text == "model\n")
      #expect(file.header("Content-Disposition") == "attachment; filename=\"fake.onnx\"")
      for name in [".lock", "starts", "../\(job)/fake.onnx", "%2e%2e/\(job)/fake.onnx", "fake.onnx/.."] {
        let answer = try await server.json("GET", "/api/v1/models/shop/versions/1/files/\(name)", token: token)
        #expect(answer.status == 404, "\(name)")
      }
      let promoted = try await server.json("POST", "/api/v1/models/shop/versions/1/promote", token: token)
      #expect(try promoted.json["promoted"] == true)
      #expect(try await server.json("DELETE", "/api/v1/models/shop/versions/1", token: token).status == 409)
      let again = try await server.json("POST", "/api/v1/jobs", ["kind": "fake", "model_name": "shop"], token: token)
      let second = try #require(try again.json["id"]?.string)
      _ = try await server.wait(for: second, token: token)
      #expect(try await server.json("DELETE", "/api/v1/models/shop/versions/2", token: token).status == 204)
      #expect(!FileManager.default.fileExists(atPath: server.folder.path("models/\(second)")))
      #expect(try await server.json("GET", "/api/v1/models/shop/versions/2", token: token).status == 404)
    }
  }

  @Test("what a client sends wrongly is named, with what was expected")
  func refuses() async throws {
    try await TestServer.run(workers: 0) { server in
      let token = try await server.token()
      func expect(_ method: String, _ path: String, _ body: JSONValue? = nil, status: Int, _ message: String)
        async throws
      {
        let answer = try await server.json(method, path, body, token: token)
        #expect(answer.status == status)
        #expect(try answer.json.member(at: "error.message")?.string == message)
      }
      try await expect(
        "POST", "/api/v1/jobs", ["knid": "als"], status: 400,
        "the body has a member \"knid\"; known are data_path, kind, model_name, parameters")
      try await expect("POST", "/api/v1/jobs", ["kind": 3], status: 400, "\"kind\" is 3; expected a string")
      try await expect("POST", "/api/v1/jobs", [1], status: 400, "the body is not a JSON object")
      try await expect(
        "POST", "/api/v1/jobs", ["kind": "fake", "parameters": ["epochs": 0]], status: 422,
        "Epochs is \"0\"; expected a whole number from 1 to 1000000")
      try await expect(
        "POST", "/api/v1/jobs", ["kind": "fake", "data_path": "../x"], status: 404,
        "\"../x\" is not within the data folder; name a file or folder by its path from there")
      try await expect(
        "POST", "/api/v1/jobs", ["kind": "fake", "parameters": ["epochs": nil]], status: 422,
        "Epochs is \"null\"; expected a whole number")
      try await expect(
        "GET", "/api/v1/jobs?limit=all", status: 400, "limit is \"all\"; expected a whole number from 1 to 500")
      let statuses = "pending, loading_data, preprocessing, training, completed, failed, cancelled"
      try await expect(
        "GET", "/api/v1/jobs?status=done", status: 400,
        "status is \"done\"; expected some of \(statuses), with commas")
      try await expect("GET", "/api/v1/nothing", status: 404, "there is nothing at /api/v1/nothing")
      let form = try await server.send(
        "POST", "/api/v1/jobs", body: Data("kind=fake".utf8),
        headers: ["Authorization": "Bearer \(token)", "Content-Type": "text/plain"])
      #expect(form.status == 415)
      let large = try await server.send(
        "POST", "/api/v1/jobs", body: Data(repeating: 32, count: 2 << 20),
        headers: ["Authorization": "Bearer \(token)", "Content-Type": "application/json"])
      #expect(large.status == 413)
    }
  }

  @Test("guessing passwords ends after ten tries")
  func limitsSignIn() async throws {
    try await TestServer.run(workers: 0) { server in
      _ = try await server.token()
      for _ in 0..<10 {
        let answer = try await server.json(
          "POST", "/api/v1/sessions", ["email": "anna@example.org", "password": "wrong horse"])
        #expect(answer.status == 401)
      }
      let shut = try await server.json(
        "POST", "/api/v1/sessions", ["email": "anna@example.org", "password": "correct horse"])
      #expect(shut.status == 429)
      #expect((Int(shut.header("Retry-After") ?? "") ?? 0) > 0)
    }
  }

  @Test("tokens of programs are made, listed without their secrets, and revoked")
  func tokens() async throws {
    try await TestServer.run(workers: 0) { server in
      let token = try await server.token()
      let made = try await server.json("POST", "/api/v1/tokens", ["name": "nightly"], token: token).json
      let secret = try #require(made["token"]?.string)
      #expect(try await server.json("GET", "/api/v1/me", token: secret).json["email"] == "anna@example.org")
      let listed = try await server.json("GET", "/api/v1/tokens", token: token)
      #expect(!listed.text.contains(secret))
      let id = try #require(made["id"]?.integer)
      let own = try await server.json("POST", "/api/v1/tokens", ["name": "own"], token: token).json
      let address = "/api/v1/tokens/\(own["id"]?.integer ?? 0)"
      #expect(try await server.json("DELETE", address, token: own["token"]?.string).status == 409)
      #expect(try await server.json("DELETE", address, token: token).status == 204)
      #expect(try await server.json("DELETE", "/api/v1/tokens/\(id)", token: token).status == 204)
      #expect(try await server.json("GET", "/api/v1/me", token: secret).status == 401)
      #expect(try await server.json("DELETE", "/api/v1/tokens/\(id)", token: token).status == 404)
    }
  }

  @Test("every answer carries the headers that keep browsers careful")
  func headers() async throws {
    try await TestServer.run(workers: 0) { server in
      for path in ["/health", "/api/v1/me", "/nothing"] {
        let answer = try await server.send("GET", path)
        let policy = answer.header("Content-Security-Policy") ?? ""
        #expect(policy.contains("default-src 'none'") && !policy.contains("unsafe"), "\(path)")
        #expect(answer.header("X-Content-Type-Options") == "nosniff")
        #expect(answer.header("X-Frame-Options") == "DENY")
        #expect(answer.header("Referrer-Policy") == "same-origin")
        #expect(answer.header("Cache-Control") == "no-store")
      }
    }
  }

  @Test("Prometheus reads how many jobs there are and how long requests take")
  func metrics() async throws {
    try await TestServer.run(workers: 0) { server in
      let token = try await server.token()
      _ = try await server.json("POST", "/api/v1/jobs", ["kind": "fake"], token: token)
      let lines = try await server.json("GET", "/metrics", token: token).text.split(separator: "\n")
      #expect(lines.contains("ranker_jobs{status=\"pending\"} 1"))
      let series = "ranker_http_requests_total{method=\"POST\",route=\"/api/v1/jobs\",status=\"201\"} 1"
      #expect(lines.contains { $0 == series })
    }
  }

  @Test("the served OpenAPI document has every kind's parameters, and what it does not have is not allowed")
  func description() async throws {
    try await TestServer.run(workers: 0) { server in
      let document = try await server.send("GET", "/api/v1/openapi.json").json
      #expect(document["openapi"] == "3.1.0")
      let request = document.member(at: "components.schemas.JobRequest.oneOf")?.array?.first
      #expect(request?.member(at: "properties.kind.const") == "fake")
      let epochs = request?.member(at: "properties.parameters.properties.epochs")
      #expect(epochs == ["type": "integer", "minimum": 1, "maximum": 1_000_000, "description": "Passes."])
      let paths = try #require(document["paths"]?.object)
      #expect(paths.count >= 18)
      for (path, item) in paths {
        let methods = (item.object ?? [:]).keys.map { $0.uppercased() }
        let address = path.replacing(/\{[a-z]+\}/, with: "1")
        let refused = try await server.send("PATCH", address)
        #expect(refused.status == 405, "\(path)")
        let allowed = refused.header("Allow")?.components(separatedBy: ", ").filter { $0 != "HEAD" }
        #expect(allowed == methods.sorted(), "\(path)")
        for method in methods where path != "/api/v1/sessions" {
          #expect(try await server.json(method, address).status == 401, "\(method) \(path)")
        }
      }
    }
  }

  @Test("the client starts, lists, cancels and waits, and hears what is wrong in the server's words")
  func client() async throws {
    try await TestServer.run { server in
      let token = try await server.token()
      let address = "http://127.0.0.1:\(server.port)"
      let client = try await TrainingClient(server: address, email: "anna@example.org", password: "correct horse")
      let job = try await client.start("fake", model: "shop", parameters: ["epochs": "4", "learning_rate": "0.5"])
      #expect(job.modelName == "shop")
      let seen = Mutex<[String]>([])
      let ended = try await client.wait(for: job.id) { job in seen.withLock { $0.append(job.status) } }
      #expect(ended.status == "completed")
      #expect(ended.metrics.recallAtK == 0.25)
      #expect(seen.withLock { $0.last } == "completed")
      let other = try await TrainingClient(server: address, token: token).start("fake", parameters: ["trouble": "hang"])
      _ = try await client.cancel(other.id)
      #expect(try await client.wait(for: other.id).status == "cancelled")
      #expect(try await client.jobs(status: "completed").map(\.id) == [job.id])
      #expect(try await client.jobs().count == 2)

      let message = "Epochs is \"0\"; expected a whole number from 1 to 1000000"
      await #expect(throws: TrainingClientError.refused(status: 422, message: message, fields: ["epochs": message])) {
        try await client.start("fake", parameters: ["epochs": "0"])
      }
      await #expect(throws: TrainingClientError.self) {
        try await TrainingClient(server: address, email: "anna@example.org", password: "wrong horse")
      }
      #expect(throws: TrainingClientError.notAnAddress("somewhere")) {
        try TrainingClient(server: "somewhere", token: "")
      }
    }
  }

  @Test("a server that is stopped and started again goes on with what it had")
  func restarts() async throws {
    let folder = try TemporaryDirectory()
    let job = Mutex("")
    try await TestServer.run(in: folder) { server in
      #expect(server.firstAccountPath != nil)
      let token = try await server.token()
      let answer = try await server.json(
        "POST", "/api/v1/jobs", ["kind": "fake", "parameters": ["trouble": "hang", "at": 3]], token: token)
      let id = try answer.json["id"]?.string ?? ""
      job.withLock { $0 = id }
      try await server.wait(for: id, status: "training", token: token)
    }
    let id = job.withLock { $0 }
    let store = try ServiceStore(path: folder.path("service.db"))
    let anna = try #require(try await Accounts(store).user(email: "anna@example.org"))
    let book = JobBook(store, signals: JobSignals())
    let given = try await book.job(id, for: Viewer(anna))
    #expect(given.status == .pending)
    try await TestServer.run(in: folder) { server in
      #expect(server.firstAccountPath == nil)
      let answer = try await server.json(
        "POST", "/api/v1/sessions", ["email": "anna@example.org", "password": "correct horse"])
      let token = try answer.json["token"]?.string ?? ""
      // It goes on in epoch 3, where it hangs.
      try await server.wait(for: id, status: "preprocessing", token: token)
      #expect(try await server.json("GET", "/api/v1/jobs/\(id)", token: token).json["attempt"] == 2)
      _ = try await server.json("POST", "/api/v1/jobs/\(id)/cancel", token: token)
      #expect(try await server.wait(for: id, token: token)["status"] == "cancelled")
    }
  }
}
