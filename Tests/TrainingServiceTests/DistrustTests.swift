import Checkpoints
import CommandSupport
import Foundation
import Synchronization
import Testing
import TrainingService

/// What a worker does not believe of a server.
@Suite("A worker distrusts its server")
struct DistrustTests {
  private static let id = "8f14e45f-ceea-467f-a6b1-0d6f2a6c5b11"
  private static let content = Data("content".utf8)
  private static let checksum = SHA256.hexadecimal(of: Array(content))

  private static func grant(id: String = id, data: String = "null") -> CannedServer.Reply {
    .json(
      """
      {"job": {"id": "\(id)", "kind": "fake", "data_path": \(data), "parameters": {}, "failures": 0}, "attempt": 1,
        "lease_milliseconds": 15000}
      """)
  }

  private static func list(_ path: String) -> CannedServer.Reply {
    let name = JSONValue.string(path).text
    return .json("{\"files\": [{\"path\": \(name), \"size\": \(content.count), \"sha256\": \"\(checksum)\"}]}")
  }

  private static func work(_ server: CannedServer, in folder: TemporaryDirectory) throws -> RemoteWork {
    try RemoteWork(
      RemoteWorkSettings(server: "http://127.0.0.1:\(server.port)", token: "t", scratch: folder.path("far")))
  }

  /// All that is below a folder but the empty folders of a worker.
  private static func files(below folder: TemporaryDirectory) -> [String] {
    let names = (try? FileManager.default.subpathsOfDirectory(atPath: folder.url.path)) ?? []
    return names.filter { !["far", "far/data", "far/jobs", "far/views"].contains($0) }
  }

  @Test("an id that would lead out of its folder is no job", arguments: ["../../etc", "/etc", "", "a/b"])
  func wrongID(_ id: String) async throws {
    let folder = try TemporaryDirectory()
    let server = try CannedServer { _ in Self.grant(id: id) }
    let work = try Self.work(server, in: folder)
    await #expect(throws: WorkRefused.self) { try await work.claim(worker: "far") }
  }

  @Test(
    "data under a name that leads out of its folder is not fetched",
    arguments: ["../evil", "/etc/passwd", "clicks/../../evil", "other", "clicks/.hidden", "clicks//x"])
  func wrongNames(_ name: String) async throws {
    let folder = try TemporaryDirectory()
    let server = try CannedServer { asked in
      if asked.hasSuffix("/claims") { return Self.grant(data: "\"clicks\"") }
      return asked.hasSuffix("/data") ? Self.list(name) : .init(status: 206, body: Self.content)
    }
    let work = try Self.work(server, in: folder)
    let claim = try #require(try await work.claim(worker: "far"))
    await #expect(throws: WorkRefused.self) { try await work.data(of: claim, beside: []) }
    #expect(Self.files(below: folder).isEmpty)
  }

  @Test("a file that comes damaged is asked for again, and given up after the third time")
  func damaged() async throws {
    let folder = try TemporaryDirectory()
    let tries = Mutex(0)
    let server = try CannedServer { asked in
      if asked.hasSuffix("/claims") { return Self.grant(data: "\"clicks\"") }
      if asked.hasSuffix("/data") { return Self.list("clicks") }
      tries.withLock { $0 += 1 }
      return .init(status: 206, body: Data("CONTENT".utf8))
    }
    let work = try Self.work(server, in: folder)
    let claim = try #require(try await work.claim(worker: "far"))
    await #expect(throws: WorkClientError.self) { try await work.data(of: claim, beside: []) }
    #expect(tries.withLock { $0 } == 3)
    #expect(Self.files(below: folder).isEmpty)
  }

  @Test("a file that comes damaged once is the right one in the end")
  func damagedOnce() async throws {
    let folder = try TemporaryDirectory()
    let tries = Mutex(0)
    let server = try CannedServer { asked in
      if asked.hasSuffix("/claims") { return Self.grant(data: "\"clicks\"") }
      if asked.hasSuffix("/data") { return Self.list("clicks") }
      let isFirst = tries.withLock { number in
        number += 1
        return number == 1
      }
      return .init(status: 206, body: isFirst ? Data("CONTENT".utf8) : Self.content)
    }
    let work = try Self.work(server, in: folder)
    let claim = try #require(try await work.claim(worker: "far"))
    let data = try await work.data(of: claim, beside: [])
    #expect(data.path == "\(data.root)/clicks")
    #expect(try Data(contentsOf: URL(fileURLWithPath: data.path ?? "")) == Self.content)
  }

  @Test("its token goes nowhere else")
  func redirection() async throws {
    let folder = try TemporaryDirectory()
    let asked = Mutex(0)
    let elsewhere = try CannedServer { _ in
      asked.withLock { $0 += 1 }
      return .init(status: 204)
    }
    let port = elsewhere.port
    let server = try CannedServer { _ in .init(status: 302, location: "http://127.0.0.1:\(port)/") }
    let work = try Self.work(server, in: folder)
    await #expect(throws: WorkClientError.self) { try await work.checkAccess() }
    #expect(asked.withLock { $0 } == 0)
  }
}
