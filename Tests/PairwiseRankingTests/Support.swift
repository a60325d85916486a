// What the tests of the pairwise ranker share: made-up pairs, the bundled sample, the program.

import CommandSupport
import Datasets
import Foundation

extension TemporaryDirectory {
  /// Writes pairs as `ranker export` does.
  func write(_ pairs: [PreferencePair], to name: String) throws -> String {
    var text: [UInt8] = []
    for pair in pairs {
      pair.appendJSON(to: &text)
      text.append(UInt8(ascii: "\n"))
    }
    return try write(text, to: name)
  }
}

enum Sample {
  private static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .appendingPathComponent("../../Sources/PairwiseRanking/Resources").standardized.path

  static let items = try! ItemFile(path: "\(folder)/sample_items.jsonl").items

  /// The bundled sample's pairs with their items in place.
  static let pairs: [PreferencePair] = {
    struct Line: Decodable {
      let itemA: String
      let itemB: String
      let label: PreferenceLabel
    }
    let byID = Dictionary(uniqueKeysWithValues: items.map { ($0.id, $0) })
    let decoder = JSONDecoder()
    decoder.keyDecodingStrategy = .convertFromSnakeCase
    let text = try! String(contentsOfFile: "\(folder)/sample_pairs.jsonl", encoding: .utf8)
    return text.split(separator: "\n").map { line in
      let line = try! decoder.decode(Line.self, from: Data(line.utf8))
      return PreferencePair(itemA: byID[line.itemA]!, itemB: byID[line.itemB]!, label: line.label)
    }
  }()
}

/// Pairs of items with a few numbers each; the better one has the larger first metric.
func simplePairs(
  _ count: Int, items: Int = 12, embedding: Int = 3, metrics: [String] = ["clarity", "impact"], seed: UInt64 = 5
) -> [PreferencePair] {
  var generator = SeededGenerator(seed: seed)
  let all = (0..<items).map { index in
    Item(
      id: "item-\(index)",
      embedding: embedding > 0 ? (0..<embedding).map { _ in Float(generator.normal()) } : nil,
      metrics: Dictionary(uniqueKeysWithValues: metrics.map { ($0, generator.uniform()) }))
  }
  func utility(_ item: Item) -> Double {
    metrics.first.flatMap { item.metrics[$0] } ?? Double(item.embedding!.first!)
  }
  return (0..<count).map { _ in
    let a = generator.below(items)
    let b = (a + 1 + generator.below(items - 1)) % items
    let difference = utility(all[a]) - utility(all[b])
    let label: PreferenceLabel = difference.magnitude < 0.05 ? .equal : difference > 0 ? .preferA : .preferB
    return PreferencePair(itemA: all[a], itemB: all[b], label: label)
  }
}

/// Runs `ranker` to its end.
func runRanker(_ arguments: String...) throws -> CommandResult { try runRanker(arguments) }

func runRanker(_ arguments: [String]) throws -> CommandResult {
  try Command("ranker").run(arguments, in: TemporaryDirectory())
}
