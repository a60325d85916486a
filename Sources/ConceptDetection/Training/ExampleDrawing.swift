// The examples of an epoch, drawn from the texts: aliases varied and masked, sentences joined.

import Datasets

/// An example: words, and the concepts that they speak of.
struct ConceptExample: Sendable {
  var kind: TrainingText.Kind
  var words: [[UInt8]]
  /// Ascending.
  var concepts: [Int]
  /// Concepts of which the words may speak or not: they are neither an example nor a negative of them.
  var undecided: [Int] = []
  /// An alias was taken out, so that what stands around it counts.
  var isMasked = false
  /// A word was changed as by a typo or another ending.
  var isVaried = false
}

/// Draws the examples of an epoch. The same seed and epoch draw the same ones.
///
/// - Each alias as it is, and `aliasVariations` times with a word changed.
/// - For each alias of one word a compound with another one, or with a word of the notes, as Germanic languages make them
///   of any two: it speaks of what both speak of.
/// - Each note, sentence and clause, with all other concepts as its negatives, but for those that the note has elsewhere:
///   there people say the same thing twice, once in other words. Of those with an alias a share has one
///   alias masked, where at least `leastContext` words stay, and a share has a word of one changed.
/// - As many joined pairs of sentences and clauses as there are notes: several concepts may hold at once.
/// - Each candidate that names no concept.
/// - As many rows of common words as there are notes: they stand in aliases such as `14 February` and alone mean nothing.
struct ExampleDrawing: Sendable {
  let texts: TrainingTexts
  let seed: UInt64

  private static let aliasVariations = 1
  private static let maskShare = 0.3
  private static let changeShare = 0.3
  private static let leastContext = 3
  private static let mostCommonWords = 8

  /// How many examples every epoch has.
  let count: Int
  private let parts: [Int]
  /// Aliases of one word that is long enough for a part of a compound.
  private let singles: [Int]

  init(_ texts: TrainingTexts, seed: UInt64) {
    self.texts = texts
    self.seed = seed
    parts = texts.training.indices.filter { [.sentence, .clause].contains(texts.training[$0].kind) }
    let aliases = texts.training.indices.filter { texts.training[$0].kind == .alias }
    singles = aliases.filter {
      texts.training[$0].words.count == 1 && texts.training[$0].words[0].count >= WordNoise.shortest
    }
    count =
      texts.training.count + aliases.count * Self.aliasVariations + singles.count
      + (parts.isEmpty ? 0 : texts.noteCount) + (texts.commonWords.isEmpty ? 0 : texts.noteCount)
  }

  /// - Parameter epoch: counted from 1.
  func examples(epoch: Int) -> [ConceptExample] {
    var noise = WordNoise(generator: SeededGenerator(seed: seed &+ UInt64(epoch) &* 0x9E37_79B9_7F4A_7C15))
    var examples: [ConceptExample] = []
    examples.reserveCapacity(count)
    for text in texts.training {
      switch text.kind {
      case .alias:
        let plain = ConceptExample(kind: .alias, words: text.words, concepts: text.concepts)
        examples.append(plain)
        for _ in 0..<Self.aliasVariations {
          var varied = plain
          varied.isVaried = true
          Self.change(&varied.words, among: 0..<varied.words.count, with: &noise)
          examples.append(varied)
        }
      case .candidate: examples.append(ConceptExample(kind: .candidate, words: text.words, concepts: []))
      default: examples.append(Self.drawn(text, with: &noise))
      }
    }
    for single in singles { examples.append(compound(texts.training[single], with: &noise)) }
    if !texts.commonWords.isEmpty {
      for _ in 0..<texts.noteCount {
        let words = (0..<1 + noise.generator.below(Self.mostCommonWords)).map { _ in
          texts.commonWords[noise.generator.below(texts.commonWords.count)]
        }
        examples.append(ConceptExample(kind: .common, words: words, concepts: []))
      }
    }
    guard !parts.isEmpty else { return examples }
    for _ in 0..<texts.noteCount {
      let first = Self.drawn(texts.training[parts[noise.generator.below(parts.count)]], with: &noise)
      let second = Self.drawn(texts.training[parts[noise.generator.below(parts.count)]], with: &noise)
      let concepts = Set(first.concepts + second.concepts)
      examples.append(
        ConceptExample(
          kind: .joined, words: first.words + second.words, concepts: concepts.sorted(),
          undecided: Set(first.undecided + second.undecided).subtracting(concepts).sorted(),
          isMasked: first.isMasked || second.isMasked,
          isVaried: first.isVaried || second.isVaried))
    }
    return examples
  }

  /// What stands between the parts of compounds.
  private static let links = ["", "", "s", "n", "en"].map { Array($0.utf8) }

  /// An alias of one word joined with another word, in either order.
  private func compound(_ alias: TrainingText, with noise: inout WordNoise) -> ConceptExample {
    let other: (word: [UInt8], concepts: [Int])
    if noise.generator.below(2) == 0 || texts.noteWords.isEmpty {
      let second = texts.training[singles[noise.generator.below(singles.count)]]
      other = (second.words[0], second.concepts)
    } else {
      other = texts.noteWords[noise.generator.below(texts.noteWords.count)]
    }
    let link = Self.links[noise.generator.below(Self.links.count)]
    let joined = noise.generator.below(2) == 0 ? alias.words[0] + link + other.word : other.word + link + alias.words[0]
    return ConceptExample(
      kind: .compound, words: [joined], concepts: Set(alias.concepts + other.concepts).sorted())
  }

  /// A note or a part of one, masked or changed.
  private static func drawn(_ text: TrainingText, with noise: inout WordNoise) -> ConceptExample {
    var example = ConceptExample(kind: text.kind, words: text.words, concepts: text.concepts, undecided: text.undecided)
    guard !text.matches.isEmpty else { return example }
    let draw = noise.generator.uniform()
    let match = text.matches[noise.generator.below(text.matches.count)]
    if draw < maskShare {
      guard text.words.count - match.count >= leastContext else { return example }
      example.words.removeSubrange(match)
      example.isMasked = true
    } else if draw < maskShare + changeShare {
      change(&example.words, among: match, with: &noise)
      example.isVaried = true
    }
    return example
  }

  /// Changes one of some words, a longer one more likely.
  private static func change(_ words: inout [[UInt8]], among range: Range<Int>, with noise: inout WordNoise) {
    let weights = range.map { max(words[$0].count - WordNoise.shortest + 1, 0) }
    let total = weights.reduce(0, +)
    guard total > 0 else { return }
    var rest = noise.generator.below(total)
    for (place, weight) in zip(range, weights) {
      if rest < weight {
        words[place] = noise.variation(words[place])
        return
      }
      rest -= weight
    }
  }
}
