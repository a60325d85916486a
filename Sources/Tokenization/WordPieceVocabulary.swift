// The tokens of a WordPiece tokenizer and their ids.

import Files

/// The tokens of a WordPiece vocabulary; a token's id is its place. Tokens that go on within a word begin with "##".
public struct WordPieceVocabulary: Sendable {
  /// Where the vocabulary comes from, for messages.
  let source: String
  private let tokens: TokenBytes
  let trie: PieceTrie

  /// A vocabulary from tokens in the order of their ids.
  ///
  /// - Throws: `TokenizationError` where a token is there twice or holds a line break.
  public init(tokens: [String]) throws(TokenizationError) {
    var bytes = TokenBytes()
    for token in tokens { bytes.append(token.utf8) }
    try self.init(bytes, source: "the vocabulary")
  }

  /// Reads a `vocab.txt`: a token a line, the first one's id 0, in UTF-8.
  ///
  /// - Throws: `TokenizationError` where the file can't be read, is empty, is not UTF-8 or names a token twice.
  public init(contentsOf path: String) throws(TokenizationError) {
    var tokens = TokenBytes()
    do throws(FileError) {
      try MappedFile(path: path).withUnsafeBytes { file in
        // Only these end a line: other separators, such as U+2028, are tokens of some vocabularies.
        for line in file.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false) {
          tokens.append(line.last == UInt8(ascii: "\r") ? line.dropLast() : line)
        }
        if file.last == UInt8(ascii: "\n") || file.isEmpty { tokens.removeLast() }
      }
    } catch {
      throw .file(error)
    }
    try self.init(tokens, source: path)
  }

  init(_ tokens: TokenBytes, source: String) throws(TokenizationError) {
    guard tokens.count > 0 else { throw .badToken(source: source, line: 1, problem: "there is no token") }
    guard tokens.count <= Int32.max, tokens.bytes.count < Int32.max >> 3 else {
      throw .badToken(source: source, line: tokens.count, problem: "the vocabulary is too large for ids of 32 bits")
    }
    for index in 0..<tokens.count {
      let token = tokens[index]
      if let place = Self.firstInvalid(token) {
        let byte = String(token[token.startIndex + place], radix: 16, uppercase: true)
        throw .badToken(
          source: source, line: index + 1,
          problem: "byte \(place + 1) (0x\(byte)) is not valid UTF-8; save the vocabulary as UTF-8")
      }
      if token.contains(UInt8(ascii: "\n")) || token.last == UInt8(ascii: "\r") {
        throw .badToken(
          source: source, line: index + 1, problem: "the token has a line break, which no vocab.txt can hold")
      }
    }
    let order = tokens.sortedOrder()
    // The pair that a reader of the file meets first.
    let duplicate = zip(order, order.dropFirst()).filter { tokens[Int($0)] == tokens[Int($1)] }.min { $0.1 < $1.1 }
    if let (first, second) = duplicate {
      throw .duplicateToken(
        source: source, token: tokens.string(Int(first)), first: Int(first) + 1, second: Int(second) + 1)
    }
    self.source = source
    self.tokens = tokens
    trie = PieceTrie(tokens, order: order)
  }

  /// The number of tokens: ids are 0 to `count - 1`.
  public var count: Int { tokens.count }

  /// The token of an id.
  public subscript(id: Int32) -> String { tokens.string(Int(id)) }

  /// The id of a token, nil where the vocabulary does not have it.
  public func id(of token: String) -> Int32? {
    let node = token.isEmpty ? -1 : trie.node(token.utf8)
    return node >= 0 && trie.id(at: node) >= 0 ? trie.id(at: node) : nil
  }

  /// The tokens in the order of their ids.
  public var allTokens: [String] { (0..<tokens.count).map { tokens.string($0) } }

  /// This vocabulary with more tokens behind its own.
  func appending(_ more: [String]) throws(TokenizationError) -> WordPieceVocabulary {
    var tokens = tokens
    for token in more { tokens.append(token.utf8) }
    return try WordPieceVocabulary(tokens, source: source)
  }

  /// Writes a `vocab.txt`. The file appears whole.
  public func write(to path: String) throws(TokenizationError) {
    var text: [UInt8] = []
    text.reserveCapacity(tokens.bytes.count + tokens.count)
    for index in 0..<tokens.count {
      text += tokens[index]
      text.append(UInt8(ascii: "\n"))
    }
    try writeFile(text, to: path)
  }

  /// Where bytes stop being UTF-8: where repairing them changes something.
  private static func firstInvalid(_ bytes: ArraySlice<UInt8>) -> Int? {
    if bytes.allSatisfy({ $0 < 0x80 }) || String(validating: bytes, as: UTF8.self) != nil { return nil }
    let repaired = String(decoding: bytes, as: UTF8.self).utf8
    return zip(bytes, repaired).enumerated().first { $0.element.0 != $0.element.1 }?.offset ?? bytes.count - 1
  }
}

/// Writes a file that appears whole.
func writeFile(_ bytes: [UInt8], to path: String) throws(TokenizationError) {
  do {
    try AtomicFile.write(to: path) { try $0.write(bytes) }
  } catch let error as FileError {
    throw .file(error)
  } catch {
    fatalError("writing \(path) fails with another error than a FileError: \(error)")
  }
}
