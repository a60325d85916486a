import CommandSupport
import Foundation
import GRDB
import Glibc
import Testing
import TrainingClient

/// The training service as its users run it: the program itself, killed at any moment.
@Suite("ranker serve", .serialized)
struct ServeTests {
  @Test("trains what ranker trains, from the command line, and its models recommend")
  func trains() async throws {
    let folder = try TemporaryDirectory()
    try ServerProcess.addUser(in: folder)
    let server = try await ServerProcess(in: folder)
    let environment = ["RANKER_SERVER": server.address, "RANKER_PASSWORD": "correct horse"]
    func jobs(_ arguments: [String]) throws -> CommandResult {
      try Command("ranker").run(
        ["jobs"] + arguments + ["--email", "anna@example.org"], in: folder, environment: environment)
    }
    for (kind, output) in [("popular", "--output-dir=x"), ("als", "--output-dir=x"), ("ncf", "--output-path=x/ncf.pt")]
    {
      let done = try jobs(["start", kind, "--wait", "--json"])
      #expect(done.status == 0, "\(done.errors)")
      let job = try JSONDecoder.snakeCase.decode(TrainingJob.self, from: done.outputBytes)
      #expect(job.status == "completed")
      // The same training without a service, with the same defaults.
      let alone = try Command("ranker").run(["train", kind, output, "--json"], in: folder)
      let last = try #require(alone.output.split(separator: "\n").last)
      let outcome = try JSONDecoder.snakeCase.decode(Outcome.self, from: Data(last.utf8))
      #expect(job.metrics.recallAtK != nil)
      #expect(job.metrics.recallAtK == (outcome.measures ?? outcome.test)?.recall, "\(kind)")
    }
    let als = try jobs(["start", "als", "--parameter", "factors=8", "--model", "shop", "--wait"])
    let path = try #require(als.output.firstMatch(of: /; (\/\S+)\n/)).1
    let recommended = try Command("ranker").run(
      ["recommend", "--model", "\(path)/als.pt", "--user", "user_017", "--top-k", "3", "--json"], in: folder)
    #expect(recommended.status == 0, "\(recommended.errors)")

    let wrong = try jobs(["start", "als", "--parameter", "factors=8000"])
    #expect(wrong.status == 1)
    #expect(wrong.errors == "Error: Factors is \"8000\"; expected a whole number from 1 to 512\n")
    try folder.write("this is no table\n", to: "wrong.csv")
    let refused = try jobs(["start", "als", "--data-path", "wrong.csv", "--wait"])
    #expect(refused.status == 1)
    #expect(refused.output.contains("failed: ") && refused.output.contains("wrong.csv"), "\(refused.output)")
    #expect(!refused.output.contains(folder.url.path), "where the data folder is, is not told: \(refused.output)")
    #expect(try jobs(["list"]).output.split(separator: "\n").count >= 6)
    #expect(server.end(SIGTERM) == 0)
  }

