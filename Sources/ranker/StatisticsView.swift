// The statistics of pairs, for people and for programs.

import PreferenceStore

/// The statistics in the terminal: short where all is well, naming names where it is not.
struct StatisticsView {
  private let statistics: PairStatistics
  private let style = Style.output
  private let listed = 5

  init(_ statistics: PairStatistics) { self.statistics = statistics }

  func printOut() {
    let total = statistics.pairCount
    print(style.bold(count(total, "pair")))
    bar("A preferred", statistics.preferACount)
    bar("equal", statistics.equalCount)
    bar("B preferred", statistics.preferBCount)
    if statistics.repeatedCount > 0 {
      print(style.dim("\(count(statistics.repeatedCount, "pair")) about two items that were compared before"))
    }

    if !statistics.coverage.isEmpty {
      print("")
      var table = TextTable([
        .init(title: "TYPE", isFlexible: true), .init(title: "ITEMS", alignsRight: true),
        .init(title: "COMPARED", alignsRight: true), .init(title: "PAIRS", alignsRight: true),
      ])
      for type in statistics.coverage {
        table.add([type.itemType, "\(type.itemCount)", "\(type.comparedCount)", "\(type.pairCount)"])
      }
      table.printOut()
      if statistics.acrossTypesCount > 0 {
        print(style.dim("\(count(statistics.acrossTypesCount, "pair")) across types"))
      }
    }

    section("never compared", statistics.neverCompared.count, "item", statistics.neverCompared)
    section(
      "contradictions", statistics.contradictions.count, "pair of items answered both ways",
      plural: "pairs of items answered both ways",
      statistics.contradictions.map { found in
        "\(found.itemA) > \(found.itemB) in \(numbers(found.preferA)), the other way in \(numbers(found.preferB))"
      })
    section(
      "cycles", statistics.cycles.count, "group of items in no order", plural: "groups of items in no order",
      statistics.cycles.map { cycle in
        (cycle.items + cycle.items.prefix(1)).joined(separator: " > ")
          + (cycle.tangledCount > cycle.items.count ? "   (\(cycle.tangledCount) items are tangled)" : "")
      })

    if !statistics.reasonTags.isEmpty {
      let tags = statistics.reasonTags.prefix(8).map { "\($0.tag.printable) \($0.count)" }
      print("\n\(style.bold("reasons"))  \(tags.joined(separator: style.dim(" · ")))")
    }
  }

  private func bar(_ name: String, _ part: Int) {
    let share = statistics.pairCount > 0 ? Double(part) / Double(statistics.pairCount) : 0
    let filled = Int((share * 30).rounded())
    let bar = style.cyan(String(repeating: "━", count: filled)) + style.dim(String(repeating: "─", count: 30 - filled))
    print("  \(name.fitted(11))  \(bar)  \("\(part)".fitted(6, alignsRight: true))  \((share * 100).decimals(0)) %")
  }

  private func section(_ title: String, _ number: Int, _ noun: String, plural: String? = nil, _ lines: [String]) {
    guard number > 0 else {
      print("\n\(style.bold(title))  \(style.dim("none"))")
      return
    }
    print("\n\(style.bold(title))  \(style.yellow(count(number, noun, plural: plural)))")
    for line in lines.prefix(listed) { print("  \(line.printable)") }
    if number > listed { print(style.dim("  … and \(number - listed) more (--json lists all)")) }
  }

  private func numbers(_ pairs: [Int64]) -> String {
    "pair\(pairs.count == 1 ? "" : "s") " + pairs.prefix(4).map(String.init).joined(separator: ", ")
      + (pairs.count > 4 ? ", …" : "")
  }
}

/// The statistics as JSON.
struct StatisticsReport: Encodable {
  struct Labels: Encodable {
    let preferA: Int
    let equal: Int
    let preferB: Int
  }

  struct Coverage: Encodable {
    let itemType: String
    let items: Int
    let compared: Int
    let pairs: Int
  }

  struct Contradiction: Encodable {
    let itemA: String
    let itemB: String
    let pairsPreferA: [Int64]
    let pairsPreferB: [Int64]
  }

  struct Cycle: Encodable {
    let items: [String]
    let tangledItems: Int
  }

  let pairs: Int
  let goal: Int
  let labels: Labels
  let repeatedPairs: Int
  let coverage: [Coverage]
  let acrossTypes: Int
  let neverCompared: [String]
  let contradictions: [Contradiction]
  let cycles: [Cycle]
  let reasonTags: [String: Int]

  init(_ statistics: PairStatistics) {
    pairs = statistics.pairCount
    goal = PairStatistics.goal
    labels = Labels(
      preferA: statistics.preferACount, equal: statistics.equalCount, preferB: statistics.preferBCount)
    repeatedPairs = statistics.repeatedCount
    coverage = statistics.coverage.map {
      Coverage(itemType: $0.itemType, items: $0.itemCount, compared: $0.comparedCount, pairs: $0.pairCount)
    }
    acrossTypes = statistics.acrossTypesCount
    neverCompared = statistics.neverCompared
    contradictions = statistics.contradictions.map {
      Contradiction(itemA: $0.itemA, itemB: $0.itemB, pairsPreferA: $0.preferA, pairsPreferB: $0.preferB)
    }
    cycles = statistics.cycles.map { Cycle(items: $0.items, tangledItems: $0.tangledCount) }
    reasonTags = Dictionary(statistics.reasonTags.map { ($0.tag, $0.count) }) { $0 + $1 }
  }
}
