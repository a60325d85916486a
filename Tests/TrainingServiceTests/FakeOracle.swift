// A model that knows nothing: it answers with what it was asked, and counts how often its files are read.

import Foundation
import Synchronization
import TrainingService

/// What models of the fake training can be asked.
final class FakeOracle: Sendable {
  private let loads = Mutex<[String: Int]>([:])

  /// How often the model of a job was read.
  func loads(of job: String) -> Int { loads.withLock { $0[job] ?? 0 } }

  private struct Broken: Error, CustomStringConvertible {
    let path: String
    var description: String { "\(path) is damaged" }
  }

  private struct Model: Predictor {
    let byteCount: Int

    func answer(_ question: String, _ input: [String: JSONValue]) throws -> [String: JSONValue] {
      let texts = input["texts"]?.array ?? []
      if texts.contains("unheard of") {
        throw RequestProblems([ParameterProblem(field: "texts", message: "texts has a word that nobody knows")])
      }
      return ["echo": .array(texts.map { ["text": $0, "weight": input["weight"] ?? .null] })]
    }
  }

  static let question = PredictionQuestion(
    name: "echo", title: "Echo", summary: "Says what it was told.",
    fields: [
      PredictionField("texts", "Texts", .texts(1...3, longest: 20, isLined: true), help: "One a line."),
      PredictionField(
        "things", "Things",
        .records(
          1...2,
          [
            PredictionField("id", "Id", .text(longest: 5), isRequired: true, help: "A name."),
            PredictionField("embedding", "Embedding", .numbers(atMost: 2), help: "Numbers."),
            PredictionField("metrics", "Metrics", .measures(atMost: 1), help: "Numbers by name."),
          ]), help: "Objects."),
      PredictionField("weight", "Weight", .number(0...1), standard: 0.5, help: "A share."),
      PredictionField("count", "Count", .integer(1...10), help: "A number."),
      PredictionField("loudly", "Loudly", .flag, standard: false, help: "A flag."),
    ], ways: [["texts"], ["things"]],
    answer: ["echo": ["type": "array"]],
    layout: .init(rows: "echo", columns: [.init("text", "Text"), .init("weight", "Weight", .share)]))

  /// Of other models' kind.
  static let foreign = PredictionQuestion(
    name: "divine", title: "Divine", summary: "Of another kind.",
    fields: [PredictionField("sign", "Sign", .text(longest: 9), help: "A sign.")], ways: [["sign"]], answer: [:],
    layout: .init(rows: "x", columns: []))

  var table: PredictionTable {
    PredictionTable(
      questions: [Self.question, Self.foreign],
      kinds: [
        PredictionTable.Kind(name: "fake", questions: ["echo"]) { [self] directory in
          let job = directory.split(separator: "/").last.map(String.init) ?? ""
          loads.withLock { $0[job, default: 0] += 1 }
          let path = "\(directory)/fake.onnx"
          guard FileManager.default.contents(atPath: path) == Data("model\n".utf8) else { throw Broken(path: path) }
          return Model(byteCount: 1000)
        }
      ])
  }
}
