// Items that come again: in a file of pairs most items are met many times, and are parsed and kept once.

import Glibc

/// The distinct items met so far, and the bytes that they came as.
struct ItemPool {
  private(set) var items: [Item] = []
  /// The places in `items` of which only the id is known.
  private(set) var references: Set<Int> = []
  private var placeOfReference: [String: Int] = [:]
  private var indicesByID: [String: [Int]] = [:]
  /// Texts of items by the hash of their first bytes, with room for a few that share these.
  private var texts: [UInt64: [(text: UnsafeRawBufferPointer, index: Int)]] = [:]
  private let storage = TextStorage()

  /// Bytes of texts that are remembered: past that, items that come again are parsed again.
  private static let textLimit = 64 << 20
  private static let prefixLength = 64
  private static let textsPerPrefix = 8

  /// The item whose text, whole, begins `bytes`. No JSON object is the beginning of another, so equal bytes are the
  /// same item.
  func known(at bytes: UnsafeRawBufferPointer) -> (index: Int, length: Int)? {
    guard let candidates = texts[Self.hash(bytes)] else { return nil }
    for (text, index) in candidates
    where text.count <= bytes.count && memcmp(text.baseAddress!, bytes.baseAddress!, text.count) == 0 {
      return (index, text.count)
    }
    return nil
  }

  /// The index of an equal item, or of `item` as a new one.
  mutating func insert(_ item: Item) -> Int {
    let same = indicesByID[item.id, default: []]
    // An id comes with several contents only where a file is inconsistent; a hostile one must not make this quadratic.
    if let index = same.prefix(Self.textsPerPrefix).first(where: { items[$0] == item }) { return index }
    items.append(item)
    indicesByID[item.id, default: []].append(items.count - 1)
    return items.count - 1
  }

  /// The index of an item that is only named.
  mutating func insertReference(_ id: String) -> Int {
    if let index = placeOfReference[id] { return index }
    items.append(Item(id: id))
    placeOfReference[id] = items.count - 1
    references.insert(items.count - 1)
    return items.count - 1
  }

  /// The indices here of all items of another pool, in its order.
  mutating func insert(_ other: ItemPool) -> [Int] {
    other.items.indices.map { index in
      other.references.contains(index) ? insertReference(other.items[index].id) : insert(other.items[index])
    }
  }

  /// Remembers that `text` is the item at `index`.
  mutating func remember(_ text: UnsafeRawBufferPointer, as index: Int) {
    let key = Self.hash(text)
    guard storage.byteCount + text.count <= Self.textLimit, texts[key, default: []].count < Self.textsPerPrefix
    else { return }
    texts[key, default: []].append((storage.copy(text), index))
  }

  /// FNV-1a over the first bytes, eight at a time.
  private static func hash(_ bytes: UnsafeRawBufferPointer) -> UInt64 {
    var hash: UInt64 = 0xCBF2_9CE4_8422_2325
    guard bytes.count >= prefixLength else {
      // Too short to be worth remembering by its beginning alone: what follows it in a record would be hashed too.
      return hash
    }
    for offset in stride(from: 0, to: prefixLength, by: 8) {
      hash = (hash ^ bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self)) &* 0x0000_0100_0000_01B3
      hash ^= hash >> 29
    }
    return hash
  }
}

/// Owns copies of texts.
private final class TextStorage {
  private var texts: [UnsafeRawBufferPointer] = []
  private(set) var byteCount = 0

  func copy(_ text: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer {
    let copy = UnsafeMutableRawBufferPointer.allocate(byteCount: text.count, alignment: 16)
    copy.copyMemory(from: text)
    texts.append(UnsafeRawBufferPointer(copy))
    byteCount += text.count
    return texts.last!
  }

  deinit {
    for text in texts { text.deallocate() }
  }
}
