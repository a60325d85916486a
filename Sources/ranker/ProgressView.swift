// Long work as it is watched: a bar in a terminal, lines elsewhere, JSON for programs.

import Foundation
import Glibc
import Reports
import Training

/// How the progress of one kind of training is told.
struct ProgressWording: Sendable {
  /// What a second's pace counts: `pairs`, `samples`.
  var samples: String
  /// What one pass is called: `epoch`, `iteration`.
  var pass = "epoch"
  /// The measures of an epoch after its loss: `accuracy 88.1%, τ 0.71`. The first also stands in the bar.
  var measures: @Sendable (EpochRecord) -> [String]
  /// The value that marks the best epoch, the smaller the better.
  var score: @Sendable (EpochRecord) -> Double = { $0.metrics["validation_loss"] ?? $0.trainLoss }
}

/// Shows a training on standard error (JSON: on standard output).
final class ProgressView {
  enum Mode: Sendable {
    case normal, quiet, verbose, json
  }

  let mode: Mode
  private let wording: ProgressWording
  private let hasBar: Bool
  let style: Style
  private let clock = ContinuousClock()
  private var lastDraw: ContinuousClock.Instant?
  private var lastLine: ContinuousClock.Instant?
  private let start: ContinuousClock.Instant
  private var isBarShown = false
  private var best: Double?
  private var lastMeasure: String?

  /// Fast enough for the eye.
  private static let redrawInterval = Duration.milliseconds(50)
  /// In a log, a line a second is enough.
  private static let lineInterval = Duration.seconds(1)
  /// A pass that takes long says in a log now and then how far it is.
  private static let longInterval = Duration.seconds(30)

  init(_ mode: Mode, wording: ProgressWording) {
    self.mode = mode
    self.wording = wording
    start = clock.now
    hasBar = Terminal.isError && Terminal.isCapable && (mode == .normal || mode == .verbose)
    style = Style(isOn: hasBar && getenv("NO_COLOR") == nil)
  }

  /// Takes the bar away.
  func clear() {
    guard isBarShown else { return }
    isBarShown = false
    write("\r\u{1B}[K")
  }

  /// A line of text, where text is shown at all.
  func line(_ text: String) {
    guard mode == .normal || mode == .verbose else { return }
    clear()
    write(text + "\n")
  }

  func warn(_ text: String) { line("\(style.yellow("warning:")) \(text)") }

  /// What is being done after the last epoch.
  func finishing(_ what: String) {
    switch mode {
    case .quiet: break
    case .json: printJSONLine(ProgressLine(event: "finishing", step: what))
    case .normal, .verbose: if hasBar { bar("\(what) …") } else if mode == .verbose { line(what) }
    }
  }

  /// The training goes on after this many epochs; `part` names the fold, where there are folds.
  func resumed(epochs: Int, part: String? = nil) {
    line("resumed after \(wording.pass) \(epochs)\(part.map { " of \($0)" } ?? "")")
  }

  /// Another training of the same run begins: no epoch of the one before is its best.
  func startOver() { best = nil }

  /// Shows progress as text; `part` names the fold, where there are folds.
  func show(_ progress: TrainingProgress, part: String? = nil) {
    guard mode == .normal || mode == .verbose else { return }
    let now = clock.now
    if let record = progress.record {
      let score = wording.score(record)
      let isBest = score < best ?? .infinity
      if isBest { best = score }
      // Where nobody watches, the first and the last epoch and one a second tell enough.
      let isDue = lastLine.map { now - $0 >= Self.lineInterval } ?? true
      if mode == .verbose || (!hasBar && (isDue || record.epoch == progress.epochs)) {
        lastLine = now
        line(text(of: record, epochs: progress.epochs) + (isBest ? " \(style.green("best"))" : ""))
      }
      lastMeasure = wording.measures(record).first
    } else if !hasBar, now - (lastLine ?? start) >= Self.longInterval {
      lastLine = now
      line(
        "\(part.map { "\($0), " } ?? "")\(wording.pass) \(progress.epoch) of \(progress.epochs): "
          + "\(Figures.count(progress.batch)) of \(Figures.count(progress.batches)) steps, "
          + "loss \(Figures.number(progress.loss)), \(Figures.duration(progress.secondsLeft)) left")
    }
    guard hasBar, lastDraw.map({ now - $0 >= Self.redrawInterval }) ?? true else { return }
    lastDraw = now
    bar(text(of: progress, part: part))
  }

  private func text(of record: EpochRecord, epochs: Int) -> String {
    var parts = ["loss \(Figures.number(record.trainLoss))"]
    if let loss = record.metrics["validation_loss"] { parts.append("validation \(Figures.number(loss))") }
    return "\(wording.pass) \(record.epoch) of \(epochs): "
      + (parts + wording.measures(record)).joined(separator: ", ")
  }

  private func text(of progress: TrainingProgress, part: String?) -> String {
    let done =
      (Double(progress.epoch - 1) + Double(progress.batch) / Double(max(progress.batches, 1)))
      / Double(max(progress.epochs, 1))
    let place = (part.map { "\($0), " } ?? "") + "\(wording.pass) \(progress.epoch)/\(progress.epochs) "
    var figures = "  loss \(Figures.number(progress.loss, digits: 3))"
    if let lastMeasure { figures += "  \(lastMeasure)" }
    figures += "  \(Figures.count(Int(progress.samplesPerSecond))) \(wording.samples)/s"
    figures += "  \(Figures.duration(progress.secondsLeft)) left"
    let room = columns - place.count - figures.count - 1
    guard room >= 5 else { return String((place + figures).prefix(max(columns - 1, 1))) }
    let width = min(room, 32)
    let full = Int((Double(width) * min(max(done, 0), 1)).rounded())
    return place + style.cyan(String(repeating: "━", count: full))
      + style.dim(String(repeating: "─", count: width - full)) + figures
  }

  private var columns: Int {
    var size = winsize()
    guard ioctl(STDERR_FILENO, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else { return 80 }
    return Int(size.ws_col)
  }

  private func bar(_ text: String) {
    isBarShown = true
    write("\r\u{1B}[K\(text)")
  }

  private func write(_ text: String) { FileHandle.standardError.write(Data(text.utf8)) }
}

/// The lines that every training prints with `--json`: `progress`, `epoch`, `resumed` and `finishing`.
struct ProgressLine: Encodable {
  var event: String
  var epoch: Int?
  var epochs: Int?
  var fold: Int?
  var batch: Int?
  var batches: Int?
  var loss: Double?
  var samplesPerSecond: Double?
  var secondsLeft: Double?
  var record: EpochRecord?
  var step: String?

  init(event: String, epoch: Int? = nil, fold: Int? = nil, step: String? = nil) {
    self.event = event
    self.epoch = epoch
    self.fold = fold
    self.step = step
  }

  init(_ progress: TrainingProgress, fold: Int? = nil) {
    event = progress.record == nil ? "progress" : "epoch"
    epoch = progress.epoch
    epochs = progress.epochs
    self.fold = fold
    batch = progress.batch
    batches = progress.batches
    loss = progress.loss
    samplesPerSecond = progress.samplesPerSecond.rounded()
    secondsLeft = progress.secondsLeft
    record = progress.record
  }
}

/// Prints a value as JSON on one line, at once: a reader at the other end of a pipe follows the training.
func printJSONLine(_ value: some Encodable) {
  let encoder = JSONEncoder()
  encoder.keyEncodingStrategy = .convertToSnakeCase
  encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
  guard let data = try? encoder.encode(value) else { return }
  print(String(decoding: data, as: UTF8.self))
  flushOutput()
}
