// Answering questions: by lines, and by keys in a terminal.

import CommandSupport
import Foundation
import Testing

@Suite("ranker add-pair --interactive")
struct InteractiveTests {
  private let ranker: Command
  private let directory: TemporaryDirectory

  init() throws {
    ranker = try Command("ranker")
    directory = try TemporaryDirectory()
    let items = (1...5).map {
      #"{"id": "p\#($0)", "item_type": "project", "metrics": {"m": 0.5}, "text": "Project number \#($0)."}"#
    }
    try directory.write(items.joined(separator: "\n"), to: "items.jsonl")
    #expect(try ranker.run(["items", "import", "items.jsonl"], in: directory).status == 0)
  }

  private func pairs() throws -> [[String: Any]] {
    let result = try ranker.run(["pairs", "list", "--json"], in: directory)
    return try JSONSerialization.jsonObject(with: result.outputBytes) as? [[String: Any]] ?? []
  }

  private func ask(_ input: String, _ more: String...) throws -> CommandResult {
    try ranker.run(["add-pair", "--interactive", "--seed", "1"] + more, input: input, in: directory)
  }

  @Test("answers, reasons, skip, undo and quit, line by line")
  func lines() throws {
    let result = try ask("a\nshort, clear\nb\n\nu\n=\n\ns\nnonsense\n?\nq\n")
    #expect(result.status == 0)
    #expect(result.errors.contains(#""nonsense" is none of"#))
    #expect(result.output.contains("2 answers stored, 1 skipped; 2 pairs in all, 98 to go to 100"))
    let stored = try pairs()
    #expect(stored.map { $0["label"] as? Int } == [1, 0])
    #expect(stored[0]["reason_tags"] as? [String] == ["short", "clear"])
  }

  @Test("the end of the input keeps what was answered")
  func endOfInput() throws {
    #expect(try ask("a").status == 0)
    #expect(try pairs().count == 1)
    #expect(try ask("b\n\n").status == 0)
    #expect(try pairs().count == 2)
  }

  @Test("the same seed asks the same questions")
  func seed() throws {
    let first = try ask("s\ns\ns\nq\n", "--strategy", "random").output
    #expect(try first == ask("s\ns\ns\nq\n", "--strategy", "random").output)
    #expect(first.contains("Project number"))
  }

  @Test("when every two items were compared, that is said")
  func exhausted() throws {
    let result = try ask(String(repeating: "a\n\n", count: 10) + "a\n")
    #expect(result.output.contains("every two items of a type were compared or skipped"))
    #expect(try pairs().count == 10)
    let again = try ask("a\n")
    #expect(again.status == 1)
    #expect(again.errors.contains("there is nothing to ask"))
    #expect(try ask("a\n", "--item-type", "none").errors.contains("the types are project"))
  }

  @Test(
    "by keys in a terminal, every answer is stored, whatever ends the program",
    arguments: ["q", "ctrl-C", "TERM", "KILL"])
  func keys(_ ending: String) throws {
    let terminal = try PseudoTerminal(ranker.path, ["add-pair", "-i", "--seed", "1"], in: directory)
    defer { terminal.close() }
    #expect(terminal.waits(for: "Which project is better?"))
    terminal.type("a")
    #expect(terminal.waits(for: "stored. Why?"))
    terminal.type("quick, neat\r")
    #expect(terminal.waits(for: "undo"), "the next question, with its keys")
    terminal.type("b")
    #expect(terminal.waits(for: "B is better – stored. Why?"))
    // The second answer's reasons are not entered yet; the answer is stored all the same.
    switch ending {
    case "q": terminal.type("\rq")
    case "ctrl-C": terminal.type("\u{3}")
    default: kill(terminal.processIdentifier, ending == "TERM" ? SIGTERM : SIGKILL)
    }
    let status = terminal.wait()
    #expect(status == ["q": 0, "ctrl-C": 0, "TERM": 128 + SIGTERM, "KILL": 128 + SIGKILL][ending])
    if ending != "KILL" {
      #expect(terminal.output.contains("\u{1B}[?1049l"), "the screen is given back")
      #expect(terminal.isCanonical, "the terminal's settings are given back")
    }
    let stored = try pairs()
    #expect(stored.map { $0["label"] as? Int } == [1, -1])
    #expect(stored.first?["reason_tags"] as? [String] == ["quick", "neat"])
  }

  @Test("undo by key takes the answer out of the store and asks again")
  func undoKey() throws {
    let terminal = try PseudoTerminal(ranker.path, ["add-pair", "-i", "--seed", "1"], in: directory)
    defer { terminal.close() }
    #expect(terminal.waits(for: "Which project is better?"))
    terminal.type("=")
    #expect(terminal.waits(for: "Why?"))
    terminal.type("\r")
    #expect(terminal.waits(for: "undo"))
    #expect(try pairs().count == 1)
    terminal.type("u")
    #expect(terminal.waits(for: "taken back"))
    #expect(try pairs().isEmpty)
    terminal.type("q")
    #expect(terminal.wait() == 0)
  }

  @Test("NO_COLOR draws without colours")
  func noColor() throws {
    let terminal = try PseudoTerminal(
      ranker.path, ["add-pair", "-i", "--seed", "1"], in: directory, environment: ["NO_COLOR": "1"])
    defer { terminal.close() }
    #expect(terminal.waits(for: "q quit"))
    #expect(!terminal.output.contains("\u{1B}[1m"))
    #expect(!terminal.output.contains("\u{1B}[3"))
    terminal.type("q")
    #expect(terminal.wait() == 0)
  }
}
