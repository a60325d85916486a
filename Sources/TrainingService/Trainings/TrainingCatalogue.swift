// The kinds of training that a service offers, and how a request for one is checked.

import Foundation

/// The kinds of training that are offered, and the program that runs them.
public struct TrainingCatalogue: Sendable {
  public let kinds: [TrainingKind]
  /// The path of the program whose subcommands the trainings are.
  public let program: String
  /// What the models that come of them can be asked.
  public let predictions: PredictionTable

  public init(kinds: [TrainingKind], program: String, predictions: PredictionTable = .none) {
    self.kinds = kinds
    self.program = program
    self.predictions = predictions
  }

  public func kind(_ name: String) -> TrainingKind? { kinds.first { $0.name == name } }

  /// The fields of a form as the values that they stand for.
  public func values(ofForm fields: [String: String], kind name: String) -> [String: JSONValue] {
    let parameters = Dictionary(kind(name)?.parameters.map { ($0.name, $0) } ?? []) { first, _ in first }
    var values: [String: JSONValue] = [:]
    for (field, text) in fields where !text.isEmpty {
      values[field] = parameters[field]?.value(typed: text) ?? .string(text)
    }
    return values
  }

  /// Checks a request whole: its kind, its data, each parameter, and that nothing else is in it.
  ///
  /// - Parameters:
  ///   - values: by name.
  ///   - root: where data may be.
  /// - Throws: ``RequestProblems`` with everything that is wrong.
  public func request(
    kind name: String, modelName: String?, dataPath: String?, values: [String: JSONValue], root: DataRoot
  ) throws -> JobRequest {
    guard let kind = kind(name) else {
      let known = kinds.map(\.name).joined(separator: ", ")
      throw RequestProblems([
        ParameterProblem(
          field: "model_type",
          message: name.isEmpty
            ? "model_type is missing; expected one of \(known)"
            : "model_type is \"\(name.prefix(40))\"; expected one of \(known)")
      ])
    }
    var problems: [ParameterProblem] = []
    var parameters: [String: JSONValue] = [:]
    // Paths at which nothing is.
    var missing = 0
    let hasData = dataPath?.isEmpty == false
    for parameter in kind.parameters {
      guard let given = values[parameter.name], given != "" || !parameter.isPath else {
        if let standard = parameter.standard { parameters[parameter.name] = standard }
        if hasData, parameter.domain == .path(isNeededWithData: true) {
          problems.append(
            ParameterProblem(
              field: parameter.name, message: "\(parameter.title) is missing; data of your own needs it"))
        }
        continue
      }
      do {
        let checked = try parameter.checked(given)
        parameters[parameter.name] = checked
        if parameter.isPath { parameters[parameter.name] = .string(try root.relative(checked.plainText)) }
      } catch let error as ParameterProblem { problems.append(error) } catch {
        missing += 1
        problems.append(ParameterProblem(field: parameter.name, message: "\(error)"))
      }
    }
    let names = Set(kind.parameters.map(\.name))
    for unknown in values.keys.filter({ !names.contains($0) }).sorted() {
      problems.append(
        ParameterProblem(
          field: unknown,
          message: "\(kind.name) has no parameter \"\(unknown.prefix(40))\"; it has "
            + names.sorted().joined(separator: ", ")
        ))
    }
    var data: String?
    if let dataPath, hasData {
      do {
        data = try root.relative(dataPath)
        try root.checkFolder(dataPath)
      } catch {
        missing += 1
        problems.append(ParameterProblem(field: "data_path", message: "\(error)"))
      }
    } else if !kind.hasSample {
      problems.append(
        ParameterProblem(field: "data_path", message: "data_path is missing; \(kind.name) needs \(kind.dataHelp)"))
    }
    let model = modelName.flatMap { $0.isEmpty ? nil : $0 } ?? kind.name
    if !Self.isModelName(model) {
      problems.append(
        ParameterProblem(
          field: "model_name",
          message: "model_name is \"\(model.prefix(64))\"; expected up to 64 letters, digits, '-', '_' and '.', "
            + "with a letter or a digit first"))
    }
    guard problems.isEmpty else {
      throw RequestProblems(problems, isMissingData: missing == problems.count)
    }
    return JobRequest(kind: kind.name, modelName: model, dataPath: data, parameters: parameters)
  }

  /// Names stand in addresses and in file names, so they are plain.
  static func isModelName(_ name: String) -> Bool {
    name.wholeMatch(of: /[A-Za-z0-9][A-Za-z0-9._\-]{0,63}/) != nil
  }
}
