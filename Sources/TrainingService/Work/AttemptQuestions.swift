// What a worker far away asks about its attempt: again where that helps, and with the queue's own errors as answers.

import Foundation

extension RemoteWork {
  func ask<Answer: Decodable>(
    _ method: String, _ path: String, _ message: (any Encodable)? = nil, of claim: Claim, patience: TimeInterval = 15,
    as type: Answer.Type
  ) async throws -> Answer {
    let answer = try await asked(claim) {
      try await client.send(method, $0 + path, message, patience: patience, as: Answer.self)
    }
    guard let answer else { throw WorkClientError.serverFailed(status: 204, message: "an empty answer") }
    return answer
  }

  /// Asks about an attempt; what the server refuses is said as the queue itself says it.
  func asked<Value>(_ claim: Claim, _ ask: (String) async throws -> Value) async throws -> Value {
    do { return try await ask("/jobs/\(claim.job.id)/attempts/\(claim.attempt)") } catch let error as WorkClientError {
      guard case .refused(let status, let message) = error else { throw error }
      switch status {
      // The job itself may be gone, with its account.
      case 409: throw JobError.staleAttempt(id: claim.job.id, attempt: claim.attempt)
      case 404 where message == "\(JobError.unknown(id: claim.job.id))":
        throw JobError.staleAttempt(id: claim.job.id, attempt: claim.attempt)
      default: throw WorkRefused(message)
      }
    }
  }

  /// Tries several times what a server that is away for a moment, or a file that was damaged on its way, need not end.
  func again<Value>(_ body: () async throws -> Value) async throws -> Value {
    var delays = BackOff()
    var damaged = 0
    for _ in 0..<8 {
      do { return try await body() } catch let error as WorkClientError {
        switch error {
        case .noAnswer, .serverFailed: break
        case .wrongChecksum where damaged < 2: damaged += 1
        default: throw error
        }
        try await Task.sleep(for: delays.next())
      }
    }
    return try await body()
  }
}
