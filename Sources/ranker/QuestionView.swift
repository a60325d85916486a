// What the screen shows: two items side by side, how far one has come, which keys there are.

import Datasets
import PreferenceStore

/// Lays a question out for a terminal of a given size.
struct QuestionView {
  let columns: Int
  let rows: Int
  let style: Style

  /// Lines are read with ease up to here; a wider terminal gets margins.
  private static let widest = 124

  private static let footerRoom = 6
  private static let calmHeight = 18

  private var width: Int { min(columns, Self.widest) }
  private var margin: String { String(repeating: " ", count: max(0, (columns - width) / 2) + (width >= 60 ? 2 : 0)) }
  private var inner: Int { max(10, width - (width >= 60 ? 4 : 0)) }
  private var isSideBySide: Bool { inner >= 56 }

  /// What stands below the items.
  enum Footer {
    case keys(note: String?)
    case reasons(answer: PreferenceLabel, offered: [String], chosen: [String], typed: String)
    case help
  }

  func lines(
    _ question: AnsweringSession.Question, answered: Int, stored: Int, chosen: PreferenceLabel?, footer: Footer
  ) -> [String] {
    let bottom = footerLines(footer)
    let top = header(question.a.itemType, answered: answered, stored: stored)
    // What stands below begins on the same line whatever it is, and not far from the items in a tall window.
    let room = max(4, rows - top.count - max(Self.footerRoom, bottom.count))
    let body = items(question, chosen: chosen, room: room).prefix(room)
    let gap = [String](repeating: "", count: max(0, min(room, Self.calmHeight) - body.count))
    return (top + body + gap + bottom).prefix(rows).map { $0.isEmpty ? $0 : margin + $0 }
  }

  // MARK: Above

  private func header(_ type: String, answered: Int, stored: Int) -> [String] {
    let goal = PairStatistics.goal
    let title = "Which \(type.printable.replacing("_", with: " ")) is better?"
    let counts = "\(answered) now · " + (stored < goal ? "\(stored) of \(goal)" : count(stored, "pair"))
    let barWidth = inner >= 70 ? 20 : 0
    let filled = barWidth * min(stored, goal) / goal
    let bar =
      barWidth > 0
      ? style.green(String(repeating: "━", count: filled))
        + style.dim(String(repeating: "━", count: barWidth - filled)) + "  " : ""
    let titleRoom = inner - counts.cellCount - (barWidth > 0 ? barWidth + 2 : 0) - 1
    return [
      "", style.bold(title.fitted(max(8, titleRoom))) + " " + bar + style.dim(counts), "",
    ]
  }

  // MARK: Items

  private func items(_ question: AnsweringSession.Question, chosen: PreferenceLabel?, room: Int) -> [String] {
    if !isSideBySide {
      let half = max(3, (room - 1) / 2)
      return card(question, isA: true, width: inner, chosen: chosen, room: half) + [""]
        + card(question, isA: false, width: inner, chosen: chosen, room: half)
    }
    let half = (inner - 5) / 2
    let a = card(question, isA: true, width: half, chosen: chosen, room: room)
    let b = card(question, isA: false, width: half, chosen: chosen, room: room)
    return (0..<max(a.count, b.count)).map { row in
      let left = row < a.count ? a[row] : String(repeating: " ", count: half)
      return left + "  " + style.dim("│") + "  " + (row < b.count ? b[row] : "")
    }
  }

  /// One item, in lines of exactly `width` cells. Both items' metrics stand at the same height.
  private func card(
    _ question: AnsweringSession.Question, isA: Bool, width: Int, chosen: PreferenceLabel?, room: Int
  ) -> [String] {
    let item = isA ? question.a : question.b
    let other = isA ? question.b : question.a
    let names = Set(item.metrics.keys).union(other.metrics.keys).sorted()
    let texts = [question.a, question.b].map { ($0.text ?? "").printable.wrapped(width) }
    // Bars where there is room for them beside the text, numbers in a row where there is not.
    let isCompact = room - 3 - names.count < min(4, texts.map(\.count).max()!)
    let metrics =
      isCompact
      ? compactMetrics(item, names: names, width: width)
      : names.map { metric($0, item, other, names: names, width: width, isA: isA) }
    let textRoom = min(texts.map(\.count).max()!, max(1, room - 2 - (metrics.isEmpty ? 0 : metrics.count + 1)))

    let isChosen = chosen == (isA ? .preferA : .preferB)
    let isPassedOver = chosen == (isA ? .preferB : .preferA)
    let letter = isA ? "A" : "B"
    let mark = isChosen ? "✓ " : ""
    var lines = [
      (isA ? style.cyan(style.bold(letter)) : style.magenta(style.bold(letter))) + "  "
        + style.bold((mark + item.id.printable).fitted(width - 3)),
      String(repeating: " ", count: width),
    ]
    var text = texts[isA ? 0 : 1]
    if text.count > textRoom {
      text = Array(text.prefix(textRoom))
      var words = text[textRoom - 1].split(separator: " ")
      while words.count > 1, words.joined(separator: " ").cellCount > width - 2 { words.removeLast() }
      text[textRoom - 1] = words.joined(separator: " ").truncated(width - 2) + " …"
    }
    lines += text.map { line in isPassedOver ? style.dim(line.fitted(width)) : line.fitted(width) }
    if isSideBySide {
      lines += [String](repeating: String(repeating: " ", count: width), count: textRoom - text.count)
    }
    if !metrics.isEmpty { lines += [String(repeating: " ", count: width)] + metrics }
    return lines
  }

