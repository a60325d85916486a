// The workers of a process, from its start until it is told to stop.

import Logging
import ServiceLifecycle
import UnixSignals

extension Worker {
  /// Workers of a database that this process has open.
  ///
  /// - Parameter broker: the RabbitMQ that hands the work out; nil where the workers take it from the database.
  public static func several(
    _ count: Int, queue: JobQueue, broker: BrokerAddress?, root: DataRoot, catalogue: TrainingCatalogue,
    settings: WorkerSettings, logger: Logger
  ) -> [Worker] {
    (0..<count).map { number in
      let source: any WorkSource =
        if let broker {
          BrokeredWork(queue, root: root, address: broker, logger: logger)
        } else {
          LocalWork(queue, root: root)
        }
      return Worker(
        name: WorkerName.own(number + 1), source: source, catalogue: catalogue, settings: settings, logger: logger)
    }
  }
}

/// Several workers at once.
public struct WorkerPool: Service {
  let workers: [Worker]
  let logger: Logger
  /// Done at the beginning, and every ten minutes. It also waits for the end where there are no workers.
  var upkeep: @Sendable () async -> Void = {}

  public init(workers: [Worker], logger: Logger) {
    self.workers = workers
    self.logger = logger
  }

  /// Works until the process is told to stop; trainings that run then save their state, and their jobs are given back.
  public func run() async throws {
    await cancelWhenGracefulShutdown {
      await withTaskGroup { group in
        for worker in workers { group.addTask { await worker.run() } }
        group.addTask {
          while !Task.isCancelled {
            await upkeep()
            try? await Task.sleep(for: .seconds(600))
          }
        }
      }
    }
  }

  /// Works until SIGTERM or SIGINT.
  public func runUntilSignalled() async throws {
    let group = ServiceGroup(
      configuration: ServiceGroupConfiguration(
        services: [.init(service: self)], gracefulShutdownSignals: [.sigterm, .sigint], logger: logger))
    try await group.run()
  }
}
