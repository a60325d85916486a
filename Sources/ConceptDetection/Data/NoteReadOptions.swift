// How files of notes are read.

import Datasets

/// How notes are read.
public struct NoteReadOptions: Sendable {
  /// Makes the first bad row an error instead of leaving it out.
  public var isStrict: Bool
  /// What the columns of the file hold. Either names in the order of a delimited file's fields, as `text`, `language`,
  /// or, for any form, pairs such as `text=remark`. Empty looks for the usual names.
  public var columns: [String]
  /// Reads what a person found in each note, from the column `concepts`: a list of ids in JSON, and in other forms one
  /// text with bars between them. A note without any is one in which none was found.
  public var isLabelled: Bool
  /// The concepts that labels may name, in the order of their places; another one is an error. Nil takes what the file
  /// has.
  public var labels: [String]?
  /// Keeps e-mail addresses, telephone, card and account numbers out of the texts (``Redaction``).
  public var redacts: Bool
  /// Threads to parse on; nil for as many as the machine has processors, at most eight.
  public var threadCount: Int?
  /// How many of the rows left out are kept with their reason.
  public var keptProblems: Int

  public init(
    isStrict: Bool = false, columns: [String] = [], isLabelled: Bool = false, labels: [String]? = nil,
    redacts: Bool = true, threadCount: Int? = nil, keptProblems: Int = 20
  ) {
    self.isStrict = isStrict
    self.columns = columns
    self.isLabelled = isLabelled
    self.labels = labels
    self.redacts = redacts
    self.threadCount = threadCount
    self.keptProblems = keptProblems
  }

  /// The part that every reader of files knows.
  var reading: ReadOptions {
    ReadOptions(isStrict: isStrict, threadCount: threadCount, keptProblems: keptProblems, keepsLines: true)
  }
}

/// The columns that notes are read from.
struct NoteColumns {
  static let text = 0
  static let language = 1
  static let client = 2
  static let concepts = 3

  private let columns: [TableColumn]
  private let isLabelled: Bool
  /// The names of a delimited file's fields, in order; empty where the file names them.
  let fieldNames: [String]

  init(_ options: NoteReadOptions) throws(ConceptDataError) {
    var columns = [
      TableColumn("text", synonyms: ["note", "content", "body", "remark"], content: .texts, isRequired: true),
      TableColumn("language", synonyms: ["lang", "locale"], content: .ids),
      TableColumn("client_id", synonyms: ["clientId", "client", "customer_id", "customer"], content: .ids),
    ]
    if options.isLabelled {
      // An empty field of a line is a value that is not there: a note in which nothing was found.
      columns.append(TableColumn("concepts", synonyms: ["labels", "concept_ids"], content: .idLists))
    }
    do throws(ColumnNameProblem) { fieldNames = try columns.take(names: options.columns) } catch {
      throw .badForm(path: "the notes", problem: "can't be read with the columns that were named: \(error.description)")
    }
    self.columns = columns
    isLabelled = options.isLabelled
  }

  /// JSON has lists of concepts; elsewhere one text holds them all.
  func columns(for format: NoteFormat) -> [TableColumn] {
    var columns = columns
    if isLabelled, format != .json { columns[Self.concepts].content = .ids }
    return columns
  }

  /// What a file of notes holds, in a message.
  var expectation: String { "at least one note with a \(columns.map { "\"\($0.name)\"" }.joined(separator: ", "))" }
}
