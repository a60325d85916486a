// Made-up users with tastes and items with topics: what synthesized interactions are drawn from.

import Datasets
import Glibc

/// A world of users and items in which interactions follow tastes.
///
/// There are `topicCount` topics. User `u` turns to topic `z` with probability `θ(u, z) ∝ exp(a · N(0, 1))`, and within
/// topic `z` to item `i` with probability `φ(z, i) ∝ rank(i)^-skew · exp(a · N(0, 1))`, where `rank` is a random order of
/// the items and `a` is the sharpness. With probability `noise` a user turns to an item by popularity alone,
/// `∝ rank(i)^-skew`. So an item's chances are those of a mixture of `topicCount` parts: what matrix factorization can
/// find, and counting can't.
struct TasteModel {
  let topicCount: Int
  private let userCount: Int
  private let noise: Double
  /// For each user the cumulated shares of the topics.
  private let tastes: [Float]
  private let topics: [AliasTable]
  private let popularity: AliasTable
  /// `φ` as far as it is about the topic: for each item its shares of the topics.
  private let itemShares: [Float]

  init(
    users: Int, items: Int, topics topicCount: Int, skew: Double, sharpness: Double, noise: Double,
    using generator: inout SeededGenerator
  ) {
    self.topicCount = topicCount
    userCount = users
    self.noise = noise
    func shares(_ count: Int) -> [Float] {
      var shares = [Float](repeating: 0, count: count * topicCount)
      for row in 0..<count {
        var sum: Float = 0
        for topic in 0..<topicCount {
          let weight = Float(exp(sharpness * generator.normal()))
          shares[row * topicCount + topic] = weight
          sum += weight
        }
        for topic in 0..<topicCount { shares[row * topicCount + topic] /= sum }
      }
      return shares
    }
    var tastes = shares(users)
    for user in 0..<users {
      for topic in 1..<max(topicCount, 1) {
        tastes[user * topicCount + topic] += tastes[user * topicCount + topic - 1]
      }
    }
    self.tastes = tastes
    let itemShares = shares(items)
    self.itemShares = itemShares
    var base = [Double](repeating: 0, count: items)
    for (rank, item) in generator.permutation(items).enumerated() { base[item] = pow(Double(rank + 1), -skew) }
    popularity = AliasTable(base)
    topics = (0..<topicCount).map { topic in
      AliasTable(base.indices.map { base[$0] * Double(itemShares[$0 * topicCount + topic]) })
    }
  }

  /// Draws an item for a user; `byTaste` is false where popularity alone chose it.
  func draw(user: Int, using generator: inout SeededGenerator) -> (item: Int, byTaste: Bool) {
    if noise > 0, generator.uniform() < noise { return (popularity.draw(using: &generator), false) }
    let share = Float(generator.uniform())
    var topic = 0
    while topic < topicCount - 1, tastes[user * topicCount + topic] <= share { topic += 1 }
    return (topics[topic].draw(using: &generator), true)
  }

  /// How well an item's topics fit a user's taste: `Σ θ(u, z) · share(i, z)`.
  func affinity(user: Int, item: Int) -> Float {
    var sum: Float = 0
    var before: Float = 0
    for topic in 0..<topicCount {
      let cumulated = tastes[user * topicCount + topic]
      sum += (cumulated - before) * itemShares[item * topicCount + topic]
      before = cumulated
    }
    return sum
  }
}
