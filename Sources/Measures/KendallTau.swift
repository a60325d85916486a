// Kendall's rank correlation, with ties.

/// Kendall's τ-b of two rankings of the same things:
/// `(C - D) / √((n₀ - n₁)(n₀ - n₂))`, where `C` and `D` count the concordant and discordant pairs of things,
/// `n₀ = n(n-1)/2`, and `n₁`, `n₂` count the pairs tied in `x` and in `y`.
///
/// By Knight's method (JASA 61, 1966): sort by `x`, then count the exchanges that a merge sort by `y` needs, in
/// O(n log n). Agrees with `scipy.stats.kendalltau`.
///
/// - Returns: between -1 and 1; nil where one ranking ties everything, or there are fewer than two things.
/// - Precondition: both have as many elements.
public func kendallTau(_ x: [Double], _ y: [Double]) -> Double? {
  precondition(x.count == y.count, "rankings of \(x.count) and \(y.count) things")
  guard x.count > 1, !x.contains(where: \.isNaN), !y.contains(where: \.isNaN) else { return nil }
  let order = x.indices.sorted { (x[$0], y[$0]) < (x[$1], y[$1]) }
  var values = order.map { y[$0] }

  func tiedPairs(_ isTied: (Int, Int) -> Bool) -> Int {
    var pairs = 0
    var run = 1
    for position in 1..<order.count {
      if isTied(position - 1, position) {
        pairs += run
        run += 1
      } else {
        run = 1
      }
    }
    return pairs
  }
  let tiedInX = tiedPairs { x[order[$0]] == x[order[$1]] }
  let tiedInBoth = tiedPairs { x[order[$0]] == x[order[$1]] && values[$0] == values[$1] }
  let discordant = exchangesToSort(&values)
  let tiedInY = tiedPairs { values[$0] == values[$1] }

  let all = x.count * (x.count - 1) / 2
  guard all > tiedInX, all > tiedInY else { return nil }
  let concordantMinusDiscordant = all - tiedInX - tiedInY + tiedInBoth - 2 * discordant
  let tau = Double(concordantMinusDiscordant) / Double(all - tiedInX).squareRoot() / Double(all - tiedInY).squareRoot()
  return min(max(tau, -1), 1)  // The roots round.
}

/// Kendall's τ-b between preferences and score differences, each pair taken in both directions
/// (`(y, d)` and `(-y, -d)`): which of two items was called A then makes no difference, and the value exists as soon
/// as one pair has a winner.
///
/// - Returns: 1 where every winner's difference is above every tie's and every loser's; nil where no pair has a winner
///   or all differences are 0.
/// - Precondition: as many labels as differences.
public func preferenceTau(differences: [Float], labels: [Int]) -> Double? {
  kendallTau(
    labels.map(Double.init) + labels.map { -Double($0) },
    differences.map(Double.init) + differences.map { -Double($0) })
}

/// Sorts by merging from the bottom up and returns how many neighbours a bubble sort would have exchanged.
private func exchangesToSort(_ values: inout [Double]) -> Int {
  var exchanges = 0
  var source = values
  var target = values
  var width = 1
  while width < source.count {
    for start in stride(from: 0, to: source.count, by: 2 * width) {
      let middle = min(start + width, source.count)
      let end = min(start + 2 * width, source.count)
      var left = start
      var right = middle
      for position in start..<end {
        if left < middle, right == end || source[left] <= source[right] {
          target[position] = source[left]
          left += 1
        } else {
          target[position] = source[right]
          exchanges += middle - left
          right += 1
        }
      }
    }
    swap(&source, &target)
    width *= 2
  }
  values = source
  return exchanges
}
