// Variations of texts: as many as wanted, different, of the same words, the same for the same seed.

import CommandSupport
import Testing
import TextClassification

@Suite struct AugmentationTests {
  private let samples = (0..<20).map { number in
    ClassificationSample(
      text: "Number \(number) begins a long sentence here. Another follows it at once! Does a third one end it?",
      labels: [number % 3], confidence: 0.5)
  }

  @Test("there are as many samples as wanted: the originals, and variations that differ from them and each other")
  func size() {
    let augmented = TextAugmentation(targetSize: 500).augmented(samples)
    #expect(augmented.count == 500)
    #expect(Array(augmented.prefix(20)) == samples)
    #expect(Set(augmented.map(\.text)).count == 500)
    // Each sample's turn comes as often as any other's.
    let turns = Dictionary(grouping: augmented.dropFirst(20), by: { $0.variantOf! }).mapValues(\.count)
    #expect(turns.count == 20 && turns.values.allSatisfy { (20...28).contains($0) })
  }

  @Test("a variation has its sample's labels and weight, and a good nine tenths of its words, no others")
  func words() throws {
    func words(_ text: String) -> [String] { text.lowercased().split(separator: " ").map(String.init).sorted() }
    var orders = 0
    for variant in TextAugmentation(targetSize: 400).augmented(samples).dropFirst(20) {
      let origin = try #require(samples.first { $0.text == variant.variantOf })
      #expect(variant.labels == origin.labels && variant.confidence == 0.5)
      var left = words(origin.text)
      for word in words(variant.text) { left.remove(at: try #require(left.firstIndex(of: word))) }
      #expect(left.count <= 2)
      if !variant.text.lowercased().hasPrefix("number") { orders += 1 }
    }
    #expect(orders > 50)
  }

  @Test("the same seed gives the same variations, another one others")
  func seed() {
    let first = TextAugmentation(targetSize: 100, seed: 1).augmented(samples)
    #expect(first == TextAugmentation(targetSize: 100, seed: 1).augmented(samples))
    #expect(first != TextAugmentation(targetSize: 100, seed: 2).augmented(samples))
  }

  @Test("texts too short for so many variations give what there is")
  func short() {
    let few = TextAugmentation(targetSize: 100).augmented([ClassificationSample(text: "Fungi", labels: [0])])
    #expect(Set(few.map(\.text)) == ["Fungi", "fungi", "FUNGI"])
    let pair = TextAugmentation(targetSize: 100).augmented([ClassificationSample(text: "a b", labels: [0])])
    #expect(Set(pair.map(\.text)) == ["a b", "b a", "a", "b", "B A", "A", "B"])
    #expect(TextAugmentation(targetSize: 1).augmented(samples) == samples)
    #expect(TextAugmentation().augmented([]).isEmpty)
  }

  @Test("variants are not varied again")
  func variants() {
    let once = TextAugmentation(targetSize: 60, seed: 1).augmented(samples)
    let twice = TextAugmentation(targetSize: 120, seed: 2).augmented(once)
    let originals = Set(samples.map(\.text))
    #expect(twice.count == 120 && twice.dropFirst(20).allSatisfy { originals.contains($0.variantOf!) })
  }
}
