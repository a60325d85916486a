// A way to a server that breaks at the worst moment.

import Foundation
import Glibc
import Synchronization

/// Passes bytes between clients and a server of this machine, until what it was told to look for goes by.
final class CuttingProxy: Sendable {
  enum Cut: Sendable, CaseIterable {
    /// The statement never reaches the server.
    case before
    /// The server has it and answers; the answer is lost.
    case after
  }

  let port: Int
  private let target: UInt16
  private let listener: Int32
  private let plan = Mutex<(text: String, cut: Cut)?>(nil)
  private let cuts = Mutex(0)

  /// How often it broke a connection.
  var cutCount: Int { cuts.withLock(\.self) }

  init(to target: Int) throws {
    self.target = UInt16(target)
    listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    var address = Self.loopback(0)
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    port = withUnsafeMutablePointer(to: &address) { [listener] pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { pointer in
        bind(listener, pointer, length)
        listen(listener, 16)
        getsockname(listener, pointer, &length)
      }
      return Int(UInt16(bigEndian: pointer.pointee.sin_port))
    }
    Thread.detachNewThread { [weak self, listener] in
      while true {
        let client = accept(listener, nil, nil)
        guard client >= 0, let self else { return }
        self.serve(client)
      }
    }
  }

  deinit { shutdown(listener, Int32(SHUT_RDWR)) }

  /// Breaks the connection at the next message that holds a text.
  func cut(_ cut: Cut, at text: String) { plan.withLock { $0 = (text, cut) } }

  private static func loopback(_ port: UInt16) -> sockaddr_in {
    sockaddr_in(
      sin_family: sa_family_t(AF_INET), sin_port: port.bigEndian, sin_addr: in_addr(s_addr: inet_addr("127.0.0.1")),
      sin_zero: (0, 0, 0, 0, 0, 0, 0, 0))
  }

  private func serve(_ client: Int32) {
    let server = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    var address = Self.loopback(target)
    let isConnected = withUnsafePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        connect(server, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
      }
    }
    guard isConnected else {
      close(client)
      close(server)
      return
    }
    Thread.detachNewThread { [self] in
      pass(client, server)
      close(client)
      close(server)
    }
  }

  /// Passes what comes in either direction, until one end closes or the cut.
  private func pass(_ client: Int32, _ server: Int32) {
    var bytes = [UInt8](repeating: 0, count: 1 << 16)
    while true {
      var waits = [pollfd(fd: client, events: Int16(POLLIN), revents: 0)]
      waits.append(pollfd(fd: server, events: Int16(POLLIN), revents: 0))
      guard poll(&waits, 2, -1) > 0 else { return }
      for (place, other) in [(0, server), (1, client)] where waits[place].revents != 0 {
        let count = recv(waits[place].fd, &bytes, bytes.count, 0)
        guard count > 0 else { return }
        let planned = place == 0 ? takePlan(for: bytes[..<count]) : nil
        if planned == .before { return }
        guard send(other, bytes, count, Int32(MSG_NOSIGNAL)) == count else { return }
        if planned == .after {
          // The answer comes, and goes nowhere.
          _ = recv(server, &bytes, bytes.count, 0)
          return
        }
      }
    }
  }

  private func takePlan(for bytes: ArraySlice<UInt8>) -> Cut? {
    let found = plan.withLock { plan -> Cut? in
      guard let present = plan, String(decoding: bytes, as: UTF8.self).contains(present.text) else { return nil }
      plan = nil
      return present.cut
    }
    if found != nil { cuts.withLock { $0 += 1 } }
    return found
  }
}
