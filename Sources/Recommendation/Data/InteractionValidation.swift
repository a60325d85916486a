// A look at a whole file of interactions: everything that a training would refuse or warn of.

import Datasets

extension InteractionDataset {
  /// Reads a file to its end and says what was found; what would stop a reading is a finding too.
  ///
  /// - Parameter options: `isStrict` has no effect: every bad row is found. `keptProblems` bounds how many bad rows are
  ///   told apart.
  public static func validate(
    path: String, options: InteractionReadOptions = InteractionReadOptions()
  ) -> ValidationReport {
    var options = options
    options.isStrict = false
    do {
      let data = try InteractionDataset(path: path, options: options)
      let findings =
        ValidationReport.findings(of: data.skipped)
        + data.warnings.map { ValidationReport.Finding(.warning, $0) }
        + data.notes.map { ValidationReport.Finding(.note, $0) }
      return ValidationReport(path: data.path, usableRecords: data.interactions.count, findings: findings)
    } catch InteractionError.noInteractions(let path, let skipped) {
      let none = ValidationReport.Finding(
        .problem, "there are no usable interactions; at least one with a user_id and an item_id was expected")
      return ValidationReport(
        path: path, usableRecords: 0, findings: ValidationReport.findings(of: skipped) + [none])
    } catch {
      return ValidationReport(path: path, usableRecords: 0, findings: [.init(.problem, "\(error)")])
    }
  }
}
