// Who has turned to what: what recommendations leave out, and what an unknown user gets instead.

import Checkpoints
import Tensors

/// The items that each user had turned to when a model was trained, and how many users turned to each item.
///
/// Every recommender writes it beside its model, as `NAME_interactions.safetensors`: `seen_offsets` int64 `[users + 1]`,
/// `seen_items` int32 `[entries]`, `item_counts` int64 `[items]`.
public struct SeenItems: Sendable, Equatable {
  /// For each user where the items begin in `items`, and where the last user's end.
  public let offsets: [Int]
  /// Places of items, ascending and each once for each user.
  public let items: [Int32]
  /// For each item the users that turned to it, each counted once.
  public let itemCounts: [Int]

  /// What the rows of the data say, a pair that occurs more than once counted once.
  public init(_ interactions: Interactions) { self.init(InteractionMatrix(interactions)) }

  /// - Parameter matrix: users by items.
  public init(_ matrix: InteractionMatrix) {
    offsets = matrix.offsets
    items = matrix.columns
    var counts = [Int](repeating: 0, count: matrix.columnCount)
    for item in items { counts[Int(item)] += 1 }
    itemCounts = counts
  }

  public var userCount: Int { offsets.count - 1 }
  public var itemCount: Int { itemCounts.count }

  /// The items of a user, ascending.
  public subscript(user: Int) -> ArraySlice<Int32> { items[offsets[user]..<offsets[user + 1]] }

  /// Whether a user turned to an item, by bisection.
  public func contains(user: Int, item: Int32) -> Bool {
    var low = offsets[user]
    var high = offsets[user + 1]
    while low < high {
      let middle = (low + high) / 2
      if items[middle] < item { low = middle + 1 } else { high = middle }
    }
    return low < offsets[user + 1] && items[low] == item
  }

  /// Places of all items, the one with the most users first; of items with as many, the one with the lower place.
  public var itemsByPopularity: [Int32] {
    (0..<Int32(itemCount)).sorted { a, b in
      let (first, second) = (itemCounts[Int(a)], itemCounts[Int(b)])
      return first == second ? a < b : first > second
    }
  }

  // MARK: Files

  /// Writes the file, whole or not at all. The same values give the same bytes.
  public func write(to path: String) throws {
    try StateDictionary([
      ("seen_offsets", Tensor(offsets.map(Int64.init))), ("seen_items", Tensor(items)),
      ("item_counts", Tensor(itemCounts.map(Int64.init))),
    ]).writeSafetensors(to: path)
  }

  /// Reads a file that `write(to:)` wrote.
  ///
  /// - Throws: `CheckpointError` where it cannot be read; `SeenItemsError` where its numbers do not fit together.
  public init(contentsOf path: String) throws {
    let state = try StateDictionary(contentsOf: path)
    func numbers<Element: TensorElement>(_ name: String, as type: Element.Type) throws -> [Element] {
      guard let tensor = state[name], tensor.shape.rank == 1, tensor.elementType == Element.elementType else {
        let found = state[name].map { "\($0.elementType)\($0.shape)" } ?? "missing"
        throw SeenItemsError(path: path, problem: "'\(name)' is \(found), expected \(Element.elementType) of one axis")
      }
      return tensor.elements()
    }
    let offsets = try numbers("seen_offsets", as: Int64.self)
    let items = try numbers("seen_items", as: Int32.self)
    let counts = try numbers("item_counts", as: Int64.self)
    guard offsets.first == 0, offsets.last == Int64(items.count) else {
      throw SeenItemsError(path: path, problem: "'seen_offsets' does not run from 0 to the \(items.count) 'seen_items'")
    }
    guard counts.count <= Int(Int32.max) else {
      throw SeenItemsError(path: path, problem: "'item_counts' has \(counts.count) items, more than places can name")
    }
    var found = [Int64](repeating: 0, count: counts.count)
    for user in 0..<offsets.count - 1 {
      guard offsets[user] <= offsets[user + 1], offsets[user + 1] <= Int64(items.count) else {
        throw SeenItemsError(path: path, problem: "'seen_offsets' descends or ends too late at user \(user)")
      }
      var last: Int32 = -1
      for item in items[Int(offsets[user])..<Int(offsets[user + 1])] {
        guard item > last, Int(item) < counts.count else {
          throw SeenItemsError(
            path: path,
            problem: "the items of user \(user) do not ascend within the \(counts.count) items: \(item) after \(last)")
        }
        last = item
        found[Int(item)] += 1
      }
    }
    guard found == counts else {
      throw SeenItemsError(path: path, problem: "'item_counts' does not count the users of 'seen_items'")
    }
    self.offsets = offsets.map(Int.init)
    self.items = items
    itemCounts = counts.map(Int.init)
  }
}

/// A file of seen items whose numbers do not fit together.
public struct SeenItemsError: Error, Sendable, Hashable, CustomStringConvertible {
  public var path: String
  public var problem: String

  public var description: String {
    "\(path) is no record of seen items: \(problem); train the model again, or restore the file"
  }
}
