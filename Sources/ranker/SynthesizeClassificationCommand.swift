// `ranker data synthesize classification`: made-up texts with topics in them.

import ArgumentParser
import TextClassification

struct SynthesizeClassification: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "classification",
    abstract: "Make up labelled texts that follow topics.",
    discussion: """
      Each label is a topic with its own distribution over made-up words; a text mixes the words of its one to three labels \
      with words of no topic. No single word says the label, and together they do: what a classifier finds is really there. \
      The same options give the same file.

      The name of the output says its form: .json (with metadata), .jsonl, .csv or .tsv.
      """)

  @Option(help: ArgumentHelp("Where the data goes; - for JSON on standard output.", valueName: "file"))
  var output: String

  @Option(help: ArgumentHelp("Texts.", valueName: "n"))
  var samples = ClassificationSynthesis().samples

  @Option(help: ArgumentHelp("Labels.", valueName: "n"))
  var labels = ClassificationSynthesis().labels

  @Option(help: ArgumentHelp("Distinct words.", valueName: "n"))
  var vocabulary = ClassificationSynthesis().vocabulary

  @Option(help: ArgumentHelp("The fewest words of a text.", valueName: "n"))
  var minimumWords = ClassificationSynthesis().words.lowerBound

  @Option(help: ArgumentHelp("The most words of a text.", valueName: "n"))
  var maximumWords = ClassificationSynthesis().words.upperBound

  @Option(help: ArgumentHelp("The share of texts with a second label, and of these with a third.", valueName: "x"))
  var secondLabelShare = ClassificationSynthesis().secondLabelShare

  @Option(help: ArgumentHelp("The label at rank r is popular as r^-x; 0 for all alike.", valueName: "x"))
  var labelSkew = ClassificationSynthesis().labelSkew

  @Option(help: ArgumentHelp("How far topics lie apart: 0 not at all, 1 somewhat, 2 clearly.", valueName: "x"))
  var sharpness = ClassificationSynthesis().sharpness

  @Option(help: ArgumentHelp("The share of words of no topic.", valueName: "x"))
  var noise = ClassificationSynthesis().noise

  @Option(help: ArgumentHelp("The same seed and options give the same file.", valueName: "n"))
  var seed = ClassificationSynthesis().seed

  func validate() throws {
    guard minimumWords >= 1, minimumWords <= maximumWords else {
      throw ValidationError(
        "--minimum-words is \(minimumWords) and --maximum-words \(maximumWords); expected 1 or more, and not fewer at "
          + "most than at least.")
    }
  }

  func run() throws {
    let file = try ClassificationSynthesis(
      samples: samples, labels: labels, vocabulary: vocabulary, words: minimumWords...maximumWords,
      secondLabelShare: secondLabelShare, labelSkew: labelSkew, sharpness: sharpness, noise: noise, seed: seed
    ).file()
    try file.write(to: output)
    if output != "-" { print("\(output): \(count(samples, "text")), \(count(labels, "label"))") }
  }
}
