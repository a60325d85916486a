// The list of jobs and the page of one.

import Foundation
import Hummingbird

struct JobPages: Sendable {
  let parts: ServiceParts
  let book: PageBook

  private static let pageSize = 50

  func add(to router: some RouterMethods<ServiceContext>) {
    router.get("") { request, context in
      _ = try context.pageUser(request)
      return Response.redirect(to: "/jobs")
    }
    router.get("jobs") { request, context in try await list(request, context) }
    router.get("jobs/:job") { request, context in
      let user = try context.pageUser(request)
      return try await show(try context.parameters.require("job"), for: Viewer(user), context)
    }
    router.post("jobs/:job/cancel") { request, context in
      let user = try context.pageUser(request)
      let id = try context.parameters.require("job")
      _ = try await parts.book.cancel(id, for: Viewer(user))
      return Response.redirect(to: "/jobs/\(id)")
    }
    router.post("jobs/:job/retry") { request, context in
      let user = try context.pageUser(request)
      let id = try context.parameters.require("job")
      _ = try await parts.book.retry(id, for: Viewer(user))
      return Response.redirect(to: "/jobs/\(id)")
    }
  }

  // The list

  private func list(_ request: Request, _ context: ServiceContext) async throws -> Response {
    let user = try context.pageUser(request)
    var filter = try JobBook.Filter(request)
    filter.limit = Self.pageSize
    let (jobs, total) = try await parts.book.jobs(filter, for: Viewer(user))
    let (status, kind) = (filter.statuses.first?.rawValue ?? "", filter.kind ?? "")
    func address(offset: Int) -> String {
      "/jobs?status=\(status)&kind=\(kind)&offset=\(offset)"
    }
    let titles = Set(jobs.compactMap { parts.catalogue.kind($0.kind)?.headline.title })
    return book.page(
      "jobs", title: "Jobs", at: .jobs, context,
      [
        "statuses": options([("", "All")] + JobStatus.allCases.map { ($0.rawValue, $0.spoken) }, chosen: status),
        "kinds": options([("", "All")] + parts.catalogue.kinds.map { ($0.name, $0.title) }, chosen: kind),
        "hasJobs": !jobs.isEmpty, "count": total == 1 ? "1 job" : "\(total) jobs", "seesAll": user.isAdmin,
        "measureTitle": titles.count == 1 ? titles.first! : "Measure",
        "jobs": jobs.map { row($0, showsTitle: titles.count > 1) },
        "hasPages": total > Self.pageSize,
        "newer": filter.offset > 0 ? address(offset: max(0, filter.offset - Self.pageSize)) : false,
        "older": filter.offset + Self.pageSize < total ? address(offset: filter.offset + Self.pageSize) : false,
      ])
  }

  private func options(_ options: [(String, String)], chosen: String) -> [[String: Any]] {
    options.map { ["value": $0.0, "text": $0.1, "isChosen": $0.0 == chosen] }
  }

  private func row(_ job: Job, showsTitle: Bool) -> [String: Any] {
    let kind = parts.catalogue.kind(job.kind)
    let value = kind.flatMap { TrainingKind.number(at: $0.headline.paths, in: job.metrics) }
    let measure = value.map { (showsTitle ? "\(kind!.headline.title) " : "") + ChartDrawing.text($0) }
    return [
      "id": job.id, "model": job.modelName, "kind": kind?.title ?? job.kind, "data": job.dataPath ?? false,
      "status": job.status.rawValue, "statusText": job.statusText, "isRunning": job.status.isRunning,
      "percent": job.percent, "measure": measure ?? "–", "created": job.createdAt.spoken,
      "createdAt": job.createdAt.text, "owner": job.owner, "canCancel": !job.status.isFinal,
      "problem": job.problem.map { String($0.prefix(160)) } ?? false,
    ]
  }

  // One job

