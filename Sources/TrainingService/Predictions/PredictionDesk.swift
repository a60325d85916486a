// Where questions are answered: by the version in use, within an account's limit, beside the threads that serve requests.

import Foundation
import HTTPTypes
import Logging

/// How questions are answered.
public struct PredictionSettings: Sendable {
  /// Requests that each account may make; 0 for no limit.
  public var perMinute = 600
  /// Bytes that loaded models may hold together.
  public var mostBytes = 2 << 30
  /// Models that are loaded at a time.
  public var mostModels = 32
  /// Answers that are computed at a time; further requests wait.
  public var mostAtOnce = ProcessInfo.processInfo.activeProcessorCount
  /// Requests that may wait; further ones are turned away.
  public var mostWaiting = 256

  public init() {}
}

/// Answers questions with the promoted versions of models.
final class PredictionDesk: Sendable {
  private let table: PredictionTable
  private let models: ModelRegistry
  private let metrics: ServiceMetrics
  private let cache: ModelCache
  private let limit: RateLimit
  private let lanes: ComputeLanes

  init(
    _ settings: PredictionSettings, table: PredictionTable, models: ModelRegistry, metrics: ServiceMetrics,
    lanes: ComputeLanes
  ) {
    self.table = table
    self.models = models
    self.metrics = metrics
    cache = ModelCache(mostBytes: settings.mostBytes, mostModels: settings.mostModels)
    limit = RateLimit(perMinute: settings.perMinute)
    self.lanes = lanes
  }

  /// What the version in use said.
  struct Answer: Sendable {
    let version: ModelVersion
    let question: PredictionQuestion
    let members: [String: JSONValue]

    var json: JSONValue {
      var json = members
      json["model"] = .string(version.name)
      json["version"] = .integer(Int64(version.version))
      return .object(json)
    }
  }

  /// Counts a request against the account's limit. Asked for before the body is read.
  /// - Throws: ``ServiceProblem``, 429.
  func admit(_ user: User) throws(ServiceProblem) {
    guard let seconds = limit.take(user.id) else { return }
    metrics.countLimitedPrediction()
    throw ServiceProblem(
      status: .tooManyRequests,
      message: "this account has asked for all the predictions that it may have for now; try again in \(seconds) s, "
        + "or ask several things in one request", headers: [.retryAfter: "\(seconds)"])
  }

  /// Asks the version of a model that is in use.
  ///
  /// - Parameters:
  ///   - body: the members of the request; read where it does not hold anybody up.
  /// - Throws: ``ServiceProblem``, ``ModelError``, ``RequestProblems``.
  func ask(
    _ name: String, of model: String, for user: User, logger: Logger,
    body: @escaping @Sendable (PredictionQuestion) throws -> [String: JSONValue]
  ) async throws -> Answer {
    let start = ContinuousClock.now
    var outcome = "refused"
    defer { metrics.notePrediction(question: name, outcome: outcome, time: ContinuousClock.now - start) }
    let viewer = Viewer(user)
    var version = try await models.promoted(model, for: viewer)
    while true {
      let (kind, question) = try find(name, for: version)
      do {
        let input = try await lanes.run { try question.checked(try body(question)) }
        let members = try await answer(question, input, version, kind)
        outcome = "answered"
        return Answer(version: version, question: question, members: members)
      } catch let error as RequestProblems {
        throw error
      } catch let error as ServiceProblem {
        throw error
      } catch {
        // Its files may have gone because another version is in use by now.
        let present = try await models.promoted(model, for: viewer)
        guard present.id == version.id else {
          version = present
          continue
        }
        outcome = "failed"
        logger.error(
          "a model can't be used",
          metadata: ["model": "\(model)", "version": "\(version.version)", "error": "\(error)"])
        let problem = "\(error)".replacingOccurrences(of: version.directory + "/", with: "")
          .replacingOccurrences(of: version.directory, with: "the model")
        throw ServiceProblem(
          status: .internalServerError,
          message:
            "version \(version.version) of \"\(model)\" can't be used: \(problem). Put another version into use, "
            + "or train it again")
      }
    }
  }

  /// How the version is asked the question.
  private func find(
    _ name: String, for version: ModelVersion
  ) throws(ServiceProblem) -> (PredictionTable.Kind, PredictionQuestion) {
    let questions = table.questions(of: version.kind)
    guard let kind = table.kind(version.kind), let question = questions.first(where: { $0.name == name }) else {
      let known = questions.map(\.name).joined(separator: ", ")
      throw .notFound(
        "\"\(version.name)\" is a model of the kind \(version.kind), which does not \(name)"
          + (known.isEmpty ? "" : "; it can be asked to \(known)"))
    }
    return (kind, question)
  }

  private func answer(
    _ question: PredictionQuestion, _ input: [String: JSONValue], _ version: ModelVersion, _ kind: PredictionTable.Kind
  ) async throws -> [String: JSONValue] {
    let predictor = try await cache.predictor(of: version.id) { [lanes, directory = version.directory] in
      try await lanes.run(isLetIn: true) { try kind.load(directory) }
    }
    return try await lanes.run(isLetIn: true) { try predictor.answer(question.name, input) }
  }

  /// Forgets a version: it was deleted.
  func forget(_ version: ModelVersion) { cache.drop(version.id) }

  /// For the metrics.
  var load: (models: Int, bytes: Int, requests: Int) {
    let (models, bytes) = cache.size
    return (models, bytes, lanes.load)
  }
}
