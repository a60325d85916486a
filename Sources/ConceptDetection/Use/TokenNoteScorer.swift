// Scores notes by what an encoder makes of their tokens.

import Encoders
import ONNX
import Tokenization

/// A graph that reads tokens.
struct TokenNoteScorer: NoteScorer {
  let conceptCount: Int
  private let tokenizer: WordPieceTokenizer
  private let runner: TokenRunner
  private let redacts: Bool

  /// - Parameters:
  ///   - maximumLength: tokens that are read at once, special ones included.
  ///   - redacts: whether the training was redacted.
  ///   - threads: nil for as many as the processor has cores.
  init(_ model: Model, tokenizer: WordPieceTokenizer, maximumLength: Int, redacts: Bool, threads: Int?) throws {
    conceptCount = ConceptScorer.conceptCount(of: model)
    self.tokenizer = tokenizer
    self.redacts = redacts
    runner = try TokenRunner(
      model, outputs: [ConceptGraph.logitsOutput, EncoderConceptGraph.tokenScoresOutput], padding: tokenizer.padID,
      maximumLength: maximumLength, threads: threads)
  }

  /// Words that a piece of a long note shares with the one before: what stands around a word is read with it.
  private static let sharedWords = 16

  /// Tokens that are read at once.
  private struct Piece {
    var note: Int
    /// With the special ones.
    var tokens: [Int32]
    /// For each word where it stands in the note, and its tokens among those of the piece.
    var words: [(bytes: Range<Int>, tokens: Range<Int>)]
  }

  func score(_ notes: ArraySlice<String>, withWords: Bool, take: (ScoredPiece) -> Void) throws {
    let parts = notes.enumerated().flatMap { pieces(of: $1, note: $0) }
    for (piece, row) in zip(parts, try runner.rows(parts.map(\.tokens))) {
      let (logits, scores) = (row[0], row[1])
      logits.withUnsafeBufferPointer { values in
        take(
          ScoredPiece(
            note: piece.note, isEmpty: piece.words.isEmpty, logits: values,
            words: { concept in speaking(piece, concept, logit: logits[concept], scores: scores) }))
      }
    }
  }

  /// The words that speak for a concept: the one with the token that scores highest, and those whose own tokens would
  /// make the concept probable.
  ///
  /// They are known from the scores that the logit is the maximum of (the bias is what the logit has more than the
  /// highest of all), so they cost no further run of the graph.
  private func speaking(_ piece: Piece, _ concept: Int, logit: Float, scores: [Float]) -> [Range<Int>] {
    func score(_ token: Int) -> Float { scores[token * conceptCount + concept] }
    let bias = logit - piece.tokens.indices.reduce(-Float.infinity) { max($0, score($1)) }
    let own = piece.words.map { word in word.tokens.reduce(-Float.infinity) { max($0, score($1)) } }
    let highest = own.max() ?? 0
    return zip(piece.words, own).filter { $1 == highest || $1 + bias >= 0 }.map(\.0.bytes)
  }

  /// A note cut at words into pieces that the encoder can read at once; one without a word is one empty piece.
  private func pieces(of text: String, note: Int) -> [Piece] {
    var text = Redaction.blanked(text, redacts: redacts)
    var (joined, places, ends): ([UInt8], [Range<Int>], [Int]) = ([], [], [])
    text.withUTF8 { utf8 in
      var scanner = WordScanner()
      while scanner.next(in: utf8) {
        if !joined.isEmpty { joined.append(UInt8(ascii: " ")) }
        joined += scanner.word
        places.append(scanner.range)
        ends.append(joined.count)
      }
    }
    let read = tokenizer.encode(String(decoding: joined, as: UTF8.self), withRanges: true)
    // The tokens of each word, without the two special ones around them all.
    var words = [Range<Int>](repeating: 1..<1, count: places.count)
    var token = 1
    for word in words.indices {
      let start = token
      while token < read.count - 1, read.ranges![token].lowerBound < ends[word] { token += 1 }
      words[word] = start..<token
    }
    let room = runner.maximumLength - 2
    var pieces: [Piece] = []
    var first = 0
    while true {
      let start = words.isEmpty ? 1 : words[first].lowerBound
      var last = first
      while last < words.count, words[last].upperBound - start <= room { last += 1 }
      // A word that does not fit is read by its beginning.
      last = min(max(last, first + 1), words.count)
      let tokens = start..<min(words.isEmpty ? 1 : words[last - 1].upperBound, start + room)
      pieces.append(
        Piece(
          note: note, tokens: [tokenizer.clsID] + read.ids[tokens] + [tokenizer.sepID],
          words: (first..<last).map { word in
            let own = words[word].clamped(to: tokens)
            return (bytes: places[word], tokens: own.lowerBound - start + 1..<own.upperBound - start + 1)
          }))
      if last >= words.count { return pieces }
      first = max(first + 1, last - Self.sharedWords)
    }
  }
}
