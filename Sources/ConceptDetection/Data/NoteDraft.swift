// From columns to notes, with an eye on what is odd about them.

import Datasets

/// The rows of a file as a table whose columns are those of ``NoteColumns``.
struct NoteRows {
  let table: Table
  let skipped: SkippedLines

  init(parquet path: String, columns: NoteColumns, options: NoteReadOptions) throws {
    let read = try ParquetTableFile(path: path, columns: columns.columns(for: .parquet), options: options.reading)
    (table, skipped) = (read.table, read.skipped)
  }

  init(json file: DataFile, columns: NoteColumns, options: NoteReadOptions) throws {
    let read = try JSONTableFile(
      file, sections: [("notes", .rows(columns.columns(for: .json)))], options: options.reading)
    (table, skipped) = (read.tables[0], read.skipped)
  }

  init(delimited file: DataFile, columns: NoteColumns, options: NoteReadOptions) throws {
    do throws(DatasetError) {
      let read = try DelimitedFile(
        file, columns: columns.columns(for: .csv), delimited: DelimitedOptions(fieldNames: columns.fieldNames),
        options: options.reading)
      (table, skipped) = (read.table, read.skipped)
    } catch {
      guard case .empty(let path) = error else { throw error }
      throw ConceptDataError.noNotes(path: path, expected: columns.expectation, skipped: SkippedLines())
    }
  }
}

/// Notes in the making.
struct NoteDraft {
  private(set) var notes: [Note] = []
  private(set) var labels: [String] = []
  private(set) var redactions = RedactionCounts()
  private(set) var skipped: SkippedLines
  private(set) var warnings: [String] = []
  private var missingColumns: [String] = []

  /// - Throws: with `options.isStrict` for the first row that can't be used, and for a label that is unknown.
  init(_ rows: NoteRows, path: String, options: NoteReadOptions) throws {
    let table = rows.table
    skipped = rows.skipped
    guard case .ids(let textPlaces, let texts) = table.columns[NoteColumns.text] else { return }
    let languages = Self.optionalTexts(table.columns[NoteColumns.language])
    let clients = Self.optionalTexts(table.columns[NoteColumns.client])
    if languages == nil { missingColumns.append("language") }
    if clients == nil { missingColumns.append("client_id") }
    if options.isLabelled, table.columns[NoteColumns.concepts] == .absent {
      throw ConceptDataError.badForm(
        path: path, problem: "has no column \"concepts\" with the concepts that a person found in each note")
    }
    var concepts = options.isLabelled ? NoteConcepts(table.columns[NoteColumns.concepts]) : nil
    if let used = concepts?.used {
      labels = options.labels ?? used.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
      let known = Set(labels)
      if let unknown = used.first(where: { !known.contains($0) }) {
        throw ConceptDataError.unknownConcept(path: path, id: unknown, lexicon: "the lexicon")
      }
      concepts?.number(by: labels)
    }

    // Repeated texts are redacted once.
    var cleaned: [(text: String, counts: RedactionCounts, hasSentence: Bool)?] = .init(
      repeating: nil, count: texts.count)
    notes.reserveCapacity(table.rowCount)
    for row in 0..<table.rowCount {
      let place = Int(textPlaces[row])
      if cleaned[place] == nil {
        var counts = RedactionCounts()
        let text = options.redacts ? Redaction.redact(texts[place], counting: &counts) : texts[place]
        cleaned[place] = (text, counts, !SentenceSplitter.sentences(of: text).isEmpty)
      }
      let found = cleaned[place]!
      guard found.hasSentence else {
        let problem = LineProblem(
          line: table.lines[row],
          message: "\"text\" has no sentence: there is no word in \"\(found.text.shortened)\"")
        if options.isStrict { throw DatasetError.badLine(path: path, problem: problem) }
        skipped.add(problem, keeping: options.keptProblems)
        continue
      }
      redactions += found.counts
      notes.append(
        Note(
          text: found.text, language: languages?(row), clientID: clients?(row), concepts: concepts?.places(of: row)))
    }
  }

  /// For a row its text; nil where no row has any.
  private static func optionalTexts(_ values: Table.Values) -> ((Int) -> String?)? {
    guard case .ids(let places, let texts) = values else { return nil }
    return { row in places[row] < 0 ? nil : texts[Int(places[row])] }
  }

  /// Notes what is odd about the whole.
  mutating func judge(fewNotes: Int) {
    if notes.count < fewNotes {
      warnings.append(
        "there \(notes.count == 1 ? "is only 1 note" : "are only \(notes.count) notes"); a model sees few contexts in "
          + "fewer than \(fewNotes)")
    }
    for (name, purpose) in [("language", "measures for each language"), ("client_id", "whose note it is")] {
      if missingColumns.contains(name) {
        warnings.append("there is no column \"\(name)\": \(purpose) can't be told")
        continue
      }
      let missing = notes.count { (name == "language" ? $0.language : $0.clientID) == nil }
      if missing > 0 { warnings.append("\(missing) of \(notes.count) notes have no \(name)") }
    }
    let distinct = Set(notes.lazy.map(\.text)).count
    if distinct < notes.count {
      warnings.append("\(notes.count - distinct) of \(notes.count) notes repeat another's text")
    }
  }
}

/// The concepts of a table's rows, whether they come as lists or as texts with bars.
private struct NoteConcepts {
  private var texts: [String] = []
  /// For each list places in `texts`.
  private var lists: [[Int]] = []
  /// For each row its list, -1 where it has none; nil where each row has its own.
  private var listOfRow: [Int32]?
  private var placeOfText: [Int] = []

  init(_ values: Table.Values) {
    var places: [String: Int] = [:]
    var texts: [String] = []
    func place(_ text: some StringProtocol) -> Int? {
      let id = composed(text.split(whereSeparator: \.isWhitespace).joined(separator: " "))
      if id.isEmpty { return nil }
      if places[id] == nil {
        places[id] = texts.count
        texts.append(id)
      }
      return places[id]
    }
    switch values {
    case .idLists(let offsets, let found, let ids):
      let placeOfID = ids.map { place($0) }
      lists = offsets.indices.dropLast().map { row in
        found[offsets[row]..<offsets[row + 1]].compactMap { placeOfID[Int($0)] }
      }
    case .ids(let rows, let cells):
      lists = cells.map { cell in cell.split(separator: "|").compactMap { place($0) } }
      listOfRow = rows
    case .absent, .numbers, .times: break
    }
    self.texts = texts
  }

  var used: [String] { texts }

  mutating func number(by labels: [String]) {
    let places = Dictionary(labels.enumerated().map { ($1, $0) }) { first, _ in first }
    placeOfText = texts.map { places[$0]! }
  }

  func places(of row: Int) -> [Int] {
    let list = listOfRow.map { Int($0[row]) } ?? row
    guard lists.indices.contains(list) else { return [] }
    return Set(lists[list].map { placeOfText[$0] }).sorted()
  }
}
