// The page that tells a person what was trained, how well it finds the concepts, and on what.

import Encoders
import Foundation
import Reports
import Verification

/// The report of a trained detector: one self-contained page, the same bytes for the same model.
enum ConceptReport {
  /// - Parameter metadata: all of it but times and checksums, which the page does not tell.
  static func html(_ metadata: ConceptMetadata, mapping: ConceptMapping, drawing: Markup) -> String {
    var page = Page(
      title: metadata.name, kind: "Concept detector", lead: lead(metadata),
      footer: """
        Made by RankerKit \(metadata.versions.rankerkit). Everything on this page is in \(code(metadata.fileName)) too.
        """)
    page.add("At a glance", tiles(metadata))
    page.add("Concepts", concepts(metadata, mapping))
    page.add("Training", curves(metadata))
    page.add("Data", data(metadata))
    page.add("Verification", metadata.verification.markup)
    page.add("The network", network(metadata, drawing))
    page.add("Settings", settings(metadata))
    page.add("Using it", usage(metadata))
    return page.html
  }

  private static func code(_ text: String) -> Markup { "<code>\(text)</code>" }

  private static func lead(_ metadata: ConceptMetadata) -> Markup {
    let verified = metadata.verification.badge
    let typos = metadata.aliasChecks.typos
    return """
      It knows \(Figures.count(metadata.network.concepts)) concepts, and of \(Figures.count(typos.aliases)) aliases with a \
      typo it names the right one for <b>\(Figures.percent(typos.top1))</b>. How well it does on notes as people write \
      them, only labelled notes tell: \(code("ranker evaluate --model-path DIRECTORY --labels FILE")). \(verified)
      """
  }

  private static func tiles(_ metadata: ConceptMetadata) -> Markup {
    let (held, typos, measures) = (metadata.aliasChecks.heldOut, metadata.aliasChecks.typos, metadata.validation)
    let on = measures.map { "against the aliases in \(Figures.count($0.notes)) notes held out" } ?? "not measured"
    return Tiles([
      ("Aliases with a typo", Figures.percent(typos.top1), "\(Figures.count(typos.aliases)), right concept first"),
      (
        "Aliases never seen", held.aliases > 0 ? Figures.percent(held.top1) : "–",
        "\(Figures.count(held.aliases)), right concept first"
      ),
      ("Micro F1", Figures.number(measures?.micro.f1, digits: 3), on),
      ("Loss", Figures.number(metadata.loss), "binary cross-entropy, training"),
      ("Best epoch", "\(metadata.bestEpoch)", "of \(metadata.history.count)"),
      (
        "Parameters", Figures.count(metadata.parameterCount),
        metadata.network.encoder == nil ? "\(metadata.configuration.size.rawValue)" : "the encoder’s among them"
      ),
    ]).markup
  }

