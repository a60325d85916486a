// Models, and the versions of one side by side.

import Foundation
import HTTPTypes
import Hummingbird
import Reports

struct ModelPages: Sendable {
  let parts: ServiceParts
  let book: PageBook

  func add(to router: some RouterMethods<ServiceContext>) {
    router.get("models") { request, context in try await list(try context.pageUser(request), context) }
    router.get("models/:name") { request, context in
      try await show(try context.pageUser(request), context, chosen: request.query("ask"))
    }
    router.post("models/:name/try/:question") { request, context in try await ask(request, context) }
    router.get("models/:name/versions/:version/files/**") { request, context in
      let version = try await version(request, context)
      let name = context.parameters.getCatchAll().joined(separator: "/")
      return try await ModelInterface(parts: parts).file(name, of: version)
    }
    router.get("models/:name/versions/:version/report") { request, context in
      let version = try await version(request, context)
      guard let report = version.report else { throw ServiceProblem.notFound("This version has no report.") }
      // A training wrote it: shown without scripts, and as nobody's page.
      return try await FileDownload(path: "\(version.directory)/\(report)").response(
        headers: [
          .contentType: "text/html; charset=utf-8",
          .contentSecurityPolicy:
            "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'none'",
        ])
    }
    router.post("models/:name/versions/:version/promote") { request, context in
      let version = try await version(request, context)
      _ = try await parts.models.promote(version.version, of: version.name, by: try context.user)
      return Response.redirect(to: "/models/\(version.name)")
    }
    router.post("models/:name/versions/:version/delete") { request, context in
      let version = try await version(request, context)
      try await ModelInterface(parts: parts).remove(version.version, of: version.name, for: try context.viewer, context)
      let isLast = try await parts.models.versions(of: version.name, for: try context.viewer).isEmpty
      return Response.redirect(to: isLast ? "/models" : "/models/\(version.name)")
    }
    router.post("models/:name/roll-back") { request, context in
      let name = try context.parameters.require("name")
      _ = try await parts.models.rollBack(name, by: try context.pageUser(request))
      return Response.redirect(to: "/models/\(name)")
    }
  }

  private func version(_ request: Request, _ context: ServiceContext) async throws -> ModelVersion {
    let user = try context.pageUser(request)
    let name = try context.parameters.require("name")
    guard let number = Int(try context.parameters.require("version")) else { throw ModelError.unknown(name: name) }
    return try await parts.models.version(number, of: name, for: Viewer(user))
  }

  private func list(_ user: User, _ context: ServiceContext) async throws -> Response {
    let versions = try await parts.models.versions(for: Viewer(user))
    var order: [String] = []
    var groups: [String: [ModelVersion]] = [:]
    for version in versions {
      let key = "\(version.ownerID) \(version.name)"
      if groups[key] == nil { order.append(key) }
      groups[key, default: []].append(version)
    }
    let models = order.map { key -> [String: Any] in
      let group = groups[key]!
      let kind = parts.catalogue.kind(group[0].kind)
      let value = kind.flatMap { TrainingKind.number(at: $0.headline.paths, in: group[0].metrics) }
      return [
        "name": group[0].name, "kind": kind?.title ?? group[0].kind,
        "count": group.count == 1 ? "1 version" : "\(group.count) versions",
        "owner": user.isAdmin ? group[0].owner : false, "value": value.map(ChartDrawing.text) ?? "–",
        "measure": kind.map { "\($0.headline.title), version \(group[0].version)" } ?? "",
        "promoted": group.first(where: \.isPromoted).map { "\($0.version)" } ?? false,
      ]
    }
    return book.page(
      "models", title: "Models", at: .models, context, ["hasModels": !models.isEmpty, "models": models])
  }

  /// The page with what the model says to a question.
  private func ask(_ request: Request, _ context: ServiceContext) async throws -> Response {
    let user = try context.pageUser(request)
    let (name, question) = (try context.parameters.require("name"), try context.parameters.require("question"))
    let form = try await request.form()
    var outcome: TriedQuestion.Outcome
    do {
      try parts.predictions.admit(user)
      outcome = .answer(
        try await parts.predictions.ask(question, of: name, for: user, logger: context.logger) { $0.body(ofForm: form) }
      )
    } catch {
      // What is not there is a page of its own.
      guard let problem = ServiceProblem(error), problem.status != .notFound else { throw error }
      let fields = Dictionary(problem.fields.map { ($0.field, $0.message) }) { first, _ in first }
      outcome = .problem(fields.isEmpty ? problem.message : "Some fields can’t be used as they are.", fields: fields)
    }
    return try await show(
      user, context, tried: TriedQuestion(question: question, form: form, outcome: outcome))
  }

