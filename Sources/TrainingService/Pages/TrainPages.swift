// The form that starts a training: it follows the kind, and comes back with what is wrong where something is.

import Foundation
import HTTPTypes
import Hummingbird

struct TrainPages: Sendable {
  let parts: ServiceParts
  let book: PageBook

  func add(to router: some RouterMethods<ServiceContext>) {
    router.get("train") { request, context in
      _ = try context.pageUser(request)
      let names = parts.catalogue.kinds.map(\.name)
      // The quickest way to a good model stands first where nothing was chosen.
      let name = request.query("kind") ?? (names.contains("als") ? "als" : names.first ?? "")
      guard let kind = parts.catalogue.kind(name) else {
        throw ServiceProblem.notFound("There is no training \"\(name.prefix(40))\".")
      }
      let given = request.query("data_path")?.removingPercentEncoding ?? ""
      return page(
        kind, fields: ["data_path": given, "model_name": request.query("model_name") ?? ""],
        browsing: request.query("browse")?.removingPercentEncoding, problems: nil,
        context)
    }
    router.post("train") { request, context in
      let user = try context.pageUser(request)
      var fields = try await request.form()
      fields[Authentication.formTokenName] = nil
      guard let kind = parts.catalogue.kind(fields.removeValue(forKey: "model_type") ?? "") else {
        throw ServiceProblem.badRequest("The form names no kind of training.")
      }
      var values = fields
      let data = values.removeValue(forKey: "data_path")
      let model = values.removeValue(forKey: "model_name")
      // A box that is not ticked is not in the form at all.
      for parameter in kind.parameters where parameter.domain == .flag && values[parameter.name] == nil {
        values[parameter.name] = "false"
      }
      do {
        let wanted = try parts.catalogue.request(
          kind: kind.name, modelName: model, dataPath: data,
          values: parts.catalogue.values(ofForm: values, kind: kind.name),
          root: parts.root)
        let job = try await parts.book.add(wanted, owner: user)
        context.logger.info("job accepted", metadata: ["job": "\(job.id)", "kind": "\(job.kind)"])
        return Response.redirect(to: "/jobs/\(job.id)")
      } catch let error as RequestProblems {
        return page(kind, fields: fields, browsing: nil, problems: error, context)
      }
    }
  }

  private func page(
    _ kind: TrainingKind, fields: [String: String], browsing: String?, problems: RequestProblems?,
    _ context: ServiceContext
  ) -> Response {
    let wrong = Dictionary(problems?.problems.map { ($0.field, $0.message) } ?? []) { first, _ in first }
    // A form that came back is shown as it was sent; a new one with the defaults.
    let isNew = problems == nil
    var values: [String: Any] = [
      "kind": kind.name, "hasSample": kind.hasSample, "dataHelp": kind.dataHelp,
      "dataPath": fields["data_path"] ?? "", "modelName": fields["model_name"] ?? "",
      "dataProblem": wrong["data_path"] ?? false, "modelProblem": wrong["model_name"] ?? false,
      "problem": problems.map { "\($0.problems.count == 1 ? "One field" : "Some fields") can't be used as they are." }
        ?? false,
      "kinds": parts.catalogue.kinds.map { other -> [String: Any] in
        ["name": other.name, "title": other.title, "summary": other.summary, "isChosen": other.name == kind.name]
      },
      "parameters": kind.parameters.map { parameter in
        parameter.field(given: fields[parameter.name], isNew: isNew, problem: wrong[parameter.name])
      },
    ]
    values.merge(listing(browsing ?? "")) { $1 }
    values["isBrowsing"] = browsing != nil
    return book.page(
      "train", title: "Start a training", at: .train, context, status: isNew ? .ok : .unprocessableContent, values)
  }

  /// A folder of the data root, and the way to it.
  private func listing(_ folder: String) -> [String: Any] {
    let entries = (try? parts.root.entries(of: folder)) ?? []
    var crumbs: [[String: Any]] = [["name": "data", "path": "", "plainPath": ""]]
    var path = ""
    for part in folder.split(separator: "/") where part != "." {
      path += (path.isEmpty ? "" : "/") + part
      crumbs.append(["name": String(part), "path": Self.encoded(path), "plainPath": path])
    }
    return [
      "crumbs": crumbs,
      "entries": entries.map { entry -> [String: Any] in
        [
          "name": entry.name, "path": Self.encoded(entry.path), "plainPath": entry.path, "isFolder": entry.isFolder,
          "size": entry.isFolder ? "" : entry.size.formatted(.byteCount(style: .file)),
        ]
      },
    ]
  }

  private static func encoded(_ text: String) -> String {
    text.addingPercentEncoding(withAllowedCharacters: .alphanumerics.union(CharacterSet(charactersIn: "-._~/"))) ?? ""
  }
}

extension TrainingParameter {
  /// What the template needs to draw the field.
  fileprivate func field(given: String?, isNew: Bool, problem: String?) -> [String: Any] {
    let value = isNew ? standard?.plainText ?? "" : given ?? ""
    var field: [String: Any] = [
      "name": name, "title": title, "help": help, "value": value, "problem": problem ?? false, "isFlag": false,
      "choices": false, "hasBounds": false, "bounds": false, "type": "text", "inputMode": "text",
    ]
    switch domain {
    case .integer(let range):
      field["type"] = "number"
      field["inputMode"] = "numeric"
      field["hasBounds"] = true
      field["least"] = "\(range.lowerBound)"
      field["greatest"] = "\(range.upperBound)"
      field["step"] = "1"
      // Of a seed, the bounds tell nothing.
      if range.upperBound < 1_000_000_000 { field["bounds"] = "\(range.lowerBound) to \(range.upperBound)." }
    case .number(let range):
      field["type"] = "number"
      field["inputMode"] = "decimal"
      field["hasBounds"] = true
      field["least"] = range.lowerBound.plainText
      field["greatest"] = range.upperBound.plainText
      field["step"] = "any"
      field["bounds"] = "\(range.lowerBound.plainText) to \(range.upperBound.plainText)."
    case .choice(let choices):
      field["choices"] = [
        "options": choices.map { ["text": $0, "isChosen": $0 == value] as [String: Any] }
      ]
    case .flag:
      field["isFlag"] = true
      field["isOn"] = ["true", "on"].contains(value)
    case .path: field["isPath"] = true
    case .integers: field["bounds"] = "Such as \(standard?.plainText ?? "64,32")."
    }
    return field
  }
}
