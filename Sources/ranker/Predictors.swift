// Trained models as the service asks them: JSON in, JSON out, by the same types that the commands use. Each answer is
// computed by one thread, and several at a time.

import ConceptDetection
import Datasets
import Foundation
import PairwiseRanking
import Recommendation
import TextClassification
import TrainingService

/// ALS, NCF or popularity.
struct RecommenderPredictor: Predictor {
  private let recommender: Recommender
  let byteCount: Int

  /// Items in one answer: some megabytes of JSON.
  private static let mostEntries = 100_000

  init(_ directory: String) throws {
    recommender = Recommender(path: directory, threads: 1)
    _ = try recommender.facts()
    byteCount = size(of: directory, suffixes: [".pt", ".safetensors"])
  }

  func answer(_ question: String, _ input: [String: JSONValue]) throws -> [String: JSONValue] {
    do {
      return switch question {
      case "recommend": try recommend(input)
      case "predict": try predict(input)
      default:
        [
          "items": .array(
            try recommender.similar(to: input.text("item"), count: input.whole("top_k") ?? 10).map(\.json))
        ]
      }
    } catch let error as RecommendationError {
      guard case .unknownItems(let items, _, let count) = error else { throw error }
      let field = ["items_seen", "pairs", "items", "item"].first { input[$0] != nil } ?? "items"
      let names = items.prefix(5).map { "\"\($0)\"" }.joined(separator: ", ")
      let rest = items.count > 5 ? " and \(items.count - 5) more" : ""
      let advice = input["skip_unknown"] == nil ? "" : "; \"skip_unknown\": true leaves such items out"
      throw refusal(field, "\(field) names \(names)\(rest), not among the model's \(count) items\(advice)")
    }
  }

  private func recommend(_ input: [String: JSONValue]) throws -> [String: JSONValue] {
    let count = input.whole("top_k") ?? 10
    let includesSeen = input["include_seen"]?.bool ?? false
    guard let users = input.texts("users") else {
      let (recommendation, leftOut) = try recommender.recommend(
        user: "new user", itemsSeen: input.texts("items_seen") ?? [], count: count, includesSeen: includesSeen,
        unknownItems: input.unknownItems)
      return ["recommendations": [recommendation.json], "left_out": .array(leftOut.map(JSONValue.string))]
    }
    guard users.count * count <= Self.mostEntries else {
      throw refusal(
        "top_k", "top_k is \(count) for \(users.count) users; an answer has at most \(Self.mostEntries) items in all")
    }
    var recommendations: [JSONValue] = []
    try recommender.recommendAll(users: users, count: count, includesSeen: includesSeen) {
      recommendations.append($0.json)
    }
    return ["recommendations": .array(recommendations), "left_out": []]
  }

  private func predict(_ input: [String: JSONValue]) throws -> [String: JSONValue] {
    let pairs =
      input["pairs"]?.array.map { $0.map { (user: $0["user"]?.string ?? "", item: $0["item"]?.string ?? "") } }
      ?? (input.texts("items") ?? []).map { (user: input.text("user"), item: $0) }
    let (predictions, leftOut) = try recommender.predictBatch(pairs, unknownItems: input.unknownItems)
    return [
      "predictions": .array(
        predictions.map {
          [
            "user": .string($0.user), "item": .string($0.item), "score": .single($0.score),
            "source": .string($0.source.rawValue),
          ]
        }),
      "left_out": .array(leftOut.map(JSONValue.string)),
    ]
  }
}

/// A pairwise ranker.
struct RankerPredictor: Predictor {
  private let ranker: PairwiseRanking.Ranker
  let byteCount: Int

  init(_ directory: String) throws {
    ranker = try PairwiseRanking.Ranker(directory: directory, threads: 1)
    // The graph, and its parameters as the engine arranges them.
    byteCount = 2 * size(of: directory, suffixes: ["_scorer.onnx"])
  }

