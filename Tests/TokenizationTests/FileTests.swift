// Tokenizers go to files and come back; what is wrong with a file is said.

import Foundation
import Testing
import Tokenization

@Suite("Files of a tokenizer")
struct FileTests {
  private func error(_ body: () throws -> Void) -> String {
    do {
      try body()
      return "no error"
    } catch {
      return "\(type(of: error)): \(error)"
    }
  }

  /// The error of reading a directory with these files, without the folder's name.
  private func error(of files: [String: String]) throws -> String {
    try withTemporaryFolder { folder in
      for (name, text) in files { try write(text, to: "\(folder)/\(name)") }
      return error { _ = try WordPieceTokenizer(directory: folder) }.replacingOccurrences(of: folder, with: "DIR")
    }
  }

  private let vocabulary = (specialTokens + ["a", "##a", "\u{C4}"]).joined(separator: "\n") + "\n"

  @Test("what is written is read back, settings and all")
  func wayBack() throws {
    var settings = TokenizerSettings(
      normalization: Normalization(lowercases: false, stripsAccents: true, isolatesIdeographs: false))
    settings.unknownToken = "<unk>"
    settings.maskToken = "<mask>"
    settings.additionalTokens = ["<x>"]
    settings.modelMaxLength = 77
    settings.tokenizerClass = "DistilBertTokenizer"
    let tokens = ["<unk>", "[CLS]", "[SEP]", "[PAD]", "<mask>", "<x>", "A", "##\u{2028}", "e\u{301}", "\u{E9}"]
    let tokenizer = try WordPieceTokenizer(vocabulary: .init(tokens: tokens), settings: settings)
    try withTemporaryFolder { folder in
      try tokenizer.write(to: folder)
      let copy = try WordPieceTokenizer(directory: folder)
      #expect(copy.settings == settings)
      #expect(copy.vocabulary.allTokens.map { Array($0.utf8) } == tokens.map { Array($0.utf8) })
      #expect(copy.maskID == 4 && copy.unkID == 0)
    }
  }

  @Test("settings are read from where they are: a configuration, a map of tokens, a pipeline")
  func settings() throws {
    try withTemporaryFolder { folder in
      try write(vocabulary + "[X]\r\n", to: folder + "/vocab.txt")
      let plain = try WordPieceTokenizer(directory: folder)
      #expect(plain.settings == TokenizerSettings())
      #expect(plain.vocabulary.count == 9 && plain.vocabulary[8] == "[X]")
      try write(
        """
        {"do_lower_case": false, "strip_accents": null, "model_max_length": 1000000000000000019884624838656,
         "tokenizer_class": "BertTokenizerFast", "pad_token": {"content": "[X]", "lstrip": false},
         "added_tokens_decoder": {"9": {"content": "<new>", "special": true, "normalized": false}}}
        """, to: folder + "/tokenizer_config.json")
      try write(#"{"mask_token": "a", "pad_token": "[CLS]"}"#, to: folder + "/special_tokens_map.json")
      let told = try WordPieceTokenizer(directory: folder)
      #expect(!told.settings.normalization.lowercases && !told.settings.normalization.stripsAccents)
      #expect(told.settings.modelMaxLength == nil && told.settings.tokenizerClass == "BertTokenizer")
      #expect(told.padID == 8 && told.maskID == 5)
      #expect(told.vocabulary.count == 10 && told.encode("x<new>").ids == [2, 1, 9, 3])
    }
  }

  @Test("a tokenizer.json alone is enough, and tokens that Unicode counts as equal stay apart")
  func pipeline() throws {
    let tokens = specialTokens + ["a", "e\u{301}", "\u{E9}"]
    let entries = tokens.enumerated().map { "\"\($1)\": \($0)" }.reversed().joined(separator: ", ")
    try withTemporaryFolder { folder in
      try write(
        """
        {"added_tokens": [{"id": 0, "content": "[PAD]", "special": true, "normalized": false}],
         "normalizer": {"type": "BertNormalizer", "clean_text": true, "handle_chinese_chars": true,
                        "strip_accents": false, "lowercase": false},
         "pre_tokenizer": {"type": "BertPreTokenizer"},
         "model": {"type": "WordPiece", "unk_token": "[UNK]", "continuing_subword_prefix": "##",
                   "max_input_chars_per_word": 100, "vocab": {\(entries)}}}
        """, to: folder + "/tokenizer.json")
      let tokenizer = try WordPieceTokenizer(directory: folder)
      #expect(tokenizer.encode("a e\u{301} \u{E9} A").ids == [2, 5, 6, 7, 1, 3])
    }
  }

  @Test("ids of tokens")
  func ids() throws {
    let vocabulary = try WordPieceVocabulary(tokens: ["ab", "a", "", "##b", "b\u{E9}", "abcdef"])
    #expect(["ab", "a", "##b", "b\u{E9}", "abcdef"].map(vocabulary.id) == [0, 1, 3, 4, 5])
    #expect(["", "b", "abc", "be\u{301}", "##", "x"].allSatisfy { vocabulary.id(of: $0) == nil })
  }

  @Test("every token of a large vocabulary is found, and nothing else")
  func largeVocabulary() throws {
    // All texts of one to five letters of an alphabet of bytes far apart.
    let alphabet = ["\u{1}", "a", "z", "\u{7FF}", "\u{10FFFD}"]
    var tokens: [String] = []
    var longest = [""]
    for _ in 0..<5 {
      longest = longest.flatMap { text in alphabet.map { text + $0 } }
      tokens += longest
    }
    let present = tokens.indices.filter { $0 % 3 != 1 }
    let vocabulary = try WordPieceVocabulary(tokens: present.map { tokens[$0] })
    for (id, index) in present.enumerated() where vocabulary.id(of: tokens[index]) != Int32(id) {
      Issue.record("token \(index) has another id than \(id)")
    }
    for index in tokens.indices where index % 3 == 1 && vocabulary.id(of: tokens[index]) != nil {
      Issue.record("token \(index) is not in the vocabulary and has an id")
    }
  }

  @Test("a directory without a vocabulary")
  func noVocabulary() throws {
    let found = try error(of: ["config.json": "{}"])
    #expect(found.contains("DIR: neither vocab.txt nor tokenizer.json is there"))
    let missing = error { _ = try WordPieceVocabulary(contentsOf: "/no/such/vocab.txt") }
    #expect(missing.contains("/no/such/vocab.txt: cannot open"))
  }

  @Test("a token that is there twice: both lines")
  func duplicate() throws {
    let found = try error(of: ["vocab.txt": vocabulary + "b\n##a\nb\n"])
    #expect(found.contains("DIR/vocab.txt, line 10: the token \"##a\" is also in line 7"))
  }

  @Test("a special token that is missing: which, and what to do", arguments: ["[UNK]", "[CLS]", "[SEP]", "[PAD]"])
  func missing(token: String) throws {
    let found = try error(of: ["vocab.txt": vocabulary.replacingOccurrences(of: token + "\n", with: "")])
    #expect(found.contains("DIR/vocab.txt: no line is \"\(token)\""))
    #expect(found.contains("\"\(token.dropFirst().dropLast().lowercased())_token\" in tokenizer_config.json"))
  }

  @Test("a vocabulary may do without [MASK]")
  func noMask() throws {
    let tokens = specialTokens.dropLast() + ["mask", "[", "]"]
    let tokenizer = try WordPieceTokenizer(vocabulary: .init(tokens: Array(tokens)))
    #expect(tokenizer.maskID == nil)
    #expect(tokenizer.encode("[MASK]").ids == [2, 5, 4, 6, 3])
  }

  @Test("bytes that are not UTF-8: line and byte")
  func invalid() throws {
    try withTemporaryFolder { folder in
      try write(Array("[PAD]\nab".utf8) + [0xC3, 0x28] + Array("\n".utf8), to: folder + "/vocab.txt")
      let found = error { _ = try WordPieceVocabulary(contentsOf: folder + "/vocab.txt") }
      #expect(found.contains("vocab.txt, line 2: byte 3 (0xC3) is not valid UTF-8"))
      try write([0x61, 0xE2, 0x82], to: folder + "/vocab.txt")
      #expect(
        error { _ = try WordPieceVocabulary(contentsOf: folder + "/vocab.txt") }.contains("line 1: byte 2 (0xE2)"))
    }
  }

