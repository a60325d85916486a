// What commands print: results to standard output, remarks to standard error, JSON for programs.

import Datasets
import Foundation

/// Prints remarks where they don't mix with results.
func remark(_ text: String) {
  FileHandle.standardError.write(Data((text + "\n").utf8))
}

/// Prints a value as JSON: keys in order, properties' names in snake case.
func printJSON(_ value: some Encodable) throws {
  let encoder = JSONEncoder()
  encoder.keyEncodingStrategy = .convertToSnakeCase
  encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
  print(String(decoding: try encoder.encode(value), as: UTF8.self))
}

/// `1 pair`, `2 pairs`.
func count(_ number: Int, _ noun: String, plural: String? = nil) -> String {
  "\(number) \(number == 1 ? noun : plural ?? noun + "s")"
}

/// Says which lines of a file were left out, and why; nothing where there were none.
func remarkSkipped(_ skipped: SkippedLines, of path: String, shown: Int = 5) {
  guard skipped.count > 0 else { return }
  remark("warning: \(path): left out \(count(skipped.count, "line"))")
  for problem in skipped.examples.prefix(shown) { remark("  \(problem.description.printable)") }
  if skipped.count > shown { remark("  … and \(skipped.count - min(shown, skipped.examples.count)) more") }
}

/// Says what a person should know of data that was read.
func remarkOdd(_ warnings: [String], _ notes: [String]) {
  for warning in warnings { remark("warning: \(warning.printable)") }
  for note in notes { remark("note: \(note.printable)") }
}

extension String {
  /// The text on one line, control characters (an item could bring a terminal's escape sequences) as spaces.
  var printable: String {
    guard unicodeScalars.contains(where: { $0.properties.generalCategory == .control }) else { return self }
    return String(
      String.UnicodeScalarView(
        unicodeScalars.map { $0.properties.generalCategory == .control ? " " : $0 }))
  }
}

/// Writes out what `print` holds back, before something else writes or waits.
func flushOutput() { fflush(nil) }