  @Test("a training that its data makes too large for the memory is refused before it starts")
  func boundsMemory() async throws {
    let folder = try TemporaryDirectory()
    try ServerProcess.addUser(in: folder)
    let server = try await ServerProcess(in: folder, workers: 1, options: ["--memory-limit", "300"])
    let client = try await server.client()
    let rows = (0..<60_000).map { "user_\($0),item_\($0 % 50)\n" }.joined()
    try folder.write("user_id,item_id\n" + rows, to: "wide.csv")
    let job = try await client.start("als", data: "wide.csv", parameters: ["factors": "512", "iterations": "1"])
    let refused = try await client.wait(for: job.id)
    #expect(refused.status == "failed")
    #expect(refused.attempt == 1, "another attempt would end the same way")
    #expect(
      refused.problem?.hasPrefix(
        "512 factors of 60000 users and 50 items need 494 MB of memory at the least, and this "
          + "training may have 314 MB; take fewer factors") == true, "\(refused)")
    let long = (0..<600).map {
      "{\"text\": \"\(String(repeating: "word\($0) ", count: 300))\", \"taxonomy_codes\": [\"\($0 % 2)\"]}"
    }
    try folder.write(long.joined(separator: "\n"), to: "long.jsonl")
    let texts = try await client.start(
      "classification", data: "long.jsonl",
      parameters: ["from_scratch": "true", "batch_size": "512", "max_length": "512", "target_size": "0"])
    let large = try await client.wait(for: texts.id)
    #expect(large.problem?.contains("take a smaller batch_size or max_length") == true, "\(large)")
    #expect(server.end(SIGTERM) == 0)
  }

  @Test("what a command finds wrong while it runs is told with its own usage")
  func usage() throws {
    let folder = try TemporaryDirectory()
    let listed = try Command("ranker").run(["jobs", "list"], in: folder, environment: ["RANKER_TOKEN": ""])
    #expect(listed.status == 64)
    #expect(
      listed.errors.hasPrefix(
        "Error: No token: give --token or --email, or set RANKER_TOKEN.\nUsage: ranker jobs list "))
    #expect(listed.errors.hasSuffix("See 'ranker jobs list --help' for more information.\n"))
    let users = try Command("ranker").run(["users", "list", "--database", "none.db"], in: folder)
    #expect(users.status == 64)
    #expect(users.errors.contains("\nUsage: ranker users list "), "\(users.errors)")
  }

  @Test("a server killed again and again loses no job and ends none twice")
  func survivesKills() async throws {
    let folder = try TemporaryDirectory()
    try ServerProcess.addUser(in: folder)
    var server = try await ServerProcess(in: folder)
    let client = try await server.client()
    var ids: [String] = []
    for round in 0..<6 {
      for number in 0..<4 {
        let job = try await client.start(
          "als", model: "shop", parameters: ["iterations": "200", "factors": "32", "seed": "\(round * 4 + number)"])
        ids.append(job.id)
      }
      try await Task.sleep(for: .milliseconds(Int.random(in: 50...900)))
      #expect(server.end(SIGKILL) == 128 + SIGKILL)
      server = try await ServerProcess(in: folder, port: server.port)
    }
    for id in ids {
      let job = try await client.wait(for: id)
      #expect(job.status == "completed", "\(job)")
    }
    #expect(server.end(SIGTERM) == 0)
    let versions = try await DatabaseQueue(path: folder.path("service.db")).read { database in
      try Int.fetchAll(database, sql: "SELECT version FROM model_versions ORDER BY version")
    }
    #expect(versions == Array(1...ids.count))
  }

  @Test("SIGTERM lets a training save its state, and the next start goes on from there")
  func stopsInOrder() async throws {
    let folder = try TemporaryDirectory()
    try ServerProcess.addUser(in: folder)
    var server = try await ServerProcess(in: folder, workers: 1)
    let client = try await server.client()
    // Longer than any machine takes until it is stopped: it is not waited for.
    let job = try await client.start("als", parameters: ["iterations": "1000", "factors": "512"])
    func epoch(of attempt: Int, beyond least: Int) async throws -> Int {
      for _ in 0..<6000 {
        let job = try await client.job(job.id)
        if job.attempt == attempt, let epoch = job.progress?.epoch, epoch > least { return epoch }
        try await Task.sleep(for: .milliseconds(10))
      }
      return 0
    }
    let reached = try await epoch(of: 1, beyond: 2)
    #expect(server.end(SIGTERM) == 0)
    let state = folder.path("models/\(job.id)/als_training_state.pth")
    #expect(FileManager.default.fileExists(atPath: state))
    server = try await ServerProcess(in: folder, port: server.port, workers: 1)
    // Its first epochs are not done again.
    #expect(try await epoch(of: 2, beyond: 0) > reached)
    _ = try await client.cancel(job.id)
    #expect(try await client.wait(for: job.id).status == "cancelled")
    #expect(server.end(SIGTERM) == 0)
  }

  @Test("accounts are listed, changed and removed; the last administrator stays")
  func users() throws {
    let folder = try TemporaryDirectory()
    func users(_ arguments: [String], input: String = "") throws -> CommandResult {
      try Command("ranker").run(["users"] + arguments + ["--database", "service.db"], input: input, in: folder)
    }
    #expect(try users(["list"]).errors.contains("There is no database at service.db"))
    #expect(try users(["add", "anna"], input: "correct horse\n").errors.contains("is not an e-mail address"))
    #expect(try users(["add", "anna@example.org"], input: "short\n").errors.contains("at least 10 characters"))
    try ServerProcess.addUser(in: folder)
    #expect(try users(["add", "ben@example.org"], input: "correct horse\n").status == 0)
    #expect(try users(["add", "ben@example.org"], input: "correct horse\n").errors.contains("already"))
    #expect(try users(["list"]).output.split(separator: "\n").count == 3)
    #expect(try users(["passwd", "ben@example.org"], input: "another horse\n").status == 0)
    #expect(try users(["remove", "anna@example.org"]).errors.contains("last administrator"))
    #expect(try users(["remove", "ben@example.org"]).output == "removed ben@example.org\n")
  }
}

/// What a training's last line says of its quality.
private struct Outcome: Decodable {
  struct Measures: Decodable {
    let recall: Double
  }
  let measures: Measures?
  let test: Measures?
}

extension JSONDecoder {
  static var snakeCase: JSONDecoder {
    let decoder = JSONDecoder()
    decoder.keyDecodingStrategy = .convertFromSnakeCase
    return decoder
  }
}
