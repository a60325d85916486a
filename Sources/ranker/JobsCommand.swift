// `ranker jobs`: trainings on a server, from a command line.

import ArgumentParser
import Foundation
import Glibc
import Reports
import TrainingClient

struct Jobs: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Start trainings on a server, and follow them.",
    discussion: """
      An API token of the server's account page lets you in: --token, or the environment's RANKER_TOKEN. Without one, \
      --email asks for the password (RANKER_PASSWORD, or the first line of the standard input).
      """,
    subcommands: [JobsStart.self, JobsStatus.self, JobsWait.self, JobsList.self, JobsCancel.self, JobsRetry.self])
}

/// Which server, and who asks.
struct ServerOptions: ParsableArguments {
  @Option(help: ArgumentHelp("The server (default: $RANKER_SERVER, or http://127.0.0.1:8080).", valueName: "url"))
  var server: String?

  @Option(help: ArgumentHelp("An API token (default: $RANKER_TOKEN).", valueName: "token"))
  var token: String?

  @Option(help: ArgumentHelp("Sign in by e-mail and password instead.", valueName: "address"))
  var email: String?

  @Flag(help: "Print JSON.")
  var json = false

  /// Runs `body` with a client that is let in.
  func run<Value: Sendable>(_ body: @escaping @Sendable (TrainingClient) async throws -> Value) throws -> Value {
    let environment = ProcessInfo.processInfo.environment
    let address = server ?? environment["RANKER_SERVER"] ?? "http://127.0.0.1:8080"
    if let email {
      let password = try environment["RANKER_PASSWORD"] ?? askPassword("Password for \(email): ")
      return try waiting {
        try await body(try await TrainingClient(server: address, email: email, password: password))
      }
    }
    guard let token = token ?? environment["RANKER_TOKEN"], !token.isEmpty else {
      throw ValidationError("No token: give --token or --email, or set RANKER_TOKEN.")
    }
    return try waiting { try await body(try TrainingClient(server: address, token: token)) }
  }

  func show(_ job: TrainingJob) throws {
    if json { try printJSON(job) } else { print(job.line) }
  }
}

struct JobsStart: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "start", abstract: "Start a training.",
    discussion: "  ranker jobs start als --data-path clicks.csv --parameter factors=60 --wait")

  @OptionGroup var options: ServerOptions

  @Argument(help: "The kind of training: als, popular, ncf, pairwise, classification, concept.")
  var kind: String

  @Option(help: ArgumentHelp("A path in the server's data folder (default: a sample).", valueName: "path"))
  var dataPath: String?

  @Option(
    help: ArgumentHelp("The model whose next version this makes (default: named as the kind).", valueName: "name"))
  var model: String?

  @Option(
    name: .customLong("parameter"),
    help: ArgumentHelp("A parameter of the training; may be given several times.", valueName: "name=value"))
  var parameters: [String] = []

  @Flag(help: "Wait for its end; fail where it failed.")
  var wait = false

  func run() throws {
    var values: [String: String] = [:]
    for parameter in parameters {
      guard let equals = parameter.firstIndex(of: "="), equals > parameter.startIndex else {
        throw ValidationError("--parameter is \"\(parameter)\"; expected name=value.")
      }
      values[String(parameter[..<equals])] = String(parameter[parameter.index(after: equals)...])
    }
    let (kind, data, model, given, waits) = (kind, dataPath, model, values, wait)
    let job = try options.run { client in
      let job = try await client.start(kind, data: data, model: model, parameters: given)
      return waits ? try await follow(job.id, client) : job
    }
    try options.show(job)
    if waits { try failUnlessCompleted(job) }
  }
}

struct JobsStatus: ParsableCommand {
  static let configuration = CommandConfiguration(commandName: "status", abstract: "Show where a job stands.")

  @OptionGroup var options: ServerOptions

  @Argument(help: "The job's id.")
  var job: String

  func run() throws {
    let id = job
    try options.show(try options.run { try await $0.job(id) })
  }
}

struct JobsWait: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "wait", abstract: "Wait for a job's end; fail where it failed.")

  @OptionGroup var options: ServerOptions

  @Argument(help: "The job's id.")
  var job: String

  func run() throws {
    let id = job
    let ended = try options.run { try await follow(id, $0) }
    try options.show(ended)
    try failUnlessCompleted(ended)
  }
}

struct JobsList: ParsableCommand {
  static let configuration = CommandConfiguration(commandName: "list", abstract: "List jobs, newest first.")

  @OptionGroup var options: ServerOptions

  @Option(help: "Only of a status, such as failed; several with commas.")
  var status: String?

  @Option(help: ArgumentHelp("At most so many.", valueName: "n"))
  var limit = 20

  func run() throws {
    let (status, limit) = (status, limit)
    let jobs = try options.run { try await $0.jobs(status: status, limit: limit) }
    if options.json { return try printJSON(jobs) }
    guard !jobs.isEmpty else {
      print("no jobs; ranker jobs start makes one")
      return
    }
    var table = TextTable([
      TextTable.Column(title: "job"), TextTable.Column(title: "kind"),
      TextTable.Column(title: "model", isFlexible: true),
      TextTable.Column(title: "created"), TextTable.Column(title: "state", isFlexible: true),
    ])
    for job in jobs {
      table.add(
        [job.id, job.kind, job.modelName, String(job.createdAt.prefix(16)), job.state].map(\.printable))
    }
    table.printOut()
  }
}

struct JobsCancel: ParsableCommand {
  static let configuration = CommandConfiguration(commandName: "cancel", abstract: "Cancel a job.")

  @OptionGroup var options: ServerOptions

  @Argument(help: "The job's id.")
  var job: String

  func run() throws {
    let id = job
    try options.show(try options.run { try await $0.cancel(id) })
  }
}

struct JobsRetry: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "retry", abstract: "Try a failed or cancelled job again, from its saved state.")

  @OptionGroup var options: ServerOptions

  @Argument(help: "The job's id.")
  var job: String

  func run() throws {
    let id = job
    try options.show(try options.run { try await $0.retry(id) })
  }
}

/// Waits for a job, and says on the standard error how it goes.
private func follow(_ id: String, _ client: TrainingClient) async throws -> TrainingJob {
  var last = ""
  return try await client.wait(for: id) { job in
    let state = job.state
    if state != last { remark(state.printable) }
    last = state
  }
}

private func failUnlessCompleted(_ job: TrainingJob) throws {
  if job.status != "completed" { throw ExitCode.failure }
}

extension TrainingJob {
  /// `training, epoch 3 of 10`.
  fileprivate var state: String {
    if let problem { return "\(status): \(problem)" }
    if hasEnded { return status }
    if let step = progress?.step { return "\(status), \(step)" }
    guard let epoch = progress?.epoch, let epochs = progress?.epochs else { return status }
    return "\(status), epoch \(epoch) of \(epochs)"
  }

  fileprivate var line: String {
    let measures = [("recall", metrics.recallAtK), ("precision", metrics.precisionAtK), ("F1", metrics.f1AtK)]
    let figures = measures.compactMap { name, value in value.map { "\(name) \(Figures.percent($0))" } }
    return (["\(id) \(state)"] + figures + [modelPath].compactMap(\.self)).joined(separator: "; ").printable
  }
}
