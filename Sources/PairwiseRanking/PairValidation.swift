// A look at a whole file of pairs: everything that a training would refuse or warn of.

import Datasets

extension PairDataset {
  /// Reads a file to its end and says what was found; what would stop a reading is a finding too.
  ///
  /// - Parameter keptProblems: how many bad lines are told apart.
  public static func validate(path: String, keptProblems: Int = 10_000) -> ValidationReport {
    let file: PairFile
    do throws(DatasetError) {
      file = try PairFile(path: path, options: ReadOptions(embeddingWidth: .uniform, keptProblems: keptProblems))
    } catch {
      if case .nothingUsable(let path, let expected, let skipped) = error {
        let none = ValidationReport.Finding(.problem, "there is no usable \(expected)")
        return ValidationReport(
          path: path, usableRecords: 0, findings: ValidationReport.findings(of: skipped) + [none])
      }
      return ValidationReport(path: path, usableRecords: 0, findings: [.init(.problem, "\(error)")])
    }
    var findings = ValidationReport.findings(of: file.skipped)
    do throws(RankingError) {
      var whole = file
      // They are findings already, each with its lines.
      whole.skipped = SkippedLines()
      findings += try PairDataset(whole, path: path).warnings.map { .init(.warning, $0) }
    } catch {
      findings.append(.init(.problem, "\(error)"))
    }
    return ValidationReport(path: path, usableRecords: file.pairs.count, findings: findings)
  }
}
