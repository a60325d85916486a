// Verifies what a path names: models of ours, a graph, or recorded test data.

import Checkpoints
import Foundation
import GraphEngine
import ONNX
import ReferenceRuntime
import Tensors

/// The runtime that replays a graph of others.
public enum VerifyingRuntime: String, Sendable, CaseIterable, Codable {
  case reference
  case engine
}

/// What came of one path: the reports of its graphs, or the reason why there are none.
public struct PathResult: Sendable {
  public var path: String
  public var reports: [VerificationReport]
  /// Why the path could not be verified.
  public var failure: String?
  /// Whether that is an operator, or a kind of value, which the runtime does not have: no claim of it is broken.
  public var isUnsupported = false

  /// How a verification ended.
  public enum Verdict: Int, Sendable, Comparable {
    case matched, mismatched, failed

    public static func < (a: Verdict, b: Verdict) -> Bool { a.rawValue < b.rawValue }
  }

  public var verdict: Verdict {
    if failure != nil { return .failed }
    return reports.allSatisfy(\.passed) ? .matched : .mismatched
  }
}

/// Verifies paths one after another; what is wrong with one does not stop the rest.
public struct PathVerifier: Sendable {
  public var families: [ModelFamily]
  /// A checkpoint whose parameters a lone `.onnx` file must hold.
  public var checkpoint: String?
  public var runtime: VerifyingRuntime
  public var options: VerificationOptions

  public init(
    families: [ModelFamily], checkpoint: String? = nil, runtime: VerifyingRuntime = .reference,
    options: VerificationOptions = VerificationOptions()
  ) {
    self.families = families
    self.checkpoint = checkpoint
    self.runtime = runtime
    self.options = options
  }

  /// Verifies one path.
  public func verify(_ path: String) -> PathResult {
    do {
      return PathResult(path: path, reports: try reports(of: path))
    } catch let error as SomeFailed {
      return PathResult(path: path, reports: error.reports, failure: "\(error)")
    } catch {
      return PathResult(
        path: path, reports: [], failure: "\(error)", isUnsupported: Self.isUnsupported(error))
    }
  }

  private static func isUnsupported(_ error: any Error) -> Bool {
    switch error {
    case ReferenceError.unsupportedOperator, EngineError.unsupportedOperator, VerificationError.notForEngine: true
    default: false
    }
  }

  private func reports(of path: String) throws -> [VerificationReport] {
    var isDirectory: ObjCBool = false
    guard FileManager.default.fileExists(atPath: path, isDirectory: &isDirectory) else {
      throw VerificationError.unreadable(path: path, reason: "there is no such file or directory")
    }
    // A graph with a checkpoint of its own is held against that, not against its neighbours.
    let isLoneGraph = checkpoint != nil && path.hasSuffix(".onnx")
    let models = isLoneGraph ? [] : try MetadataFiles.paths(for: path)
    if !models.isEmpty { return try verifyModels(models, of: path) }
    guard isDirectory.boolValue else {
      guard !["pt", "pth", "safetensors"].contains((path as NSString).pathExtension) else {
        throw VerificationError.notAModel(
          path: path, reason: "no *\(MetadataFiles.suffix) beside it lists it, and a checkpoint alone is no network")
      }
      return [try verifyFile(path)]
    }
    let names = try FileManager.default.contentsOfDirectory(atPath: path)
    if names.contains("model.onnx"), names.contains(where: { $0.hasPrefix("test_data_set_") }) {
      return [try replay(directory: path)]
    }
    throw VerificationError.notAModel(path: path, reason: "neither metadata nor model.onnx with test data is in it")
  }

  // MARK: Models of ours

  /// Verifies every model of a directory, whatever is wrong with another one of them.
  private func verifyModels(_ files: [String], of path: String) throws -> [VerificationReport] {
    guard checkpoint == nil || files.count == 1 else {
      throw VerificationError.unreadable(
        path: path, reason: "holds \(files.count) models, and --checkpoint is one model's: name its metadata file")
    }
    var reports: [VerificationReport] = []
    var failures: [any Error] = []
    for file in files {
      do { reports += try verifyModel(metadata: file) } catch { failures.append(error) }
    }
    guard let first = failures.first else { return reports }
    throw failures.count == 1 && reports.isEmpty ? first : SomeFailed(reports: reports, failures: failures)
  }

