import CommandSupport
import Foundation
import GRDB
import Glibc
import Testing
import TrainingClient

/// A RabbitMQ of these tests' own, by `tools/services`, which is killed and started again. What other programs see of it,
/// Debian's `amqp-tools` tell.
private final class Broker {
  /// Whether this machine has what it takes: `tools/test` says so by the address of one that it started.
  static var isThere: Bool { ProcessInfo.processInfo.environment["RANKERKIT_AMQP"]?.isEmpty == false }

  private let folder: TemporaryDirectory
  private(set) var address = ""

  init() throws {
    folder = try TemporaryDirectory()
    try start()
  }

  deinit { _ = try? services("stop") }

  func start() throws {
    let answer = try services("start")
    address = String(try #require(answer.firstMatch(of: /RANKERKIT_AMQP=(\S+)/), "no RabbitMQ: \(answer)").1)
  }

  func kill() throws {
    let text = try String(contentsOfFile: folder.path("rabbitmq/pid"), encoding: .utf8)
    let process = try #require(Int32(text.trimmingCharacters(in: .whitespacesAndNewlines)))
    Glibc.kill(process, SIGKILL)
    // Whoever started it takes leave of it a moment later.
    while Glibc.kill(process, 0) == 0 { usleep(20_000) }
  }

  func loseData() throws { try FileManager.default.removeItem(atPath: folder.path("rabbitmq/data")) }

  private func services(_ action: String) throws -> String {
    let repository = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent().path
    return try run("\(repository)/tools/services", [action, "--directory", folder.url.path, "rabbitmq"]).output
  }

  private func run(_ program: String, _ arguments: [String]) throws -> (status: Int32, output: String) {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = [program] + arguments
    // A file: what a started server holds open is no pipe that would have to end.
    let output = folder.path("output-\(UUID().uuidString)")
    #expect(FileManager.default.createFile(atPath: output, contents: nil))
    process.standardOutput = FileHandle(forWritingAtPath: output)
    process.standardError = process.standardOutput
    process.standardInput = FileHandle.nullDevice
    try withUnblockedSignals { try process.run() }
    process.waitUntilExit()
    return (process.terminationStatus, try String(contentsOfFile: output, encoding: .utf8))
  }

  /// Takes a message out of a queue; nil where there is none.
  func take(_ queue: String) throws -> String? {
    let taken = try run("amqp-get", ["-u", address, "-q", queue])
    return taken.status == 0 ? taken.output : nil
  }

  func publish(_ body: String) throws {
    let sent = try run("amqp-publish", ["-u", address, "-r", "training_tasks", "-p", "-b", body])
    #expect(sent.status == 0, "\(sent.output)")
  }

  /// Waits for a message that has a text, half a minute at most.
  func waits(for text: String, in queue: String) async throws -> Bool {
    for _ in 0..<300 {
      if let message = try take(queue) {
        if message.contains(text) { return true }
      } else {
        try await Task.sleep(for: .milliseconds(100))
      }
    }
    return false
  }
}

/// Jobs that RabbitMQ hands out, with everything killed at any moment.
@Suite("RabbitMQ", .serialized, .enabled(if: Broker.isThere, "RANKERKIT_AMQP is not set: there is no RabbitMQ here"))
struct RabbitMQTests {
  private let broker: Broker
  private let folder: TemporaryDirectory

  init() throws {
    broker = try Broker()
    folder = try TemporaryDirectory()
    try ServerProcess.addUser(in: folder)
  }

  private func server(port: Int = 0, workers: Int = 0, options: [String] = []) async throws -> ServerProcess {
    try await ServerProcess(in: folder, port: port, workers: workers, options: ["--queue", broker.address] + options)
  }

  /// A worker on the server's database and disk.
  private func worker(options: [String] = []) throws -> RunningCommand {
    try Command("ranker").start(
      [
        "worker", "--database", "service.db", "--queue", broker.address, "--data-root", ".", "--models-dir", "models",
      ] + options, in: folder, errors: folder.path("worker-log-\(UUID().uuidString)"))
  }

  private func attempts() throws -> [Int] {
    try DatabaseQueue(path: folder.path("service.db")).read { try Int.fetchAll($0, sql: "SELECT attempt FROM jobs") }
  }

  private func versions() throws -> [Int] {
    try DatabaseQueue(path: folder.path("service.db")).read { database in
      try Int.fetchAll(database, sql: "SELECT version FROM model_versions ORDER BY version")
    }
  }

