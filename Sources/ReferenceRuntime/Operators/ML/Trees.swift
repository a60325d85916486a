// Ensembles of decision trees of `ai.onnx.ml`.

import ONNX
import Tensors

enum Trees {
  static let operators: OperatorTable = [
    "TreeEnsembleRegressor": .one(regressor),
    "TreeEnsembleClassifier": .many(classifier),
    "TreeEnsemble": .one(ensemble),
  ]

  /// How a leaf's weights on one target over all trees become one number.
  private enum Aggregate: String {
    case sum = "SUM"
    case average = "AVERAGE"
    case smallest = "MIN"
    case largest = "MAX"

    func apply(_ weights: [Double], trees: Int) -> Double {
      switch self {
      case .sum: weights.reduce(0, +)
      case .average: weights.reduce(0, +) / Double(trees)
      case .smallest: weights.min() ?? 0
      case .largest: weights.max() ?? 0
      }
    }
  }

  private struct Node {
    enum Test { case atMost, below, atLeast, above, equal, unequal, member }

    var test: Test?
    var feature = 0
    var threshold = 0.0
    var members: [Double] = []
    var missingIsTrue = false
    /// Children: a node, or a leaf.
    var whenTrue = Target.leaf(0)
    var whenFalse = Target.leaf(0)
  }

  private enum Target {
    case node(Int)
    case leaf(Int)
  }

  /// Trees whose leaves carry weights on targets.
  private struct Forest {
    var nodes: [Node] = []
    var roots: [Target] = []
    /// For each leaf, its weights: which target, how much.
    var leaves: [[(target: Int, weight: Double)]] = []

    /// The weights on each target that a sample gathers from all trees.
    func weights(_ call: Call, _ sample: ArraySlice<Double>, targets: Int) throws -> [[Double]] {
      var result = [[Double]](repeating: [], count: targets)
      for root in roots {
        for (target, weight) in leaves[try leaf(call, root, sample)] {
          guard target >= 0, target < targets else { throw call.failure("targets below \(targets), not \(target)") }
          result[target].append(weight)
        }
      }
      return result
    }

    private func leaf(_ call: Call, _ root: Target, _ sample: ArraySlice<Double>) throws -> Int {
      var place = root
      for _ in 0...nodes.count {
        guard case .node(let index) = place else {
          if case .leaf(let leaf) = place, leaves.indices.contains(leaf) { return leaf }
          break
        }
        guard nodes.indices.contains(index) else { break }
        let node = nodes[index]
        guard node.feature >= 0, node.feature < sample.count else {
          throw call.failure("features below \(sample.count), not \(node.feature)")
        }
        place = passes(node, sample[sample.startIndex + node.feature]) ? node.whenTrue : node.whenFalse
      }
      throw call.failure("trees in which every path ends in a leaf")
    }

    private func passes(_ node: Node, _ value: Double) -> Bool {
      if value.isNaN { return node.missingIsTrue || node.test == .unequal }
      switch node.test {
      case .atMost: return value <= node.threshold
      case .below: return value < node.threshold
      case .atLeast: return value >= node.threshold
      case .above: return value > node.threshold
      case .equal: return value == node.threshold
      case .unequal: return value != node.threshold
      case .member: return node.members.contains(value)
      case nil: return true
      }
    }
  }

  private static let tests: [String: Node.Test] = [
    "BRANCH_LEQ": .atMost, "BRANCH_LT": .below, "BRANCH_GTE": .atLeast, "BRANCH_GT": .above, "BRANCH_EQ": .equal,
    "BRANCH_NEQ": .unequal,
  ]

  // MARK: The two older operators

