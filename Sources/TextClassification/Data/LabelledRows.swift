// The labels of a table's rows, whether they come as lists or as cells.

import Datasets

/// For each row of a table its labels.
struct LabelledRows {
  /// What the column is called in messages.
  let name: String
  /// How two labels would be written.
  let example: String
  /// How cells were taken apart where nobody said it; nil where there is no doubt.
  private(set) var guess: String?
  private var texts: [String] = []
  /// For each distinct cell, or each row where they are lists, places in `texts`.
  private var lists: [[Int]] = []
  /// For each row its list.
  private var listOfRow: [Int32]?
  /// For each text its place among the labels; -1 where it is none of them.
  private var labelOfText: [Int] = []

  init(_ values: Table.Values, options: ClassificationReadOptions) {
    name = "taxonomy_codes"
    var places: [String: Int] = [:]
    var texts: [String] = []
    func place(_ label: String) -> Int {
      if let place = places[label] { return place }
      places[label] = texts.count
      texts.append(label)
      return texts.count - 1
    }
    switch values {
    case .idLists(let offsets, let found, let ids):
      example = "[\"004\", \"510\"]"
      let placeOfID = ids.map { id -> Int? in
        let label = LabelCells.trimmed(id[...])
        return label.isEmpty ? nil : place(label)
      }
      lists = offsets.indices.dropLast().map { row in
        found[offsets[row]..<offsets[row + 1]].compactMap { placeOfID[Int($0)] }
      }
    case .ids(let rows, let cells):
      let taken = LabelCells(cells, separator: options.labelSeparator)
      example = "004\(taken.separator)510"
      lists = cells.map { taken.labels(of: $0).map(place) }
      listOfRow = rows
      if let cell = taken.firstGuess {
        let parts = taken.labels(of: cell).map { "\"\($0.shortened)\"" }
        guess =
          "labels are taken apart at blanks (\"\(cell.shortened)\" is \(parts.joined(separator: " and "))); if one may "
          + "be of several words, say what separates two"
      }
    case .absent, .numbers, .times: example = ""
    }
    self.texts = texts
  }

  /// The labels that occur: whole numbers by value where all are such, otherwise by their bytes.
  var labelsInOrder: [String] {
    var occurs = [Bool](repeating: false, count: texts.count)
    for list in lists { for place in list { occurs[place] = true } }
    let labels = texts.indices.filter { occurs[$0] }.map { texts[$0] }
    let numbers = labels.compactMap { label in
      label.utf8.allSatisfy { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) } ? UInt64(label) : nil
    }
    guard numbers.count == labels.count else { return labels.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) } }
    return zip(numbers, labels).sorted { a, b in
      a.0 == b.0 ? a.1.utf8.lexicographicallyPrecedes(b.1.utf8) : a.0 < b.0
    }.map(\.1)
  }

  /// Sets the places that ``labels(of:)`` answers with.
  mutating func renumber(to labels: [String]) {
    var places: [String: Int] = [:]
    for (place, label) in labels.enumerated() where places[label] == nil { places[label] = place }
    labelOfText = texts.map { places[$0] ?? -1 }
  }

  /// The places of a row's labels, ascending, each once, and what is none of the labels.
  func labels(of row: Int) -> (known: [Int], unknown: [String]) {
    let list = lists[listOfRow.map { Int($0[row]) } ?? row]
    let known = Set(list.lazy.map { labelOfText[$0] }.filter { $0 >= 0 }).sorted()
    let unknown = list.lazy.filter { labelOfText[$0] < 0 }.map { texts[$0] }
    return (known, Array(unknown))
  }
}
