// Random tokens, signatures and comparisons that give nothing away; the cryptography is libcrypto's.

import CCrypto
import Checkpoints
import Foundation

/// What is not to be guessed, and how it is kept.
enum Secrets {
  /// 256 random bits from the system (`getrandom`), as 43 characters of base64url.
  static func token() -> String { base64URL(randomBytes(32)) }

  static func randomBytes(_ count: Int) -> [UInt8] {
    var generator = SystemRandomNumberGenerator()
    return (0..<count).map { _ in UInt8.random(in: .min ... .max, using: &generator) }
  }

  /// What is stored of a token: it has 256 bits of its own, so neither salt nor a slow hash is needed.
  static func hash(_ token: String) -> String { SHA256.hexadecimal(of: Array(token.utf8)) }

  /// Whether two texts are equal, in a time that depends on their lengths only.
  static func areEqual(_ a: [UInt8], _ b: [UInt8]) -> Bool {
    a.count == b.count && CRYPTO_memcmp(a, b, a.count) == 0
  }

  static func areEqual(_ a: String, _ b: String) -> Bool { areEqual(Array(a.utf8), Array(b.utf8)) }

  /// HMAC-SHA256 (RFC 2104) of a text.
  static func authenticationCode(of text: String, key: [UInt8]) -> [UInt8] {
    let bytes = Array(text.utf8)
    return [UInt8](unsafeUninitializedCapacity: Int(EVP_MAX_MD_SIZE)) { buffer, count in
      var size: UInt32 = 0
      let code = HMAC(EVP_sha256(), key, Int32(key.count), bytes, bytes.count, buffer.baseAddress, &size)
      precondition(code != nil, "libcrypto has no HMAC-SHA256")
      count = Int(size)
    }
  }

  /// `text.signature`.
  static func signed(_ text: String, key: [UInt8]) -> String {
    "\(text).\(base64URL(authenticationCode(of: text, key: key)))"
  }

  /// The text of a signed one; nil where the signature is not by this key.
  static func verified(_ signed: String, key: [UInt8]) -> String? {
    guard let dot = signed.lastIndex(of: ".") else { return nil }
    let text = String(signed[..<dot])
    return areEqual(Secrets.signed(text, key: key), signed) ? text : nil
  }

  /// RFC 4648, section 5, without padding.
  static func base64URL(_ bytes: [UInt8]) -> String {
    Data(bytes).base64EncodedString().replacingOccurrences(of: "+", with: "-")
      .replacingOccurrences(of: "/", with: "_").replacingOccurrences(of: "=", with: "")
  }
}
