import Checkpoints
import CommandSupport
import Foundation
import GRDB
import Glibc
import Testing
import TrainingClient

/// Workers on machines that share no disk with their server: folders of their own here, and the programs themselves.
@Suite("ranker worker", .serialized)
struct MachinesTests {
  /// The server's folder, and a worker's token.
  private struct Place {
    let folder: TemporaryDirectory
    let token: String

    init() async throws {
      folder = try TemporaryDirectory()
      try ServerProcess.addUser(in: folder)
      let made = try Command("ranker").run(
        ["users", "token", "anna@example.org", "--worker", "--database", "service.db"], in: folder)
      #expect(made.status == 0, "\(made.errors)")
      token = made.output.trimmingCharacters(in: .whitespacesAndNewlines)
    }

    /// Starts a worker in a folder of its own.
    func worker(in place: TemporaryDirectory, _ address: String, options: [String] = []) throws -> RunningCommand {
      try Command("ranker").start(
        ["worker", "--server", address, "--threads", "1"] + options, in: place, environment: ["RANKER_TOKEN": token],
        errors: place.path("log-\(UUID().uuidString)"))
    }

    /// A token of the administrator's that is for all but work.
    func ordinaryToken() throws -> String {
      try Command("ranker").run(["users", "token", "anna@example.org", "--database", "service.db"], in: folder)
        .output.trimmingCharacters(in: .whitespacesAndNewlines)
    }

    func rows(_ sql: String) throws -> [Row] {
      try DatabaseQueue(path: folder.path("service.db")).read { try Row.fetchAll($0, sql: sql) }
    }
  }

