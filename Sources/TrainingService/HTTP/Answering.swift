// The outermost layers: every request is answered, logged and counted, with headers that keep browsers careful.

import Foundation
import HTTPTypes
import Hummingbird
import Logging

/// Logs and counts requests, and turns errors into answers.
struct Answering: RouterMiddleware {
  let metrics: ServiceMetrics
  /// Draws an error for people.
  let page: @Sendable (ServiceProblem, ServiceContext) -> Response

  func handle(
    _ request: Request, context: ServiceContext, next: (Request, ServiceContext) async throws -> Response
  ) async throws -> Response {
    let start = ContinuousClock.now
    var response: Response
    do {
      response = try await next(request, context)
    } catch let error as SignInNeeded {
      response = error.response
    } catch {
      var problem: ServiceProblem
      if let known = ServiceProblem(error) {
        problem = known
      } else {
        context.logger.error("a request failed", metadata: ["error": "\(error)", "path": "\(request.uri.path)"])
        problem = ServiceProblem(status: .internalServerError, message: "the service failed; its log says why")
      }
      if problem.status == .notFound, problem.message == HTTPResponse.Status.notFound.reasonPhrase {
        problem.message = "there is nothing at \(request.uri.path)"
      }
      let isForProgram = request.uri.path.hasPrefix("/api/") || !request.headers.wantsHTML
      response = isForProgram ? JSONResponse(problem.json).response : page(problem, context)
      response.status = problem.status
      for field in problem.headers { response.headers[field.name] = field.value }
    }
    Self.secure(&response.headers)
    // The route, not the path: paths hold names of people's models, and there are as many as jobs.
    let route = context.endpointPath ?? "none"
    let time = ContinuousClock.now - start
    metrics.note(method: request.method.rawValue, route: route, status: response.status.code, time: time)
    context.logger.info(
      "request",
      metadata: [
        "method": "\(request.method.rawValue)", "route": "\(route)", "status": "\(response.status.code)",
        "milliseconds": "\(time.milliseconds)", "client": "\(context.client)",
      ])
    return response
  }

  /// What OWASP's secure headers project names, as strict as the pages allow: scripts, styles and pictures of this
  /// server's own, forms to it only, no frames.
  private static func secure(_ headers: inout HTTPFields) {
    headers[.contentSecurityPolicy] = headers[.contentSecurityPolicy] ?? policy
    headers[.xContentTypeOptions] = "nosniff"
    headers[referrerPolicy] = "same-origin"
    headers[frameOptions] = "DENY"
    headers[openerPolicy] = "same-origin"
    headers[resourcePolicy] = "same-origin"
    headers[permissionsPolicy] = "camera=(), geolocation=(), microphone=(), payment=(), usb=()"
    // What was shown to one account must not come out of a cache for another.
    headers[.cacheControl] = headers[.cacheControl] ?? "no-store"
  }

  private static let policy = """
    default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; \
    form-action 'self'; frame-ancestors 'none'; base-uri 'none'
    """
  private static let referrerPolicy = HTTPField.Name("Referrer-Policy")!
  private static let frameOptions = HTTPField.Name("X-Frame-Options")!
  private static let openerPolicy = HTTPField.Name("Cross-Origin-Opener-Policy")!
  private static let resourcePolicy = HTTPField.Name("Cross-Origin-Resource-Policy")!
  private static let permissionsPolicy = HTTPField.Name("Permissions-Policy")!
}
