// Items that a user has nothing to do with, drawn at random: what a held-out item is ranked against.

import Datasets

/// Draws items that a user does not have, each as likely.
///
/// ```swift
/// let (training, heldOut) = interactions.leavingOneOut()
/// let cases = NegativeSampler(interactions).candidates(for: heldOut, negatives: 99, seed: 1)
/// ```
public struct NegativeSampler: Sendable {
  private let known: InteractionMatrix

  /// - Parameter interactions: all that is known of the users, the held-out part included: none of it is ever drawn.
  public init(_ interactions: Interactions) { known = InteractionMatrix(interactions) }

  /// - Parameter known: users by items; an entry is never drawn.
  public init(known: InteractionMatrix) { self.known = known }

  /// Items that the user does not have, none twice, in the order drawn.
  ///
  /// - Returns: `count` items; fewer, all there are, for a user with almost every item.
  public func sample(user: Int32, count: Int, using generator: inout SeededGenerator) -> [Int32] {
    sample(user: user, count: count, except: [], using: &generator)
  }

  /// Gives each case the items to rank: its relevant ones and `negatives` others that its user has nowhere in the data.
  /// The draw for a case depends on the seed and its user alone, so all models and all orders see the same candidates.
  ///
  /// - Parameter cases: candidates that they have already are replaced.
  /// - Returns: the cases, candidates in ascending order. A case whose user has every item is left out: with nothing to
  ///   rank it against, any model would be right.
  public func candidates(for cases: [HeldOutCase], negatives: Int, seed: UInt64) -> [HeldOutCase] {
    cases.compactMap { heldOut in
      // A number of its own for each user: SplitMix64's increment, as the generator's own seeding uses it.
      var generator = SeededGenerator(seed: seed &+ (UInt64(heldOut.user) &+ 1) &* 0x9E37_79B9_7F4A_7C15)
      let relevant = heldOut.relevant.sorted()
      let drawn = sample(user: heldOut.user, count: negatives, except: relevant, using: &generator)
      guard !drawn.isEmpty else { return nil }
      return HeldOutCase(
        user: heldOut.user, relevant: heldOut.relevant, candidates: (drawn + relevant).sorted())
    }
  }

  /// - Parameter except: further items not to draw, ascending.
  private func sample(
    user: Int32, count: Int, except: [Int32], using generator: inout SeededGenerator
  ) -> [Int32] {
    let row = known[Int(user)]
    let itemCount = known.columnCount
    // Rejection is quick while at least half of all draws are new.
    if row.count + except.count + count <= itemCount / 2 {
      var drawn: [Int32] = []
      var taken: Set<Int32> = Set(except)
      while drawn.count < count {
        let item = Int32(generator.below(itemCount))
        if !known.contains(row: Int(user), column: item), taken.insert(item).inserted { drawn.append(item) }
      }
      return drawn
    }
    var isTaken = [Bool](repeating: false, count: itemCount)
    for item in row { isTaken[Int(item)] = true }
    for item in except { isTaken[Int(item)] = true }
    var free = (0..<Int32(itemCount)).filter { !isTaken[Int($0)] }
    let drawnCount = min(max(count, 0), free.count)
    for place in 0..<drawnCount { free.swapAt(place, place + generator.below(free.count - place)) }
    return Array(free.prefix(drawnCount))
  }
}
