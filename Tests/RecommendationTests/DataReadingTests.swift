// Interactions in every form of text: what is read, what is refused, and what is said about it.

import CommandSupport
import Datasets
import Recommendation
import Testing

@Suite struct DataReadingTests {
  let directory = try! TemporaryDirectory()

  func read(
    _ text: String, name: String = "data", _ options: InteractionReadOptions = InteractionReadOptions()
  ) throws -> InteractionDataset {
    try InteractionDataset(path: directory.write(text, to: name), options: options)
  }

  /// The rows as text, for comparing.
  func rows(_ data: InteractionDataset) -> [String] {
    let interactions = data.interactions
    return (0..<interactions.count).map { row in
      var fields = [
        interactions.users.ids[Int(interactions.userIndices[row])],
        interactions.items.ids[Int(interactions.itemIndices[row])], "\(interactions.strengths[row])",
      ]
      if let times = interactions.timestamps { fields.append("\(times[row])") }
      if let kinds = data.kinds { fields.append(kinds.places[row] < 0 ? "-" : kinds.names[Int(kinds.places[row])]) }
      return fields.joined(separator: " ")
    }
  }

  @Test("a JSON document of interactions, metadata and held-out cases")
  func document() throws {
    let data = try read(
      """
      {"metadata": {"num_users": 2, "num_items": 4, "num_interactions": 3, "density": 0.375, "note": {"a": [1, "]"]}},
       "interactions": [
         {"user_id": "u1", "item_id": "a", "timestamp": 1700000000, "interaction_type": "view", "implicit_rating": 0.5},
         {"item_id": "b", "user_id": "u\\u00e9", "timestamp": "2023-11-14T22:13:20Z", "implicit_rating": 2e0},
         {"user_id": "u1", "item_id": "b", "timestamp": 1700000000123, "extra": {"x": 1}, "implicit_rating": 3}
       ],
       "held_out_test": [
         {"user_id": "u1", "relevant_items": ["c"], "candidate_items": ["d", "c", "b"]},
         {"user_id": "ué", "relevant_items": ["a"]}
       ]}
      """)
    #expect(data.format == .json)
    #expect(rows(data) == ["u1 a 0.5 1700000000 view", "ué b 2.0 1700000000 -", "u1 b 3.0 1700000000 -"])
    #expect(
      data.heldOut == [
        HeldOutCase(user: 0, relevant: [2], candidates: [3, 2, 1]), HeldOutCase(user: 1, relevant: [0]),
      ])
    #expect(data.interactions.items.ids == ["a", "b", "c", "d"])
    #expect(data.warnings.isEmpty)
    #expect(data.notes == ["2 items of held_out_test have no interactions; nothing is known of them but the id"])
  }

  @Test("the same interactions as lines of JSON, as an array, with tabs, with commas, and with a byte-order mark")
  func forms() throws {
    let expected = ["u1 a 1.0 10", "u2 b 1.0 20"]
    let objects = [
      #"{"user_id": "u1", "item_id": "a", "timestamp": 10}"#, #"{"user_id":"u2","item_id":"b","timestamp":20.9}"#,
    ]
    #expect(try rows(read(objects.joined(separator: "\n"))) == expected)
    #expect(try rows(read("[\(objects.joined(separator: ",\n"))]")) == expected)
    #expect(try rows(read("user_id\titem_id\ttimestamp\nu1\ta\t10\nu2\tb\t20\n")) == expected)
    #expect(try rows(read("\u{FEFF}user_id,item_id,timestamp\r\nu1,a,10\r\nu2,b,20")) == expected)
    #expect(try rows(read("timestamp;movieId;User ID\n10;a;u1\n\n20;b;u2\n")) == expected)
  }

  @Test("MovieLens' u.data and ratings.dat, with and without their columns' names")
  func movieLens() throws {
    let tabs = "196\t242\t3\t881250949\n186\t302\t3\t891717742\n"
    let colons = "1::1193::5::978300760\n1::661::3::978302109\n"
    let names = InteractionReadOptions(columns: ["user_id", "item_id", "rating", "timestamp"])
    #expect(try rows(read(tabs, names)) == ["196 242 1.0 881250949", "186 302 1.0 891717742"])
    #expect(try rows(read(colons, names)) == ["1 1193 1.0 978300760", "1 661 1.0 978302109"])
    let guessed = try read(tabs)
    #expect(rows(guessed) == ["196 242 1.0 881250949", "186 302 1.0 891717742"])
    #expect(guessed.notes.first?.contains("user_id, item_id, rating, timestamp") == true)
    let rated = InteractionReadOptions(columns: names.columns, usesRatings: true)
    #expect(try rows(read(tabs, rated)) == ["196 242 3.0 881250949", "186 302 3.0 891717742"])
  }

  @Test("quoted fields keep separators, quotes and line breaks")
  func quotes() throws {
    let text = "user_id,item_id,title\n\"u,1\",a,\"one \"\"two\"\"\"\nu2,\"b\"\"x\",\"three\nfour\"\nu3,c,\n"
    #expect(try rows(read(text)) == ["u,1 a 1.0", "u2 b\"x 1.0", "u3 c 1.0"])
  }

  @Test("line breaks within quotes are found wherever the threads' ranges begin")
  func quotedRanges() throws {
    var text = "user_id,item_id,title\n"
    for row in 0..<200 { text += "u\(row % 17),i\(row),\(row == 150 ? "\"a\nb,c\n\"" : "t")\n" }
    let one = try read(text, InteractionReadOptions(threadCount: 1))
    let many = try read(text, InteractionReadOptions(threadCount: 7))
    #expect(one.interactions.count == 200 && one.skipped.count == 0)
    #expect(one.interactions == many.interactions)
  }

  @Test("however many threads read, the result is the same, and lines keep their numbers")
  func threads() throws {
    var lines = ["user_id,item_id,timestamp,implicit_rating"]
    for row in 0..<500 { lines.append("u\(row * 7 % 31),i\(row % 13),\(row),\(row == 333 ? "x" : "\(row % 5 + 1)")") }
    let csv = lines.joined(separator: "\n")
    let one = try read(csv, InteractionReadOptions(threadCount: 1))
    for count in [2, 3, 8] {
      let many = try read(csv, InteractionReadOptions(threadCount: count))
      #expect(many.interactions == one.interactions && many.skipped == one.skipped)
    }
    #expect(one.skipped.examples == [LineProblem(line: 335, message: "\"implicit_rating\" is \"x\", not a number")])
  }

  @Test("columns may be named by the caller, by name and by place")
  func namedColumns() throws {
    let byName = InteractionReadOptions(columns: ["user_id=visitor", "item_id=sku"])
    #expect(try rows(read("sku,visitor\na,u1\n", byName)) == ["u1 a 1.0"])
    #expect(try rows(read(#"{"visitor": "u1", "sku": "a"}"#, byName)) == ["u1 a 1.0"])
    let byPlace = InteractionReadOptions(columns: ["item_id", "-", "user_id"], hasHeader: true)
    #expect(try rows(read("x,y,z\na,9,u1\n", byPlace)) == ["u1 a 1.0"])
    let noHeader = InteractionReadOptions(columns: ["user_id", "item_id"], separator: " ", hasHeader: false)
    #expect(try rows(read("u1 a\nu2 b", noHeader)) == ["u1 a 1.0", "u2 b 1.0"])
  }

  /// What is said of the one bad row beside a good one.
  func problem(csv row: String) throws -> String? {
    let data = try read("user_id,item_id,timestamp,implicit_rating\nu1,a,1,1\n\(row)\n")
    return data.skipped.examples.first?.description
  }

  func problem(json object: String) throws -> String? {
    let data = try read("{\"interactions\": [{\"user_id\": \"u1\", \"item_id\": \"a\"},\n\(object)]}")
    #expect(data.interactions.count == 1)
    return data.skipped.examples.first?.description
  }

  @Test("every kind of bad row of CSV is counted and named with its line")
  func badRows() throws {
    #expect(try problem(csv: ",b,2,1") == "line 3: \"user_id\" is empty")
    #expect(try problem(csv: "u2,b,2") == "line 3: has 3 fields, expected 4 (separated by a comma)")
    #expect(try problem(csv: "u2,b,2,0") == "line 3: \"implicit_rating\" is 0; it must be above 0")
    #expect(try problem(csv: "u2,b,2,-1.5") == "line 3: \"implicit_rating\" is -1.5; it must be above 0")
    #expect(try problem(csv: "u2,b,2,nan") == "line 3: \"implicit_rating\" is \"nan\", not a number")
    #expect(
      try problem(csv: "u2,b,2,1e39")
        == "line 3: \"implicit_rating\" is 1e+39, which is beyond a 32-bit float's range")
    #expect(
      try problem(csv: "u2,b,yesterday,1")
        == "line 3: \"timestamp\" is \"yesterday\", neither seconds (or milliseconds) since 1970 nor a date such as "
        + "2026-01-31T08:30:00Z")
    #expect(
      try problem(csv: "u2,\"b\"x,2,1") == "line 3: text behind the closing quotation mark of a field")
    #expect(try problem(csv: "u2,\"b,2,1") == "line 3: a quotation mark is opened and never closed")
  }

  @Test("every kind of bad interaction of JSON is counted and named with its place")
  func badObjects() throws {
    #expect(try problem(json: #"{"item_id": "b"}"#) == "line 2: interactions[1]: \"user_id\" is missing")
    #expect(try problem(json: #"{"user_id": "u2"}"#) == "line 2: interactions[1]: \"item_id\" is missing")
    #expect(
      try problem(json: #"{"user_id": null, "item_id": "b"}"#) == "line 2: interactions[1]: \"user_id\" is missing")
    #expect(
      try problem(json: #"{"user_id": 17, "item_id": "b"}"#)
        == "line 2: interactions[1]: \"user_id\" must be a string, found a number; write it in quotes, \"17\"")
    #expect(
      try problem(json: #"{"user_id": ["u"], "item_id": "b"}"#)
        == "line 2: interactions[1]: \"user_id\" must be a string, found an array")
    #expect(
      try problem(json: #"{"user_id": "", "item_id": "b"}"#)
        == "line 2: interactions[1]: \"user_id\" is an empty string")
    #expect(
      try problem(json: #"{"user_id": "u", "item_id": "b", "implicit_rating": true}"#)
        == "line 2: interactions[1]: \"implicit_rating\" must be a number, found true or false")
    #expect(
      try problem(json: #"{"user_id": "u", "item_id": "b", "implicit_rating": 0}"#)
        == "line 2: interactions[1]: \"implicit_rating\" is 0; it must be above 0")
    #expect(
      try problem(json: #"{"user_id": "u", "item_id": "b", "timestamp": "soon"}"#)?.contains("\"soon\"") == true)
    #expect(
      try problem(json: #"{"user_id": "u", "item_id": "b", "user_id": "v"}"#)
        == "line 2: interactions[1]: \"user_id\" is there twice")
    #expect(try problem(json: "17") == "line 2: interactions[1]: an object was expected, found a number")
    #expect(
      try problem(json: #"{"user_id": "u" "item_id": "b"}"#)?.hasPrefix("line 2: interactions[1]: not valid JSON")
        == true)
  }

  @Test("with strict the first bad row is an error")
  func strict() throws {
    let strict = InteractionReadOptions(isStrict: true)
    #expect(throws: DatasetError.self) { try read("user_id,item_id\nu1,a\nu2\n", strict) }
    #expect { try read(#"[{"user_id": "u1", "item_id": "a"}, {"user_id": 2, "item_id": "a"}]"#, strict) } throws: {
      "\($0)".hasSuffix(
        "line 1: interactions[1]: \"user_id\" must be a string, found a number; write it in quotes, \"2\"")
    }
  }

  func error(_ text: String, _ options: InteractionReadOptions = InteractionReadOptions()) -> String {
    do {
      _ = try read(text, options)
      return "no error"
    } catch {
      return "\(error)".replacing(directory.path("data"), with: "data")
    }
  }

  @Test("no interactions is an error that says what was found")
  func nothing() {
    let none = "data holds no interactions; at least one with a user_id and an item_id was expected"
    #expect(error("") == none)
    #expect(error("\n\n") == none)
    #expect(error("user_id,item_id\n") == none)
    #expect(error("{\"interactions\": []}") == none)
    #expect(error("{\"metadata\": {}}") == none)
    #expect(error("[]") == none)
    #expect(
      error("user_id,item_id\nu1\nu2\n")
        == "data holds no usable interaction: all 2 rows were left out\n"
        + "  line 2: has 1 field, expected 2 (separated by a comma)\n"
        + "  line 3: has 1 field, expected 2 (separated by a comma)")
  }

  @Test("what can't be understood as a whole is an error that says what to do")
  func wholeFile() {
    #expect(
      error("user_id,thing\nu1,a\n")
        == "data names no column \"item_id\" in its first line (it has: user_id, thing); say what its columns hold, in "
        + "order or as item_id=name")
    #expect(
      error("ann,book,5\nbob,film,3\n")
        == "data does not say what its columns hold: its first line is \"ann\", \"book\", \"5\"; name its columns in "
        + "order, such as --columns user_id,item_id")
    #expect(
      error("1,2,3\n", InteractionReadOptions(columns: ["user_id", "item_id"]))
        == "data has 3 fields in its first line (separated by a comma), but 2 columns were named")
    #expect(error("{\"interactions\": {\"a\": 1}}").hasSuffix("must be an array of objects, found an object"))
    #expect(error("{\"interactions\": [{\"user_id\": \"u\", \"item_id\": \"a\"}").contains("cut short?"))
    #expect(error("{\"interactions\": [], \"interactions\": []}").contains("\"interactions\" is there twice"))
    #expect(error("{\"interactions\": []} x").contains("text behind the end"))
    #expect(
      error("user_id,item_id\nu,a\n", InteractionReadOptions(columns: ["user_id=x", "item_id"]))
        == "the columns that were named can't be used: either all are names in order, or all are of the form "
        + "user_id=name; found both")
  }

  @Test("what is no text is refused with what it is")
  func otherFiles() throws {
    let gzip = try directory.write([0x1F, 0x8B, 8, 0], to: "data.csv.gz")
    #expect { try InteractionDataset(path: gzip) } throws: {
      "\($0)" == "\(gzip) is compressed with gzip, which is not read here; unpack it first: gunzip"
    }
    let latin = try directory.write(Array("user_id,item_id\nu1,a\nu2,".utf8) + [0xE9, 10], to: "latin.csv")
    #expect(
      try InteractionDataset(path: latin).skipped.examples.first?.description
        == "line 3: \"item_id\" is not valid UTF-8; convert the file, or write it anew as UTF-8")
    #expect { try InteractionDataset(path: directory.path("nowhere")) } throws: { "\($0)".contains("nowhere") }
  }

  @Test("numbers that are not finite in JSON stop the reading: they come from a broken computation")
  func notFinite() {
    #expect(error(#"{"user_id": "u", "item_id": "a", "implicit_rating": NaN}"#).contains("NaN"))
    #expect(error(#"{"user_id": "u", "item_id": "a", "implicit_rating": 1e999}"#).contains("1e999"))
  }

  @Test("repeated pairs are counted and said, and kept")
  func duplicates() throws {
    let data = try read("user_id,item_id\nu1,a\nu1,b\nu1,a\nu2,a\nu1,a\n")
    #expect(data.interactions.count == 5 && data.duplicateCount == 2)
    #expect(
      data.warnings == [
        "2 interactions repeat the user and item of another (first: user \"u1\", item \"a\"); their strengths add up",
        "1 user (first: \"u1\") has every item; there is nothing left to recommend to them, and they are left out of "
          + "evaluations against sampled items",
      ])
  }

  @Test("one user, one item, and times out of order are said")
  func oddities() throws {
    let data = try read("user_id,item_id,timestamp\nu1,a,100\nu1,a,50\n")
    #expect(data.warnings.contains { $0.hasPrefix("there is only one user") })
    #expect(data.warnings.contains { $0.hasPrefix("there is only one item") })
    #expect(
      data.notes == [
        "timestamps are not in order (first at interaction 2, 1970-01-01T00:00:50Z behind 1970-01-01T00:01:40Z); splits "
          + "go by time all the same"
      ])
  }

  @Test("missing times and strengths of some rows are filled, and said")
  func partly() throws {
    let data = try read("user_id,item_id,timestamp,implicit_rating\nu1,a,,2\nu1,b,70,\nu2,a,60,4\n")
    #expect(rows(data) == ["u1 a 2.0 60", "u1 b 1.0 70", "u2 a 4.0 60"])
    #expect(
      data.warnings == [
        "1 of 3 interactions have no implicit_rating; theirs is taken as 1",
        "1 of 3 interactions have no timestamp; they count as the earliest of all",
        "1 user (first: \"u1\") has every item; there is nothing left to recommend to them, and they are left out of "
          + "evaluations against sampled items",
      ])
  }

  @Test("metadata that does not match the content is a warning")
  func metadata() throws {
    let data = try read(
      """
      {"interactions": [{"user_id": "u1", "item_id": "a"}, {"user_id": "u2", "item_id": "b"}],
       "metadata": {"num_users": 3, "num_items": 2, "num_interactions": 9, "density": 0.1}}
      """)
    #expect(
      data.warnings == [
        "metadata.num_users is 3, but the file holds 2", "metadata.num_interactions is 9, but the file holds 2",
        "metadata.density is 0.1, but the interactions make it 0.5",
      ])
  }

  @Test("held-out cases that test nothing are left out, and leaked answers are said")
  func heldOutTrouble() throws {
    let data = try read(
      """
      {"interactions": [{"user_id": "u1", "item_id": "a"}, {"user_id": "u2", "item_id": "b"}],
       "held_out_test": [
         {"user_id": "nobody", "relevant_items": ["a"], "candidate_items": ["b"]},
         {"user_id": "u1", "relevant_items": [], "candidate_items": ["b"]},
         {"user_id": "u1", "relevant_items": ["b"], "candidate_items": ["b"]},
         {"user_id": "u2", "relevant_items": ["b", "b"], "candidate_items": ["a", "a"]},
         {"user_id": "u2", "relevant_items": "a"},
         {"user_id": "u2", "relevant_items": ["a", 4]}]}
      """)
    #expect(data.heldOut == [HeldOutCase(user: 1, relevant: [1], candidates: [0, 1])])
    #expect(
      data.warnings == [
        "1 case of held_out_test is left out: the user has no interactions",
        "2 cases of held_out_test are left out: no relevant items, or no other candidates to rank them against",
        "1 relevant item of held_out_test is among the same user's interactions: a model has seen the answer",
      ])
    #expect(
      data.skipped.examples.map(\.message) == [
        "held_out_test[4]: \"relevant_items\" must be an array of strings, found a string",
        "held_out_test[5]: \"relevant_items[1]\" must be a string, found a number; write it in quotes",
      ])
  }

  @Test("times in seconds, milliseconds, microseconds and nanoseconds, and before 1970")
  func times() throws {
    let data = try read(
      "user_id,item_id,timestamp\nu,a,1700000000\nu,b,1700000000999\nv,a,1700000000999999\nv,b,1700000000999999999\n"
        + "w,a,-1\nw,b,2023-11-14 22:13:20.5+00:00\n")
    #expect(
      data.interactions.timestamps == [1_700_000_000, 1_700_000_000, 1_700_000_000, 1_700_000_000, -1, 1_700_000_000])
  }

  @Test("interactions can be weighed by kind")
  func weights() throws {
    var data = try read("user_id,item_id,interaction_type\nu,a,view\nv,b,buy\nu,b,\n")
    try data.weigh(byKind: ["buy": 5])
    #expect(data.interactions.strengths == [1, 5, 1])
    #expect(throws: InteractionError.self) { try data.weigh(byKind: ["sell": 1]) }
    #expect(throws: InteractionError.self) { try data.weigh(byKind: ["buy": 0]) }
  }
}
