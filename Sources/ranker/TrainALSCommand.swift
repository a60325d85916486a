// `ranker train als`: arguments in, a factorisation, a line that says how well it recommends.

import ArgumentParser
import Foundation
import Recommendation

struct TrainALS: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "als",
    abstract: "Train a recommender on interactions: alternating least squares.",
    discussion: """
      Each user and each item gets a row of factors; their product is the score. Users and items are solved for in turns, \
      exactly, so that the loss falls at each iteration (Hu, Koren and Volinsky 2008). What the data does not have counts \
      too, with a small weight; regularisation grows with how often a user or an item occurs (Rendle et al. 2021).

      The directory gets the graphs (NAME.onnx with the scores of all items, NAME_top_k.onnx with the best), the factors \
      (NAME.pt for PyTorch), what users have seen, metadata, a report to open in a browser, and test data that any ONNX \
      runtime can replay. The export is verified before the training says that it succeeded.

      Ctrl-C saves the state; the same command with --resume goes on and ends in the same bytes.
      """)

  @OptionGroup var options: RecommenderOptions

  @Option(help: "The stem of the files' names.")
  var name = ALSSettings().name

  @Option(help: ArgumentHelp("Numbers that stand for a user or an item.", valueName: "n"))
  var factors = ALSSettings().factors

  @Option(help: ArgumentHelp("Rounds of solving for users and items.", valueName: "n"))
  var iterations = ALSSettings().iterations

  @Option(help: ArgumentHelp("What an interaction of strength 1 weighs.", valueName: "x"))
  var alpha = ALSSettings().alpha

  @Option(help: ArgumentHelp("What a pair weighs that the data does not have.", valueName: "x"))
  var unobservedWeight = ALSSettings().unobservedWeight

  @Option(help: ArgumentHelp("How strongly factors are held near zero.", valueName: "x"))
  var regularization = ALSSettings().regularization

  @Option(help: ArgumentHelp("The power of its frequency that a row's regularisation grows with.", valueName: "x"))
  var frequencyScaling = ALSSettings().frequencyScaling

  @Option(help: ArgumentHelp("The standard deviation of a row's length at the start.", valueName: "x"))
  var initialScale = ALSSettings().initialScale

  @Option(help: "How rows are solved: cholesky (exactly) or conjugate-gradient.")
  var solver = ALSSettings().solver

  @Option(help: ArgumentHelp("Steps of conjugate gradient in each half of an iteration.", valueName: "n"))
  var cgSteps = ALSSettings().conjugateGradientSteps

  @Option(help: ArgumentHelp("Solve for so many factors at a time (iALS++), for many factors.", valueName: "n"))
  var blockSize: Int?

  @OptionGroup var runOptions: TrainingRunOptions

  @Option(help: ArgumentHelp("The operator set of the exported graphs, 13 to 21.", valueName: "n"))
  var opset = ALSSettings().opset

  @OptionGroup var verbosity: TrainingOutputOptions

  private var training: ALSTraining {
    var settings = ALSSettings()
    settings.name = name
    settings.factors = factors
    settings.iterations = iterations
    settings.alpha = alpha
    settings.unobservedWeight = unobservedWeight
    settings.regularization = regularization
    settings.frequencyScaling = frequencyScaling
    settings.initialScale = initialScale
    settings.solver = solver
    settings.conjugateGradientSteps = cgSteps
    settings.blockSize = blockSize
    settings.eventWeights = options.eventWeights?.weights ?? [:]
    settings.halfLife = options.halfLife
    settings.leavesOneOut = options.leaveOneOut
    settings.seed = runOptions.seed
    settings.opset = opset
    settings.threads = runOptions.threads
    var training = ALSTraining(data: options.dataPath.path, output: options.outputDir, settings: settings)
    training.options = options.reading
    training.resumes = runOptions.resume
    return training
  }

  func validate() throws {
    do { try training.settings.validate() } catch { throw ValidationError("\(error).") }
    try runOptions.validate(reading: options.dataPath.path)
  }

  func run() throws {
    let training = training
    let mode = verbosity.mode
    let outcome = try runTraining(mode, wording: RecommenderTrainingView.wording) { view in
      let view = RecommenderTrainingView(view: view)
      return try training.run { event in
        switch event {
        case .began(let beginning): view.began(beginning)
        case .resumed(let iterations): view.resumed(iterations)
        case .progress(let progress): view.progress(progress)
        case .finishing(let what): view.view.finishing(what)
        }
      }
    }
    let metadata = outcome.metadata
    RecommenderTrainingSummary(
      directory: outcome.directory, metadata: metadata, data: metadata.data, measures: metadata.measures,
      graph: metadata.files.scorer, checkpoint: metadata.files.checkpoint, report: metadata.files.report,
      files: outcome.files,
      loss: metadata.history.last?.trainLoss, wasFinished: outcome.wasFinished
    ).printOut(mode)
  }
}

extension ALSSettings.Solver: ExpressibleByArgument {}
