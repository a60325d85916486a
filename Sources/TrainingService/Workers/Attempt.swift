// One attempt at a job: the training's process, its lease, and what the process's end means.

import Foundation
import Glibc
import Logging
import Synchronization

/// One attempt at a job, from its claim to the end of its process.
struct Attempt: Sendable {
  let claim: Claim
  let worker: Worker
  let logger: Logger

  enum End: Sendable {
    case completed(AttemptResult)
    case failed(AttemptFailure)
    case released
    case cancelled
    case leaseLost
  }

  /// Why a training is stopped before its end.
  private enum StopReason {
    case cancelled, workerStops, leaseLost
  }

  func run() async -> End {
    let job = claim.job
    guard let kind = worker.catalogue.kind(job.kind) else {
      return .failed(.refused("this service has no training of the kind \"\(job.kind)\" any more"))
    }
    do {
      // The data may have gone, or a link in its place, since the job was asked for.
      let data: String?
      do { data = try job.dataPath.map { try worker.root.absolute($0) } } catch {
        return .failed(.refused("\(error)"))
      }
      let folder = try JobFolder("\(worker.settings.modelsDirectory)/\(job.id)")
      let keeper = LeaseKeeper(claim: claim, queue: worker.queue, logger: logger)
      // Waiting for an earlier attempt's process to end may outlast the lease.
      let lock = try await keeper.keeping { try await folder.lock() }
      defer { close(lock) }
      let arguments = kind.arguments(
        parameters: job.parameters, data: data, directory: folder.path, threads: worker.settings.threads,
        resumes: folder.hasSavedState)
      let child = try start(arguments, lock: lock)
      return await follow(child, keeper: keeper, folder: folder)
    } catch is CancellationError {
      return .released
    } catch {
      return .failed(.broke("\(error)"))
    }
  }

  /// Starts the training with less of the processor than the service has itself, as the first to go where memory runs
  /// out, and within its limit of memory.
  private func start(_ arguments: [String], lock: Int32) throws -> ChildProcess {
    let limit = worker.settings.memoryLimit.map { "\($0 / 1024)" } ?? "unlimited"
    let script = """
      ulimit -d "$0"; echo 500 2>/dev/null >/proc/$$/oom_score_adj; exec nice -n 10 "$@"
      """
    return try ChildProcess(
      "/bin/sh", ["-c", script, limit, worker.catalogue.program] + arguments, input: lock)
  }

  private func follow(_ child: ChildProcess, keeper: LeaseKeeper, folder: JobFolder) async -> End {
    let stopping = Mutex<StopReason?>(nil)
    @Sendable func stop(_ reason: StopReason) {
      let isFirst = stopping.withLock { present in
        defer { present = present ?? reason }
        return present == nil
      }
      guard isFirst else { return }
      child.signal(reason == .leaseLost ? SIGKILL : SIGTERM)
      Task {
        try? await Task.sleep(for: worker.settings.grace)
        child.signal(SIGKILL)
      }
    }
    // Not part of this task: what a stopped worker's training still says has to be heard too.
    let watch = Task {
      await keeper.watch { news in stop(news == .cancelRequested ? .cancelled : .leaseLost) }
    }
    let listening = Task {
      var output = TrainingOutput()
      for await event in child.events {
        switch event {
        case .output(let line): await keeper.add(output.read(output: belowRoot(line)))
        case .error(let line): await keeper.add(output.read(error: belowRoot(line)))
        case .ended(let ending): return (output, ending)
        }
      }
      return (output, ChildProcess.Ending.exit(status: -1))
    }
    let (output, ending) = await withTaskCancellationHandler {
      await listening.value
    } onCancel: {
      stop(.workerStops)
    }
    watch.cancel()
    await watch.value
    await keeper.flush()
    return end(of: ending, output: output, reason: stopping.withLock { $0 }, folder: folder)
  }

  /// Where the data folder is on this machine is nobody's business: paths are told as they were given.
  private func belowRoot(_ line: String) -> String {
    worker.root.path == "/" ? line : line.replacingOccurrences(of: worker.root.path + "/", with: "")
  }

  private func end(
    of ending: ChildProcess.Ending, output: TrainingOutput, reason: StopReason?, folder: JobFolder
  ) -> End {
    if reason == .leaseLost { return .leaseLost }
    // A training that ended well has ended well, whatever was wished meanwhile.
    if ending == .exit(status: 0), let done = output.done {
      let files = done["files"]?.array?.compactMap(\.string) ?? []
      return .completed(AttemptResult(directory: folder.path, files: files, metrics: done))
    }
    switch reason {
    case .cancelled: return .cancelled
    case .workerStops: return .released
    default: break
    }
    switch ending {
    case .exit(status: 0): return .failed(.broke("the training ended without saying what it made"))
    // The shell could not start the program.
    case .exit(let status) where status == 126 || status == 127:
      return .failed(.broke("cannot start \(worker.catalogue.program)"))
    case .exit(let status):
      let problem = output.problem
      return .failed(.refused(problem.isEmpty ? "the training ended with status \(status)" : problem))
    case .signal(let number):
      let memory = worker.settings.memoryLimit.map { "; it may allocate \($0 >> 20) MB" } ?? ""
      let words = output.lastWords.isEmpty ? "" : ". Its last words: \(output.lastWords.joined(separator: " "))"
      return .failed(.broke("the training was ended by signal \(number)\(memory)\(words)"))
    }
  }
}