  @Test("hands each job to one worker, and forgets it when the job has ended")
  func handsOut() async throws {
    let server = try await server(workers: 1)
    let worker = try worker(options: ["--workers", "2"])
    let client = try await server.client()
    var ids: [String] = []
    for _ in 0..<6 { ids.append(try await client.start("popular", model: "shop").id) }
    for id in ids { #expect(try await client.wait(for: id).status == "completed") }
    worker.signal(SIGTERM)
    #expect(worker.wait() == 0)
    #expect(server.end(SIGTERM) == 0)
    // What was not acknowledged would be there again.
    #expect(try broker.take("training_tasks") == nil)
    #expect(try broker.take("training_tasks.dead") == nil)
    #expect(try versions() == Array(1...6))
    let logs = ServerProcess.log(folder)
    let password = try #require(URLComponents(string: broker.address)?.password)
    #expect(logs.contains("connected to RabbitMQ"))
    #expect(!logs.contains(password), "passwords are not logged")
  }

  @Test("a message that comes twice, or names no job, starts nothing")
  func duplicates() async throws {
    let server = try await server()
    let client = try await server.client()
    var ids: [String] = []
    for _ in 0..<3 { ids.append(try await client.start("popular", model: "shop").id) }
    for id in ids + ids { try broker.publish("{\"job\":\"\(id)\"}") }
    try broker.publish("nonsense")
    try broker.publish("{\"job\":\"nobody's\"}")
    let worker = try worker(options: ["--workers", "2"])
    for id in ids { #expect(try await client.wait(for: id).status == "completed") }
    #expect(try await broker.waits(for: "nonsense", in: "training_tasks.dead"))
    #expect(try await broker.waits(for: "nobody's", in: "training_tasks.dead"))
    worker.signal(SIGTERM)
    #expect(worker.wait() == 0)
    #expect(server.end(SIGTERM) == 0)
    #expect(try attempts() == [1, 1, 1])
    #expect(try versions() == [1, 2, 3])
    #expect(try broker.take("training_tasks") == nil)
  }

  @Test("a job that was given up after three failures is a dead letter")
  func deadLetters() async throws {
    // Too little memory for any program: the training is killed each time.
    let server = try await server(workers: 1, options: ["--memory-limit", "1"])
    let client = try await server.client()
    let job = try await client.start("popular")
    let ended = try await client.wait(for: job.id)
    #expect(ended.status == "failed")
    #expect(ended.attempt == 3)
    #expect(try await broker.waits(for: job.id, in: "training_tasks.dead"))
    #expect(server.end(SIGTERM) == 0)
    #expect(try broker.take("training_tasks") == nil)
  }

  @Test("a broker that lost its messages is told of all jobs again")
  func lostMessages() async throws {
    let server = try await server()
    let client = try await server.client()
    var ids: [String] = []
    for _ in 0..<3 { ids.append(try await client.start("popular", model: "shop").id) }
    let messages = try await countOfAnnounced(3)
    #expect(messages == 3)
    try broker.kill()
    try broker.loseData()
    try broker.start()
    let worker = try worker()
    for id in ids { #expect(try await client.wait(for: id).status == "completed") }
    worker.signal(SIGTERM)
    #expect(worker.wait() == 0)
    #expect(server.end(SIGTERM) == 0)
    #expect(try versions() == [1, 2, 3])
  }

  /// How many jobs RabbitMQ has confirmed, when it is so many or ten seconds are over.
  private func countOfAnnounced(_ wanted: Int) async throws -> Int {
    var count = 0
    for _ in 0..<200 {
      count = try await DatabaseQueue(path: folder.path("service.db")).read { database in
        try Int.fetchOne(database, sql: "SELECT COUNT(*) FROM jobs WHERE announced_at IS NOT NULL") ?? 0
      }
      if count == wanted { break }
      try await Task.sleep(for: .milliseconds(50))
    }
    return count
  }

  @Test("workers, server and RabbitMQ killed again and again lose no job and end none twice")
  func survivesKills() async throws {
    var server = try await server()
    let client = try await server.client()
    var workers = try (0..<3).map { _ in try worker() }
    var ids: [String] = []
    for round in 0..<9 {
      for number in 0..<3 {
        let job = try await client.start(
          "als", model: "shop", parameters: ["iterations": "60", "factors": "32", "seed": "\(round * 3 + number)"])
        ids.append(job.id)
      }
      try await Task.sleep(for: .milliseconds(Int.random(in: 50...1200)))
      switch round % 3 {
      case 0:
        let index = Int.random(in: 0..<workers.count)
        workers[index].signal(SIGKILL)
        _ = workers[index].wait()
        workers[index] = try worker()
      case 1:
        #expect(server.end(SIGKILL) == 128 + SIGKILL)
        server = try await self.server(port: server.port)
      default:
        try broker.kill()
        try broker.start()
      }
    }
    for id in ids {
      let job = try await client.wait(for: id, patience: .seconds(180))
      #expect(job.status == "completed", "\(job)")
    }
    for worker in workers {
      worker.signal(SIGTERM)
      #expect(worker.wait() == 0)
    }
    #expect(server.end(SIGTERM) == 0)
    #expect(try versions() == Array(1...ids.count))
    #expect(try broker.take("training_tasks.dead") == nil)
  }
}
