// A training as it is watched: a bar in a terminal, lines elsewhere, JSON for programs.

import Foundation
import Glibc
import PairwiseRanking
import Reports
import Training

/// Shows the events of a training on standard error (JSON: on standard output).
final class TrainingView {
  enum Mode: Sendable {
    case normal, quiet, verbose, json
  }

  private let mode: Mode
  private let hasBar: Bool
  private let style: Style
  private let clock = ContinuousClock()
  private var lastDraw: ContinuousClock.Instant?
  private var lastLine: ContinuousClock.Instant?
  private var isBarShown = false
  private var best: Double?

  /// Fast enough for the eye.
  private static let redrawInterval = Duration.milliseconds(50)
  /// In a log, a line a second is enough.
  private static let lineInterval = Duration.seconds(1)

  init(_ mode: Mode) {
    self.mode = mode
    hasBar = Terminal.isError && Terminal.isCapable && (mode == .normal || mode == .verbose)
    style = Style(isOn: hasBar && getenv("NO_COLOR") == nil)
  }

  func show(_ event: RankerTraining.Event) {
    switch mode {
    case .quiet: break
    case .json: printLine(event)
    case .normal, .verbose: tell(event)
    }
  }

  /// Takes the bar away.
  func clear() {
    guard isBarShown else { return }
    isBarShown = false
    write("\r\u{1B}[K")
  }

  private func tell(_ event: RankerTraining.Event) {
    switch event {
    case .began(let beginning):
      for warning in beginning.warnings { line("\(style.yellow("warning:")) \(warning)") }
      line(
        "\(Figures.count(beginning.pairs)) pairs of \(Figures.count(beginning.items)) items: "
          + "\(Figures.count(beginning.trainingPairs)) to train on, \(Figures.count(beginning.validationPairs)) held out"
      )
      line(
        "\(Figures.count(beginning.layout.count)) features (\(beginning.layout.summary)), "
          + "\(Figures.count(beginning.parameterCount)) parameters")
    case .resumed(let epochs, let fold):
      line("resumed after epoch \(epochs)\(fold.map { " of fold \($0)" } ?? "")")
    case .fold(let number, let count):
      best = nil
      if mode == .verbose { line("fold \(number) of \(count)") }
    case .foldEnded(let number, let count, let fold):
      line(
        "fold \(number) of \(count): accuracy \(Figures.percent(fold.validation.accuracy)), "
          + "τ \(Figures.number(fold.validation.kendallTau, digits: 3)), "
          + "loss \(Figures.number(fold.validation.loss)), best epoch \(fold.bestEpoch) of \(fold.epochs)")
    case .finalModel(let epochs, let summary):
      best = nil
      line(
        "accuracy \(Self.spread(summary.accuracy) { Figures.percent($0) }), "
          + "τ \(Self.spread(summary.kendallTau) { Figures.number($0, digits: 3) }) over \(summary.folds.count) folds; "
          + "now on everything for \(epochs) epochs")
    case .progress(let progress, let fold): tell(progress, fold: fold)
    case .finishing(let what): if hasBar { bar("\(what) …") } else if mode == .verbose { line(what) }
    }
  }

  static func spread(_ spread: CrossValidation.Spread?, _ text: (Double) -> String) -> String {
    spread.map { "\(text($0.mean)) ± \(text($0.standardDeviation))" } ?? "–"
  }

  private func tell(_ progress: TrainingProgress, fold: Int?) {
    let now = clock.now
    if let record = progress.record {
      let loss = record.metrics["validation_loss"] ?? record.trainLoss
      let isBest = loss < best ?? .infinity
      if isBest { best = loss }
      // Where nobody watches, the first and the last epoch and one a second tell enough.
      let isDue = lastLine.map { now - $0 >= Self.lineInterval } ?? true
      if mode == .verbose || (!hasBar && (isDue || record.epoch == progress.epochs)) {
        lastLine = now
        line(Self.text(of: record, epochs: progress.epochs) + (isBest ? " \(style.green("best"))" : ""))
      }
    }
    guard hasBar, lastDraw.map({ now - $0 >= Self.redrawInterval }) ?? true else { return }
    lastDraw = now
    bar(text(of: progress, fold: fold))
  }

