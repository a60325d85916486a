import Foundation
import Glibc
import Testing
import TrainingService

@Suite("Slow clients")
struct SlowClientTests {
  /// A plain connection to a server.
  private final class Connection {
    private let socket: Int32

    init(port: Int) throws {
      socket = Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
      var address = sockaddr_in()
      address.sin_family = sa_family_t(AF_INET)
      address.sin_port = UInt16(port).bigEndian
      address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
      let status = withUnsafePointer(to: &address) { pointer in
        pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
          connect(socket, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
        }
      }
      try #require(status == 0)
    }

    deinit { close(socket) }

    func send(_ text: String) -> Bool {
      Array(text.utf8).withUnsafeBytes { Glibc.send(socket, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) } > 0
    }

    /// What comes until the server closes the connection.
    func rest() -> String {
      var text: [UInt8] = []
      var buffer = [UInt8](repeating: 0, count: 4096)
      while true {
        let count = recv(socket, &buffer, buffer.count, 0)
        guard count > 0 else { return String(decoding: text, as: UTF8.self) }
        text += buffer[..<count]
      }
    }
  }

  @Test("who does not send a whole request in time is sent away; who has sent one gets the answer")
  func sendsAway() async throws {
    try await TestServer.run(workers: 0, patience: .milliseconds(300)) { server in
      let silent = try Connection(port: server.port)
      #expect(silent.rest() == "")
      let half = try Connection(port: server.port)
      #expect(half.send("GET /health HTTP/1.1\r\nHost: a"))
      #expect(half.rest() == "")
      let bodiless = try Connection(port: server.port)
      #expect(bodiless.send("POST /sign-in HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nema"))
      #expect(bodiless.rest() == "")
      let whole = try Connection(port: server.port)
      #expect(whole.send("GET /health HTTP/1.1\r\nHost: a\r\n\r\n"))
      // The connection is kept for another request, which does not come.
      #expect(whole.rest().contains("{\"status\":\"ok\"}"))
    }
  }

  @Test("a stream of events goes on for as long as its job, however patient the server is")
  func streams() async throws {
    // Seconds, since a busy machine may leave a reader waiting for some tenths of one.
    try await TestServer.run(patience: .seconds(4)) { server in
      let token = try await server.token()
      let started = try await server.json(
        "POST", "/api/v1/jobs", ["kind": "fake", "parameters": ["trouble": "hang", "at": 2]], token: token
      ).json
      let job = try #require(started["id"]?.string)
      async let stream = server.json("GET", "/api/v1/jobs/\(job)/events", token: token)
      try await Task.sleep(for: .seconds(6))
      _ = try await server.json("POST", "/api/v1/jobs/\(job)/cancel", token: token)
      let (status, text) = try await (stream.status, stream.text)
      #expect(text.contains("\"status\":\"cancelled\""), "\(status) \(text)")
    }
  }
}
