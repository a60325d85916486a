// The page that tells a person what was trained, how well, and on what.

import Foundation
import Measures
import ONNX
import Reports
import Verification

/// The report of a trained ranker: one self-contained page, the same bytes for the same model.
enum RankerReport {
  /// - Parameter metadata: all of it but times and checksums, which the page does not tell.
  static func html(_ metadata: RankerMetadata, drawing: Markup) -> String {
    var page = Page(
      title: metadata.settings.name, kind: "Pairwise ranker", lead: lead(metadata),
      footer: """
        Made by RankerKit \(metadata.versions.rankerkit). Everything on this page is in \
        \(code(MetadataFiles.name(of: metadata.name))) too.
        """)
    page.add("At a glance", tiles(metadata))
    page.add("Training", curves(metadata))
    page.add("What the model says, against what people said", confusion(metadata))
    if let crossValidation = metadata.crossValidation { page.add("Cross-validation", folds(crossValidation)) }
    page.add("Data", data(metadata))
    page.add("Verification", metadata.verification.markup)
    page.add("The network", network(metadata, drawing: drawing))
    page.add("Settings", settings(metadata))
    page.add("Using it", usage(metadata))
    return page.html
  }

  private static func code(_ text: String) -> Markup { "<code>\(text)</code>" }

  private static func lead(_ metadata: RankerMetadata) -> Markup {
    let verified = metadata.verification.badge
    let cross = metadata.crossValidation?.accuracy
    if let cross {
      return """
        In \(metadata.crossValidation!.folds.count)-fold cross-validation it orders <b>\(Figures.percent(cross.mean)) \
        ± \(Figures.number(cross.standardDeviation * 100, digits: 2))</b> of the held-out pairs rightly. \(verified)
        """
    }
    guard let accuracy = metadata.headline.measures.accuracy else {
      return "No pair with a winner was held out, so nothing tells how good it is. \(verified)"
    }
    let what = metadata.validation == nil ? "the pairs that it was trained on" : "the pairs that it had not seen"
    return "Orders <b>\(Figures.percent(accuracy))</b> of \(what) rightly. \(verified)"
  }

  private static func tiles(_ metadata: RankerMetadata) -> Markup {
    // After a cross-validation the model was trained on every pair: only the folds tell how good it is.
    let measures: (accuracy: Double?, kendallTau: Double?, loss: Double?)
    let onWhat: String
    if let folds = metadata.crossValidation {
      measures = (folds.accuracy?.mean, folds.kendallTau?.mean, folds.loss?.mean)
      onWhat = "on pairs held out, mean of \(folds.folds.count) folds"
    } else {
      let headline = metadata.headline.measures
      measures = (headline.accuracy, headline.kendallTau, headline.loss)
      onWhat = metadata.validation == nil ? "on the training's pairs" : "on pairs held out"
    }
    return Tiles([
      ("Accuracy", Figures.percent(measures.accuracy), "pairs with a winner, \(onWhat)"),
      ("Kendall’s τ", Figures.number(measures.kendallTau, digits: 3), onWhat),
      ("Loss", Figures.number(measures.loss, digits: 3), "margin ranking loss, \(onWhat)"),
      ("Pairs", Figures.count(metadata.data.pairs), "of \(Figures.count(metadata.data.items)) items"),
      ("Best epoch", "\(metadata.bestEpoch)", "of \(metadata.history.count)"),
      ("Parameters", Figures.count(metadata.parameterCount), "\(metadata.layout.count) features"),
    ]).markup
  }