  /// Reads nodes that are named by tree and number; `prefix` is that of the leaves' weights (`target` or `class`).
  private static func forest(_ call: Call, _ prefix: String) throws -> Forest {
    func required(_ name: String) throws -> [Int] {
      guard let values = try call.ints(name) else { throw call.failure("the attribute \(name)") }
      return values
    }
    func numbers(_ name: String) throws -> [Double] {
      if let tensor = try call.tensor(attribute: "\(name)_as_tensor") { return try call.doubles(tensor, name) }
      return try call.floats(attribute: name) ?? []
    }
    let (treeNumbers, nodeNumbers) = (try required("nodes_treeids"), try required("nodes_nodeids"))
    let (features, yes, no) = (
      try required("nodes_featureids"), try required("nodes_truenodeids"), try required("nodes_falsenodeids")
    )
    let thresholds = try numbers("nodes_values")
    let modes = try call.strings(attribute: "nodes_modes")?.map(\.description) ?? []
    let missing = try call.ints("nodes_missing_value_tracks_true") ?? []
    let count = treeNumbers.count
    guard
      [nodeNumbers.count, features.count, yes.count, no.count, thresholds.count, modes.count]
        == Array(repeating: count, count: 6),
      missing.isEmpty || missing.count == count
    else { throw call.failure("nodes_… attributes of one length (\(count))") }

    struct Key: Hashable {
      let tree: Int
      let node: Int
    }
    var places: [Key: Int] = [:]
    for index in 0..<count { places[Key(tree: treeNumbers[index], node: nodeNumbers[index])] = index }
    var forest = Forest(leaves: [[(target: Int, weight: Double)]](repeating: [], count: count))
    func target(_ tree: Int, _ node: Int) throws -> Target {
      guard let index = places[Key(tree: tree, node: node)] else {
        throw call.failure("the node \(node) of tree \(tree), which another node names")
      }
      return modes[index] == "LEAF" ? .leaf(index) : .node(index)
    }
    for index in 0..<count {
      var node = Node()
      if modes[index] != "LEAF" {
        guard let test = tests[modes[index]] else { throw call.failure("a node mode of ONNX, not \"\(modes[index])\"") }
        node.test = test
        node.feature = features[index]
        node.threshold = thresholds[index]
        node.missingIsTrue = !missing.isEmpty && missing[index] != 0
        node.whenTrue = try target(treeNumbers[index], yes[index])
        node.whenFalse = try target(treeNumbers[index], no[index])
      }
      forest.nodes.append(node)
    }
    var seen: Set<Int> = []
    for index in 0..<count where seen.insert(treeNumbers[index]).inserted {
      forest.roots.append(try target(treeNumbers[index], nodeNumbers[index]))
    }
    let (trees, nodes, ids) = (
      try required("\(prefix)_treeids"), try required("\(prefix)_nodeids"), try required("\(prefix)_ids")
    )
    let weights = try numbers("\(prefix)_weights")
    guard nodes.count == trees.count, ids.count == trees.count, weights.count == trees.count else {
      throw call.failure("\(prefix)_… attributes of one length (\(trees.count))")
    }
    for index in trees.indices {
      guard let place = places[Key(tree: trees[index], node: nodes[index])] else {
        throw call.failure("the leaf \(nodes[index]) of tree \(trees[index]), which a weight names")
      }
      forest.leaves[place].append((ids[index], weights[index]))
    }
    return forest
  }

  private static func baseValues(_ call: Call) throws -> [Double] {
    if let tensor = try call.tensor(attribute: "base_values_as_tensor") {
      return try call.doubles(tensor, "base values")
    }
    return try call.floats(attribute: "base_values") ?? []
  }

  private static func regressor(_ call: Call) throws -> Operand {
    let samples = try Samples(call)
    let forest = try forest(call, "target")
    let targets = try call.int("n_targets", default: 1)
    guard targets > 0 else { throw call.failure("n_targets, at least 1") }
    try call.checked([samples.count, targets])
    let name = try call.choice("aggregate_function", default: "SUM", of: ["SUM", "AVERAGE", "MIN", "MAX"])
    let aggregate = Aggregate(rawValue: name) ?? .sum
    let base = try baseValues(call)
    guard base.isEmpty || base.count == targets else { throw call.failure("\(targets) base values, not \(base.count)") }
    let transform = try PostTransform(call)
    let results = try (0..<samples.count).flatMap { sample in
      let weights = try forest.weights(call, samples[sample], targets: targets)
      return transform.apply(
        weights.indices.map {
          aggregate.apply(weights[$0], trees: forest.roots.count) + (base.isEmpty ? 0 : base[$0])
        })
    }
    return Operand(results, [samples.count, targets], .float)
  }

  /// The label with the largest score, and the scores. Where all weights are on one of two classes, that score `s` is
  /// the second class's; the first has `1 - s` where no weight is negative (they are probabilities), else `-s`.
  private static func classifier(_ call: Call) throws -> [Value] {
    let samples = try Samples(call)
    let forest = try forest(call, "class")
    let labels = try ClassLabels(call, integers: "classlabels_int64s")
    let transform = try PostTransform(call)
    let base = try baseValues(call)
    let everyWeight = forest.leaves.joined()
    let single = labels.count == 2 && Set(everyWeight.map(\.target)).count == 1
    let probabilities = everyWeight.allSatisfy { $0.weight >= 0 }
    guard base.isEmpty || base.count == labels.count || single && base.count == 1 else {
      throw call.failure("\(labels.count) base values, not \(base.count)")
    }
    let scores = try (0..<samples.count).map { sample -> [Double] in
      let sums = try forest.weights(call, samples[sample], targets: labels.count).map { $0.reduce(0, +) }
      guard single else { return transform.apply(zip(sums, base.isEmpty ? sums.map { _ in 0 } : base).map { $0 + $1 }) }
      let score = sums.reduce(0, +) + (base.last ?? 0)
      let complement = transform == .none && probabilities || transform == .probit
      return transform.apply([complement ? 1 - score : -score, score])
    }
    return [
      .tensor(labels.picking(scores.map(largest))),
      .tensor(Operand(scores.flatMap { $0 }, [samples.count, labels.count], .float)),
    ]
  }

