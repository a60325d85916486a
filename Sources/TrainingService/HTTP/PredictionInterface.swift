// The API's part about predictions: `POST /api/v1/models/{name}/recommend` and the like.

import Foundation
import HTTPTypes
import Hummingbird
import NIOCore

/// `/api/v1/models/{name}/{question}`.
struct PredictionInterface: Sendable {
  let parts: ServiceParts

  /// Some thousand items with their embeddings. Larger than other bodies, so it is read only of those who may ask.
  static let greatestBody = 8 << 20

  func add(to router: some RouterMethods<ServiceContext>) {
    for question in parts.catalogue.predictions.questions {
      router.post("models/:name/\(question.name)") { request, context in
        try await answer(question.name, request, context)
      }
    }
  }

  private func answer(
    _ question: String, _ request: Request, _ context: ServiceContext
  ) async throws -> JSONResponse {
    let user = try context.user
    let name = try context.parameters.require("name")
    try parts.predictions.admit(user)
    let data = try await request.jsonBytes(upTo: Self.greatestBody)
    let answer = try await parts.predictions.ask(question, of: name, for: user, logger: context.logger) { _ in
      try Request.object(data)
    }
    return JSONResponse(answer.json)
  }

  /// Whether the body is left to the handler, which first looks at who asks.
  static func isPrediction(_ request: Request, _ questions: [PredictionQuestion]) -> Bool {
    let parts = request.uri.path.split(separator: "/")
    return parts.count == 5 && parts[..<3] == ["api", "v1", "models"]
      && questions.contains { $0.name == parts[4] }
  }
}
