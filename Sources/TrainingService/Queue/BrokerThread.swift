// A thread that keeps a connection to RabbitMQ: makes it, makes it again, and does on it what others ask for.

import Foundation
import Glibc
import Logging
import Synchronization

/// A connection that comes back. librabbitmq blocks, so it has a thread of its own, which ends with this value.
final class BrokerThread: Sendable {
  /// What is done with the connection.
  struct Role: Sendable {
    /// After it was made.
    var begin: @Sendable (BrokerConnection) throws -> Void
    /// A message came.
    var received: @Sendable (BrokerConnection.Delivery) -> Void = { _ in }
    /// It is gone, and with it all messages that were not settled: the broker gives them out again.
    var lost: @Sendable () -> Void = {}
  }

  private let core: Core

  init(_ address: BrokerAddress, role: Role, logger: Logger) {
    let core = Core(address: address, role: role, logger: logger)
    self.core = core
    let thread = Thread { core.run() }
    thread.name = "rabbitmq"
    thread.start()
  }

  deinit { core.stop() }

  /// Does something with the connection, on its thread.
  /// - Throws: `BrokerError.away` at once where there is none.
  func perform<Value: Sendable>(
    _ body: @escaping @Sendable (BrokerConnection) throws -> Value
  ) async throws -> Value {
    try await withCheckedThrowingContinuation { continuation in
      core.add { connection in
        guard let connection else {
          continuation.resume(throwing: BrokerError.away("there is no connection"))
          return
        }
        let result = Result { try body(connection) }
        continuation.resume(with: result)
        _ = try result.get()
      }
    }
  }

  /// The thread's own part, which does not keep the value above alive.
  private final class Core: Sendable {
    /// Told the connection, or that there is none. Where it throws, the connection is dropped.
    typealias Order = @Sendable (BrokerConnection?) throws -> Void

    private struct State {
      var orders: [Order] = []
      var isStopped = false
    }

    private let state = Mutex(State())
    /// A byte comes where there is something to look for.
    private let wake: Int32
    private let bell: Int32
    private let address: BrokerAddress
    private let role: Role
    private let logger: Logger

    init(address: BrokerAddress, role: Role, logger: Logger) {
      (wake, bell) = Self.pipe()
      self.address = address
      self.role = role
      self.logger = logger
    }

    deinit {
      close(wake)
      close(bell)
    }

    /// A pipe that nobody waits for: a bell that rings already need not be rung again.
    private static func pipe() -> (Int32, Int32) {
      var ends: [Int32] = [-1, -1]
      Glibc.pipe(&ends)
      for end in ends {
        _ = fcntl(end, F_SETFD, FD_CLOEXEC)
        _ = fcntl(end, F_SETFL, O_NONBLOCK)
      }
      return (ends[0], ends[1])
    }

    private func ring() { write(bell, [1], 1) }

    func add(_ order: @escaping Order) {
      let isStopped = state.withLock { state in
        if !state.isStopped { state.orders.append(order) }
        return state.isStopped
      }
      if isStopped { try? order(nil) }
      ring()
    }

    func stop() {
      state.withLock { $0.isStopped = true }
      ring()
    }

    private var isStopped: Bool { state.withLock { $0.isStopped } }

    private func takeOrders() -> [Order] {
      var bytes = [UInt8](repeating: 0, count: 64)
      while read(wake, &bytes, bytes.count) == bytes.count {}
      return state.withLock { state in
        defer { state.orders = [] }
        return state.orders
      }
    }

    func run() {
      var delays = BackOff()
      while !isStopped {
        do {
          let connection = try BrokerConnection(address)
          try role.begin(connection)
          logger.info("connected to RabbitMQ", metadata: ["address": "\(address)"])
          delays = BackOff()
          defer { role.lost() }
          try serve(connection)
        } catch {
          logger.warning("no connection to RabbitMQ", metadata: ["error": "\(error)"])
          rest(for: delays.next())
        }
      }
      for order in takeOrders() { try? order(nil) }
    }

    private func serve(_ connection: BrokerConnection) throws {
      while !isStopped {
        let orders = takeOrders()
        for (index, order) in orders.enumerated() {
          do { try order(connection) } catch {
            for left in orders[(index + 1)...] { try? left(nil) }
            throw error
          }
        }
        if let delivery = try connection.receive() {
          role.received(delivery)
        } else if orders.isEmpty {
          connection.wait(orFor: wake)
        }
      }
    }

    /// Waits, while who asks hears that there is no connection.
    private func rest(for time: Duration) {
      let deadline = ContinuousClock.now + time
      while !isStopped {
        for order in takeOrders() { try? order(nil) }
        let left = (deadline - .now).milliseconds
        guard left > 0 else { return }
        var request = pollfd(fd: wake, events: Int16(POLLIN), revents: 0)
        poll(&request, 1, Int32(left))
      }
    }
  }
}
