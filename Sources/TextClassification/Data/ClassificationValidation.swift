// A look at a whole file of labelled texts: everything that a training would refuse or warn of.

import Datasets

extension ClassificationDataset {
  /// Reads a file to its end and says what was found; what would stop a reading is a finding too.
  ///
  /// - Parameter options: `isStrict` has no effect: every bad row is found. `keptProblems` bounds how many bad rows are
  ///   told apart.
  public static func validate(
    path: String, options: ClassificationReadOptions = ClassificationReadOptions()
  ) -> ValidationReport {
    var options = options
    options.isStrict = false
    do {
      let data = try ClassificationDataset(path: path, options: options)
      var findings =
        ValidationReport.findings(of: data.skipped)
        + data.warnings.map { ValidationReport.Finding(.warning, $0) }
        + data.notes.map { ValidationReport.Finding(.note, $0) }
      do { try LabelCoverage(data).check(path: data.path) } catch { findings.append(.init(.problem, "\(error)")) }
      return ValidationReport(path: data.path, usableRecords: data.samples.count, findings: findings)
    } catch ClassificationDataError.noSamples(let path, let skipped) {
      let none = ValidationReport.Finding(
        .problem,
        "there are no usable samples; at least one with a text and taxonomy_codes (or labels) was expected")
      return ValidationReport(
        path: path, usableRecords: 0, findings: ValidationReport.findings(of: skipped) + [none])
    } catch {
      return ValidationReport(path: path, usableRecords: 0, findings: [.init(.problem, "\(error)")])
    }
  }
}

extension LabelCoverage {
  /// All samples as ones to train on.
  init(_ data: ClassificationDataset) {
    self.init(
      labels: data.labels, training: data.labelCounts, validation: Array(repeating: 0, count: data.labels.count))
  }
}
