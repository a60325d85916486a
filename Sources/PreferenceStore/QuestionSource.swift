// Which two items to ask about next.

import Datasets

/// How the next question is chosen.
public enum QuestionStrategy: String, Sendable, CaseIterable {
  /// The item with the fewest answers, beside the one with the fewest that it was not compared with.
  case leastCompared = "least-compared"
  /// The two items whose scores a trained model sets closest together.
  case uncertain
  /// Any two items.
  case random
}

/// Chooses pairs of items of one type that were not compared yet, each pair once.
///
/// The same seed and the same answers give the same questions. Which item is A is drawn, so that a habit of choosing
/// one side teaches a model nothing.
public struct QuestionSource: Sendable {
  private let strategy: QuestionStrategy
  /// Items by type, each list at least two long, by id.
  private let groups: [[String]]
  private let scores: [String: Double]
  private var asked: Set<NamePair> = []
  private var answerCount: [String: Int] = [:]
  private var generator: SeededGenerator

  /// - Parameters:
  ///   - items: those to ask about; only items of one type are asked about together.
  ///   - pairs: the answers that there are already.
  ///   - scores: for `uncertain`, a score of each item, any scale; the source asks where two are least apart.
  public init(
    items: [(id: String, type: String)], pairs: some Sequence<(a: String, b: String)>, strategy: QuestionStrategy,
    seed: UInt64, scores: [String: Double] = [:]
  ) {
    self.strategy = strategy
    self.scores = scores
    generator = SeededGenerator(seed: seed)
    groups = Dictionary(grouping: items, by: \.type).sorted { $0.key < $1.key }
      .map { $0.value.map(\.id).sorted() }.filter { $0.count > 1 }
    for pair in pairs { noteAnswer(pair.a, pair.b) }
  }

  /// Takes note of an answer, from here or elsewhere.
  public mutating func noteAnswer(_ a: String, _ b: String) {
    asked.insert(NamePair(a, b))
    answerCount[a, default: 0] += 1
    answerCount[b, default: 0] += 1
  }

  /// Takes note that an answer was taken back; its question may come again.
  public mutating func noteUndo(_ a: String, _ b: String) {
    asked.remove(NamePair(a, b))
    answerCount[a, default: 1] -= 1
    answerCount[b, default: 1] -= 1
  }

  /// Takes note that a question is not to come again.
  public mutating func noteSkip(_ a: String, _ b: String) { asked.insert(NamePair(a, b)) }

  /// The next question; nil when every two items of a type were compared or skipped.
  public mutating func next() -> (a: String, b: String)? {
    let pair =
      switch strategy {
      case .leastCompared: leastCompared()
      case .uncertain: leastCertain()
      case .random: random()
      }
    guard let pair else { return nil }
    return generator.next() & 1 == 0 ? pair : (pair.b, pair.a)
  }

  private mutating func leastCompared() -> (a: String, b: String)? {
    // Ties are broken by one random order of all items.
    var best: (count: Int, partnerCount: Int, a: String, b: String)?
    for group in shuffledGroups() {
      let order = byCount(group)
      for a in order {
        if let best, best.count < answerCount[a, default: 0] { break }
        guard let b = order.first(where: { $0 != a && !asked.contains(NamePair(a, $0)) }) else { continue }
        let counts = (answerCount[a, default: 0], answerCount[b, default: 0])
        if best.map({ counts < ($0.count, $0.partnerCount) }) ?? true { best = (counts.0, counts.1, a, b) }
        break
      }
    }
    return best.map { ($0.a, $0.b) }
  }

  private func byCount(_ group: [String]) -> [String] {
    group.enumerated().sorted { x, y in
      (answerCount[x.element, default: 0], x.offset) < (answerCount[y.element, default: 0], y.offset)
    }.map(\.element)
  }

  /// The groups in random order, and each of them so.
  private mutating func shuffledGroups() -> [[String]] {
    let order = generator.permutation(groups.count)
    return order.map { index in generator.permutation(groups[index].count).map { groups[index][$0] } }
  }

  private mutating func random() -> (a: String, b: String)? {
    let pairCount = groups.reduce(0) { $0 + $1.count * ($1.count - 1) / 2 }
    guard pairCount > 0 else { return nil }
    // While most pairs are open a random one is likely to be.
    for _ in 0..<64 {
      var place = generator.below(pairCount)
      for group in groups {
        let inGroup = group.count * (group.count - 1) / 2
        guard place >= inGroup else {
          let i = generator.below(group.count)
          let j = generator.below(group.count - 1)
          let (a, b) = (group[i], group[j < i ? j : j + 1])
          if asked.contains(NamePair(a, b)) { break }
          return (a, b)
        }
        place -= inGroup
      }
    }
    // When few are left, one of the rest: each as likely, by drawing from those met so far.
    var chosen: (a: String, b: String)?
    var openCount = 0
    for group in groups {
      for (i, a) in group.enumerated() {
        for b in group[(i + 1)...] where !asked.contains(NamePair(a, b)) {
          openCount += 1
          if generator.below(openCount) == 0 { chosen = (a, b) }
        }
      }
    }
    return chosen
  }

  /// Sorted by score, the least difference of any item to a later one is to its next open one.
  private func leastCertain() -> (a: String, b: String)? {
    var best: (difference: Double, a: String, b: String)?
    for group in groups {
      let order = group.filter { scores[$0] != nil }.sorted { (scores[$0]!, $0) < (scores[$1]!, $1) }
      for (i, a) in order.enumerated() {
        for b in order[(i + 1)...] {
          let difference = scores[b]! - scores[a]!
          if let best, difference >= best.difference { break }
          if !asked.contains(NamePair(a, b)) {
            best = (difference, a, b)
            break
          }
        }
      }
    }
    return best.map { ($0.a, $0.b) }
  }
}