  private static func concepts(_ metadata: ConceptMetadata, _ mapping: ConceptMapping) -> Markup {
    let measured = Dictionary(
      (metadata.validation?.concepts ?? []).map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
    let rows = mapping.concepts.map { concept -> [Markup] in
      let group = measured[concept.id]
      return [
        code(concept.id), "\(concept.label)", "\(concept.bucket.rawValue)",
        "\(Figures.count(group?.support ?? 0))", "\(Figures.percent(group?.precision))",
        "\(Figures.percent(group?.recall))",
      ]
    }
    let table = Table(
      "Each concept in the notes held out, against the aliases that stand in them",
      columns: [
        ("concept", .text), ("label", .text), ("bucket", .text), ("notes", .number), ("precision", .number),
        ("recall", .number),
      ], rows: rows)
    return """
      \(table.markup)
      <p class="note">A concept that is found where no alias stands counts as wrong here, though it may be right.</p>

      """
  }

  private static func curves(_ metadata: ConceptMetadata) -> Markup {
    let history = metadata.history
    func values(_ name: String) -> [Double?] { history.map { $0.metrics["validation_\(name)"] } }
    let mark = (position: metadata.bestEpoch, label: "kept")
    let validates = metadata.validation != nil
    var charts = [
      LineChart(
        "Loss", unit: "epoch",
        series: [.init("training", history.map(\.trainLoss))]
          + (validates ? [.init("validation", values("loss"))] : []), mark: mark)
    ]
    if validates {
      charts.append(
        LineChart(
          "Found in validation", unit: "epoch",
          series: [.init("micro F1", values("micro_f1")), .init("all of a note right", values("exact_match"))],
          mark: mark))
    }
    let names = ["loss", "accuracy", "exact_match", "micro_f1", "micro_precision", "micro_recall"]
    let rows = history.map { record -> [Markup] in
      ["\(record.epoch)", "\(Figures.number(record.trainLoss))"]
        + names.map { "\(Figures.number(record.metrics["validation_\($0)"]))" }
    }
    let table = Table(
      "Every epoch",
      columns: [("epoch", .number), ("training loss", .number)]
        + names.map { ("validation \($0.replacingOccurrences(of: "_", with: " "))", .number) }, rows: rows)
    let chosen =
      metadata.configuration.patience != nil ? "lowest loss on what was held out" : "lowest training loss"
    return HistorySection(charts: charts, note: "The epoch with the \(chosen) was kept.", table: table).markup
  }

  private static func data(_ metadata: ConceptMetadata) -> Markup {
    let data = metadata.data
    func source(_ name: Markup, _ file: SourceFile?) -> [[Markup]] {
      guard let file else { return [[name, "none"]] }
      return [[name, code(file.path)], ["its SHA-256", code(file.sha256 ?? "–")]]
    }
    let languages = data.languages.sorted { $0.key < $1.key }
      .map { "\($0.key.isEmpty ? "unnamed" : $0.key) \(Figures.count($0.value))" }.joined(separator: ", ")
    let redactions = data.redactions
    let counts: [[Markup]] = [
      ["notes", "\(Figures.count(data.noteCount))"], ["languages", "\(languages)"],
      ["rows left out", "\(Figures.count(data.skippedRows))"],
      ["notes with an alias in them", "\(Figures.count(data.namedNotes))"],
      ["notes held out", "\(Figures.count(data.validationNotes))"],
      ["aliases", "\(Figures.count(data.aliases))"], ["aliases held out", "\(Figures.count(data.heldOutAliases))"],
      ["candidates that name nothing", "\(Figures.count(data.negativeCandidates))"],
      ["examples of an epoch", "\(Figures.count(data.examplesPerEpoch))"],
      [
        "taken out of the notes",
        """
        \(Figures.count(redactions.emails)) e-mail addresses, \(Figures.count(redactions.phones)) telephone, \
        \(Figures.count(redactions.cards)) card and \(Figures.count(redactions.accounts)) account numbers
        """,
      ],
    ]
    return Table(
      "What it was trained on", columns: [("", .text), ("", .text)],
      rows: source("notes’ file", data.notes) + source("lexicon", data.lexicon)
        + source("candidates", data.candidates) + counts
    ).markup
  }

  private static func network(_ metadata: ConceptMetadata, _ drawing: Markup) -> Markup {
    let network = metadata.network
    if let encoder = network.encoder {
      return """
        <p>A pretrained encoder of \(Figures.count(encoder.configuration.layerCount)) layers reads the notes; \
        \(Figures.count(network.concepts)) concepts have embeddings of \(Figures.count(network.width)) numbers, and the \
        token that fits best speaks for a concept. Drawn with one layer. The encoder’s weights are those of \
        \(code(encoder.file.path)), SHA-256 \(code(encoder.file.sha256 ?? "–")).</p>
        \(drawing)
        """
    }
    return """
      <p>\(Figures.count(network.features?.rows ?? 0)) features and \(Figures.count(network.concepts)) concepts with \
      embeddings of \(Figures.count(network.width)) numbers. A word is the scaled sum of its features; the best \
      \(Figures.count(network.window ?? 0)) words that follow one another speak for a concept.</p>
      \(drawing)
      """
  }

  private static func settings(_ metadata: ConceptMetadata) -> Markup {
    Table(
      "Options of the command", columns: [("", .text), ("", .text)],
      rows: metadata.configuration.identity.sorted { $0.key < $1.key }.map { [code($0.key), "\($0.value)"] }
    ).markup
  }

  private static func usage(_ metadata: ConceptMetadata) -> Markup {
    var inputs = [ConceptGraph.featureInput]
    var shape: Markup = "[notes, words, features]"
    if let encoder = metadata.network.encoder {
      inputs = [EncoderNetwork.tokenInput, EncoderNetwork.maskInput]
      if encoder.configuration.tokenTypeCount > 0 { inputs.append(EncoderNetwork.typeInput) }
      shape = "[batch, sequence]"
    }
    return """
      <p>\(code("ranker detect --model-path DIRECTORY --text \"…\"")) names a note’s concepts, and \
      \(code("--input FILE --output FILE")) those of a file of notes. In any ONNX runtime \
      \(code(ConceptMetadata.Files.graph)) takes \(code(inputs.joined(separator: ", "))), int64 \(shape), and \
      gives \(code(ConceptGraph.probabilitiesOutput)) in the order of \(code(ConceptMetadata.Files.mapping)); the \
      metadata say how a text becomes them.</p>

      """
  }
}
