// What a trained ranker's directory holds, for the export that every kind of model shares.

import Checkpoints
import ONNX
import Reports
import Tensors
import Verification

extension ModelExport<RankerMetadata> {
  /// Writes and verifies the ranker.
  ///
  /// - Parameters:
  ///   - parameters: the trained ones, by name.
  ///   - samples: inputs of the comparer that are recorded with their outputs.
  ///   - seconds: the time that the training has taken so far.
  ///   - report: is told what is being done.
  /// - Throws: as `write(checkpoint:graphs:others:seconds:report:page:)`.
  mutating func write(
    parameters: [String: Tensor], samples: [String: Tensor], drawing: BackgroundDrawing, seconds: () -> Double,
    report: (String) -> Void
  ) throws {
    let files = metadata.files
    let graph = metadata.graph
    let state = StateDictionary(RankerGraph.parameterNames.map { ($0, parameters[$0]!) })
    try write(
      checkpoint: { try state.writePyTorch(to: $0) },
      graphs: [
        ExportedGraph(
          fileName: files.comparer, model: graph.comparer().replacing(parameters),
          recording: .init(samples: samples, folder: files.testData)),
        ExportedGraph(fileName: files.scorer, model: graph.scorer().replacing(parameters)),
      ],
      seconds: seconds, report: report, page: { RankerReport.html($0, drawing: drawing.markup) })
  }
}
