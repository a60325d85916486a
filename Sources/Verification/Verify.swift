// The heart of the verification: an exported graph in the reference runtime against a trained model in the engine.

import GraphEngine
import ONNX
import ReferenceRuntime
import Tensors

/// How a verification is done.
public struct VerificationOptions: Sendable {
  /// Samples that are made up, beside the recorded ones and the edge cases.
  public var sampleCount: Int
  public var tolerance: Tolerance
  /// What the graph's inputs take; inputs not named are taken for numbers of about a normal distribution.
  public var domains: [String: InputDomain]
  /// Outputs that hold places in the order of another output's scores, `["items": "scores"]`: places of scores that are
  /// equal within the tolerance may be exchanged.
  public var rankings: [String: String] = [:]
  /// Where the made-up samples start.
  public var seed: UInt64

  public init(
    sampleCount: Int = 4, tolerance: Tolerance = Tolerance(), domains: [String: InputDomain] = [:], seed: UInt64 = 1
  ) {
    self.sampleCount = sampleCount
    self.tolerance = tolerance
    self.domains = domains
    self.seed = seed
  }
}

/// Compares an exported graph with the model it should be.
///
/// The exported graph runs in the reference runtime, the trained model in the engine: two runtimes that share no kernel.
/// They must agree on recorded samples, on fresh ones and on the edges, within the tolerance (values that the graph
/// quantises while it runs, within a step); the names, types and
/// shapes of inputs and outputs must be the same; every initializer of the trained model must be in the export, bit for
/// bit; nothing of the training (dropout, internal operators) may be left in it; and it must pass the checker.
///
/// ```swift
/// @Test("the exported graph is the trained model")
/// func exportMatches() throws {
///   let exported = try Model(contentsOf: "models/pairwise_ranker/pairwise_ranker.onnx")
///   let report = try verify(exportedGraph: exported, against: trained)
///   #expect(report.passed, "\(report.failures)")
/// }
/// ```
///
/// - Parameters:
///   - exportedGraph: the model as it was read back from its file.
///   - trained: the same graph with the parameters of the checkpoint, built anew.
///   - recorded: samples with the outputs that were recorded with them.
/// - Throws: where one of the two cannot be run at all.
public func verify(
  exportedGraph: Model, against trained: Model, recorded: [VerificationSample] = [], subject: String = "",
  options: VerificationOptions = VerificationOptions()
) throws -> VerificationReport {
  var report = VerificationReport(
    subject: subject.isEmpty ? exportedGraph.graph.name : subject, tolerance: options.tolerance)
  report.checks.append(checkFormat(exportedGraph))
  report.checks.append(checkNothingOfTraining(exportedGraph))
  report.checks.append(compareInterfaces(exportedGraph.graph, trained.graph))
  let canRun = report.passed
  report.checks.append(compareParameters(exportedGraph.graph, trained.graph))
  // What is malformed, random, or has other inputs or outputs cannot be compared by running it.
  guard canRun else { return report }
  var rounded = RoundedValues(exportedGraph)
  if let problem = rounded.missing(in: trained.graph) {
    report.checks.append(problem)
    return report
  }
  let reference = try ReferenceSession(rounded.model)
  let engine = try Session(trained, outputs: trained.graph.outputs.map(\.name) + rounded.names)
  var maker = SampleMaker(inputs: engine.inputs, domains: options.domains, seed: options.seed)
  for sample in recorded + (try maker.samples(options.sampleCount)) {
    var tolerance = options.tolerance
    tolerance.absolute *= sample.scale
    var expected = try engine.run(sample.inputs)
    let bytes = rounded.taken(from: &expected)
    var found = try reference.run(sample.inputs.merging(bytes) { $1 })
    let problems = rounded.problems(&found, with: bytes, tolerance: tolerance)
    if !problems.isEmpty {
      report.checks.append(
        .init(
          name: "quantised values of '\(sample.name)'", passed: false, detail: problems.joined(separator: "; ")))
    }
    func compare(with expected: [String: Tensor], _ what: String) {
      let settled = found.settled(as: expected, rankings: options.rankings, tolerance: tolerance)
      report.compare(settled, with: expected, tolerance: tolerance, what: what)
    }
    compare(with: expected, "sample '\(sample.name)'")
    // What was recorded elsewhere may have been rounded the other way.
    if let expected = sample.expected, rounded.names.isEmpty {
      compare(with: expected, "recorded outputs of '\(sample.name)'")
    }
    report.sampleCount += 1
  }
  if let summary = rounded.summary, report.passed { report.checks.append(summary) }
  return report
}

