// `ranker worker`: trains a server's jobs on this machine.

import ArgumentParser
import Foundation
import Logging
import TrainingService

struct Work: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "worker", abstract: "Train a server's jobs on this machine.",
    discussion: """
      Work comes from the server over HTTP, and data too, where this machine does not have it (--data-root); models go \
      there. An administrator makes the token: ranker users token --worker.

      With --database, the worker uses the server's database itself, and the data's and the models' folders on a disk \
      that both have; --queue is the server's then.

      Ctrl-C lets trainings save their state; their jobs go on elsewhere. A worker that is killed loses nothing either: \
      its jobs go on from the last state that it sent.
      """)

  @Option(help: ArgumentHelp("The server (default: $RANKER_SERVER, or http://127.0.0.1:8080).", valueName: "url"))
  var server: String?

  @Option(help: ArgumentHelp("A worker's token (default: $RANKER_TOKEN).", valueName: "token"))
  var token: String?

  @Option(help: ArgumentHelp("The server's database, instead of the server.", valueName: "file or address"))
  var database: String?

  @OptionGroup var queue: QueueOptions

  @Option(
    help: ArgumentHelp(
      """
      The folder for data and trainings on this machine (default: ranker_worker); with --database the models' folder \
      (default: ml_models). Made where it does not exist.
      """, valueName: "directory"))
  var modelsDir: String?

  @Option(
    help: ArgumentHelp(
      """
      The server's data folder, where this machine has it too (default: data is fetched; with --database the working \
      directory).
      """, valueName: "directory"))
  var dataRoot: String?

  @Option(help: ArgumentHelp("Megabytes of fetched data that are kept for further jobs.", valueName: "MB"))
  var cacheLimit = 20_480

  @Option(
    help: ArgumentHelp(
      "How often a training's saved state is sent to the server, where it changed.", valueName: "seconds"))
  var stateInterval = 30

  @OptionGroup var trainings: TrainingOptions

  @Flag(help: "Log as JSON, one object a line.")
  var logJson = false

  func validate() throws {
    guard (1...10_000_000).contains(cacheLimit) else {
      throw ValidationError("--cache-limit is \(cacheLimit); expected 1 to 10000000.")
    }
    guard (1...86_400).contains(stateInterval) else {
      throw ValidationError("--state-interval is \(stateInterval); expected 1 to 86400.")
    }
    guard trainings.workers > 0 else { throw ValidationError("--workers is 0; expected 1 to 256.") }
    if database != nil, server != nil || token != nil {
      throw ValidationError("--database takes the place of --server and --token; give one or the other.")
    }
    if database == nil, queue.queue != nil {
      throw ValidationError("--queue goes with --database; over HTTP, the server hands out the work.")
    }
  }

  func run() throws {
    let logger = Logger.ranker(isJSON: logJson)
    if let database { try workDirectly(on: database, logger) } else { try workOverHTTP(logger) }
  }

  private func workDirectly(on database: String, _ logger: Logger) throws {
    let models = URL(fileURLWithPath: modelsDir ?? "ml_models").standardizedFileURL.path
    let (store, signals) = (try ServiceStore(database: database), JobSignals())
    store.relayNews(to: signals)
    let queue = JobQueue(store, signals: signals)
    let workers = Worker.several(
      trainings.workers, queue: queue, broker: try self.queue.broker(), root: try DataRoot(dataRoot ?? "."),
      catalogue: .own, settings: limits(models), logger: logger)
    print("Working for \(store.place)")
    flushOutput()
    try waiting { try await WorkerPool(workers: workers, logger: logger).runUntilSignalled() }
  }

  private func workOverHTTP(_ logger: Logger) throws {
    let environment = ProcessInfo.processInfo.environment
    guard let token = token ?? environment["RANKER_TOKEN"], !token.isEmpty else {
      throw ValidationError("No token: give --token or set RANKER_TOKEN; ranker users token --worker makes one.")
    }
    let address = server ?? environment["RANKER_SERVER"] ?? "http://127.0.0.1:8080"
    var settings = RemoteWorkSettings(server: address, token: token, scratch: modelsDir ?? "ranker_worker")
    settings.dataRoot = dataRoot
    settings.cacheLimit = Int64(cacheLimit) << 20
    settings.stateInterval = .seconds(stateInterval)
    let source = try RemoteWork(settings)
    let workers = (1...trainings.workers).map { number in
      Worker(
        name: WorkerName.own(number), source: source, catalogue: .own, settings: limits(source.jobsDirectory),
        logger: logger)
    }
    try waiting {
      do { try await source.checkAccess() } catch let error as WorkClientError {
        // A server that is not there yet is waited for; one that does not let this worker in, is not.
        guard case .noAnswer = error else { throw error }
        logger.warning("\(error)")
      }
      print("Working for \(address)")
      flushOutput()
      try await WorkerPool(workers: workers, logger: logger).runUntilSignalled()
    }
  }

  private func limits(_ models: String) -> WorkerSettings {
    WorkerSettings(modelsDirectory: models, threads: trainings.threadsEach, memoryLimit: trainings.memoryEach)
  }
}

/// What hands the work out.
struct QueueOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      """
      What hands the work out: embedded, or a RabbitMQ, amqp://user:password@host:port/vhost (default: $RANKER_QUEUE; \
      else the RabbitMQ at $RABBITMQ_HOST where that is set; else embedded). $RABBITMQ_HOST is also the host of an \
      address that has none.
      """, valueName: "queue"))
  var queue: String?

  /// The RabbitMQ; nil where the queue is in the database.
  func broker() throws -> BrokerAddress? {
    let environment = ProcessInfo.processInfo.environment.filter { !$0.value.isEmpty }
    let host = environment["RABBITMQ_HOST"]
    let address = queue ?? environment["RANKER_QUEUE"] ?? (host == nil ? "embedded" : "amqp://")
    return address == "embedded" ? nil : try BrokerAddress(address, host: host)
  }
}

/// How many trainings run at a time, and what each may use.
struct TrainingOptions: ParsableArguments {
  @Option(help: ArgumentHelp("Trainings at a time.", valueName: "n"))
  var workers = 1

  @Option(
    help: ArgumentHelp("Threads of each training (default: the cores, shared among the workers).", valueName: "n"))
  var threads: Int?

  @Option(
    help: ArgumentHelp(
      "Megabytes that a training may allocate; 0 for no limit (default: most of the memory, shared among the workers).",
      valueName: "MB"))
  var memoryLimit: Int?

  func validate() throws {
    guard (0...256).contains(workers) else { throw ValidationError("--workers is \(workers); expected 0 to 256.") }
    if let threads, threads < 1 { throw ValidationError("--threads is \(threads); expected 1 or more.") }
    if let memoryLimit, memoryLimit < 0 {
      throw ValidationError("--memory-limit is \(memoryLimit); expected 0 or more.")
    }
  }

  var threadsEach: Int { threads ?? max(1, ProcessInfo.processInfo.processorCount / max(1, workers)) }

  /// Nine tenths of the memory, shared: the service itself needs some.
  var memoryEach: Int? {
    if let memoryLimit { return memoryLimit == 0 ? nil : memoryLimit << 20 }
    return Int(ProcessInfo.processInfo.physicalMemory / 10 * 9) / max(1, workers)
  }
}

extension Logger {
  /// What the service and its workers log to: the standard error.
  static func ranker(isJSON: Bool) -> Logger {
    Logger(label: "ranker") { label -> any LogHandler in
      if isJSON { return JSONLog() }
      return StreamLogHandler.standardError(label: label)
    }
  }
}
