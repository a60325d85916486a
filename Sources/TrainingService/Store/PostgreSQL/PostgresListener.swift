// What other processes' transactions tell.

import Foundation
import Glibc

/// Listens on a connection and a thread of its own, for as long as it is kept.
final class PostgresListener: Sendable {
  enum News {
    case told(PostgresConnection.Notification)
    /// The connection is new: whatever was told before went by unheard.
    case missed
  }

  /// The end of a pipe that nothing is written to; its closing ends the thread.
  private let pipe: Int32

  init(_ address: PostgresAddress, channel: String, tell: @escaping @Sendable (News) -> Void) {
    var ends: [Int32] = [-1, -1]
    Glibc.pipe(&ends)
    for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
    let end = ends[0]
    pipe = ends[1]
    let thread = Thread {
      Self.listen(address, channel, until: end, tell)
      close(end)
    }
    thread.name = "PostgreSQL news"
    thread.start()
  }

  deinit { close(pipe) }

  private static func listen(_ address: PostgresAddress, _ channel: String, until end: Int32, _ tell: (News) -> Void) {
    // Up to as long as workers look by themselves without being told.
    var pause: Int32 = 100
    while true {
      do {
        let connection = try PostgresConnection(address)
        try connection.script("LISTEN \(channel)")
        pause = 100
        tell(.missed)
        while let notifications = try connection.notifications(orEndOf: end) {
          for notification in notifications { tell(.told(notification)) }
        }
        return
      } catch {
        // Nobody has to be told: who waits also looks by itself now and then.
        var wait = pollfd(fd: end, events: 0, revents: 0)
        if poll(&wait, 1, pause) > 0 { return }
        pause = min(pause * 2, 1000)
      }
    }
  }
}