extension VerificationReport {
  /// Compares outputs by name; one check says how it went.
  mutating func compare(
    _ found: [String: Tensor], with expected: [String: Tensor], tolerance: Tolerance, what: String
  ) {
    let differences = expected.keys.sorted().map { name in
      guard let value = found[name] else { return OutputDifference(name: name, problem: "is missing") }
      return OutputDifference(name: name, expected: expected[name]!, found: value, tolerance: tolerance)
    }
    merge(differences)
    let wrong = differences.filter { !$0.matches }
    checks.append(
      Check(
        name: what, passed: wrong.isEmpty,
        detail: wrong.isEmpty
          ? "\(differences.map(\.name).joined(separator: ", ")) match"
          : wrong.map(\.summary).joined(separator: "; ")))
  }
}

extension OutputDifference {
  /// One line that says how far the output is from what it should be, and where.
  public var summary: String {
    if let problem { return "'\(name)' \(problem)" }
    guard let worst = worstMismatch ?? largestAbsolute else { return "'\(name)' has no element" }
    let place = "[\(worst.index.map(String.init).joined(separator: ", "))]"
    return "'\(name)': \(mismatches) of \(count) elements differ, worst at \(place): "
      + "found \(worst.found), expected \(worst.expected)"
  }
}

private func checkFormat(_ model: Model) -> VerificationReport.Check {
  do {
    try model.check(fullCheck: true)
    return .init(name: "format", passed: true, detail: "passes the checker")
  } catch {
    return .init(name: "format", passed: false, detail: "\(error)")
  }
}

private func checkNothingOfTraining(_ model: Model) -> VerificationReport.Check {
  let constants = Dictionary(
    model.graph.initializers.map { ($0.name, $0.tensor) }, uniquingKeysWith: { first, _ in first })
  let left = model.graph.nodes.filter { node in
    if node.domain.hasPrefix("rankerkit.") { return true }
    guard node.operatorType == "Dropout", node.domain.isEmpty, node.inputs.count > 2, !node.inputs[2].isEmpty else {
      return false
    }
    // A training mode that is not a constant false may be switched on.
    return constants[node.inputs[2]].map { $0.elementType != .bool || $0.elements(as: Bool.self) != [false] } ?? true
  }
  return .init(
    name: "nothing of the training", passed: left.isEmpty,
    detail: left.isEmpty
      ? "no dropout and no internal operator is left"
      : "left in the graph: " + left.map { "\($0.operatorType) '\($0.name)'" }.joined(separator: ", "))
}

private func compareInterfaces(_ exported: Graph, _ trained: Graph) -> VerificationReport.Check {
  func described(_ values: [ValueInfo]) -> [String] {
    values.map { value in
      guard case .tensor(let type, _)? = value.type else { return "\(value.name) (no tensor)" }
      let shape = type.shape.map { dimensions in
        dimensions.map { dimension in
          switch dimension.extent {
          case .fixed(let extent): "\(extent)"
          case .named(let name): name
          case .unknown: "?"
          }
        }.joined(separator: ", ")
      }
      return "\(value.name) \(type.elementType)[\(shape ?? "…")]"
    }
  }
  var problems: [String] = []
  for (what, found, expected) in [
    ("inputs", described(exported.inputs), described(trained.inputs)),
    ("outputs", described(exported.outputs), described(trained.outputs)),
  ] where found != expected {
    problems.append("\(what) are \(found.joined(separator: "; ")), expected \(expected.joined(separator: "; "))")
  }
  return .init(
    name: "inputs and outputs", passed: problems.isEmpty,
    detail: problems.isEmpty
      ? "\((trained.inputs + trained.outputs).map(\.name).joined(separator: ", ")) as expected"
      : problems.joined(separator: "; "))
}

private func compareParameters(_ exported: Graph, _ trained: Graph) -> VerificationReport.Check {
  let found = Dictionary(
    exported.initializers.map { ($0.name, $0.tensor) }, uniquingKeysWith: { first, _ in first })
  var problems: [String] = []
  for initializer in trained.initializers {
    guard let tensor = found[initializer.name] else {
      problems.append("'\(initializer.name)' is missing")
      continue
    }
    let difference = OutputDifference(
      name: initializer.name, expected: initializer.tensor, found: tensor, tolerance: .exact)
    // Equal numbers of other bits (0 and -0) are a flipped bit too.
    if tensor != initializer.tensor {
      problems.append(difference.matches ? "'\(initializer.name)' differs in its bits" : difference.summary)
    }
  }
  let expected = Set(trained.initializers.map(\.name))
  problems += exported.initializers.filter { !expected.contains($0.name) }.map { "'\($0.name)' is not in the model" }
  return .init(
    name: "parameters", passed: problems.isEmpty,
    detail: problems.isEmpty
      ? "\(trained.initializers.count) tensors equal bit for bit" : problems.joined(separator: "; "))
}
