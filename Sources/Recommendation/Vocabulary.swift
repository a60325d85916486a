// The ids of users or items, each with its place in the model's tables.

/// Distinct ids in a fixed order; the place of an id is its row in an embedding table.
public struct Vocabulary: Sendable, Equatable {
  /// The ids by place.
  public private(set) var ids: [String] = []
  private var places: [Key: Int32] = [:]

  /// An id that equals another only where their bytes do: Swift's own comparison takes "é" in one code point and in two
  /// for the same.
  private struct Key: Hashable, Sendable {
    let id: String

    static func == (a: Key, b: Key) -> Bool { a.id.utf8.elementsEqual(b.id.utf8) }

    func hash(into hasher: inout Hasher) {
      var id = id
      id.withUTF8 { hasher.combine(bytes: UnsafeRawBufferPointer($0)) }
    }
  }

  public init() {}

  /// - Parameter ids: in the order of their places; a repeated id keeps its first place.
  public init(_ ids: some Sequence<String>) {
    for id in ids { insert(id) }
  }

  public var count: Int { ids.count }

  /// The place of an id, if it is known.
  public subscript(id: String) -> Int? { places[Key(id: id)].map(Int.init) }

  /// The place of an id, which is added at the end where it is new.
  @discardableResult
  public mutating func insert(_ id: String) -> Int {
    let key = Key(id: id)
    if let place = places[key] { return Int(place) }
    let place = ids.count
    places[key] = Int32(place)
    ids.append(id)
    return place
  }

  public static func == (a: Vocabulary, b: Vocabulary) -> Bool {
    a.ids.elementsEqual(b.ids) { $0.utf8.elementsEqual($1.utf8) }
  }
}
