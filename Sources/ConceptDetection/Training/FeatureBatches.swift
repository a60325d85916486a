// Texts as features, and batches of texts of about one length, padded to the longest.

import Datasets
import GraphEngine
import Tensors

/// The features of texts, word by word, one after the other.
struct FeaturizedTexts: Sendable {
  private(set) var ids: [Int32] = []
  /// Where each word's features begin, and behind the last one.
  private var words = [0]
  /// Where each text's words begin, and behind the last one.
  private var texts = [0]
  private var mostFeatures: [Int] = []

  init() {}

  init(_ texts: some Sequence<[[UInt8]]>, features: ConceptFeatures) {
    for text in texts { append(text, features: features) }
  }

  var count: Int { texts.count - 1 }

  /// Appends a text of folded words.
  mutating func append(_ text: [[UInt8]], features: ConceptFeatures) {
    append(text, features: features) { _, _ in }
  }

  /// Appends a text of folded words, each word without a share of its features: which ones is drawn for each, so that no
  /// word is known by a few of them alone.
  mutating func append(
    _ text: [[UInt8]], features: ConceptFeatures, dropping share: Double, with generator: inout SeededGenerator
  ) {
    append(text, features: features) { ids, start in
      var end = start
      for place in start..<ids.count where generator.uniform() >= share {
        ids[end] = ids[place]
        end += 1
      }
      // A word keeps one at least.
      ids.removeLast(ids.count - max(end, start + 1))
    }
  }

  private mutating func append(
    _ text: [[UInt8]], features: ConceptFeatures, thin: (_ ids: inout [Int32], _ start: Int) -> Void
  ) {
    var previous: [UInt8] = []
    for word in text {
      let start = ids.count
      features.append(word, after: previous, to: &ids)
      thin(&ids, start)
      words.append(ids.count)
      previous = word
    }
    close()
  }

  /// Appends words of a text whose features are known.
  mutating func append(_ text: TextFeatures, words range: Range<Int>) {
    for word in text.words[range] {
      ids += text.ids[word.features]
      words.append(ids.count)
    }
    close()
  }

  private mutating func close() {
    var most = 0
    for word in texts.last!..<words.count - 1 { most = max(most, words[word + 1] - words[word]) }
    mostFeatures.append(most)
    texts.append(words.count - 1)
  }

  /// Forgets the texts and keeps the room.
  mutating func removeAll() {
    ids.removeAll(keepingCapacity: true)
    mostFeatures.removeAll(keepingCapacity: true)
    words.removeLast(words.count - 1)
    texts.removeLast(texts.count - 1)
  }

  func wordCount(_ text: Int) -> Int { texts[text + 1] - texts[text] }

  // MARK: Batches

  /// The extents of a batch: texts, the most words of one, the most features of a word. They are raised to a few, so that
  /// few plans serve all batches.
  func shape(of batch: some Collection<Int>) -> Shape {
    let words = batch.reduce(1) { max($0, wordCount($1)) }
    let features = batch.reduce(1) { max($0, mostFeatures[$1]) }
    var step = 4
    while words > step * 8 { step *= 2 }
    return [batch.count, (words + step - 1) / step * step, (features + 31) / 32 * 32]
  }

  /// Writes a batch, padded to the extents.
  func write(_ batch: some Collection<Int>, shape: Shape, to values: UnsafeMutableBufferPointer<Int64>) {
    values.update(repeating: Int64(ConceptFeatures.padding))
    let (wordExtent, featureExtent) = (shape[1], shape[2])
    for (row, text) in batch.enumerated() {
      for (place, word) in (texts[text]..<texts[text + 1]).enumerated() {
        let start = (row * wordExtent + place) * featureExtent
        for (offset, feature) in (words[word]..<words[word + 1]).enumerated() {
          values[start + offset] = Int64(ids[feature])
        }
      }
    }
  }

  /// A batch as a tensor.
  func tensor(_ batch: some Collection<Int>) -> Tensor {
    let shape = shape(of: batch)
    return Tensor(uninitialized: shape, elementType: .int64) { bytes in
      write(batch, shape: shape, to: bytes.bindMemory(to: Int64.self))
    }
  }
}
