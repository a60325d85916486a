// Ctrl-C during long work: the work is told, ends in order, and the terminal is left as it was.

import Dispatch
import Foundation

/// Runs work that the first SIGINT or SIGTERM cancels (as a task) and the second ends at once.
/// - Throws: what the work throws; `CancellationError` where it was cancelled.
func interruptibly<Value: Sendable>(_ work: @escaping @Sendable () throws -> Value) throws -> Value {
  let task = Task.detached { try work() }
  let sources = [SIGINT, SIGTERM].map { number in
    signal(number, SIG_IGN)
    let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
    source.setEventHandler {
      if task.isCancelled { _exit(128 + number) }
      task.cancel()
    }
    source.resume()
    return source
  }
  defer {
    for source in sources { source.cancel() }
    for number in [SIGINT, SIGTERM] { signal(number, SIG_DFL) }
  }
  return try waiting(for: task)
}

/// Does what is asynchronous, and waits for it.
func waiting<Value: Sendable>(_ work: @escaping @Sendable () async throws -> Value) throws -> Value {
  try waiting(for: Task.detached { try await work() })
}

private func waiting<Value: Sendable>(for task: Task<Value, any Error>) throws -> Value {
  let box = ResultBox<Value>()
  let done = DispatchSemaphore(value: 0)
  Task.detached {
    box.result = await task.result
    done.signal()
  }
  done.wait()
  return try box.result!.get()
}

/// The path of this program.
var ownPath: String {
  (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? CommandLine.arguments[0]
}

/// Written before the semaphore is signalled and read after.
private final class ResultBox<Value: Sendable>: @unchecked Sendable {
  var result: Result<Value, any Error>?
}

/// The command line of this process with `--resume`, as one would type it.
func resumingCommand() -> String {
  var words = CommandLine.arguments
  if !words.contains("--resume") { words.append("--resume") }
  let plain = CharacterSet.alphanumerics.union(CharacterSet(charactersIn: "-_./=,:+@%"))
  return words.map { word in
    !word.isEmpty && word.unicodeScalars.allSatisfy(plain.contains)
      ? word : "'" + word.replacingOccurrences(of: "'", with: "'\\''") + "'"
  }.joined(separator: " ")
}
