// Which records train and which validate, where each may have several labels and both sides should have their share of
// every label.

extension Split {
  /// Sets about `fraction` of the records aside for validation, and about that fraction of every label's, by iterative
  /// stratification (Sechidis, Tsoumakas and Vlahavas, "On the stratification of multi-label data", 2011): the label with
  /// the fewest records left is dealt out first, each of its records to the side that still wants most of that label.
  ///
  /// - Parameters:
  ///   - labels: for each record its labels, from 0 to below `labelCount`, each once; it may have none.
  ///   - groups: for each record the number of its group, which stays on one side; nil for records of their own.
  ///   - fraction: of the records, from 0 (none) to below 1. With a fraction above 0 and two groups or more, neither side
  ///     is empty. A label of one record trains wherever its record has no other reason to validate and at
  ///     most half is held out.
  ///   - seed: the same seed, labels and groups give the same split.
  public static func stratified(
    labels: [[Int]], groups: [Int]? = nil, labelCount: Int, fraction: Double, seed: UInt64
  ) -> Split {
    precondition(fraction >= 0 && fraction < 1, "a validation split is from 0 to below 1")
    let members = members(of: groups ?? Array(labels.indices))
    guard fraction > 0, members.count > 1 else { return Split(training: Array(labels.indices), validation: []) }
    var stratification = Stratification(
      labels: labels, members: members, labelCount: labelCount, fraction: fraction, seed: seed)
    stratification.deal()
    stratification.fillEmptySide()
    let validation = members.indices.filter { stratification.side[$0] == Stratification.validation }
    return Split(validation: validation.flatMap { members[$0] }, of: labels.count)
  }
}

/// Groups of records being dealt to two sides.
private struct Stratification {
  static let training: Int8 = 0
  static let validation: Int8 = 1
  private static let open: Int8 = -1

  /// For each group the side it is on.
  private(set) var side: [Int8]
  private let sizes: [Int]
  /// For each group its labels, each with how many of its records have it.
  private let labelsOfGroup: [[(label: Int, count: Int)]]
  private let groupsOfLabel: [[Int]]
  private let order: [Int]
  /// How many records of each label are not dealt out.
  private var remaining: [Int]
  /// How many records each side still wants, and of each label.
  private var wanted: [Double]
  private var wantedOfLabel: [[Double]]
  private var generator: SeededGenerator

  init(labels: [[Int]], members: [[Int]], labelCount: Int, fraction: Double, seed: UInt64) {
    generator = SeededGenerator(seed: seed)
    order = generator.permutation(members.count)
    side = Array(repeating: Self.open, count: members.count)
    sizes = members.map(\.count)
    labelsOfGroup = members.map { records in
      var counts: [Int: Int] = [:]
      for record in records { for label in labels[record] { counts[label, default: 0] += 1 } }
      return counts.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
    }
    var groupsOfLabel = [[Int]](repeating: [], count: labelCount)
    var remaining = [Int](repeating: 0, count: labelCount)
    for group in order {
      for (label, count) in labelsOfGroup[group] {
        groupsOfLabel[label].append(group)
        remaining[label] += count
      }
    }
    self.groupsOfLabel = groupsOfLabel
    self.remaining = remaining
    wanted = [1 - fraction, fraction].map { $0 * Double(labels.count) }
    wantedOfLabel = [1 - fraction, fraction].map { share in remaining.map { share * Double($0) } }
  }

  mutating func deal() {
    while let label = remaining.indices.filter({ remaining[$0] > 0 }).min(by: { remaining[$0] < remaining[$1] }) {
      for group in groupsOfLabel[label] where side[group] == Self.open {
        let (training, validation) = (wantedOfLabel[0][label], wantedOfLabel[1][label])
        place(group, on: training == validation ? sideThatWantsMore() : validation > training ? 1 : 0)
      }
    }
    for group in order where side[group] == Self.open { place(group, on: sideThatWantsMore()) }
  }

  private mutating func sideThatWantsMore() -> Int8 {
    wanted[0] == wanted[1] ? Int8(generator.below(2)) : wanted[1] > wanted[0] ? Self.validation : Self.training
  }

  private mutating func place(_ group: Int, on newSide: Int8) {
    side[group] = newSide
    wanted[Int(newSide)] -= Double(sizes[group])
    for (label, count) in labelsOfGroup[group] {
      remaining[label] -= count
      wantedOfLabel[Int(newSide)][label] -= Double(count)
    }
  }

  /// Where every label is too rare for both sides, the group whose rarest label has most groups moves to the empty one.
  mutating func fillEmptySide() {
    for (empty, full) in [(Self.validation, Self.training), (Self.training, Self.validation)]
    where !side.contains(empty) {
      func commonness(_ group: Int) -> Int { labelsOfGroup[group].map { groupsOfLabel[$0.label].count }.min() ?? .max }
      let movable = order.filter { side[$0] == full }
      side[movable.max { commonness($0) < commonness($1) }!] = empty
    }
  }
}
