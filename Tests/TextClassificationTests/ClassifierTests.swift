// A trained classifier as a library type: read when first asked, shared by tasks, and the same as its graph elsewhere.

import Encoders
import Foundation
import ONNX
import ReferenceRuntime
import Tensors
import Testing
import TextClassification
import Tokenization

@Suite("Using a classifier")
struct ClassifierTests {
  private static let texts = [
    "the old tide", "new flour of the red oven 7", "a star", "the lens, big wave and yeast", "orbit orbit orbit",
  ]

  /// A world with a trained classifier in `model`.
  private func world() throws -> SmallWorld {
    let world = try SmallWorld()
    _ = try world.training(try world.data(60), epochs: 3).run()
    return world
  }

  @Test("logits and probabilities are those of the exported graph in the reference runtime")
  func sameAsGraph() throws {
    let world = try world()
    let directory = world.folder.path("model")
    let tokenizer = try WordPieceTokenizer(directory: directory)
    let session = try ReferenceSession(Model(contentsOf: directory + "/model.onnx"))
    for (text, found) in zip(Self.texts, try TextClassifier(directory: directory).classify(Self.texts)) {
      let ids = tokenizer.encode(text, maxLength: 24).ids.map(Int64.init)
      let shape: Shape = [1, ids.count]
      let outputs = try session.run([
        "input_ids": Tensor(ids, shape: shape),
        "attention_mask": Tensor([Int64](repeating: 1, count: ids.count), shape: shape),
        "token_type_ids": Tensor(zeros: shape, elementType: .int64),
      ])
      let logits = try #require(outputs["logits"]).doubles()
      #expect(zip(found.logits, logits).allSatisfy { abs(Double($0) - $1) < 1e-4 }, "\(text)")
      for label in found.labels {
        let place = try #require(["bread", "sea", "sky"].firstIndex(of: label.name))
        #expect(abs(Double(label.probability) - 1 / (1 + exp(-logits[place]))) < 1e-5)
        #expect(label.isAssigned == (label.probability >= 0.5))
      }
      #expect(found.labels.map(\.probability) == found.labels.map(\.probability).sorted(by: >))
      #expect(found.assigned == found.labels.filter(\.isAssigned) && found.tokenCount == ids.count)
    }
  }

  @Test("it is read at the first question, kept, and may be asked by several tasks at once")
  func sharing() async throws {
    // No such directory yet, and no complaint before something is asked.
    let world = try SmallWorld()
    let classifier = TextClassifier(directory: world.folder.path("model"), threads: 2)
    #expect(throws: (any Error).self) { try classifier.facts() }
    _ = try world.training(try world.data(60), epochs: 1).run()
    let alone = try Self.texts.map { try classifier.classify($0).logits }
    try FileManager.default.removeItem(atPath: classifier.directory)
    let many = (0..<200).map { Self.texts[$0 % Self.texts.count] }
    try await withThrowingTaskGroup(of: Float.self) { group in
      for _ in 0..<4 {
        group.addTask {
          zip(many.indices, try classifier.classify(many)).flatMap { index, found in
            zip(found.logits, alone[index % alone.count]).map { abs($0 - $1) }
          }.max()!
        }
      }
      for try await largest in group { #expect(largest < 1e-4) }
    }
  }

  @Test("a blank text and a threshold that no probability is are refused; a megabyte is read to where the model ends")
  func extremes() throws {
    let world = try world()
    let classifier = TextClassifier(directory: world.folder.path("model"))
    #expect(throws: TextUseError.blankText(index: 1)) { try classifier.classify(["the tide", " \n"]) }
    #expect(throws: TextUseError.invalidThreshold(1.5)) { try classifier.classify("the tide", threshold: 1.5) }
    #expect(try classifier.classify([String]()).isEmpty)
    let long = try classifier.classify(String(repeating: "tide ", count: 1 << 18))
    #expect(long.isTruncated && long.tokenCount == 24)
    let same = try classifier.classify(String(repeating: "tide ", count: 22))
    #expect(!same.isTruncated && zip(long.logits, same.logits).allSatisfy { abs($0 - $1) < 1e-5 })
    #expect(try classifier.classify("the tide", threshold: 0).assigned.count == 3)
  }

  @Test("a file that was changed after the training is named", arguments: ["model.onnx", "vocab.txt"])
  func changedFiles(name: String) throws {
    let world = try world()
    let path = world.folder.path("model/\(name)")
    var bytes = try Data(contentsOf: URL(fileURLWithPath: path))
    bytes[bytes.count / 2] ^= 1
    try bytes.write(to: URL(fileURLWithPath: path))
    #expect {
      try TextClassifier(directory: world.folder.path("model")).classify("the tide")
    } throws: {
      "\($0)".contains(name)
    }
  }
}
