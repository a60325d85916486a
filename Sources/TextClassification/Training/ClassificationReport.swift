// The page that tells a person what was trained, how well it decides about each label, and on what.

import Foundation
import Reports
import Verification

/// The report of a trained classifier: one self-contained page, the same bytes for the same model.
enum ClassificationReport {
  /// - Parameter metadata: all of it but times and checksums, which the page does not tell.
  static func html(_ metadata: ClassificationMetadata, drawing: Markup) -> String {
    var page = Page(
      title: metadata.name, kind: "Text classifier", lead: lead(metadata),
      footer: """
        Made by RankerKit \(metadata.versions.rankerkit). Everything on this page is in \
        \(code(MetadataFiles.name(of: metadata.name))) too.
        """)
    page.add("At a glance", tiles(metadata))
    page.add("Labels", labels(metadata))
    if let quantized = metadata.quantized { page.add("In 8 bits", comparison(metadata.validation, quantized)) }
    page.add("Training", curves(metadata))
    page.add("Data", data(metadata))
    page.add("Verification", metadata.verification.markup)
    page.add("The network", network(metadata, drawing))
    page.add("Settings", settings(metadata))
    page.add("Using it", usage(metadata))
    return page.html
  }

  private static func code(_ text: String) -> Markup { "<code>\(text)</code>" }

  private static func lead(_ metadata: ClassificationMetadata) -> Markup {
    let verified = metadata.verification.badge
    guard let measures = metadata.validation else {
      return "Nothing was held out, so nothing tells how good it is. \(verified)"
    }
    return """
      Of the labels that \(Figures.count(measures.samples)) texts it had not seen have, it finds \
      <b>\(Figures.percent(measures.micro.recall))</b>; of those that it names, \
      <b>\(Figures.percent(measures.micro.precision))</b> are right. \(verified)
      """
  }

  private static func tiles(_ metadata: ClassificationMetadata) -> Markup {
    let measures = metadata.validation
    let on = measures.map { "validation, \(Figures.count($0.samples)) texts" } ?? "not measured"
    return Tiles([
      ("Micro F1", Figures.number(measures?.micro.f1, digits: 3), on),
      ("Macro F1", Figures.number(measures?.macro.f1, digits: 3), on),
      ("Precision", Figures.percent(measures?.micro.precision), "over all labels"),
      ("Recall", Figures.percent(measures?.micro.recall), "over all labels"),
      ("Best epoch", "\(metadata.bestEpoch)", "of \(metadata.history.count)"),
      ("Parameters", Figures.count(metadata.parameterCount), origin(metadata)),
    ]).markup
  }

  private static func origin(_ metadata: ClassificationMetadata) -> String {
    let name = metadata.encoder.path.map { ($0 as NSString).lastPathComponent } ?? ""
    return switch metadata.encoder.origin {
    case .pretrained: "from \(name)"
    case .scratch: "from nothing"
    case .distilled: "distilled from \(name)"
    }
  }

  private static func labels(_ metadata: ClassificationMetadata) -> Markup {
    let trained = metadata.data.labelCounts
    let rows = metadata.labels.indices.map { index -> [Markup] in
      let measured = metadata.validation?.labels[index]
      let has = (measured?.support ?? 0) > 0
      return [
        "\(metadata.labels[index])", "\(Figures.count(trained[index]))",
        "\(Figures.count(measured?.support ?? 0))", "\(Figures.percent(measured?.precision))",
        "\(has ? Figures.percent(measured?.recall) : "–")", "\(has ? Figures.number(measured?.f1, digits: 3) : "–")",
        "\(Figures.number(metadata.thresholds[index], digits: 2))",
      ]
    }
    let table = Table(
      "Each label on what was held out",
      columns: [
        ("label", .text), ("texts to train on", .number), ("texts held out", .number), ("precision", .number),
        ("recall", .number), ("F1", .number), ("threshold", .number),
      ], rows: rows)
    let note: Markup =
      metadata.settings.threshold == nil
      ? """
      <p class="note">Thresholds are tuned on all that was held out. The measures are of thresholds tuned on four fifths of \
      it and applied to the fifth one, in turn: no text was decided by thresholds that it had a part in.</p>

      """ : .empty
    return "\(table.markup)\(note)"
  }

