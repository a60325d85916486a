// What can be wrong with a lexicon or with notes beyond single rows.

import Datasets

/// Why data for concept detection can't be used.
public enum ConceptDataError: Error, Sendable, Hashable {
  /// The lexicon is not as its form wants it; `problem` goes on behind the path.
  case badLexicon(path: String, problem: String)
  /// A concept of the lexicon can't be used.
  case badConcept(path: String, id: String, problem: String)
  case noNotes(path: String, expected: String, skipped: SkippedLines)
  /// None of the files that a data folder may hold is there.
  case noFile(folder: String, names: [String])
  /// The file is not in a form that is read; `problem` goes on behind the path.
  case badForm(path: String, problem: String)
  /// Labels name concepts that the lexicon does not have.
  case unknownConcept(path: String, id: String, lexicon: String)
}

extension ConceptDataError: CustomStringConvertible {
  public var description: String {
    switch self {
    case .badLexicon(let path, let problem): return "\(path) \(problem)"
    case .badConcept(let path, let id, let problem): return "\(path), concept \"\(id.shortened)\": \(problem)"
    case .noNotes(let path, let expected, let skipped):
      guard skipped.count > 0 else { return "\(path) holds no notes; \(expected) was expected" }
      let rows = skipped.count == 1 ? "its only row was left out" : "all \(skipped.count) rows were left out"
      return "\(path) holds no usable note: \(rows)" + skipped.examples.prefix(3).map { "\n  \($0)" }.joined()
    case .noFile(let folder, let names):
      return "there is no \(names.joined(separator: " or ")) in \(folder); name the folder that holds it"
    case .badForm(let path, let problem): return "\(path) \(problem)"
    case .unknownConcept(let path, let id, let lexicon):
      return
        "\(path) labels notes with \"\(id.shortened)\", which is no concept of \(lexicon); add it there, or take it out"
    }
  }
}
