// Alternating least squares as an algorithm: against another library, and against its own definition.

import Datasets
import Foundation
import Recommendation
import Tensors
import Testing

/// What `implicit` made of a small matrix; see `tools/peers/make_als_reference.py`.
private struct ImplicitReference: Decodable {
  let users: Int
  let items: Int
  let factors: Int
  let regularization: Float
  let entries: [[Double]]
  let userFactors: [Float]
  let itemFactors: [Float]
  let choleskyLosses: [Double]
  let conjugateGradientLosses: [Double]

  static let recorded: ImplicitReference = {
    let path = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .appendingPathComponent("Resources/implicit_als.json")
    let decoder = JSONDecoder()
    decoder.keyDecodingStrategy = .convertFromSnakeCase
    return try! decoder.decode(ImplicitReference.self, from: Data(contentsOf: path))
  }()

  /// The same problem in our settings: `c = 1 + strength`, and the same regularisation for every row.
  var matrix: InteractionMatrix {
    InteractionMatrix(
      rows: entries.map { Int32($0[0]) }, columns: entries.map { Int32($0[1]) },
      values: entries.map { Float($0[2]) - 1 }, rowCount: users, columnCount: items)
  }

  var settings: ALSSettings {
    var settings = ALSSettings()
    settings.factors = factors
    settings.regularization = regularization
    settings.unobservedWeight = 1
    settings.alpha = 1
    settings.frequencyScaling = 0
    return settings
  }

  var start: [String: Tensor] {
    [
      "user_factors.weight": Tensor(userFactors, shape: [users, factors]),
      "item_factors.weight": Tensor(itemFactors, shape: [items, factors]),
    ]
  }
}

/// Users by items with three tastes in it: users of a taste mostly turn to that taste's items.
func tastefulMatrix(
  users: Int = 60, items: Int = 45, perUser: Int = 9, seed: UInt64 = 3, strengths: Bool = false
) -> InteractionMatrix {
  var generator = SeededGenerator(seed: seed)
  var rows: [Int32] = []
  var columns: [Int32] = []
  for user in 0..<users {
    for _ in 0..<perUser {
      let taste = generator.uniform() < 0.8 ? user % 3 : generator.below(3)
      rows.append(Int32(user))
      columns.append(Int32(generator.below(items / 3) * 3 + taste))
    }
  }
  let merged = InteractionMatrix(
    rows: rows, columns: columns, values: rows.map { _ in 1 }, rowCount: users, columnCount: items)
  return InteractionMatrix(
    rowCount: users, columnCount: items, offsets: merged.offsets, columns: merged.columns,
    values: merged.columns.map { strengths ? 1 + Float($0 % 4) * 0.5 : 1 })
}

/// The loss of `ALSSettings`, entry by entry in double precision.
private func loss(_ matrix: InteractionMatrix, _ parameters: [String: Tensor], _ settings: ALSSettings) -> Double {
  let x: [Float] = parameters["user_factors.weight"]!.elements()
  let y: [Float] = parameters["item_factors.weight"]!.elements()
  let (f, a) = (settings.factors, Double(settings.unobservedWeight))
  var itemCounts = [Int](repeating: 0, count: matrix.columnCount)
  for column in matrix.columns { itemCounts[Int(column)] += 1 }
  func lambda(_ entries: Int, _ others: Int) -> Double {
    Double(settings.regularization) * pow(Double(entries) + a * Double(others), Double(settings.frequencyScaling))
  }
  func square(_ table: [Float], _ row: Int) -> Double {
    table[row * f..<(row + 1) * f].reduce(0) { $0 + Double($1) * Double($1) }
  }
  var value = 0.0
  for user in 0..<matrix.rowCount {
    var strengths: [Int: Double] = [:]
    for entry in matrix.offsets[user]..<matrix.offsets[user + 1] {
      strengths[Int(matrix.columns[entry])] = Double(matrix.values[entry])
    }
    value += lambda(strengths.count, matrix.columnCount) * square(x, user)
    for item in 0..<matrix.columnCount {
      let score = (0..<f).reduce(0.0) { $0 + Double(x[user * f + $1]) * Double(y[item * f + $1]) }
      if let strength = strengths[item] {
        value += (a + Double(settings.alpha) * strength) * (1 - score) * (1 - score)
      } else {
        value += a * score * score
      }
    }
  }
  for item in 0..<matrix.columnCount { value += lambda(itemCounts[item], matrix.rowCount) * square(y, item) }
  return value
}

@Suite("Alternating least squares")
struct ALSSolverTests {
  @Test("has at most implicit's loss after each iteration from the same start", arguments: ALSSettings.Solver.allCases)
  func implicit(solver: ALSSettings.Solver) throws {
    let reference = ImplicitReference.recorded
    var settings = reference.settings
    settings.solver = solver
    let als = try ALSSolver(reference.matrix, settings: settings, parameters: reference.start)
    let theirs = solver == .cholesky ? reference.choleskyLosses : reference.conjugateGradientLosses
    for expected in theirs {
      let reported = try als.iterate()
      let found = loss(reference.matrix, als.parameters, settings)
      #expect(found <= expected * (1 + 1e-5))
      #expect(abs(found - expected) <= expected * 1e-3)
      #expect(abs(reported - found) <= found * 1e-5)
    }
  }

