// More samples from few: variations of texts that keep their labels.

import Datasets

/// Makes variations of samples until there are as many as wanted.
///
/// A variation leaves out words, exchanges neighbours, puts sentences in another order, or does two of these; now and then
/// the letters' case changes as well (what an encoder that ignores case would not see if it were all). Wei and Zou ("EDA",
/// 2019) found word dropout and swaps to help most where samples are few, at a tenth of the words.
///
/// Apply it to samples that train, never to those that validate: a training does so behind its split. In a file,
/// ``ClassificationSample/variantOf`` keeps variants out of a later split's validation.
public struct TextAugmentation: Sendable, Hashable {
  /// Samples that there shall be, the originals among them.
  public var targetSize: Int
  /// The share of words that a variation leaves out or exchanges, at least one.
  public var share: Double
  public var seed: UInt64

  public init(targetSize: Int = 500, share: Double = 0.1, seed: UInt64 = 42) {
    self.targetSize = targetSize
    self.share = share
    self.seed = seed
  }

  /// The samples as they are, and behind them variations, each sample's turn coming as often as any other's. The same
  /// samples and settings give the same variations. There are fewer than `targetSize` where the texts are too short for
  /// so many that differ from each other and from all samples.
  public func augmented(_ samples: [ClassificationSample]) -> [ClassificationSample] {
    precondition(share > 0 && share < 1, "a share of words is between 0 and 1")
    let originals = samples.filter { $0.variantOf == nil }
    guard samples.count < targetSize, !originals.isEmpty else { return samples }
    var result = samples
    var known = Set(samples.lazy.map(\.text))
    var generator = SeededGenerator(seed: seed)
    let texts = originals.map { VariableText($0.text) }
    var misses = 0
    while true {
      for place in generator.permutation(originals.count) {
        let text = texts[place].variation(share: share, using: &generator)
        guard known.insert(text).inserted else {
          misses += 1
          // Texts of few words run out of variations; chance alone does not miss this often.
          if misses > Self.patience * originals.count { return result }
          continue
        }
        misses = 0
        var sample = originals[place]
        sample.text = text
        sample.variantOf = originals[place].text
        result.append(sample)
        if result.count >= targetSize { return result }
      }
    }
  }

  /// Rounds over all samples without a new variation, after which there are taken to be none.
  private static let patience = 100
}

/// A text taken apart for variations.
private struct VariableText {
  private let sentences: [[Substring]]
  private let wordCount: Int

  init(_ text: String) {
    var sentences: [[Substring]] = [[]]
    for word in text.split(whereSeparator: \.isWhitespace) {
      sentences[sentences.count - 1].append(word)
      // "Dr. Who" has two sentences then; nothing is lost by that.
      if let last = word.last(where: { !"\"')]”’»".contains($0) }), ".!?…。！？".contains(last) { sentences.append([]) }
    }
    self.sentences = sentences.filter { !$0.isEmpty }
    wordCount = self.sentences.reduce(0) { $0 + $1.count }
  }

  func variation(share: Double, using generator: inout SeededGenerator) -> String {
    var sentences = sentences
    let ways = (wordCount > 1 ? 2 : 0) + (sentences.count > 1 ? 1 : 0)
    if ways > 0 {
      let first = generator.below(ways)
      apply(first, to: &sentences, share: share, using: &generator)
      if ways > 1, generator.uniform() < 0.5 {
        apply((first + 1 + generator.below(ways - 1)) % ways, to: &sentences, share: share, using: &generator)
      }
    }
    let text = sentences.lazy.filter { !$0.isEmpty }.map { $0.joined(separator: " ") }.joined(separator: " ")
    guard ways == 0 || generator.uniform() < 0.25 else { return text }
    switch generator.below(3) {
    case 0: return text.lowercased()
    case 1: return text.uppercased()
    default:
      return text.split(separator: " ").map { $0.prefix(1).uppercased() + $0.dropFirst().lowercased() }
        .joined(separator: " ")
    }
  }

  private func apply(
    _ way: Int, to sentences: inout [[Substring]], share: Double, using generator: inout SeededGenerator
  ) {
    let count = max(1, Int((share * Double(wordCount)).rounded()))
    switch way {
    case 0:
      for _ in 0..<count {
        let left = sentences.reduce(0) { $0 + $1.count }
        guard left > 1 else { return }
        var place = generator.below(left)
        for index in sentences.indices {
          if place < sentences[index].count {
            sentences[index].remove(at: place)
            break
          }
          place -= sentences[index].count
        }
      }
    case 1:
      for _ in 0..<count {
        let pairs = sentences.indices.flatMap { sentence in
          sentences[sentence].indices.dropLast().map { (sentence, $0) }
        }
        guard !pairs.isEmpty else { return }
        let (sentence, word) = pairs[generator.below(pairs.count)]
        sentences[sentence].swapAt(word, word + 1)
      }
    default: sentences = generator.permutation(sentences.count).map { sentences[$0] }
    }
  }
}
