// Plain alias matching: the baseline that a model has to beat.

import ConceptDetection
import Measures
import Testing

@Suite struct AliasMatcherTests {
  let lexicon = try! Lexicon(concepts: [
    Concept(id: "anniversary", label: "", bucket: .occasion, aliases: ["wedding anniversary", "noces d'or"]),
    Concept(id: "art", label: "", bucket: .lifestyle, aliases: ["art"]),
    Concept(id: "gift", label: "", bucket: .intent, aliases: ["gift", "für sie"]),
    Concept(id: "wedding", label: "", bucket: .occasion, aliases: ["wedding", "wedding in the country"]),
  ])

  @Test("whole words, whatever case and accents; the longest alias wins and its words name nothing else")
  func matches() {
    let matcher = AliasMatcher(lexicon)
    func ids(_ text: String) -> Set<String> { Set(matcher.concepts(in: text).map { lexicon.concepts[$0].id }) }
    #expect(ids("A party, an artist and gifts").isEmpty)
    #expect(ids("ART!") == ["art"])
    #expect(ids("their Wedding-Anniversary") == ["anniversary"])
    #expect(ids("wedding, anniversary") == ["anniversary"])
    #expect(ids("wedding in the city") == ["wedding"])
    #expect(ids("Leurs NOCES D’OR") == ["anniversary"])
    #expect(ids("fur Sie") == ["gift"] && ids("fu\u{308}r sie") == ["gift"])
    #expect(ids("").isEmpty)
  }

  @Test("a match says where it stands, in bytes and in words")
  func places() throws {
    let text = "Für die Frau: gift, wedding anniversary"
    let matches = AliasMatcher(lexicon).matches(in: text)
    #expect(matches.map(\.words) == [3..<4, 4..<6])
    #expect(
      matches.map { String(decoding: Array(text.utf8)[$0.bytes], as: UTF8.self) } == ["gift", "wedding anniversary"])
    #expect(matches.map(\.concepts) == [[2], [0]])
  }

  @Test("F1 on labelled notes: three right, one wrong, two missed make 2/3")
  func baseline() {
    let notes = [
      Note(text: "A gift for the wedding", concepts: [2, 3]),  // both found
      Note(text: "the state of the art", concepts: []),  // art: wrong
      Note(text: "Geschenk, weding", concepts: [2, 3]),  // both missed
      Note(text: "wedding anniversary", concepts: [0]),  // found
      Note(text: "gift without labels"),
    ]
    let report = AliasMatcher(lexicon).report(on: notes, lexicon: lexicon)
    #expect(report.micro.precision == 3.0 / 4 && report.micro.recall == 3.0 / 5)
    #expect(abs(report.micro.f1 - 2.0 / 3) < 1e-12)
  }
}
