// A server of the service on a free port of this machine, and a client that is none of its code.

import CommandSupport
import Foundation
import FoundationNetworking
import TrainingService

/// What a server answered.
struct Answer: Sendable {
  let status: Int
  let headers: [String: String]
  let data: Data

  var text: String { String(decoding: data, as: UTF8.self) }
  var json: JSONValue { get throws { try JSONValue(parsing: data) } }
  func header(_ name: String) -> String? { headers[name.lowercased()] }
}

/// A running server, for as long as `body` runs.
struct TestServer: Sendable {
  let folder: TemporaryDirectory
  let port: Int
  let firstAccountPath: String?
  let fake: FakeTraining

  static func run(
    workers: Int = 1, in given: TemporaryDirectory? = nil, predictions: PredictionSettings = PredictionSettings(),
    patience: Duration? = nil, lease: Duration = .seconds(15), _ body: @Sendable (TestServer) async throws -> Void
  ) async throws {
    let folder = try given ?? TemporaryDirectory()
    let fake = try FakeTraining(in: folder)
    var settings = ServerSettings(
      database: folder.path("service.db"), dataRoot: folder.path("data"), modelsDirectory: folder.path("models"))
    settings.port = 0
    settings.workers = workers
    settings.predictions = predictions
    if let patience { settings.patience = ClientPatience(head: patience, body: patience, answer: patience) }
    settings.lease = lease
    let server = try await TrainingServer(
      settings, catalogue: fake.catalogue, logger: silent, cost: TestService.cheap)
    let (ports, continuation) = AsyncStream<Int>.makeStream()
    let running = Task { try await server.run(signals: []) { continuation.yield($0) } }
    let port = await ports.first { _ in true } ?? 0
    let test = TestServer(folder: folder, port: port, firstAccountPath: server.firstAccountPath, fake: fake)
    let outcome: Result<Void, any Error>
    do {
      try await body(test)
      outcome = .success(())
    } catch { outcome = .failure(error) }
    running.cancel()
    _ = await running.result
    try outcome.get()
  }

  /// Sends a request.
  func send(
    _ method: String, _ path: String, body: Data? = nil, headers: [String: String] = [:]
  ) async throws -> Answer {
    let configuration = URLSessionConfiguration.ephemeral
    configuration.httpShouldSetCookies = false
    configuration.httpCookieAcceptPolicy = .never
    configuration.timeoutIntervalForRequest = 60
    let session = URLSession(configuration: configuration, delegate: NoRedirects(), delegateQueue: nil)
    defer { session.finishTasksAndInvalidate() }
    var request = URLRequest(url: URL(string: "http://127.0.0.1:\(port)\(path)")!)
    request.httpMethod = method
    request.httpBody = body
    for (name, value) in headers { request.setValue(value, forHTTPHeaderField: name) }
    let (data, response) = try await session.data(for: request)
    let http = response as! HTTPURLResponse
    var fields: [String: String] = [:]
    for (name, value) in http.allHeaderFields { fields["\(name)".lowercased()] = "\(value)" }
    return Answer(status: http.statusCode, headers: fields, data: data)
  }

  func json(
    _ method: String, _ path: String, _ body: JSONValue? = nil, token: String? = nil
  ) async throws -> Answer {
    var headers = ["Content-Type": "application/json"]
    if let token { headers["Authorization"] = "Bearer \(token)" }
    return try await send(method, path, body: body?.data, headers: headers)
  }

  func form(
    _ path: String, _ fields: [String: String], headers: [String: String] = [:]
  ) async throws -> Answer {
    let plain = CharacterSet.alphanumerics
    let body = fields.map { name, value in
      "\(name)=\(value.addingPercentEncoding(withAllowedCharacters: plain)!)"
    }.joined(separator: "&")
    return try await send(
      "POST", path, body: Data(body.utf8),
      headers: headers.merging(["Content-Type": "application/x-www-form-urlencoded"]) { first, _ in first })
  }

  /// Makes an account past the server, and signs it in.
  func token(_ email: String = "anna@example.org", isAdmin: Bool = false) async throws -> String {
    let accounts = Accounts(try ServiceStore(path: folder.path("service.db")), cost: TestService.cheap)
    try await accounts.add(email: email, password: "correct horse", isAdmin: isAdmin)
    let answer = try await json(
      "POST", "/api/v1/sessions", ["email": .string(email), "password": "correct horse"])
    return try answer.json["token"]?.string ?? ""
  }

  /// Makes a token for a worker.
  func workerToken(_ admin: String) async throws -> String {
    let answer = try await json("POST", "/api/v1/tokens", ["name": "worker", "worker": true], token: admin)
    return try answer.json["token"]?.string ?? ""
  }

  /// Waits until a job has a status; half a minute at most.
  func wait(for job: String, status: JSONValue, token: String) async throws {
    for _ in 0..<600 {
      if try await json("GET", "/api/v1/jobs/\(job)", token: token).json["status"] == status { return }
      try await Task.sleep(for: .milliseconds(50))
    }
  }

  /// Waits until a job has ended.
  func wait(for job: String, token: String) async throws -> JSONValue {
    for _ in 0..<1200 {
      let answer = try await json("GET", "/api/v1/jobs/\(job)", token: token).json
      if ["completed", "failed", "cancelled"].contains(answer["status"]?.string) { return answer }
      try await Task.sleep(for: .milliseconds(50))
    }
    return try await json("GET", "/api/v1/jobs/\(job)", token: token).json
  }
}

/// Leaves redirections to who asked.
private final class NoRedirects: NSObject, URLSessionTaskDelegate, Sendable {
  func urlSession(
    _ session: URLSession, task: URLSessionTask, willPerformHTTPRedirection response: HTTPURLResponse,
    newRequest request: URLRequest, completionHandler: @escaping @Sendable (URLRequest?) -> Void
  ) {
    completionHandler(nil)
  }
}
