// What a detector's directory holds, for the export that every kind of model shares.

import Checkpoints
import Files
import Reports
import Tensors
import Tokenization
import Verification

extension ModelExport<ConceptMetadata> {
  /// Writes and verifies the detector.
  ///
  /// - Parameters:
  ///   - parameters: the trained ones, by name.
  ///   - tokenizer: of the encoder, where there is one: it is written beside the graph.
  ///   - samples: inputs of the graph that are recorded with their outputs.
  ///   - seconds: the time that the training has taken so far.
  ///   - report: is told what is being done.
  /// - Throws: as `write(checkpoint:graphs:others:seconds:report:page:)`.
  mutating func write(
    parameters: [String: Tensor], tokenizer: WordPieceTokenizer?, mapping: ConceptMapping,
    examples: TrainingExampleFile, samples: [String: Tensor], drawing: BackgroundDrawing,
    seconds: () -> Double, report: (String) -> Void
  ) throws {
    typealias Files = ConceptMetadata.Files
    let graph = metadata.graph
    let state = StateDictionary(graph.parameterShapes.map { ($0.name, parameters[$0.name]!) })
    let (mappingText, exampleText) = (try mapping.json(), try ConceptJSON.encoded(examples))
    func file(_ name: String, _ bytes: [UInt8]) -> File {
      File(name) { path in try AtomicFile.write(to: path) { try $0.write(bytes) } }
    }
    var others = [file(Files.mapping, mappingText), file(Files.examples, exampleText)]
    if let tokenizer {
      let folder = directory.path
      others += [
        File(Files.vocabulary) { try tokenizer.vocabulary.write(to: $0) },
        // Writes the vocabulary once more, the same bytes.
        File(Files.tokenizer) { _ in try tokenizer.write(to: folder) },
      ]
    }
    try write(
      checkpoint: { try state.writePyTorch(to: $0) },
      graphs: [
        ExportedGraph(
          fileName: Files.graph, model: graph.detector(parameters),
          recording: .init(samples: samples, folder: Files.testData))
      ], others: others, seconds: seconds, report: report,
      page: { ConceptReport.html($0, mapping: mapping, drawing: drawing.markup) })
  }
}
