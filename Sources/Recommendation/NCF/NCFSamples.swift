// What an epoch of NCF trains on: every pair that is known, and items drawn anew that the same user does not have.

import Datasets

/// The samples of each epoch, by number. A sample's negative item is a hash of seed, epoch and the sample's number: nothing
/// is stored, any thread can ask for any sample, and a resumed training sees what the uninterrupted one would have.
///
/// With binary cross-entropy a sample is a pair with its label: a known pair, followed by `negativeRatio` drawn ones of the
/// same user. With BPR a sample is a known pair with one drawn item, `negativeRatio` of them for each known pair.
public struct NCFSamples: Sendable {
  public let loss: NCFGraph.Loss
  public let negativeRatio: Int
  /// Known pairs; those whose user has every item come last, since nothing can be drawn for them.
  private let users: [Int32]
  private let items: [Int32]
  /// Of each pair the mean strength is 1; nil where all count alike.
  private let weights: [Float]?
  private let seed: UInt64
  private let unavailable: UnavailableItems
  /// Pairs whose user lacks an item.
  private let openCount: Int
  /// Users without an item to draw: they have all.
  public let fullUsers: [Int32]

  /// - Parameters:
  ///   - known: users by items, what the training learns; values are strengths.
  ///   - excluded: further pairs that are never drawn: those held out.
  ///   - isWeighted: weighs each pair, and what is drawn for it, by its strength.
  public init(
    known: InteractionMatrix, excluded: [HeldOutCase], loss: NCFGraph.Loss, negativeRatio: Int, isWeighted: Bool,
    seed: UInt64
  ) {
    let unavailable = UnavailableItems(known, excluded)
    var (open, full): ([Int], [Int]) = ([], [])
    var fullUsers: [Int32] = []
    var users = [Int32](repeating: 0, count: known.count)
    for user in 0..<known.rowCount {
      let range = known.offsets[user]..<known.offsets[user + 1]
      for position in range { users[position] = Int32(user) }
      if unavailable.freeCount(user) > 0 {
        open += range
      } else {
        full += range
        fullUsers.append(Int32(user))
      }
    }
    // Without anything to compare with, a pair teaches BPR nothing.
    let order = loss == .bpr ? open : open + full
    self.users = order.map { users[$0] }
    items = order.map { known.columns[$0] }
    if isWeighted {
      let mean = order.reduce(0.0) { $0 + Double(known.values[$1]) } / Double(max(order.count, 1))
      weights = order.map { Float(Double(known.values[$0]) / mean) }
    } else {
      weights = nil
    }
    openCount = open.count
    self.unavailable = unavailable
    self.fullUsers = fullUsers
    self.loss = loss
    self.negativeRatio = negativeRatio
    self.seed = seed
  }

  /// Known pairs that are trained on.
  public var pairCount: Int { users.count }

  /// Samples of an epoch.
  public var count: Int { openCount * samplesPerPair + (pairCount - openCount) }

  /// The share of samples labelled 1; nil where all are, and with BPR, which has no labels.
  public var positiveShare: Float? {
    loss == .bce && openCount > 0 ? Float(pairCount) / Float(count) : nil
  }

  public var isWeighted: Bool { weights != nil }

  private var samplesPerPair: Int { loss == .bce ? 1 + negativeRatio : negativeRatio }

  /// The samples of one epoch, counted from 1.
  public func epoch(_ number: Int) -> Epoch {
    Epoch(samples: self, noise: NoiseStream(key: NoiseStream.mixed(seed) ^ 0x6E65_6761_7469_7665, UInt64(number)))
  }

  /// A pair of a user with an item and its label, or, for BPR, with a second item.
  public struct Sample: Sendable, Hashable {
    public var user: Int
    public var item: Int
    /// 1 for a known pair, 0 for a drawn one.
    public var label: Float
    /// With BPR, the drawn item that should rank lower.
    public var negative: Int?
    public var weight: Float
  }

  /// The samples of one epoch.
  public struct Epoch: Sendable {
    fileprivate let samples: NCFSamples
    fileprivate let noise: NoiseStream

