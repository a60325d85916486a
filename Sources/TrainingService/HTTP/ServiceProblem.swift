// What goes wrong with a request, as the answer says it.

import Foundation
import HTTPTypes
import Hummingbird
import NIOCore

/// Why a request is refused: a status, a sentence, and the fields that it is about.
struct ServiceProblem: Error, Sendable {
  var status: HTTPResponse.Status
  var message: String
  var fields: [ParameterProblem] = []
  var headers: HTTPFields = [:]

  static let notSignedIn = ServiceProblem(
    status: .unauthorized, message: "sign in first, or send an API token (Authorization: Bearer …)",
    headers: [.wwwAuthenticate: "Bearer"])
  static let wrongFormToken = ServiceProblem(
    status: .forbidden,
    message: "the form's csrf_token is missing or of another session; load the page again and send its form")

  static func badRequest(_ message: String) -> ServiceProblem { ServiceProblem(status: .badRequest, message: message) }
  static func notFound(_ message: String) -> ServiceProblem { ServiceProblem(status: .notFound, message: message) }

  /// Any error, as the answer says it; nil where it is the service's own fault, of which a stranger learns nothing.
  init?(_ error: any Error) {
    switch error {
    case let error as ServiceProblem: self = error
    case let error as RequestProblems:
      self.init(
        status: error.isMissingData ? .notFound : .unprocessableContent, message: "\(error)", fields: error.problems)
    case let error as JobError:
      let isUnknown = if case .unknown = error { true } else { false }
      self.init(status: isUnknown ? .notFound : .conflict, message: "\(error)")
    case let error as ModelError:
      switch error {
      case .unknown, .unknownVersion: self.init(status: .notFound, message: "\(error)")
      case .isPromoted, .nothingToRollBack, .notPromoted: self.init(status: .conflict, message: "\(error)")
      }
    case let error as AccountError:
      switch error {
      case .wrongCredentials: self.init(status: .unauthorized, message: "\(error)")
      case .tooManyAttempts(let seconds):
        self.init(status: .tooManyRequests, message: "\(error)", headers: [.retryAfter: "\(seconds)"])
      case .linkNotValid: self.init(status: .forbidden, message: "\(error)")
      case .workersAreForAdmins: self.init(status: .forbidden, message: "\(error)")
      default: self.init(status: .unprocessableContent, message: "\(error)")
      }
    // Where the database is, is nobody's business.
    case let error as DatabaseServerError where error.isPassing:
      self.init(
        status: .serviceUnavailable, message: "the service's database does not answer; try again in a moment",
        headers: [.retryAfter: "5"])
    case let error as DataRootError: self.init(status: .notFound, message: "\(error)")
    case let error as NIOTooManyBytesError:
      self.init(
        status: .contentTooLarge,
        message: "the request is larger than the \(error.maxBytes ?? BodyReading.greatestSize) bytes that are read")
    case let error as HTTPError: self.init(status: error.status, message: error.body ?? error.status.reasonPhrase)
    case let error as any HTTPResponseError: self.init(status: error.status, message: error.status.reasonPhrase)
    default: return nil
    }
  }

  init(
    status: HTTPResponse.Status, message: String, fields: [ParameterProblem] = [], headers: HTTPFields = [:]
  ) {
    self.status = status
    self.message = message
    self.fields = fields
    self.headers = headers
  }

  /// `{"error": {"message", "fields": [{"field", "message"}]}}`.
  var json: JSONValue {
    let fields = fields.map { field -> JSONValue in
      ["field": .string(field.field), "message": .string(field.message)]
    }
    return ["error": ["message": .string(message), "fields": .array(fields)]]
  }
}

/// A JSON answer.
struct JSONResponse: ResponseGenerator {
  var status = HTTPResponse.Status.ok
  var value: JSONValue
  var headers: HTTPFields = [:]

  init(_ value: JSONValue, status: HTTPResponse.Status = .ok) {
    self.value = value
    self.status = status
  }

  var response: Response {
    var headers = headers
    headers[.contentType] = "application/json; charset=utf-8"
    return Response(status: status, headers: headers, body: ResponseBody(byteBuffer: ByteBuffer(bytes: value.data)))
  }

  func response(from request: Request, context: some RequestContext) -> Response { response }
}

extension HTTPFields {
  /// The client reads pages rather than JSON.
  var wantsHTML: Bool {
    self[.accept]?.contains("text/html") ?? false
  }
}
