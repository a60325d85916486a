// Signing in and out, the first account, and the tokens of one's programs.

import Hummingbird

struct AccountPages: Sendable {
  let parts: ServiceParts
  let book: PageBook

  func add(to router: some RouterMethods<ServiceContext>) {
    router.get("sign-in") { request, context in
      if context.identity != nil { return Response.redirect(to: "/") }
      return signIn(context, next: request.query("next")?.removingPercentEncoding ?? "/")
    }
    router.post("sign-in") { request, context in try await signIn(request, context) }
    router.post("sign-out") { _, context in
      if let hash = context.identity?.sessionHash { try await parts.accounts.endSession(hash: hash) }
      var response = Response.redirect(to: "/sign-in")
      response.setCookie(parts.endedCookie)
      return response
    }
    router.get("first-account/:token") { _, context in
      guard try await parts.accounts.isFirstAccountTokenValid(try context.parameters.require("token")) else {
        throw AccountError.linkNotValid
      }
      return firstAccount(context)
    }
    router.post("first-account/:token") { request, context in try await makeFirst(request, context) }
    router.get("account") { request, context in
      try await account(try context.pageUser(request), context)
    }
    router.post("account/tokens") { request, context in
      let user = try context.pageUser(request)
      let name = try await request.form()["name"] ?? ""
      guard (1...80).contains(name.count) else {
        return try await account(user, context, ["problem": "A token needs a name of 1 to 80 characters."])
      }
      let (_, secret) = try await parts.accounts.makeToken(of: user, name: name, lifetime: nil)
      return try await account(user, context, ["secret": secret])
    }
    router.post("account/tokens/:token/revoke") { request, context in
      let user = try context.pageUser(request)
      if let id = context.parameters.get("token").flatMap({ Int64($0) }) {
        _ = try await parts.accounts.revokeToken(id, of: user)
      }
      return Response.redirect(to: "/account")
    }
  }

  private func signIn(_ request: Request, _ context: ServiceContext) async throws -> Response {
    let form = try await request.form()
    let (email, next) = (form["email"] ?? "", form["next"] ?? "/")
    do {
      let user = try await AccountInterface(parts: parts).signIn(
        email: email, password: form["password"] ?? "", context)
      // Only to places of this service: "//elsewhere.org" is another's.
      let isOwn = next.hasPrefix("/") && !next.hasPrefix("//") && !next.contains("\\")
      return try await begin(user, at: isOwn ? next : "/")
    } catch let error as AccountError {
      return signIn(context, next: next, given: email, problem: error)
    }
  }

  private func signIn(
    _ context: ServiceContext, next: String, given: String = "", problem: AccountError? = nil
  ) -> Response {
    let status = problem.flatMap(ServiceProblem.init)?.status ?? .ok
    return book.page(
      "sign-in", title: "Sign in", context, status: status,
      ["next": next, "given": given, "problem": problem.map { $0.sentence } ?? false])
  }

  private func begin(_ user: User, at path: String) async throws -> Response {
    let session = try await parts.accounts.beginSession(of: user)
    var response = Response.redirect(to: path)
    response.setCookie(parts.cookie(of: session))
    return response
  }

  private func firstAccount(_ context: ServiceContext, given: String = "", problem: AccountError? = nil) -> Response {
    book.page(
      "first-account", title: "Create the first account", context, status: problem == nil ? .ok : .unprocessableContent,
      ["given": given, "leastLength": Password.leastLength, "problem": problem.map { $0.sentence } ?? false])
  }

  private func makeFirst(_ request: Request, _ context: ServiceContext) async throws -> Response {
    let form = try await request.form()
    let email = form["email"] ?? ""
    do {
      let user = try await parts.accounts.addFirst(
        token: try context.parameters.require("token"), email: email, password: form["password"] ?? "")
      context.logger.info("the first account was made", metadata: ["user": "\(user.id)"])
      return try await begin(user, at: "/")
    } catch AccountError.linkNotValid {
      throw AccountError.linkNotValid
    } catch let error as AccountError {
      return firstAccount(context, given: email, problem: error)
    }
  }

  private func account(
    _ user: User, _ context: ServiceContext, _ more: [String: String] = [:]
  ) async throws -> Response {
    let tokens = try await parts.accounts.tokens(of: user)
    var values: [String: Any] = [
      "hasTokens": !tokens.isEmpty, "secret": false, "problem": false,
      "tokens": tokens.map { token in
        [
          "id": "\(token.id)", "name": token.name, "created": token.createdAt.spoken,
          "expires": token.expiresAt?.spoken ?? "revoked",
        ]
      },
    ]
    for (name, value) in more { values[name] = value }
    return book.page("account", title: "Account", at: .account, context, values)
  }
}

extension AccountError {
  /// The description as a sentence of its own.
  var sentence: String {
    let text = "\(self)"
    return text.prefix(1).uppercased() + text.dropFirst() + "."
  }
}

extension Moment {
  /// `2026-11-21 17:04`, in UTC.
  var spoken: String { text.prefix(16).replacingOccurrences(of: "T", with: " ") }
}
