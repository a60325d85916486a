// A vocabulary is learnt from texts as byte-pair encoding by frequency does it.

import Testing
import Tokenization

@Suite("Learning a vocabulary")
struct TrainingTests {
  @Test("pairs are merged by frequency, worked out by hand")
  func byHand() throws {
    var trainer = WordPieceTrainer()
    trainer.vocabularySize = 17
    trainer.minimumFrequency = 1
    // hug ×10, pug ×5, pun ×12, bun ×4, hugs ×5: the characters first.
    let texts =
      Array(repeating: "Hug", count: 10) + Array(repeating: "pug", count: 5) + Array(repeating: "pun", count: 12)
      + ["bun bun bun bun"] + Array(repeating: "hugs", count: 5)
    let learnt = try trainer.train(texts).vocabulary.allTokens
    let start = specialTokens + ["b", "g", "h", "n", "p", "s", "u", "##g", "##n", "##s", "##u"]
    // (##u, ##g) is there 20 times, (##u, ##n) 16, (p, ##u) 17, (h, ##u) 15.
    #expect(learnt == start + ["##ug"])
    trainer.vocabularySize = 20
    // Then (##u, ##n) 16, (h, ##ug) 15, (p, ##un) 12.
    #expect(try trainer.train(texts).vocabulary.allTokens == start + ["##ug", "##un", "hug", "pun"])
    // Then (hug, ##s) 5, (p, ##ug) 5, (b, ##un) 4: of equals the lower ids first, and p's is lower than hug's.
    trainer.vocabularySize = 100
    #expect(try trainer.train(texts).vocabulary.allTokens.suffix(3) == ["pug", "hugs", "bun"])
    trainer.minimumFrequency = 5
    #expect(try trainer.train(texts).vocabulary.allTokens.suffix(3) == ["pun", "pug", "hugs"])
  }

  @Test("overlapping pairs of one character are merged from the left")
  func overlapping() throws {
    var trainer = WordPieceTrainer()
    trainer.minimumFrequency = 2
    let tokenizer = try trainer.train(["aaaaa aaaaa"])
    // a ##a ##a ##a ##a: (##a, ##a) six times, then a ##aa ##aa.
    #expect(tokenizer.vocabulary.allTokens == specialTokens + ["a", "##a", "##aa", "aaa", "aaaaa"])
  }

  @Test("texts in another order give the same vocabulary")
  func order() throws {
    var texts: [String] = []
    var state: UInt64 = 1
    for _ in 0..<2000 {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      texts.append(String(state >> 40, radix: 5) + " " + String(state >> 50, radix: 3))
    }
    var trainer = WordPieceTrainer()
    trainer.vocabularySize = 400
    let one = try trainer.train(texts).vocabulary.allTokens
    #expect(one.count == 400)
    #expect(try trainer.train(texts.reversed()).vocabulary.allTokens == one)
  }

  @Test("the alphabet is limited to its most frequent characters; words with others are unknown")
  func alphabet() throws {
    var trainer = WordPieceTrainer()
    trainer.alphabetLimit = 2
    let tokenizer = try trainer.train(["ab ab ab ac"])
    #expect(tokenizer.vocabulary.allTokens == specialTokens + ["a", "b", "##b", "ab"])
    #expect(tokenizer.tokens(tokenizer.encode("ab ac a").ids) == ["[CLS]", "ab", "[UNK]", "a", "[SEP]"])
  }

  @Test("settings hold while learning, and special tokens come first, each once")
  func settings() throws {
    var settings = TokenizerSettings(normalization: Normalization(lowercases: false))
    settings.paddingToken = "<p>"
    settings.unknownToken = "<p>"
    settings.additionalTokens = ["[MASK]", "<n>"]
    let tokenizer = try WordPieceTrainer(settings: settings).train(["A a"])
    #expect(tokenizer.vocabulary.allTokens == ["<p>", "[CLS]", "[SEP]", "[MASK]", "<n>", "A", "a"])
  }

  @Test("texts without words, and a vocabulary without room for the characters, are errors")
  func errors() throws {
    #expect(throws: TokenizationError.untrainable(problem: "the texts have no words")) {
      try WordPieceTrainer().train(["", " \u{200B}"])
    }
    var trainer = WordPieceTrainer()
    trainer.vocabularySize = 8
    #expect { try trainer.train(["abc"]) } throws: { error in
      "\(error)".contains("10 tokens are needed") && "\(error)".contains("may have 8")
    }
  }
}
