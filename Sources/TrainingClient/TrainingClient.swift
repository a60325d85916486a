// The other end of the training service: starts trainings on a server and follows them.

import Foundation

#if canImport(FoundationNetworking)
  import FoundationNetworking
#endif

/// A client of a training server (`ranker serve`).
///
/// ```swift
/// let client = try await TrainingClient(server: "http://127.0.0.1:8080", email: "anna@example.org", password: secret)
/// let job = try await client.start("als", data: "clicks.csv", parameters: ["factors": "60"])
/// let ended = try await client.wait(for: job.id) { print($0.status) }
/// ```
public struct TrainingClient: Sendable {
  private let server: URL
  private let token: String

  /// - Parameters:
  ///   - server: its address, such as `http://127.0.0.1:8080`.
  ///   - token: an API token, which the account's page makes.
  /// - Throws: ``TrainingClientError`` where the address is none.
  public init(server: String, token: String) throws {
    guard let url = URL(string: server), let scheme = url.scheme, ["http", "https"].contains(scheme), url.host != nil
    else { throw TrainingClientError.notAnAddress(server) }
    self.server = url
    self.token = token
  }

  /// Signs in by e-mail and password; what comes back holds for some hours.
  /// - Throws: ``TrainingClientError``.
  public init(server: String, email: String, password: String) async throws {
    struct Credentials: Encodable {
      let email: String
      let password: String
    }
    struct Session: Decodable {
      let token: String
    }
    let stranger = try TrainingClient(server: server, token: "")
    let body = try JSONEncoder().encode(Credentials(email: email, password: password))
    let session: Session = try await stranger.send("POST", "/api/v1/sessions", body: body)
    try self.init(server: server, token: session.token)
  }

  /// Starts a training.
  ///
  /// - Parameters:
  ///   - kind: `als`; the server's start page shows which there are.
  ///   - data: a path in the server's data folder; nil for the kind's own sample.
  ///   - model: the model whose next version this makes; nil for one named as the kind.
  ///   - parameters: as one would type them, by name; what is missing has the kind's default.
  /// - Throws: ``TrainingClientError``; what is wrong with a parameter is in `refused`.
  public func start(
    _ kind: String, data: String? = nil, model: String? = nil, parameters: [String: String] = [:]
  ) async throws -> TrainingJob {
    struct Started: Decodable {
      let jobId: String
    }
    // As a form, whose fields are text: what they stand for, the server knows.
    var fields = parameters
    fields["model_type"] = kind
    fields["data_path"] = data
    fields["model_name"] = model
    let form = fields.map { "\(Self.encoded($0))=\(Self.encoded($1))" }.joined(separator: "&")
    let started: Started = try await send(
      "POST", "/start_training/", body: Data(form.utf8), type: "application/x-www-form-urlencoded")
    return try await job(started.jobId)
  }

  /// One job.
  public func job(_ id: String) async throws -> TrainingJob {
    try await send("GET", "/api/v1/jobs/\(Self.encoded(id))")
  }

  /// Jobs, newest first.
  /// - Parameter status: such as `failed`; nil for all.
  public func jobs(status: String? = nil, limit: Int = 50) async throws -> [TrainingJob] {
    struct List: Decodable {
      let jobs: [TrainingJob]
    }
    let filter = status.map { "&status=\(Self.encoded($0))" } ?? ""
    let list: List = try await send("GET", "/api/v1/jobs?limit=\(limit)\(filter)")
    return list.jobs
  }

  /// Cancels a job; one that runs ends a little later.
  public func cancel(_ id: String) async throws -> TrainingJob {
    try await send("POST", "/api/v1/jobs/\(Self.encoded(id))/cancel")
  }

  /// Gives a failed or cancelled job another chance.
  public func retry(_ id: String) async throws -> TrainingJob {
    try await send("POST", "/api/v1/jobs/\(Self.encoded(id))/retry")
  }

  /// Waits until a job has ended. A server that is not there for a while (it is being started again) is waited for too.
  ///
  /// - Parameters:
  ///   - patience: how long the server may stay away.
  ///   - changed: called with the job whenever it is not as it was.
  public func wait(
    for id: String, patience: Duration = .seconds(60), changed: (TrainingJob) -> Void = { _ in }
  ) async throws -> TrainingJob {
    var last: TrainingJob?
    var silentSince: ContinuousClock.Instant?
    while true {
      do {
        let present = try await job(id)
        silentSince = nil
        if present != last { changed(present) }
        last = present
        if present.hasEnded { return present }
      } catch let error as TrainingClientError {
        guard case .noAnswer = error else { throw error }
        let since = silentSince ?? .now
        silentSince = since
        if ContinuousClock.now - since > patience { throw error }
      }
      try await Task.sleep(for: .milliseconds(500))
    }
  }

  static func encoded(_ text: String) -> String {
    text.addingPercentEncoding(withAllowedCharacters: .alphanumerics.union(CharacterSet(charactersIn: "-._~"))) ?? ""
  }

  func send<Value: Decodable>(
    _ method: String, _ path: String, body: Data? = nil, type: String = "application/json"
  ) async throws -> Value {
    guard let url = URL(string: path, relativeTo: server) else { throw TrainingClientError.notAnAddress(path) }
    var request = URLRequest(url: url, timeoutInterval: 60)
    request.httpMethod = method
    request.httpBody = body
    request.setValue(type, forHTTPHeaderField: "Content-Type")
    if !token.isEmpty { request.setValue("Bearer \(token)", forHTTPHeaderField: "Authorization") }
    let (data, response): (Data, URLResponse)
    do { (data, response) = try await URLSession.shared.data(for: request) } catch let error as URLError {
      throw TrainingClientError.noAnswer(server: server.absoluteString, reason: error.localizedDescription)
    }
    let status = (response as? HTTPURLResponse)?.statusCode ?? 0
    guard (200..<300).contains(status) else {
      let refusal = try? JSONDecoder().decode(Refusal.self, from: data)
      let fields = refusal?.error.fields.map { ($0.field, $0.message) } ?? []
      throw TrainingClientError.refused(
        status: status, message: refusal?.error.message ?? "the server answered with status \(status)",
        fields: Dictionary(fields) { first, _ in first })
    }
    let decoder = JSONDecoder()
    decoder.keyDecodingStrategy = .convertFromSnakeCase
    do { return try decoder.decode(Value.self, from: data) } catch {
      throw TrainingClientError.notUnderstood(server: server.absoluteString)
    }
  }

  private struct Refusal: Decodable {
    struct Failure: Decodable {
      let message: String
      let fields: [Field]
    }
    struct Field: Decodable {
      let field: String
      let message: String
    }
    let error: Failure
  }
}
