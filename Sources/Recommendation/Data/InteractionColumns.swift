// The columns of interactions: their names, their synonyms, and what the caller calls them.

import Datasets

/// The columns that interactions are read from.
struct InteractionColumns {
  static let user = 0
  static let item = 1
  static let time = 2
  static let kind = 3
  static let strength = 4

  /// In the order of the places above; without the strength where nothing is to be taken for it.
  let columns: [TableColumn]
  /// The names of a delimited file's fields, in order; empty where the file names them.
  let fieldNames: [String]

  init(_ options: InteractionReadOptions) throws(InteractionError) {
    var columns = [
      TableColumn(
        "user_id",
        synonyms: ["userId", "user", "uid", "customer_id", "visitor_id", "cookie", "session_id"],
        content: .ids, isRequired: true),
      TableColumn(
        "item_id",
        synonyms: [
          "itemId", "item", "iid", "movie_id", "movieId", "product_id", "article_id", "book_id", "track_id", "node",
        ],
        content: .ids, isRequired: true),
      TableColumn(
        "timestamp",
        synonyms: ["time", "ts", "datetime", "date", "unix_timestamp", "event_time", "event_date", "created_at"],
        content: .times),
      TableColumn(
        "interaction_type", synonyms: ["interactionType", "event_type", "event", "type", "action", "behavior"],
        content: .ids),
      TableColumn(
        "implicit_rating",
        synonyms: ["implicitRating", "strength", "weight"] + (options.usesRatings ? Self.ratings : []),
        content: .numbers(above: 0)),
    ]

    // A rating stands for the strength where ratings are wanted, and for nothing otherwise.
    let names = options.columns.compactMap { entry in
      guard entry.hasPrefix("rating=") else { return entry }
      return options.usesRatings ? "implicit_rating" + entry.dropFirst("rating".count) : nil
    }
    do throws(ColumnNameProblem) { fieldNames = try columns.take(names: names, besides: ["rating"]) } catch {
      throw .badColumns(error.description)
    }
    self.columns = columns
  }

  private static let ratings = ["rating", "score", "stars"]

  /// What the fields of a first line without names are, where they look like the usual ones: whole numbers for user and
  /// item, then a rating, then a time (as MovieLens has them).
  static func guess(_ fields: [String]) -> [String]? {
    let numbers = fields.compactMap(Double.init)
    guard numbers.count == fields.count, fields.prefix(2).allSatisfy({ Int64($0) != nil }) else { return nil }
    // A moment after 1973, in whatever unit.
    let looksLikeTime = numbers.map { $0 >= 1e8 }
    switch fields.count {
    case 2: return ["user_id", "item_id"]
    case 3: return ["user_id", "item_id", looksLikeTime[2] ? "timestamp" : "rating"]
    case 4 where looksLikeTime[3] && !looksLikeTime[2]: return ["user_id", "item_id", "rating", "timestamp"]
    default: return nil
    }
  }
}