  /// `clarity       ━━━━━━━━╴   0.82`; the bar only where both values are shares of one, the better one in bold.
  private func metric(_ name: String, _ item: Item, _ other: Item, names: [String], width: Int, isA: Bool) -> String {
    let nameWidth = min(names.map(\.printable.cellCount).max()!, max(6, width / 3))
    let label = style.dim(name.printable.fitted(nameWidth))
    let value = item.metrics[name]
    let number = (value.map { $0.decimals(2) } ?? "–").fitted(8, alignsRight: true)
    let isHigher = value.map { value in other.metrics[name].map { value > $0 } ?? true } ?? false
    let shown = isHigher ? style.bold(number) : number
    let barWidth = width - nameWidth - 8 - 2
    let areShares = [item, other].allSatisfy { $0.metrics[name].map { (0...1).contains($0) } ?? true }
    guard barWidth >= 6, areShares, let value else {
      return label + String(repeating: " ", count: max(0, barWidth + 2)) + shown
    }
    let bars = min(barWidth, 24)
    let filled = Int((value * Double(bars)).rounded())
    let solid = String(repeating: "━", count: filled)
    return label + "  " + (isA ? style.cyan(solid) : style.magenta(solid))
      + style.dim(String(repeating: "─", count: bars - filled))
      + String(repeating: " ", count: barWidth - bars) + shown
  }

  /// `clarity 0.82, impact 0.40, …` in as many lines as that needs.
  private func compactMetrics(_ item: Item, names: [String], width: Int) -> [String] {
    let pieces = names.map { "\($0.printable)\u{A0}\(item.metrics[$0].map { $0.decimals(2) } ?? "–")" }
    return pieces.joined(separator: ", ").wrapped(width).map { style.dim($0.fitted(width)) }
  }

  // MARK: Below

  private func footerLines(_ footer: Footer) -> [String] {
    switch footer {
    case .keys(let note):
      let keys = [
        ("a", "A is better"), ("b", "B is better"), ("=", "equal"), ("s", "skip"), ("u", "undo"), ("q", "quit"),
        ("?", "help"),
      ]
      return ["", note.map { style.dim($0.truncated(inner)) } ?? ""] + keyLines(keys)
    case .reasons(let answer, let offered, let chosen, let typed):
      let said = ["B is better", "equal", "A is better"][answer.rawValue + 1]
      let title = "\(said) – stored. Why?"
      var lines = ["", style.green("✓ ") + title.truncated(inner - 2)]
      var tags = offered.enumerated().map { index, tag in
        let name = "\(index + 1) \(tag.printable)"
        return (plain: name, styled: chosen.contains(tag) ? style.green(style.bold(name)) : name)
      }
      tags += chosen.filter { !offered.contains($0) }.map { ($0.printable, style.green(style.bold($0.printable))) }
      lines += flow(tags)
      if !chosen.isEmpty || !typed.isEmpty || offered.isEmpty {
        let list = (chosen.map(\.printable) + [typed.printable + "▏"]).joined(separator: ", ")
        lines.append(style.dim("reasons: ") + list.truncated(max(4, inner - 9)))
      }
      let numberKeys = offered.isEmpty ? [] : [(offered.count > 1 ? "1–\(offered.count)" : "1", "choose")]
      return lines + keyLines(numberKeys + [("letters", "your own"), ("enter", "go on"), ("esc", "take back")])
    case .help:
      let text = [
        "a, b       the better of the two. The answer is stored before the next thing is asked.",
        "= or e     equal: a tie teaches a ranker to set the two close together.",
        "s          skip: not asked again in this sitting; nothing is stored.",
        "u          undo: takes your last answer out of the store and asks again.",
        "q, ctrl-C  quit. Everything that you answered is kept.",
        "",
        "After an answer, number keys choose reasons used before, letters write a new one,",
        "a comma begins the next, enter goes on.",
      ]
      let lines = text.flatMap { line -> [String] in
        guard line.cellCount > inner, line.prefix(11).hasSuffix(" ") else { return line.isEmpty ? [""] : [line] }
        let meaning = String(line.dropFirst(11)).wrapped(inner - 11)
        return meaning.enumerated().map { ($0 == 0 ? String(line.prefix(11)) : String(repeating: " ", count: 11)) + $1 }
      }
      return [""] + lines.flatMap { $0.cellCount > inner ? $0.wrapped(inner) : [$0] }.map(style.dim)
        + keyLines([("any key", "back")])
    }
  }

  private func keyLines(_ keys: [(key: String, meaning: String)]) -> [String] {
    flow(keys.map { ("\($0.key) \($0.meaning)", style.bold($0.key) + " " + style.dim($0.meaning)) })
  }

  /// Pieces in as few lines as they need.
  private func flow(_ pieces: [(plain: String, styled: String)]) -> [String] {
    var lines: [String] = []
    var line = ""
    var cells = 0
    for piece in pieces {
      let length = piece.plain.cellCount
      if cells > 0, cells + 3 + length > inner {
        lines.append(line)
        (line, cells) = ("", 0)
      }
      line += (cells > 0 ? "   " : "") + piece.styled
      cells += (cells > 0 ? 3 : 0) + length
    }
    if cells > 0 { lines.append(line) }
    return lines
  }
}
