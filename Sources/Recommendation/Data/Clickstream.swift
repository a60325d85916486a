// A clickstream: a directory of two Parquet tables, whose last days test what the days before have taught.

import Datasets
import Glibc

/// The tables of a clickstream's directory.
///
/// - `clickstream.pq`: `cookie` (the user), `node` (the item), `event`, and `event_date`, a row for each click.
/// - `events.pq`: for each `event` whether it `is_contact`: 1 where the user got in touch with who offers the item.
enum Clickstream {
  static let clicks = "clickstream"
  static let events = "events"

  /// The path of a table in a directory, under either suffix; nil where it is not there.
  static func path(of table: String, in directory: String) -> String? {
    ["pq", "parquet"].map { "\(directory)/\(table).\($0)" }.first { access($0, F_OK) == 0 }
  }

  /// Which events are contacts, by the event's number as text.
  static func contacts(_ path: String, options: InteractionReadOptions) throws -> [String: Bool] {
    let read = try ParquetTableFile(
      path: path,
      columns: [
        TableColumn("event", content: .ids, isRequired: true),
        TableColumn("is_contact", content: .numbers(), isRequired: true),
      ], options: options.reading)
    guard case .ids(let places, let texts) = read.table.columns[0], case .numbers(let numbers) = read.table.columns[1]
    else { return [:] }
    var contacts: [String: Bool] = [:]
    for (place, number) in zip(places, numbers) {
      guard number == 0 || number == 1 else {
        throw InteractionError.badForm(path: path, problem: "says is_contact \(number) of an event; expected 0 or 1")
      }
      let event = texts[Int(place)]
      if let known = contacts[event], known != (number == 1) {
        throw InteractionError.badForm(path: path, problem: "says both 0 and 1 of event \(event)")
      }
      contacts[event] = number == 1
    }
    return contacts
  }
}

extension InteractionDraft {
  /// Reads a clickstream's directory and holds out its last days.
  init(clickstream directory: String, options: InteractionReadOptions) throws {
    guard let clicks = Clickstream.path(of: Clickstream.clicks, in: directory) else {
      throw InteractionError.badForm(
        path: directory,
        problem: "is a directory without clickstream.pq; a clickstream has clickstream.pq and events.pq")
    }
    guard let events = Clickstream.path(of: Clickstream.events, in: directory) else {
      throw InteractionError.badForm(
        path: directory, problem: "has no events.pq, which says which events are contacts (event, is_contact)")
    }
    let contacts = try Clickstream.contacts(events, options: options)
    var columns = try InteractionColumns(options).columns
    let usual = [
      (InteractionColumns.user, "cookie"), (InteractionColumns.item, "node"), (InteractionColumns.time, "event_date"),
      (InteractionColumns.kind, "event"),
    ]
    for (place, name) in usual where columns[place].source == nil {
      columns[place] = TableColumn(name, content: columns[place].content, isRequired: true)
    }
    // A click has no strength of its own.
    columns[InteractionColumns.strength].source = columns[InteractionColumns.strength].source ?? "implicit_rating"
    let read = try ParquetTableFile(path: clicks, columns: columns, options: options.reading)
    self.init(read.table, skipped: read.skipped)
    guard interactions.count > 0, var kinds else { return }
    let unknown = kinds.names.filter { contacts[$0] == nil }
    if !unknown.isEmpty {
      warnings.append(
        "events.pq says nothing of \(Self.count(unknown.count, "event")) (first: \(unknown[0])); taken for no contact")
    }
    kinds.isContact = kinds.names.map { contacts[$0] ?? false }
    self.kinds = kinds
    if options.evaluationDays > 0 { try holdOutLastDays(options.evaluationDays, path: clicks) }
  }

