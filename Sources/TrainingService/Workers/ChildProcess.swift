// A program that runs beside the service: its lines as they come, its end, and signals to it.

import Foundation
import Glibc
import Synchronization

/// A child process in a process group of its own.
///
/// It holds three open files: its standard input, which the caller chooses, and the two outputs, which are read line by
/// line on a thread. Nothing else that the service has open goes to it: a training that outlives its server must not hold
/// the port that the next one listens on. It has no signal blocked or ignored that the service blocks or ignores.
final class ChildProcess: Sendable {
  enum Event: Sendable, Hashable {
    /// A line of the standard output.
    case output(String)
    /// A line of the standard error.
    case error(String)
    /// The last event.
    case ended(Ending)
  }

  enum Ending: Sendable, Hashable {
    case exit(status: Int32)
    case signal(Int32)
  }

  let processIdentifier: pid_t
  /// What the process says, and at last how it ended.
  let events: AsyncStream<Event>

  /// Whether the process has its number still; changed only by the thread that waits for it.
  private let isRunning = Flag()

  private final class Flag: Sendable {
    let value = Mutex(true)
  }

  /// A line may be as long as this; the rest of a longer one is dropped.
  private static let longestLine = 1 << 20

  /// Starts a program.
  ///
  /// - Parameters:
  ///   - input: a descriptor for its standard input, which stays the caller's.
  /// - Throws: ``ChildProcessError``.
  convenience init(_ program: String, _ arguments: [String], input: Int32) throws {
    // One at a time: between the making of a pipe and its mark, another child would inherit it, and this one's output
    // would not end before that child does.
    self.init(try Self.starting.withLock { _ in try Self.start(program, arguments, input: input) })
  }

  private static let starting = Mutex(())

  private struct Started {
    let identifier: pid_t
    let output: Int32
    let errors: Int32
  }

  private static func start(_ program: String, _ arguments: [String], input: Int32) throws -> Started {
    let output = try pipe()
    let errors: (reader: Int32, writer: Int32)
    do { errors = try pipe() } catch {
      close(output.reader)
      close(output.writer)
      throw error
    }
    defer {
      close(output.writer)
      close(errors.writer)
    }

    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    posix_spawn_file_actions_adddup2(&actions, input, 0)
    posix_spawn_file_actions_adddup2(&actions, output.writer, 1)
    posix_spawn_file_actions_adddup2(&actions, errors.writer, 2)

    for descriptor in openDescriptors where descriptor > 2 { posix_spawn_file_actions_addclose(&actions, descriptor) }

    var attributes = posix_spawnattr_t()
    posix_spawnattr_init(&attributes)
    defer { posix_spawnattr_destroy(&attributes) }
    var none = sigset_t()
    sigemptyset(&none)
    var all = sigset_t()
    sigfillset(&all)
    posix_spawnattr_setsigmask(&attributes, &none)
    posix_spawnattr_setsigdefault(&attributes, &all)
    posix_spawnattr_setpgroup(&attributes, 0)
    posix_spawnattr_setflags(
      &attributes, Int16(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP))

    let words: [UnsafeMutablePointer<CChar>?] = ([program] + arguments).map { strdup($0) } + [nil]
    defer { for word in words { free(word) } }
    var identifier = pid_t()
    let status = posix_spawn(&identifier, program, &actions, &attributes, words, environ)
    guard status == 0 else {
      close(output.reader)
      close(errors.reader)
      throw ChildProcessError(program: program, code: status)
    }
    return Started(identifier: identifier, output: output.reader, errors: errors.reader)
  }

  private init(_ started: Started) {
    let identifier = started.identifier
    processIdentifier = identifier
    let isRunning = self.isRunning
    let (stream, continuation) = AsyncStream<Event>.makeStream()
    events = stream
    Thread.detachNewThread {
      Self.read(started.output, started.errors) { continuation.yield($0) }
      // Dead, but not yet waited for: until then no other process gets the number.
      var information = siginfo_t()
      while waitid(P_PID, id_t(identifier), &information, WEXITED | WNOWAIT) < 0, errno == EINTR {}
      isRunning.value.withLock { $0 = false }
      continuation.yield(.ended(Self.wait(for: identifier)))
      continuation.finish()
    }
  }

  /// Sends a signal to the process and to whatever it started; nothing where it has ended.
  func signal(_ number: Int32) {
    isRunning.value.withLock { if $0 { kill(-processIdentifier, number) } }
  }

  /// What this process has open. Of files that are closed until the child starts, nothing needs to be closed; what is
  /// opened until then is marked (`FD_CLOEXEC`) by whoever opens files beside others' children.
  private static var openDescriptors: [Int32] {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd")) ?? []
    return names.compactMap { Int32($0) }
  }

  private static func pipe() throws -> (reader: Int32, writer: Int32) {
    var ends: [Int32] = [0, 0]
    guard Glibc.pipe(&ends) == 0 else { throw ChildProcessError(program: "pipe", code: errno) }
    for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
    return (ends[0], ends[1])
  }

  /// Reads both outputs to their ends.
  private static func read(_ output: Int32, _ errors: Int32, _ yield: (Event) -> Void) {
    var requests = [output, errors].map { pollfd(fd: $0, events: Int16(POLLIN), revents: 0) }
    var pending: [[UInt8]] = [[], []]
    var buffer = [UInt8](repeating: 0, count: 1 << 16)
    func emit(_ line: some Sequence<UInt8>, _ index: Int) {
      let text = String(decoding: Array(line), as: UTF8.self)
      yield(index == 0 ? .output(text) : .error(text))
    }
    while requests.contains(where: { $0.fd >= 0 }) {
      guard poll(&requests, 2, -1) > 0 else { continue }
      for index in 0..<2 where requests[index].fd >= 0 && requests[index].revents != 0 {
        let count = Glibc.read(requests[index].fd, &buffer, buffer.count)
        if count < 0, errno == EINTR || errno == EAGAIN { continue }
        guard count > 0 else {
          if !pending[index].isEmpty { emit(pending[index], index) }
          close(requests[index].fd)
          requests[index].fd = -1
          continue
        }
        var rest = buffer[..<count]
        while let newline = rest.firstIndex(of: UInt8(ascii: "\n")) {
          pending[index] += rest[..<newline]
          emit(pending[index].prefix(longestLine), index)
          pending[index] = []
          rest = rest[(newline + 1)...]
        }
        if pending[index].count < longestLine { pending[index] += rest }
      }
    }
  }

  private static func wait(for identifier: pid_t) -> Ending {
    var status: Int32 = 0
    while waitpid(identifier, &status, 0) < 0, errno == EINTR {}
    let number = status & 0x7F
    return number == 0 ? .exit(status: (status >> 8) & 0xFF) : .signal(number)
  }
}

/// A program that could not be started.
struct ChildProcessError: Error, CustomStringConvertible {
  let program: String
  let code: Int32

  var description: String { "cannot start \(program): \(String(cString: strerror(code)))" }
}
