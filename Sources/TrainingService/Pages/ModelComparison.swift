// Versions of a model side by side: what came of each, and where the settings differ.

import Foundation
import Reports

/// The newest versions as columns, figures and settings as rows.
struct ModelComparison: Sendable {
  let versions: [ModelVersion]
  let jobs: [Job]
  let kind: TrainingKind?

  /// Columns that a page has room for.
  static let mostVersions = 5

  var values: [String: Any] {
    [
      "columns": versions.map { ["version": "\($0.version)", "isPromoted": $0.isPromoted] as [String: Any] },
      "rows": figureRows + settingRows,
      "sameSettings": settingRows.isEmpty && versions.count > 1,
    ]
  }

  private var figureRows: [[String: Any]] {
    let figures = versions.map { ChartDrawing.figures(of: $0.metrics) }
    var names: [String] = []
    for figure in figures.joined() where !names.contains(figure.name) { names.append(figure.name) }
    return names.map { name in
      let row = figures.map { $0.first { $0.name == name } }
      let known = row.compactMap(\.self)
      let best: Double? =
        switch known.first?.isMoreBetter {
        case true: known.map(\.number).max()
        case false: known.map(\.number).min()
        default: nil
        }
      return [
        "name": name, "isNumber": true,
        "cells": row.map { figure -> [String: Any] in
          // Of one version, or of equal ones, none is the best.
          let isBest = figure?.number == best && best != nil && Set(known.map(\.number)).count > 1
          return ["text": figure?.text ?? "–", "isBest": isBest, "isNumber": true]
        },
      ]
    }
  }

  /// Settings that are not the same in all versions; data first.
  private var settingRows: [[String: Any]] {
    let byID = Dictionary(jobs.map { ($0.id, $0) }) { first, _ in first }
    let columns = versions.map { byID[$0.jobID] }
    func row(_ name: String, _ value: (Job) -> String) -> [String: Any]? {
      let texts = columns.map { $0.map(value) ?? "–" }
      guard Set(texts).count > 1 else { return nil }
      return [
        "name": name, "isNumber": false,
        "cells": texts.map { ["text": $0, "isBest": false, "isNumber": true] as [String: Any] },
      ]
    }
    let settings = (kind?.parameters ?? []).compactMap { parameter in
      row(parameter.title) { $0.parameters[parameter.name]?.plainText ?? "–" }
    }
    return [row("Data") { $0.dataPath ?? "sample" }].compactMap(\.self) + settings
  }

  /// A chart for each of the measures that versions are compared by most, from the oldest version to the newest.
  static func charts(of versions: [ModelVersion]) -> String {
    guard let first = versions.last?.version, let last = versions.first?.version, first < last else { return "" }
    let figures = Dictionary(versions.map { ($0.version, ChartDrawing.figures(of: $0.metrics)) }) { first, _ in first }
    let names = (figures[last] ?? []).filter { $0.isMoreBetter != nil }.prefix(4).map(\.name)
    return names.map { name in
      LineChart(
        name, unit: "version",
        series: [
          .init(name, (first...last).map { version in figures[version]?.first { $0.name == name }?.number })
        ], start: first
      ).markup.html
    }.joined()
  }
}