  /// Splits by time as the field's reports do: rows later than `days` days before the latest row test, the others
  /// train. Of the testing rows only contacts count, of users and items that the training rows have, of pairs that they
  /// do not have, each pair once.
  private mutating func holdOutLastDays(_ days: Int, path: String) throws(InteractionError) {
    guard let times = interactions.timestamps, let kinds, let isContact = kinds.isContact else { return }
    let latest = times.max()!
    let threshold = latest.subtractingReportingOverflow(
      Int64(days).multipliedReportingOverflow(by: 86_400).partialValue
    )
    .partialValue
    var isTraining = [Bool](repeating: false, count: times.count)
    var trainingCount = 0
    for row in times.indices where times[row] <= threshold {
      isTraining[row] = true
      trainingCount += 1
    }
    guard trainingCount > 0 else {
      throw .badForm(
        path: path,
        problem: "has no rows before its last \(days) days, so nothing is left to train on; hold out fewer days")
    }

    // Users and items that train, in the order of their first row.
    var userPlaces = PlaceMap(interactions.users.count)
    var itemPlaces = PlaceMap(interactions.items.count)
    for row in times.indices where isTraining[row] {
      userPlaces.use(interactions.userIndices[row])
      itemPlaces.use(interactions.itemIndices[row])
    }
    var tested: [(user: Int32, item: Int32)] = []
    for row in times.indices where !isTraining[row] && kinds.places[row] >= 0 && isContact[Int(kinds.places[row])] {
      let user = userPlaces.newPlace[Int(interactions.userIndices[row])]
      let item = itemPlaces.newPlace[Int(interactions.itemIndices[row])]
      if user >= 0, item >= 0 { tested.append((user, item)) }
    }
    tested.sort { ($0.user, $0.item) < ($1.user, $1.item) }
    var seen = PairSet(capacity: tested.count)
    var candidates = PairSet(capacity: tested.count)
    for pair in tested { _ = candidates.insert(UInt64(pair.user), UInt64(pair.item)) }
    for row in times.indices where isTraining[row] {
      let user = UInt64(userPlaces.newPlace[Int(interactions.userIndices[row])])
      let item = UInt64(itemPlaces.newPlace[Int(interactions.itemIndices[row])])
      if candidates.contains(user, item) { _ = seen.insert(user, item) }
    }
    for pair in tested where seen.insert(UInt64(pair.user), UInt64(pair.item)) {
      if heldOut.last?.user == pair.user {
        heldOut[heldOut.count - 1].relevant.append(pair.item)
      } else {
        heldOut.append(HeldOutCase(user: pair.user, relevant: [pair.item]))
      }
    }
    keepTraining(isTraining, users: userPlaces, items: itemPlaces, count: trainingCount)
    if heldOut.isEmpty {
      warnings.append(
        "the last \(days) days have no contact of a known user with a known item that is new to them; nothing can be "
          + "evaluated")
    }
  }

  /// Leaves only the training rows, users and items, one column at a time.
  private mutating func keepTraining(_ isTraining: [Bool], users: PlaceMap, items: PlaceMap, count: Int) {
    func kept<Value>(_ values: [Value], _ change: (Value) -> Value) -> [Value] {
      var kept: [Value] = []
      kept.reserveCapacity(count)
      for row in values.indices where isTraining[row] { kept.append(change(values[row])) }
      return kept
    }
    let all = interactions
    interactions = Interactions(
      users: Vocabulary(users.order.lazy.map { all.users.ids[Int($0)] }),
      items: Vocabulary(items.order.lazy.map { all.items.ids[Int($0)] }),
      userIndices: kept(all.userIndices) { users.newPlace[Int($0)] },
      itemIndices: kept(all.itemIndices) { items.newPlace[Int($0)] }, strengths: kept(all.strengths) { $0 },
      timestamps: all.timestamps.map { kept($0) { $0 } })
    if let places = kinds?.places { kinds?.places = kept(places) { $0 } }
  }
}

/// New places for those that are used, in the order of their first use.
private struct PlaceMap {
  /// -1 for those not used.
  private(set) var newPlace: [Int32]
  private(set) var order: [Int32] = []

  init(_ count: Int) { newPlace = [Int32](repeating: -1, count: count) }

  mutating func use(_ place: Int32) {
    guard newPlace[Int(place)] < 0 else { return }
    newPlace[Int(place)] = Int32(order.count)
    order.append(place)
  }
}
