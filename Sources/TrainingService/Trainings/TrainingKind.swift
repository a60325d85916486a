// What can be trained, as the service knows it: a name, parameters, and a command line. Models are not its business.

import Foundation

/// A kind of training: a subcommand of a program that prints its progress as JSON lines on its standard output and
/// leaves a folder of files.
///
/// The lines are objects with a member `event`. The service understands
/// - `began`: the data was read;
/// - `progress` and `epoch`: how far it is (`epoch`, `epochs`, `batch`, `batches`, `loss`), and with `epoch` a `record`
///   of losses and measures;
/// - `finishing`: a `step` after the last epoch;
/// - `done`: the model's `directory`, its `files`, `verified`, and whatever it was measured by.
///
/// Anything on the standard error is for people. SIGTERM ends the training in order, with its state saved.
public struct TrainingKind: Sendable, Hashable {
  /// `als`. Also a model's name where none is given.
  public let name: String
  /// `Alternating least squares`.
  public let title: String
  /// A sentence for people who choose.
  public let summary: String
  /// What the data is: `interactions`.
  public let dataHelp: String
  /// Whether it has a sample of its own to train on.
  public let hasSample: Bool
  public let parameters: [TrainingParameter]
  /// What comes before the options: `["train", "als"]`.
  public let command: [String]
  /// The option that names the data: `--data-path`.
  public let dataOption: String
  /// The option that says where the model goes: `--output-dir`.
  public let outputOption: String
  /// Where that option names a file: the file, below the job's folder.
  public let outputFile: String?
  /// The option with which a training goes on from the state that it saved; nil where it has none.
  public let resumeOption: String?
  /// The option that takes a number of threads; nil where there is none.
  public let threadsOption: String?
  /// Where in the last line the measures of the status are: `recall_at_k` by `measures.recall`; the first path that
  /// leads to a number counts.
  public let measures: [String: [String]]
  /// The measure that versions are compared by: what it is called and where it is.
  public let headline: Headline

  public struct Headline: Sendable, Hashable {
    public let title: String
    public let paths: [String]

    public init(title: String, paths: [String]) {
      self.title = title
      self.paths = paths
    }
  }

  public init(
    name: String, title: String, summary: String, dataHelp: String, hasSample: Bool, parameters: [TrainingParameter],
    command: [String], dataOption: String, outputOption: String, outputFile: String? = nil,
    resumeOption: String? = "--resume",
    threadsOption: String? = "--threads", measures: [String: [String]], headline: Headline
  ) {
    self.name = name
    self.title = title
    self.summary = summary
    self.dataHelp = dataHelp
    self.hasSample = hasSample
    self.parameters = parameters
    self.command = command
    self.dataOption = dataOption
    self.outputOption = outputOption
    self.outputFile = outputFile
    self.resumeOption = resumeOption
    self.threadsOption = threadsOption
    self.measures = measures
    self.headline = headline
  }

  /// What the name of a saved state's file ends with.
  static let stateSuffix = "training_state.pth"

  /// The paths in the data folder that a job's parameters name, beside the data itself.
  func paths(in parameters: [String: JSONValue]) -> [String] {
    self.parameters.filter(\.isPath).compactMap { parameters[$0.name]?.string }
  }

  /// The parameters with paths as they are on this machine: what was checked when the job was asked for may have gone,
  /// or have a link in its place.
  /// - Throws: ``DataRootError``.
  func resolved(_ parameters: [String: JSONValue], below root: DataRoot) throws -> [String: JSONValue] {
    var resolved = parameters
    for parameter in self.parameters where parameter.isPath {
      if let path = parameters[parameter.name]?.string { resolved[parameter.name] = .string(try root.absolute(path)) }
    }
    return resolved
  }

  /// The arguments of a training. Values are joined to their options (`--factors=60`), so that none is taken for an
  /// option itself.
  ///
  /// - Parameters:
  ///   - data: where the data is; nil for the kind's own sample.
  ///   - directory: where the model goes.
  func arguments(
    parameters: [String: JSONValue], data: String?, directory: String, threads: Int?, resumes: Bool
  ) -> [String] {
    var arguments = command
    if let data { arguments.append("\(dataOption)=\(data)") }
    arguments.append("\(outputOption)=\(outputFile.map { "\(directory)/\($0)" } ?? directory)")
    for parameter in self.parameters {
      if let value = parameters[parameter.name] { arguments += parameter.arguments(value) }
    }
    if let threads, let threadsOption { arguments.append("\(threadsOption)=\(threads)") }
    if resumes, let resumeOption { arguments.append(resumeOption) }
    return arguments + ["--json"]
  }

  /// A number of the last line, by the first of several paths that leads to one.
  static func number(at paths: [String], in metrics: JSONValue?) -> Double? {
    paths.lazy.compactMap { metrics?.member(at: $0)?.number }.first
  }
}
