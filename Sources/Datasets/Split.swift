// Which records train and which validate, with what belongs together kept together.

/// Two disjoint sets of record indices, each ascending, together all of them.
public struct Split: Sendable, Hashable {
  public var training: [Int]
  public var validation: [Int]

  public init(training: [Int], validation: [Int]) {
    self.training = training
    self.validation = validation
  }

  /// Sets about `fraction` of the records aside for validation.
  ///
  /// - Parameters:
  ///   - groups: for each record the number of its group (``PairFile/groups``); a group stays on one side.
  ///   - fraction: of the records, from 0 (none) to below 1. As groups are whole, the share is met as closely as it can
  ///     be with the groups in the order drawn; with a fraction above 0 and two groups or more, neither side is empty.
  ///   - seed: the same seed and groups give the same split.
  public static func holdOut(groups: [Int], fraction: Double, seed: UInt64) -> Split {
    precondition(fraction >= 0 && fraction < 1, "a validation split is from 0 to below 1")
    let members = Self.members(of: groups)
    guard fraction > 0, members.count > 1 else { return Split(training: Array(groups.indices), validation: []) }
    var generator = SeededGenerator(seed: seed)
    let order = generator.permutation(members.count)
    let target = fraction * Double(groups.count)
    var validation: [Int] = []
    for (taken, group) in order.enumerated() {
      guard taken < order.count - 1 else { break }
      let withGroup = Double(validation.count + members[group].count)
      // Takes the group when that comes closer to the target, and the first one in any case.
      guard taken == 0 || withGroup - target <= target - Double(validation.count) else { break }
      validation += members[group]
    }
    return Split(validation: validation, of: groups.count)
  }

  /// `count` splits; each group validates in exactly one of them, and they are as even as dealing whole groups, large
  /// ones first and in random order among equals, makes them.
  ///
  /// - Parameters:
  ///   - groups: as for ``holdOut(groups:fraction:seed:)``; at least `count` different ones.
  ///   - count: from 2 on.
  /// - Returns: nil where there are fewer groups than folds.
  public static func folds(groups: [Int], count: Int, seed: UInt64) -> [Split]? {
    precondition(count >= 2, "cross-validation needs at least two folds")
    let members = Self.members(of: groups)
    guard members.count >= count else { return nil }
    var generator = SeededGenerator(seed: seed)
    let drawn = generator.permutation(members.count)
    let rank = drawn.indices.sorted {
      (-members[drawn[$0]].count, $0) < (-members[drawn[$1]].count, $1)
    }
    var validation = [[Int]](repeating: [], count: count)
    for place in rank {
      let smallest = validation.indices.min { (validation[$0].count, $0) < (validation[$1].count, $1) }!
      validation[smallest] += members[drawn[place]]
    }
    return validation.map { Split(validation: $0, of: groups.count) }
  }

  init(validation: [Int], of count: Int) {
    var isValidation = [Bool](repeating: false, count: count)
    for index in validation { isValidation[index] = true }
    self.init(
      training: (0..<count).filter { !isValidation[$0] }, validation: (0..<count).filter { isValidation[$0] })
  }

  /// The records of each group, groups in the order in which they first appear.
  static func members(of groups: [Int]) -> [[Int]] {
    var place: [Int: Int] = [:]
    var members: [[Int]] = []
    for (index, group) in groups.enumerated() {
      if let known = place[group] {
        members[known].append(index)
      } else {
        place[group] = members.count
        members.append([index])
      }
    }
    return members
  }
}
