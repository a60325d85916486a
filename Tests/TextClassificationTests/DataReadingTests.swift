// Labelled texts in every form: what is read, what is refused, and what is said about it.

import CommandSupport
import Datasets
import Testing
import TextClassification

@Suite struct DataReadingTests {
  let directory = try! TemporaryDirectory()

  func read(
    _ text: String, name: String = "data", _ options: ClassificationReadOptions = ClassificationReadOptions()
  ) throws -> ClassificationDataset {
    try ClassificationDataset(path: directory.write(text, to: name), options: options)
  }

  /// The samples as text, for comparing.
  func rows(_ data: ClassificationDataset) -> [String] {
    data.samples.map { sample in
      "\(sample.text): \(sample.labels.map { data.labels[$0] }.joined(separator: "+")) \(sample.confidence)"
    }
  }

  @Test("lines of which the first is a text of a megabyte, labels before or behind it")
  func longFirstLine() throws {
    let long = String(repeating: "star ", count: 200_000)
    for first in [
      #"{"text": "\#(long)", "taxonomy_codes": ["a"]}"#, #"{"taxonomy_codes": ["a"], "text": "\#(long)"}"#,
    ] {
      let data = try read(first + "\n" + #"{"text": "bread", "taxonomy_codes": ["b"]}"# + "\n")
      #expect(data.samples.map(\.text) == [long, "bread"])
      #expect(data.samples.map { $0.labels.map { data.labels[$0] } } == [["a"], ["b"]])
    }
    // A document whose first object is as long stays one.
    let document = try read(
      #"{"metadata": {"note": "\#(long)"}, "samples": [{"text": "bread", "taxonomy_codes": ["b"]}]}"#)
    #expect(document.samples.map(\.text) == ["bread"])
    // So may the only text of a file be.
    #expect(try TextFile(path: directory.write("{\"text\": \"\(long)\"}\n", to: "only.jsonl")).texts == [long])
  }

  @Test("a JSON document of samples and metadata")
  func document() throws {
    let data = try read(
      """
      {"metadata": {"num_samples": 3, "num_classes": 3, "class_distribution": {"004": 1, "510": 2, "900": 1}},
       "samples": [
         {"text": "Sorting in place", "taxonomy_codes": ["004", "510"], "confidence": 0.5},
         {"taxonomy_codes": ["510"], "text": "Prime numb\\u00e9rs"},
         {"text": "The fall of Rome", "taxonomy_codes": ["900", "900"], "confidence": 1, "extra": {"a": [1]}}
       ]}
      """)
    #expect(data.format == .json)
    #expect(data.labels == ["004", "510", "900"])
    #expect(rows(data) == ["Sorting in place: 004+510 0.5", "Prime numbérs: 510 1.0", "The fall of Rome: 900 1.0"])
    #expect(data.labelCounts == [1, 2, 1])
    #expect(
      data.warnings == [
        "1 of 3 samples have no confidence; theirs is taken as 1",
        "2 labels have fewer than 2 samples, too few to learn and to measure: \"004\" (1), \"900\" (1)",
      ])
    #expect(data.skipped.count == 0)
    // sha256sum of the same bytes would say so too: hashing twice gives one digest, of 64 digits.
    #expect(data.sha256?.count == 64)
  }

  @Test("the same samples as lines of JSON, as an array, with tabs, with commas and quotes, and with a byte-order mark")
  func forms() throws {
    let expected = ["One, two: 1+20 1.0", "Three: 3 1.0"]
    let objects = [
      #"{"text": "One, two", "labels": ["20", "1"]}"#, #"{"labels": ["3"], "text": "Three"}"#,
    ]
    for text in [
      objects.joined(separator: "\n"), "[\(objects.joined(separator: ",\n"))]",
      "labels\ttext\n20,1\tOne, two\n3\tThree\n", "\u{FEFF}Text,Labels\r\n\"One, two\",20;1\r\nThree,3\r\n",
      "text;taxonomy codes\nOne, two;20|1\nThree;3\n",
    ] {
      #expect(try rows(read(text)) == expected)
      #expect(try read(text).labels == ["1", "3", "20"])
    }
  }

  @Test("a file without names is read by the names that were given, as GoEmotions is")
  func headerless() throws {
    let data = try read(
      "My favourite food\t27\teebbqej\n\"He said \"\"no\"\" twice\"\t4,27\ted00q6i\n",
      ClassificationReadOptions(columns: ["text", "labels", "id"]))
    #expect(rows(data) == ["My favourite food: 27 1.0", "He said \"no\" twice: 4+27 1.0"])
    #expect(throws: DatasetError.self) { try read("My favourite food\t27\teebbqej\n") }
    let mapped = try read(
      "review,id,stars\nFine,1,good\nPoor,2,bad\n", ClassificationReadOptions(columns: ["text=review", "labels=stars"]))
    #expect(rows(mapped) == ["Fine: good 1.0", "Poor: bad 1.0"])
    #expect(
      throws: ClassificationDataError.badColumns(
        "words=x names no column; there are text, taxonomy_codes, confidence and variant_of")
    ) {
      try read("a,b\n", ClassificationReadOptions(columns: ["words=x"]))
    }
  }