  // MARK: TreeEnsemble

  /// Nodes and leaves by position, every tree by the position of its root.
  private static func ensemble(_ call: Call) throws -> Operand {
    let samples = try Samples(call)
    let x = try call.operand(0)
    guard x.elementType.isFloatingPoint, let targets = try call.int("n_targets"), targets > 0 else {
      throw call.failure("floating-point samples and n_targets, at least 1")
    }
    let shape = try call.checked([samples.count, targets])
    let forest = try positionedForest(call)
    let aggregates: [Aggregate] = [.average, .sum, .smallest, .largest]
    let transforms: [PostTransform] = [.none, .softmax, .logistic, .softmaxZero, .probit]
    let (aggregate, transform) = (
      try call.int("aggregate_function", default: 1), try call.int("post_transform", default: 0)
    )
    guard aggregates.indices.contains(aggregate), transforms.indices.contains(transform) else {
      throw call.failure("aggregate_function from 0 to 3 and post_transform from 0 to 4")
    }
    let results = try (0..<samples.count).flatMap { sample in
      let weights = try forest.weights(call, samples[sample], targets: targets)
      return transforms[transform].apply(
        weights.map { aggregates[aggregate].apply($0, trees: forest.roots.count) })
    }
    return Operand(results, shape, x.elementType)
  }

  private static func positionedForest(_ call: Call) throws -> Forest {
    func ints(_ name: String) throws -> [Int] {
      guard let values = try call.ints(name) else { throw call.failure("the attribute \(name)") }
      return values
    }
    func numbers(_ name: String) throws -> [Double] {
      guard let tensor = try call.tensor(attribute: name) else { throw call.failure("the tensor attribute \(name)") }
      return try call.doubles(tensor, name)
    }
    let (features, roots) = (try ints("nodes_featureids"), try ints("tree_roots"))
    let (yes, yesIsLeaf) = (try ints("nodes_truenodeids"), try ints("nodes_trueleafs"))
    let (no, noIsLeaf) = (try ints("nodes_falsenodeids"), try ints("nodes_falseleafs"))
    let (modes, splits) = (try numbers("nodes_modes"), try numbers("nodes_splits"))
    let missing = try call.ints("nodes_missing_value_tracks_true") ?? []
    let (leafTargets, leafWeights) = (try ints("leaf_targetids"), try numbers("leaf_weights"))
    let count = features.count
    guard
      [yes.count, yesIsLeaf.count, no.count, noIsLeaf.count, modes.count, splits.count]
        == Array(repeating: count, count: 6),
      missing.isEmpty || missing.count == count, leafTargets.count == leafWeights.count
    else { throw call.failure("nodes_… attributes of one length (\(count)), and leaf_… attributes of one") }
    // Sets of members in the order of their nodes, divided by NaN.
    var sets: [[Double]] = [[]]
    if call.node.attribute("membership_values") != nil {
      for value in try numbers("membership_values") {
        if value.isNaN { sets.append([]) } else { sets[sets.count - 1].append(value) }
      }
    }
    let kinds: [Node.Test] = [.atMost, .below, .atLeast, .above, .equal, .unequal, .member]
    var nextSet = 0
    var forest = Forest(
      roots: roots.map { .node($0) }, leaves: zip(leafTargets, leafWeights).map { [(target: $0, weight: $1)] })
    for index in 0..<count {
      guard let mode = Int(exactly: modes[index]), kinds.indices.contains(mode) else {
        throw call.failure("node modes from 0 to 6, not \(modes[index])")
      }
      var node = Node(test: kinds[mode], feature: features[index], threshold: splits[index])
      if kinds[mode] == .member {
        guard nextSet < sets.count else { throw call.failure("membership_values for every BRANCH_MEMBER node") }
        node.members = sets[nextSet]
        nextSet += 1
      }
      node.missingIsTrue = !missing.isEmpty && missing[index] != 0
      node.whenTrue = yesIsLeaf[index] != 0 ? .leaf(yes[index]) : .node(yes[index])
      node.whenFalse = noIsLeaf[index] != 0 ? .leaf(no[index]) : .node(no[index])
      forest.nodes.append(node)
    }
    return forest
  }
}
