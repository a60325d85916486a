// `ranker serve`: the training service on this machine.

import ArgumentParser
import Foundation
import Logging
import TrainingService

struct Serve: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Serve trainings over HTTP: a queue, workers, and an API, on one machine.",
    discussion: """
      Everything is in this one process and one SQLite file: accounts, jobs, what became of them. A training runs as a \
      process of its own; a killed server or training loses nothing, the next start goes on.

      The first start prints a link to create the first account. Ctrl-C lets trainings save their state.
      """)

  @OptionGroup var place: ServiceDatabaseOptions

  @Option(help: "The address to listen on; 0.0.0.0 for all.")
  var host = "127.0.0.1"

  @Option(help: "The port to listen on; 0 for a free one.")
  var port = 8080

  @Option(help: ArgumentHelp("The folder that trainings may read data from.", valueName: "directory"))
  var dataRoot = "."

  @Option(help: ArgumentHelp("The folder for models; made where it does not exist.", valueName: "directory"))
  var modelsDir = "ml_models"

  @OptionGroup var queue: QueueOptions

  @OptionGroup var trainings: TrainingOptions

  @Option(help: ArgumentHelp("Predictions that an account may ask for in a minute; 0 for no limit.", valueName: "n"))
  var predictionsPerMinute = PredictionSettings().perMinute

  @Option(help: ArgumentHelp("Megabytes that models for predictions may hold in memory.", valueName: "MB"))
  var predictionMemory = PredictionSettings().mostBytes >> 20

  @Option(
    help: ArgumentHelp(
      "Days after which the folders of failed and cancelled trainings are removed; 0 keeps them.", valueName: "days"))
  var sweepAfter = 14

  @Flag(help: "People reach this server by https only, through a proxy before it: mark cookies so.")
  var behindHttps = false

  @Flag(help: "Log as JSON, one object a line.")
  var logJson = false

  func validate() throws {
    guard (0...65_535).contains(port) else { throw ValidationError("--port is \(port); expected 0 to 65535.") }
    guard (0...36_500).contains(sweepAfter) else {
      throw ValidationError("--sweep-after is \(sweepAfter); expected 0 to 36500.")
    }
    guard (0...1_000_000).contains(predictionsPerMinute) else {
      throw ValidationError("--predictions-per-minute is \(predictionsPerMinute); expected 0 to 1000000.")
    }
    guard (1...1 << 20).contains(predictionMemory) else {
      throw ValidationError("--prediction-memory is \(predictionMemory); expected 1 to 1048576.")
    }
  }

  func run() throws {
    var settings = ServerSettings(database: place.database, dataRoot: dataRoot, modelsDirectory: modelsDir)
    settings.host = host
    settings.port = port
    settings.broker = try queue.broker()
    settings.workers = trainings.workers
    settings.threads = trainings.threadsEach
    settings.memoryLimit = trainings.memoryEach
    settings.isSecure = behindHttps
    settings.sweepAge = sweepAfter == 0 ? nil : .seconds(sweepAfter * 24 * 3600)
    settings.predictions.perMinute = predictionsPerMinute
    settings.predictions.mostBytes = predictionMemory << 20
    let logger = Logger.ranker(isJSON: logJson)
    let (host, scheme) = (host, behindHttps ? "https" : "http")
    let final = settings
    try waiting {
      let server = try await TrainingServer(final, catalogue: .own, logger: logger)
      try await server.run { port in
        let address = "\(scheme)://\(host.contains(":") ? "[\(host)]" : host):\(port)"
        print("Serving on \(address)")
        if let path = server.firstAccountPath { print("Create the first account: \(address)\(path)") }
        flushOutput()
      }
    }
  }
}

/// Where the service's records are.
struct ServiceDatabaseOptions: ParsableArguments {
  @Option(
    name: .customLong("database"),
    help: ArgumentHelp(
      """
      The database of accounts and jobs: a file, made where it does not exist, or \
      postgres://user:password@host:port/name. $PGPASSWORD and $DB_NAME stand in for what such an address leaves out.
      """, valueName: "file or address"))
  var database = "ranker-service.db"
}

/// Log lines as JSON objects on the standard error, for programs.
struct JSONLog: LogHandler {
  var metadata: Logger.Metadata = [:]
  var logLevel = Logger.Level.info
  var metadataProvider: Logger.MetadataProvider?

  subscript(metadataKey key: String) -> Logger.Metadata.Value? {
    get { metadata[key] }
    set { metadata[key] = newValue }
  }

  func log(event: LogEvent) {
    var line: [String: JSONValue] = [
      "at": .string(Moment.now.text), "level": .string(event.level.rawValue), "message": .string("\(event.message)"),
    ]
    for (key, value) in metadata.merging(event.metadata ?? [:], uniquingKeysWith: { $1 }) {
      line[key] = .string("\(value)")
    }
    remark(JSONValue.object(line).text)
  }
}
