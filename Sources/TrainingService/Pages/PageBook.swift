// The templates and the files of the pages, read once.

import Checkpoints
import Files
import Foundation
import HTTPTypes
import Hummingbird
import Mustache
import Reports

/// All that pages are made of: templates, a style sheet, a script.
struct PageBook: Sendable {
  private let library: MustacheLibrary
  private let style: Asset
  private let script: Asset

  /// A file whose address changes with its content, so that browsers may keep it for good.
  private struct Asset: Sendable {
    let path: String
    let type: String
    let bytes: [UInt8]

    init(_ name: String, _ suffix: String, type: String, text: String) {
      bytes = Array(text.utf8)
      path = "/assets/\(name)-\(SHA256.hexadecimal(of: bytes).prefix(16)).\(suffix)"
      self.type = type
    }
  }

  private static let templates = [
    "layout", "sign-in", "first-account", "problem", "train", "jobs", "job", "models", "model", "account",
  ]

  /// - Throws: what a missing or broken file of the package causes.
  init() throws {
    func resource(_ name: String) throws -> String {
      try String(contentsOfFile: packageResource(name, of: "TrainingService"), encoding: .utf8)
    }
    var library = MustacheLibrary()
    for name in Self.templates { try library.register(try resource("templates/\(name).mustache"), named: name) }
    self.library = library
    style = Asset(
      "service", "css", type: "text/css; charset=utf-8", text: Theme.css + (try resource("assets/service.css")))
    script = Asset(
      "service", "js", type: "text/javascript; charset=utf-8", text: try resource("assets/service.js"))
  }

  func addAssets(to router: some RouterMethods<ServiceContext>) {
    for asset in [style, script] {
      router.get(RouterPath(asset.path)) { _, _ in
        Response(
          status: .ok, headers: [.contentType: asset.type, .cacheControl: "public, max-age=31536000, immutable"],
          body: ResponseBody(byteBuffer: ByteBuffer(bytes: asset.bytes)))
      }
    }
  }

  /// The parts of the service that the heading leads to.
  enum Place: String {
    case jobs = "onJobs"
    case models = "onModels"
    case train = "onTrain"
    case account = "onAccount"
  }

  /// A page.
  ///
  /// - Parameters:
  ///   - values: what the template names. Text is escaped there.
  func page(
    _ template: String, title: String, at place: Place? = nil, _ context: ServiceContext,
    status: HTTPResponse.Status = .ok, _ values: [String: Any]
  ) -> Response {
    var values = values
    values["title"] = title
    values["style"] = style.path
    values["script"] = script.path
    if let identity = context.identity {
      values["user"] = true
      values["email"] = identity.user.email
      values["formToken"] = identity.formToken ?? ""
    }
    if let place { values[place.rawValue] = true }
    let html = library.render(values, withTemplate: template) ?? ""
    return Response(
      status: status, headers: [.contentType: "text/html; charset=utf-8"],
      body: ResponseBody(byteBuffer: ByteBuffer(string: html)))
  }

  /// What went wrong, for people; signing in, where that is what is missing.
  func page(of problem: ServiceProblem, _ context: ServiceContext) -> Response {
    let heading =
      switch problem.status {
      case .notFound: "There is nothing here"
      case .forbidden, .unauthorized: "That is not allowed"
      case .internalServerError: "Something broke"
      default: "That did not work"
      }
    return page(
      "problem", title: heading, context, status: problem.status,
      ["status": problem.status.code, "heading": heading, "message": problem.message])
  }
}

extension Response {
  /// Sends the browser to another page, which it gets (303).
  static func redirect(to path: String) -> Response {
    Response(status: .seeOther, headers: [.location: path])
  }
}

extension ServiceContext {
  /// The administrator or user of a page; a stranger is sent to sign in.
  func pageUser(_ request: Request) throws -> User {
    guard let identity else { throw SignInNeeded(path: request.uri.string) }
    return identity.user
  }
}

/// A page that has to be signed in for.
struct SignInNeeded: Error {
  let path: String

  /// Where to sign in, and to come back from.
  var response: Response {
    let plain = CharacterSet.alphanumerics.union(CharacterSet(charactersIn: "-._~/"))
    return .redirect(to: "/sign-in?next=\(path.addingPercentEncoding(withAllowedCharacters: plain) ?? "/")")
  }
}
