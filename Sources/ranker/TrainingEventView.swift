// The events of trainings that prepare, begin and run through epochs, as they are watched.

import Training

extension ProgressView {
  /// Shows an event.
  ///
  /// - Parameters:
  ///   - tell: says to a person what is known before the first step.
  ///   - line: the same for a program.
  func show<Beginning>(
    _ event: TrainingEvent<Beginning>, tell: (Beginning) -> Void, line: (Beginning) -> any Encodable
  ) {
    guard mode != .quiet else { return }
    switch event {
    case .preparing(let what), .finishing(let what): finishing(what)
    case .began(let beginning): if mode == .json { printJSONLine(line(beginning)) } else { tell(beginning) }
    case .resumed(let epochs):
      if mode == .json { printJSONLine(ProgressLine(event: "resumed", epoch: epochs)) } else { resumed(epochs: epochs) }
    case .progress(let progress): if mode == .json { printJSONLine(ProgressLine(progress)) } else { show(progress) }
    }
  }
}
