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
    router.get("models/:name") { request, context in try await show(try context.pageUser(request), context) }
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

  private func show(_ user: User, _ context: ServiceContext) async throws -> Response {
    let name = try context.parameters.require("name")
    let all = try await parts.models.versions(of: name, for: Viewer(user))
    // Of several accounts' models of one name, one's own.
    let owner = all.contains { $0.ownerID == user.id } ? user.id : all.first?.ownerID
    let versions = all.filter { $0.ownerID == owner }
    guard let newest = versions.first else { throw ModelError.unknown(name: name) }
    let kind = parts.catalogue.kind(newest.kind)
    let tiles = versions.map { ChartDrawing.tiles(of: $0.metrics) }
    var measures: [String] = []
    for tile in tiles.joined() where !measures.contains(tile.name) { measures.append(tile.name) }
    let rows = zip(versions, tiles).map { version, tiles -> [String: Any] in
      [
        "version": version.version, "jobID": version.jobID, "isPromoted": version.isPromoted,
        "values": measures.map { name in tiles.first { $0.name == name }?.value ?? "–" },
        "created": version.createdAt.spoken, "createdAt": version.createdAt.text,
        "files": version.files.filter { $0.hasSuffix(".onnx") }.map { ["file": $0] },
        "report": version.report != nil,
      ]
    }
    return book.page(
      "model", title: name, at: .models, context,
      [
        "name": name, "kindTitle": kind?.title ?? newest.kind, "measures": measures, "versions": rows,
        "canRollBack": versions.contains(where: \.isPromoted), "hasChart": versions.count > 1,
        "chart": chart(of: versions, kind),
      ])
  }

  /// The measure that versions are compared by, from the oldest to the newest.
  private func chart(of versions: [ModelVersion], _ kind: TrainingKind?) -> String {
    guard let kind, let first = versions.last?.version, let last = versions.first?.version else { return "" }
    let values = Dictionary(
      versions.map { ($0.version, TrainingKind.number(at: kind.headline.paths, in: $0.metrics)) }
    ) { first, _ in first }
    return LineChart(
      "\(kind.headline.title) by version", unit: "version",
      series: [.init(kind.headline.title, (first...last).map { values[$0] ?? nil })], start: first
    ).markup.html
  }
}

extension ModelVersion {
  /// The page that the training made for people.
  fileprivate var report: String? { files.first { $0.hasSuffix("_report.html") } }
}
