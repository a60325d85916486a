// The vocabulary as a tree of bytes, walked one byte at a time.

/// A double-array trie (Aoe, "An Efficient Digital Search Algorithm by Using a Double-Array Structure", 1989) over the
/// UTF-8 bytes of the tokens: the child of node `n` by byte `b` is the node `base[n] + b`, if its `parent` is `n`.
final class PieceTrie: Sendable {
  struct Node {
    /// Where the children are, by byte; 0 where there are none.
    var base: Int32 = 0
    var parent: Int32 = -1
    /// The id of the token that ends here, -1 where none does.
    var id: Int32 = -1
  }

  static let root: Int32 = 0
  private nonisolated(unsafe) let nodes: UnsafeMutablePointer<Node>

  /// - Parameters:
  ///   - tokens: the tokens' bytes, all different.
  ///   - order: the tokens' numbers, sorted by their bytes.
  init(_ tokens: TokenBytes, order: [Int32]) {
    var building = Building(tokens, order)
    building.build()
    nodes = .allocate(capacity: building.nodes.count)
    nodes.initialize(from: building.nodes, count: building.nodes.count)
  }

  deinit { nodes.deallocate() }

  /// The child of a node by a byte, -1 where there is none.
  @inline(__always)
  func child(of node: Int32, by byte: UInt8) -> Int32 {
    let place = nodes[Int(node)].base &+ Int32(byte)
    return nodes[Int(place)].parent == node ? place : -1
  }

  /// The id of the token that ends at a node, -1 where none does.
  @inline(__always)
  func id(at node: Int32) -> Int32 { nodes[Int(node)].id }

  /// The node that these bytes lead to, -1 where there is none.
  func node(_ bytes: some Sequence<UInt8>) -> Int32 {
    var node = Self.root
    for byte in bytes {
      node = child(of: node, by: byte)
      if node < 0 { return -1 }
    }
    return node
  }
}

/// The trie while it is made. Places are taken from the front; where little is free, the search starts further on.
private struct Building {
  private let tokens: TokenBytes
  private let order: [Int32]
  private(set) var nodes = [PieceTrie.Node](repeating: .init(), count: 512)
  /// Before this place almost nothing is free.
  private var firstFree = 1

  init(_ tokens: TokenBytes, _ order: [Int32]) {
    self.tokens = tokens
    self.order = order
  }

  /// Tokens of one beginning, whose children are still to be placed.
  private struct Task {
    var node: Int32
    var range: Range<Int>
    var depth: Int
  }

  mutating func build() {
    // The root is nobody's child, also not by the byte 0 of a node whose children begin at 0.
    nodes[0].parent = -2
    var tasks = [Task(node: PieceTrie.root, range: 0..<order.count, depth: 0)]
    while let task = tasks.popLast() {
      var range = task.range
      // A token that ends here is the first in order.
      if let first = range.first, tokens.count(Int(order[first])) == task.depth {
        nodes[Int(task.node)].id = order[first]
        range.removeFirst()
      }
      let children = children(range, task.depth)
      guard !children.isEmpty else { continue }
      let base = place(for: children.map { Int($0.byte) })
      nodes[Int(task.node)].base = Int32(base)
      for child in children {
        nodes[base + Int(child.byte)].parent = task.node
        tasks.append(Task(node: Int32(base + Int(child.byte)), range: child.range, depth: task.depth + 1))
      }
    }
  }

  private func children(_ range: Range<Int>, _ depth: Int) -> [(byte: UInt8, range: Range<Int>)] {
    var children: [(byte: UInt8, range: Range<Int>)] = []
    for index in range {
      let byte = tokens.byte(Int(order[index]), at: depth)
      if let last = children.last, last.byte == byte {
        children[children.count - 1].range = last.range.lowerBound..<index + 1
      } else {
        children.append((byte, index..<index + 1))
      }
    }
    return children
  }

  /// The first base at which the places of all these bytes are free.
  private mutating func place(for bytes: [Int]) -> Int {
    makeRoom(firstFree)
    while nodes[firstFree].parent != -1 {
      firstFree += 1
      makeRoom(firstFree)
    }
    let start = max(firstFree, bytes[0] + 1)
    var position = start
    var taken = 0
    while true {
      makeRoom(position)
      let base = position - bytes[0]
      if nodes[position].parent != -1 {
        taken += 1
      } else if bytes.allSatisfy({ nodes[base + $0].parent == -1 }) {
        // Nineteen of twenty places that were looked at are taken: do not look at them again.
        if taken * 20 > (position - start + 1) * 19 { firstFree = position }
        return base
      }
      position += 1
    }
  }

  /// Every base has room for all bytes behind it, so that a look-up needs no bound.
  private mutating func makeRoom(_ position: Int) {
    if position + 512 > nodes.count { nodes.append(contentsOf: repeatElement(.init(), count: nodes.count)) }
  }
}
