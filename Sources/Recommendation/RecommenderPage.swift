// The parts of a report that pages of scoring recommenders share.

import Reports
import Verification

/// Parts of pages about recommenders whose graphs score all items for a user.
enum RecommenderPage {
  static func lead(
    _ measures: RecommendationMeasures?, _ data: RecommenderDataSummary, verification: [VerificationReport]
  ) -> Markup {
    guard let measures else {
      return "Nothing was held out, so nothing tells how good it is. \(verification.badge)"
    }
    let cases = Figures.count(measures.caseCount)
    switch data.heldOutSource {
    case .lastDays:
      return """
        Of what \(cases) users newly turned to in the last days, <b>\(Figures.percent(measures.recall))</b> is among the \
        first \(measures.k). \(verification.badge)
        """
    case .leaveOneOut:
      return """
        For <b>\(Figures.percent(measures.hitRate))</b> of \(cases) users the latest item, which it had not seen, is among \
        the first \(measures.k) of \(HeldOutEvaluation.negatives + 1). \(verification.badge)
        """
    case .heldOutTest, .none:
      return """
        NDCG@\(measures.k) of <b>\(Figures.number(measures.ndcg, digits: 3))</b> on \(cases) held-out cases. \
        \(verification.badge)
        """
    }
  }

  static func footer(_ metadata: some ModelMetadata) -> Markup {
    """
    Made by RankerKit \(metadata.versions.rankerkit). Everything on this page is in \
    <code>\(MetadataFiles.name(of: metadata.name))</code> too.
    """
  }

  static func tiles(
    _ measures: RecommendationMeasures?, _ data: RecommenderDataSummary
  ) -> [(name: String, value: String, note: String)] {
    var tiles: [(name: String, value: String, note: String)] = []
    if let measures {
      let note = "\(Figures.count(measures.caseCount)) held-out cases"
      if data.heldOutSource == .lastDays {
        tiles += [
          ("Recall@\(measures.k)", Figures.percent(measures.recall), note),
          ("Precision@\(measures.k)", Figures.percent(measures.precision), note),
          ("F1@\(measures.k)", Figures.percent(measures.f1), note),
        ]
      } else {
        tiles += [
          ("NDCG@\(measures.k)", Figures.number(measures.ndcg, digits: 3), note),
          ("Hit rate@\(measures.k)", Figures.percent(measures.hitRate), note),
        ]
      }
    }
    tiles.append(("Users", Figures.count(data.users), "\(Figures.count(data.trainingPairs)) pairs"))
    tiles.append(("Items", Figures.count(data.items), "density \(Figures.percent(data.density))"))
    return tiles
  }

  static func data(_ data: RecommenderDataSummary) -> Markup {
    var facts: [(name: String, value: Markup)] = [
      ("data", "<code>\(data.source.path)</code>"), ("form", "\(data.format.rawValue)"),
      ("interactions", "\(Figures.count(data.interactions))"), ("users", "\(Figures.count(data.users))"),
      ("items", "\(Figures.count(data.items))"), ("pairs trained on", "\(Figures.count(data.trainingPairs))"),
      ("held-out cases", "\(Figures.count(data.heldOutCases))"),
      ("rows left out", "\(Figures.count(data.skippedRows))"),
    ]
    if let sha256 = data.source.sha256 { facts.append(("SHA-256", "<code>\(sha256)</code>")) }
    return Facts(facts).markup
  }

  static func weights(_ eventWeights: [String: Float], halfLife: Double?) -> [(name: String, value: Markup)] {
    var facts: [(name: String, value: Markup)] = []
    if !eventWeights.isEmpty {
      let text = eventWeights.sorted { $0.key < $1.key }.map { "\($0) \($1)" }.joined(separator: ", ")
      facts.append(("weights by event", "\(text)"))
    }
    if let halfLife { facts.append(("half-life", "\(Figures.number(halfLife)) days")) }
    return facts
  }

  static func graphs(scorer: String, topItems: String, data: RecommenderDataSummary) -> Markup {
    Table(
      "The exported graphs; batch is any number of users",
      columns: [("file", .text), ("inputs", .text), ("outputs", .text)],
      rows: [
        [
          "<code>\(scorer)</code>", "<code>user</code> int64 [batch]",
          "<code>scores</code> float [batch, \(data.items)]",
        ],
        [
          "<code>\(topItems)</code>", "<code>user</code> int64 [batch], <code>k</code> int64 [1]",
          "<code>items</code> int64 [batch, k], <code>scores</code> float [batch, k]",
        ],
      ]
    ).markup
  }

  static func usage(scorer: String, checkpoint: String) -> Markup {
    """
    <p>Recommend in any ONNX runtime; users and items are numbers from 0, in the order of the checkpoint's maps:</p>
    <pre><code>import numpy, onnxruntime, torch
    checkpoint = torch.load("\(checkpoint)", weights_only=True)
    user = numpy.array([checkpoint["user_id_map"]["SOMEONE"]])
    scores = onnxruntime.InferenceSession("\(scorer)").run(["scores"], {"user": user})[0]  # the larger, the better</code></pre>

    """
  }
}
