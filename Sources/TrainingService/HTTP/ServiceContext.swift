// What is known of a request on its way through the service.

import Hummingbird
import Logging

/// A request's context: who asks, and from where.
struct ServiceContext: RequestContext {
  var coreContext: CoreRequestContextStorage
  /// The address of the other end of the connection.
  let client: String
  /// Nil where nobody has signed in.
  var identity: Identity?

  init(source: ApplicationRequestContextSource) {
    coreContext = .init(source: source)
    client = source.channel.remoteAddress?.ipAddress ?? "local"
  }

  /// Who asks.
  /// - Throws: ``ServiceProblem`` where nobody has signed in, and where a worker asks.
  var user: User {
    get throws(ServiceProblem) {
      guard let identity else { throw .notSignedIn }
      guard !identity.isWorker else {
        throw ServiceProblem(status: .forbidden, message: "this token is a worker's: it opens /api/v1/work only")
      }
      return identity.user
    }
  }

  /// - Throws: ``ServiceProblem`` where it is not a worker that asks, with the token of somebody who is an administrator.
  func requireWorker() throws(ServiceProblem) {
    guard let identity else { throw .notSignedIn }
    guard identity.isWorker, identity.user.isAdmin else {
      throw ServiceProblem(
        status: .forbidden,
        message: "this token is no worker's; an administrator makes one: ranker users token --worker")
    }
  }

  var viewer: Viewer { get throws(ServiceProblem) { Viewer(try user) } }
}

/// What the handlers of requests share.
struct ServiceParts: Sendable {
  let store: ServiceStore
  let accounts: Accounts
  let book: JobBook
  let models: ModelRegistry
  let signals: JobSignals
  let catalogue: TrainingCatalogue
  let root: DataRoot
  let modelsDirectory: String
  let metrics: ServiceMetrics
  let predictions: PredictionDesk
  let details: ModelDetails.Shelf
  /// The key of signed cookies.
  let key: [UInt8]
  /// Whether cookies are for encrypted connections only.
  let isSecure: Bool
}
