// The service as a whole: the store, the workers, and the addresses that it answers.

import Foundation
import HTTPTypes
import Hummingbird
import HummingbirdCore
import Logging
import ServiceLifecycle
import UnixSignals

/// How a server runs.
public struct ServerSettings: Sendable {
  public var host = "127.0.0.1"
  /// 0 takes a free one.
  public var port = 8080
  /// A file, or the `postgres://` address of a database.
  public var database: String
  public var dataRoot: String
  public var modelsDirectory: String
  /// Trainings at a time in this process; 0 leaves them to other workers.
  public var workers = 1
  /// The RabbitMQ that hands the work out; nil where workers take it from the database themselves.
  public var broker: BrokerAddress?
  /// Threads of a training, and bytes that it may allocate; see ``WorkerSettings``.
  public var threads: Int?
  public var memoryLimit: Int?
  /// Whether people reach the service over encrypted connections only (a proxy before it): cookies say so then.
  public var isSecure = false
  public var lease = Duration.seconds(15)
  public var predictions = PredictionSettings()
  /// After how long the folders of failed and cancelled jobs are removed; nil keeps them.
  public var sweepAge: Duration? = .seconds(14 * 24 * 3600)
  public var patience = ClientPatience()
  /// Connections at a time; further ones wait to be accepted.
  public var mostConnections = 4096

  public init(database: String, dataRoot: String, modelsDirectory: String) {
    self.database = database
    self.dataRoot = dataRoot
    self.modelsDirectory = modelsDirectory
  }
}

/// A server with its workers.
public struct TrainingServer: Sendable {
  private let settings: ServerSettings
  private let parts: ServiceParts
  private let book: PageBook
  private let description: InterfaceDescription
  private let queue: JobQueue
  private let logger: Logger
  /// The link by which the first account is made, below the server's address; nil where there are accounts.
  public let firstAccountPath: String?

  /// Opens the store and makes what is not there; nothing listens yet.
  ///
  /// - Parameter cost: of the hashes of new passwords.
  /// - Throws: `DatabaseFileError`, ``DatabaseServerError``, ``DataRootError``.
  public init(
    _ settings: ServerSettings, catalogue: TrainingCatalogue, logger: Logger, cost: Password.Cost = .recommended
  ) async throws {
    self.settings = settings
    self.logger = logger
    try FileManager.default.createDirectory(atPath: settings.modelsDirectory, withIntermediateDirectories: true)
    book = try PageBook()
    description = try InterfaceDescription(catalogue)
    let store = try ServiceStore(database: settings.database)
    let accounts = Accounts(store, cost: cost)
    let signals = JobSignals()
    store.relayNews(to: signals)
    queue = JobQueue(store, signals: signals, lease: settings.lease)
    firstAccountPath = try await accounts.firstAccountToken().map { "/first-account/\($0)" }
    let folder = URL(fileURLWithPath: settings.modelsDirectory).standardizedFileURL.path
    let (models, metrics) = (ModelRegistry(store), ServiceMetrics())
    let lanes = ComputeLanes(
      threads: settings.predictions.mostAtOnce, mostWaiting: settings.predictions.mostWaiting)
    parts = ServiceParts(
      store: store, accounts: accounts, book: JobBook(store, signals: signals), models: models,
      signals: signals, catalogue: catalogue, root: try DataRoot(settings.dataRoot), modelsDirectory: folder,
      metrics: metrics,
      predictions: PredictionDesk(
        settings.predictions, table: catalogue.predictions, models: models, metrics: metrics, lanes: lanes),
      details: ModelDetails.Shelf(lanes: lanes),
      key: try await accounts.signingKey(), isSecure: settings.isSecure)
  }

