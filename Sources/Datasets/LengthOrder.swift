// The order of an epoch in which samples of about one length come together.

/// Orders samples so that batches cut from the order hold little padding.
public enum LengthOrder {
  /// Batches whose samples are sorted by length together. Of so many, drawn at random, each length has enough for batches
  /// of its own; the order of training stays as good as random. (transformers' `group_by_length` takes 50, too.)
  private static let batchesPerSort = 50

  /// A permutation of the samples, drawn from the seed, that consecutive batches are cut from.
  public static func order(
    _ count: Int, batchSize: Int, seed: UInt64, length: (_ sample: Int) -> Int
  ) -> [Int] {
    var generator = SeededGenerator(seed: seed)
    let shuffled = generator.permutation(count)
    let together = batchesPerSort * batchSize
    var batches: [ArraySlice<Int>] = []
    for start in stride(from: 0, to: count, by: together) {
      let part = shuffled[start..<min(start + together, count)]
      let sorted = part.map { (length($0), $0) }.sorted { $0 < $1 }.map(\.1)
      for first in stride(from: 0, to: sorted.count, by: batchSize) {
        batches.append(sorted[first..<min(first + batchSize, sorted.count)])
      }
    }
    // One that is not full can only stand at the end.
    let full = batches.filter { $0.count == batchSize }
    let rest = batches.filter { $0.count < batchSize }
    return generator.permutation(full.count).flatMap { full[$0] } + rest.flatMap { $0 }
  }
}
