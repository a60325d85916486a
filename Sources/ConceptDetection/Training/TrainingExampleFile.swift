// training_examples.json: a sample of what the network was shown.

/// Some examples of a training's first epoch, of each kind.
struct TrainingExampleFile: Encodable {
  struct Example: Encodable {
    var kind: TrainingText.Kind
    /// As the network reads it: folded words.
    var text: String
    var concepts: [String]
    /// An alias was taken out.
    var masked: Bool
    /// A word was changed.
    var varied: Bool
  }

  var epoch = 1
  var count: Int
  var examples: [Example]

  private static let ofEachKind = 25

  init(_ drawing: ExampleDrawing, mapping: ConceptMapping) {
    let drawn = drawing.examples(epoch: 1)
    count = drawn.count
    var kinds: [TrainingText.Kind: [ConceptExample]] = [:]
    for example in drawn { kinds[example.kind, default: []].append(example) }
    examples = kinds.sorted { $0.key.rawValue < $1.key.rawValue }.flatMap { _, all in
      // Spread over all of the kind.
      (0..<min(Self.ofEachKind, all.count)).map { all[$0 * all.count / min(Self.ofEachKind, all.count)] }
    }.map { example in
      Example(
        kind: example.kind, text: Self.text(example.words),
        concepts: example.concepts.map { mapping.concepts[$0].id }, masked: example.isMasked, varied: example.isVaried)
    }
  }

  static func text(_ words: [[UInt8]]) -> String {
    words.map { String(decoding: $0, as: UTF8.self) }.joined(separator: " ")
  }
}