  func answer(_ question: String, _ input: [String: JSONValue]) throws -> [String: JSONValue] {
    let items = (input["items"]?.array ?? []).map { item in
      Item(
        id: item["id"]?.string ?? "", itemType: item["item_type"]?.string ?? Item.defaultType,
        embedding: item["embedding"]?.array?.map { Float($0.number ?? 0) },
        metrics: item["metrics"]?.object?.compactMapValues(\.number) ?? [:])
    }
    do {
      let ranking = try ranker.rank(items, topK: input.whole("top_k"))
      return [
        "ranking": .array(
          ranking.entries.map {
            [
              "rank": .integer(Int64($0.rank)), "id": .string($0.item.id), "item_type": .string($0.item.itemType),
              "score": .single($0.score),
            ]
          }),
        "left_out": .array(ranking.leftOut.map { ["id": .string($0.id), "reason": .string($0.reason)] }),
        "missing_metrics": .integer(Int64(ranking.missingMetrics)),
      ]
    } catch let error as RankingError {
      guard case .noUsableItem = error else { throw error }
      throw refusal("items", "\(error)")
    }
  }
}

/// A classifier of texts.
struct ClassifierPredictor: Predictor {
  private let classifier: TextClassifier
  let byteCount: Int

  init(_ directory: String) throws {
    classifier = TextClassifier(directory: directory, threads: 1)
    _ = try classifier.facts()
    byteCount = 2 * size(of: directory, suffixes: ["model.onnx"])
  }

  func answer(_ question: String, _ input: [String: JSONValue]) throws -> [String: JSONValue] {
    do {
      let found = try classifier.classify(input.texts("texts") ?? [], threshold: input["threshold"]?.number)
      return [
        "classifications": .array(
          found.map { text in
            let labels = text.labels.prefix(input.whole("top_k") ?? 5).map { label -> JSONValue in
              [
                "label": .string(label.name), "probability": .single(label.probability),
                "assigned": .bool(label.isAssigned),
              ]
            }
            return ["labels": .array(labels), "truncated": .bool(text.isTruncated)]
          })
      ]
    } catch let error as TextUseError {
      guard case .blankText = error else { throw error }
      throw refusal("texts", "texts: \(error)")
    }
  }
}

/// A detector of concepts.
struct DetectorPredictor: Predictor {
  private let detector: ConceptDetector
  let byteCount: Int

  init(_ directory: String) throws {
    detector = ConceptDetector(directory: directory, threads: 1)
    _ = try detector.facts()
    byteCount = 2 * size(of: directory, suffixes: ["model.onnx"])
  }

  func answer(_ question: String, _ input: [String: JSONValue]) throws -> [String: JSONValue] {
    let texts = input.texts("texts") ?? []
    let found = try detector.detect(texts, threshold: input["threshold"]?.number)
    return [
      "detections": .array(
        zip(texts, found).map { text, detection in
          let concepts = detection.concepts.map { finding -> JSONValue in
            [
              "concept": .string(finding.id), "label": .string(finding.label),
              "bucket": .string(finding.bucket.rawValue), "probability": .single(finding.probability),
              "words": .string(finding.words(in: text)),
            ]
          }
          return ["concepts": .array(concepts)]
        })
    ]
  }
}

/// What is wrong with a member that only the model can judge.
private func refusal(_ field: String, _ message: String) -> RequestProblems {
  RequestProblems([ParameterProblem(field: field, message: message)])
}

/// Bytes of the files of a folder whose names end so.
private func size(of directory: String, suffixes: [String]) -> Int {
  let names = (try? FileManager.default.contentsOfDirectory(atPath: directory)) ?? []
  return names.filter { name in suffixes.contains { name.hasSuffix($0) } }.reduce(0) { sum, name in
    let attributes = try? FileManager.default.attributesOfItem(atPath: "\(directory)/\(name)")
    return sum + (attributes?[.size] as? Int ?? 0)
  }
}

extension [String: JSONValue] {
  fileprivate func text(_ name: String) -> String { self[name]?.string ?? "" }
  fileprivate func texts(_ name: String) -> [String]? { self[name]?.array?.compactMap(\.string) }
  fileprivate func whole(_ name: String) -> Int? { self[name]?.integer.map(Int.init) }
  fileprivate var unknownItems: Recommender.UnknownItems {
    self["skip_unknown"]?.bool == true ? .leftOut : .refused
  }
}

extension JSONValue {
  /// A float as it is written shortest: 0.1, where the nearest double is 0.10000000149.
  fileprivate static func single(_ value: Float) -> JSONValue { .number(TrainingKind.decimal(value)) }
}

extension Recommender.Entry {
  fileprivate var json: JSONValue { ["item": .string(item), "score": .single(score)] }
}

extension Recommender.Recommendation {
  fileprivate var json: JSONValue {
    ["user": .string(user), "source": .string(source.rawValue), "items": .array(entries.map(\.json))]
  }
}
