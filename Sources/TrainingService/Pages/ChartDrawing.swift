// What trainings say of themselves, as curves and figures.

import Foundation
import Reports

/// Draws the records of epochs with the curves that reports have.
enum ChartDrawing {
  /// Losses, and below them up to three measures that are shares; as SVG in figures.
  ///
  /// - Parameter epochs: the bodies of epoch events, in order. An epoch that a new attempt went through again counts once;
  ///   of a cross-validation, the last fold is drawn.
  static func charts(of epochs: [JSONValue]) -> String {
    guard let fold = epochs.last.map({ $0["fold"] }) else { return "" }
    var records: [Int64: JSONValue] = [:]
    for epoch in epochs where epoch["fold"] == fold {
      if let number = epoch["epoch"]?.integer, let record = epoch["record"] { records[number] = record }
    }
    guard let first = records.keys.min(), let last = records.keys.max(), last - first < 100_000 else { return "" }
    func series(_ path: String) -> [Double?] { (first...last).map { records[$0]?.member(at: path)?.number } }
    var charts = [
      LineChart(
        "Loss", unit: "epoch",
        series: [.init("training", series("train_loss")), .init("held out", series("metrics.validation_loss"))],
        start: Int(first))
    ]
    // Those that are compared most come first; of precision, recall and F1, whichever is first tells of all three.
    let order = ["ndcg", "recall", "hit_rate", "accuracy", "micro_f1", "f1", "kendall_tau", "macro_f1", "precision"]
    func rank(_ name: String) -> (Int, String) {
      (order.firstIndex(of: String(plain(name).prefix { $0 != "@" })) ?? order.count, name)
    }
    let names = (records[last]?["metrics"]?.object ?? [:]).filter { name, value in
      name != "validation_loss" && value.number.map { abs($0) <= 1 } ?? false
    }.keys.sorted { rank($0) < rank($1) }
    if !names.isEmpty {
      charts.append(
        LineChart(
          "Measures", unit: "epoch",
          series: names.prefix(3).map { .init(spoken($0), series("metrics.\($0)")) }, start: Int(first)))
    }
    return charts.map(\.markup.html).joined()
  }

  /// A figure of a training's last line.
  struct Figure: Sendable {
    let name: String
    let number: Double
    let text: String
    /// Nil where more is not better and less is not either.
    let isMoreBetter: Bool?

    init(_ name: String, _ number: Double, isMoreBetter: Bool? = true) {
      self.name = name
      self.number = number
      text = isMoreBetter == nil ? ChartDrawing.duration(number) : ChartDrawing.text(number)
      self.isMoreBetter = isMoreBetter
    }
  }

  /// The figures of a training's last line that say how good it is.
  static func figures(of metrics: JSONValue?) -> [Figure] {
    guard let metrics else { return [] }
    var figures: [Figure] = []
    let measures = ["test", "measures", "validation", "training"].lazy.compactMap { metrics[$0]?.object }.first ?? [:]
    let wanted = [
      "ndcg", "hit_rate", "recall", "precision", "f1", "accuracy", "kendall_tau", "label_accuracy",
    ]
    for name in wanted { if let value = measures[name]?.number { figures.append(Figure(spoken(name), value)) } }
    for name in ["precision", "recall", "f1"] {
      if let value = measures["micro"]?[name]?.number { figures.append(Figure(spoken(name), value)) }
    }
    for (name, title) in [("typos", "Names with a typo"), ("held_out", "Names not seen")] {
      if let value = metrics.member(at: "alias_checks.\(name).top1")?.number { figures.append(Figure(title, value)) }
    }
    if let loss = metrics["loss"]?.number ?? measures["loss"]?.number {
      figures.append(Figure("Loss", loss, isMoreBetter: false))
    }
    if let seconds = metrics["training_time"]?.number {
      figures.append(Figure("Training", seconds, isMoreBetter: nil))
    }
    return figures
  }

  /// The figures as a template has them.
  static func tiles(of metrics: JSONValue?) -> [[String: Any]] {
    figures(of: metrics).map { ["name": $0.name, "value": $0.text] }
  }

  /// Measures of epochs are of what is held out, so they need not say it.
  private static func plain(_ name: String) -> String {
    name.hasPrefix("validation_") ? String(name.dropFirst("validation_".count)) : name
  }

  /// `NDCG@10` for `ndcg@10`.
  static func spoken(_ name: String) -> String {
    let parts = plain(name).split(separator: "@", maxSplits: 1).map(String.init)
    let names = [
      "ndcg": "NDCG", "hit_rate": "Hit rate", "recall": "Recall", "precision": "Precision", "f1": "F1",
      "accuracy": "Accuracy", "kendall_tau": "Kendall’s τ", "label_accuracy": "Label accuracy",
      "micro_f1": "Micro F1", "macro_f1": "Macro F1",
    ]
    let word = names[parts.first ?? ""] ?? (parts.first ?? "").replacingOccurrences(of: "_", with: " ")
    return parts.count > 1 ? "\(word)@\(parts[1])" : word
  }

  static func text(_ value: Double) -> String { Figures.number(value, digits: 3) }
  static func duration(_ seconds: Double) -> String { Figures.duration(seconds) }
}
