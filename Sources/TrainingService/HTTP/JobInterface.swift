// The API's part about jobs: starting, looking, cancelling, retrying, and following live.

import Foundation
import HTTPTypes
import Hummingbird
import ServiceLifecycle

/// `/api/v1/kinds`, `/api/v1/data`, `/api/v1/jobs`.
struct JobInterface: Sendable {
  let parts: ServiceParts

  func add(to router: some RouterMethods<ServiceContext>) {
    router.get("kinds") { _, context in
      _ = try context.user
      return JSONResponse(["kinds": .array(parts.catalogue.kinds.map(\.json))])
    }
    router.get("data") { request, context in
      _ = try context.user
      let folder = request.query("path") ?? ""
      let entries = try parts.root.entries(of: folder).map { entry -> JSONValue in
        [
          "name": .string(entry.name), "path": .string(entry.path), "folder": .bool(entry.isFolder),
          "size": .integer(entry.size),
        ]
      }
      return JSONResponse(["entries": .array(entries)])
    }
    router.get("jobs") { request, context in try await list(request, context) }
    router.post("jobs") { request, context in try await start(request, context) }
    router.get("jobs/:job") { _, context in
      let viewer = try context.viewer
      return answer(try await parts.book.job(try context.parameters.require("job"), for: viewer))
    }
    router.post("jobs/:job/cancel") { _, context in
      let viewer = try context.viewer
      return answer(try await parts.book.cancel(try context.parameters.require("job"), for: viewer))
    }
    router.post("jobs/:job/retry") { _, context in
      let viewer = try context.viewer
      return answer(try await parts.book.retry(try context.parameters.require("job"), for: viewer))
    }
    router.get("jobs/:job/logs") { request, context in try await events(request, context, kinds: [.log]) }
    router.get("jobs/:job/history") { request, context in try await events(request, context, kinds: [.epoch, .status]) }
    router.get("jobs/:job/events") { request, context in try await follow(request, context) }
  }

  private func answer(_ job: Job, status: HTTPResponse.Status = .ok) -> JSONResponse {
    JSONResponse(job.json(parts.catalogue), status: status)
  }

  private func start(_ request: Request, _ context: ServiceContext) async throws -> JSONResponse {
    let user = try context.user
    let body = try await request.object(["kind", "model_name", "data_path", "parameters"])
    let values = body["parameters"]?.object
    if let given = body["parameters"], !given.isNull, values == nil {
      throw ServiceProblem.badRequest("\"parameters\" is \(given.text.prefix(40)); expected an object")
    }
    let job = try await parts.book.add(
      try parts.catalogue.request(
        kind: try body.text("kind") ?? "", modelName: try body.text("model_name"), dataPath: try body.text("data_path"),
        values: values ?? [:], root: parts.root),
      owner: user)
    context.logger.info("job accepted", metadata: ["job": "\(job.id)", "kind": "\(job.kind)"])
    return answer(job, status: .created)
  }

  private func list(_ request: Request, _ context: ServiceContext) async throws -> JSONResponse {
    let (jobs, total) = try await parts.book.jobs(try JobBook.Filter(request), for: try context.viewer)
    return JSONResponse(["jobs": .array(jobs.map { $0.json(parts.catalogue) }), "total": .integer(Int64(total))])
  }

  /// Events after the one that `after` names, at most `limit`.
  private func events(
    _ request: Request, _ context: ServiceContext, kinds: [JobEvent.Kind]
  ) async throws -> JSONResponse {
    let viewer = try context.viewer
    let after = try request.number("after", in: 0...Self.lastEvent) ?? 0
    let limit = try request.number("limit", in: 1...5000) ?? 1000
    let (_, events) = try await parts.book.events(
      of: try context.parameters.require("job"), after: after, kinds: kinds, limit: Int(limit), for: viewer)
    return JSONResponse(["events": .array(events.map(\.json))])
  }

  /// No job has so many events; larger numbers are no longer exact in everybody's JSON.
  private static let lastEvent: Int64 = 1_000_000_000_000_000

  /// How long a connection stays silent before it says that it lives; proxies end silent ones after a minute or so.
  private static let silence = Duration.seconds(15)

