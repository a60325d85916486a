// Characters become what BERT's normalizer makes of them.

import Testing
import Tokenization

@Suite("Normalization")
struct NormalizationTests {
  /// Whether a text is read as these letters, which are tokens of their own, without and with ##.
  private func expect(
    _ text: String, as letters: String..., lowercases: Bool = true, stripsAccents: Bool? = nil,
    isolatesIdeographs: Bool = true, sourceLocation: SourceLocation = #_sourceLocation
  ) throws {
    // Each scalar for itself: a vocabulary of all scalars that are expected.
    let scalars = Set(letters.joined().unicodeScalars).sorted { $0.value < $1.value }
    let tokenizer = try tokenizer(
      scalars.flatMap { [String($0), "##" + String($0)] }, lowercases: lowercases, stripsAccents: stripsAccents,
      isolatesIdeographs: isolatesIdeographs)
    let expected = letters.flatMap { word in
      word.unicodeScalars.enumerated().map { Array((($0 == 0 ? "" : "##") + String($1)).utf8) }
    }
    #expect(tokenizer.pieces(text) == expected, sourceLocation: sourceLocation)
  }

  @Test("uncased: lower case without accents, in one piece or in two")
  func uncased() throws {
    try expect("HÄLLO", as: "hallo")
    try expect("caf\u{E9} cafe\u{301}", as: "cafe", "cafe")
    try expect("\u{1E08}", as: "c")
    // İ is I with a dot, which goes; ß and ı have no decomposition.
    try expect("\u{130}\u{131}\u{DF}", as: "i\u{131}\u{DF}")
    // A sigma at a word's end is the same sigma as elsewhere.
    try expect("\u{3A3}\u{39F}\u{3A3}", as: "\u{3C3}\u{3BF}\u{3C3}")
    // The Kelvin and Ångström signs are letters.
    try expect("\u{212A}\u{212B}", as: "ka")
  }

  @Test("cased: everything stays")
  func cased() throws {
    try expect("H\u{C4}llo e\u{301}", as: "H\u{C4}llo", "e\u{301}", lowercases: false)
    try expect("H\u{C4}", as: "HA", lowercases: false, stripsAccents: true)
    // Lower case of İ is two characters.
    try expect("\u{130}\u{C4}", as: "i\u{307}\u{E4}", stripsAccents: false)
  }

  @Test("Hangul is decomposed where accents go")
  func hangul() throws {
    try expect("\u{AC01}\u{D7A3}\u{AC00}", as: "\u{1100}\u{1161}\u{11A8}\u{1112}\u{1175}\u{11C2}\u{1100}\u{1161}")
    try expect("\u{AC01}", as: "\u{AC01}", lowercases: false)
  }

  @Test("each Chinese character is a word, unless that is switched off")
  func ideographs() throws {
    try expect("a\u{4E2D}\u{6587}b", as: "a", "\u{4E2D}", "\u{6587}", "b")
    try expect("a\u{4E2D}\u{6587}b", as: "a\u{4E2D}\u{6587}b", isolatesIdeographs: false)
    // A compatibility ideograph is decomposed and still a word; kana are letters of words.
    try expect("x\u{F900}\u{304B}\u{306A}", as: "x", "\u{8C48}", "\u{304B}\u{306A}")
    // か with its mark in one piece loses the mark.
    try expect("\u{304C}", as: "\u{304B}")
    try expect("\u{20000}\u{2A700}", as: "\u{20000}", "\u{2A700}")
  }

  @Test("control, format and private characters go without a trace; emoji are letters")
  func cleaning() throws {
    try expect("a\u{0}b\u{7F}\u{AD}c\u{200D}d\u{FEFF}e\u{FFFD}\u{E000}\u{F0000}", as: "abcde")
    try expect("\u{1F468}\u{200D}\u{1F469}", as: "\u{1F468}\u{1F469}")
    // Without a variation selector where accents go, with it elsewhere.
    try expect("\u{2764}\u{FE0F}", as: "\u{2764}")
    try expect("\u{2764}\u{FE0F}", as: "\u{2764}\u{FE0F}", lowercases: false)
    // No format character of Unicode 8: what came later is unknown.
    try expect("a\u{8E2}", as: "a\u{8E2}")
  }

  @Test("what decomposes into punctuation parts words")
  func decomposedPunctuation() throws {
    // The Greek question mark is a semicolon, the Greek accent a grave one.
    try expect("a\u{37E}b\u{1FEF}", as: "a", ";", "b", "`")
    try expect("a\u{166D}b", as: "a", "\u{166D}", "b")
  }

  @Test("marks that stay are put in order, but not across a character that goes away between them")
  func markOrder() throws {
    // Hangul tone marks: U+302E is of class 224, U+1D165 of 216.
    try expect("a\u{302E}\u{1D165}", as: "a\u{1D165}\u{302E}")
    try expect("a\u{302E}\u{AD}\u{1D165}", as: "a\u{1D165}\u{302E}")
    // U+0E31 is a mark of class 0: it goes, but the order stops at it.
    try expect("a\u{302E}\u{E31}\u{1D165}", as: "a\u{302E}\u{1D165}")
    try expect("a\u{302E}b\u{1D165}", as: "a\u{302E}b\u{1D165}")
    try expect("a\u{302E}\u{1D165}", as: "a\u{302E}\u{1D165}", lowercases: false)
  }
}