  @Test("blanks separate labels only where no other mark does, and a note says so")
  func cells() throws {
    let codes = try read("text,labels\na,004 510\nb,510\n")
    #expect(rows(codes) == ["a: 004+510 1.0", "b: 510 1.0"])
    #expect(
      codes.notes == [
        "labels are taken apart at blanks (\"004 510\" is \"004\" and \"510\"); if one may be of several words, say what "
          + "separates two"
      ])
    let words = try read("text,labels\na,computer science; fine arts\nb,fine arts\n")
    #expect(rows(words) == ["a: computer science+fine arts 1.0", "b: fine arts 1.0"])
    #expect(words.notes.isEmpty)
    // The strongest mark alone: a label may have a comma in it.
    let commas = try read("text\tlabels\na\tarts, fine;music\nb\tmusic\n")
    #expect(rows(commas) == ["a: arts, fine+music 1.0", "b: music 1.0"])
    let named = try read("text,labels\na,fine arts\nb,x / y\n", ClassificationReadOptions(labelSeparator: "/"))
    #expect(named.labels == ["fine arts", "x", "y"])
  }

  @Test("bad rows are left out with line, reason and count, and end a strict reading")
  func badRows() throws {
    let text = """
      {"text": "fine", "labels": ["a"]}
      {"text": "", "labels": ["a"]}
      {"text": " \\t\\u0007\\u3000", "labels": ["a"]}
      {"labels": ["a"]}
      {"text": "no labels", "labels": []}
      {"text": "a number", "labels": [4]}
      {"text": "one text", "labels": "a"}
      {"text": "weight", "labels": ["a"], "confidence": 0}
      {"text": "also fine", "labels": ["b", " "]}
      not JSON
      """
    let data = try read(text)
    #expect(rows(data) == ["fine: a 1.0", "also fine: b 1.0"])
    #expect(data.skipped.count == 8)
    #expect(
      data.skipped.examples.map(\.description).dropLast() == [
        "line 2: \"text\" is an empty string",
        "line 3: \"text\" is blank: white space and control characters alone",
        "line 4: \"text\" is missing",
        "line 5: \"taxonomy_codes\" names no label; name at least one, such as [\"004\", \"510\"]",
        "line 6: \"labels[0]\" must be a string, found a number; write it in quotes",
        "line 7: \"taxonomy_codes\" must be an array of strings, found a string",
        "line 8: \"confidence\" is 0; it must be above 0",
      ])
    #expect(data.skipped.examples.last?.line == 10)
    let error = #expect(throws: DatasetError.self) { try read(text, ClassificationReadOptions(isStrict: true)) }
    #expect(error?.description.hasSuffix(", line 2: \"text\" is an empty string") == true)
    // A problem that only shows when all cells are known ends a strict reading too.
    let late = #expect(throws: DatasetError.self) {
      try read("text,labels\na,x;y\nb,;\n", ClassificationReadOptions(isStrict: true))
    }
    #expect(
      late?.description.hasSuffix("line 3: \"taxonomy_codes\" names no label; name at least one, such as 004;510")
        == true)
  }

  @Test("a file without a usable sample says what was expected")
  func nothingUsable() throws {
    #expect(
      throws: ClassificationDataError.noSamples(path: directory.path("data"), skipped: SkippedLines())
    ) { try read("") }
    let error = #expect(throws: ClassificationDataError.self) { try read("text,labels\n,a\n") }
    #expect(error?.description.contains("its only row was left out\n  line 2: \"text\" is empty") == true)
  }

  @Test("what the file says of itself is compared with what it holds")
  func metadata() throws {
    let data = try read(
      """
      {"samples": [{"text": "a", "taxonomy_codes": ["1"]}, {"text": "b", "taxonomy_codes": ["1"]}],
       "metadata": {"num_samples": 3, "num_classes": 1, "class_distribution": {"1": 1, "2": 1}}}
      """)
    #expect(data.warnings.contains("metadata.num_samples is 3, but the file holds 2"))
    #expect(
      data.warnings.contains("metadata.class_distribution says 1 samples of \"1\", but the file holds 2"))
    #expect(
      data.warnings.contains("metadata.class_distribution says 1 samples of \"2\", but the file holds 0"))
    #expect(!data.warnings.contains { $0.contains("num_classes") })
  }

  @Test("a model's labels give the order; others are left out and named")
  func givenLabels() throws {
    let data = try read(
      "text,labels\na,x;y\nb,y\nc,z\n", ClassificationReadOptions(labels: ["y", "w", "x"]))
    #expect(data.samples.map(\.labels) == [[0, 2], [0]])
    #expect(data.labels == ["y", "w", "x"])
    #expect(data.skipped.examples.map(\.message) == ["none of its labels (z) is one of the model"])
    #expect(data.warnings.contains("1 label of the file is unknown to the model and left out: \"z\" (1)"))
  }

  @Test("labels are in one order whatever the order of samples: numbers by value, others by their bytes")
  func order() throws {
    #expect(try read("text,labels\na,10\nb,9\nc,004\n").labels == ["004", "9", "10"])
    #expect(try read("text,labels\na,b\nb,10\nc,a\n").labels == ["10", "a", "b"])
  }

  @Test("repeated texts are counted, and those with other labels named")
  func duplicates() throws {
    let data = try read("text,labels\na,x\nb,y\na,x\na,y\n")
    #expect(data.duplicateCount == 2)
    #expect(data.groups == [0, 1, 0, 0])
    #expect(
      data.warnings.first
        == "2 samples repeat the text of another; a split keeps them on one side; 1 of them with other labels (first on "
        + "line 5)")
  }
}
