// A pretrained encoder in use: texts in, vectors out.

import Encoders
import Foundation
import Synchronization

/// Makes vectors of texts: the mean of an encoder's last hidden states over a text's tokens, of length 1, as
/// sentence-transformers' encoders with mean pooling do. Texts about alike things get vectors of about one direction.
///
/// ```swift
/// let embedder = TextEmbedder(directory: "encoders/all-MiniLM-L6-v2")
/// let vectors = try embedder.embed(["How stars are born", "A recipe for bread"])
/// ```
///
/// Making one costs nothing: the encoder is read when something is first asked, and kept. May be shared by any number of
/// tasks.
public final class TextEmbedder: Sendable {
  public let directory: String
  /// The most tokens of a text that are read; nil takes what the tokenizer says, or else all that the encoder has places
  /// for.
  public let maximumLength: Int?
  public let threads: Int?
  private let loaded = Mutex<Loaded?>(nil)

  public init(directory: String, maximumLength: Int? = nil, threads: Int? = nil) {
    self.directory = directory
    self.maximumLength = maximumLength
    self.threads = threads
  }

  private struct Loaded: Sendable {
    let width: Int
    let runner: TextRunner
  }

  /// How many numbers an embedding has.
  /// - Throws: `EncoderError`, `TokenizationError` and `CheckpointError` where the directory holds no encoder or a damaged
  ///   one; and so does everything below.
  public func width() throws -> Int { try model().width }

  /// The embeddings of texts, in their order.
  ///
  /// - Parameter progress: told how many more texts were taken.
  /// - Returns: for each text its embedding, and whether the text goes on behind what was read.
  /// - Throws: `TextUseError.blankText` for one with nothing to read.
  public func embed(
    _ texts: [String], progress: (Int) -> Void = { _ in }
  ) throws -> [(embedding: [Float], isTruncated: Bool)] {
    let model = try model()
    if let blank = texts.firstIndex(where: \.isBlank) { throw TextUseError.blankText(index: blank) }
    var embeddings: [(embedding: [Float], isTruncated: Bool)] = []
    embeddings.reserveCapacity(texts.count)
    for start in stride(from: 0, to: texts.count, by: Self.piece) {
      let piece = texts[start..<min(start + Self.piece, texts.count)]
      for row in try model.runner.rows(Array(piece)) { embeddings.append((row.values[0], row.isTruncated)) }
      progress(piece.count)
    }
    return embeddings
  }

  /// Enough texts to find some of like lengths.
  private static let piece = 512

  private func model() throws -> Loaded {
    try loaded.withLock { loaded in
      if let loaded { return loaded }
      let encoder = try PretrainedEncoder(directory: directory)
      let tokenizer = try encoder.tokenizer()
      let configuration = encoder.configuration
      let most = configuration.maximumLength
      if let maximumLength, !(3...most).contains(maximumLength) {
        throw TextUseError.invalidLength(found: maximumLength, maximum: most)
      }
      let length = maximumLength ?? tokenizer.settings.modelMaxLength.map { max(3, min($0, most)) } ?? most
      let model = Loaded(
        width: configuration.width,
        runner: try TextRunner(
          configuration.embeddingModel(encoder.parameters), tokenizer: tokenizer,
          outputs: [EncoderConfiguration.embeddingOutput], maximumLength: length, threads: threads))
      loaded = model
      return model
    }
  }
}
