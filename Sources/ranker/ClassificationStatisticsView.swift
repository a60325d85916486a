// The statistics of labelled texts in the terminal.

import Datasets
import Reports
import TextClassification

struct ClassificationStatisticsView {
  private let statistics: ClassificationStatistics
  private let style = Style.output

  init(_ statistics: ClassificationStatistics) { self.statistics = statistics }

  func printOut() {
    let statistics = statistics
    line("form", statistics.format.rawValue)
    var asides: [String] = []
    if statistics.duplicates > 0 { asides.append("\(Figures.count(statistics.duplicates)) repeat a text") }
    if statistics.variants > 0 { asides.append("\(Figures.count(statistics.variants)) vary others") }
    line(
      "samples",
      Figures.count(statistics.samples)
        + (asides.isEmpty ? "" : style.dim("  (\(asides.joined(separator: ", ")))")))
    line(
      "labels",
      "\(Figures.count(statistics.classes.count)); the most frequent one \(Figures.number(statistics.imbalance)) times as "
        + "often as the rarest")
    line(
      "confidence",
      statistics.minimumConfidence == statistics.maximumConfidence
        ? "\(statistics.minimumConfidence)" : "\(statistics.minimumConfidence) to \(statistics.maximumConfidence)")
    print("")
    QuantileTable(
      "OF A SAMPLE",
      [
        ("labels", statistics.labelsPerSample), ("words", statistics.wordsPerText), ("bytes", statistics.bytesPerText),
      ]
    ).printOut()
    print("")
    var labels = TextTable([
      .init(title: "LABEL", isFlexible: true), .init(title: "SAMPLES", alignsRight: true),
      .init(title: "SHARE", alignsRight: true),
    ])
    for label in statistics.classes.prefix(Self.shownLabels) {
      labels.add([
        label.label, Figures.count(label.count), Figures.percent(Double(label.count) / Double(statistics.samples)),
      ])
    }
    labels.printOut()
    let more = statistics.classes.count - Self.shownLabels
    if more > 0 { print(style.dim("… and \(count(more, "more label", plural: "more labels")) (--json has all)")) }
    if !statistics.pairs.isEmpty {
      print("")
      var pairs = TextTable([
        .init(title: "TOGETHER", isFlexible: true), .init(title: "SAMPLES", alignsRight: true),
      ])
      for pair in statistics.pairs { pairs.add(["\(pair.first) + \(pair.second)", Figures.count(pair.count)]) }
      pairs.printOut()
    }
  }

  private static let shownLabels = 50

  private func line(_ name: String, _ value: String) { print("\(style.bold(name.fitted(13)))  \(value)") }
}