  /// Answers requests and runs trainings until SIGTERM or SIGINT, or until the task is cancelled. Trainings that run then
  /// save their state; their jobs go on at the next start.
  ///
  /// - Parameter ready: called with the port once the server listens.
  public func run(
    signals: [UnixSignal] = [.sigterm, .sigint], ready: @escaping @Sendable (Int) async -> Void = { _ in }
  ) async throws {
    let application = Application(
      router: router,
      server: .http1(configuration: .init(additionalChannelHandlers: [SlowClients(settings.patience)])),
      configuration: ApplicationConfiguration(
        address: .hostname(settings.host, port: settings.port),
        availableConnectionsDelegate: MaximumAvailableConnections(settings.mostConnections)),
      onServerRunning: { await ready($0.localAddress?.port ?? settings.port) }, logger: logger)
    // After a crash, what the crashed server ran goes on at once.
    try await queue.endLeases(whereWorker: WorkerName.isOfDeadProcess)
    // Workers elsewhere could not be heard while nobody listened.
    try await queue.renewLeases(whereWorker: WorkerName.isRemote)
    var workers = WorkerPool(workers: makeWorkers(), logger: logger)
    workers.upkeep = sweepIncoming
    var services: [any Service] = [workers, application]
    if let broker = settings.broker { services.append(TaskAnnouncer(queue, address: broker, logger: logger)) }
    if let age = settings.sweepAge {
      services.append(JobSweep(parts.store, modelsDirectory: parts.modelsDirectory, age: age, logger: logger))
    }
    let group = ServiceGroup(
      configuration: ServiceGroupConfiguration(
        services: services.map { .init(service: $0) }, gracefulShutdownSignals: signals, logger: logger))
    try await group.run()
  }

  private var incoming: IncomingFiles { IncomingFiles(modelsDirectory: parts.modelsDirectory) }

  /// Removes what workers sent for attempts that are not running any more.
  @Sendable private func sweepIncoming() async {
    do { incoming.sweep(present: try await queue.presentAttempts()) } catch {
      logger.error("files of lost workers can't be swept", metadata: ["error": "\(error)"])
    }
  }

  private func makeWorkers() -> [Worker] {
    let settings = WorkerSettings(
      modelsDirectory: parts.modelsDirectory, threads: settings.threads, memoryLimit: settings.memoryLimit)
    return Worker.several(
      self.settings.workers, queue: queue, broker: self.settings.broker, root: parts.root, catalogue: parts.catalogue,
      settings: settings, logger: logger)
  }

  private var router: Router<ServiceContext> {
    let router = Router(context: ServiceContext.self, options: [.autoGenerateHeadEndpoints])
    router.add(middleware: Answering(metrics: parts.metrics, page: book.page))
    router.add(middleware: BodyReading(questions: parts.catalogue.predictions.questions))
    router.add(middleware: Authentication(parts: parts))
    router.get("health") { _, _ in
      // A store that does not answer is no health.
      _ = try await parts.book.counts()
      return JSONResponse(["status": "ok"])
    }
    router.get("metrics") { _, context in
      _ = try context.user
      let text = parts.metrics.text(
        jobs: try await parts.book.counts(), watchers: parts.signals.watcherCount, predictions: parts.predictions.load)
      return Response(
        status: .ok, headers: [.contentType: "text/plain; version=0.0.4; charset=utf-8"],
        body: ResponseBody(byteBuffer: ByteBuffer(string: text)))
    }
    FormerInterface(parts: parts).add(to: router)
    let api = router.group("api/v1")
    AccountInterface(parts: parts).add(to: api)
    JobInterface(parts: parts).add(to: api)
    ModelInterface(parts: parts).add(to: api)
    PredictionInterface(parts: parts).add(to: api)
    WorkInterface(parts: parts, queue: queue, incoming: incoming, checksums: FileChecksums()).add(to: api)
    description.add(to: router)
    book.addAssets(to: router)
    AccountPages(parts: parts, book: book).add(to: router)
    TrainPages(parts: parts, book: book).add(to: router)
    JobPages(parts: parts, book: book).add(to: router)
    ModelPages(parts: parts, book: book).add(to: router)
    return router
  }
}
