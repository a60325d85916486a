// Training and validation: shares, leaks, and labels that one side lacks.

import CommandSupport
import Testing
import TextClassification

@Suite struct SplitTests {
  let directory = try! TemporaryDirectory()

  func data(_ rows: [(text: String, labels: String, variantOf: String)]) throws -> ClassificationDataset {
    let lines = rows.map { "\($0.text)\t\($0.labels)\t\($0.variantOf)\n" }.joined()
    return try ClassificationDataset(path: directory.write("text\tlabels\tvariant_of\n" + lines, to: "data.tsv"))
  }

  @Test("variants train with their sample, and are left out where it validates")
  func variants() throws {
    var rows = (0..<20).map { (text: "text \($0)", labels: $0 % 2 == 0 ? "a" : "b", variantOf: "") }
    rows += (0..<20).map { (text: "variant \($0)", labels: $0 % 2 == 0 ? "a" : "b", variantOf: "text \($0)") }
    let data = try data(rows)
    let split = try data.split(validation: 0.2, seed: 5)
    #expect(split.validation.count == 4 && split.validation.allSatisfy { $0 < 20 })
    #expect(split.training.count == 32 && split.leftOutCount == 4)
    #expect(split.validation.allSatisfy { !split.training.contains($0 + 20) })
    #expect(split.coverage.validation == [2, 2] && split.coverage.training == [16, 16])
    #expect(split.coverage.warnings.isEmpty)
  }

  @Test("samples of one text stay on one side")
  func duplicates() throws {
    let data = try data((0..<60).map { (text: "text \($0 / 3)", labels: "a", variantOf: "") })
    let split = try data.split(validation: 0.3, seed: 1)
    #expect(
      Set(split.training.map { data.samples[$0].text }).isDisjoint(with: split.validation.map { data.samples[$0].text })
    )
    #expect(split.validation.count % 3 == 0 && !split.validation.isEmpty)
  }

  @Test("labels with too few samples on a side are named")
  func coverage() throws {
    let coverage = LabelCoverage(
      labels: ["a", "b", "c", "d", "e"], training: [5, 0, 1, 3, 0], validation: [2, 1, 1, 0, 0])
    #expect(coverage.onlyInValidation == [1])
    #expect(
      coverage.warnings == [
        "only validation has \"b\": the model can't learn it, and its measures count it as missed",
        "no sample has \"e\": nothing can be learnt of it",
        "\"c\" has one sample to train on, too few to learn more than that text",
        "no sample of \"d\" validates: nothing tells how well it is found",
      ])
  }

  @Test("no label with two samples to train on is an error that says what to do")
  func nothingToLearn() throws {
    let data = try data([("one", "a", ""), ("two", "b", ""), ("three", "c", "")])
    let error = #expect(throws: ClassificationDataError.self) { try data.split(validation: 0.2, seed: 1) }
    #expect(
      error?.description.hasSuffix(
        "has no label with enough samples: the most frequent one has 1 to train on, at least 2 were expected; add "
          + "samples of each label, or merge labels") == true)
  }
}
