// Why a verification could not be done; a mismatch is no error but a report.

/// Why a verification could not be done. That outputs differ is no error: the report says it.
public enum VerificationError: Error, Sendable, CustomStringConvertible {
  /// A file that is needed is not there or cannot be read.
  case unreadable(path: String, reason: String)
  /// No samples can be made up for an input.
  case cannotSample(input: String, reason: String)
  /// A directory is neither a model of ours nor in ONNX's test-data layout.
  case notAModel(path: String, reason: String)
  /// The metadata names a kind of model that this program does not know.
  case unknownModelType(path: String, found: String, known: [String])
  /// The engine does not compute with what the graph takes.
  case notForEngine(String)

  public var description: String {
    switch self {
    case .unreadable(let path, let reason): "\(path): \(reason)"
    case .cannotSample(let input, let reason):
      "no samples can be made up for the input '\(input)': \(reason); give recorded ones in test_data_set_0"
    case .notAModel(let path, let reason):
      "\(path): \(reason); expected a model directory (with *_metadata.json), an .onnx file, or a directory with "
        + "model.onnx and test_data_set_0"
    case .notForEngine(let reason): "the engine cannot run this: \(reason)"
    case .unknownModelType(let path, let found, let known):
      "\(path): unknown model type '\(found)'; known are \(known.joined(separator: ", "))"
    }
  }
}
