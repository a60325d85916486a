// Questions and answers on the whole screen, a key each.

import Datasets
import PreferenceStore

/// Shows one question after the other and takes a key for each; what is answered is stored at once.
final class KeyDialogue {
  private let session: AnsweringSession
  private let style = Style.output
  private var note: String?

  init(session: AnsweringSession) { self.session = session }

  func run() throws {
    try RawTerminal.use { terminal in
      while let question = session.question {
        draw(question, on: terminal, footer: .keys(note: note))
        guard try handle(terminal.key(), question, terminal) else { return }
      }
    }
    if session.question == nil { print("every two items of a type were compared or skipped") }
    print(SessionSummary.text(session))
  }

  private func draw(
    _ question: AnsweringSession.Question, on terminal: RawTerminal, chosen: PreferenceLabel? = nil,
    footer: QuestionView.Footer
  ) {
    let size = terminal.size
    let view = QuestionView(columns: size.columns, rows: size.rows, style: style)
    terminal.draw(
      view.lines(
        question, answered: session.answers.count, stored: session.storedCount, chosen: chosen, footer: footer))
  }

  /// Acts on a key; false when the person is done.
  private func handle(_ key: Key, _ question: AnsweringSession.Question, _ terminal: RawTerminal) throws -> Bool {
    switch key {
    case .character("a"), .character("A"): return try answer(.preferA, question, terminal)
    case .character("b"), .character("B"): return try answer(.preferB, question, terminal)
    case .character("="), .character("e"), .character("E"): return try answer(.equal, question, terminal)
    case .character("s"), .character("S"):
      note = "skipped \(question.a.id.printable) and \(question.b.id.printable)"
      try session.skip()
    case .character("u"), .character("U"):
      note = try session.undo() ? "taken back; answer anew" : "there is no answer of this sitting to take back"
    case .character("?"), .character("h"), .character("H"): return help(question, terminal)
    case .character("q"), .character("Q"), .interrupt, .end: return false
    case .redraw, .other, .escape: break
    default: note = "a, b, =, s, u or q; ? explains them"
    }
    return true
  }

  /// Stores an answer, then asks for reasons; false when the person is done.
  private func answer(
    _ label: PreferenceLabel, _ question: AnsweringSession.Question, _ terminal: RawTerminal
  ) throws -> Bool {
    try session.answer(label)
    note = nil
    let offered = try session.suggestedTags()
    var chosen: [String] = []
    var typed = ""
    func finishTyped() {
      for tag in ReasonTags.parse(typed) where !chosen.contains(tag) { chosen.append(tag) }
      typed = ""
    }
    while true {
      draw(
        question, on: terminal, chosen: label,
        footer: .reasons(answer: label, offered: offered, chosen: chosen, typed: typed))
      let key = terminal.key()
      switch key {
      case .enter:
        finishTyped()
        if !chosen.isEmpty { try session.setReasonTags(chosen) }
        try session.advance()
        return true
      case .interrupt, .end:
        finishTyped()
        if !chosen.isEmpty { try session.setReasonTags(chosen) }
        return false
      case .escape:
        _ = try session.undo()
        note = "taken back; answer anew"
        return true
      case .backspace:
        if !typed.isEmpty { typed.removeLast() } else if !chosen.isEmpty { chosen.removeLast() }
      case .character(","): finishTyped()
      case .character(let character):
        if typed.isEmpty, let number = character.wholeNumberValue, character.isASCII {
          guard (1...9).contains(number), number <= offered.count else { break }
          let tag = offered[number - 1]
          if let place = chosen.firstIndex(of: tag) { chosen.remove(at: place) } else { chosen.append(tag) }
        } else if typed.count < 60, !typed.isEmpty || character != " " {
          typed.append(character)
        }
      case .redraw, .other: break
      }
    }
  }

  /// Explains the keys; false when the person is done.
  private func help(_ question: AnsweringSession.Question, _ terminal: RawTerminal) -> Bool {
    while true {
      draw(question, on: terminal, footer: .help)
      switch terminal.key() {
      case .redraw: continue
      case .interrupt, .end: return false
      default: return true
      }
    }
  }
}
