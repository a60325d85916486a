// What goes wrong with a pretrained encoder, told so that a person can mend it.

/// An error of reading, writing or building an encoder: which file, what was found, what was expected, what to try.
public enum EncoderError: Error, Sendable, Hashable {
  /// `config.json` cannot be used.
  case invalidConfiguration(path: String, problem: String)
  /// A directory is not that of an encoder.
  case notAnEncoder(path: String, problem: String)
  /// The tensors of a file are not those of the network that `config.json` describes.
  case parametersDoNotFit(path: String, problems: [String])
  /// The vocabulary names a token that the embedding table has no row for.
  case vocabularyDoesNotFit(path: String, tokens: Int, rows: Int)
  /// No encoder was named, and the one that is used then is not there.
  case noDefaultEncoder(path: String)
}

extension EncoderError: CustomStringConvertible {
  public var description: String {
    switch self {
    case .invalidConfiguration(let path, let problem): "\(path): \(problem)"
    case .notAnEncoder(let path, let problem):
      "\(path) is no directory of an encoder: \(problem). It holds config.json, vocab.txt and model.safetensors or "
        + "pytorch_model.bin, as Hugging Face's save_pretrained writes them"
    case .parametersDoNotFit(let path, let problems):
      "\(path) does not hold the network that its config.json describes:\n  "
        + Self.shortened(problems).joined(separator: "\n  ")
    case .vocabularyDoesNotFit(let path, let tokens, let rows):
      "\(path) has \(tokens) tokens, and the embedding table only \(rows) rows: they are of different models; take the "
        + "vocab.txt that came with the weights"
    case .noDefaultEncoder(let path):
      "no encoder was named, and there is none at \(path): obtain it with tools/fetch-encoder, name the directory of "
        + "another with --encoder, or train a small one with --from-scratch"
    }
  }

  /// Enough lines to see what is wrong; a file of another network lacks every tensor.
  private static func shortened(_ problems: [String]) -> [String] {
    let most = 12
    guard problems.count > most else { return problems }
    return problems.prefix(most) + ["… and \(problems.count - most) more"]
  }
}
