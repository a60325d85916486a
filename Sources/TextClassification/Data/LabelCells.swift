// Labels in one field of a line: what stands between them.

/// Takes the labels of a cell apart.
///
/// Where no separator is named, all cells of the file decide: the first of semicolon, bar and comma that occurs in any of
/// them separates in all. Blanks separate only where none of these does, as a label may be of several words.
public struct LabelCells: Sendable, Hashable {
  /// What stands between two labels; a blank stands for white space of any length.
  public let separator: String
  /// The first cell that blanks take apart where nobody said so; nil where none does.
  public let firstGuess: String?

  /// - Parameter cells: the distinct cells of the file.
  public init(_ cells: [String], separator: String? = nil) {
    if let separator {
      self.separator = separator
      firstGuess = nil
      return
    }
    let marks: [Character] = [";", "|", ","]
    let found = marks.first { mark in cells.contains { $0.contains(mark) } }
    self.separator = found.map { String($0) } ?? " "
    firstGuess = found == nil ? cells.first { $0.contains(where: \.isWhitespace) } : nil
  }

  /// The labels of a cell, white space around them taken off, empty ones left out.
  public func labels(of cell: String) -> [String] {
    let parts =
      separator == " " ? cell.split(whereSeparator: \.isWhitespace) : Self.split(cell[...], at: separator)
    return parts.map(Self.trimmed).filter { !$0.isEmpty }
  }

  private static func split(_ text: Substring, at separator: String) -> [Substring] {
    if separator.count == 1, let mark = separator.first { return text.split(separator: mark) }
    return text.split(separator: separator)
  }

  static func trimmed(_ text: Substring) -> String {
    var text = text
    while text.first?.isWhitespace == true { text.removeFirst() }
    while text.last?.isWhitespace == true { text.removeLast() }
    return String(text)
  }
}
