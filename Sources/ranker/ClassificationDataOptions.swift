// The options that say how labelled texts are read.

import ArgumentParser
import TextClassification

/// How `--data-path` is read, where it does not say itself.
struct ClassificationDataOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "What the columns hold: text,labels,… in the file's order, or pairs such as text=review,labels=topics.",
      valueName: "name,…"))
  var columns: String?

  @Option(help: ArgumentHelp("What stands between the fields of a line.", valueName: "text"))
  var separator: String?

  @Option(help: ArgumentHelp("What stands between the labels of a field.", valueName: "text"))
  var labelSeparator: String?

  @Flag(help: "Make the first bad row of the data an error, instead of leaving it out.")
  var strict = false

  var options: ClassificationReadOptions {
    ClassificationReadOptions(
      isStrict: strict, columns: columns.map { $0.split(separator: ",").map(String.init) } ?? [],
      separator: separator, labelSeparator: labelSeparator)
  }
}
