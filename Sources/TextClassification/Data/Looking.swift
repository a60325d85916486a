// Whether a file holds labelled texts, seen by its first bytes.

import Datasets

extension ClassificationDataset {
  /// Whether a file begins like one of labelled texts: its first bytes have a text and labels by their usual names, or
  /// `options.columns` names a text. False for a pipe, which can be read only once, and for what is no file.
  public static func seemsToBe(
    _ path: String, options: ClassificationReadOptions = ClassificationReadOptions()
  ) throws -> Bool {
    if options.columns.contains(where: { $0 == "text" || $0.hasPrefix("text=") }) { return true }
    guard path != "-" else { return false }
    let names = try DataFile(path: path).namesAtTheBeginning
    let columns = try ClassificationColumns(options).columns(for: .json)
    return [ClassificationColumns.text, ClassificationColumns.labels].allSatisfy { index in
      ([columns[index].name] + columns[index].synonyms).contains { names.contains($0.comparedInHeader) }
    }
  }
}
