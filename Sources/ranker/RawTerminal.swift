// The terminal, key by key: taken over, drawn on, and always given back as it was.

import Glibc

/// A key that a person pressed.
enum Key: Equatable {
  case character(Character)
  case enter, backspace, escape
  /// The terminal was closed, or input ended.
  case end
  /// ctrl-C or ctrl-D.
  case interrupt
  /// The window has another size, or the program goes on after a stop: draw again.
  case redraw
  /// Arrows and the like, which mean nothing here.
  case other
}

/// What signal handlers need; plain values, set before any handler is installed.
private nonisolated(unsafe) var savedSettings = termios()
private nonisolated(unsafe) var rawSettings = termios()
private nonisolated(unsafe) var needsRedraw: sig_atomic_t = 0

/// The sequences that take the screen and give it back: the alternate screen, the cursor hidden.
private let enterSequence: StaticString = "\u{1B}[?1049h\u{1B}[?25l"
private let leaveSequence: StaticString = "\u{1B}[?25h\u{1B}[?1049l"

/// Only calls that POSIX allows in a signal handler.
private func leaveScreen() {
  _ = write(STDOUT_FILENO, leaveSequence.utf8Start, leaveSequence.utf8CodeUnitCount)
  tcsetattr(STDIN_FILENO, TCSANOW, &savedSettings)
}

private func enterScreen() {
  tcsetattr(STDIN_FILENO, TCSANOW, &rawSettings)
  _ = write(STDOUT_FILENO, enterSequence.utf8Start, enterSequence.utf8CodeUnitCount)
}

/// The terminal in raw mode on its alternate screen. Gives both back when the work is done, and when a signal ends or
/// stops the program.
final class RawTerminal {
  /// A byte that was read too far.
  private var heldByte: Int?

  /// Runs `body` with the terminal taken over.
  static func use(_ body: (RawTerminal) throws -> Void) throws {
    guard tcgetattr(STDIN_FILENO, &savedSettings) == 0 else {
      throw ValidationFailure("the terminal's settings can't be read: \(String(cString: strerror(errno)))")
    }
    rawSettings = savedSettings
    // Keys at once and unseen. Signals from keys are read as keys, so that an answer is never cut in half.
    rawSettings.c_lflag &= ~tcflag_t(ICANON | ECHO | ISIG | IEXTEN)
    rawSettings.c_iflag &= ~tcflag_t(IXON | ICRNL | INLCR)
    flushOutput()
    installHandlers()
    enterScreen()
    defer {
      for signal in endingSignals + [SIGTSTP, SIGCONT, SIGWINCH] { Glibc.signal(signal, SIG_DFL) }
      leaveScreen()
    }
    try body(RawTerminal())
  }

  private static let endingSignals = [SIGINT, SIGTERM, SIGHUP, SIGQUIT]

  private static func installHandlers() {
    for signal in endingSignals {
      Glibc.signal(signal) { number in
        leaveScreen()
        Glibc.signal(number, SIG_DFL)
        raise(number)
      }
    }
    Glibc.signal(SIGTSTP) { _ in
      leaveScreen()
      raise(SIGSTOP)
    }
    Glibc.signal(SIGCONT) { _ in
      enterScreen()
      needsRedraw = 1
    }
    Glibc.signal(SIGWINCH) { _ in needsRedraw = 1 }
  }

  /// Replaces what the screen shows.
  func draw(_ lines: [String]) {
    var text = "\u{1B}[H"
    for (index, line) in lines.enumerated() {
      text += (index > 0 ? "\r\n" : "") + line + "\u{1B}[K"
    }
    text += "\u{1B}[J"
    // In one piece, so that nothing flickers.
    var bytes = Array(text.utf8)[...]
    while !bytes.isEmpty {
      let count = bytes.withUnsafeBytes { write(STDOUT_FILENO, $0.baseAddress, $0.count) }
      if count < 0 && errno != EINTR { return }
      bytes = bytes.dropFirst(max(0, count))
    }
  }

  var size: (columns: Int, rows: Int) { Terminal.size ?? (80, 24) }

  /// Waits for a key.
  func key() -> Key {
    while true {
      if needsRedraw != 0 {
        needsRedraw = 0
        return .redraw
      }
      // A signal may come just before the wait begins: a short wait notices it soon.
      guard let byte = readByte(waiting: 250) else { continue }
      switch byte {
      case -1: return .end
      case 0x03, 0x04: return .interrupt
      case 0x1A:
        kill(getpid(), SIGTSTP)
        continue
      case 0x0A, 0x0D: return .enter
      case 0x08, 0x7F: return .backspace
      case 0x1B: return escapeSequence()
      case 0x00..<0x20: return .other
      default: return character(first: UInt8(byte))
      }
    }
  }

  /// A byte of input; -1 at its end, nil when none came in time.
  private func readByte(waiting milliseconds: Int32) -> Int? {
    if let byte = heldByte {
      heldByte = nil
      return byte
    }
    var request = pollfd(fd: STDIN_FILENO, events: Int16(POLLIN), revents: 0)
    guard poll(&request, 1, milliseconds) > 0 else { return nil }
    var byte: UInt8 = 0
    let count = read(STDIN_FILENO, &byte, 1)
    if count == 1 { return Int(byte) }
    return count == 0 || errno != EINTR ? -1 : nil
  }

  /// A lone escape, or the rest of an arrow's or a function key's sequence, which comes without a pause.
  private func escapeSequence() -> Key {
    guard let next = readByte(waiting: 30), next >= 0 else { return .escape }
    guard next == UInt8(ascii: "[") || next == UInt8(ascii: "O") else {
      heldByte = next
      return .escape
    }
    while let byte = readByte(waiting: 30), byte >= 0 {
      if (0x40...0x7E).contains(byte) { break }
    }
    return .other
  }

  /// A character of one to four bytes.
  private func character(first: UInt8) -> Key {
    var bytes = [first]
    let length = first < 0x80 ? 1 : first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2
    while bytes.count < length, let byte = readByte(waiting: 30), byte >= 0 { bytes.append(UInt8(byte)) }
    return String(decoding: bytes, as: UTF8.self).first.map { .character($0) } ?? .other
  }
}
