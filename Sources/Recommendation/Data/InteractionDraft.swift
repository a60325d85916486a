// From columns to interactions, with an eye on what is odd about them.

import Datasets

/// Interactions in the making.
struct InteractionDraft {
  var interactions: Interactions
  var kinds: InteractionKinds?
  var heldOut: [HeldOutCase] = []
  var skipped = SkippedLines()
  var duplicateCount = 0
  var warnings: [String] = []
  var notes: [String] = []

  /// Takes a table whose columns are those of ``InteractionColumns``.
  init(_ table: Table, skipped: SkippedLines) {
    self.skipped = skipped
    var users = Vocabulary()
    var items = Vocabulary()
    let userIndices = Self.places(table.columns[InteractionColumns.user], in: &users)
    let itemIndices = Self.places(table.columns[InteractionColumns.item], in: &items)

    var strengths = [Float](repeating: 1, count: table.rowCount)
    if case .numbers(let numbers) = table.columns[InteractionColumns.strength] {
      strengths = numbers
      var missing = 0
      for row in strengths.indices where strengths[row].isNaN {
        strengths[row] = 1
        missing += 1
      }
      if missing > 0 {
        warnings.append("\(missing) of \(table.rowCount) interactions have no implicit_rating; theirs is taken as 1")
      }
    }

    var timestamps: [Int64]?
    if case .times(var times) = table.columns[InteractionColumns.time] {
      let missing = times.count { $0 == .min }
      if missing > 0 {
        let earliest = times.lazy.filter { $0 != .min }.min()!
        for row in times.indices where times[row] == .min { times[row] = earliest }
        warnings.append(
          "\(missing) of \(table.rowCount) interactions have no timestamp; they count as the earliest of all")
      }
      timestamps = times
    }
    if case .ids(let places, let names) = table.columns[InteractionColumns.kind] {
      kinds = InteractionKinds(names: names, places: places)
    }
    interactions = Interactions(
      users: users, items: items, userIndices: userIndices, itemIndices: itemIndices, strengths: strengths,
      timestamps: timestamps)
  }

  /// The places of a required column's ids in the vocabulary, where each is added.
  private static func places(_ values: Table.Values, in vocabulary: inout Vocabulary) -> [Int32] {
    guard case .ids(var places, let texts) = values else { return [] }
    vocabulary = Vocabulary(texts)
    // Two spellings of one text in Unicode are one id.
    if vocabulary.count < texts.count {
      let placeOf = texts.map { Int32(vocabulary[$0]!) }
      for row in places.indices { places[row] = placeOf[Int(places[row])] }
    }
    return places
  }

  /// Notes what is odd about the whole.
  ///
  /// - Parameter isClickstream: clicks repeat, and that says how much somebody is interested: nothing to warn of.
  mutating func judge(isClickstream: Bool) {
    let shape = InteractionShape(interactions)
    duplicateCount = shape.duplicateCount
    if duplicateCount > 0, !isClickstream {
      warnings.append(
        "\(Self.count(duplicateCount, "interaction")) repeat\(duplicateCount == 1 ? "s" : "") the user and item of "
          + "another (first: user \"\(shape.firstDuplicate!.user)\", item \"\(shape.firstDuplicate!.item)\"); "
          + "their strengths add up")
    }
    if interactions.users.count == 1 {
      warnings.append(
        "there is only one user; what others like can't be learned from that, only which items are popular")
    }
    if interactions.items.count == 1 { warnings.append("there is only one item; nothing can be ranked") }
    if shape.fullUserCount > 0, interactions.items.count > 1 {
      warnings.append(
        "\(Self.count(shape.fullUserCount, "user")) (first: \"\(shape.firstFullUser!)\") "
          + "\(shape.fullUserCount == 1 ? "has" : "have") every item; there is nothing left to recommend to them, and "
          + "they are left out of evaluations against sampled items")
    }
    if let row = shape.firstOutOfOrder {
      notes.append(
        "timestamps are not in order (first at interaction \(row + 1), "
          + "\(Timestamp(microseconds: interactions.timestamps![row] * 1_000_000)) behind "
          + "\(Timestamp(microseconds: interactions.timestamps![row - 1] * 1_000_000))); splits go by time all the same"
      )
    }
  }

  static func count(_ number: Int, _ noun: String) -> String { "\(number) \(noun)\(number == 1 ? "" : "s")" }
}

extension InteractionDraft {
  /// Reads separated fields.
  init(delimited file: DataFile, columns: InteractionColumns, options: InteractionReadOptions) throws {
    let read: DelimitedFile
    do throws(DatasetError) {
      read = try DelimitedFile(
        file, columns: columns.columns,
        delimited: DelimitedOptions(
          separator: options.separator, fieldNames: columns.fieldNames, hasHeader: options.hasHeader,
          guess: InteractionColumns.guess),
        options: options.reading)
    } catch {
      if case .empty(let path) = error { throw InteractionError.noInteractions(path: path, skipped: SkippedLines()) }
      throw error
    }
    self.init(read.table, skipped: read.skipped)
    if let names = read.guessedNames {
      notes.append(
        "the columns have no names; they are taken for \(names.joined(separator: ", ")) (name them to be sure)")
    }
  }

  /// Reads JSON.
  init(json file: DataFile, columns: InteractionColumns, options: InteractionReadOptions) throws {
    let read = try JSONTableFile(
      file,
      sections: [
        ("interactions", .rows(columns.columns)), ("held_out_test", .rows(HeldOutSection.columns)),
        ("metadata", .numbers),
      ], options: options.reading)
    self.init(read.tables[0], skipped: read.skipped)
    if read.form == .document {
      guard interactions.count > 0 else { return }
      let interacted = interactions.items.count
      takeHeldOut(read.tables[1])
      checkMetadata(read.numbers[2], interactedItems: interacted)
    }
  }

  /// Compares what the file says of itself with what it holds.
  ///
  /// - Parameter interactedItems: items may be counted with those that only held_out_test names or without.
  private mutating func checkMetadata(_ metadata: [String: Double], interactedItems: Int) {
    let rows = interactions.count + skipped.count
    let items = interactions.items.count
    for (name, found) in [
      ("num_users", [interactions.users.count]), ("num_items", [items, interactedItems]), ("num_interactions", [rows]),
    ] {
      if let claimed = metadata[name], !found.contains(where: { Double($0) == claimed }) {
        let text = Int(exactly: claimed).map(String.init) ?? "\(claimed)"
        warnings.append("metadata.\(name) is \(text), but the file holds \(found[0])")
      }
    }
    let itemCount = metadata["num_items"] == Double(interactedItems) ? interactedItems : items
    let cells = Double(interactions.users.count) * Double(itemCount)
    let density = Double(rows) / cells
    // As many writers round, a hundredth of the value is let pass.
    if let claimed = metadata["density"], abs(claimed - density) > 0.01 * density {
      warnings.append("metadata.density is \(claimed), but the interactions make it \(Self.rounded(density))")
    }
  }

  private static func rounded(_ number: Double) -> Double { (number * 1e6).rounded() / 1e6 }
}

extension InteractionReadOptions {
  /// The part that every reader of files knows.
  var reading: ReadOptions {
    ReadOptions(isStrict: isStrict, threadCount: threadCount, keptProblems: keptProblems)
  }
}
