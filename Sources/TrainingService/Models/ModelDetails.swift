// What a version's own files tell of it: how its graph looks, and how far that is from what was trained.

import Foundation
import Reports
import Synchronization

/// What a person wants to see of a version, beyond its record.
struct ModelDetails: Sendable {
  /// The graph.
  struct Network: Sendable {
    let file: String
    let drawing: String
    let operators: Int
    let parameters: Int
    let operatorSet: Int?
  }

  /// What the verification of one file found.
  struct Verification: Sendable {
    struct Output: Sendable {
      let name: String
      let absolute: Double?
      let relative: Double?
      let units: Double?
      let mismatches: Int64
    }
    let file: String
    let samples: Int64
    let checks: Int
    let passed: Bool
    let relativeTolerance: Double?
    let absoluteTolerance: Double?
    let outputs: [Output]
  }

  let network: Network?
  let verification: [Verification]

  /// Metadata that is larger than this is not a training's.
  private static let greatestMetadata = 64 << 20

  /// Reads the files. What is missing or not understood is not shown: the record stands without it.
  init(_ version: ModelVersion) {
    let graphs = version.files.filter { $0.hasSuffix(".onnx") && !$0.contains("/") }
    // als.onnx before als_top_k.onnx, model.onnx before model_int8.onnx.
    let file = graphs.min { ($0.count, $0) < ($1.count, $1) }
    network = file.flatMap { file in
      (try? NetworkOutline(contentsOf: "\(version.directory)/\(file)")).map { outline in
        Network(
          file: file, drawing: outline.drawing.html, operators: outline.operatorCount,
          parameters: outline.parameterCount, operatorSet: outline.operatorSet)
      }
    }
    let metadata = version.files.first { $0.hasSuffix("metadata.json") }.flatMap { name -> JSONValue? in
      let path = "\(version.directory)/\(name)"
      let size = (try? FileManager.default.attributesOfItem(atPath: path))?[.size] as? Int ?? .max
      guard size <= Self.greatestMetadata, let data = FileManager.default.contents(atPath: path) else { return nil }
      return try? JSONValue(parsing: data)
    }
    verification = (metadata?["verification"]?.array ?? []).compactMap(Verification.init)
  }

  /// The details that were looked at last.
  final class Shelf: Sendable {
    private let known = Mutex<[Int64: ModelDetails]>([:])
    private let lanes: ComputeLanes
    /// Drawings have some kilobytes each.
    private static let most = 200

    init(lanes: ComputeLanes) { self.lanes = lanes }

    func details(of version: ModelVersion) async throws -> ModelDetails {
      if let details = known.withLock({ $0[version.id] }) { return details }
      let details = try await lanes.run { ModelDetails(version) }
      known.withLock { known in
        if known.count >= Self.most { known.removeAll() }
        known[version.id] = details
      }
      return details
    }
  }
}

extension ModelDetails.Verification {
  /// A report as a training's metadata has it.
  fileprivate init?(_ report: JSONValue) {
    guard let file = report["subject"]?.string, let passed = report["passed"]?.bool else { return nil }
    self.file = file
    self.passed = passed
    samples = report["samples"]?.integer ?? 0
    checks = report["checks"]?.array?.count ?? 0
    relativeTolerance = report.member(at: "tolerance.relative")?.number
    absoluteTolerance = report.member(at: "tolerance.absolute")?.number
    outputs = (report["outputs"]?.array ?? []).map { output in
      Output(
        name: output["name"]?.string ?? "", absolute: output.member(at: "largest_absolute.value")?.number,
        relative: output.member(at: "largest_relative.value")?.number,
        units: output.member(at: "largest_ulp.value")?.number, mismatches: output["mismatches"]?.integer ?? 0)
    }
  }
}
