// Scores notes by the hashed features of their words: batches of pieces of like lengths.

import GraphEngine
import ONNX

/// A graph that reads words.
struct WordNoteScorer: NoteScorer {
  private let features: ConceptFeatures
  private let redacts: Bool
  private let plain: ConceptScorer
  private let withWords: ConceptScorer

  var conceptCount: Int { plain.conceptCount }

  /// - Parameter redacts: whether the training was redacted.
  init(_ model: Model, features: ConceptFeatures, redacts: Bool) throws {
    self.features = features
    self.redacts = redacts
    plain = try ConceptScorer(model, threads: 1)
    withWords = try ConceptScorer(model, alsoWords: true, threads: 1)
  }

  /// Words that are scored at once. A longer note is scored in pieces that share as many words as a window has but one:
  /// each window is in one of them, so that the best of the pieces is the note's own.
  private static let pieceLength = 254

  /// A part of a note: which one, and its words among those of all notes.
  private struct Piece {
    var note: Int
    var words: Range<Int>
  }

  /// The notes as features, in pieces.
  private struct ReadNotes {
    var features = TextFeatures()
    var pieces = FeaturizedTexts()
    var places: [Piece] = []
  }

  private func read(_ notes: ArraySlice<String>) -> ReadNotes {
    var read = ReadNotes()
    for (note, text) in notes.enumerated() {
      var start = read.features.words.count
      features.append(of: Redaction.blanked(text, redacts: redacts), to: &read.features)
      let end = read.features.words.count
      repeat {
        let piece = start..<min(start + Self.pieceLength, end)
        read.pieces.append(read.features, words: piece)
        read.places.append(Piece(note: note, words: piece))
        start = piece.upperBound == end ? end : piece.upperBound - (ConceptGraph.window - 1)
      } while start < end
    }
    return read
  }

  func score(_ notes: ArraySlice<String>, withWords: Bool, take: (ScoredPiece) -> Void) throws {
    let read = read(notes)
    let count = conceptCount
    try (withWords ? self.withWords : plain).run(read.pieces) { batch, plan in
      let extent = read.pieces.shape(of: batch)[1]
      func give(_ words: (_ row: Int, _ piece: Piece, _ concept: Int) -> [Range<Int>]) {
        withoutActuallyEscaping(words) { words in
          plan.withUnsafeOutput(ConceptGraph.logitsOutput, as: Float.self) { logits in
            for (row, index) in batch.enumerated() {
              let piece = read.places[index]
              take(
                ScoredPiece(
                  note: piece.note, isEmpty: piece.words.isEmpty,
                  logits: UnsafeBufferPointer(rebasing: logits[row * count..<(row + 1) * count]),
                  words: { words(row, piece, $0) }))
            }
          }
        }
      }
      guard withWords else { return give { _, _, _ in [] } }
      plan.withUnsafeOutput(ConceptGraph.wordScoresOutput, as: Float.self) { scores in
        give { row, piece, concept in
          Self.speaking(piece.words.count) { scores[(row * extent + $0) * count + concept] }
            .map { read.features.words[piece.words.lowerBound + $0].bytes }
        }
      }
    }
  }

  /// A word speaks for a concept where it adds at least this share of what the strongest one adds.
  private static let leastShare: Float = 0.3

  /// Of the words that score highest together, those that speak for the concept.
  private static func speaking(_ count: Int, score: (Int) -> Float) -> [Int] {
    func window(_ start: Int) -> Range<Int> { start..<min(start + ConceptGraph.window, count) }
    var (best, most) = (0, -Float.infinity)
    for start in 0..<count {
      let sum = window(start).reduce(0) { $0 + score($1) }
      if sum > most { (best, most) = (start, sum) }
    }
    let highest = window(best).reduce(0) { max($0, score($1)) }
    return window(best).filter { highest > 0 && score($0) >= leastShare * highest }
  }
}
