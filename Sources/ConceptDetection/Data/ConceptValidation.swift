// A look at all files of a training: everything that it would refuse, leave out or warn of.

import Datasets
import Foundation

extension ConceptDataPaths {
  /// Reads every file to its end and says what was found; what would stop a reading is a finding too.
  ///
  /// - Parameter options: how the notes are read; `isStrict` has no effect: every bad row is found. `keptProblems` bounds
  ///   how many bad rows are told apart.
  /// - Returns: a report for each file: the lexicon, the notes, and the candidates where there are any.
  public func validate(options: NoteReadOptions = NoteReadOptions()) -> [ValidationReport] {
    [Lexicon.validate(path: lexicon), NoteDataset.validate(path: notes, options: options)]
      + (candidates.map { [Candidates.validate(path: $0)] } ?? [])
  }
}

extension Lexicon {
  /// What is wrong with a lexicon, every concept looked at, with the lines on which they begin.
  public static func validate(path: String) -> ValidationReport {
    var findings: [ValidationReport.Finding] = []
    do {
      try ConceptSample.check(path)
      let tree = try JSONTree(path: path)
      let lines = try KeyLines(path: path)
      let draft = try LexiconDraft(tree, path: path) { id, error in
        guard case .badConcept(_, let name, let problem) = error else { return }
        findings.append(
          .init(.problem, "concept \"\(name.shortened)\": \(problem)", lines: lines[id]))
      }
      for warning in draft.warnings { findings.append(.init(.warning, warning)) }
      for note in draft.notes(of: draft.concepts) { findings.append(.init(.note, note)) }
      if draft.concepts.isEmpty {
        findings.append(.init(.problem, "there is no usable concept; at least one with an alias was expected"))
      }
      return ValidationReport(path: path, usableRecords: draft.concepts.count, findings: findings)
    } catch {
      return ValidationReport(path: path, usableRecords: 0, findings: findings + [.init(.problem, "\(error)")])
    }
  }
}

/// The lines on which the keys of objects stand in a JSON text.
private struct KeyLines {
  private var lines: [String: [Int]] = [:]

  init(path: String) throws {
    let text = try Data(contentsOf: URL(fileURLWithPath: path))
    var (line, isInside, start) = (1, false, 0)
    var last: (key: String, line: Int)?
    var isEscaped = false
    for (place, byte) in text.enumerated() {
      if byte == UInt8(ascii: "\n") { line += 1 }
      if isInside {
        if isEscaped {
          isEscaped = false
        } else if byte == UInt8(ascii: "\\") {
          isEscaped = true
        } else if byte == UInt8(ascii: "\"") {
          isInside = false
          let key = try? JSONDecoder().decode(
            String.self, from: text[text.startIndex + start...text.startIndex + place])
          last = key.map { ($0, line) }
        }
      } else if byte == UInt8(ascii: "\"") {
        (isInside, start, last) = (true, place, nil)
      } else if byte == UInt8(ascii: ":"), let found = last {
        lines[found.key, default: []].append(found.line)
        last = nil
      } else if ![0x20, 0x09, 0x0A, 0x0D].contains(byte) {
        last = nil
      }
    }
  }

  subscript(key: String) -> [Int] { lines[key] ?? [] }
}

extension NoteDataset {
  /// What is wrong with a file of notes.
  public static func validate(path: String, options: NoteReadOptions = NoteReadOptions()) -> ValidationReport {
    var options = options
    options.isStrict = false
    do {
      let data = try NoteDataset(path: path, options: options)
      var findings = ValidationReport.findings(of: data.skipped)
      for warning in data.warnings { findings.append(.init(.warning, warning)) }
      if data.redactions.total > 0 {
        findings.append(
          .init(
            .note,
            "\(data.redactions.total) e-mail addresses, telephone, card and account numbers would be taken out"))
      }
      return ValidationReport(path: data.path, usableRecords: data.notes.count, findings: findings)
    } catch ConceptDataError.noNotes(let path, let expected, let skipped) {
      let none = ValidationReport.Finding(.problem, "there are no usable notes; \(expected) was expected")
      return ValidationReport(path: path, usableRecords: 0, findings: ValidationReport.findings(of: skipped) + [none])
    } catch {
      return ValidationReport(path: path, usableRecords: 0, findings: [.init(.problem, "\(error)")])
    }
  }
}

extension Candidates {
  /// What is wrong with a file of candidates.
  public static func validate(path: String) -> ValidationReport {
    do {
      let candidates = try Candidates(path: path)
      var findings = ValidationReport.findings(of: candidates.skipped)
      if candidates.repeatedCount > 0 {
        findings.append(
          .init(.warning, "\(candidates.repeatedCount) of the rows repeat another candidate and count once"))
      }
      return ValidationReport(path: path, usableRecords: candidates.phrases.count, findings: findings)
    } catch {
      return ValidationReport(path: path, usableRecords: 0, findings: [.init(.problem, "\(error)")])
    }
  }
}