  @Test("an empty vocabulary, and a token with a line break")
  func badTokens() throws {
    #expect(try error(of: ["vocab.txt": ""]).contains("DIR/vocab.txt, line 1: there is no token"))
    #expect(error { _ = try WordPieceVocabulary(tokens: []) }.contains("there is no token"))
    #expect(
      error { _ = try WordPieceVocabulary(tokens: ["a", "b\nc"]) }.contains("line 2: the token has a line break"))
  }

  @Test(
    "settings that can't be followed are refused, and the place is named",
    arguments: [
      ("tokenizer_config.json", "{", "DIR/tokenizer_config.json: the file: found damaged JSON"),
      (
        "tokenizer_config.json", #"{"do_lower_case": "yes"}"#,
        #""do_lower_case": found another kind of value, expected true"#
      ),
      ("tokenizer_config.json", #"{"tokenizer_class": "RobertaTokenizer"}"#, "class RobertaTokenizer is not supported"),
      ("tokenizer_config.json", #"{"cls_token": "<s>"}"#, #"DIR/vocab.txt: no line is "<s>""#),
      (
        "tokenizer_config.json", #"{"added_tokens_decoder": {"5": {"content": "<n>"}}}"#,
        #""<n>": found id 5, expected another one, as the vocabulary has "a" there"#
      ),
      ("tokenizer_config.json", #"{"added_tokens_decoder": {"12": {"content": "<n>"}}}"#, "found id 12, expected 8"),
      (
        "tokenizer_config.json", #"{"added_tokens_decoder": {"8": {"content": "n", "normalized": true}}}"#,
        "which is looked for in normalized text is not supported"
      ),
      (
        "tokenizer.json", #"{"model": {"type": "BPE"}}"#, "DIR/tokenizer.json: a tokenizer of type BPE is not supported"
      ),
      ("tokenizer.json", #"{"model": {"max_input_chars_per_word": 50}}"#, "\"max_input_chars_per_word\" 50"),
      ("tokenizer.json", #"{"model": {}, "normalizer": {"type": "NFC"}}"#, "the normalizer NFC is not supported"),
      ("tokenizer.json", "{}", #"found no "model", expected one"#),
    ])
  func refused(name: String, content: String, message: String) throws {
    let found = try error(of: ["vocab.txt": vocabulary, name: content])
    #expect(found.hasPrefix("TokenizationError"))
    #expect(found.contains(message), "\(found)")
  }

  @Test(
    "a vocabulary of a tokenizer.json whose ids are no places",
    arguments: [
      (#"{"a": 0, "b": 2}"#, "2 tokens and no id 1"), (#"{"a": 0, "b": 0}"#, "id 0, which \"a\" has"),
      (#"{"a": -1}"#, "no whole number of 0 or more"), ("[1]", "another kind of value"),
    ])
  func badPipelineVocabulary(vocabulary: String, message: String) throws {
    let found = try error(of: ["tokenizer.json": #"{"model": {"type": "WordPiece", "vocab": \#(vocabulary)}}"#])
    #expect(found.contains("DIR/tokenizer.json: \"model\", \"vocab\"") && found.contains(message), "\(found)")
  }
}
