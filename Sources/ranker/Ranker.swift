// The command `ranker`: collect preferences, train rankers from them, use what was trained.

import ArgumentParser

@main
struct Ranker: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "ranker",
    abstract: "Train rankers from preference pairs, and ship them as verified ONNX graphs.",
    discussion: """
      A first walk: import items, say which of two is better a hundred times, export, train, rank.

        ranker items import items.jsonl
        ranker add-pair --interactive
        ranker export --output dataset.jsonl
        ranker train pairwise --input dataset.jsonl --output models/pairwise_ranker
        ranker rank --model models/pairwise_ranker --items items.jsonl
      """,
    groupedSubcommands: [
      CommandGroup(name: "Collecting preferences:", subcommands: [Items.self, Pairs.self, AddPair.self, Export.self]),
      CommandGroup(name: "Data:", subcommands: [DataCommands.self]),
      CommandGroup(name: "Training:", subcommands: [Train.self]),
      CommandGroup(
        name: "Using models:",
        subcommands: [
          Rank.self, Recommend.self, Predict.self, Similar.self, Classify.self, Detect.self, Embed.self, Evaluate.self,
          Models.self, Inspect.self, Convert.self, Tokenize.self,
        ]),
      CommandGroup(name: "Serving trainings:", subcommands: [Serve.self, Work.self, Users.self, Jobs.self]),
    ])

  /// Runs the command that was asked for. What it only finds wrong with its arguments while it runs is told with its own
  /// usage, as what it finds wrong before.
  static func main() {
    var command: any ParsableCommand
    do { command = try parseAsRoot() } catch { exit(withError: error) }
    do { try command.run() } catch let error as ValidationError {
      let usage = usageString(for: type(of: command))
      let name = usage.split(separator: " ").prefix { !"[<-(".contains($0.first!) }.joined(separator: " ")
      flushOutput()
      remark("Error: \(error)\nUsage: \(usage)\n  See '\(name) --help' for more information.")
      exit(withError: ExitCode.validationFailure)
    } catch { exit(withError: error) }
  }
}
