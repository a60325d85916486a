// Made-up texts with topics in them.

import Datasets
import Glibc

/// Synthesizes labelled texts in which there is something to find.
///
/// Each label is a topic `z` with a distribution over made-up words, `φ(z, w) ∝ rank(w)^-1 · exp(a · N(0, 1))`, where
/// `rank` is a random order of the words, the same for all topics, and `a` is the sharpness. A text has one label by
/// popularity, `∝ rank(z)^-labelSkew`, with probability `secondLabelShare` a second one, and with that probability again
/// a third. Each of its words is, with probability `noise`, of no topic (`∝ rank(w)^-1`), and otherwise of one of its
/// labels' topics. So single words say little, and their sum says which topics are mixed: a generative model of latent
/// Dirichlet allocation's kind (Blei, Ng and Jordan 2003) with the topics told.
///
/// ```swift
/// try ClassificationSynthesis(samples: 2_000, labels: 20).file().write(to: "topics.json")
/// ```
///
/// The same settings give the same bytes.
public struct ClassificationSynthesis: Sendable, Hashable {
  public var samples: Int
  public var labels: Int
  /// Distinct words.
  public var vocabulary: Int
  /// Words of a text.
  public var words: ClosedRange<Int>
  /// How many texts have a second label, and of these a third.
  public var secondLabelShare: Double
  /// The label at rank `r` is popular as `r^-skew`; 0 for all alike.
  public var labelSkew: Double
  /// How far the topics lie apart: 0 not at all, 1 somewhat, 2 clearly.
  public var sharpness: Double
  /// The share of words of no topic.
  public var noise: Double
  public var seed: UInt64

  public init(
    samples: Int = 1_000, labels: Int = 10, vocabulary: Int = 1_000, words: ClosedRange<Int> = 12...40,
    secondLabelShare: Double = 0.15, labelSkew: Double = 0.3, sharpness: Double = 2, noise: Double = 0.3,
    seed: UInt64 = 42
  ) {
    self.samples = samples
    self.labels = labels
    self.vocabulary = vocabulary
    self.words = words
    self.secondLabelShare = secondLabelShare
    self.labelSkew = labelSkew
    self.sharpness = sharpness
    self.noise = noise
    self.seed = seed
  }

  /// - Throws: ``ClassificationSynthesisError`` for settings that can't be met.
  public func file() throws(ClassificationSynthesisError) -> ClassificationFile {
    try check()
    var generator = SeededGenerator(seed: seed)
    let spellings = Self.spellings(vocabulary, using: &generator)
    let wordWeights = generator.permutation(vocabulary).map { 1 / Double($0 + 1) }
    let background = AliasTable(wordWeights)
    var topics: [AliasTable] = []
    for _ in 0..<labels {
      topics.append(AliasTable(wordWeights.map { $0 * exp(sharpness * generator.normal()) }))
    }
    let labelWeights = generator.permutation(labels).map { pow(Double($0 + 1), -labelSkew) }
    let popularity = AliasTable(labelWeights)

    let digits = max(3, String(labels - 1).count)
    let names = (0..<labels).map { String(repeating: "0", count: digits - String($0).count) + String($0) }
    var made: [ClassificationSample] = []
    made.reserveCapacity(samples)
    for _ in 0..<samples {
      var mixed = [popularity.draw(using: &generator)]
      while mixed.count < min(3, labels), generator.uniform() < secondLabelShare {
        var other = popularity.draw(using: &generator)
        while mixed.contains(other) { other = popularity.draw(using: &generator) }
        mixed.append(other)
      }
      let count = words.lowerBound + generator.below(words.count)
      let drawn = (0..<count).map { _ in
        let topic = mixed[generator.below(mixed.count)]
        let table = generator.uniform() < noise ? background : topics[topic]
        return spellings[table.draw(using: &generator)]
      }
      made.append(
        ClassificationSample(text: Self.sentences(drawn, using: &generator), labels: mixed.sorted()))
    }
    return ClassificationFile(labels: names, samples: made)
  }

  private func check() throws(ClassificationSynthesisError) {
    func need(
      _ holds: Bool, _ name: String, _ value: some Any, _ expected: String
    ) throws(ClassificationSynthesisError) {
      if !holds { throw ClassificationSynthesisError(setting: name, value: "\(value)", expected: expected) }
    }
    try need((1...10_000_000).contains(samples), "samples", samples, "1 to 10,000,000")
    try need((1...10_000).contains(labels), "labels", labels, "1 to 10,000")
    try need((1...1_000_000).contains(vocabulary), "vocabulary", vocabulary, "1 to 1,000,000")
    try need(
      labels * vocabulary <= 100_000_000, "labels", labels,
      "at most 100,000,000 pairs of a label and one of the \(vocabulary) words")
    try need(
      words.lowerBound >= 1 && words.upperBound <= 100_000, "words", "\(words.lowerBound) to \(words.upperBound)",
      "1 to 100,000")
    try need((0..<1).contains(secondLabelShare), "second label share", secondLabelShare, "0 to below 1")
    try need((0...4).contains(labelSkew), "label skew", labelSkew, "0 to 4")
    try need((0...10).contains(sharpness), "sharpness", sharpness, "0 to 10")
    try need((0...1).contains(noise), "noise", noise, "0 to 1")
  }

  /// Words with a full stop every 6 to 14 of them.
  private static func sentences(_ words: [String], using generator: inout SeededGenerator) -> String {
    var text = ""
    var left = 0
    for (index, word) in words.enumerated() {
      if left == 0 {
        if index > 0 { text += ". " }
        left = 6 + generator.below(9)
        text += word.prefix(1).uppercased() + word.dropFirst()
      } else {
        text += " " + word
      }
      left -= 1
    }
    return text + "."
  }

  /// Distinct words that can be spoken: syllables of a consonant and a vowel.
  private static func spellings(_ count: Int, using generator: inout SeededGenerator) -> [String] {
    let consonants = ["b", "d", "f", "g", "k", "l", "m", "n", "p", "r", "s", "t", "v", "z", "sh", "br", "st", "kl"]
    let vowels = ["a", "e", "i", "o", "u", "ai", "ou"]
    // Enough syllables that half of all words of that length are left over.
    var longest = 2
    while pow(Double(consonants.count * vowels.count), Double(longest)) < 2 * Double(count) { longest += 1 }
    var words: [String] = []
    var known: Set<String> = []
    while words.count < count {
      let word = (0..<1 + generator.below(longest)).map { _ in
        consonants[generator.below(consonants.count)] + vowels[generator.below(vowels.count)]
      }.joined()
      if known.insert(word).inserted { words.append(word) }
    }
    return words
  }
}

/// A setting that synthesized texts can't have.
public struct ClassificationSynthesisError: Error, Sendable, Hashable, CustomStringConvertible {
  public let setting: String
  public let value: String
  public let expected: String

  public var description: String { "\(setting): \(value) can't be; expected \(expected)" }
}
