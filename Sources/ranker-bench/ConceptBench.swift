// Concept detection: a training on the sample, detection on one thread, and a stream of a million notes.

import ConceptDetection
import Datasets
import Foundation

/// - Parameter seconds: about how long the detection is measured for; the training runs once, the stream once.
func measureConcepts(threads: Int, seconds: Double) throws -> [Measurement] {
  let folder = FileManager.default.temporaryDirectory.appendingPathComponent("rankerkit-concepts-\(getpid())")
  defer { try? FileManager.default.removeItem(at: folder) }
  let directory = folder.appendingPathComponent("model").path
  var training = ConceptTraining(output: directory)
  training.settings.threads = threads
  var examples = 0
  let trained = try Timing.once {
    examples = try training.run().metadata.data.examplesPerEpoch
  }
  var rows = [
    Measurement(
      name: "training a detector, sample", value: trained, unit: "s",
      detail: "base, \(training.settings.epochs) epochs of \(examples) examples, \(threads) threads, all files")
  ]

  let notes = try NoteDataset(path: ConceptSample.notesPath).notes
  let sentences = notes.flatMap { $0.sentences.map(String.init) }
  let piece = (0..<8192).map { sentences[$0 % sentences.count] }
  for withWords in [false, true] {
    let detector = ConceptDetector(directory: directory, threads: 1)
    let timing = try Timing(seconds: seconds) { _ = try detector.detect(piece, withWords: withWords) }
    rows.append(
      Measurement(
        name: "detecting, 1 thread\(withWords ? ", with words" : "")", value: Double(piece.count) / timing.median,
        unit: "sentences/s", detail: "\(piece.count) sentences of the sample"))
  }

  // A million notes: written first, then read, detected and written as one stream.
  let input = folder.appendingPathComponent("notes.jsonl").path
  let output = folder.appendingPathComponent("found.jsonl").path
  let writer = try LineWriter(path: input)
  for number in 0..<streamed {
    try writer.writeLine { line in
      line.append(contentsOf: "{\"text\": ".utf8)
      JSONWriter.append(notes[number % notes.count].text, to: &line)
      line.append(contentsOf: ", \"client_id\": \"C-\(number)\"}".utf8)
    }
  }
  try writer.finish()
  let before = peakMegabytes()
  let detector = ConceptDetector(directory: directory, threads: threads)
  let elapsed = try Timing.once {
    let answers = try DetectionWriter(path: output)
    _ = try NoteFile(path: input).read { notes in
      for (note, found) in zip(notes, try detector.detect(notes.map(\.text))) { try answers.write(note, found) }
    }
    try answers.finish()
  }
  rows.append(
    Measurement(
      name: "detecting, a stream", value: Double(streamed) / elapsed, unit: "notes/s",
      detail: "\(streamed) notes from file to file, \(threads) threads"))
  rows.append(
    Measurement(
      name: "detecting, a stream: more memory", value: max(peakMegabytes() - before, 0), unit: "MB",
      detail: "beyond the \(Int(before)) MB at most until then"))
  return rows
}

private let streamed = 1_000_000
