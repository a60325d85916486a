// What can be wrong with a tokenizer's files, told so that a person can mend it.

import Files

/// Why a tokenizer can't be read, made or written.
public enum TokenizationError: Error, Hashable, Sendable {
  case file(FileError)
  /// A directory has neither `vocab.txt` nor `tokenizer.json`.
  case noVocabulary(directory: String)
  /// A line of a vocabulary, counted from 1, that can't be a token.
  case badToken(source: String, line: Int, problem: String)
  /// Two lines of a vocabulary are the same token.
  case duplicateToken(source: String, token: String, first: Int, second: Int)
  /// A token that a tokenizer can't do without is not in the vocabulary; `key` is its name in `tokenizer_config.json`.
  case missingToken(source: String, token: String, key: String)
  /// A file does not hold what is expected at this place.
  case malformed(path: String, place: String, found: String, expected: String)
  /// A file asks for something that is not done here.
  case unsupported(path: String, found: String, advice: String)
  /// A vocabulary can't be learnt as asked for.
  case untrainable(problem: String)
}

extension TokenizationError: CustomStringConvertible {
  public var description: String {
    switch self {
    case .file(let error): return error.description
    case .noVocabulary(let directory):
      return """
        \(directory): neither vocab.txt nor tokenizer.json is there; expected the directory of a BERT or DistilBERT \
        model as Hugging Face lays it out
        """
    case .badToken(let source, let line, let problem): return "\(source), line \(line): \(problem)"
    case .duplicateToken(let source, let token, let first, let second):
      return """
        \(source), line \(second): the token "\(token)" is also in line \(first); a token has one id, its line's: \
        rename one of them ([unused1] is usual), so that the ids of the others stay
        """
    case .missingToken(let source, let token, let key):
      let names = "name the token that the vocabulary has for it as \"\(key)\" in tokenizer_config.json"
      return """
        \(source): no line is "\(token)", the vocabulary's \(Self.role(key)); add the line where the model has its \
        embedding, or \(names)
        """
    case .malformed(let path, let place, let found, let expected):
      return "\(path): \(place): found \(found), expected \(expected)"
    case .unsupported(let path, let found, let advice): return "\(path): \(found) is not supported; \(advice)"
    case .untrainable(let problem): return "no vocabulary can be learnt: \(problem)"
    }
  }

  private static func role(_ key: String) -> String {
    switch key {
    case "unk_token": "token for words that it can't write"
    case "cls_token": "token at the start of every text"
    case "sep_token": "token at the end of every text"
    case "pad_token": "token that fills up shorter texts"
    default: "special token"
    }
  }
}
