// `ranker train popular`: arguments in, a count, a line that says how far popularity gets.

import ArgumentParser
import Foundation
import Recommendation

struct TrainPopular: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "popular",
    abstract: "Make a recommender of what is popular: what every other one has to beat.",
    discussion: """
      Every user gets the same: the items with the most users first, or, where kinds of interactions or their ages are \
      weighed, the items with the most weight. The files are those of a factorisation, so that one takes the other's place.
      """)

  @OptionGroup var options: RecommenderOptions

  @Option(help: "The stem of the files' names.")
  var name = PopularitySettings().name

  @Option(
    name: .customLong("by"),
    help: "What counts: users (each once) or strength (default: users, strength where interactions are weighed).")
  var measure: PopularitySettings.Measure?

  @Option(help: ArgumentHelp("Draws the items that a left-out one is ranked against.", valueName: "n"))
  var seed = PopularitySettings().seed

  @Option(help: ArgumentHelp("The operator set of the exported graphs, 13 to 21.", valueName: "n"))
  var opset = PopularitySettings().opset

  @OptionGroup var verbosity: TrainingOutputOptions

  private var training: PopularityTraining {
    var settings = PopularitySettings()
    settings.name = name
    settings.measure = measure
    settings.eventWeights = options.eventWeights?.weights ?? [:]
    settings.halfLife = options.halfLife
    settings.leavesOneOut = options.leaveOneOut
    settings.seed = seed
    settings.opset = opset
    var training = PopularityTraining(data: options.dataPath.path, output: options.outputDir, settings: settings)
    training.options = options.reading
    return training
  }

  func validate() throws {
    do { try training.settings.validate() } catch { throw ValidationError("\(error).") }
  }

  func run() throws {
    let training = training
    let mode = verbosity.mode
    let outcome = try runTraining(mode, wording: RecommenderTrainingView.wording) { view in
      let view = RecommenderTrainingView(view: view)
      return try training.run { event in
        switch event {
        case .began(let beginning): view.began(beginning)
        case .finishing(let what): view.view.finishing(what)
        }
      }
    }
    let metadata = outcome.metadata
    RecommenderTrainingSummary(
      directory: outcome.directory, metadata: metadata, data: metadata.data, measures: metadata.measures,
      graph: metadata.files.scorer, checkpoint: metadata.files.checkpoint, report: metadata.files.report,
      files: outcome.files
    ).printOut(mode)
  }
}

extension PopularitySettings.Measure: ExpressibleByArgument {}
