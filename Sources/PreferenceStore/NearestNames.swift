// Names like the one that was mistyped.

/// Finds, among known names, those that a person may have meant.
public enum NearestNames {
  /// At most `limit` of `names`, nearest to `name` first: by edit distance without regard to case, where that is at
  /// most a third of the name's length (and at least 2); then in the order of `names`.
  public static func nearest(to name: String, among names: some Sequence<String>, limit: Int = 3) -> [String] {
    let target = Array(name.lowercased().unicodeScalars)
    let tolerance = max(2, target.count / 3)
    var found: [(distance: Int, name: String)] = []
    for candidate in names {
      let scalars = Array(candidate.lowercased().unicodeScalars)
      guard abs(scalars.count - target.count) <= tolerance else { continue }
      let distance = editDistance(target, scalars)
      guard distance <= tolerance else { continue }
      // Insertion keeps the few best in order; equal distances stay in the order in which they came.
      let place = found.firstIndex { distance < $0.distance } ?? found.count
      if place < limit {
        found.insert((distance, candidate), at: place)
        if found.count > limit { found.removeLast() }
      }
    }
    return found.map(\.name)
  }

  /// The fewest insertions, deletions, substitutions and exchanges of neighbours that make `b` of `a` (the restricted
  /// form of Damerau's and Levenshtein's distance: no part is edited twice).
  static func editDistance(_ a: [Unicode.Scalar], _ b: [Unicode.Scalar]) -> Int {
    if a.isEmpty || b.isEmpty { return max(a.count, b.count) }
    var beforeLast = [Int](repeating: 0, count: b.count + 1)
    var last = Array(0...b.count)
    var row = last
    for i in 1...a.count {
      row[0] = i
      for j in 1...b.count {
        let cost = a[i - 1] == b[j - 1] ? 0 : 1
        row[j] = min(last[j] + 1, row[j - 1] + 1, last[j - 1] + cost)
        if i > 1, j > 1, a[i - 1] == b[j - 2], a[i - 2] == b[j - 1] { row[j] = min(row[j], beforeLast[j - 2] + 1) }
      }
      (beforeLast, last, row) = (last, row, beforeLast)
    }
    return last[b.count]
  }
}
