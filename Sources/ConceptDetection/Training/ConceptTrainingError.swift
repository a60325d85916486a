// What goes wrong in a training of a concept detector, told so that a person can mend it.

import Training

/// Why a training can't begin or go on.
public enum ConceptTrainingError: Error, Sendable, Hashable {
  case invalidSetting(name: String, value: String, expected: String)
  /// The loss is no number; `texts` are of the batch.
  case lossNotFinite(epoch: Int, batch: Int, value: Float, texts: [String])
}

extension ConceptTrainingError: CustomStringConvertible {
  public var description: String {
    switch self {
    case .invalidSetting(let name, let value, let expected): "\(name) is \(value); expected \(expected)"
    case .lossNotFinite(let epoch, let batch, let value, let texts):
      "the loss is \(value) in epoch \(epoch), batch \(batch) (\(texts.prefix(3).map { "\"\($0)\"" }.joined(separator: ", "))); "
        + "try a smaller --learning-rate"
    }
  }
}
