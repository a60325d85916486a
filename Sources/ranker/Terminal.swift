// The terminal: how wide it is, what it can show, and how wide text is on it.

import Glibc

enum Terminal {
  static var isInput: Bool { isatty(STDIN_FILENO) == 1 }
  static var isOutput: Bool { isatty(STDOUT_FILENO) == 1 }
  static var isError: Bool { isatty(STDERR_FILENO) == 1 }

  /// Columns and rows of the terminal that standard output goes to; nil where it goes elsewhere.
  static var size: (columns: Int, rows: Int)? {
    var size = winsize()
    guard isOutput, ioctl(STDOUT_FILENO, UInt(TIOCGWINSZ), &size) == 0 else { return nil }
    return (size.ws_col > 0 ? Int(size.ws_col) : 80, size.ws_row > 0 ? Int(size.ws_row) : 24)
  }

  /// Whether the terminal understands more than plain text.
  static var isCapable: Bool {
    guard let name = getenv("TERM") else { return false }
    return String(cString: name) != "dumb"
  }
}

/// Colours and weights where the output is a terminal, nothing elsewhere or with `NO_COLOR` set (no-color.org).
struct Style {
  let isOn: Bool

  static var output: Style {
    let refusal = getenv("NO_COLOR").map { $0.pointee != 0 } ?? false
    return Style(isOn: Terminal.isOutput && Terminal.isCapable && !refusal)
  }

  func bold(_ text: String) -> String { wrapped(text, "1") }
  func dim(_ text: String) -> String { wrapped(text, "2") }
  func green(_ text: String) -> String { wrapped(text, "32") }
  func yellow(_ text: String) -> String { wrapped(text, "33") }
  func red(_ text: String) -> String { wrapped(text, "31") }
  func blue(_ text: String) -> String { wrapped(text, "34") }
  func cyan(_ text: String) -> String { wrapped(text, "36") }
  func magenta(_ text: String) -> String { wrapped(text, "35") }

  private func wrapped(_ text: String, _ code: String) -> String {
    isOn && !text.isEmpty ? "\u{1B}[\(code)m\(text)\u{1B}[0m" : text
  }
}

extension Unicode.Scalar {
  /// The cells that a terminal gives the character: none for what combines with the one before, two for the wide
  /// blocks of Unicode's East Asian Width and for pictures.
  fileprivate var cellCount: Int {
    switch value {
    case 0x20..<0x300: 1
    case 0x1100...0x115F, 0x2E80...0x303E, 0x3041...0xA4CF, 0xAC00...0xD7A3, 0xF900...0xFAFF, 0xFE30...0xFE6F,
      0xFF00...0xFF60, 0xFFE0...0xFFE6, 0x1F300...0x1F64F, 0x1F680...0x1F6FF, 0x1F900...0x1F9FF, 0x20000...0x3FFFD:
      2
    default:
      switch properties.generalCategory {
      case .nonspacingMark, .enclosingMark, .format, .control: 0
      default: 1
      }
    }
  }
}

extension Character {
  var cellCount: Int { unicodeScalars.reduce(0) { max($0, $1.cellCount) } }
}

extension String {
  /// The cells that a terminal gives the text.
  var cellCount: Int { reduce(0) { $0 + $1.cellCount } }

  /// The text with spaces up to `width` cells, cut with an ellipsis where it is longer.
  func fitted(_ width: Int, alignsRight: Bool = false) -> String {
    let text = truncated(width)
    let padding = String(repeating: " ", count: max(0, width - text.cellCount))
    return alignsRight ? padding + text : text + padding
  }

  func truncated(_ width: Int) -> String {
    guard cellCount > width else { return self }
    guard width > 0 else { return "" }
    var cells = 0
    var text = ""
    for character in self {
      if cells + character.cellCount > width - 1 { break }
      cells += character.cellCount
      text.append(character)
    }
    return text + "…"
  }

  /// The text in lines of at most `width` cells, broken between words but not at no-break spaces; a longer word is cut.
  func wrapped(_ width: Int) -> [String] {
    var lines: [String] = []
    var line = ""
    var cells = 0
    for word in split(whereSeparator: { $0.isWhitespace && $0 != "\u{A0}" }) {
      var rest = Substring(word)
      while !rest.isEmpty {
        let length = String(rest).cellCount
        let gap = line.isEmpty ? 0 : 1
        if cells + gap + length <= width {
          line += (gap == 1 ? " " : "") + rest
          cells += gap + length
          break
        }
        if !line.isEmpty {
          lines.append(line)
          (line, cells) = ("", 0)
          continue
        }
        // A word longer than a line: as much of it as fits, at least one character.
        var part = ""
        while let next = rest.first, part.isEmpty || part.cellCount + next.cellCount <= width {
          part.append(next)
          rest.removeFirst()
        }
        lines.append(part)
      }
    }
    if !line.isEmpty { lines.append(line) }
    return lines
  }
}
