// `ranker data split`: a part of the interactions held out, in a file that every training takes.

import ArgumentParser
import Recommendation

struct SplitData: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "split",
    abstract: "Hold a part of the interactions out, to compare models on the same.",
    discussion: """
      Writes a JSON document with the interactions that are left to train on and, as held_out_test, the items to be found \
      and those that they are ranked against. Every training measures itself on them, and any other program can. The same \
      options give the same file.

        ranker data split u.data --leave-one-out --seed 1 --output split.json
        ranker train als --data-path split.json
        ranker train ncf --data-path split.json --validation-split 0 --output-path models/ncf.pt
      """)

  @Argument(help: ArgumentHelp("The file, or a clickstream's directory; - for standard input.", valueName: "file"))
  var file: String

  @Option(help: ArgumentHelp("Where the document goes; - for standard output.", valueName: "file.json"))
  var output: String

  @Flag(help: "Hold out each user's latest item; of equal times the last line's.")
  var leaveOneOut = false

  @Option(help: ArgumentHelp("Hold out a share of the pairs instead, drawn at random.", valueName: "x"))
  var share: Double?

  @Option(
    help: ArgumentHelp(
      "Items drawn for each user to rank the held-out ones against, none that the user has (default: 99 with "
        + "--leave-one-out, else all that the user has not seen).",
      valueName: "n"))
  var negatives: Int?

  @Option(help: ArgumentHelp("The same seed and data give the same file.", valueName: "n"))
  var seed: UInt64 = 42

  @Flag(help: "Make the first bad row of the data an error, instead of leaving it out.")
  var strict = false

  @OptionGroup(title: "Understanding interactions") var interactions: InteractionOptions

  func validate() throws {
    guard leaveOneOut != (share != nil) else {
      throw ValidationError("say what to hold out: either --leave-one-out or --share 0.2.")
    }
    if let share, !(share > 0 && share < 1) {
      throw ValidationError("--share is \(share); expected a number between 0 and 1.")
    }
    if let negatives, negatives < 1 {
      throw ValidationError("--negatives is \(negatives); expected at least 1.")
    }
  }

  func run() throws {
    let data = try InteractionDataset(path: file, options: interactions.reading(isStrict: strict))
    remarkSkipped(data.skipped, of: file)
    for warning in data.warnings { remark("warning: \(warning.printable)") }
    let split = try InteractionSplit(
      data, holdingOut: share.map { .share($0) } ?? .latest,
      negatives: negatives ?? (leaveOneOut ? HeldOutEvaluation.negatives : nil), seed: seed)
    try split.write(to: output)
    guard output != "-" else { return }
    print(
      "\(output.printable): \(count(split.training.count, "interaction")) to train on, "
        + count(split.cases.count, "held-out case"))
  }
}