  @Test("reports the loss of its definition, which falls at each iteration")
  func lossFalls() throws {
    for (block, scaling, strengths) in [(nil, 0, false), (nil, 1, true), (4, 0.5, true), (5, 0.25, false)]
      as [(Int?, Float, Bool)]
    {
      let matrix = tastefulMatrix(strengths: strengths)
      var settings = ALSSettings()
      settings.factors = 12
      settings.regularization = 0.05
      settings.frequencyScaling = scaling
      settings.blockSize = block
      let als = try ALSSolver(matrix, settings: settings)
      var last = Double.infinity
      for _ in 0..<8 {
        let reported = try als.iterate()
        #expect(reported < last)
        #expect(abs(reported - loss(matrix, als.parameters, settings)) < 1e-4 * reported)
        last = reported
      }
    }
  }

  @Test("gives the same bits on any number of threads, and others for another seed")
  func threads() throws {
    func factors(threads: Int, seed: UInt64 = 42) throws -> Tensor {
      var settings = ALSSettings()
      settings.factors = 20
      settings.threads = threads
      settings.seed = seed
      let als = try ALSSolver(tastefulMatrix(users: 900, items: 300, perUser: 30), settings: settings)
      for _ in 0..<2 { _ = try als.iterate() }
      return als.parameters["item_factors.weight"]!
    }
    let one = try factors(threads: 1)
    #expect(try factors(threads: 2) == one)
    #expect(try factors(threads: 3) == one)
    #expect(try factors(threads: 1, seed: 43) != one)
  }

  @Test("solves for many factors in blocks to the same loss as at once")
  func blocks() throws {
    let matrix = tastefulMatrix()
    var settings = ALSSettings()
    settings.factors = 24
    settings.iterations = 30
    func final() throws -> Double {
      let als = try ALSSolver(matrix, settings: settings)
      var value = 0.0
      for _ in 0..<settings.iterations { value = try als.iterate() }
      return value
    }
    let exact = try final()
    settings.blockSize = 8
    #expect(abs(try final() - exact) < 0.01 * exact)
  }

  @Test("keeps users and items without interactions at zero, and one user and one item apart from the rest")
  func edges() throws {
    var settings = ALSSettings()
    settings.factors = 3
    let lonely = InteractionMatrix(rows: [0], columns: [0], values: [1], rowCount: 1, columnCount: 1)
    #expect(try ALSSolver(lonely, settings: settings).iterate().isFinite)
    let sparse = InteractionMatrix(rows: [1], columns: [2], values: [1], rowCount: 3, columnCount: 4)
    let als = try ALSSolver(sparse, settings: settings)
    for _ in 0..<3 { _ = try als.iterate() }
    let users: [Float] = als.parameters["user_factors.weight"]!.elements()
    let items: [Float] = als.parameters["item_factors.weight"]!.elements()
    #expect(users[0..<3].allSatisfy { $0 == 0 } && users[6..<9].allSatisfy { $0 == 0 })
    #expect(items[0..<6].allSatisfy { $0 == 0 } && items[9..<12].allSatisfy { $0 == 0 })
  }

  @Test("a folded-in user gets the factors that the next half-step gives the same user of the training")
  func foldIn() throws {
    let matrix = tastefulMatrix(strengths: true)
    var settings = ALSSettings()
    settings.factors = 10
    let als = try ALSSolver(matrix, settings: settings)
    for _ in 0..<3 { _ = try als.iterate() }
    let itemFactors = als.parameters["item_factors.weight"]!
    let foldIn = try ALSFoldIn(itemFactors: itemFactors, settings: settings)
    _ = try als.iterate()
    let next: [Float] = als.parameters["user_factors.weight"]!.elements()
    for user in [0, 17, 59] {
      let range = matrix.offsets[user]..<matrix.offsets[user + 1]
      // In any order.
      let found = try foldIn.factors(
        ofSeen: matrix.columns[range].reversed(), strengths: matrix.values[range].reversed())
      for (a, b) in zip(found, next[user * 10..<(user + 1) * 10]) { #expect(abs(a - b) < 1e-5) }
    }
    #expect(try foldIn.factors(ofSeen: []) == [Float](repeating: 0, count: 10))
    #expect(throws: RecommendationError.unknownPlaces([45, -1], of: "items", count: 45)) {
      try foldIn.factors(ofSeen: [3, 45, -1])
    }
    // What a user of taste 1 has seen ranks that taste's other items first.
    let scores = ALSFoldIn.scores(of: try foldIn.factors(ofSeen: [1, 4, 7, 10]), itemFactors: itemFactors)
    #expect(scores.count == 45)
    let best = scores.indices.sorted { scores[$0] > scores[$1] }.prefix(12)
    #expect(best.count { $0 % 3 == 1 } >= 10)
  }
}