    /// The sample of a number in `0..<count`.
    public subscript(number: Int) -> Sample {
      let perPair = samples.samplesPerPair
      let open = samples.openCount * perPair
      let isOpen = number < open
      let (pair, slot) =
        isOpen ? number.quotientAndRemainder(dividingBy: perPair) : (samples.openCount + number - open, 0)
      let user = Int(samples.users[pair])
      let known = Int(samples.items[pair])
      let weight = samples.weights.map { $0[pair] } ?? 1
      if samples.loss == .bpr {
        let drawn = samples.unavailable.draw(user, noise, number)
        return Sample(user: user, item: known, label: 1, negative: drawn, weight: weight)
      }
      if slot == 0 { return Sample(user: user, item: known, label: 1, negative: nil, weight: weight) }
      let drawn = samples.unavailable.draw(user, noise, number)
      return Sample(user: user, item: drawn, label: 0, negative: nil, weight: weight)
    }

    /// Writes the samples of these numbers: `label` for cross-entropy, `negative` for BPR.
    func fill(
      _ numbers: ArraySlice<Int>, users: UnsafeMutableBufferPointer<Int64>, items: UnsafeMutableBufferPointer<Int64>,
      labels: UnsafeMutableBufferPointer<Float>?, negatives: UnsafeMutableBufferPointer<Int64>?,
      weights: UnsafeMutableBufferPointer<Float>?
    ) {
      for (row, number) in numbers.enumerated() {
        let sample = self[number]
        users[row] = Int64(sample.user)
        items[row] = Int64(sample.item)
        labels?[row] = sample.label
        if let negative = sample.negative { negatives?[row] = Int64(negative) }
        weights?[row] = sample.weight
      }
    }
  }
}

/// The items of each user that are not to be drawn.
private struct UnavailableItems: Sendable {
  private let itemCount: Int
  private let offsets: [Int]
  /// Ascending for each user.
  private let items: [Int32]
  /// A bit for each pair, where the table is small enough to stay in the cache.
  private let bits: [UInt64]
  private let wordsPerUser: Int

  /// 4 MB: tables up to 30 million pairs.
  private static let largestTable = 1 << 25

  init(_ known: InteractionMatrix, _ excluded: [HeldOutCase]) {
    itemCount = known.columnCount
    var further: [Int32: [Int32]] = [:]
    for heldOut in excluded { further[heldOut.user, default: []] += heldOut.relevant }
    if further.isEmpty {
      (offsets, items) = (known.offsets, known.columns)
    } else {
      var (offsets, items): ([Int], [Int32]) = ([0], [])
      offsets.reserveCapacity(known.rowCount + 1)
      items.reserveCapacity(known.count + excluded.count)
      for user in 0..<known.rowCount {
        if let more = further[Int32(user)] {
          items += Set(more).union(known[user]).sorted()
        } else {
          items += known[user]
        }
        offsets.append(items.count)
      }
      (self.offsets, self.items) = (offsets, items)
    }
    wordsPerUser = (itemCount + 63) / 64
    if known.rowCount.multipliedReportingOverflow(by: wordsPerUser * 64).overflow
      || known.rowCount * wordsPerUser * 64 > Self.largestTable
    {
      bits = []
    } else {
      var bits = [UInt64](repeating: 0, count: known.rowCount * wordsPerUser)
      for user in 0..<known.rowCount {
        for item in items[offsets[user]..<offsets[user + 1]] {
          bits[user * wordsPerUser + Int(item) / 64] |= 1 << (UInt64(item) % 64)
        }
      }
      self.bits = bits
    }
  }

  /// Items of a user that can be drawn.
  func freeCount(_ user: Int) -> Int { itemCount - (offsets[user + 1] - offsets[user]) }

  /// An item that the user lacks, each as likely.
  func draw(_ user: Int, _ noise: NoiseStream, _ number: Int) -> Int {
    let first = UInt64(number) &* 4
    if !bits.isEmpty {
      // A draw and a look, as long as that is likely to end soon.
      for attempt in 0..<3 as Range<UInt64> {
        let item = NoiseStream.scaled(noise[first + attempt], below: itemCount)
        if bits[user * wordsPerUser + item / 64] >> (UInt64(item) % 64) & 1 == 0 { return item }
      }
    }
    // The place among the free items; an item is that place and the taken items before it.
    let range = offsets[user]..<offsets[user + 1]
    let place = NoiseStream.scaled(noise[first + 3], below: itemCount - range.count)
    var (low, high) = (range.lowerBound, range.upperBound)
    while low < high {
      let middle = (low + high) / 2
      if Int(items[middle]) - (middle - range.lowerBound) <= place { low = middle + 1 } else { high = middle }
    }
    return place + low - range.lowerBound
  }
}
