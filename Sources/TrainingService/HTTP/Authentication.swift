// Who asks: a browser by its signed cookie, a program by its token; and that a browser's form is this service's own.

import Foundation
import HTTPTypes
import Hummingbird

/// Finds out who asks, and refuses forms that another site had a browser send.
struct Authentication: RouterMiddleware {
  let parts: ServiceParts

  static let cookieName = "ranker_session"
  static let formTokenName = "csrf_token"
  static let formTokenHeader = HTTPField.Name("X-CSRF-Token")!
  private static let fetchSite = HTTPField.Name("Sec-Fetch-Site")!

  func handle(
    _ request: Request, context: ServiceContext, next: (Request, ServiceContext) async throws -> Response
  ) async throws -> Response {
    var context = context
    if let header = request.headers[.authorization] {
      let words = header.split(separator: " ")
      guard words.count == 2, words[0].lowercased() == "bearer",
        let identity = try await parts.accounts.identity(apiToken: String(words[1]))
      else {
        throw ServiceProblem(
          status: .unauthorized, message: "the API token is not valid, or not any more",
          headers: [.wwwAuthenticate: "Bearer error=\"invalid_token\""])
      }
      context.identity = identity
    } else if let cookie = request.cookies[Self.cookieName]?.value,
      let token = Secrets.verified(cookie, key: parts.key)
    {
      context.identity = try await parts.accounts.identity(sessionToken: token)
    }
    if request.method.hasBody { try await checkOrigin(request, context) }
    return try await next(request, context)
  }

  /// Cookies are sent by browsers whatever page asks them to: what changes something must carry the session's token. Where
  /// nobody has signed in (signing in itself), the browser's own word for where the form came from has to do.
  private func checkOrigin(_ request: Request, _ context: ServiceContext) async throws {
    if let site = request.headers[Self.fetchSite], site != "same-origin", site != "none" {
      throw ServiceProblem(status: .forbidden, message: "this request was sent by another site")
    }
    if let origin = request.headers[.origin], let host = request.head.authority {
      guard URLComponents(string: origin).map({ "\($0.host ?? "")\($0.port.map { ":\($0)" } ?? "")" }) == host else {
        throw ServiceProblem(status: .forbidden, message: "this request was sent by another site")
      }
    }
    guard let formToken = context.identity?.formToken else { return }
    let given =
      if let header = request.headers[Self.formTokenHeader] { header } else if request.isForm {
        try await request.form()[Self.formTokenName] ?? ""
      } else { "" }
    guard Secrets.areEqual(given, formToken) else { throw ServiceProblem.wrongFormToken }
  }
}

extension ServiceParts {
  /// The cookie of a session that begins.
  func cookie(of session: BrowserSession) -> Cookie {
    Cookie(
      name: Authentication.cookieName, value: Secrets.signed(session.token, key: key),
      maxAge: Int(Accounts.sessionLifetime.components.seconds), path: "/", secure: isSecure, httpOnly: true,
      sameSite: .lax)
  }

  /// The cookie that takes the session's away.
  var endedCookie: Cookie {
    Cookie(
      name: Authentication.cookieName, value: "", maxAge: 0, path: "/", secure: isSecure, httpOnly: true, sameSite: .lax
    )
  }
}
