// What a classifier's directory holds, for the export that every kind of model shares.

import Checkpoints
import Encoders
import Files
import ONNX
import Reports
import Tensors
import Tokenization
import Verification

extension ModelExport<ClassificationMetadata> {
  /// Writes and verifies the classifier.
  ///
  /// - Parameters:
  ///   - parameters: the trained ones, by name.
  ///   - samples: inputs of the graph that are recorded with their outputs.
  ///   - seconds: the time that the training has taken so far.
  ///   - report: is told what is being done.
  /// - Throws: as `write(checkpoint:graphs:others:seconds:report:page:)`.
  mutating func write(
    parameters: [String: Tensor], tokenizer: WordPieceTokenizer, samples: [String: Tensor], drawing: BackgroundDrawing,
    seconds: () -> Double, report: (String) -> Void
  ) throws {
    typealias Files = ClassificationMetadata.Files
    let graph = metadata.graph
    let state = StateDictionary(graph.parameterShapes.map { ($0.name, parameters[$0.name]!) })
    let configuration = try metadata.configuration.json()
    let labels = try LabelMap(labels: metadata.labels, thresholds: metadata.thresholds).json()
    func file(_ name: String, _ bytes: [UInt8]) -> File {
      File(name) { path in try AtomicFile.write(to: path) { try $0.write(bytes) } }
    }
    let folder = directory.path
    var graphs = [
      ExportedGraph(
        fileName: Files.graph, model: graph.classifier(parameters),
        recording: .init(samples: samples, folder: Files.testData))
    ]
    if metadata.quantized != nil {
      graphs.append(
        ExportedGraph(
          fileName: Files.quantizedGraph, model: graph.quantizedClassifier(parameters),
          recording: .init(samples: samples, folder: Files.quantizedTestData)))
    }
    try write(
      checkpoint: { try state.writePyTorch(to: $0) },
      graphs: graphs,
      others: [
        file(Files.configuration, configuration), file(Files.labelMap, labels),
        File(Files.vocabulary) { try tokenizer.vocabulary.write(to: $0) },
        // Writes the vocabulary once more, the same bytes.
        File(Files.tokenizer) { _ in try tokenizer.write(to: folder) },
      ],
      seconds: seconds, report: report, page: { ClassificationReport.html($0, drawing: drawing.markup) })
  }
}
