// The API's part for workers far away: work, data and state to them, progress, files and ends from them.

import Foundation
import HTTPTypes
import Hummingbird
import Logging

/// `/api/v1/work`, for tokens of workers only. Every address but the first names an attempt; what is said of one that has
/// lost its lease is refused with 409.
struct WorkInterface: Sendable {
  let parts: ServiceParts
  let queue: JobQueue
  let incoming: IncomingFiles
  let checksums: FileChecksums

  /// A question for work is answered after so long at most: a worker that is being stopped waits for its answer.
  private static let longestWait = 2000

  func add(to router: some RouterMethods<ServiceContext>) {
    router.get("work") { _, context in
      try context.requireWorker()
      return Response(status: .noContent)
    }
    router.post("work/claims") { request, context in try await claim(request, context) }
    let attempt = router.group("work/jobs/:job/attempts/:attempt")
    attempt.post("renew") { _, context in
      JSONResponse(encoding: WorkWishes(cancelRequested: try await queue.renew(try await present(context))))
    }
    attempt.post("reports") { request, context in try await report(request, context) }
    attempt.get("data") { _, context in
      let data = try await data(try await present(context))
      return JSONResponse(encoding: WorkFiles(files: data.files.map(\.file)))
    }
    attempt.get("data/:checksum") { request, context in
      let data = try await data(try await present(context))
      return try await send(data.files.map { ($0.file, $0.place) }, request, context)
    }
    attempt.get("state") { _, context in
      JSONResponse(encoding: WorkFiles(files: try await state(try await present(context)).map(\.file)))
    }
    attempt.get("state/:checksum") { request, context in
      try await send(try await state(try await present(context)), request, context)
    }
    attempt.put("files/:checksum") { request, context in try await receive(request, context) }
    attempt.post("state") { request, context in try await keepState(request, context) }
    attempt.post("end") { request, context in try await end(request, context) }
  }

  /// The attempt that the address names, where it is the present one.
  private func present(_ context: ServiceContext) async throws -> Claim {
    try context.requireWorker()
    let attempt = try context.parameters.require("attempt")
    guard let number = Int(attempt), number > 0 else {
      throw ServiceProblem.notFound("there is no attempt \"\(attempt.prefix(40))\"; attempts are numbers from 1")
    }
    return try await queue.present(try context.parameters.require("job"), attempt: number)
  }

  private func claim(_ request: Request, _ context: ServiceContext) async throws -> Response {
    try context.requireWorker()
    let asked: WorkRequest = try await request.decoded()
    guard (1...200).contains(asked.worker.utf8.count), (16...100).contains(asked.key.utf8.count) else {
      throw ServiceProblem.badRequest("expected a \"worker\" of 1 to 200 bytes and a \"key\" of 16 to 100")
    }
    let deadline = ContinuousClock.now + .milliseconds(min(max(asked.milliseconds, 0), Self.longestWait))
    while true {
      let news = parts.signals.newsOfWork()
      if let claim = try await queue.claim(worker: WorkerName.remote(asked.worker), key: asked.key) {
        context.logger.info("given to a worker", metadata: ["job": "\(claim.job.id)", "worker": "\(asked.worker)"])
        return JSONResponse(encoding: WorkGrant(claim)).response
      }
      let left = deadline - .now
      guard left > .zero, !Task.isCancelled else { return Response(status: .noContent) }
      await news.wait(atMost: min(left, .seconds(1)))
    }
  }

  private func report(_ request: Request, _ context: ServiceContext) async throws -> JSONResponse {
    let claim = try await present(context)
    let report: WorkReport = try await request.decoded()
    if let status = report.status, !status.isRunning {
      throw ServiceProblem.badRequest("\"\(status.rawValue)\" is no status of a running job")
    }
    let cancelRequested = try await queue.report(report.report, of: claim)
    return JSONResponse(encoding: WorkWishes(cancelRequested: cancelRequested))
  }

  // Files to workers

  private func data(_ claim: Claim) async throws -> ServedData {
    let job = claim.job
    let paths = (job.dataPath.map { [$0] } ?? []) + (parts.catalogue.kind(job.kind)?.paths(in: job.parameters) ?? [])
    do { return try await ServedData(paths, root: parts.root, checksums: checksums) } catch let refusal as WorkRefused {
      throw ServiceProblem(status: .unprocessableContent, message: "\(refusal)")
    }
  }

  /// The state that the job's last attempt left here. A training of an earlier attempt that still writes to the folder,
  /// its worker gone, is ended first.
  private func state(_ claim: Claim) async throws -> [(file: WorkFile, place: String)] {
    let folder = JobFolder("\(parts.modelsDirectory)/\(claim.job.id)")
    close(try await folder.lock())
    var files: [(file: WorkFile, place: String)] = []
    for name in folder.stateFiles {
      let place = "\(folder.path)/\(name)"
      files.append((try await checksums.file(at: place, named: name), place))
    }
    return files
  }

