// Bodies of requests: forms and JSON, up to a size.

import Foundation
import HTTPTypes
import Hummingbird
import NIOCore

/// Reads bodies before anything else looks at the request, so that a form's token can be checked and the form read.
struct BodyReading: RouterMiddleware {
  /// More than any form.
  static let greatestSize = 1 << 20
  /// Questions to models, whose bodies may be larger: their handler reads them of those who may ask.
  let questions: [PredictionQuestion]

  func handle(
    _ request: Request, context: ServiceContext, next: (Request, ServiceContext) async throws -> Response
  ) async throws -> Response {
    // What workers send is as large as a model: it is read part by part, by who knows that it may be sent.
    let isFile = request.method == .put && request.uri.path.hasPrefix("/api/v1/work/")
    guard request.method.hasBody, !isFile, !PredictionInterface.isPrediction(request, questions) else {
      return try await next(request, context)
    }
    if let length = request.headers[.contentLength].flatMap({ Int($0) }), length > Self.greatestSize {
      throw NIOTooManyBytesError(maxBytes: Self.greatestSize)
    }
    var request = request
    _ = try await request.collectBody(upTo: Self.greatestSize)
    return try await next(request, context)
  }
}

extension HTTPRequest.Method {
  /// Whether the request changes something, as its method says.
  var hasBody: Bool { self == .post || self == .put || self == .patch || self == .delete }
}

extension Request {
  private var bytes: Data {
    get async throws {
      // Collected before: this only takes it out.
      Data(buffer: try await body.collect(upTo: BodyReading.greatestSize))
    }
  }

  private var mediaType: String {
    let type = headers[.contentType]?.split(separator: ";").first.map(String.init) ?? ""
    return type.trimmingCharacters(in: .whitespaces).lowercased()
  }

  var isForm: Bool { mediaType == "application/x-www-form-urlencoded" }

  /// The fields of a form; the last one counts where a name comes twice.
  /// - Throws: ``ServiceProblem`` where the body is no form.
  func form() async throws -> [String: String] {
    guard isForm || mediaType.isEmpty else {
      throw ServiceProblem(
        status: .unsupportedMediaType, message: "the body is \(mediaType); expected application/x-www-form-urlencoded")
    }
    let text = String(decoding: try await bytes, as: UTF8.self)
    var fields: [String: String] = [:]
    for pair in text.split(separator: "&") {
      let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      guard let name = Self.decoded(parts[0]), let value = Self.decoded(parts.count > 1 ? parts[1] : "") else {
        throw ServiceProblem.badRequest("the form has \"\(pair.prefix(40))\", which is not percent-encoded UTF-8")
      }
      fields[name] = value
    }
    return fields
  }

  private static func decoded(_ text: Substring) -> String? {
    text.replacingOccurrences(of: "+", with: " ").removingPercentEncoding
  }

  /// The body of a request that should be JSON; it is not looked at yet.
  /// - Throws: ``ServiceProblem`` where it says that it is something else; `NIOTooManyBytesError`.
  func jsonBytes(upTo limit: Int) async throws -> Data {
    guard mediaType == "application/json" || mediaType.isEmpty else {
      throw ServiceProblem(
        status: .unsupportedMediaType, message: "the body is \(mediaType); expected application/json")
    }
    if let length = headers[.contentLength].flatMap({ Int($0) }), length > limit {
      throw NIOTooManyBytesError(maxBytes: limit)
    }
    return Data(buffer: try await body.collect(upTo: limit))
  }

  /// The members of the JSON object that a body is; none of an empty one.
  /// - Throws: ``ServiceProblem`` where it is none.
  static func object(_ data: Data) throws(ServiceProblem) -> [String: JSONValue] {
    guard !data.isEmpty else { return [:] }
    guard let object = (try? JSONValue(parsing: data))?.object else {
      throw ServiceProblem.badRequest("the body is not a JSON object")
    }
    return object
  }

  /// The members of a JSON object.
  /// - Throws: ``ServiceProblem`` where the body is none, or has members that are not `known`.
  func object(_ known: Set<String>) async throws -> [String: JSONValue] {
    let object = try Self.object(try await jsonBytes(upTo: BodyReading.greatestSize))
    if let unknown = object.keys.filter({ !known.contains($0) }).min() {
      throw ServiceProblem.badRequest(
        "the body has a member \"\(unknown.prefix(40))\"; known are \(known.sorted().joined(separator: ", "))")
    }
    return object
  }
}

extension [String: JSONValue] {
  /// A member that is text; nil where it is missing or null.
  func text(_ name: String) throws -> String? {
    guard let value = self[name], !value.isNull else { return nil }
    guard let text = value.string else {
      throw ServiceProblem.badRequest("\"\(name)\" is \(value.text.prefix(40)); expected a string")
    }
    return text
  }
}
