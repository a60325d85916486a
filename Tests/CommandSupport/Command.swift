// Runs the built executables, for tests of what a person at a command line meets.

import Foundation

/// What a finished command said and how it ended.
public struct CommandResult: Sendable {
  /// The exit status; 128 and the signal's number where a signal ended it, as shells count.
  public let status: Int32
  public let outputBytes: Data
  public let errorBytes: Data

  public var output: String { String(decoding: outputBytes, as: UTF8.self) }
  public var errors: String { String(decoding: errorBytes, as: UTF8.self) }
}

/// One of this package's executables, as built beside the tests.
public struct Command: Sendable {
  public let path: String

  /// - Throws: where no such executable stands beside the test bundle.
  public init(_ name: String) throws {
    let tests = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
    path = URL(fileURLWithPath: tests).deletingLastPathComponent().appendingPathComponent(name).path
    guard FileManager.default.isExecutableFile(atPath: path) else { throw MissingCommand(path: path) }
  }

  /// Runs the command to its end.
  ///
  /// - Parameters:
  ///   - input: what its standard input holds; empty by default.
  ///   - environment: set beside what the tests run with. `NO_COLOR`, `RANKER_DATABASE` and `COLUMNS` are taken out.
  public func run(
    _ arguments: [String], input: String = "", in directory: TemporaryDirectory,
    environment: [String: String] = [:]
  ) throws -> CommandResult {
    // Files, not pipes: a command that writes more than a pipe holds would wait for a reader.
    let files = try TemporaryDirectory()
    try Data(input.utf8).write(to: files.url.appendingPathComponent("input"))
    let running = try start(
      arguments, in: directory, environment: environment, input: files.path("input"), output: files.path("output"),
      errors: files.path("errors"))
    let status = running.wait()
    return CommandResult(
      status: status, outputBytes: try Data(contentsOf: files.url.appendingPathComponent("output")),
      errorBytes: try Data(contentsOf: files.url.appendingPathComponent("errors")))
  }

  /// Starts the command and returns at once.
  ///
  /// - Parameters:
  ///   - input, output, errors: paths of files; nothing to read, and what is written dropped, by default.
  public func start(
    _ arguments: [String], in directory: TemporaryDirectory, environment: [String: String] = [:],
    input: String = "/dev/null", output: String = "/dev/null", errors: String = "/dev/null"
  ) throws -> RunningCommand {
    for path in [output, errors] where path != "/dev/null" {
      guard FileManager.default.createFile(atPath: path, contents: nil) else { throw MissingCommand(path: path) }
    }
    let process = Process()
    process.executableURL = URL(fileURLWithPath: path)
    process.arguments = arguments
    process.currentDirectoryURL = directory.url
    var variables = ProcessInfo.processInfo.environment
    for name in ["NO_COLOR", "RANKER_DATABASE", "COLUMNS"] { variables[name] = nil }
    process.environment = variables.merging(environment) { $1 }
    process.standardInput = FileHandle(forReadingAtPath: input)
    process.standardOutput = FileHandle(forWritingAtPath: output)
    process.standardError = FileHandle(forWritingAtPath: errors)
    try withUnblockedSignals { try process.run() }
    return RunningCommand(process: process)
  }
}

/// Runs `body` with no signal blocked. Tests run on threads of Dispatch, which block most signals, and a child process
/// takes over what the thread that starts it blocks: it could not be ended by SIGTERM.
public func withUnblockedSignals<Value>(_ body: () throws -> Value) rethrows -> Value {
  var none = sigset_t()
  var before = sigset_t()
  sigemptyset(&none)
  pthread_sigmask(SIG_SETMASK, &none, &before)
  defer { pthread_sigmask(SIG_SETMASK, &before, nil) }
  return try body()
}

/// A command that was started.
public final class RunningCommand {
  private let process: Process

  init(process: Process) { self.process = process }

  public var processIdentifier: Int32 { process.processIdentifier }

  /// Sends a signal.
  public func signal(_ number: Int32) { kill(process.processIdentifier, number) }

  /// Waits for the end; the exit status, or 128 and the signal's number.
  public func wait() -> Int32 {
    process.waitUntilExit()
    return process.terminationReason == .exit ? process.terminationStatus : 128 + process.terminationStatus
  }
}

/// An executable that was not built.
public struct MissingCommand: Error, CustomStringConvertible {
  let path: String

  public var description: String { "\(path) is not there; build the package first (swift build -c release)" }
}

/// A directory that goes away with the value.
public final class TemporaryDirectory: Sendable {
  public let url: URL

  public init() throws {
    url = FileManager.default.temporaryDirectory.appendingPathComponent("rankerkit-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(at: url) }

  /// The path of a file in the directory.
  public func path(_ name: String) -> String { url.appendingPathComponent(name).path }

  /// Writes a file and returns its path.
  @discardableResult
  public func write(_ text: String, to name: String) throws -> String {
    try write(Array(text.utf8), to: name)
  }

  @discardableResult
  public func write(_ bytes: [UInt8], to name: String) throws -> String {
    try Data(bytes).write(to: url.appendingPathComponent(name))
    return path(name)
  }

  /// The bytes of a file.
  public func bytes(of name: String) throws -> [UInt8] {
    Array(try Data(contentsOf: url.appendingPathComponent(name)))
  }
}
