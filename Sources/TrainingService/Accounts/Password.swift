// Passwords, as they are kept: scrypt (RFC 7914), by libcrypto.

import CCrypto
import Dispatch
import Foundation

/// A password's scrypt hash, in the form of PHC strings: `$scrypt$ln=15,r=8,p=3$salt$hash`. The cost stands in it, so
/// that a higher one may be asked for later without locking anyone out.
public struct Password: Sendable, Hashable {
  /// What a hash costs: `2^logarithm · r · 128` bytes of memory, `p` times as much work.
  public struct Cost: Sendable, Hashable {
    public var logarithm: Int
    public var blockSize: Int
    public var parallelism: Int

    public init(logarithm: Int, blockSize: Int, parallelism: Int) {
      self.logarithm = logarithm
      self.blockSize = blockSize
      self.parallelism = parallelism
    }

    /// One of the equivalent settings that OWASP's password storage cheat sheet names for scrypt: N = 2^15, r = 8,
    /// p = 3. It takes 32 MB, about 0.15 s on one core.
    public static let recommended = Cost(logarithm: 15, blockSize: 8, parallelism: 3)
  }

  /// What is stored.
  public let text: String

  public init(stored text: String) { self.text = text }

  /// Shorter ones are guessed (NIST SP 800-63B asks for 8, and for 15 where there is no second factor).
  static let leastLength = 10
  /// More than any person types; work that a stranger can ask for must have an end.
  static let greatestLength = 1024

  /// Hashes a password. It takes a while, on a thread of its own kind: at most one hash at a time, so that strangers who
  /// try passwords fill neither the memory nor all cores.
  public static func hash(_ password: String, cost: Cost = .recommended) async -> Password {
    let salt = Secrets.randomBytes(16)
    let key = await derive(password, salt: salt, cost: cost)
    let parameters = "ln=\(cost.logarithm),r=\(cost.blockSize),p=\(cost.parallelism)"
    return Password(stored: "$scrypt$\(parameters)$\(encoded(salt))$\(encoded(key))")
  }

  /// Whether this is the password that was hashed.
  public func isMatched(by password: String) async -> Bool {
    guard password.utf8.count <= Self.greatestLength, let (cost, salt, key) = parts else { return false }
    return Secrets.areEqual(await Self.derive(password, salt: salt, cost: cost), key)
  }

  /// Spends the time of a comparison where there is no account: how long an answer takes must not tell which there are.
  static func spendTime(on password: String, cost: Cost = .recommended) async {
    guard password.utf8.count <= greatestLength else { return }
    _ = await derive(password, salt: [UInt8](repeating: 0, count: 16), cost: cost)
  }

  private var parts: (cost: Cost, salt: [UInt8], key: [UInt8])? {
    let fields = text.split(separator: "$", omittingEmptySubsequences: true)
    guard fields.count == 4, fields[0] == "scrypt" else { return nil }
    var numbers: [Substring: Int] = [:]
    for field in fields[1].split(separator: ",") {
      let pair = field.split(separator: "=")
      if pair.count == 2 { numbers[pair[0]] = Int(pair[1]) }
    }
    guard let logarithm = numbers["ln"], let blockSize = numbers["r"], let parallelism = numbers["p"],
      (1...20).contains(logarithm), (1...32).contains(blockSize), (1...16).contains(parallelism),
      let salt = Self.decoded(fields[2]), let key = Self.decoded(fields[3])
    else { return nil }
    return (Cost(logarithm: logarithm, blockSize: blockSize, parallelism: parallelism), salt, key)
  }

  private static let queue = DispatchQueue(label: "passwords", qos: .utility)
  private static let keyLength = 32

  private static func derive(_ password: String, salt: [UInt8], cost: Cost) async -> [UInt8] {
    await withCheckedContinuation { continuation in
      queue.async {
        // The same password may be typed with composed or decomposed accents.
        let bytes = Array(password.precomposedStringWithCompatibilityMapping.utf8).map(CChar.init(bitPattern:))
        let key = [UInt8](unsafeUninitializedCapacity: keyLength) { buffer, count in
          let iterations = UInt64(1) << UInt64(cost.logarithm)
          let memory = 2 * 128 * UInt64(cost.blockSize) * (iterations + UInt64(cost.parallelism)) + (1 << 20)
          let derived = EVP_PBE_scrypt(
            bytes, bytes.count, salt, salt.count, iterations, UInt64(cost.blockSize), UInt64(cost.parallelism), memory,
            buffer.baseAddress, keyLength)
          precondition(derived == 1, "libcrypto failed at scrypt; is there memory left?")
          count = keyLength
        }
        continuation.resume(returning: key)
      }
    }
  }

  /// Base64 without padding, as PHC strings have it.
  private static func encoded(_ bytes: [UInt8]) -> String {
    Data(bytes).base64EncodedString().replacingOccurrences(of: "=", with: "")
  }

  private static func decoded(_ text: Substring) -> [UInt8]? {
    let padding = String(repeating: "=", count: (4 - text.count % 4) % 4)
    return Data(base64Encoded: text + padding).map(Array.init)
  }
}
