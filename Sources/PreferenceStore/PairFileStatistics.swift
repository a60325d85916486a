// The statistics of a file of pairs, as those of the store.

import Datasets

extension PairStatistics {
  /// Takes the pairs of a file for answers; their numbers are the lines that they stand on.
  public init(_ file: PairFile) {
    let pairs = file.pairs.map { pair in
      let (a, b) = (file.items[pair.itemA], file.items[pair.itemB])
      return StoredPair(
        id: Int64(pair.line), itemA: a.id, itemB: b.id, itemType: a.itemType == b.itemType ? a.itemType : nil,
        label: pair.label, reasonTags: pair.reasonTags, similarity: pair.similarity,
        createdAt: pair.createdAt ?? Timestamp(microseconds: 0))
    }
    // An item whose content changes within the file is there once for each content.
    var seen: Set<String> = []
    let items = file.items.filter { seen.insert($0.id).inserted }.map { (id: $0.id, type: $0.itemType) }
    self.init(pairs: pairs, items: items)
  }
}