  private func send(
    _ files: [(file: WorkFile, place: String)], _ request: Request, _ context: ServiceContext
  ) async throws -> Response {
    let checksum = try context.parameters.require("checksum")
    guard let found = files.first(where: { $0.file.sha256 == checksum }) else {
      throw ServiceProblem.notFound("the job has no file of this checksum (any more)")
    }
    return try await FileDownload(path: found.place).response(
      headers: [.contentType: "application/octet-stream"], range: request.headers[.range])
  }

  // Files from workers

  private func receive(_ request: Request, _ context: ServiceContext) async throws -> Response {
    do {
      let claim = try await present(context)
      let checksum = try context.parameters.require("checksum")
      guard PlainPath.isChecksum(checksum) else {
        throw ServiceProblem.badRequest("\"\(checksum.prefix(80))\" is no SHA-256 in hexadecimal digits")
      }
      let length = request.headers[.contentLength].flatMap { Int64($0) }
      try await incoming.receive(request.body, checksum: checksum, length: length, of: claim)
      // A file of an attempt that lost its lease meanwhile is nobody's.
      do { _ = try await present(context) } catch {
        incoming.forget(checksum, of: claim)
        throw error
      }
      return Response(status: .noContent)
    } catch {
      // Read to its end, so that the client reads the answer rather than a broken connection.
      var rest: Int64 = 0
      for try await buffer in request.body {
        rest += Int64(buffer.readableBytes)
        if rest > 64 << 20 { break }
      }
      throw error
    }
  }

  private func keepState(_ request: Request, _ context: ServiceContext) async throws -> JSONResponse {
    let claim = try await present(context)
    let state: WorkFiles = try await request.decoded()
    for file in state.files where !file.path.hasSuffix(TrainingKind.stateSuffix) || file.path.contains("/") {
      throw ServiceProblem.badRequest("\"\(file.path.prefix(100))\" is no name of a saved state")
    }
    let missing = try incoming.missing(state.files, of: claim)
    if missing.isEmpty {
      try await queue.whilePresent(claim) { [incoming] in try incoming.place(state.files, of: claim) }
      for file in state.files { incoming.forget(file.sha256, of: claim) }
    }
    return JSONResponse(encoding: WorkMissing(missing: missing))
  }

  private func end(_ request: Request, _ context: ServiceContext) async throws -> JSONResponse {
    let claim = try await present(context)
    let end: WorkEnd = try await request.decoded()
    switch end.end {
    case .completed:
      let files = end.files ?? []
      let missing = try incoming.missing(files, of: claim)
      guard missing.isEmpty else { return JSONResponse(encoding: WorkMissing(missing: missing)) }
      let directory = "\(parts.modelsDirectory)/\(claim.job.id)"
      var metrics = end.metrics?.object ?? [:]
      // Where it was trained, nobody can look.
      metrics["directory"] = .string(directory)
      let result = AttemptResult(directory: directory, files: files.map(\.path), metrics: .object(metrics))
      try await queue.complete(claim, result) { [incoming] in try incoming.place(files, of: claim) }
    case .refused: try await queue.fail(claim, .refused(end.problem ?? "the training failed"))
    case .broke: try await queue.fail(claim, .broke(end.problem ?? "the training broke"))
    case .released: try await queue.release(claim)
    case .cancelled: try await queue.cancelled(claim)
    }
    incoming.forget(claim)
    context.logger.info("ended by a worker", metadata: ["job": "\(claim.job.id)", "end": "\(end.end.rawValue)"])
    return JSONResponse(encoding: WorkMissing(missing: []))
  }
}

extension JSONResponse {
  init(encoding value: some Encodable) {
    self.init((try? JSONValue(parsing: JSONEncoder().encode(value))) ?? .null)
  }
}

extension Request {
  /// The JSON body as a value of a type.
  /// - Throws: ``ServiceProblem`` where the body is none.
  func decoded<Value: Decodable>() async throws -> Value {
    let data = Data(buffer: try await body.collect(upTo: BodyReading.greatestSize))
    do { return try JSONDecoder().decode(Value.self, from: data) } catch let error as DecodingError {
      throw ServiceProblem.badRequest("the body is not as expected: \(error.problem)")
    }
  }
}

extension DecodingError {
  /// What is wrong, and where.
  fileprivate var problem: String {
    func place(_ context: Context) -> String {
      let path = context.codingPath.map(\.stringValue).joined(separator: ".")
      return path.isEmpty ? "" : " at \(path.prefix(100))"
    }
    switch self {
    case .keyNotFound(let key, let context): return "there is no \"\(key.stringValue)\"\(place(context))"
    case .typeMismatch(_, let context), .valueNotFound(_, let context): return "a wrong type\(place(context))"
    case .dataCorrupted(let context): return "no JSON, or a value that is not known\(place(context))"
    @unknown default: return "it can't be read"
    }
  }
}