  private func show(
    _ user: User, _ context: ServiceContext, chosen: String? = nil, tried: TriedQuestion? = nil
  ) async throws -> Response {
    let name = try context.parameters.require("name")
    let all = try await parts.models.versions(of: name, for: Viewer(user))
    // Of several accounts' models of one name, one's own.
    let owner = all.contains { $0.ownerID == user.id } ? user.id : all.first?.ownerID
    let versions = all.filter { $0.ownerID == owner }
    guard let newest = versions.first else { throw ModelError.unknown(name: name) }
    let kind = parts.catalogue.kind(newest.kind)
    let promoted = versions.first(where: \.isPromoted)
    let shown = promoted ?? newest
    let compared = Array(versions.prefix(ModelComparison.mostVersions))
    var jobs: [Job] = []
    for version in compared { jobs.append(try await parts.book.job(version.jobID, for: Viewer(user))) }
    var values: [String: Any] = [
      "name": name, "kind": newest.kind, "kindTitle": kind?.title ?? newest.kind,
      "shown": self.values(of: shown, details: try await parts.details.details(of: shown)),
      "versions": versions.map(row), "canRollBack": promoted != nil && versions.count > 1,
      "comparison": compared.count > 1
        ? ModelComparison(versions: compared, jobs: jobs, kind: kind).values as Any : false,
      "hasCharts": versions.count > 1, "charts": ModelComparison.charts(of: versions),
    ]
    if let promoted {
      let section = TrySection(
        model: name, questions: parts.catalogue.predictions.questions(of: promoted.kind), chosen: chosen, tried: tried)
      values.merge(section.values) { $1 }
    }
    return book.page("model", title: name, at: .models, context, values)
  }

  private func row(_ version: ModelVersion) -> [String: Any] {
    let kind = parts.catalogue.kind(version.kind)
    let value = kind.flatMap { TrainingKind.number(at: $0.headline.paths, in: version.metrics) }
    return [
      "version": version.version, "jobID": version.jobID, "isPromoted": version.isPromoted,
      "value": value.map(ChartDrawing.text) ?? "–", "measure": kind?.headline.title ?? "",
      "created": version.createdAt.spoken, "createdAt": version.createdAt.text, "report": version.report != nil,
      "files": version.files.filter { !$0.contains("/") && !$0.hasSuffix(".html") }.map { ["file": $0] },
    ]
  }

  /// A version as the page shows it in full.
  private func values(of version: ModelVersion, details: ModelDetails) -> [String: Any] {
    func difference(_ value: Double?) -> String {
      value.map { $0 == 0 ? "none" : Figures.number($0, digits: 2) } ?? "–"
    }
    return row(version).merging([
      "tiles": ChartDrawing.tiles(of: version.metrics),
      "network": details.network.map { network -> Any in
        [
          "file": network.file, "drawing": network.drawing, "operators": Figures.count(network.operators),
          "parameters": Figures.count(network.parameters),
          "operatorSet": network.operatorSet.map { "\($0)" } ?? false,
        ] as [String: Any]
      } ?? false,
      "hasVerification": !details.verification.isEmpty,
      "verification": details.verification.map { report -> [String: Any] in
        [
          "file": report.file, "passed": report.passed, "samples": "\(report.samples)", "checks": "\(report.checks)",
          "tolerance": "rtol \(report.relativeTolerance ?? 0), atol \(report.absoluteTolerance ?? 0)",
          "outputs": report.outputs.map { output -> [String: Any] in
            [
              "name": output.name, "absolute": difference(output.absolute), "relative": difference(output.relative),
              "units": output.units.map { $0 == 0 ? "none" : Figures.number($0, digits: 3) } ?? "–",
              "mismatches": "\(output.mismatches)",
            ]
          },
        ]
      },
    ]) { $1 }
  }
}

extension ModelVersion {
  /// The page that the training made for people.
  fileprivate var report: String? { files.first { $0.hasSuffix("report.html") } }
}
