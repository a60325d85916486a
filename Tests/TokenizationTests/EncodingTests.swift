// Words are cut as BERT's WordPiece cuts them, framed, truncated and padded.

import Testing
import Tokenization

@Suite("Encoding")
struct EncodingTests {
  @Test("the longest token is taken from the left, and goes on with ##")
  func longestFirst() throws {
    let tokenizer = try tokenizer(
      ["un", "unaff", "##able", "##aff", "##a", "##ffable", "runn", "##ing", "want", "##want", "##ed"])
    #expect(tokenizer.pieces("unwanted running") == utf8("un", "##want", "##ed", "runn", "##ing"))
    // "unaff" is longer than "un", though "un" would leave "##aff", "##able".
    #expect(tokenizer.pieces("unaffable") == utf8("unaff", "##able"))
    #expect(tokenizer.encode("unwanted").ids == [2, 5, 14, 15, 3])
  }

  @Test("a word that can't be cut to its end is one unknown token, and takes back what was found of it")
  func unknown() throws {
    let tokenizer = try tokenizer(["un", "##want", "##ed", "a", "b"])
    #expect(tokenizer.pieces("a unwantedX b") == utf8("a", "[UNK]", "b"))
    #expect(tokenizer.pieces("zzz") == utf8("[UNK]"))
    // No token goes on behind a first one here.
    let single = try WordPieceTokenizer(vocabulary: .init(tokens: specialTokens + ["a"]))
    #expect(single.encode("aa a").ids == [2, 1, 5, 3])
  }

  @Test("a word of 100 characters is cut, one of 101 is unknown")
  func longWords() throws {
    let tokenizer = try tokenizer(["x", "##x", "é", "##é"], stripsAccents: false)
    #expect(tokenizer.encode(String(repeating: "x", count: 100)).count == 102)
    #expect(tokenizer.encode(String(repeating: "x", count: 101)).ids == [2, 1, 3])
    // Characters count, not bytes.
    #expect(tokenizer.encode(String(repeating: "\u{E9}", count: 100)).count == 102)
    #expect(tokenizer.encode(String(repeating: "\u{E9}", count: 101)).ids == [2, 1, 3])
  }

  @Test("white space and punctuation part words; punctuation stays, each character for itself")
  func words() throws {
    let tokenizer = try tokenizer(["a", "b", "##b", "!", "-", "'", "\u{3002}", "$", "\u{2026}"])
    #expect(tokenizer.pieces("a  b\ta\nb\r\u{3000}a\u{2028}b\u{A0}") == utf8("a", "b", "a", "b", "a", "b"))
    #expect(tokenizer.pieces("a-b!!") == utf8("a", "-", "b", "!", "!"))
    #expect(tokenizer.pieces("a'b$a\u{3002}b\u{2026}") == utf8("a", "'", "b", "$", "a", "\u{3002}", "b", "\u{2026}"))
  }

  @Test("special tokens are recognised as they are written, also within a word, and nowhere else")
  func specials() throws {
    let tokenizer = try tokenizer(["a", "b", "##b", "[", "]", "sep", "cls"])
    #expect(tokenizer.pieces("a[SEP]b [MASK][PAD]") == utf8("a", "[SEP]", "b", "[MASK]", "[PAD]"))
    #expect(tokenizer.pieces("[sep] [ CLS]") == utf8("[", "sep", "]", "[", "cls", "]"))
    #expect(tokenizer.pieces("[[SEP]]") == utf8("[", "[SEP]", "]"))
    // What goes on behind a special token is a new word.
    #expect(tokenizer.pieces("ab a[UNK]b") == utf8("a", "##b", "a", "[UNK]", "b"))
  }

