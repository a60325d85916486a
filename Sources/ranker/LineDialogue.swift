// Questions and answers as lines of text: for pipes, scripts and terminals that can't be drawn on.

import Datasets
import PreferenceStore

/// Asks on standard output and reads answers from standard input, a line each. The end of the input ends the dialogue.
struct LineDialogue {
  let session: AnsweringSession

  func run() throws {
    print("Which is better? a, b, = (equal), s (skip), u (undo), q (quit), ? (help); then reasons, or an empty line.")
    asking: while let question = session.question {
      show(question)
      answering: while true {
        guard let line = prompt("answer: ") else { break asking }
        switch line.lowercased() {
        case "a": try answer(.preferA)
        case "b": try answer(.preferB)
        case "=", "e": try answer(.equal)
        case "s": try session.skip()
        case "u":
          guard try session.undo() else {
            remark("nothing to undo")
            continue
          }
          print("taken back")
        case "q": break asking
        case "?":
          print("a: A is better   b: B is better   = or e: equal   s: skip   u: undo the last answer   q: quit")
          continue
        default:
          remark("\"\(line.printable)\" is none of a, b, =, e, s, u, q and ?")
          continue
        }
        break answering
      }
    }
    if session.question == nil { print("every two items of a type were compared or skipped") }
    print(SessionSummary.text(session))
  }

  private func answer(_ label: PreferenceLabel) throws {
    let pair = try session.answer(label)
    print("stored pair \(pair.id): \(pair.itemA.printable) \(label.sign) \(pair.itemB.printable)")
    if let line = prompt("reasons: ") {
      let tags = ReasonTags.parse(line)
      if !tags.isEmpty { try session.setReasonTags(tags) }
    }
    try session.advance()
  }

  private func prompt(_ text: String) -> String? {
    print(text, terminator: "")
    flushOutput()
    let line = readLine()?.split(whereSeparator: \.isWhitespace).joined(separator: " ")
    if !Terminal.isInput { print("") }
    return line
  }

  private func show(_ question: AnsweringSession.Question) {
    print("")
    for (name, item) in [("A", question.a), ("B", question.b)] {
      print("\(name)  \(item.id.printable) (\(item.itemType.printable))")
      if let text = item.text { for line in text.printable.wrapped(76) { print("   \(line)") } }
      if !item.metrics.isEmpty {
        let metrics = item.metrics.sorted { $0.key < $1.key }.map { "\($0.key.printable) \($0.value.decimals(2))" }
        for line in metrics.joined(separator: ", ").wrapped(76) { print("   \(line)") }
      }
    }
    let stored = session.storedCount
    let total = stored < PairStatistics.goal ? "\(stored) of \(PairStatistics.goal)" : count(stored, "pair")
    print("(\(count(session.answers.count, "answer")) so far, \(total))")
  }
}

enum SessionSummary {
  /// What a session came to, in a line or two.
  static func text(_ session: AnsweringSession) -> String {
    let skipped = session.skippedCount > 0 ? ", \(session.skippedCount) skipped" : ""
    let total = count(session.storedCount, "pair")
    let rest = PairStatistics.goal - session.storedCount
    return "\(count(session.answers.count, "answer")) stored\(skipped); \(total) in all"
      + (rest > 0 ? ", \(rest) to go to \(PairStatistics.goal)" : "; ranker export writes the dataset")
  }
}
