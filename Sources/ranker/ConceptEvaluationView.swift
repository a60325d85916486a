// The measures of concept detectors in the terminal: of one in full, of several side by side.

import ConceptDetection
import Reports

/// Evaluates concept detectors on labelled notes and shows what came of it.
struct ConceptEvaluations {
  private let paths: [String]
  private let evaluations: [ConceptDetector.Evaluation]
  private let labels: String

  /// - Parameters:
  ///   - paths: the models' directories.
  ///   - labels: the file of labelled notes; nil takes the bundled ones.
  init(_ paths: [String], labels: String?, threshold: Double?, isStrict: Bool) throws {
    self.paths = paths
    self.labels = labels ?? ConceptSample.labelsPath
    let file = self.labels
    evaluations = try paths.map {
      try ConceptDetector(directory: $0).evaluate(
        path: file, threshold: threshold, options: NoteReadOptions(isStrict: isStrict))
    }
  }

  func printOut(json: Bool) throws {
    remarkSkipped(evaluations[0].skipped, of: labels)
    for warning in evaluations[0].warnings { remark("warning: \(warning.printable)") }
    if json {
      return try printJSON(
        zip(paths, evaluations).map { Line(model: $0, threshold: $1.threshold, measures: $1.measures) })
    }
    if evaluations.count == 1 { printOne(evaluations[0].measures) } else { printSeveral() }
    flushOutput()
  }

  private struct Line: Encodable {
    let model: String
    let threshold: Double
    let measures: ConceptMeasures
  }

  private func printOne(_ measures: ConceptMeasures) {
    print("notes        \(Figures.count(measures.notes))")
    print("loss         \(Figures.number(measures.loss))")
    print("accuracy     \(Figures.percent(measures.accuracy))  of all decisions")
    print("exact match  \(Figures.percent(measures.exactMatch))  of notes with every decision right")
    print()
    var table = TextTable(Self.columns("over"))
    func add(_ name: String, _ support: Int?, _ values: [Double]) {
      table.add([name, support.map(Figures.count) ?? ""] + values.map { Figures.number($0, digits: 3) })
    }
    let all = measures.buckets.reduce(0) { $0 + $1.support }
    add("micro", all, [measures.micro.precision, measures.micro.recall, measures.micro.f1])
    add("macro", nil, [measures.macro.precision, measures.macro.recall, measures.macro.f1])
    for group in measures.buckets {
      add("bucket \(group.name)", group.support, [group.precision, group.recall, group.f1])
    }
    for group in measures.languages {
      add("language \(group.name)", group.support, [group.precision, group.recall, group.f1])
    }
    table.printOut()
  }

  private static func columns(_ first: String) -> [TextTable.Column] {
    [
      .init(title: first, isFlexible: true), .init(title: "concepts", alignsRight: true),
      .init(title: "precision", alignsRight: true), .init(title: "recall", alignsRight: true),
      .init(title: "F1", alignsRight: true),
    ]
  }

  /// The best F1 first.
  private func printSeveral() {
    var table = TextTable([
      .init(title: "model", isFlexible: true), .init(title: "loss", alignsRight: true),
      .init(title: "accuracy", alignsRight: true), .init(title: "exact match", alignsRight: true),
      .init(title: "precision", alignsRight: true), .init(title: "recall", alignsRight: true),
      .init(title: "F1", alignsRight: true), .init(title: "macro F1", alignsRight: true),
    ])
    for (path, evaluation) in zip(paths, evaluations).sorted(by: { $0.1.measures.micro.f1 > $1.1.measures.micro.f1 }) {
      let measures = evaluation.measures
      table.add(
        [
          path, Figures.number(measures.loss), Figures.percent(measures.accuracy), Figures.percent(measures.exactMatch),
        ]
          + [measures.micro.precision, measures.micro.recall, measures.micro.f1, measures.macro.f1].map {
            Figures.number($0, digits: 3)
          })
    }
    print("\(Figures.count(evaluations[0].measures.notes)) notes of \(labels)")
    table.printOut()
  }
}