  /// Models of a directory could not be verified; others could.
  private struct SomeFailed: Error, CustomStringConvertible {
    let reports: [VerificationReport]
    let failures: [any Error]

    var description: String { failures.map { "\($0)" }.joined(separator: "\n    ") }
  }

  private func verifyModel(metadata path: String) throws -> [VerificationReport] {
    let data = try MetadataFiles.data(of: path)
    let common = try CommonMetadata(contentsOf: path)
    let directory = MetadataFiles.split(path).folder
    guard let family = families.first(where: { $0.modelType == common.modelType }) else {
      throw VerificationError.unknownModelType(
        path: path, found: common.modelType, known: families.map(\.modelType))
    }
    let state = try StateDictionary(
      contentsOf: checkpoint ?? "\(directory)/\(common.checkpoint)",
      key: checkpoint == nil ? common.checkpointKey : nil)
    var reports = try verifyFiles(
      of: try family.rebuild(data, state), in: directory, options: options,
      subject: { directory == "." ? $0.fileName : "\(directory)/\($0.fileName)" })
    if !reports.isEmpty { reports[0].checks.insert(try checksums(common, in: directory), at: 0) }
    return reports
  }

  private func checksums(_ metadata: CommonMetadata, in directory: String) throws -> VerificationReport.Check {
    let digests = metadata.checksums.digests
    var wrong: [String] = []
    for (name, expected) in digests.sorted(by: { $0.key < $1.key }) {
      let found = try? SHA256.hexadecimal(ofFile: "\(directory)/\(name)")
      if found != expected {
        wrong.append(found == nil ? "\(name) is missing" : "\(name) has other bytes than were written")
      }
    }
    return .init(
      name: "checksums", passed: wrong.isEmpty,
      detail: wrong.isEmpty ? "\(digests.count) files as they were written" : wrong.joined(separator: "; "))
  }

  // MARK: Graphs of others

  /// A lone graph: the checker, the checkpoint's parameters where one is given, the sample data that lies beside it,
  /// and the engine against the reference runtime on fresh samples.
  private func verifyFile(_ path: String) throws -> VerificationReport {
    let model = try Model(contentsOf: path)
    var trained = model
    if let checkpoint {
      let state = try StateDictionary(contentsOf: checkpoint)
      trained = model.replacing(Dictionary(state.map { ($0.name, $0.tensor) }, uniquingKeysWith: { a, _ in a }))
    }
    var report = try Verification.verify(
      exportedGraph: model, against: trained, subject: path, options: options)
    if let checkpoint {
      let state = try StateDictionary(contentsOf: checkpoint)
      let names = Set(model.graph.initializers.map(\.name))
      let missing = state.names.filter { !names.contains($0) }
      report.checks.append(
        .init(
          name: "checkpoint", passed: missing.isEmpty,
          detail: missing.isEmpty
            ? "all \(state.names.count) tensors of \(checkpoint) are in the graph"
            : "not in the graph: \(missing.joined(separator: ", "))"))
    }
    return report
  }

  /// A directory in ONNX's test-data layout: every `test_data_set_*` is run, and its outputs are compared.
  private func replay(directory: String) throws -> VerificationReport {
    let model = try Model(contentsOf: "\(directory)/model.onnx")
    var report = VerificationReport(subject: directory, tolerance: options.tolerance)
    let sets = try FileManager.default.contentsOfDirectory(atPath: directory).filter { $0.hasPrefix("test_data_set_") }
    for set in sets.sorted() {
      let data = try TestData(directory: "\(directory)/\(set)", of: model)
      let found = try data.run(model, in: runtime)
      report.compare(found, with: data.outputs, tolerance: options.tolerance, what: set)
      report.sampleCount += 1
    }
    return report
  }
}
