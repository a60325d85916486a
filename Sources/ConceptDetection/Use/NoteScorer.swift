// Scores notes on one thread: features, batches, the best of each long note's pieces.

import Glibc
import GraphEngine
import ONNX

/// A detector's graph, run by one thread at a time.
struct NoteScorer {
  private let features: ConceptFeatures
  private let plain: ConceptScorer
  private let withWords: ConceptScorer
  private let conceptCount: Int

  init(_ model: Model, features: ConceptFeatures) throws {
    self.features = features
    plain = try ConceptScorer(model, threads: 1)
    withWords = try ConceptScorer(model, alsoWords: true, threads: 1)
    conceptCount = plain.conceptCount
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
      features.append(of: text, to: &read.features)
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

  /// The logits of notes: `[notes, concepts]`.
  func logits(_ notes: ArraySlice<String>) throws -> [Float] {
    var logits = [Float](repeating: -.infinity, count: notes.count * conceptCount)
    let read = read(notes)
    try plain.run(read.pieces) { batch, plan in
      plan.withUnsafeOutput(ConceptGraph.logitsOutput, as: Float.self) { values in
        for (row, piece) in batch.enumerated() {
          let start = read.places[piece].note * conceptCount
          for concept in 0..<conceptCount {
            logits[start + concept] = max(logits[start + concept], values[row * conceptCount + concept])
          }
        }
      }
    }
    return logits
  }

  /// The concepts of notes whose probability reaches a threshold.
  func detections(
    _ notes: ArraySlice<String>, threshold: Double, concepts: [ConceptMapping.Entry], withWords: Bool
  ) throws -> [ConceptDetector.Detection] {
    let least = Float(log(threshold / (1 - threshold)))
    var found = [[Candidate]](repeating: [], count: notes.count)
    let read = read(notes)
    try (withWords ? self.withWords : plain).run(read.pieces) { batch, plan in
      let extent = read.pieces.shape(of: batch)[1]
      func take(_ words: (_ row: Int, _ piece: Piece, _ concept: Int) -> [Range<Int>]) {
        plan.withUnsafeOutput(ConceptGraph.logitsOutput, as: Float.self) { logits in
          for (row, index) in batch.enumerated() where !read.places[index].words.isEmpty {
            let piece = read.places[index]
            for concept in 0..<conceptCount where logits[row * conceptCount + concept] >= least {
              let candidate = Candidate(
                concept: concept, logit: logits[row * conceptCount + concept], words: words(row, piece, concept))
              // Another piece of a long note may have found it already.
              if let place = found[piece.note].firstIndex(where: { $0.concept == concept }) {
                if found[piece.note][place].logit < candidate.logit { found[piece.note][place] = candidate }
              } else {
                found[piece.note].append(candidate)
              }
            }
          }
        }
      }
      guard withWords else { return take { _, _, _ in [] } }
      plan.withUnsafeOutput(ConceptGraph.wordScoresOutput, as: Float.self) { scores in
        take { row, piece, concept in
          Self.speaking(piece.words.count) { scores[(row * extent + $0) * conceptCount + concept] }
            .map { read.features.words[piece.words.lowerBound + $0].bytes }
        }
      }
    }
    return found.map { candidates in
      ConceptDetector.Detection(
        concepts: candidates.sorted { (-$0.logit, $0.concept) < (-$1.logit, $1.concept) }.map { candidate in
          let concept = concepts[candidate.concept]
          return ConceptDetector.Finding(
            id: concept.id, label: concept.label, bucket: concept.bucket, probability: 1 / (1 + expf(-candidate.logit)),
            words: candidate.words)
        })
    }
  }

  /// A concept that reaches the threshold.
  private struct Candidate {
    var concept: Int
    var logit: Float
    var words: [Range<Int>]
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
