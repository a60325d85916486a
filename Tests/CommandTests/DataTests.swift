// `ranker data`: what a person meets who checks, looks at and makes up data.

import CommandSupport
import Foundation
import Testing

@Suite struct DataTests {
  private let directory = try! TemporaryDirectory()
  private let ranker = try! Command("ranker")

  private func object(_ result: CommandResult) throws -> [String: Any] {
    try #require(try JSONSerialization.jsonObject(with: result.outputBytes) as? [String: Any])
  }

  @Test("validate names each problem with its lines and its count, and exits with 1")
  func validateProblems() throws {
    try directory.write(
      "user_id,item_id,implicit_rating\nu1,a,1\nu2,,1\nu3,,1\nu1,b,0\nu1,a,2\n", to: "bad.csv")
    let result = try ranker.run(["data", "validate", "bad.csv", "--type", "recommendation"], in: directory)
    #expect(result.status == 1)
    #expect(
      result.output == """
        problem: "item_id" is empty
          lines 3, 4  (2 times)
        problem: "implicit_rating" is 0; it must be above 0
          line 5
        warning: 1 interaction repeats the user and item of another (first: user "u1", item "a"); their strengths add up
        warning: there is only one user; what others like can't be learned from that, only which items are popular
        warning: there is only one item; nothing can be ranked
        ✗ bad.csv: 2 interactions can be used

        """)
    let json = try object(
      ranker.run(["data", "validate", "bad.csv", "--type", "recommendation", "--json"], in: directory))
    let findings = try #require(json["findings"] as? [[String: Any]])
    #expect(findings.first?["count"] as? Int == 2 && findings.first?["lines"] as? [Int] == [3, 4])
    #expect(json["usable_records"] as? Int == 2)
  }

  @Test("validate lets warnings pass, and not with --strict")
  func validateWarnings() throws {
    try directory.write("user_id,item_id\nu1,a\nu2,b\nu2,b\n", to: "twice.csv")
    let lenient = try ranker.run(["data", "validate", "twice.csv", "--type", "recommendation"], in: directory)
    #expect(lenient.status == 0 && lenient.output.contains("warning: 1 interaction repeats"))
    let strict = try ranker.run(
      ["data", "validate", "twice.csv", "--type", "recommendation", "--strict"], in: directory)
    #expect(strict.status == 1)
    let missing = try ranker.run(["data", "validate", "nowhere.csv", "--type", "recommendation"], in: directory)
    #expect(missing.status == 1 && missing.output.contains("nowhere.csv"))
  }

  @Test("pairs can be validated and looked at as interactions can")
  func pairs() throws {
    let item = { (id: String, x: Double) in "{\"id\": \"\(id)\", \"item_type\": \"t\", \"metrics\": {\"x\": \(x)}}" }
    let pair = { (label: String) in "{\"item_a\": \(item("a", 1)), \"item_b\": \(item("b", 2)), \"label\": \(label)}" }
    try directory.write([pair("1"), pair("7"), pair("-1")].joined(separator: "\n"), to: "pairs.jsonl")
    let validated = try ranker.run(["data", "validate", "pairs.jsonl", "--type", "pairs"], in: directory)
    #expect(validated.status == 1)
    #expect(
      validated.output.contains(
        "problem: \"label\" is 7; it must be 1 (A preferred), 0 (equal) or -1 (B preferred)\n  line 2\n"))
    #expect(validated.output.hasSuffix("✗ pairs.jsonl: 2 pairs can be used\n"))
    let shown = try object(ranker.run(["data", "stats", "pairs.jsonl", "--json"], in: directory))
    #expect(shown["pairs"] as? Int == 2)
    #expect((shown["contradictions"] as? [Any])?.count == 1)
  }

  @Test("what synthesize makes, stats counts")
  func synthesizeAndCount() throws {
    let made = try ranker.run(
      [
        "data", "synthesize", "recommendation", "--output", "x.json", "--users", "30", "--items", "60",
        "--interactions", "400", "--held-out", "3", "--candidates", "20",
      ], in: directory)
    #expect(made.status == 0 && made.output == "x.json: 400 interactions, 30 held-out cases\n")
    let statistics = try object(ranker.run(["data", "stats", "x.json", "--json"], in: directory))
    #expect(statistics["users"] as? Int == 30 && statistics["items"] as? Int == 60)
    #expect(statistics["interactions"] as? Int == 400 && statistics["duplicates"] as? Int == 0)
    #expect(statistics["held_out_cases"] as? Int == 30 && statistics["held_out_items"] as? Int == 90)
    #expect(abs((statistics["density"] as? Double ?? 0) - 400.0 / 1800) < 1e-9)
    #expect(statistics["first_time"] as? String == "2026-01-01T00:00:00Z")
    let valid = try ranker.run(["data", "validate", "x.json", "--type", "recommendation"], in: directory)
    #expect(valid.status == 0 && valid.output == "✓ x.json: 400 interactions can be used\n")
  }

  @Test("a synthesized clickstream is read as one, its last days held out")
  func clickstream() throws {
    let made = try ranker.run(
      [
        "data", "synthesize", "clickstream", "--output", "clicks", "--users", "200", "--items", "100", "--clicks",
        "5000",
      ], in: directory)
    #expect(made.status == 0 && made.output.hasPrefix("clicks: 5000 clicks, "))
    let all = try object(ranker.run(["data", "stats", "clicks", "--json", "--eval-days", "0"], in: directory))
    #expect(all["format"] as? String == "clickstream" && all["interactions"] as? Int == 5000)
    #expect((all["kinds"] as? [[String: Any]])?.count == 9)
    let split = try object(ranker.run(["data", "stats", "clicks", "--json"], in: directory))
    // 46 of 60 days train.
    let training = try #require(split["interactions"] as? Int)
    #expect(abs(training - 5000 * 46 / 60) < 50)
    #expect(try #require(split["held_out_cases"] as? Int) > 50)
  }

  @Test("split sets the latest items aside among drawn ones, and every training measures itself on the same")
  func split() throws {
    var lines = "user_id,item_id,timestamp,interaction_type\n"
    // Item (u + 4) % 30 is each user's latest, though it stands first.
    for user in 0..<12 {
      for step in [4, 0, 1, 2, 3] { lines += "u\(user),i\((user + step) % 30),\(1_700_000_000 + step),view\n" }
    }
    for item in 0..<30 { lines += "other,i\(item),1600000000,view\n" }
    try directory.write(lines, to: "rows.csv")
    let arguments = ["data", "split", "rows.csv", "--leave-one-out", "--negatives", "9"]
    let result = try ranker.run(arguments + ["--output", "split.json"], in: directory)
    #expect(result.status == 0 && result.output == "split.json: 77 interactions to train on, 12 held-out cases\n")
    #expect(result.errors.contains("has every item"))
    let document = try #require(
      try JSONSerialization.jsonObject(with: Data(directory.bytes(of: "split.json"))) as? [String: Any])
    let rows = try #require(document["interactions"] as? [[String: Any]])
    #expect(rows.count == 77 && rows[0]["item_id"] as? String == "i0")
    #expect(rows[0]["interaction_type"] as? String == "view")
    for test in try #require(document["held_out_test"] as? [[String: Any]]) {
      let id = try #require(test["user_id"] as? String)
      let user = try #require(Int(id.dropFirst()))
      #expect(test["relevant_items"] as? [String] == ["i\((user + 4) % 30)"])
      let candidates = Set(try #require(test["candidate_items"] as? [String]))
      let owned = Set((0..<5).map { "i\((user + $0) % 30)" })
      #expect(candidates.count == 10 && candidates.intersection(owned) == ["i\((user + 4) % 30)"])
    }
    let again = try ranker.run(arguments + ["--output", "-"], in: directory)
    #expect(again.outputBytes == Data(try directory.bytes(of: "split.json")))
    let valid = try ranker.run(["data", "validate", "split.json", "--type", "recommendation"], in: directory)
    #expect(valid.status == 0, "\(valid.output)")
    let als = try ranker.run(["train", "als", "--data-path", "split.json", "--factors", "4"], in: directory)
    #expect(als.status == 0 && als.output.contains("on 12 held-out cases"), "\(als.errors)")
  }

  @Test("a split of nothing in particular is refused with what to say")
  func splitRefused() throws {
    try directory.write("user_id,item_id\na,x\nb,y\n", to: "rows.csv")
    func errors(_ options: String...) throws -> String {
      try ranker.run(["data", "split", "rows.csv", "--output", "split.json"] + options, in: directory).errors
    }
    #expect(try errors().contains("either --leave-one-out or --share 0.2"))
    #expect(try errors("--leave-one-out", "--share", "0.1").contains("either --leave-one-out or --share 0.2"))
    #expect(try errors("--share", "1").contains("--share is 1.0; expected a number between 0 and 1"))
    #expect(try errors("--leave-one-out", "--negatives", "0").contains("--negatives is 0"))
    #expect(try errors("--leave-one-out").contains("no user has two items, so nothing can be held out"))
    #expect(!FileManager.default.fileExists(atPath: directory.path("split.json")))
  }

  @Test("settings that can't be met are refused, and nothing is written")
  func refused() throws {
    let result = try ranker.run(
      ["data", "synthesize", "recommendation", "--output", "y.json", "--users", "2", "--items", "4"], in: directory)
    #expect(result.status == 1)
    #expect(result.errors.contains("held-out items: 10 can't be; expected 0 to a quarter of the items"))
    #expect(!FileManager.default.fileExists(atPath: directory.path("y.json")))
  }

  @Test("columns can be named at the command line, and a wrong row is an error with --strict")
  func columns() throws {
    try directory.write("7\t1\t4\t881250949\n7\t2\tx\t881250950\n", to: "u.data")
    let options = ["--columns", "user_id,item_id,rating,timestamp", "--separator", "\\t"]
    let plain = try object(ranker.run(["data", "stats", "u.data", "--json"] + options, in: directory))
    #expect(plain["interactions"] as? Int == 2)
    let rated = try ranker.run(["data", "stats", "u.data", "--use-ratings", "--strict"] + options, in: directory)
    #expect(rated.status == 1 && rated.errors.contains("u.data, line 2: \"implicit_rating\" is \"x\", not a number"))
  }
}
