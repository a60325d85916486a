// Which interactions train and which test: the latest of each user, or a share drawn at random.

import Datasets

extension Interactions {
  /// Sets the latest item of each user aside (He et al., "Neural Collaborative Filtering", 2017).
  ///
  /// The latest row is the one with the highest time; of rows with equal times, and of all where the data has none, the
  /// last one in the order of the file. Every row of that user with that item leaves the training part, so that no
  /// answer is known beforehand. Users with one distinct item only train.
  ///
  /// - Returns: the training part, with the same vocabularies, and a case for each user with two items or more, by
  ///   place, its candidates open: ``NegativeSampler/candidates(for:negatives:seed:)`` draws them.
  public func leavingOneOut() -> (training: Interactions, heldOut: [HeldOutCase]) {
    let (training, cases) = rowsLeavingOneOut()
    return (rows(training), cases)
  }

  /// The same with the positions of the rows that train.
  func rowsLeavingOneOut() -> (training: [Int], heldOut: [HeldOutCase]) {
    var latest = [Int](repeating: -1, count: users.count)
    var hasSeveralItems = [Bool](repeating: false, count: users.count)
    for row in 0..<count {
      let user = Int(userIndices[row])
      let known = latest[user]
      if known < 0 {
        latest[user] = row
        continue
      }
      if itemIndices[known] != itemIndices[row] { hasSeveralItems[user] = true }
      if timestamps.map({ $0[row] >= $0[known] }) ?? true { latest[user] = row }
    }
    var heldOutItem = [Int32](repeating: -1, count: users.count)
    for user in latest.indices where hasSeveralItems[user] { heldOutItem[user] = itemIndices[latest[user]] }
    let training = (0..<count).filter { heldOutItem[Int(userIndices[$0])] != itemIndices[$0] }
    let cases = heldOutItem.indices.filter { heldOutItem[$0] >= 0 }.map {
      HeldOutCase(user: Int32($0), relevant: [heldOutItem[$0]])
    }
    return (training, cases)
  }

  /// Sets about `fraction` of the distinct pairs of user and item aside, drawn at random, each pair with all its rows.
  ///
  /// No user and no item loses the last pair that trains it, so fewer than `fraction` are set aside where the data is
  /// very sparse.
  ///
  /// - Parameters:
  ///   - fraction: from 0 (none) to below 1.
  ///   - seed: the same seed and interactions give the same split.
  /// - Returns: the training part, with the same vocabularies, and a case for each user of whom something was set aside,
  ///   by place, its candidates open.
  public func holdingOut(fraction: Double, seed: UInt64) -> (training: Interactions, heldOut: [HeldOutCase]) {
    let (training, cases) = rowsHoldingOut(fraction: fraction, seed: seed)
    return (rows(training), cases)
  }

  /// The same with the positions of the rows that train.
  func rowsHoldingOut(fraction: Double, seed: UInt64) -> (training: [Int], heldOut: [HeldOutCase]) {
    precondition(fraction >= 0 && fraction < 1, "a validation split is from 0 to below 1")
    let pairs = InteractionMatrix(self)
    var userOfPair = [Int32](repeating: 0, count: pairs.count)
    for user in 0..<pairs.rowCount {
      for position in pairs.offsets[user]..<pairs.offsets[user + 1] { userOfPair[position] = Int32(user) }
    }
    var leftOfUser = [Int](repeating: 0, count: users.count)
    var leftOfItem = [Int](repeating: 0, count: items.count)
    for position in 0..<pairs.count {
      leftOfUser[Int(userOfPair[position])] += 1
      leftOfItem[Int(pairs.columns[position])] += 1
    }

    var isHeldOut = [Bool](repeating: false, count: pairs.count)
    var left = Int((fraction * Double(pairs.count)).rounded())
    if left > 0 {
      var generator = SeededGenerator(seed: seed)
      for position in generator.permutation(pairs.count) {
        let user = Int(userOfPair[position])
        let item = Int(pairs.columns[position])
        guard leftOfUser[user] > 1, leftOfItem[item] > 1 else { continue }
        leftOfUser[user] -= 1
        leftOfItem[item] -= 1
        isHeldOut[position] = true
        left -= 1
        if left == 0 { break }
      }
    }

    let training = (0..<count).filter { row in
      !isHeldOut[pairs.position(row: Int(userIndices[row]), column: itemIndices[row])!]
    }
    let cases = (0..<pairs.rowCount).compactMap { user -> HeldOutCase? in
      let relevant = (pairs.offsets[user]..<pairs.offsets[user + 1]).filter { isHeldOut[$0] }.map { pairs.columns[$0] }
      return relevant.isEmpty ? nil : HeldOutCase(user: Int32(user), relevant: relevant)
    }
    return (training, cases)
  }

  /// The interactions with the relevant items of cases as further rows, without times: all that is known of the users,
  /// so that none of it is drawn as something they lack.
  func adding(_ cases: [HeldOutCase]) -> Interactions {
    var joint = self
    joint.timestamps = nil
    for heldOut in cases {
      for item in heldOut.relevant {
        joint.userIndices.append(heldOut.user)
        joint.itemIndices.append(item)
        joint.strengths.append(1)
      }
    }
    return joint
  }
}

extension InteractionMatrix {
  /// Where the entry of a row and column is stored, by bisection; nil where there is none.
  func position(row: Int, column: Int32) -> Int? {
    var low = offsets[row]
    var high = offsets[row + 1]
    while low < high {
      let middle = (low + high) / 2
      if columns[middle] < column { low = middle + 1 } else { high = middle }
    }
    return low < offsets[row + 1] && columns[low] == column ? low : nil
  }
}
