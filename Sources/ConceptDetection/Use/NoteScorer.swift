// What detectors of every kind make of notes: logits, and the concepts that reach a threshold with their words.

import Glibc

/// A part of a note that was scored.
struct ScoredPiece {
  /// Which of the notes.
  var note: Int
  /// Whether there is no word in it.
  var isEmpty: Bool
  /// Of each concept; valid only while it is looked at.
  var logits: UnsafeBufferPointer<Float>
  /// The words that speak for a concept, in bytes of the note's UTF-8.
  var words: (_ concept: Int) -> [Range<Int>]
}

/// A detector's graph, run by one thread at a time.
///
/// Notes are read as the training read them: without what identifies a person where it was redacted, while places of words
/// refer to the note as it is.
protocol NoteScorer {
  var conceptCount: Int { get }

  /// Scores notes, a long one in pieces.
  ///
  /// - Parameter withWords: whether `ScoredPiece.words` will be asked for; none are there otherwise.
  func score(_ notes: ArraySlice<String>, withWords: Bool, take: (ScoredPiece) -> Void) throws
}

extension NoteScorer {
  /// The logits of notes, `[notes, concepts]`: of a long note the best of its pieces'.
  func logits(_ notes: ArraySlice<String>) throws -> [Float] {
    var logits = [Float](repeating: -.infinity, count: notes.count * conceptCount)
    try score(notes, withWords: false) { piece in
      let start = piece.note * conceptCount
      for (concept, logit) in piece.logits.enumerated() {
        logits[start + concept] = max(logits[start + concept], logit)
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
    try score(notes, withWords: withWords) { piece in
      guard !piece.isEmpty else { return }
      for (concept, logit) in piece.logits.enumerated() where logit >= least {
        // Another piece of a long note may have found it already.
        let place = found[piece.note].firstIndex { $0.concept == concept }
        if let place, found[piece.note][place].logit >= logit { continue }
        let candidate = Candidate(concept: concept, logit: logit, words: withWords ? piece.words(concept) : [])
        if let place { found[piece.note][place] = candidate } else { found[piece.note].append(candidate) }
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
}

/// A concept that reaches the threshold.
private struct Candidate {
  var concept: Int
  var logit: Float
  var words: [Range<Int>]
}
