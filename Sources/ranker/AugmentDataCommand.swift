// `ranker data augment`: more labelled texts from few, and none of them where they would be measured.

import ArgumentParser
import Datasets
import Foundation
import TextClassification

struct AugmentData: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "augment",
    abstract: "Make variations of labelled texts.",
    discussion: """
      Leaves out words, exchanges neighbours, puts sentences in another order and changes letters' case, until there are as \
      many samples as asked for. Variants have their sample's labels and name it (variant_of): a later split trains with \
      them or leaves them out, and never measures by them. The same options give the same file.

      With --validation-output, samples are held out first, as a training would hold them out, and written aside as they \
      are; variations are made of the others alone:

        ranker data augment reviews.json --target-size 500 --output train.json --validation-output held_out.json
      """)

  @Argument(help: ArgumentHelp("The file of labelled texts; - for standard input.", valueName: "file"))
  var file: String

  @Option(help: ArgumentHelp("Samples that there shall be, the file's own among them.", valueName: "n"))
  var targetSize = TextAugmentation().targetSize

  @Option(
    help: ArgumentHelp("Where they go: .json, .jsonl, .csv or .tsv; - for JSON on standard output.", valueName: "file"))
  var output: String

  @Option(help: ArgumentHelp("Where samples that are held out go.", valueName: "file"))
  var validationOutput: String?

  @Option(help: ArgumentHelp("The share that is held out, with --validation-output.", valueName: "x"))
  var validationSplit = 0.2

  @Option(help: ArgumentHelp("The share of words that a variation leaves out or exchanges.", valueName: "x"))
  var share = TextAugmentation().share

  @Option(help: ArgumentHelp("The same seed and options give the same file.", valueName: "n"))
  var seed = TextAugmentation().seed

  @Flag(help: "Make the first bad row an error, instead of leaving it out.")
  var strict = false

  @OptionGroup(title: "Understanding the file") var table: TableOptions
  @OptionGroup(title: "Understanding the file") var labels: LabelOptions

  func validate() throws {
    guard (1...1 << 24).contains(targetSize) else {
      throw ValidationError("--target-size is \(targetSize); expected 1 to \(1 << 24).")
    }
    guard share > 0, share < 1 else { throw ValidationError("--share is \(share); expected between 0 and 1.") }
    guard validationSplit > 0, validationSplit < 1 else {
      throw ValidationError("--validation-split is \(validationSplit); expected between 0 and 1.")
    }
    if let validationOutput {
      // Of two names of one file the second would replace what was held out.
      func whole(_ path: String) -> String {
        let url = URL(fileURLWithPath: path).standardizedFileURL
        return url.deletingLastPathComponent().resolvingSymlinksInPath().appendingPathComponent(url.lastPathComponent)
          .path
      }
      guard whole(validationOutput) != whole(output) else {
        throw ValidationError("--validation-output is the file of --output; expected another one.")
      }
    }
  }

  func run() throws {
    let data = try ClassificationDataset(path: file, options: labels.reading(table, isStrict: strict))
    remarkSkipped(data.skipped, of: data.path)
    remarkOdd(data.warnings, data.notes)
    var training = data.samples
    if let validationOutput {
      let split = try data.split(validation: validationSplit, seed: seed)
      for warning in split.coverage.warnings { remark("warning: \(warning.printable)") }
      training = split.training.map { data.samples[$0] }
      try ClassificationFile(labels: data.labels, samples: split.validation.map { data.samples[$0] })
        .write(to: validationOutput)
      if output != "-" { print("\(validationOutput): \(count(split.validation.count, "sample")) held out") }
    }
    let augmented = TextAugmentation(targetSize: targetSize, share: share, seed: seed).augmented(training)
    try ClassificationFile(labels: data.labels, samples: augmented).write(to: output)
    let made = augmented.count - training.count
    if output != "-" {
      print("\(output): \(count(augmented.count, "sample")), \(count(made, "variation")) among them")
    }
    if augmented.count < targetSize {
      remark(
        "warning: the texts are too short for \(targetSize) different samples; there are \(augmented.count)")
    } else if made == 0 {
      remark("note: there are \(training.count) samples already, so none were added; raise --target-size for more")
    }
  }
}
