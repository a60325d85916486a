// What a trained network makes of aliases: those that it was never shown, and known ones with a typo.

import Datasets
import GraphEngine
import Tensors

/// How often a network names the right concept first.
public struct AliasChecks: Sendable, Hashable, Codable {
  public struct Check: Sendable, Hashable, Codable {
    public var aliases: Int
    /// The share whose most probable concept is one that the alias names; 0 where there are none.
    public var top1: Double
  }

  /// Aliases that no example of the training contained.
  public var heldOut: Check
  /// Aliases that were trained on, each with one edit: a letter left out, put in, replaced or exchanged with the next.
  public var typos: Check

  enum CodingKeys: String, CodingKey {
    case heldOut = "held_out"
    case typos
  }
}

extension TrainingTexts {
  /// The aliases that are checked: their words, and the concepts that are right.
  struct AliasQuestions {
    var words: [[[UInt8]]] = []
    var right: [Set<Int>] = []

    mutating func add(_ words: [[UInt8]], _ right: Set<Int>) {
      self.words.append(words)
      self.right.append(right)
    }

    func check(_ best: [Int]) -> AliasChecks.Check {
      let hits = zip(best, right).count { $1.contains($0) }
      return AliasChecks.Check(aliases: right.count, top1: right.isEmpty ? 0 : Double(hits) / Double(right.count))
    }
  }

  var heldOutQuestions: AliasQuestions {
    var questions = AliasQuestions()
    for held in heldOutAliases { questions.add(Self.words(of: held.alias), [held.concept]) }
    return questions
  }

  /// Each alias with a typo in its longest word, where that is long enough for one.
  func typoQuestions(seed: UInt64) -> AliasQuestions {
    var noise = WordNoise(generator: SeededGenerator(seed: seed ^ 0x7479_706F))
    var owners: [[[UInt8]]: Set<Int>] = [:]
    let folded = aliases.map { Self.words(of: $0.alias) }
    for (words, alias) in zip(folded, aliases) { owners[words, default: []].insert(alias.concept) }
    var questions = AliasQuestions()
    for words in folded {
      let longest = words.indices.max { words[$0].count < words[$1].count }!
      var changed = words
      changed[longest] = noise.typo(words[longest])
      // An edit can bring back the same word, or make another alias.
      guard changed != words, owners[changed] == nil else { continue }
      questions.add(changed, owners[words]!)
    }
    return questions
  }
}
