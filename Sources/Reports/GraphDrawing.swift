// A graph drawn by Graphviz: its `dot` program lays it out, the page shows it.

import Foundation

/// The drawing of a graph as SVG, or why there is none.
public enum GraphDrawing: Sendable, Hashable {
  /// An `svg` element without a size of its own, free of scripts and references.
  case drawn(svg: String)
  /// Graphviz is missing, failed, or took too long.
  case missing(reason: String)

  /// Seconds that a layout may take: that of a text encoder takes about one.
  private static let patience = 20.0

  /// Lays out a graph in Graphviz's language.
  /// - Parameter program: Graphviz's `dot`, looked up in `PATH` where it has no slash.
  public init(dot source: String, program: String = "dot") {
    do {
      let output = try Self.run(program, input: Data(source.utf8))
      guard let svg = Self.element(of: String(decoding: output, as: UTF8.self)) else {
        self = .missing(reason: "Graphviz's output holds no drawing")
        return
      }
      self = .drawn(svg: svg)
    } catch let failure as Failure {
      self = .missing(reason: failure.reason)
    } catch {
      self = .missing(
        reason: "the program `\(program)` is not there; install Graphviz to have the graph drawn: apt install graphviz")
    }
  }

  /// The drawing in a box that scrolls, or the reason why there is none.
  public var markup: Markup {
    switch self {
    case .drawn(let svg): "<div class=\"scroll graph\">\(Markup(trusted: svg))</div>\n"
    case .missing(let reason): "<p class=\"note\">The graph is not drawn: \(reason).</p>\n"
    }
  }

  /// The drawing as a file of its own; nil where there is none.
  public var file: String? {
    guard case .drawn(let svg) = self else { return nil }
    let root = svg.replacing("<svg", with: "<svg xmlns=\"http://www.w3.org/2000/svg\"", maxReplacements: 1)
    return "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\(root)\n"
  }

  private struct Failure: Error {
    let reason: String
  }

  private static func run(_ program: String, input: Data) throws -> Data {
    let process = Process()
    if program.contains("/") {
      process.executableURL = URL(fileURLWithPath: program)
      process.arguments = ["-Tsvg"]
    } else {
      guard let path = find(program) else { throw CocoaError(.fileNoSuchFile) }
      process.executableURL = URL(fileURLWithPath: path)
      process.arguments = ["-Tsvg"]
    }
    let (stdin, stdout, stderr) = (Pipe(), Pipe(), Pipe())
    process.standardInput = stdin
    process.standardOutput = stdout
    process.standardError = stderr
    try process.run()
    let watch = DispatchWorkItem { process.terminate() }
    DispatchQueue.global().asyncAfter(deadline: .now() + patience, execute: watch)
    // All three pipes at once: whoever waits for one of them while another is full waits for ever.
    DispatchQueue.global().async {
      try? stdin.fileHandleForWriting.write(contentsOf: input)
      try? stdin.fileHandleForWriting.close()
    }
    DispatchQueue.global().async { _ = try? stderr.fileHandleForReading.readToEnd() }
    let output = try stdout.fileHandleForReading.readToEnd() ?? Data()
    process.waitUntilExit()
    watch.cancel()
    guard process.terminationReason == .exit else {
      throw Failure(reason: "the layout took longer than \(Int(patience)) seconds")
    }
    guard process.terminationStatus == 0 else {
      throw Failure(reason: "Graphviz failed with status \(process.terminationStatus)")
    }
    return output
  }

  private static func find(_ program: String) -> String? {
    let folders = (ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin").split(separator: ":")
    return folders.map { "\($0)/\(program)" }.first { FileManager.default.isExecutableFile(atPath: $0) }
  }

  /// The `svg` element of Graphviz's document, without comments, fixed size and namespaces that HTML does not need.
  private static func element(of document: String) -> String? {
    guard let start = document.range(of: "<svg"), let end = document.range(of: "</svg>", options: .backwards) else {
      return nil
    }
    var svg = String(document[start.lowerBound..<end.upperBound])
    while let open = svg.range(of: "<!--"), let close = svg.range(of: "-->", range: open.upperBound..<svg.endIndex) {
      svg.removeSubrange(open.lowerBound..<close.upperBound)
    }
    guard let tagEnd = svg.firstIndex(of: ">"), let box = attribute("viewBox", in: svg[..<tagEnd]),
      let width = attribute("width", in: svg[..<tagEnd])?.replacing("pt", with: "")
    else { return nil }
    let lines = svg[svg.index(after: tagEnd)...].split(separator: "\n").filter { !$0.isEmpty }
    // A wide graph keeps a readable size and scrolls; a small one is not blown up.
    return """
      <svg viewBox="\(box)" style="width:\(width)px" role="img" aria-label="The graph, node by node">
      \(lines.joined(separator: "\n"))
      """
  }

  private static func attribute(_ name: String, in tag: Substring) -> String? {
    guard let start = tag.range(of: " \(name)=\"") else { return nil }
    return tag[start.upperBound...].prefix { $0 != "\"" }.description
  }
}
