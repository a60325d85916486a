// The ids of users or items, each with its place in the model's tables.

/// Distinct ids in a fixed order; the place of an id is its row in an embedding table.
public struct Vocabulary: Sendable, Equatable {
  /// The ids by place.
  public private(set) var ids: [String] = []
  private var places: [String: Int32] = [:]

  public init() {}

  /// - Parameter ids: in the order of their places; a repeated id keeps its first place.
  public init(_ ids: some Sequence<String>) {
    for id in ids { insert(id) }
  }

  public var count: Int { ids.count }

  /// The place of an id, if it is known.
  public subscript(id: String) -> Int? { places[id].map(Int.init) }

  /// The place of an id, which is added at the end where it is new.
  @discardableResult
  public mutating func insert(_ id: String) -> Int {
    if let place = places[id] { return Int(place) }
    let place = ids.count
    places[id] = Int32(place)
    ids.append(id)
    return place
  }

  public static func == (a: Vocabulary, b: Vocabulary) -> Bool { a.ids == b.ids }
}
