// What the store refuses, told so that a person can act.

import DatabaseFiles
import GRDB

/// Why the store does not do what it was asked.
public enum StoreError: Error, Sendable, Hashable {
  /// No item has the id; `nearest` are the ids most like it.
  case unknownItem(id: String, nearest: [String])
  case comparedWithItself(id: String)
  case typesDiffer(idA: String, typeA: String, idB: String, typeB: String)
  /// The item is not of the type that the caller named.
  case unexpectedType(id: String, type: String, expected: String)
  case labelOutOfRange(Int)
  case unknownPair(id: Int64)
  /// The item can't be removed while pairs refer to it.
  case itemInUse(id: String, pairCount: Int)
  case notFinite(itemID: String, what: String)
  case emptyField(name: String)

  case noDatabase(path: String)
  /// The file can't be used.
  case file(DatabaseFileError)
}

extension StoreError: CustomStringConvertible {
  public var description: String {
    switch self {
    case .unknownItem(let id, let nearest):
      let suggestion =
        switch nearest.count {
        case 0: "ranker items list shows the ids that there are"
        case 1: "did you mean \"\(nearest[0])\"?"
        default: "did you mean one of \(nearest.map { "\"\($0)\"" }.joined(separator: ", "))?"
        }
      return "there is no item \"\(id)\"; \(suggestion)"
    case .comparedWithItself(let id):
      return "\"\(id)\" can't be compared with itself; name two different items"
    case .typesDiffer(let idA, let typeA, let idB, let typeB):
      return "\"\(idA)\" is of type \"\(typeA)\" and \"\(idB)\" of type \"\(typeB)\"; "
        + "only items of one type are compared"
    case .unexpectedType(let id, let type, let expected):
      return "\"\(id)\" is of type \"\(type)\", not \"\(expected)\""
    case .labelOutOfRange(let label):
      return "the label \(label) is not one of 1 (A preferred), 0 (equal) and -1 (B preferred)"
    case .unknownPair(let id):
      return "there is no pair \(id); ranker pairs list shows the numbers that there are"
    case .itemInUse(let id, let pairCount):
      return "\(pairCount) pair\(pairCount == 1 ? " refers" : "s refer") to \"\(id)\"; remove "
        + "\(pairCount == 1 ? "it" : "them") with the item by --cascade"
    case .notFinite(let itemID, let what):
      return "\(what) of item \"\(itemID)\" is NaN or infinite; every number must be finite"
    case .emptyField(let name): return "\(name) must not be empty"
    case .noDatabase(let path):
      return "there is no database at \(path); ranker items import FILE.jsonl makes one "
        + "(another place: --database or RANKER_DATABASE)"
    case .file(let error): return "\(error)"
    }
  }

  /// SQLite's error, as what it means to a person.
  init(_ error: DatabaseError, path: String) {
    self = .file(DatabaseFileError(error, path: path, patience: PreferenceStore.patience))
  }
}