  private func show(_ id: String, for viewer: Viewer, _ context: ServiceContext) async throws -> Response {
    let (job, events) = try await parts.book.history(of: id, for: viewer)
    let kind = parts.catalogue.kind(job.kind)
    let epochs = events.filter { $0.kind == .epoch }.map(\.body)
    let log = events.filter { $0.kind == .log }.compactMap { $0.body["text"]?.string }
    let charts = ChartDrawing.charts(of: epochs)
    let tiles = ChartDrawing.tiles(of: job.metrics)
    return book.page(
      "job", title: "\(job.modelName): \(job.status.spoken.lowercased())", at: .jobs, context,
      [
        "id": job.id, "model": job.modelName, "kindTitle": kind?.title ?? job.kind, "status": job.status.rawValue,
        "statusText": job.statusText, "isRunning": job.status.isRunning, "percent": job.percent,
        "progressText": job.progressText, "isLive": !job.status.isFinal, "refreshes": !job.status.isFinal,
        "lastEvent": "\(events.last?.id ?? 0)", "canCancel": !job.status.isFinal && !job.isCancelRequested,
        "canRetry": job.status == .failed || job.status == .cancelled, "isCompleted": job.status == .completed,
        "problem": job.problem ?? false, "isVerified": job.metrics?["verified"]?.bool == true,
        "hasTiles": !tiles.isEmpty, "tiles": tiles,
        "hasCharts": !charts.isEmpty, "charts": charts, "log": log.suffix(500).map(\.self),
        "facts": facts(of: job, kind).map { ["name": $0.0, "value": $0.1] },
      ])
  }

  private func facts(of job: Job, _ kind: TrainingKind?) -> [(String, String)] {
    var facts = [("Data", job.dataPath ?? "the kind’s own sample")]
    let titles = Dictionary(kind?.parameters.map { ($0.name, $0.title) } ?? []) { first, _ in first }
    let order = kind?.parameters.map(\.name) ?? []
    for name in job.parameters.keys.sorted(by: { order.firstIndex(of: $0) ?? .max < order.firstIndex(of: $1) ?? .max })
    {
      facts.append((titles[name] ?? name, job.parameters[name]!.plainText))
    }
    facts += [("Account", job.owner), ("Asked for", job.createdAt.spoken + " UTC")]
    if let startedAt = job.startedAt { facts.append(("Begun", startedAt.spoken + " UTC")) }
    if let finishedAt = job.finishedAt { facts.append(("Ended", finishedAt.spoken + " UTC")) }
    if job.attempt > 1 { facts.append(("Attempts", "\(job.attempt)")) }
    if let worker = job.worker { facts.append(("Worker", worker)) }
    facts.append(("Job", job.id))
    return facts
  }
}

extension JobStatus {
  /// As people say it.
  var spoken: String {
    switch self {
    case .pending: "Waiting"
    case .loadingData: "Loading data"
    case .preprocessing: "Preparing"
    case .training: "Training"
    case .completed: "Completed"
    case .failed: "Failed"
    case .cancelled: "Cancelled"
    }
  }
}

extension Job {
  fileprivate var statusText: String { isCancelRequested && !status.isFinal ? "Being cancelled" : status.spoken }

  /// How much of the epochs is done, in whole percent.
  fileprivate var percent: Int {
    guard let epoch = progress?["epoch"]?.number, let epochs = progress?["epochs"]?.number, epochs > 0 else {
      return progress?["step"] == nil ? 0 : 100
    }
    let batch = progress?["batch"]?.number ?? 1
    let part = batch / max(progress?["batches"]?.number ?? 1, 1)
    return Int((100 * min(max((epoch - 1 + part) / epochs, 0), 1)).rounded())
  }

  fileprivate var progressText: String {
    if status == .pending, failures > 0 { return "attempt \(attempt + 1), after a failure" }
    guard !status.isFinal, let progress else { return "" }
    if let step = progress["step"]?.string { return step }
    guard let epoch = progress["epoch"]?.integer, let epochs = progress["epochs"]?.integer else { return "" }
    let left = progress["seconds_left"]?.number.map { " · \(ChartDrawing.duration($0)) left" } ?? ""
    return "epoch \(epoch) of \(epochs)\(left)"
  }
}
