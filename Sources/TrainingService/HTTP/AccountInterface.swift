// The API's part about oneself: signing in, tokens.

import Hummingbird

/// `/api/v1/sessions`, `/api/v1/me`, `/api/v1/tokens`.
struct AccountInterface: Sendable {
  let parts: ServiceParts

  func add(to router: some RouterMethods<ServiceContext>) {
    router.post("sessions") { request, context in try await signIn(request, context) }
    router.get("me") { _, context in
      let user = try context.user
      return JSONResponse(["email": .string(user.email), "admin": .bool(user.isAdmin)])
    }
    router.get("tokens") { _, context in
      JSONResponse(["tokens": .array(try await parts.accounts.tokens(of: try context.user).map(\.json))])
    }
    router.post("tokens") { request, context in try await makeToken(request, context) }
    router.delete("tokens/:token") { _, context in
      let user = try context.user
      let id = Int64(try context.parameters.require("token"))
      // A program that tidies up must not lock itself out half-way.
      if let id, id == context.identity?.tokenID {
        throw ServiceProblem(
          status: .conflict,
          message: "this is the token that the request came with; revoke it on the account's page, or with another")
      }
      guard let id, try await parts.accounts.revokeToken(id, of: user)
      else { throw ServiceProblem.notFound("there is no such token") }
      return Response(status: .noContent)
    }
  }

  /// E-mail and password for a token that holds for some hours.
  private func signIn(_ request: Request, _ context: ServiceContext) async throws -> JSONResponse {
    let body = try await request.object(["email", "password"])
    guard let email = try body.text("email"), let password = try body.text("password") else {
      throw ServiceProblem.badRequest("the body needs \"email\" and \"password\"")
    }
    let user = try await signIn(email: email, password: password, context)
    let (token, secret) = try await parts.accounts.makeToken(
      of: user, name: "signed in", lifetime: Accounts.loginTokenLifetime)
    return JSONResponse(["token": .string(secret), "expires_at": JSONValue(token.expiresAt)], status: .created)
  }

  /// Checks e-mail and password, and logs how that went, with nothing that would let anybody in.
  func signIn(email: String, password: String, _ context: ServiceContext) async throws -> User {
    do {
      let user = try await parts.accounts.authenticate(email: email, password: password, client: context.client)
      context.logger.info("signed in", metadata: ["user": "\(user.id)", "client": "\(context.client)"])
      return user
    } catch let error as AccountError {
      // The address may be a password that was typed into the wrong field.
      context.logger.warning("signing in failed", metadata: ["client": "\(context.client)", "reason": "\(error)"])
      throw error
    }
  }

  private func makeToken(_ request: Request, _ context: ServiceContext) async throws -> JSONResponse {
    let user = try context.user
    let body = try await request.object(["name", "worker"])
    if let given = body["worker"], !given.isNull, given.bool == nil {
      throw ServiceProblem.badRequest("\"worker\" is \(given.text.prefix(40)); expected true or false")
    }
    let name = try body.text("name") ?? ""
    guard (1...80).contains(name.count) else {
      throw ServiceProblem.badRequest("\"name\" has \(name.count) characters; expected 1 to 80, to know the token by")
    }
    let (token, secret) = try await parts.accounts.makeToken(
      of: user, name: name, lifetime: nil, isWorker: body["worker"]?.bool ?? false)
    var json = token.json.object ?? [:]
    json["token"] = .string(secret)
    return JSONResponse(.object(json), status: .created)
  }
}