  private static func text(of record: EpochRecord, epochs: Int) -> String {
    var text = "epoch \(record.epoch) of \(epochs): loss \(Figures.number(record.trainLoss))"
    if let loss = record.metrics["validation_loss"] { text += ", validation \(Figures.number(loss))" }
    if let accuracy = record.metrics["validation_accuracy"] ?? record.metrics["train_accuracy"] {
      text += ", accuracy \(Figures.percent(accuracy))"
    }
    if let tau = record.metrics["validation_kendall_tau"] { text += ", τ \(Figures.number(tau, digits: 3))" }
    return text
  }

  private var lastAccuracy: Double?

  private func text(of progress: TrainingProgress, fold: Int?) -> String {
    if let record = progress.record {
      lastAccuracy = record.metrics["validation_accuracy"] ?? record.metrics["train_accuracy"]
    }
    let done =
      (Double(progress.epoch - 1) + Double(progress.batch) / Double(progress.batches)) / Double(progress.epochs)
    let place = (fold.map { "fold \($0), " } ?? "") + "epoch \(progress.epoch)/\(progress.epochs) "
    var figures = "  loss \(Figures.number(progress.loss, digits: 3))"
    if let lastAccuracy { figures += "  accuracy \(Figures.percent(lastAccuracy))" }
    figures += "  \(Figures.count(Int(progress.samplesPerSecond))) pairs/s"
    figures += "  \(Figures.duration(progress.secondsLeft)) left"
    let room = columns - place.count - figures.count - 1
    guard room >= 5 else { return String((place + figures).prefix(max(columns - 1, 1))) }
    let width = min(room, 32)
    let full = Int((Double(width) * done).rounded())
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

  private func line(_ text: String) {
    clear()
    write(text + "\n")
  }

  private func write(_ text: String) { FileHandle.standardError.write(Data(text.utf8)) }

  // MARK: JSON

  private struct Line: Encodable {
    var event: String
    var epoch: Int?
    var epochs: Int?
    var fold: Int?
    var folds: Int?
    var batch: Int?
    var batches: Int?
    var loss: Double?
    var pairsPerSecond: Double?
    var secondsLeft: Double?
    var record: EpochRecord?
    var validation: PairMeasures?
    var bestEpoch: Int?
    var crossValidation: CrossValidation?
    var pairs: Int?
    var items: Int?
    var features: Int?
    var trainingPairs: Int?
    var validationPairs: Int?
    var parameters: Int?
    var warnings: [String]?
    var step: String?
  }

  private func printLine(_ event: RankerTraining.Event) {
    switch event {
    case .began(let beginning):
      printJSONLine(
        Line(
          event: "began", pairs: beginning.pairs, items: beginning.items, features: beginning.layout.count,
          trainingPairs: beginning.trainingPairs, validationPairs: beginning.validationPairs,
          parameters: beginning.parameterCount, warnings: beginning.warnings))
    case .resumed(let epochs, let fold): printJSONLine(Line(event: "resumed", epoch: epochs, fold: fold))
    case .fold(let number, let count): printJSONLine(Line(event: "fold", fold: number, folds: count))
    case .foldEnded(let number, let count, let fold):
      printJSONLine(
        Line(
          event: "fold_ended", epochs: fold.epochs, fold: number, folds: count, validation: fold.validation,
          bestEpoch: fold.bestEpoch))
    case .finalModel(let epochs, let summary):
      printJSONLine(Line(event: "final_model", epochs: epochs, crossValidation: summary))
    case .progress(let progress, let fold):
      printJSONLine(
        Line(
          event: progress.record == nil ? "progress" : "epoch", epoch: progress.epoch, epochs: progress.epochs,
          fold: fold, batch: progress.batch, batches: progress.batches, loss: progress.loss,
          pairsPerSecond: progress.samplesPerSecond.rounded(), secondsLeft: progress.secondsLeft,
          record: progress.record))
    case .finishing(let what): printJSONLine(Line(event: "finishing", step: what))
    }
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
