// What models can be asked over HTTP: the questions of `ranker recommend`, `predict`, `similar`, `rank`, `classify` and
// `detect`, with bounds that keep an answer within what a person waits for.

import TrainingService

extension PredictionTable {
  /// What the models of this program's trainings can be asked.
  static var own: PredictionTable {
    let recommender = ["recommend", "predict", "similar"]
    return PredictionTable(
      questions: [.recommend, .predict, .similar, .rank, .classify, .detect],
      kinds: [
        Kind(name: "popular", questions: ["recommend", "predict"], load: { try RecommenderPredictor($0) }),
        Kind(name: "als", questions: recommender, load: { try RecommenderPredictor($0) }),
        Kind(name: "ncf", questions: recommender, load: { try RecommenderPredictor($0) }),
        Kind(name: "pairwise", questions: ["rank"], load: { try RankerPredictor($0) }),
        Kind(name: "classification", questions: ["classify"], load: { try ClassifierPredictor($0) }),
        Kind(name: "concept", questions: ["detect"], load: { try DetectorPredictor($0) }),
      ])
  }
}

extension PredictionQuestion {
  private static let longestID = 512
  private static let longestText = 20_000

  private static func topK(_ standard: JSONValue?, _ help: String) -> PredictionField {
    PredictionField("top_k", "Number", .integer(1...1000), standard: standard, help: help)
  }
  private static let skipUnknown = PredictionField(
    "skip_unknown", "Leave out unknown items", .flag, standard: false,
    help: "Items that the model does not know are named in left_out instead of refused.")
  private static let threshold = PredictionField(
    "threshold", "Threshold", .number(0...1), help: "From which probability on; the model’s own where nothing is given."
  )

  // Schemas of answers

  private static let text: JSONValue = ["type": "string"]
  private static let number: JSONValue = ["type": "number"]
  private static let whole: JSONValue = ["type": "integer"]
  private static let flag: JSONValue = ["type": "boolean"]

  private static func list(_ items: JSONValue) -> JSONValue { ["type": "array", "items": items] }

  private static func records(_ members: [String: JSONValue]) -> JSONValue {
    list([
      "type": "object", "required": .array(members.keys.sorted().map(JSONValue.string)),
      "properties": .object(members),
    ])
  }

  private static let source: JSONValue = [
    "enum": ["model", "fold_in", "popularity"],
    "description": "Of a user whom the model does not know: placed by the items seen, or what most users turned to.",
  ]

  static let recommend = PredictionQuestion(
    name: "recommend", title: "Recommend",
    summary: "The best items for users, or for somebody who has seen some items.",
    fields: [
      PredictionField(
        "users", "Users", .texts(1...1000, longest: longestID, isLined: true),
        help: "Ids, one a line. Whom the model does not know gets what most users turned to."),
      PredictionField(
        "items_seen", "Items seen", .texts(1...1000, longest: longestID, isLined: true),
        help: "Ids of items that a new user has turned to."),
      topK(10, "Items for each user."),
      PredictionField(
        "include_seen", "Include what was seen", .flag, standard: false,
        help: "Recommend also what the users turned to before."),
      skipUnknown,
    ], ways: [["users"], ["items_seen"]],
    answer: [
      "recommendations": records(["user": text, "source": source, "items": records(["item": text, "score": number])]),
      "left_out": list(text),
    ],
    layout: AnswerLayout(
      tables: "recommendations", heading: "user", rows: "items",
      columns: [Column("item", "Item"), Column("score", "Score", .number)]))