  private static func curves(_ metadata: RankerMetadata) -> Markup {
    let history = metadata.history
    func values(_ name: String) -> [Double?] { history.map { $0.metrics[name] } }
    let mark = (position: metadata.bestEpoch, label: "kept")
    let loss = LineChart(
      "Loss", unit: "epoch",
      series: [.init("training", history.map(\.trainLoss)), .init("validation", values("validation_loss"))], mark: mark)
    let accuracy = LineChart(
      "Accuracy", unit: "epoch",
      series: [.init("training", values("train_accuracy")), .init("validation", values("validation_accuracy"))],
      mark: mark, showsPercent: true)
    let rows = history.map { record -> [Markup] in
      [
        "\(record.epoch)", "\(Figures.number(record.trainLoss))",
        "\(Figures.number(record.metrics["validation_loss"]))", "\(Figures.percent(record.metrics["train_accuracy"]))",
        "\(Figures.percent(record.metrics["validation_accuracy"]))",
        "\(Figures.number(record.metrics["validation_kendall_tau"], digits: 3))",
      ]
    }
    let table = Table(
      "Every epoch",
      columns: [
        ("epoch", .number), ("training loss", .number), ("validation loss", .number), ("training accuracy", .number),
        ("validation accuracy", .number), ("validation τ", .number),
      ], rows: rows)
    return HistorySection(
      charts: [loss, accuracy],
      note: """
        The training loss is measured with dropout on and while the parameters change, so it may lie above the validation \
        loss.\(metadata.validation == nil ? "" : " The epoch with the lowest validation loss was kept.")
        """, table: table
    ).markup
  }

  private static func confusion(_ metadata: RankerMetadata) -> Markup {
    let measures = metadata.headline.measures
    let table = ConfusionTable(labels: PairwiseAgreement().confusion.labels, counts: measures.confusion)
    let band = Figures.number(Double(metadata.settings.margin) / 2, digits: 3)
    return """
      \(table.markup)<p class="note">\(Figures.count(measures.pairs)) \
      \(metadata.validation == nil ? "pairs that were trained on" : "pairs held out"); \
      \(Figures.percent(measures.labelAccuracy)) of the labels are predicted. A score difference within ±\(band), half the \
      margin, counts as equal here; the accuracy above looks only at pairs with a winner, and only at the sign.</p>

      """
  }

  private static func folds(_ summary: CrossValidation) -> Markup {
    func spread(_ spread: CrossValidation.Spread?, _ text: (Double) -> String) -> Markup {
      guard let spread else { return "–" }
      return "\(text(spread.mean)) ± \(text(spread.standardDeviation))"
    }
    var rows = summary.folds.enumerated().map { index, fold -> [Markup] in
      [
        "fold \(index + 1)", "\(Figures.count(fold.validation.pairs))", "\(Figures.percent(fold.validation.accuracy))",
        "\(Figures.number(fold.validation.kendallTau, digits: 3))", "\(Figures.number(fold.validation.loss))",
        "\(fold.bestEpoch) of \(fold.epochs)",
      ]
    }
    rows.append([
      "mean ± standard deviation", .empty, spread(summary.accuracy) { Figures.percent($0) },
      spread(summary.kendallTau) { Figures.number($0, digits: 3) }, spread(summary.loss) { Figures.number($0) }, .empty,
    ])
    let table = Table(
      "Each fold was held out once, and the others trained on",
      columns: [
        ("", .text), ("pairs held out", .number), ("accuracy", .number), ("τ", .number), ("loss", .number),
        ("best epoch", .number),
      ], rows: rows)
    return """
      \(table.markup)<p class="note">The model itself was then trained on all pairs for \(summary.finalEpochs) epochs, the \
      mean of the folds' best.</p>

      """
  }

