// What a person says that the columns of a file hold.

/// Names of columns that can't be understood; the message says what was expected.
public struct ColumnNameProblem: Error, Sendable, Hashable, CustomStringConvertible {
  public let description: String
}

extension [TableColumn] {
  /// Takes what a person said about the columns: either their names in the order of a delimited file's fields, or, for
  /// files that name their columns, what each wanted one is called there, as `text=review`.
  ///
  /// - Parameter others: names that may be mapped beside those of the columns; told in the message.
  /// - Returns: the names of the fields in order; empty where columns were mapped, or nothing was said.
  public mutating func take(
    names: [String], besides others: [String] = []
  ) throws(ColumnNameProblem) -> [String] {
    let mapped = names.filter { $0.contains("=") }
    if mapped.isEmpty { return names }
    guard mapped.count == names.count else {
      throw ColumnNameProblem(
        description: "either all are names in order, or all are of the form \(first?.name ?? "name")=name; found both")
    }
    for entry in mapped {
      let parts = entry.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
      guard let index = firstIndex(where: { $0.name == parts[0] || $0.synonyms.contains(parts[0]) }),
        !parts[1].isEmpty
      else {
        let known = map(\.name) + others
        let list = known.count > 1 ? "\(known.dropLast().joined(separator: ", ")) and \(known.last!)" : known.joined()
        throw ColumnNameProblem(description: "\(entry) names no column; there are \(list)")
      }
      self[index].source = parts[1]
    }
    return []
  }
}
