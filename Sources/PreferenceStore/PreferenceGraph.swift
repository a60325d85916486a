// The answers as a directed graph, from the preferred item to the other: where it runs in circles.

/// Who was preferred to whom. Of several answers about the same two items the majority counts; where they balance, and
/// where the items were called equal, there is no edge.
struct PreferenceGraph {
  /// The items that any edge touches, by name.
  let names: [String]
  /// For each item the items that it was preferred to, ascending.
  let worse: [[Int]]

  init(_ pairs: some Sequence<StoredPair>) {
    var balance: [NamePair: Int] = [:]
    for pair in pairs {
      let key = NamePair(pair.itemA, pair.itemB)
      balance[key, default: 0] += pair.itemA == key.low ? pair.label.rawValue : -pair.label.rawValue
    }
    let edges = balance.filter { $0.value != 0 }.map { key, votes in
      votes > 0 ? (better: key.low, worse: key.high) : (better: key.high, worse: key.low)
    }
    let names = Set(edges.flatMap { [$0.better, $0.worse] }).sorted()
    let place = Dictionary(uniqueKeysWithValues: names.enumerated().map { ($1, $0) })
    var worse = [[Int]](repeating: [], count: names.count)
    for edge in edges { worse[place[edge.better]!].append(place[edge.worse]!) }
    self.names = names
    self.worse = worse.map { $0.sorted() }
  }

  /// The groups of items of which each is preferred, over some steps, to each other: the strongly connected components
  /// with more than one item, by Tarjan's algorithm ("Depth-first search and linear graph algorithms", 1972), with the
  /// stack kept by hand, so that a long chain of answers can't overflow the machine's.
  func components() -> [[Int]] {
    var index = [Int](repeating: -1, count: names.count)
    var low = [Int](repeating: 0, count: names.count)
    var isOnStack = [Bool](repeating: false, count: names.count)
    var stack: [Int] = []
    var path: [(node: Int, nextEdge: Int)] = []
    var counter = 0
    var found: [[Int]] = []
    func enter(_ node: Int) {
      (index[node], low[node]) = (counter, counter)
      counter += 1
      stack.append(node)
      isOnStack[node] = true
      path.append((node, 0))
    }
    for root in names.indices where index[root] < 0 {
      enter(root)
      while let (node, edge) = path.last {
        if edge < worse[node].count {
          path[path.count - 1].nextEdge += 1
          let next = worse[node][edge]
          if index[next] < 0 { enter(next) } else if isOnStack[next] { low[node] = min(low[node], index[next]) }
          continue
        }
        path.removeLast()
        if let parent = path.last?.node { low[parent] = min(low[parent], low[node]) }
        guard low[node] == index[node] else { continue }
        var component: [Int] = []
        while let member = stack.popLast() {
          isOnStack[member] = false
          component.append(member)
          if member == node { break }
        }
        if component.count > 1 { found.append(component.sorted()) }
      }
    }
    return found.sorted { $0[0] < $1[0] }
  }

  /// A shortest circle within a component, starting with its first name: `a > b > c (> a)`.
  func shortestCycle(in component: [Int]) -> [Int] {
    let members = Set(component)
    var best: [Int] = []
    // A search from every item of a huge component would be quadratic; from some of them a short circle is found too.
    for start in component.prefix(256) {
      let cycle = cycle(from: start, within: members, shorterThan: best.isEmpty ? Int.max : best.count)
      if !cycle.isEmpty { best = cycle }
      if best.count == 3 { break }  // two items can't form a circle: only the majority of their answers counts
    }
    guard let first = best.indices.min(by: { best[$0] < best[$1] }) else { return best }
    return Array(best[first...] + best[..<first])
  }

  /// A shortest way from `start` back to it, breadth first.
  private func cycle(from start: Int, within members: Set<Int>, shorterThan limit: Int) -> [Int] {
    var cameFrom: [Int: Int] = [:]
    var frontier = [start]
    var length = 1
    while !frontier.isEmpty, length < limit {
      var next: [Int] = []
      for node in frontier {
        for neighbour in worse[node] where members.contains(neighbour) {
          if neighbour == start {
            var way = [node]
            while let last = way.last, last != start, let before = cameFrom[last] { way.append(before) }
            return way.reversed()
          }
          if cameFrom[neighbour] == nil {
            cameFrom[neighbour] = node
            next.append(neighbour)
          }
        }
      }
      frontier = next
      length += 1
    }
    return []
  }
}

/// Two names in no order.
struct NamePair: Hashable {
  let low: String
  let high: String

  init(_ a: String, _ b: String) { (low, high) = a < b ? (a, b) : (b, a) }
}
