// The hashed features: the numbers are those of tools/crosscheck/concept_features.py, another writing of the same
// description; all notes of the sample are compared there.

import ConceptDetection
import Testing

@Suite struct ConceptFeatureTests {
  @Test("the ids of a word and of two, as Python makes them")
  func ids() {
    let extractor = ConceptFeatures(bits: 16)
    #expect(
      extractor.features(of: "Ring").ids == [
        5382, 17908, 37607, 38431, 27737, 57232, 63320, 11370, 58065, 10784,
      ])
    #expect(
      extractor.features(of: "Für sie").ids == [
        55129, 14376, 31263, 7137, 10463, 24956, 40126, 22413, 59754, 48822, 5196, 48214, 63546, 51181, 41531,
      ])
  }

  @Test(
    "case, accents, Unicode's forms and marks between words change nothing",
    arguments: ["FÜR SIE", "fu\u{308}r,sie", "(fur  Sie!)"])
  func folding(text: String) {
    #expect(ConceptFeatures().features(of: text).ids == ConceptFeatures().features(of: "Für sie").ids)
  }

  @Test("each word knows its bytes and its features; features of several texts stand behind each other")
  func words() {
    let text = "Un été."
    var features = ConceptFeatures().features(of: text)
    #expect(features.words.map(\.bytes) == [0..<2, 3..<8])
    // <un>: the word, four-code-point n-grams <un, <un>, un>. <ete>: the word, the pair, 3+2+1 n-grams.
    #expect(features.words.map(\.features) == [0..<4, 4..<12])
    #expect(features.ids.count == 12)
    ConceptFeatures().append(of: "un", to: &features)
    #expect(features.words.last?.features == 12..<16 && features.ids[12...] == features.ids[0..<4])
  }

  @Test("ids are rows of the table, none of them padding", arguments: [8, 12, 16, 24])
  func range(bits: Int) {
    let extractor = ConceptFeatures(bits: bits)
    let ids = extractor.features(of: (0..<500).map { "word\($0) Übergröße" }.joined(separator: " ")).ids
    #expect(ids.allSatisfy { (1..<Int32(extractor.rowCount)).contains($0) })
    #expect(extractor.rowCount == (1 << bits) + 1 && ConceptFeatures.padding == 0)
    // Spread over the table, not in a part of it.
    #expect((ids.max() ?? 0) > Int32(extractor.rowCount / 2) && (ids.min() ?? 0) < Int32(extractor.rowCount / 2))
  }

  @Test("bytes that are no UTF-8 separate words")
  func brokenBytes() {
    func ids(_ bytes: [UInt8]) -> [Int32] {
      var features = TextFeatures()
      bytes.withUnsafeBufferPointer { ConceptFeatures().append(of: $0, to: &features) }
      return features.ids
    }
    let expected = ConceptFeatures().features(of: "ab cd").ids
    for broken: [UInt8] in [[0xFF], [0xC3], [0xE2, 0x82], [0xED, 0xA0, 0x80], [0xC0, 0x80], [0xF8, 0x88]] {
      #expect(ids(Array("ab".utf8) + broken + Array("cd".utf8)) == expected)
    }
    #expect(ids(Array("ab cd".utf8) + [0xE2, 0x82]) == expected)
    #expect(ids([]).isEmpty)
  }
}
