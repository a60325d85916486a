// The description of the API that is served: what programs and their makers read, and what else is not allowed.

import Files
import Foundation
import HTTPTypes
import Hummingbird

/// The OpenAPI document (3.1.0) of `/api/v1`: the file of the package, with one alternative of a job's request for each
/// kind of training that this server has.
struct InterfaceDescription: Sendable {
  private let document: JSONValue

  init(_ catalogue: TrainingCatalogue) throws {
    let data = try Data(contentsOf: URL(fileURLWithPath: packageResource("openapi.json", of: "TrainingService")))
    let plain = try JSONValue(parsing: data)
    var document = plain.setting(
      ["components", "schemas", "JobRequest"], to: ["oneOf": .array(catalogue.kinds.flatMap(Self.requests))])
    for question in catalogue.predictions.questions {
      document = document.setting(
        ["paths", "/api/v1/models/{name}/\(question.name)", "post"], to: Self.operation(of: question))
    }
    self.document = document
  }

  /// The part of the document about a question to models.
  private static func operation(of question: PredictionQuestion) -> JSONValue {
    func response(_ name: String) -> JSONValue { ["$ref": .string("#/components/responses/\(name)")] }
    return [
      "summary": .string(question.summary), "operationId": .string("\(question.name)WithModel"),
      "parameters": [["name": "name", "in": "path", "required": true, "schema": ["type": "string"]]],
      "requestBody": ["required": true, "content": ["application/json": ["schema": question.requestSchema]]],
      "responses": [
        "200": [
          "description": "What the version in use says",
          "content": ["application/json": ["schema": question.answerSchema]],
        ],
        "400": response("BadRequest"), "401": response("Unauthorized"), "404": response("NotFound"),
        "409": response("Conflict"), "413": response("TooLarge"), "415": response("UnsupportedMediaType"),
        "422": response("Unprocessable"), "429": response("TooManyRequests"), "500": response("Broken"),
        "503": response("Busy"),
      ],
    ]
  }

  /// The requests for a kind: two, where data of one's own needs more to be said than the sample.
  private static func requests(of kind: TrainingKind) -> [JSONValue] {
    let needed = kind.parameters.filter { $0.domain == .path(isNeededWithData: true) }.map(\.name)
    let request = request(of: kind, needed: [])
    guard !needed.isEmpty else { return [request] }
    let sample = request.setting(["properties", "data_path", "maxLength"], to: 0)
    let own = Self.request(of: kind, needed: needed).setting(["required"], to: ["kind", "data_path", "parameters"])
      .setting(["properties", "data_path"], to: ["type": "string", "minLength": 1])
      .setting(["properties", "parameters", "type"], to: "object")
      .setting(["properties", "parameters", "required"], to: .array(needed.map(JSONValue.string)))
    return [sample, own]
  }

  /// - Parameter needed: names of paths that have to be there.
  private static func request(of kind: TrainingKind, needed: [String]) -> JSONValue {
    let parameters = kind.parameters.map { parameter -> (String, JSONValue) in
      var schema = parameter.schema.object ?? [:]
      schema["description"] = .string(parameter.help)
      if needed.contains(parameter.name) { schema["minLength"] = 1 }
      return (parameter.name, .object(schema))
    }
    // Where there is a sample, no path means it, and so does an empty one, as forms have it.
    let dataPath: JSONValue = [
      "type": kind.hasSample ? ["string", "null"] : ["string"], "minLength": kind.hasSample ? 0 : 1,
      "description": .string("In the data folder: \(kind.dataHelp)."),
    ]
    return [
      "type": "object", "title": .string(kind.title), "additionalProperties": false,
      "required": kind.hasSample ? ["kind"] : ["kind", "data_path"],
      "properties": [
        "kind": ["const": .string(kind.name)],
        "model_name": ["type": ["string", "null"], "pattern": "^([A-Za-z0-9][A-Za-z0-9._\\-]{0,63})?$"],
        "data_path": dataPath,
        "parameters": [
          "type": ["object", "null"], "additionalProperties": false,
          "properties": .object(Dictionary(parameters) { first, _ in first }),
        ],
      ],
    ]
  }

  /// Serves the document, and answers methods that an address does not have by saying which it has (RFC 9110, 15.5.6).
  func add(to router: some RouterMethods<ServiceContext>) {
    router.get("api/v1/openapi.json") { _, _ in JSONResponse(document) }
    for (path, item) in document["paths"]?.object ?? [:] {
      let known = Set(item.object?.keys.map { $0.uppercased() } ?? [])
      let allowed = known.contains("GET") ? known.union(["HEAD"]) : known
      // The one address whose last part may have slashes itself.
      let parts = path.replacingOccurrences(of: "{file}", with: "**")
      let route = parts.replacing(/\{([a-z]+)\}/) { ":\($0.1)" }
      for method in [HTTPRequest.Method.get, .post, .put, .patch, .delete, .options, .trace, .query]
      where !allowed.contains(method.rawValue) {
        router.on(RouterPath(route), method: method) { _, _ -> Response in
          throw ServiceProblem(
            status: .methodNotAllowed,
            message: "\(method.rawValue) is not allowed here; \(allowed.sorted().joined(separator: ", ")) is",
            headers: [.allow: allowed.sorted().joined(separator: ", ")])
        }
      }
    }
  }
}

extension HTTPRequest.Method {
  /// A safe method with a body; HTTPTypes has no name for it.
  fileprivate static let query = Self("QUERY")!
}

extension JSONValue {
  /// The value with another one at the end of a path of keys.
  fileprivate func setting(_ path: [String], to value: JSONValue) -> JSONValue {
    guard let key = path.first else { return value }
    var members = object ?? [:]
    members[key] = (members[key] ?? [:]).setting(Array(path.dropFirst()), to: value)
    return .object(members)
  }
}
