// What goes wrong between labelled texts and a classifier, told so that a person can mend it.

/// An error of training or using a classifier: what was found, what was expected, what to try.
public enum ClassificationError: Error, Sendable, Hashable {
  /// A setting is out of its range.
  case invalidSetting(name: String, value: String, expected: String)
  /// The encoder cannot do what the settings ask for.
  case encoderDoesNotFit(path: String, problem: String)
  /// The training ran into NaN or infinity.
  case lossNotFinite(epoch: Int, batch: Int, value: Float, texts: [String])
}

extension ClassificationError: CustomStringConvertible {
  public var description: String {
    switch self {
    case .invalidSetting(let name, let value, let expected): "\(name) is \(value); expected \(expected)"
    case .encoderDoesNotFit(let path, let problem): "\(path): \(problem)"
    case .lossNotFinite(let epoch, let batch, let value, let texts):
      "the loss became \(value) at epoch \(epoch), batch \(batch): lower --learning-rate, or look at confidences and "
        + "texts of that batch, such as \(texts.prefix(2).map { "\"\($0.prefix(60))\"" }.joined(separator: ", "))"
    }
  }
}