  /// Server-sent events (WHATWG HTML, section 9.2): `status`, `epoch` and `log` with their numbers as ids, from which a
  /// client that lost its connection goes on (`Last-Event-ID`), and `job` with the whole job whenever it changed. The
  /// stream ends with the job.
  private func follow(_ request: Request, _ context: ServiceContext) async throws -> Response {
    let viewer = try context.viewer
    let id = try context.parameters.require("job")
    let given = request.headers[.lastEventID].flatMap { Int64($0) }
    let after = try given ?? request.number("after", in: 0...Int64.max) ?? 0
    // Asked for before the answer begins: a job that is not there is a 404.
    _ = try await parts.book.job(id, for: viewer)
    let body = ResponseBody { writer in
      // What is written is the writer's own affair: it stops where the client has gone.
      let wakes = EventWakes(parts.signals.news(of: id), silence: Self.silence)
      var last = after
      var shown: Job?
      stream: while true {
        var text = ""
        while true {
          let (job, events) = try await parts.book.events(of: id, after: last, limit: 500, for: viewer)
          for event in events {
            text += "id: \(event.id)\nevent: \(event.kind.rawValue)\ndata: \(event.json.text)\n\n"
            last = event.id
          }
          if events.count == 500 { continue }
          if job != shown { text += "event: job\ndata: \(job.json(parts.catalogue).text)\n\n" }
          shown = job
          break
        }
        try await writer.write(ByteBuffer(string: text.isEmpty ? ": still here\n\n" : text))
        if shown?.status.isFinal == true { break stream }
        guard await wakes.next() else { break stream }
      }
      try await writer.finish(nil)
    }
    return Response(
      status: .ok, headers: [.contentType: "text/event-stream; charset=utf-8", .cacheControl: "no-cache"], body: body)
  }
}

/// When a stream of events has to look again: at news, after some silence, or never because the server stops.
private struct EventWakes: Sendable {
  private let news: AsyncStream<Void>
  private let silence: Duration

  init(_ news: AsyncStream<Void>, silence: Duration) {
    self.news = news
    self.silence = silence
  }

  /// Waits; false where the server is being stopped.
  func next() async -> Bool {
    let outcome = await withTaskGroup(of: Bool.self) { group in
      group.addTask {
        // An iterator each time; what came between two is kept by the stream.
        for await _ in news { return true }
        return false
      }
      group.addTask {
        try? await Task.sleep(for: silence)
        return true
      }
      group.addTask {
        try? await gracefulShutdown()
        return false
      }
      let first = await group.next() ?? false
      group.cancelAll()
      return first
    }
    return outcome && !Task.isCancelled && !Task.isShuttingDownGracefully
  }
}

extension JobBook.Filter {
  /// `status` (with commas), `kind`, `model`, `limit`, `offset` of the address.
  init(_ request: Request) throws {
    self.init()
    for name in (request.query("status") ?? "").split(separator: ",") {
      guard let status = JobStatus(rawValue: String(name)) else {
        let known = JobStatus.allCases.map(\.rawValue).joined(separator: ", ")
        throw ServiceProblem.badRequest("status is \"\(name.prefix(40))\"; expected some of \(known), with commas")
      }
      statuses.append(status)
    }
    kind = request.query("kind")
    modelName = request.query("model")
    limit = Int(try request.number("limit", in: 1...500) ?? 50)
    offset = Int(try request.number("offset", in: 0...1_000_000_000) ?? 0)
  }
}

extension Request {
  /// A parameter of the address; nil where it is missing or empty.
  func query(_ name: String) -> String? {
    guard let value = uri.queryParameters[Substring(name)], !value.isEmpty else { return nil }
    return String(value)
  }

  /// A whole number of the address.
  func number(_ name: String, in range: ClosedRange<Int64>) throws -> Int64? {
    guard let text = query(name) else { return nil }
    guard let number = Int64(text), range.contains(number) else {
      throw ServiceProblem.badRequest(
        "\(name) is \"\(text.prefix(40))\"; expected a whole number from \(range.lowerBound) to \(range.upperBound)")
    }
    return number
  }
}

extension HTTPField.Name {
  static let lastEventID = Self("Last-Event-ID")!
}
