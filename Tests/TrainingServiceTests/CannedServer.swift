// A server that answers what a test wants it to answer, good or bad.

import Foundation
import Glibc
import Synchronization

/// Answers HTTP requests, one on each connection, until it goes away.
final class CannedServer: Sendable {
  struct Reply: Sendable {
    var status = 200
    var body = Data()
    var location = ""

    static func json(_ text: String) -> Reply { Reply(body: Data(text.utf8)) }
  }

  let port: Int
  private let listener: Int32

  /// - Parameter answer: told the method and the path, such as `GET /api/v1/work`.
  init(_ answer: @escaping @Sendable (String) -> Reply) throws {
    let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    self.listener = listener
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = inet_addr("127.0.0.1")
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    let isThere = withUnsafeMutablePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        bind(listener, $0, length) == 0 && listen(listener, 16) == 0 && getsockname(listener, $0, &length) == 0
      }
    }
    guard isThere else { throw CocoaError(.fileWriteUnknown) }
    port = Int(UInt16(bigEndian: address.sin_port))
    Thread.detachNewThread {
      while true {
        let connection = accept(listener, nil, nil)
        guard connection >= 0 else { return }
        Thread.detachNewThread { Self.serve(connection, answer) }
      }
    }
  }

  deinit {
    shutdown(listener, Int32(SHUT_RDWR))
    close(listener)
  }

  private static func serve(_ connection: Int32, _ answer: (String) -> Reply) {
    defer { close(connection) }
    var bytes = Data()
    var buffer = [UInt8](repeating: 0, count: 65_536)
    func receive() -> Bool {
      let count = read(connection, &buffer, buffer.count)
      if count > 0 { bytes += buffer[..<count] }
      return count > 0
    }
    while bytes.range(of: Data("\r\n\r\n".utf8)) == nil { guard receive() else { return } }
    let end = bytes.range(of: Data("\r\n\r\n".utf8))!.upperBound
    let head = String(decoding: bytes[..<end], as: UTF8.self)
    let length = head.firstMatch(of: /(?i)content-length: *([0-9]+)/).flatMap { Int($0.1) } ?? 0
    while bytes.count < end + length { guard receive() else { return } }
    let words = head.split(separator: " ")
    let reply = answer("\(words[0]) \(words[1])")
    var text = Data(
      "HTTP/1.1 \(reply.status) Canned\r\nContent-Length: \(reply.body.count)\r\nConnection: close\r\n"
        .utf8)
    if !reply.location.isEmpty { text += Data("Location: \(reply.location)\r\n".utf8) }
    text += Data("\r\n".utf8)
    text += reply.body
    text.withUnsafeBytes { bytes in
      var rest = bytes[...]
      while !rest.isEmpty {
        let count = write(connection, UnsafeRawBufferPointer(rebasing: rest).baseAddress, rest.count)
        guard count > 0 else { return }
        rest = rest.dropFirst(count)
      }
    }
  }
}