  private static func data(_ metadata: RankerMetadata) -> Markup {
    let data = metadata.data
    let labels = ShareBar([
      ("A preferred", data.labels.preferA), ("equal", data.labels.equal), ("B preferred", data.labels.preferB),
    ])
    var facts: [(name: String, value: Markup)] = [
      ("file", code(data.source.path)), ("pairs", "\(Figures.count(data.pairs))"),
      ("items", "\(Figures.count(data.items))"), ("trained on", "\(Figures.count(data.trainingPairs)) pairs"),
      ("held out", "\(Figures.count(data.validationPairs)) pairs"),
      ("lines left out", "\(Figures.count(data.skippedLines))"),
    ]
    if let sha256 = data.source.sha256 { facts.append(("SHA-256", code(sha256))) }
    var markup = labels.markup + Facts(facts).markup
    let layout = metadata.layout
    if !layout.metricNames.isEmpty {
      let rows = layout.metricNames.enumerated().map { index, name -> [Markup] in
        [
          "\(name)", "\(Figures.number(Double(metadata.scaling.means[index])))",
          "\(Figures.number(Double(metadata.scaling.standardDeviations[index])))",
          "\(Figures.count(data.missingMetrics[name] ?? 0))",
        ]
      }
      markup += "<h3>Metrics</h3>\n"
      markup +=
        Table(
          "Over the items of the training part; the graph standardises with these",
          columns: [
            ("metric", .text), ("mean", .number), ("standard deviation", .number), ("items without it", .number),
          ],
          rows: rows
        ).markup
    }
    return markup
  }

  private static func network(_ metadata: RankerMetadata, drawing: Markup) -> Markup {
    let graphs = Table(
      "The exported graphs; batch is any number of rows",
      columns: [("file", .text), ("inputs", .text), ("outputs", .text)],
      rows: [
        [
          code(metadata.files.comparer),
          "\(code("input_a")), \(code("input_b")) float [batch, \(metadata.layout.count)]",
          "\(code("score_diff")), \(code("score_a")), \(code("score_b")) float [batch]",
        ],
        [
          code(metadata.files.scorer), "\(code("input")) float [batch, \(metadata.layout.count)]",
          "\(code("score")) float [batch]",
        ],
      ])
    return """
      <p>Columns of an input: \(metadata.layout.summary). Metrics go in as raw numbers, NaN where one is missing.</p>
      \(graphs.markup)<h3>\(metadata.files.scorer)</h3>
      \(drawing)
      """
  }

  private static func settings(_ metadata: RankerMetadata) -> Markup {
    let settings = metadata.settings
    var facts: [(name: String, value: Markup)] = [
      ("hidden numbers", "\(settings.hiddenDimension)"),
      ("optimizer", "\(settings.optimizer.rawValue)"),
      ("learning rate", "\(settings.learningRate.description)"),
      ("weight decay", "\(settings.decay.description)"),
      ("batch size", "\(settings.batchSize)"),
      ("epochs", "\(settings.epochs)"),
      ("margin", "\(settings.margin.description)"),
      ("dropout", "\(settings.dropout.description)"),
      ("validation split", "\(settings.folds == nil ? Figures.percent(settings.validationSplit) : "by folds")"),
      ("seed", "\(String(settings.seed))"),
      ("opset", "\(settings.opset)"),
    ]
    if let folds = settings.folds { facts.append(("folds", "\(folds)")) }
    if let patience = settings.patience { facts.append(("patience", "\(patience) epochs")) }
    if let source = metadata.initializedFrom { facts.append(("started from", code(source.path))) }
    return Facts(facts).markup
  }

  private static func usage(_ metadata: RankerMetadata) -> Markup {
    """
    <p>Rank items, best first (in the directory above this page's):</p>
    <pre><code>ranker rank --model DIRECTORY --items items.jsonl --top-k 10</code></pre>
    <p>Score them in any ONNX runtime:</p>
    <pre><code>import numpy, onnxruntime
    session = onnxruntime.InferenceSession("\(metadata.files.scorer)")
    features = numpy.zeros((10, \(metadata.layout.count)), dtype=numpy.float32)  # embedding, then metrics
    scores = session.run(["score"], {"input": features})[0]  # the larger, the better</code></pre>
    <p>Load the parameters in PyTorch:</p>
    <pre><code>state = torch.load("\(metadata.files.checkpoint)", weights_only=True)</code></pre>

    """
  }
}
