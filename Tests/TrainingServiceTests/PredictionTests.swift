import CommandSupport
import Foundation
import Testing
import TrainingClient
import TrainingService

@Suite("Predictions")
struct PredictionTests {
  private let address = "/api/v1/models/fake/echo"

  /// Trains versions of the model; the ids of their jobs.
  private func train(_ count: Int, _ server: TestServer, token: String) async throws -> [String] {
    var jobs: [String] = []
    for _ in 0..<count {
      let started = try await server.json("POST", "/api/v1/jobs", ["kind": "fake"], token: token).json
      jobs.append(try #require(started["id"]?.string))
      #expect(try await server.wait(for: jobs.last!, token: token)["status"] == "completed")
    }
    return jobs
  }

  private func use(_ version: Int, _ server: TestServer, token: String) async throws {
    let answer = try await server.json("POST", "/api/v1/models/fake/versions/\(version)/promote", token: token)
    #expect(answer.status == 200)
  }

  private func ask(_ server: TestServer, token: String, _ body: JSONValue = ["texts": ["a"]]) async throws -> Answer {
    try await server.json("POST", address, body, token: token)
  }

  @Test("the version in use answers, and another one from the moment it is put into use; each is read once")
  func followsPromotions() async throws {
    try await TestServer.run { server in
      let token = try await server.token()
      let jobs = try await train(2, server, token: token)
      let idle = try await ask(server, token: token)
      #expect(idle.status == 409)
      #expect(try idle.json.member(at: "error.message") == "no version of \"fake\" is in use; promote one first")
      try await use(1, server, token: token)
      #expect(
        try await ask(server, token: token, ["texts": ["a", "b"], "weight": 1]).json
          == ["model": "fake", "version": 1, "echo": [["text": "a", "weight": 1], ["text": "b", "weight": 1]]])
      try await use(2, server, token: token)
      #expect(try await ask(server, token: token).json["version"] == 2)
      _ = try await server.json("POST", "/api/v1/models/fake/roll_back", token: token)
      #expect(try await ask(server, token: token).json["version"] == 1)
      #expect(jobs.map(server.fake.oracle.loads) == [1, 1])
      #expect(try await server.json("POST", "/api/v1/models/none/echo", ["texts": ["a"]], token: token).status == 404)
      let other = try await server.json("POST", "/api/v1/models/fake/divine", [:], token: token)
      #expect(other.status == 404)
      #expect(
        try other.json.member(at: "error.message")
          == "\"fake\" is a model of the kind fake, which does not divine; it can be asked to echo")
    }
  }

  @Test("no request fails while versions are put into use, rolled back and deleted")
  func switchesWithoutFailure() async throws {
    // Room for one model only: every switch reads files anew.
    var settings = PredictionSettings()
    settings.mostModels = 1
    settings.perMinute = 0
    try await TestServer.run(predictions: settings) { server in
      let token = try await server.token()
      _ = try await train(4, server, token: token)
      try await use(1, server, token: token)
      let versions = try await withThrowingTaskGroup(of: Set<Int64>.self) { group in
        for _ in 0..<4 {
          group.addTask {
            var seen: Set<Int64> = []
            for _ in 0..<60 {
              let answer = try await ask(server, token: token)
              #expect(answer.status == 200, "\(answer.text)")
              if let version = try answer.json["version"]?.integer { seen.insert(version) }
            }
            return seen
          }
        }
        for round in 0..<10 { try await use(round % 2 + 2, server, token: token) }
        try await use(4, server, token: token)
        for version in [2, 3] {
          let deleted = try await server.json("DELETE", "/api/v1/models/fake/versions/\(version)", token: token)
          #expect(deleted.status == 204)
        }
        return try await group.reduce(into: Set()) { $0.formUnion($1) }
      }
      #expect(versions.count > 1)
      #expect(try await ask(server, token: token).json["version"] == 4)
    }
  }

  @Test("what is wrong with a request is told field by field")
  func refuses() async throws {
    try await TestServer.run { server in
      let token = try await server.token()
      _ = try await train(1, server, token: token)
      try await use(1, server, token: token)
      func problems(_ body: JSONValue) async throws -> [String: String] {
        let answer = try await ask(server, token: token, body)
        #expect(answer.status == 422, "\(answer.text)")
        let fields = try answer.json.member(at: "error.fields")?.array ?? []
        return Dictionary(fields.map { ($0["field"]?.string ?? "", $0["message"]?.string ?? "") }) { first, _ in first }
      }
      #expect(try await problems([:]) == ["texts": "texts, or things is missing"])
      #expect(
        try await problems(["texts": ["a"], "things": [["id": "x"]]])["things"]
          == "give texts, or things, not several of them")
      #expect(
        try await problems(["texts": ["a", 7], "weight": 2, "count": 1.5, "loudly": "yes", "volume": 1])
          == [
            "texts[1]": "texts[1] is 7; expected a text of 1 to 20 characters",
            "weight": "weight is 2; expected a number from 0 to 1",
            "count": "count is 1.5; expected a whole number from 1 to 10",
            "loudly": "loudly is \"yes\"; expected true or false",
            "volume": "echo takes no \"volume\"; it takes texts, things, weight, count, loudly",
          ])
      #expect(try await problems(["texts": ["1", "2", "3", "4"]])["texts"] == "texts has 4 texts; expected 1 to 3")
      #expect(try await problems(["things": [["embedding": [1, 2]]]])["things[0].id"] == "things[0].id is missing")
      #expect(
        try await problems(["things": [["id": "a"], ["id": "b", "embedding": [1, 1e39], "colour": "red"]]])
          == [
            "things[1].embedding[1]": "things[1].embedding[1] is 1e+39; expected a number that a float holds",
            "things[1].colour": "things[1] has a member \"colour\"; known are id, embedding, metrics",
          ])
      #expect(
        try await problems(["things": [["id": "a", "metrics": ["x": "high"]]]])["things[0].metrics.x"]
          == "things[0].metrics.x is \"high\"; expected a number that a float holds")
      #expect(try await problems(["texts": ["unheard of"]])["texts"] == "texts has a word that nobody knows")

      func status(_ body: String, type: String = "application/json") async throws -> Int {
        let headers = ["Content-Type": type, "Authorization": "Bearer \(token)"]
        return try await server.send("POST", address, body: Data(body.utf8), headers: headers).status
      }
      #expect(try await status("[1]") == 400)
      #expect(try await status("{") == 400)
      #expect(try await status("texts=a", type: "application/x-www-form-urlencoded") == 415)
      #expect(try await status(String(repeating: " ", count: 9 << 20)) == 413)
      #expect(try await server.json("POST", address, ["texts": ["a"]]).status == 401)
    }
  }

  @Test("an account asks so often in a minute and no more, whatever others do")
  func limits() async throws {
    var settings = PredictionSettings()
    settings.perMinute = 2
    try await TestServer.run(predictions: settings) { server in
      let token = try await server.token()
      _ = try await train(1, server, token: token)
      try await use(1, server, token: token)
      #expect(try await ask(server, token: token).status == 200)
      #expect(try await ask(server, token: token, [:]).status == 422, "what is refused counts too")
      let refused = try await ask(server, token: token)
      #expect(refused.status == 429)
      let wait = try #require(refused.header("Retry-After").flatMap { Int($0) })
      #expect((1...30).contains(wait), "two a minute are one in thirty seconds")
      let other = try await server.token("ben@example.org")
      #expect(try await ask(server, token: other).status == 404)
      let metrics = try await server.json("GET", "/metrics", token: token).text
      for line in [
        "ranker_predictions_total{question=\"echo\",outcome=\"answered\"} 1",
        "ranker_predictions_total{question=\"echo\",outcome=\"refused\"} 2", "ranker_predictions_limited_total 1",
        "ranker_models_loaded 1", "ranker_models_loaded_bytes 1000", "ranker_predictions_waiting 0",
        "ranker_prediction_duration_seconds_count{question=\"echo\"} 1",
      ] { #expect(metrics.contains(line + "\n"), "\(line)") }
    }
  }

  @Test("a damaged model is said to be damaged, without telling where the server keeps it")
  func damaged() async throws {
    try await TestServer.run { server in
      let token = try await server.token()
      let jobs = try await train(2, server, token: token)
      try server.folder.write("damaged", to: "models/\(jobs[0])/fake.onnx")
      try await use(1, server, token: token)
      for _ in 0..<2 {
        let answer = try await ask(server, token: token)
        #expect(answer.status == 500)
        #expect(
          try answer.json.member(at: "error.message")
            == "version 1 of \"fake\" can't be used: fake.onnx is damaged. Put another version into use, or train it again"
        )
      }
      try server.folder.write("model\n", to: "models/\(jobs[0])/fake.onnx")
      #expect(try await ask(server, token: token).status == 200, "a mended one is read anew")
      #expect(server.fake.oracle.loads(of: jobs[0]) == 3)
    }
  }

  @Test(
    "the model that was asked longest ago makes room, and comes back when it is asked again", arguments: [1999, 2000])
  func forgets(mostBytes: Int) async throws {
    var settings = PredictionSettings()
    settings.mostBytes = mostBytes
    try await TestServer.run(predictions: settings) { server in
      let token = try await server.token()
      let jobs = try await train(2, server, token: token)
      for version in [1, 2, 1, 2] {
        try await use(version, server, token: token)
        #expect(try await ask(server, token: token).json["version"] == .integer(Int64(version)))
      }
      // Each model has 1000 bytes.
      #expect(jobs.map(server.fake.oracle.loads) == (mostBytes < 2000 ? [2, 2] : [1, 1]))
    }
  }

  @Test("the served description has an address for each question, with its bounds")
  func described() async throws {
    try await TestServer.run(workers: 0) { server in
      let document = try await server.send("GET", "/api/v1/openapi.json").json
      let operation = try #require(document["paths"]?["/api/v1/models/{name}/echo"]?["post"])
      let ways = operation["requestBody"]?["content"]?["application/json"]?["schema"]?["oneOf"]?.array ?? []
      #expect(ways.map { $0["required"] } == [["texts"], ["things"]])
      #expect(ways.first?.member(at: "properties.texts.maxItems") == 3)
      #expect(ways.first?["properties"]?["things"] == nil)
      #expect(try await server.send("GET", address).status == 405)
    }
  }

  @Test("a client asks what models can be asked")
  func client() async throws {
    try await TestServer.run { server in
      let token = try await server.token()
      _ = try await train(1, server, token: token)
      let client = try TrainingClient(server: "http://127.0.0.1:\(server.port)", token: token)
      try await client.promote(1, of: "fake")
      #expect(try await ask(server, token: token).status == 200)
      // This server has no such question, so the address is none.
      await #expect {
        _ = try await client.recommend("fake", users: ["u1"])
      } throws: { error in
        guard case TrainingClientError.refused(404, _, _) = error else { return false }
        return true
      }
    }
  }
}
