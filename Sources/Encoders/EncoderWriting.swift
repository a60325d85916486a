// An encoder as files: what Hugging Face's from_pretrained opens.

import Checkpoints
import Files
import Tensors

extension PretrainedEncoder {
  /// The tensors in the order of PyTorch's state dict.
  public var stateDictionary: StateDictionary {
    let shapes = configuration.allParameters(labels: configuration.labels?.count ?? 2)
    return StateDictionary(shapes.compactMap { shape in parameters[shape.name].map { (shape.name, $0) } })
  }

  /// Writes `config.json` and `pytorch_model.bin`. Without labels in the configuration `transformers` opens the directory
  /// as a plain encoder, with labels as a sequence classifier.
  /// - Throws: `CheckpointError`, `FileError`.
  public func write(to directory: inout ArtifactDirectory) throws {
    let state = stateDictionary
    let json = try configuration.json()
    try directory.write(EncoderConfiguration.fileName) { (file: AtomicFile) in try file.write(json) }
    try directory.write("pytorch_model.bin") { (path: String) in try state.writePyTorch(to: path) }
  }
}