  static let predict = PredictionQuestion(
    name: "predict", title: "Predict", summary: "How much items suit a user: the larger the score, the better.",
    fields: [
      PredictionField("user", "User", .text(longest: longestID), help: "An id."),
      PredictionField(
        "items", "Items", .texts(1...10_000, longest: longestID, isLined: true), help: "Ids, one a line."),
      PredictionField(
        "pairs", "Pairs",
        .records(
          1...10_000,
          [
            PredictionField("user", "User", .text(longest: longestID), isRequired: true, help: "An id."),
            PredictionField("item", "Item", .text(longest: longestID), isRequired: true, help: "An id."),
          ]), help: "Users and items, in any mixture."),
      skipUnknown,
    ], ways: [["user", "items"], ["pairs"]],
    answer: [
      "predictions": records(["user": text, "item": text, "score": number, "source": source]), "left_out": list(text),
    ],
    layout: AnswerLayout(
      rows: "predictions",
      columns: [Column("item", "Item"), Column("score", "Score", .number), Column("source", "By")]))

  static let similar = PredictionQuestion(
    name: "similar", title: "Similar items", summary: "The items that are most like one, by the angle of their rows.",
    fields: [
      PredictionField("item", "Item", .text(longest: longestID), help: "An id."),
      topK(10, "Items, at most."),
    ], ways: [["item"]], answer: ["items": records(["item": text, "score": number])],
    layout: AnswerLayout(rows: "items", columns: [Column("item", "Item"), Column("score", "Cosine", .share)]))

  static let rank = PredictionQuestion(
    name: "rank", title: "Rank", summary: "Items, the best first.",
    fields: [
      PredictionField(
        "items", "Items",
        .records(
          1...5000,
          [
            PredictionField("id", "Id", .text(longest: longestID), isRequired: true, help: "What it is called."),
            PredictionField("item_type", "Type", .text(longest: longestID), help: "What sort of thing it is."),
            PredictionField("item_reference_id", "Reference", .text(longest: longestID), help: "Not looked at."),
            PredictionField("embedding", "Embedding", .numbers(atMost: 8192), help: "As wide as in the training."),
            PredictionField(
              "metrics", "Metrics", .measures(atMost: 1000), help: "A missing one counts as the training’s mean."),
            PredictionField("text", "Text", .text(longest: longestText), help: "Not looked at."),
            PredictionField("created_at", "Made", .text(longest: 64), help: "Not looked at."),
          ]),
        help: "JSON, an item a line: {\"id\": \"proj-1\", \"embedding\": […], \"metrics\": {\"clarity\": 0.8}}"),
      topK(nil, "Only the first so many."),
    ], ways: [["items"]],
    answer: [
      "ranking": records(["rank": whole, "id": text, "item_type": text, "score": number]),
      "left_out": records(["id": text, "reason": text]), "missing_metrics": whole,
    ],
    layout: AnswerLayout(
      rows: "ranking",
      columns: [Column("rank", "Rank", .number), Column("id", "Item"), Column("score", "Score", .number)]))

  static let classify = PredictionQuestion(
    name: "classify", title: "Classify", summary: "The labels of texts, the most probable first.",
    fields: [
      PredictionField(
        "texts", "Text", .texts(1...256, longest: longestText, isLined: false),
        help: "What is behind the tokens that the model reads is not read."),
      topK(5, "Labels for each text, assigned or not."), threshold,
    ], ways: [["texts"]],
    answer: [
      "classifications": records([
        "labels": records(["label": text, "probability": number, "assigned": flag]), "truncated": flag,
      ])
    ],
    layout: AnswerLayout(
      tables: "classifications", rows: "labels",
      columns: [Column("label", "Label"), Column("probability", "Probability", .share), Column("assigned", "Assigned")])
  )

  static let detect = PredictionQuestion(
    name: "detect", title: "Detect", summary: "The concepts of notes, with the words that speak for them.",
    fields: [
      PredictionField(
        "texts", "Note", .texts(1...1000, longest: longestText, isLined: false), help: "In any of the languages."),
      threshold,
    ], ways: [["texts"]],
    answer: [
      "detections": records([
        "concepts": records([
          "concept": text, "label": text, "bucket": text, "probability": number, "words": text,
        ])
      ])
    ],
    layout: AnswerLayout(
      tables: "detections", rows: "concepts",
      columns: [
        Column("label", "Concept"), Column("bucket", "Bucket"), Column("words", "Words"),
        Column("probability", "Probability", .share),
      ]))
}
