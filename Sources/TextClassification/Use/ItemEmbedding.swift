// Embeddings for items, made of their texts.

import Datasets

/// What became of items that were to get embeddings.
public struct ItemEmbeddings: Sendable, Hashable {
  /// Items that got one.
  public var embedded = 0
  /// Items that had one and kept it.
  public var kept = 0
  /// Items that have no text and stay without one.
  public var withoutText = 0
  /// Texts that go on behind what the encoder reads.
  public var truncated = 0
  /// A width that kept embeddings have and new ones do not; nil where all are alike.
  public var otherWidth: Int?
}

extension TextEmbedder {
  /// Gives items the embedding of their text.
  ///
  /// - Parameters:
  ///   - items: those that are to have one, with their lines for messages.
  ///   - path: where they are from, for messages.
  ///   - replacing: whether items that have one get a new one.
  ///   - isKept: whether an item has one elsewhere, though none here.
  ///   - skippingWithoutText: leaves items without a text as they are, instead of refusing them.
  ///   - progress: told how many more items were embedded.
  /// - Throws: `TextUseError.itemWithoutText` before anything is computed; what ``embed(_:progress:)`` throws.
  public func embed(
    _ items: inout [Item], lines: [Int], path: String, replacing: Bool = false, isKept: (Item) -> Bool = { _ in false },
    skippingWithoutText: Bool = false, progress: (_ done: Int, _ total: Int) -> Void = { _, _ in }
  ) throws -> ItemEmbeddings {
    var result = ItemEmbeddings()
    var places: [Int] = []
    for (place, item) in items.enumerated() {
      if !replacing, item.embedding != nil || isKept(item) {
        result.kept += 1
      } else if item.text?.isBlank ?? true {
        guard skippingWithoutText else {
          throw TextUseError.itemWithoutText(path: path, line: lines[place], id: item.id)
        }
        result.withoutText += 1
      } else {
        places.append(place)
      }
    }
    guard !places.isEmpty else { return result }
    let width = try width()
    var done = 0
    let embeddings = try embed(places.map { items[$0].text! }) { count in
      done += count
      progress(done, places.count)
    }
    for (place, made) in zip(places, embeddings) {
      items[place].embedding = made.embedding
      if made.isTruncated { result.truncated += 1 }
    }
    result.embedded = places.count
    result.otherWidth = items.lazy.compactMap(\.embedding?.count).first { $0 != width }
    return result
  }
}
