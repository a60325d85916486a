// Where RabbitMQ is, and who asks there.

import Foundation

/// The address of an AMQP 0-9-1 broker: `amqp://user:password@host:port/vhost`.
///
/// What is missing is as RabbitMQ has it: `guest`, `guest`, port 5672, the virtual host `/`. Its description has no
/// password, so that it may be logged.
public struct BrokerAddress: Sendable, Hashable, CustomStringConvertible {
  let host: String
  let port: Int
  let user: String
  let password: String
  let virtualHost: String

  /// - Parameters:
  ///   - text: the address; parts that have characters of their own meaning are percent-encoded.
  ///   - host: where the address has none.
  /// - Throws: ``BrokerError``.
  public init(_ text: String, host standardHost: String? = nil) throws(BrokerError) {
    guard let parts = URLComponents(string: text), let scheme = parts.scheme?.lowercased(), scheme.hasPrefix("amqp")
    else { throw .notAnAddress }
    guard scheme == "amqp" else { throw .encryptionIsAProxys }
    let named = parts.host.flatMap { $0.isEmpty ? nil : $0 }
    let path = parts.percentEncodedPath.dropFirst()
    guard !path.contains("/"), let virtualHost = path.removingPercentEncoding else { throw .notAnAddress }
    host = (named ?? standardHost.flatMap { $0.isEmpty ? nil : $0 } ?? "localhost")
      .trimmingCharacters(in: CharacterSet(charactersIn: "[]"))
    port = parts.port ?? 5672
    user = parts.user ?? "guest"
    password = parts.password ?? "guest"
    self.virtualHost = virtualHost.isEmpty ? "/" : virtualHost
    guard (1...65_535).contains(port) else { throw .notAnAddress }
  }

  public var description: String {
    "amqp://\(user)@\(host.contains(":") ? "[\(host)]" : host):\(port)\(virtualHost == "/" ? "" : "/\(virtualHost)")"
  }
}

/// Why RabbitMQ does not do what it is asked.
public enum BrokerError: Error, Sendable, Hashable {
  case notAnAddress
  case encryptionIsAProxys
  /// The connection is not there, or not any more; it is made again.
  case away(String)
  /// The broker answered, and refused.
  case refused(String)
}

extension BrokerError: CustomStringConvertible {
  public var description: String {
    switch self {
    case .notAnAddress:
      "the queue's address is none; expected \"embedded\" or one such as amqp://user:password@host:5672/vhost"
    case .encryptionIsAProxys:
      "amqps is not spoken; lead amqp through a tunnel that encrypts, or a network of your own"
    case .away(let reason): "RabbitMQ is away: \(reason)"
    case .refused(let reason): "RabbitMQ refuses: \(reason)"
    }
  }
}
