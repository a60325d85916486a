// The folder that a job's training writes to, and the lock that keeps a second one out of it.

import Foundation
import Glibc

/// A job's folder on this machine. The lock's file is the training's standard input, so that the training itself holds
/// the lock for as long as it lives: longer, perhaps, than the worker that started it.
public struct JobFolder: Sendable {
  public let path: String

  /// Beside the model's files; hidden, so that nobody takes it for one.
  private var lockPath: String { "\(path)/.lock" }

  init(_ path: String) { self.path = path }

  /// The names of the files from which a training goes on.
  var stateFiles: [String] {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []
    return names.filter { $0.hasSuffix(TrainingKind.stateSuffix) && !$0.hasPrefix(".") }.sorted()
  }

  /// Whether a training left a state to go on from.
  var hasSavedState: Bool { !stateFiles.isEmpty }

  /// The names of all files but hidden ones and states, in order.
  var modelFiles: [String] {
    let names = (try? FileManager.default.subpathsOfDirectory(atPath: path)) ?? []
    return names.filter { name in
      var status = stat()
      return !name.hasSuffix(TrainingKind.stateSuffix) && !name.split(separator: "/").contains { $0.hasPrefix(".") }
        && lstat("\(path)/\(name)", &status) == 0 && status.st_mode & S_IFMT == S_IFREG
    }.sorted()
  }

  /// Takes the lock, in a folder that is made where it is not there. A training of an earlier attempt that still runs, its worker gone, is ended first: it has lost its
  /// lease, and whatever it would say is refused.
  ///
  /// - Returns: the lock's descriptor, to be given to the training as its standard input and then closed.
  func lock() async throws -> Int32 {
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    let descriptor = open(lockPath, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else { throw ChildProcessError(program: lockPath, code: errno) }
    for round in 0... {
      if flock(descriptor, LOCK_EX | LOCK_NB) == 0 { return descriptor }
      // In order at first, so that it saves its state; then at once.
      for process in holders { kill(process, round < 50 ? SIGTERM : SIGKILL) }
      do { try await Task.sleep(for: .milliseconds(100)) } catch {
        close(descriptor)
        throw error
      }
    }
    return descriptor
  }

  /// The other processes that have the lock's file open.
  private var holders: [pid_t] {
    var wanted = stat()
    guard stat(lockPath, &wanted) == 0 else { return [] }
    let processes = (try? FileManager.default.contentsOfDirectory(atPath: "/proc"))?.compactMap { pid_t($0) } ?? []
    return processes.filter { process in
      // A training has it as its standard input; a worker on its way there has it elsewhere and is no training.
      var status = stat()
      return process != getpid() && stat("/proc/\(process)/fd/0", &status) == 0 && status.st_dev == wanted.st_dev
        && status.st_ino == wanted.st_ino
    }
  }
}
