// One attempt at a job: the training's process, its lease, and what the process's end means.

import Foundation
import Glibc
import Logging
import Synchronization

/// One attempt at a job, from its claim to the end of its process.
struct Attempt: Sendable {
  let claim: Claim
  let worker: Worker
  let folder: JobFolder
  let keeper: LeaseKeeper
  let logger: Logger

  /// Why a training is stopped before its end.
  private enum StopReason {
    case cancelled, workerStops, leaseLost
  }

  /// Runs the training to its end; nil where the lease was lost, so that there is nothing to say.
  func run() async -> AttemptEnd? {
    let job = claim.job
    guard let kind = worker.catalogue.kind(job.kind) else {
      return .failed(.refused("this service has no training of the kind \"\(job.kind)\" any more"))
    }
    do {
      // Fetching data, and waiting for an earlier attempt's process to end, may outlast the lease.
      let (lock, data) = try await keeper.keeping { [folder, claim, source = worker.source] in
        let lock = try await folder.lock()
        do {
          let data = try await source.data(of: claim, beside: kind.paths(in: job.parameters))
          try await source.prepare(folder, for: claim)
          return (lock, data)
        } catch {
          close(lock)
          throw error
        }
      }
      defer { close(lock) }
      // What was checked when the job was asked for may have a link in its place by now.
      let root = try DataRoot(data.root)
      if let path = data.path { try root.checkFolder(path) }
      let parameters = try kind.resolved(job.parameters, below: root)
      let arguments = kind.arguments(
        parameters: parameters, data: data.path, directory: folder.path, threads: worker.settings.threads,
        resumes: folder.hasSavedState)
      let child = try start(arguments, lock: lock)
      return await follow(child, root: data.root)
    } catch is CancellationError {
      return .released
    } catch let news as LeaseKeeper.News {
      return news == .leaseLost ? nil : .cancelled
    } catch let error as DataRootError {
      return .failed(.refused("\(error)"))
    } catch is JobError {
      return nil
    } catch {
      return Task.isCancelled ? .released : .failed(.broke("\(error)"))
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

  private func follow(_ child: ChildProcess, root: String) async -> AttemptEnd? {
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
    let saving = Task { await saveStateNowAndThen() }
    let listening = Task {
      var output = TrainingOutput()
      for await event in child.events {
        switch event {
        case .output(let line): await keeper.add(output.read(output: below(root, line)))
        case .error(let line): await keeper.add(output.read(error: below(root, line)))
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
    for task in [watch, saving] {
      task.cancel()
      await task.value
    }
    return end(of: ending, output: output, reason: stopping.withLock { $0 })
  }

  /// Brings the training's state away while it runs, where the folder is this machine's alone.
  private func saveStateNowAndThen() async {
    guard let interval = worker.source.stateInterval else { return }
    while true {
      do { try await Task.sleep(for: interval) } catch { return }
      do { try await worker.source.saveState(in: folder, of: claim) } catch {
        // The next one is newer anyway.
        if !Task.isCancelled { logger.warning("the state can't be brought away", metadata: ["error": "\(error)"]) }
      }
    }
  }

  /// Where the data folder is on this machine is nobody's business: paths are told as they were given.
  private func below(_ root: String, _ line: String) -> String {
    root == "/" ? line : line.replacingOccurrences(of: root + "/", with: "")
  }

  private func end(
    of ending: ChildProcess.Ending, output: TrainingOutput, reason: StopReason?
  ) -> AttemptEnd? {
    if reason == .leaseLost { return nil }
    // A training that ended well has ended well, whatever was wished meanwhile.
    if ending == .exit(status: 0), let done = output.done {
      var files = done["files"]?.array?.compactMap(\.string) ?? []
      // A training that had ended before, its end unheard, wrote nothing anew: the model is what is there.
      if files.isEmpty { files = folder.modelFiles }
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
