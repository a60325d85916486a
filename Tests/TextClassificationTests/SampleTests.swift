// The sample that comes with the package.

import Testing
import TextClassification

@Suite struct SampleTests {
  @Test("the sample has 200 texts of ten Dewey classes, as its metadata says, and nothing to warn of")
  func sample() throws {
    let data = try ClassificationDataset(path: ClassificationDataset.samplePath)
    #expect(data.samples.count == 200)
    #expect(data.labels == (0..<10).map { "\($0)00" })
    #expect(data.labelCounts.allSatisfy { $0 >= 20 })
    #expect(data.samples.count { $0.labels.count == 2 } == 30)
    #expect(data.samples.allSatisfy { $0.labels.count <= 2 })
    // A claim of the metadata that did not hold would be a warning.
    #expect(data.warnings.isEmpty && data.notes.isEmpty && data.skipped.count == 0)
    let split = try data.split(validation: 0.2, seed: 42)
    #expect(split.coverage.warnings.isEmpty)
    #expect((38...42).contains(split.validation.count))
    #expect(split.coverage.validation.allSatisfy { (4...6).contains($0) })
  }
}
