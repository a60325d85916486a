// How well plain alias matching does on labelled notes: what a model has to beat.

import Measures

extension AliasMatcher {
  /// Measures the matching on labelled notes.
  ///
  /// - Parameters:
  ///   - notes: read with the concepts of `lexicon` as labels; those without labels are passed over.
  ///   - lexicon: that the matcher was made of.
  public func report(on notes: [Note], lexicon: Lexicon) -> LabelReport {
    let labelled = notes.filter { $0.concepts != nil }
    return LabelReport(
      labels: lexicon.concepts.map(\.id), actual: labelled.map { Set($0.concepts!) },
      predicted: labelled.map { concepts(in: $0.text) })
  }
}
