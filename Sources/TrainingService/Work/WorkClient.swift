// A worker's end of HTTP: questions to the server, files from it and to it.

import Foundation

#if canImport(FoundationNetworking)
  import FoundationNetworking
#endif

/// Why a server does not do what a worker asks, and whether it is worth asking again.
public enum WorkClientError: Error, Sendable, Hashable {
  case notAnAddress(String)
  /// It may be back soon.
  case noAnswer(server: String, reason: String)
  /// Its own fault; it may be over soon.
  case serverFailed(status: Int, message: String)
  /// The token is none of a worker's.
  case notAllowed(String)
  /// A file was damaged on its way.
  case wrongChecksum(String)
  case refused(status: Int, message: String)
}

extension WorkClientError: CustomStringConvertible {
  public var description: String {
    switch self {
    case .notAnAddress(let text): "\"\(text)\" is not a server's address; expected one such as http://127.0.0.1:8080"
    case .noAnswer(let server, let reason): "\(server) does not answer: \(reason)"
    case .serverFailed(let status, let message): "the server answered with status \(status): \(message)"
    case .notAllowed(let message): message
    case .wrongChecksum(let message): message
    case .refused(_, let message): message
    }
  }
}

/// Requests of a worker. Files are read and written part by part, never held whole.
struct WorkClient: Sendable {
  private let server: URL
  private let token: String
  private let session: URLSession

  init(server: String, token: String) throws {
    // What follows the server's address is put to its end, so that a proxy may have it below a folder.
    let plain = server.hasSuffix("/") ? String(server.dropLast()) : server
    guard let url = URL(string: plain), let scheme = url.scheme, ["http", "https"].contains(scheme), url.host != nil
    else { throw WorkClientError.notAnAddress(server) }
    self.server = url
    self.token = token
    let configuration = URLSessionConfiguration.ephemeral
    configuration.httpMaximumConnectionsPerHost = 64
    configuration.httpShouldSetCookies = false
    // A token goes to the server that was named, and nowhere else.
    session = URLSession(configuration: configuration, delegate: StaysThere(), delegateQueue: nil)
  }

  private final class StaysThere: NSObject, URLSessionTaskDelegate, Sendable {
    func urlSession(
      _ session: URLSession, task: URLSessionTask, willPerformHTTPRedirection response: HTTPURLResponse,
      newRequest request: URLRequest, completionHandler: @escaping @Sendable (URLRequest?) -> Void
    ) {
      completionHandler(nil)
    }
  }

  private func request(_ method: String, _ path: String, patience: TimeInterval) throws -> URLRequest {
    guard let url = URL(string: "\(server.absoluteString)/api/v1/work\(path)") else {
      throw WorkClientError.notAnAddress(path)
    }
    var request = URLRequest(url: url, timeoutInterval: patience)
    request.httpMethod = method
    request.setValue("Bearer \(token)", forHTTPHeaderField: "Authorization")
    return request
  }

  /// Sends a message; nil where the answer is empty.
  ///
  /// - Parameter patience: seconds of silence after which the server counts as away.
  func send<Answer: Decodable>(
    _ method: String, _ path: String, _ message: (any Encodable)? = nil, patience: TimeInterval = 15,
    as type: Answer.Type = Answer.self
  ) async throws -> Answer? {
    var request = try request(method, path, patience: patience)
    if let message {
      request.httpBody = try JSONEncoder().encode(message)
      request.setValue("application/json", forHTTPHeaderField: "Content-Type")
    }
    let (data, status) = try await answer { [request] in try await session.data(for: request) }
    guard status != 204 else { return nil }
    do { return try JSONDecoder().decode(Answer.self, from: data) } catch {
      throw WorkClientError.refused(status: status, message: "the server answered as none of this version does")
    }
  }

  /// Bytes of a file.
  func part(_ path: String, from start: Int64, count: Int64) async throws -> Data {
    var request = try request("GET", path, patience: 60)
    request.setValue("bytes=\(start)-\(start + count - 1)", forHTTPHeaderField: "Range")
    let (data, status) = try await answer { [request] in try await session.data(for: request) }
    guard status == 206, Int64(data.count) == count else {
      throw WorkClientError.wrongChecksum("the server sent \(data.count) bytes of a file where it has \(count)")
    }
    return data
  }

  /// Sends a file.
  func upload(_ path: String, file: String) async throws {
    var request = try request("PUT", path, patience: 60)
    request.setValue("application/octet-stream", forHTTPHeaderField: "Content-Type")
    // curl would wait a second for a "100 Continue" before each larger file.
    request.setValue("", forHTTPHeaderField: "Expect")
    _ = try await answer { [request] in
      try await session.upload(for: request, fromFile: URL(fileURLWithPath: file))
    }
  }

  /// What a request is answered with. A worker that is being stopped waits for it: an answer may hold a claim, and where a
  /// request is cancelled just as its connection breaks, URLSession ends the process (swift-corelibs-foundation, "a
  /// behaviour for a task that is not in the registry").
  private func answer(
    _ send: @escaping @Sendable () async throws -> (Data, URLResponse)
  ) async throws -> (data: Data, status: Int) {
    let (data, response): (Data, URLResponse)
    do { (data, response) = try await Task { try await send() }.value } catch let error as URLError {
      throw WorkClientError.noAnswer(server: server.absoluteString, reason: error.localizedDescription)
    }
    let status = (response as? HTTPURLResponse)?.statusCode ?? 0
    guard !(200..<300).contains(status) else { return (data, status) }
    struct Refusal: Decodable {
      struct Failure: Decodable {
        let message: String
      }
      let error: Failure
    }
    let message = (try? JSONDecoder().decode(Refusal.self, from: data))?.error.message ?? "status \(status)"
    switch status {
    case 401, 403: throw WorkClientError.notAllowed(message)
    case 507: throw WorkClientError.refused(status: status, message: message)
    case 500...: throw WorkClientError.serverFailed(status: status, message: message)
    case 422 where message.contains("SHA-256"): throw WorkClientError.wrongChecksum(message)
    default: throw WorkClientError.refused(status: status, message: message)
    }
  }
}
