// Pieces of HTML and SVG into which text goes only escaped.

/// A piece of HTML or SVG. What is interpolated into it is escaped, unless it is markup itself.
///
/// ```swift
/// let name = "<Anna & Ben>"
/// let cell: Markup = "<td>\(name)</td>"  // <td>&lt;Anna &amp; Ben&gt;</td>
/// ```
public struct Markup: Sendable, Hashable, ExpressibleByStringInterpolation, CustomStringConvertible {
  public private(set) var html: String

  /// A literal is markup as it stands.
  public init(stringLiteral value: String) { html = value }
  public init(stringInterpolation: StringInterpolation) { html = stringInterpolation.html }

  /// Markup from elsewhere, taken as it is.
  public init(trusted html: String) { self.html = html }

  /// Text, escaped.
  public init(text: String) { html = Self.escaped(text) }

  public static let empty: Markup = ""

  public var isEmpty: Bool { html.isEmpty }
  public var description: String { html }

  public static func + (a: Markup, b: Markup) -> Markup { Markup(trusted: a.html + b.html) }
  public static func += (a: inout Markup, b: Markup) { a.html += b.html }

  /// Text for an element's content or a quoted attribute's value. Characters that neither HTML nor XML has are replaced.
  public static func escaped(_ text: String) -> String {
    var result = ""
    result.reserveCapacity(text.utf8.count)
    for scalar in text.unicodeScalars {
      switch scalar {
      case "&": result += "&amp;"
      case "<": result += "&lt;"
      case ">": result += "&gt;"
      case "\"": result += "&quot;"
      case "'": result += "&#39;"
      case "\t", "\n", "\r": result.unicodeScalars.append(scalar)
      case "\u{0}"..<"\u{20}", "\u{7F}"..<"\u{A0}", "\u{FFFE}", "\u{FFFF}": result += "\u{FFFD}"
      default: result.unicodeScalars.append(scalar)
      }
    }
    return result
  }

  public struct StringInterpolation: StringInterpolationProtocol, Sendable {
    fileprivate var html = ""

    public init(literalCapacity: Int, interpolationCount: Int) { html.reserveCapacity(literalCapacity * 2) }
    public mutating func appendLiteral(_ literal: String) { html += literal }
    public mutating func appendInterpolation(_ markup: Markup) { html += markup.html }
    public mutating func appendInterpolation(_ text: String) { html += Markup.escaped(text) }
    public mutating func appendInterpolation(_ number: some BinaryInteger) { html += String(number) }
    public mutating func appendInterpolation(_ parts: [Markup]) { for part in parts { html += part.html } }
  }
}

extension Sequence<Markup> {
  /// The pieces one after another.
  public func joined(separator: Markup = .empty) -> Markup {
    Markup(trusted: map(\.html).joined(separator: separator.html))
  }
}
