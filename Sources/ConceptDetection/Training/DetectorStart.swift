// What a training starts from: nothing, or a pretrained encoder.

import Checkpoints
import Encoders
import Tokenization
import Verification

/// The network before the first step, and what describes it.
struct DetectorStart {
  let run: any DetectorRun
  let graph: any DetectorGraph
  let network: ConceptMetadata.Network
  /// Of the encoder, where there is one.
  let tokenizer: WordPieceTokenizer?
  /// What the outcome depends on beside settings and data.
  let identity: [String: String]

  /// - Parameter directory: of a pretrained encoder; nil for a network that reads words.
  /// - Throws: `EncoderError`, `TokenizationError`, `CheckpointError` where the encoder can't be used.
  init(encoder directory: String?, texts: TrainingTexts, mapping: ConceptMapping, settings: ConceptSettings) throws {
    guard let directory else {
      let features = ConceptFeatures()
      let graph = ConceptGraph(
        featureRows: features.rowCount, width: settings.size.width, conceptCount: mapping.concepts.count,
        opset: settings.opset)
      self.graph = graph
      run = ConceptRun(graph: graph, features: features, texts: texts, mapping: mapping, settings: settings)
      network = ConceptMetadata.Network(graph, features: features)
      tokenizer = nil
      identity = [:]
      return
    }
    let encoder = try PretrainedEncoder(directory: directory)
    let tokenizer = try encoder.tokenizer()
    let graph = EncoderConceptGraph(
      configuration: encoder.configuration, conceptCount: mapping.concepts.count, opset: settings.opset)
    let digest = try SHA256.hexadecimal(ofFile: encoder.weightsPath)
    self.graph = graph
    self.tokenizer = tokenizer
    run = try EncoderConceptRun(
      graph: graph, encoder: encoder, tokenizer: tokenizer, texts: texts, mapping: mapping, settings: settings)
    network = ConceptMetadata.Network(graph, file: SourceFile(path: encoder.weightsPath, sha256: digest))
    identity = ["the encoder's SHA-256": digest]
  }

  /// Requires what only an encoder needs of the settings, before any work is done.
  static func validate(_ settings: ConceptSettings, encoder: String?) throws(ConceptTrainingError) {
    let opsets = EncoderNetwork.supportedOpsets
    guard encoder != nil, !opsets.contains(settings.opset) else { return }
    throw .invalidSetting(
      name: "--opset", value: "\(settings.opset)",
      expected: "\(opsets.lowerBound) to \(opsets.upperBound) with --encoder")
  }
}
