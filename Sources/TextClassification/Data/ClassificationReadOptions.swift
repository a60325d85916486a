// How files of labelled texts are read.

import Datasets

/// The forms in which labelled texts come.
public enum ClassificationFormat: String, Sendable, Hashable, Codable {
  /// One JSON object with `samples`, an array of samples, or one a line.
  case json
  /// Lines of separated fields.
  case csv
}

/// How labelled texts are read.
public struct ClassificationReadOptions: Sendable {
  /// Makes the first bad row an error instead of leaving it out.
  public var isStrict: Bool
  /// What the columns of the file hold. Either names in the order of a delimited file's fields, as `text`, `labels`,
  /// `id` (others than those wanted are passed over), or, for any form, pairs such as `text=review`. Empty looks for the
  /// usual names.
  public var columns: [String]
  /// Between the fields of a line; nil looks.
  public var separator: String?
  /// Between the labels of a cell; nil looks at all cells (``LabelCells``).
  public var labelSeparator: String?
  /// Whether a delimited file begins with the names of its columns; nil looks.
  public var hasHeader: Bool?
  /// The labels that a model has, in its order: others are left out of the samples and counted. Nil takes those of the
  /// file.
  public var labels: [String]?
  /// Threads to parse on; nil for as many as the machine has processors, at most eight.
  public var threadCount: Int?
  /// How many of the rows left out are kept with their reason.
  public var keptProblems: Int

  public init(
    isStrict: Bool = false, columns: [String] = [], separator: String? = nil, labelSeparator: String? = nil,
    hasHeader: Bool? = nil, labels: [String]? = nil, threadCount: Int? = nil, keptProblems: Int = 20
  ) {
    self.isStrict = isStrict
    self.columns = columns
    self.separator = separator
    self.labelSeparator = labelSeparator
    self.hasHeader = hasHeader
    self.labels = labels
    self.threadCount = threadCount
    self.keptProblems = keptProblems
  }

  /// The part that every reader of files knows.
  var reading: ReadOptions {
    ReadOptions(isStrict: isStrict, threadCount: threadCount, keptProblems: keptProblems, keepsLines: true)
  }
}

/// The columns that labelled texts are read from.
struct ClassificationColumns {
  static let text = 0
  static let labels = 1
  static let confidence = 2
  static let variant = 3

  static let textColumn = TableColumn(
    "text", synonyms: ["sentence", "content", "body", "document", "abstract", "description"], content: .texts,
    isRequired: true)

  private let columns: [TableColumn]
  /// The names of a delimited file's fields, in order; empty where the file names them.
  let fieldNames: [String]

  init(_ options: ClassificationReadOptions) throws(ClassificationDataError) {
    var columns = [
      Self.textColumn,
      TableColumn(
        "taxonomy_codes",
        synonyms: [
          "taxonomyCodes", "labels", "label", "codes", "code", "categories", "category", "classes", "class", "tags",
          "topics",
        ],
        content: .idLists, isRequired: true),
      TableColumn("confidence", synonyms: ["weight", "sample_weight"], content: .numbers(above: 0)),
      TableColumn("variant_of", synonyms: ["variantOf"], content: .ids),
    ]
    do throws(ColumnNameProblem) { fieldNames = try columns.take(names: options.columns) } catch {
      throw .badColumns(error.description)
    }
    self.columns = columns
  }

  /// JSON has lists of labels; a field of a line holds them all in one text.
  func columns(for format: ClassificationFormat) -> [TableColumn] {
    var columns = columns
    if format == .csv { columns[Self.labels].content = .ids }
    return columns
  }
}
