// The best of many scores.

/// The places of the `count` largest scores, largest first; of equal ones the lower place first. NaN counts as the
/// least.
///
/// One pass, with the best so far kept in order: most scores fail one comparison with the least of them.
/// - Parameter hidden: places that are passed over, ascending.
func topPlaces(_ scores: UnsafeBufferPointer<Float>, count: Int, leavingOut hidden: ArraySlice<Int32>) -> [Int] {
  guard count > 0 else { return [] }
  var best: [Int] = []
  best.reserveCapacity(min(count, scores.count) + 1)
  var bar = -Float.infinity
  var next = hidden.startIndex
  for place in scores.indices {
    if next < hidden.endIndex, Int(hidden[next]) == place {
      next += 1
      continue
    }
    let score = scores[place].isNaN ? -.infinity : scores[place]
    if best.count == count, score <= bar { continue }
    var low = 0
    var high = best.count
    while low < high {
      let middle = (low + high) / 2
      if scores[best[middle]] >= score { low = middle + 1 } else { high = middle }
    }
    best.insert(place, at: low)
    if best.count > count { best.removeLast() }
    if best.count == count { bar = scores[best[count - 1]] }
  }
  return best
}