  @Test("a model that was trained elsewhere is the one that the same training makes here, file by file")
  func sameModel() async throws {
    let place = try await Place()
    var table = "user_id,item_id\n"
    for user in 0..<80 { for step in 1...12 { table += "u\(user),i\((user * step * 7 + step) % 60)\n" } }
    try place.folder.write(table, to: "clicks.csv")
    let server = try await ServerProcess(in: place.folder, workers: 0)
    let far = try TemporaryDirectory()
    let worker = try place.worker(in: far, server.address)
    let client = try await server.client()
    let job = try await client.start("als", data: "clicks.csv", parameters: ["iterations": "5", "factors": "8"])
    let ended = try await client.wait(for: job.id)
    #expect(ended.status == "completed", "\(ended)")
    let model = try #require(ended.modelPath)
    #expect(model == place.folder.path("models/\(job.id)"))

    let alone = try Command("ranker").run(
      [
        "train", "als", "--data-path=clicks.csv", "--iterations=5", "--factors=8", "--output-dir=alone", "--threads=1",
      ], in: place.folder)
    #expect(alone.status == 0, "\(alone.errors)")
    // Metadata and report hold times, and the path that was trained on.
    for name in ["als.onnx", "als.pt", "als_top_k.onnx", "als_interactions.safetensors"] {
      #expect(
        try SHA256.hexadecimal(ofFile: "\(model)/\(name)")
          == SHA256.hexadecimal(ofFile: place.folder.path("alone/\(name)")), "\(name)")
    }
    let verified = try Command("onnx-verify").run(["\(model)/als_metadata.json"], in: place.folder)
    #expect(verified.status == 0, "\(verified.output)\(verified.errors)")
    worker.signal(SIGTERM)
    #expect(worker.wait() == 0)
    #expect(server.end(SIGTERM) == 0)
  }

  @Test("a training whose parameters name a file beside its data has both elsewhere")
  func fileBesideData() async throws {
    let place = try await Place()
    var notes = ""
    for number in 0..<60 {
      notes += "{\"text\": \"\(number % 2 == 0 ? "A gift for her" : "Repair of the clasp"), number \(number)\"}\n"
    }
    for name in ["notes", "words"] {
      try FileManager.default.createDirectory(atPath: place.folder.path(name), withIntermediateDirectories: true)
    }
    try Data(notes.utf8).write(to: URL(fileURLWithPath: place.folder.path("notes/notes_clean.jsonl")))
    try Data(
      #"{"gift": {"aliases": ["gift", "present"], "bucket": "intent"}, "repair": {"aliases": "repair|fix", "bucket": "intent"}}"#
        .utf8
    ).write(to: URL(fileURLWithPath: place.folder.path("words/lexicon.json")))
    let server = try await ServerProcess(in: place.folder, workers: 0)
    let far = try TemporaryDirectory()
    let worker = try place.worker(in: far, server.address)
    let client = try await server.client()
    let job = try await client.start(
      "concept", data: "notes", parameters: ["taxonomy": "words/lexicon.json", "epochs": "2"])
    let ended = try await client.wait(for: job.id)
    #expect(ended.status == "completed", "\(ended)")
    let mapping = try String(contentsOfFile: "\(#require(ended.modelPath))/concept_mapping.json", encoding: .utf8)
    #expect(mapping.contains("\"repair\""))
    worker.signal(SIGTERM)
    #expect(worker.wait() == 0)
    #expect(server.end(SIGTERM) == 0)
  }

  @Test("a training whose worker is killed goes on elsewhere, from the state that it had sent")
  func resumesElsewhere() async throws {
    let place = try await Place()
    let server = try await ServerProcess(in: place.folder, workers: 0)
    let client = try await server.client()
    // Longer than any machine takes until its worker is killed: it is not waited for.
    let job = try await client.start("als", parameters: ["iterations": "1000", "factors": "512"])
    let first = try TemporaryDirectory()
    let killed = try place.worker(in: first, server.address, options: ["--state-interval", "1"])
    let state = place.folder.path("models/\(job.id)/als_training_state.pth")
    for _ in 0..<3000 where !FileManager.default.fileExists(atPath: state) {
      try await Task.sleep(for: .milliseconds(20))
    }
    #expect(FileManager.default.fileExists(atPath: state))
    killed.signal(SIGKILL)
    _ = killed.wait()
    let second = try TemporaryDirectory()
    let worker = try place.worker(in: second, server.address, options: ["--state-interval", "1"])
    var texts: [String] = []
    for _ in 0..<3000 where !texts.contains(where: { $0.contains("resumed after") }) {
      try await Task.sleep(for: .milliseconds(20))
      texts = try place.rows("SELECT body FROM job_events WHERE kind = 'log'").map { $0["body"] as String }
    }
    #expect(texts.contains { $0.contains("resumed after") }, "\(texts)")
    #expect(try await client.job(job.id).attempt == 2)
    _ = try await client.cancel(job.id)
    #expect(try await client.wait(for: job.id).status == "cancelled")
    // The training that the killed worker left runs on for nobody.
    killTrainings(below: first)
    worker.signal(SIGTERM)
    #expect(worker.wait() == 0)
    #expect(server.end(SIGTERM) == 0)
  }

  @Test("workers and server killed again and again lose no job and end none twice")
  func survivesKills() async throws {
    let place = try await Place()
    var server = try await ServerProcess(in: place.folder, workers: 0)
    let client = try await server.client()
    let folders = try (0..<3).map { _ in try TemporaryDirectory() }
    var workers = try folders.map { try place.worker(in: $0, server.address) }
    var ids: [String] = []
    for round in 0..<8 {
      for number in 0..<3 {
        let job = try await client.start(
          "als", model: "shop", parameters: ["iterations": "100", "factors": "32", "seed": "\(round * 3 + number)"])
        ids.append(job.id)
      }
      try await Task.sleep(for: .milliseconds(Int.random(in: 50...1200)))
      if round % 2 == 0 {
        let index = Int.random(in: 0..<workers.count)
        workers[index].signal(SIGKILL)
        _ = workers[index].wait()
        workers[index] = try place.worker(in: folders[index], server.address)
      } else {
        #expect(server.end(SIGKILL) == 128 + SIGKILL)
        server = try await ServerProcess(in: place.folder, port: server.port, workers: 0)
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
    let versions = try place.rows("SELECT version FROM model_versions ORDER BY version")
      .map { $0["version"] as Int }
    #expect(versions == Array(1...ids.count))
    for id in ids {
      let files = try FileManager.default.contentsOfDirectory(atPath: place.folder.path("models/\(id)"))
      #expect(files.contains("als.onnx") && files.contains("als_metadata.json"), "\(files)")
    }
    for folder in folders { killTrainings(below: folder) }
  }

  @Test("a token that is no worker's is refused, in words")
  func refusesTokens() async throws {
    let place = try await Place()
    let server = try await ServerProcess(in: place.folder, workers: 0)
    for (token, words) in [("rk_no", "not valid"), (try place.ordinaryToken(), "no worker's")] {
      let refused = try Command("ranker").run(
        ["worker", "--server", server.address], in: place.folder, environment: ["RANKER_TOKEN": token])
      #expect(refused.status == 1)
      #expect(refused.errors.contains(words), "\(refused.errors)")
    }
    let added = try Command("ranker").run(
      ["users", "add", "ben@example.org", "--database", "service.db"], input: "correct horse\n", in: place.folder)
    #expect(added.status == 0)
    let asked = try Command("ranker").run(
      ["users", "token", "ben@example.org", "--worker", "--database", "service.db"], in: place.folder)
    #expect(asked.status == 1)
    #expect(asked.errors.contains("is no administrator"), "\(asked.errors)")
    #expect(server.end(SIGTERM) == 0)
  }

  /// Ends trainings whose worker was killed, by the folder that they write to.
  private func killTrainings(below folder: TemporaryDirectory) {
    let processes = (try? FileManager.default.contentsOfDirectory(atPath: "/proc"))?.compactMap { Int32($0) } ?? []
    for process in processes {
      let command = (try? Data(contentsOf: URL(fileURLWithPath: "/proc/\(process)/cmdline"))) ?? Data()
      if String(decoding: command, as: UTF8.self).contains(folder.url.path) { kill(process, SIGKILL) }
    }
  }
}