  @Test("of special tokens that start at one place the longest counts")
  func longestSpecial() throws {
    var settings = TokenizerSettings()
    settings.additionalTokens = ["<a>", "<a>b", "\u{E9}t"]
    let tokenizer = try WordPieceTokenizer(
      vocabulary: .init(tokens: specialTokens + ["<a>", "<a>b", "\u{E9}t", "b", "c", "e"]), settings: settings)
    #expect(tokenizer.pieces("<a>b<a>c") == utf8("<a>b", "<a>", "c"))
    #expect(tokenizer.pieces("c\u{E9}tc \u{E9}") == utf8("c", "\u{E9}t", "c", "e"))
    #expect(tokenizer.specialIDs == [0, 1, 2, 3, 4, 5, 6, 7])
  }

  @Test("an empty text, and one of nothing but what is left out, is [CLS] [SEP]")
  func empty() throws {
    let tokenizer = try tokenizer(["a"])
    for text in ["", "  \n", "\u{0}\u{7}\u{200B}\u{FFFD}", "\u{301}"] {
      #expect(tokenizer.encode(text) == tokenizer.encode(""))
      #expect(tokenizer.encode(text).ids == [2, 3])
    }
  }

  @Test("truncation keeps the beginning and says so only where something was left out")
  func truncation() throws {
    let tokenizer = try tokenizer(["a", "b", "##b"])
    let text = "a bb a"
    #expect(tokenizer.encode(text, maxLength: 6).ids == tokenizer.encode(text).ids)
    #expect(!tokenizer.encode(text + "  ", maxLength: 6).isTruncated)
    // A word may be cut in the middle.
    #expect(tokenizer.encode(text, maxLength: 4).ids == [2, 5, 6, 3])
    #expect(tokenizer.encode(text, maxLength: 4).isTruncated)
    #expect(tokenizer.encode(text, maxLength: 2).ids == [2, 3])
    #expect(tokenizer.encode("", maxLength: 2).isTruncated == false)
  }

  @Test("pairs have types 0 and 1")
  func pairs() throws {
    let tokenizer = try tokenizer(["a", "b"])
    let pair = tokenizer.encode("a a", pair: "b")
    #expect(pair.ids == [2, 5, 5, 3, 6, 3])
    #expect(pair.typeIDs == [0, 0, 0, 0, 1, 1])
    #expect(tokenizer.encode("a").typeIDs == [0, 0, 0])
    #expect(tokenizer.encode("", pair: "").ids == [2, 3, 3])
  }

  @Test(
    "of a pair that is too long the longer text gives first",
    arguments: [
      // Tokens of either text, the room for both, and what is left of each.
      (3, 3, 6, 3, 3), (2, 8, 6, 2, 4), (8, 2, 6, 4, 2), (8, 8, 6, 3, 3), (8, 8, 5, 2, 3), (9, 8, 5, 3, 2),
      (7, 3, 5, 3, 2), (3, 7, 5, 2, 3), (1, 9, 0, 0, 0), (9, 0, 4, 4, 0), (0, 9, 4, 0, 4),
    ])
  func pairTruncation(first: Int, second: Int, room: Int, firstLeft: Int, secondLeft: Int) throws {
    let tokenizer = try tokenizer(["a", "b"])
    let pair = tokenizer.encode(
      String(repeating: "a ", count: first), pair: String(repeating: "b ", count: second), maxLength: room + 3)
    #expect(pair.ids.count { $0 == 5 } == firstLeft)
    #expect(pair.ids.count { $0 == 6 } == secondLeft)
    #expect(pair.firstCount == firstLeft + 2)
    #expect(pair.isTruncated == (first + second > room))
  }

