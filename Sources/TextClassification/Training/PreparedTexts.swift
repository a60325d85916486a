// The texts of a training: split, varied where there are few, and taken apart into tokens.

import Datasets
import Tensors
import Tokenization
import Verification

/// The samples that train and those that validate.
struct PreparedTexts: Sendable {
  let training: [ClassificationSample]
  let validation: [ClassificationSample]
  let labelCount: Int
  /// Variations among the samples that train.
  let variationCount: Int
  let warnings: [String]
  private let labelCounts: [Int]

  /// Splits the data; variations are made of what trains, so that nothing of what validates is seen.
  /// - Throws: where no label has enough samples to train on.
  init(_ data: ClassificationDataset, settings: ClassificationSettings) throws {
    let split = try data.split(validation: settings.validationSplit, seed: settings.seed)
    let originals = split.training.map { data.samples[$0] }
    training = TextAugmentation(targetSize: settings.targetSize, seed: settings.seed).augmented(originals)
    validation = split.validation.map { data.samples[$0] }
    labelCount = data.labels.count
    variationCount = training.count - originals.count
    labelCounts = split.coverage.training
    var warnings = split.coverage.warnings
    if settings.validationSplit > 0, split.validation.isEmpty {
      warnings.append("nothing could be held out of so few texts, so nothing tells how good the classifier is")
    }
    self.warnings = warnings
  }

  var trainingTexts: [String] { training.map(\.text) }

  /// The tokens of all texts.
  struct Tokenized: Sendable {
    let training: TokenizedTexts
    let validation: TokenizedTexts
    let targets: TrainingTargets
    let actual: [Set<Int>]
    let maximumLength: Int
    /// Texts that have more tokens than are read.
    let cutTexts: Int

    /// The texts whose inputs and outputs are recorded beside the model: the first of those held out.
    func recorded(_ graph: ClassifierGraph) -> [String: Tensor] {
      let texts = validation.count > 0 ? validation : training
      let batches = TextBatches(texts: texts, graph: graph, maximumLength: maximumLength)
      return batches.tensors(Array(0..<min(texts.count, Self.recordedTexts))[...])
    }

    private static let recordedTexts = 2
  }

  /// Takes the texts apart.
  func tokenized(by tokenizer: WordPieceTokenizer, settings: ClassificationSettings) -> Tokenized {
    var cut = 0
    func tokens(_ samples: [ClassificationSample]) -> TokenizedTexts {
      var texts = TokenizedTexts()
      for text in tokenizer.encode(batch: samples.map(\.text), maxLength: settings.maximumLength) {
        texts.append(text.ids)
        if text.isTruncated { cut += 1 }
      }
      return texts
    }
    let (training, validation) = (tokens(training), tokens(validation))
    return Tokenized(
      training: training, validation: validation,
      targets: TrainingTargets(self.training, labelCount: labelCount), actual: self.validation.map { Set($0.labels) },
      maximumLength: settings.maximumLength, cutTexts: cut)
  }

  func summary(of data: ClassificationDataset, cutTexts: Int) -> ClassificationMetadata.DataSummary {
    ClassificationMetadata.DataSummary(
      source: SourceFile(path: data.path, sha256: data.sha256), samples: data.samples.count,
      skippedRows: data.skipped.count, trainingSamples: training.count, variations: variationCount,
      validationSamples: validation.count, labelCounts: labelCounts, cutTexts: cutTexts)
  }
}
