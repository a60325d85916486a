// A terminal without a screen: runs a command in it, types keys, reads what the command draws.

import Foundation
import Synchronization

/// A command in a terminal of its own, 100 columns by 30 rows.
public final class PseudoTerminal: Sendable {
  private let main: Int32
  /// Kept open so that the terminal's settings can be looked at after the command's end.
  private let replica: Int32
  public let processIdentifier: Int32
  private let received = Mutex<[UInt8]>([])

  /// - Throws: where the system gives no terminal or the command can't be started.
  public init(
    _ path: String, _ arguments: [String], in directory: TemporaryDirectory, environment: [String: String] = [:]
  ) throws {
    // What posix_openpt, unlockpt and ptsname do on Linux; Swift's module of the C library leaves these out.
    main = open("/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC)
    var lock: Int32 = 0
    var number: UInt32 = 0
    let setLock: UInt = 0x4004_5431  // TIOCSPTLCK
    let getNumber: UInt = 0x8004_5430  // TIOCGPTN
    guard main >= 0, ioctl(main, setLock, &lock) == 0, ioctl(main, getNumber, &number) == 0
    else { throw MissingCommand(path: "/dev/ptmx") }
    let replicaPath = "/dev/pts/\(number)"
    replica = open(replicaPath, O_RDWR | O_NOCTTY)
    var size = winsize(ws_row: 30, ws_col: 100, ws_xpixel: 0, ws_ypixel: 0)
    _ = ioctl(main, UInt(TIOCSWINSZ), &size)

    let process = Process()
    process.executableURL = URL(fileURLWithPath: path)
    process.arguments = arguments
    process.currentDirectoryURL = directory.url
    var variables = ProcessInfo.processInfo.environment
    for name in ["NO_COLOR", "RANKER_DATABASE"] { variables[name] = nil }
    process.environment = variables.merging(["TERM": "xterm-256color"]) { $1 }.merging(environment) { $1 }
    let handle = FileHandle(fileDescriptor: replica, closeOnDealloc: false)
    process.standardInput = handle
    process.standardOutput = handle
    process.standardError = handle
    try withUnblockedSignals { try process.run() }
    processIdentifier = process.processIdentifier
    self.process = Box(process)
  }

  private struct Box: @unchecked Sendable {
    let process: Process
    init(_ process: Process) { self.process = process }
  }
  private let process: Box

  /// Presses keys.
  public func type(_ keys: String) {
    let bytes = Array(keys.utf8)
    _ = bytes.withUnsafeBytes { write(main, $0.baseAddress, $0.count) }
  }

  /// All that the command wrote so far.
  public var output: String {
    receive(waiting: 0)
    return received.withLock { String(decoding: $0, as: UTF8.self) }
  }

  /// Whether `text` is drawn, after what earlier calls waited for, within ten seconds.
  public func waits(for text: String) -> Bool {
    let needle = Array(text.utf8)
    let deadline = ContinuousClock.now + .seconds(10)
    while ContinuousClock.now < deadline {
      receive(waiting: 50)
      let isThere = received.withLock { bytes in
        let rest = bytes[seen.withLock { $0 }...]
        guard let range = rest.firstRange(of: needle) else { return false }
        seen.withLock { $0 = range.upperBound }
        return true
      }
      if isThere { return true }
    }
    return false
  }

  private let seen = Mutex(0)

  private func receive(waiting milliseconds: Int32) {
    var request = pollfd(fd: main, events: Int16(POLLIN), revents: 0)
    var timeout = milliseconds
    var buffer = [UInt8](repeating: 0, count: 65_536)
    while poll(&request, 1, timeout) > 0, request.revents & Int16(POLLIN) != 0 {
      let count = read(main, &buffer, buffer.count)
      if count <= 0 { return }
      received.withLock { $0 += buffer[..<count] }
      timeout = 0
    }
  }

  /// Waits for the command's end; its exit status, or 128 and the signal's number.
  public func wait() -> Int32 {
    while process.process.isRunning { receive(waiting: 20) }
    receive(waiting: 0)
    process.process.waitUntilExit()
    let status = process.process.terminationStatus
    return process.process.terminationReason == .exit ? status : 128 + status
  }

  /// Whether the terminal reads lines and shows what is typed, as shells want it.
  public var isCanonical: Bool {
    var settings = termios()
    return tcgetattr(replica, &settings) == 0 && settings.c_lflag & tcflag_t(ICANON) != 0
      && settings.c_lflag & tcflag_t(ECHO) != 0
  }

  /// Ends the command where it still runs, and the terminal.
  public func close() {
    if process.process.isRunning { kill(processIdentifier, SIGKILL) }
    process.process.waitUntilExit()
    Foundation.close(replica)
    Foundation.close(main)
  }
}
