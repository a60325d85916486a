// A training service as its users run it: the program itself, on a free port of this machine.

import CommandSupport
import Foundation
import Testing
import TrainingClient

/// A running `ranker serve`.
final class ServerProcess {
  let running: RunningCommand
  let address: String
  let port: Int

  /// Starts one and waits until it says where it listens.
  init(in folder: TemporaryDirectory, port: Int = 0, workers: Int = 2, options: [String] = []) async throws {
    let output = folder.path("output-\(UUID().uuidString)")
    running = try Command("ranker").start(
      [
        "serve", "--port", "\(port)", "--workers", "\(workers)", "--data-root", ".", "--models-dir", "models",
        "--database", "service.db",
      ] + options, in: folder, output: output, errors: folder.path("log"))
    var found: Substring?
    for _ in 0..<600 where found == nil {
      try await Task.sleep(for: .milliseconds(20))
      let text = try String(contentsOfFile: output, encoding: .utf8)
      found = text.firstMatch(of: /Serving on (http:\/\/\S+)\n/)?.1
    }
    address = String(try #require(found, "the server did not start: \(Self.log(folder))"))
    self.port = Int(address.split(separator: ":").last ?? "") ?? 0
  }

  static func log(_ folder: TemporaryDirectory) -> String {
    (try? String(contentsOfFile: folder.path("log"), encoding: .utf8)) ?? ""
  }

  func end(_ signal: Int32) -> Int32 {
    running.signal(signal)
    return running.wait()
  }

  /// Makes the account that ``client()`` signs in with.
  static func addUser(in folder: TemporaryDirectory) throws {
    let added = try Command("ranker").run(
      ["users", "add", "anna@example.org", "--admin", "--database", "service.db"], input: "correct horse\n", in: folder)
    #expect(added.status == 0, "\(added.errors)")
    #expect(added.output == "added anna@example.org, an administrator\n")
  }

  func client() async throws -> TrainingClient {
    try await TrainingClient(server: address, email: "anna@example.org", password: "correct horse")
  }
}
