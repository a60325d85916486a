// What a verification found, as a part of a page.

import Reports

extension [VerificationReport] {
  /// `verified`, or that it failed.
  public var badge: Markup {
    allSatisfy(\.passed)
      ? "<span class=\"badge good\">verified</span>" : "<span class=\"badge bad\">failed its verification</span>"
  }

  /// The largest difference of each output, and everything that was looked at, folded away.
  public var markup: Markup {
    let outputs = flatMap { report in
      report.outputs.map { output -> [Markup] in
        [
          "<code>\(report.subject)</code>", "<code>\(output.name)</code>", "\(Figures.count(output.count))",
          "\(Figures.number(output.largestAbsolute?.value, digits: 3))",
          "\(Figures.number(output.largestRelative?.value, digits: 3))",
          "\(Figures.number(output.largestULP?.value, digits: 3))",
          output.matches
            ? "<span class=\"badge good\">match</span>"
            : "<span class=\"badge bad\">\(Figures.count(output.mismatches)) differ</span>",
        ]
      }
    }
    let checks = flatMap { report in
      report.checks.map { check -> [Markup] in
        [
          "<code>\(report.subject)</code>", "\(check.name)", "\(check.detail)",
          check.passed
            ? "<span class=\"badge good\">passed</span>" : "<span class=\"badge bad\">failed</span>",
        ]
      }
    }
    let table = Table(
      "The largest differences between the network in the engine and the exported bytes in the reference runtime",
      columns: [
        ("graph", .text), ("output", .text), ("numbers", .number), ("absolute", .number), ("relative", .number),
        ("ULP", .number), ("", .text),
      ], rows: outputs)
    let all = Table(
      "Everything that was looked at",
      columns: [("graph", .text), ("check", .text), ("found", .text), ("", .text)], rows: checks)
    return """
      <p>The network was rebuilt from the metadata and the checkpoint, and run in the training engine. The exported files \
      were read back and run in a second runtime that shares no code with it.</p>
      \(table.markup)<details><summary>All \(checks.count) checks</summary>
      \(all.markup)</details>

      """
  }
}
