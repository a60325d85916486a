// The part of a model's page where it can be asked something: a form for each question, and the answer as tables.

import Foundation
import Hummingbird

/// What a person asked on a model's page.
struct TriedQuestion: Sendable {
  enum Outcome: Sendable {
    case answer(PredictionDesk.Answer)
    case problem(String, fields: [String: String])
  }

  let question: String
  let form: [String: String]
  let outcome: Outcome
}

/// Draws the forms and the answers.
struct TrySection: Sendable {
  let model: String
  let questions: [PredictionQuestion]
  /// The question whose form is shown.
  let chosen: String?
  let tried: TriedQuestion?

  /// Rows of a table that are shown; programs get all of them.
  private static let mostRows = 100
  private static let mostTables = 20

  /// What the template needs; no member where there is nothing to ask.
  var values: [String: Any] {
    guard let question = questions.first(where: { $0.name == tried?.question ?? chosen }) ?? questions.first else {
      return ["try": false]
    }
    let form = tried?.form
    var wrong: [String: String] = [:]
    var values: [String: Any] = [
      "model": model, "question": question.name, "questionTitle": question.title, "questionSummary": question.summary,
      "questions": questions.map { ["name": $0.name, "title": $0.title, "isChosen": $0 == question] as [String: Any] },
      "hasQuestions": questions.count > 1, "address": "/api/v1/models/\(model)/\(question.name)",
      "problem": false, "hasAnswer": false,
    ]
    switch tried?.outcome {
    case .problem(let message, let fields):
      wrong = fields
      values["problem"] = message
    case .answer(let answer):
      values["hasAnswer"] = true
      values["answeredBy"] = "Version \(answer.version.version) says"
      values["tables"] = Self.tables(question.layout, answer.members)
    case nil: break
    }
    values["fields"] = question.fields(of: question.ways[0]).map { field in
      // What is wrong in a list is told of its field: items[3] of items.
      let problem = wrong.first { $0.key == field.name || $0.key.hasPrefix(field.name + "[") }?.value
      return field.control(given: form.map { $0[field.name] ?? "" }, problem: problem)
    }
    return ["try": values]
  }

  private static func tables(
    _ layout: PredictionQuestion.AnswerLayout, _ answer: [String: JSONValue]
  ) -> [[String: Any]] {
    let groups = layout.tables.map { answer[$0]?.array ?? [] } ?? [.object(answer)]
    return groups.prefix(mostTables).map { group in
      let rows = group[layout.rows]?.array ?? []
      return [
        "heading": layout.heading.flatMap { group[$0]?.string } ?? false,
        "columns": layout.columns.map { ["title": $0.title, "isNumber": $0.form != .text] as [String: Any] },
        "rows": rows.prefix(mostRows).map { row in ["cells": layout.columns.map { cell(row[$0.name], $0) }] },
        "isEmpty": rows.isEmpty, "more": rows.count > mostRows ? "… and \(rows.count - mostRows) more" : false,
      ]
    }
  }

  private static func cell(_ value: JSONValue?, _ column: PredictionQuestion.Column) -> [String: Any] {
    let number = value?.number
    let text = number.map { column.form == .text ? value!.plainText : ChartDrawing.text($0) } ?? value?.plainText ?? "–"
    return [
      "text": text == "null" ? "–" : text, "isNumber": column.form != .text,
      "share": column.form == .share ? number.map { "\(min(max($0, 0), 1))" } ?? false : false, "title": column.title,
    ]
  }
}

extension PredictionField {
  /// What the template needs to draw the field.
  fileprivate func control(given: String?, problem: String?) -> [String: Any] {
    let value = given ?? standard?.plainText ?? ""
    var control: [String: Any] = [
      "name": name, "title": title, "help": help, "value": value, "wrong": problem ?? false, "isFlag": false,
      "isArea": false, "isInput": false, "isOn": ["true", "on"].contains(value),
    ]
    switch domain {
    case .flag: control["isFlag"] = true
    case .texts, .records, .measures, .numbers: control["isArea"] = true
    case .text: control["isInput"] = ["type": "text", "bounds": false]
    case .integer(let range):
      control["isInput"] = [
        "type": "number", "step": "1", "bounds": ["least": "\(range.lowerBound)", "greatest": "\(range.upperBound)"],
      ]
    case .number(let range):
      control["isInput"] = [
        "type": "number", "step": "any",
        "bounds": ["least": range.lowerBound.plainText, "greatest": range.upperBound.plainText],
      ]
    }
    return control
  }
}