  @Test("ranges say which bytes of the text a token comes from")
  func ranges() throws {
    let tokenizer = try tokenizer(["cafe", "##s", "!", "\u{4E2D}"])
    let text = "[MASK] Cafe\u{301}s\u{200B}! \u{4E2D} \u{1F600}z"
    let encoded = tokenizer.encode(text, withRanges: true)
    let bytes = Array(text.utf8)
    let parts = encoded.ranges!.map { String(decoding: bytes[$0], as: UTF8.self) }
    #expect(tokenizer.tokens(encoded.ids) == ["[CLS]", "[MASK]", "cafe", "##s", "!", "\u{4E2D}", "[UNK]", "[SEP]"])
    #expect(parts == ["", "[MASK]", "Cafe", "s", "!", "\u{4E2D}", "\u{1F600}z", ""])
    #expect(encoded.ids == tokenizer.encode(text).ids)
    #expect(tokenizer.encode(text).ranges == nil)
    let pair = tokenizer.encode("cafe", pair: "s cafes", maxLength: 6, withRanges: true)
    #expect(pair.ranges == [0..<0, 0..<4, 0..<0, 0..<1, 2..<6, 0..<0])
  }

  @Test("a batch on several threads is what one text after the other gives")
  func batch() throws {
    let tokenizer = try tokenizer(["a", "b", "##b", "##a", "e", "##e"])
    let texts = (0..<1000).map { String(repeating: ["a", "ab ", "\u{E9}", "z "][$0 % 4], count: $0 % 37) }
    let alone = texts.map { tokenizer.encode($0, maxLength: 20) }
    for threads in [1, 2, 5] { #expect(tokenizer.encode(batch: texts, maxLength: 20, threads: threads) == alone) }
    #expect(tokenizer.encode(batch: []) == [])
    let pairs = Array(zip(texts, texts.reversed()))
    #expect(tokenizer.encode(pairs: pairs, threads: 3) == pairs.map { tokenizer.encode($0, pair: $1) })
  }

  @Test("padding fills up to the longest, and to a multiple where that is asked for")
  func padding() throws {
    let tokenizer = try tokenizer(["a", "b"])
    let texts = [tokenizer.encode("a"), tokenizer.encode("a", pair: "b b")]
    let padded = PaddedTokens(texts, padID: tokenizer.padID)
    #expect((padded.count, padded.length) == (2, 6))
    #expect(padded.ids == [2, 5, 3, 0, 0, 0] + [2, 5, 3, 6, 6, 3])
    #expect(padded.attentionMask == [1, 1, 1, 0, 0, 0] + [1, 1, 1, 1, 1, 1])
    #expect(padded.typeIDs == [0, 0, 0, 0, 0, 0] + [0, 0, 0, 1, 1, 1])
    #expect(PaddedTokens(texts, padID: 9, multiple: 8).ids[6..<8] == [9, 9])
    #expect(PaddedTokens([], padID: 0).ids == [])
  }

  @Test("a text of megabytes is one pass, whatever is in it")
  func large() throws {
    let tokenizer = try tokenizer(["a", "##a"])
    let count = 1 << 20
    #expect(tokenizer.encode(String(repeating: "a", count: count)).ids == [2, 1, 3])
    // Marks that stay and are sorted among each other; marks that go away.
    #expect(tokenizer.encode(String(repeating: "\u{1D165}\u{302E}", count: count / 8)).ids == [2, 1, 3])
    #expect(tokenizer.encode("a" + String(repeating: "\u{301}\u{316}", count: count / 4)).ids == [2, 5, 3])
    #expect(tokenizer.encode(String(repeating: "a ", count: count)).count == count + 2)
    #expect(tokenizer.encode(String(repeating: "[", count: count), maxLength: 512).count == 512)
  }

  @Test("decoding joins pieces and leaves special tokens out")
  func decoding() throws {
    let tokenizer = try tokenizer(["hel", "##lo", "world", "!", ",", "(", "isn", "'", "t"])
    let ids = tokenizer.encode("Hello, (world)!", maxLength: 20).ids
    #expect(tokenizer.decode(ids) == "hello, ( world!")
    #expect(tokenizer.decode(ids, skippingSpecialTokens: false) == "[CLS] hello, ( world [UNK]! [SEP]")
    #expect(tokenizer.decode(tokenizer.encode("isn't").ids) == "isn ' t")
    #expect(tokenizer.decode([]) == "")
  }
}