  private static func comparison(
    _ measures: ClassificationMeasures?, _ quantized: ClassificationMetadata.Quantized
  ) -> Markup {
    typealias Files = ClassificationMetadata.Files
    let graphs = [(Files.graph, "single precision", measures), (Files.quantizedGraph, "8 bits", quantized.validation)]
    let rows = graphs.map { file, numbers, measures -> [Markup] in
      [
        code(file), "\(numbers)", "\(Figures.number(measures?.micro.f1, digits: 3))",
        "\(Figures.number(measures?.macro.f1, digits: 3))", "\(Figures.percent(measures?.micro.precision))",
        "\(Figures.percent(measures?.micro.recall))", "\(Figures.number(measures?.loss))",
      ]
    }
    let table = Table(
      "Both graphs on what was held out",
      columns: [
        ("graph", .text), ("numbers", .text), ("micro F1", .number), ("macro F1", .number), ("precision", .number),
        ("recall", .number), ("loss", .number),
      ], rows: rows)
    return """
      \(table.markup)<p class="note">Dense layers multiply bytes: weights have a scale for each output, what they multiply \
      one for each run. The tables of embeddings have a scale for each row.</p>

      """
  }

  private static func curves(_ metadata: ClassificationMetadata) -> Markup {
    let history = metadata.history
    func values(_ name: String) -> [Double?] { history.map { $0.metrics[name] } }
    let mark = (position: metadata.bestEpoch, label: "kept")
    var charts = [
      LineChart(
        "Loss", unit: "epoch",
        series: [.init("training", history.map(\.trainLoss))]
          + (metadata.validation == nil ? [] : [.init("validation", values("validation_loss"))]), mark: mark)
    ]
    if metadata.validation != nil {
      charts.append(
        LineChart(
          "F1", unit: "epoch",
          series: [.init("micro", values("validation_micro_f1")), .init("macro", values("validation_macro_f1"))],
          mark: mark))
    }
    let rows = history.map { record -> [Markup] in
      [
        "\(record.epoch)", "\(Figures.number(record.trainLoss))",
        "\(Figures.number(record.metrics["validation_loss"]))",
        "\(Figures.number(record.metrics["validation_micro_f1"], digits: 3))",
        "\(Figures.number(record.metrics["validation_macro_f1"], digits: 3))",
        "\(Figures.percent(record.metrics["validation_micro_precision"]))",
        "\(Figures.percent(record.metrics["validation_micro_recall"]))",
      ]
    }
    let table = Table(
      "Every epoch",
      columns: [
        ("epoch", .number), ("training loss", .number), ("validation loss", .number), ("micro F1", .number),
        ("macro F1", .number), ("precision", .number), ("recall", .number),
      ], rows: rows)
    let chosen = metadata.validation == nil ? "lowest training loss" : "highest micro F1 on what was held out"
    return HistorySection(
      charts: charts, note: "The epoch with the \(chosen) was kept.", table: table
    ).markup
  }

  private static func data(_ metadata: ClassificationMetadata) -> Markup {
    let data = metadata.data
    return Table(
      "What it was trained on", columns: [("", .text), ("", .text)],
      rows: [
        ["file", code(data.source.path)], ["SHA-256", code(data.source.sha256 ?? "–")],
        ["texts", "\(Figures.count(data.samples))"], ["rows left out", "\(Figures.count(data.skippedRows))"],
        ["texts trained on", "\(Figures.count(data.trainingSamples))"],
        ["variations among them", "\(Figures.count(data.variations))"],
        ["texts held out", "\(Figures.count(data.validationSamples))"],
        ["texts cut at \(metadata.settings.maximumLength) tokens", "\(Figures.count(data.cutTexts))"],
      ]
    ).markup
  }

  private static func network(_ metadata: ClassificationMetadata, _ drawing: Markup) -> Markup {
    let configuration = metadata.configuration
    return """
      <p>\(Figures.count(configuration.layerCount)) layers of \(Figures.count(configuration.headCount)) heads, hidden states of \
      \(Figures.count(configuration.width)) numbers, \(Figures.count(configuration.vocabularySize)) tokens. Drawn with one \
      layer; a classifier’s last layer looks at the first token alone.</p>
      \(drawing)
      """
  }

  private static func settings(_ metadata: ClassificationMetadata) -> Markup {
    Table(
      "Options of the command", columns: [("", .text), ("", .text)],
      rows: metadata.settings.identity.sorted { $0.key < $1.key }.map { [code($0.key), "\($0.value)"] }
    ).markup
  }

  private static func usage(_ metadata: ClassificationMetadata) -> Markup {
    """
    <p>\(code("ranker classify --model DIRECTORY --text \"…\"")) names a text’s labels. In Python:</p>
    <pre><code>import transformers
    classify = transformers.pipeline("text-classification", "DIRECTORY", top_k=None)
    classify("…")</code></pre>
    <p>In any ONNX runtime \(code(ClassificationMetadata.Files.graph)) takes \
    \(metadata.graph.tokenInputs.map { "<code>\($0)</code> " as Markup }) as the tokenizer gives them, int64 [batch, sequence], \
    and gives \(code("logits")) and \(code("probabilities")) [batch, \(metadata.labels.count)].</p>

    """
  }
}
