// The lines that a training prints, as what the record of its job says.

import Foundation

/// Reads the lines of one training.
struct TrainingOutput: Sendable {
  private(set) var done: JSONValue?
  private var status = JobStatus.loadingData
  /// The last lines for people: why a training failed stands there.
  private(set) var lastWords: [String] = []

  /// Lines of people's that are kept of one attempt: more is noise that fills the disk.
  private static let mostLogLines = 5000
  private var logLines = 0

  /// What a line of the standard output says.
  mutating func read(output line: String) -> JobQueue.Report {
    var report = JobQueue.Report()
    guard let value = try? JSONValue(parsing: line), let event = value["event"]?.string else {
      return read(error: line)
    }
    switch event {
    case "began":
      move(to: .preprocessing, &report)
      for warning in value["warnings"]?.array ?? [] {
        if let text = warning.string { log("warning: \(text)", &report) }
      }
    case "progress", "epoch":
      move(to: .training, &report)
      report.progress = Self.progress(value)
      if event == "epoch" { report.events.append((.epoch, value)) }
    case "resumed":
      log("resumed after \(value["epoch"]?.plainText ?? "?")", &report)
    case "finishing":
      move(to: .training, &report)
      if let step = value["step"]?.string {
        report.progress = ["step": .string(step)]
        log(step, &report)
      }
    case "done": done = value
    // Folds and the like: for the log.
    default: log(line, &report)
    }
    return report
  }

  /// What a line of the standard error says.
  mutating func read(error line: String) -> JobQueue.Report {
    var report = JobQueue.Report()
    guard !line.isEmpty else { return report }
    lastWords = (lastWords + [line]).suffix(8)
    log(line, &report)
    return report
  }

  /// Only forward: a training goes through the states in their order.
  private mutating func move(to next: JobStatus, _ report: inout JobQueue.Report) {
    let order: [JobStatus] = [.loadingData, .preprocessing, .training]
    guard order.firstIndex(of: next)! > order.firstIndex(of: status)! else { return }
    status = next
    report.status = next
    report.events.append((.status, ["status": .string(next.rawValue)]))
  }

  private mutating func log(_ text: String, _ report: inout JobQueue.Report) {
    logLines += 1
    guard logLines <= Self.mostLogLines else { return }
    let text = logLines == Self.mostLogLines ? "… further lines are left out" : String(text.prefix(2000))
    report.events.append((.log, ["text": .string(text)]))
  }

  /// What a bar needs: the numbers, without the record of the epoch.
  private static func progress(_ value: JSONValue) -> JSONValue {
    let kept = ["epoch", "epochs", "fold", "batch", "batches", "loss", "samples_per_second", "seconds_left"]
    return .object(value.object?.filter { kept.contains($0.key) } ?? [:])
  }

  /// Why the training failed, in its own words.
  var problem: String {
    let text = lastWords.joined(separator: "\n")
    guard let error = text.range(of: "Error: ", options: .backwards) else { return text }
    return String(text[error.upperBound...])
  }
}

extension JobQueue.Report {
  /// Two reports as one: the later status and progress, the events of both.
  mutating func append(_ other: JobQueue.Report) {
    status = other.status ?? status
    progress = other.progress ?? progress
    events += other.events
  }
}
