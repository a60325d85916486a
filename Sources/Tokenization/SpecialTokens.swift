// Tokens that are found in a text as they are written, before anything is done to it.

/// The special tokens of a vocabulary, as they are looked for in a text: "[SEP]" in a text is the token [SEP].
///
/// The leftmost one counts, and the longest of those that start there.
struct SpecialTokens: Sendable {
  private struct Token {
    var bytes: [UInt8]
    var id: Int32
  }

  /// The longest first.
  private let tokens: [Token]
  /// Whether a token starts with a byte.
  let starts: [Bool]

  init(_ tokens: [(bytes: [UInt8], id: Int32)]) {
    var starts = [Bool](repeating: false, count: 256)
    for token in tokens { starts[Int(token.bytes[0])] = true }
    self.starts = starts
    self.tokens = tokens.map { Token(bytes: $0.bytes, id: $0.id) }.sorted { $0.bytes.count > $1.bytes.count }
  }

  /// The token that a text goes on with.
  func match(_ text: UnsafeBufferPointer<UInt8>, at position: Int) -> (id: Int32, count: Int)? {
    let left = text.count - position
    for token in tokens where token.bytes.count <= left && token.bytes[0] == text[position] {
      if token.bytes.indices.allSatisfy({ text[position + $0] == token.bytes[$0] }) {
        return (token.id, token.bytes.count)
      }
    }
    return nil
  }
}
