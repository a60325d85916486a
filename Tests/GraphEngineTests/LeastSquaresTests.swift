// Half-steps of alternating least squares: against the same equations solved in double precision.

import GraphEngine
import ONNX
import Tensors
import Testing

/// A half-step with random numbers, and its answer by elimination.
private struct HalfStepProblem: CustomStringConvertible {
  let factors: Int
  var rows = 9
  let others: Int
  var unobserved: Float = 0.3
  var offsets: [Int64] = [0]
  var columns: [Int32] = []
  var confidences: [Float] = []
  var regularization: [Float] = []
  let x: [Float]
  let y: [Float]

  var description: String { "\(factors) factors, \(confidences.count) confidences for \(columns.count) entries" }

  /// Rows of 0, 1, a few, and more entries than a panel has.
  init(factors: Int, uniform: Bool = false, others: Int = 150) {
    self.factors = factors
    self.others = others
    var generator = TestNumbers(seed: UInt64(factors))
    for row in 0..<rows {
      let count = [0, 1, 5, others, 70, 64, 3, 129, 20][row]
      let start = Int(generator.next() % UInt64(others))
      columns += (0..<min(count, others)).map { Int32((start + $0) % others) }.sorted()
      offsets.append(Int64(columns.count))
      regularization.append(0.1 + Float(row) * 0.05)
    }
    // Some below the unobserved weight: then an entry takes away from what all rows share.
    confidences = uniform ? [1.5] : generator.floats(columns.count, in: 0.1...3)
    x = generator.floats(rows * factors, in: -1...1)
    y = generator.floats(others * factors, in: -1...1)
  }

  func other(_ row: Int) -> [Double] { y[row * factors..<(row + 1) * factors].map(Double.init) }

  func confidence(_ entry: Int) -> Double { Double(confidences.count == 1 ? confidences[0] : confidences[entry]) }

  /// The row's matrix and right-hand side.
  func equations(_ row: Int) -> (matrix: [[Double]], right: [Double]) {
    var matrix = [[Double]](repeating: [Double](repeating: 0, count: factors), count: factors)
    var right = [Double](repeating: 0, count: factors)
    func add(_ weight: Double, _ values: [Double]) {
      for i in 0..<factors { for j in 0..<factors { matrix[i][j] += weight * values[i] * values[j] } }
    }
    for index in 0..<others { add(Double(unobserved), other(index)) }
    for entry in Int(offsets[row])..<Int(offsets[row + 1]) {
      let values = other(Int(columns[entry]))
      add(confidence(entry) - Double(unobserved), values)
      for i in 0..<factors { right[i] += confidence(entry) * values[i] }
    }
    for i in 0..<factors { matrix[i][i] += Double(regularization[row]) }
    return (matrix, right)
  }

  /// By elimination with pivots.
  func solution(_ row: Int) -> [Double] {
    var (a, b) = equations(row)
    for step in 0..<factors {
      let pivot = (step..<factors).max { abs(a[$0][step]) < abs(a[$1][step]) }!
      a.swapAt(step, pivot)
      b.swapAt(step, pivot)
      for i in step + 1..<max(factors, step + 1) where a[i][step] != 0 {
        let ratio = a[i][step] / a[step][step]
        for j in step..<factors { a[i][j] -= ratio * a[step][j] }
        b[i] -= ratio * b[step]
      }
    }
    for i in (0..<factors).reversed() {
      for j in i + 1..<max(factors, i + 1) { b[i] -= a[i][j] * b[j] }
      b[i] /= a[i][i]
    }
    return b
  }

  /// The row's part of the loss, entry by entry as Hu, Koren and Volinsky write it.
  func objective(_ row: Int, at x: [Double]) -> Double {
    var value = Double(regularization[row]) * x.reduce(0) { $0 + $1 * $1 }
    var seen: [Int: Double] = [:]
    for entry in Int(offsets[row])..<Int(offsets[row + 1]) { seen[Int(columns[entry])] = confidence(entry) }
    for index in 0..<others {
      let score = zip(x, other(index)).reduce(0) { $0 + $1.0 * $1.1 }
      if let confidence = seen[index] {
        value += confidence * (1 - score) * (1 - score)
      } else {
        value += Double(unobserved) * score * score
      }
    }
    return value
  }

  func model(_ attributes: [Attribute]) -> Model {
    let graph = Graph(
      name: "half_step",
      nodes: [
        Node("GramMatrix", domain: trainingDomain, inputs: ["y"], outputs: ["gram"], attributes: attributes),
        Node(
          "LeastSquares", domain: trainingDomain,
          inputs: ["x", "y", "gram", "offsets", "columns", "confidences", "regularization"],
          outputs: ["updated", "objective"], attributes: attributes + [Attribute("unobserved", .float(unobserved))]),
      ],
      initializers: [
        Initializer("x", Tensor(x, shape: [rows, factors])), Initializer("y", Tensor(y, shape: [others, factors])),
        Initializer("offsets", Tensor(offsets)), Initializer("columns", Tensor(columns)),
        Initializer("confidences", Tensor(confidences)), Initializer("regularization", Tensor(regularization)),
      ], outputs: [ValueInfo("updated", nil), ValueInfo("objective", nil)])
    return Model(operatorSets: [OperatorSet(version: 17)], graph: graph)
  }

  func run(
    _ attributes: [Attribute] = [], threads: Int = 1, rounds: Int = 1
  ) throws -> (x: [[Double]], objective: [Double]) {
    let session = try Session(model(attributes), options: .init(threads: threads, variables: ["x"]))
    var results: [String: Tensor] = [:]
    for _ in 0..<rounds { results = try session.run([:]) }
    let x: [Float] = results["updated"]!.elements()
    return (
      (0..<rows).map { row in x[row * factors..<(row + 1) * factors].map(Double.init) },
      results["objective"]!.elements()
    )
  }
}

private let kernels =
  ["portable"] + (LeastSquaresKernels.avx2 == nil ? [] : ["AVX2"]) + [LeastSquaresKernels.best.name]

@Suite("A half-step of alternating least squares")
struct LeastSquaresTests {
  @Test(
    "solves each row's equations, whatever its length",
    arguments: [1, 2, 3, 4, 7, 8, 15, 16, 17, 31, 33, 50, 60, 64, 70])
  func exact(factors: Int) throws {
    for uniform in [true, false] {
      let problem = HalfStepProblem(factors: factors, uniform: uniform)
      for name in kernels {
        let found = try problem.run([Attribute("kernels", .string(ByteString(name.utf8)))])
        for row in 0..<problem.rows {
          let expected = problem.solution(row)
          #expect(difference(found.x[row], expected) < 2e-5, "\(name), \(problem), row \(row)")
          let value = problem.objective(row, at: expected)
          #expect(difference([found.objective[row]], [value]) < 1e-5, "\(name), \(problem), row \(row)")
        }
      }
    }
  }

  @Test("wider than a tile, by blocks of columns, is solved as well")
  func manyFactors() throws {
    let problem = HalfStepProblem(factors: 150, others: 200)
    for name in kernels {
      let found = try problem.run([Attribute("kernels", .string(ByteString(name.utf8)))])
      for row in [0, 2, 3] { #expect(difference(found.x[row], problem.solution(row)) < 1e-4, "\(name), row \(row)") }
    }
  }

  @Test("reads nothing beyond a table of fewer rows than a vector has lanes", arguments: [1, 2, 3, 5])
  func fewOthers(count: Int) throws {
    for factors in [1, 3, 5] {
      let problem = HalfStepProblem(factors: factors, others: count)
      for name in kernels {
        let found = try problem.run([Attribute("kernels", .string(ByteString(name.utf8)))])
        for row in 0..<problem.rows { #expect(difference(found.x[row], problem.solution(row)) < 2e-5) }
      }
    }
  }

  @Test("gives the same bits on one, two and three threads")
  func threads() throws {
    for attributes in [[], [Attribute("block", .int(16))], [Attribute("steps", .int(3))]] {
      var problem = HalfStepProblem(factors: 36)
      // Enough rows that the tasks of the threads differ.
      let copies = 60
      let (offsets, columns, confidences) = (problem.offsets, problem.columns, problem.confidences)
      for copy in 1..<copies {
        problem.offsets += offsets.dropFirst().map { $0 + Int64(copy * columns.count) }
        problem.columns += columns
        problem.confidences += confidences
      }
      let rows = problem.rows * copies
      var generator = TestNumbers(seed: 5)
      let x = generator.floats(rows * 36)
      var results: [[Float]] = []
      for threads in 1...3 {
        var model = problem.model(attributes)
        model = model.replacing([
          "x": Tensor(x, shape: [rows, 36]), "regularization": Tensor([Float](repeating: 0.2, count: rows)),
        ])
        let session = try Session(model, options: .init(threads: threads, variables: ["x"]))
        results.append(try session.run([:])["updated"]!.elements())
      }
      #expect(results[0] == results[1])
      #expect(results[0] == results[2])
    }
  }

  @Test("by conjugate gradient comes to the exact solution, and says the loss where it stands")
  func conjugateGradient() throws {
    for uniform in [true, false] {
      let problem = HalfStepProblem(factors: 19, uniform: uniform)
      for name in kernels {
        let attributes = [Attribute("kernels", .string(ByteString(name.utf8)))]
        let few = try problem.run(attributes + [Attribute("steps", .int(2))])
        let many = try problem.run(attributes + [Attribute("steps", .int(40))])
        for row in 0..<problem.rows {
          let start = problem.x[row * 19..<(row + 1) * 19].map(Double.init)
          let value = problem.objective(row, at: few.x[row])
          #expect(value < problem.objective(row, at: start))
          #expect(difference([few.objective[row]], [value]) < 1e-4)
          #expect(difference(many.x[row], problem.solution(row)) < 1e-4, "\(name), \(problem), row \(row)")
        }
      }
    }
  }

  @Test("in blocks lowers the loss each round, and comes to the exact solution", arguments: [3, 8, 20, 32])
  func blocks(size: Int) throws {
    for uniform in [true, false] {
      let problem = HalfStepProblem(factors: 37, uniform: uniform)
      for name in kernels {
        let attributes = [Attribute("kernels", .string(ByteString(name.utf8))), Attribute("block", .int(Int64(size)))]
        var last = (0..<problem.rows).map { row in
          problem.objective(row, at: problem.x[row * 37..<(row + 1) * 37].map(Double.init))
        }
        for rounds in 1...3 {
          let found = try problem.run(attributes, rounds: rounds)
          for row in 0..<problem.rows {
            let value = problem.objective(row, at: found.x[row])
            #expect(value < last[row])
            #expect(difference([found.objective[row]], [value]) < 1e-4, "\(name), \(problem), row \(row)")
            last[row] = value
          }
        }
        let found = try problem.run(attributes, rounds: 300)
        for row in 0..<problem.rows {
          let best = problem.objective(row, at: problem.solution(row))
          #expect(difference([problem.objective(row, at: found.x[row])], [best]) < 1e-5)
        }
      }
    }
  }

  @Test("sums a Gram matrix of many rows without losing digits")
  func gram() throws {
    let (rows, factors) = (40_000, 5)
    var generator = TestNumbers(seed: 3)
    // Values around 1 drive a running sum in single precision far off.
    let y = generator.floats(rows * factors, in: 0.5...1.5)
    var expected = [Double](repeating: 0, count: factors * factors)
    for row in 0..<rows {
      for i in 0..<factors {
        for j in 0..<factors {
          expected[i * factors + j] += Double(y[row * factors + i]) * Double(y[row * factors + j])
        }
      }
    }
    for name in kernels {
      let graph = Graph(
        name: "gram",
        nodes: [
          Node(
            "GramMatrix", domain: trainingDomain, inputs: ["y"], outputs: ["gram"],
            attributes: [Attribute("kernels", .string(ByteString(name.utf8)))])
        ], inputs: [ValueInfo("y", .float, ["rows", 5])], outputs: [ValueInfo("gram", .float, [5, 5])])
      let session = try Session(Model(operatorSets: [OperatorSet(version: 17)], graph: graph))
      let found: [Float] = try session.run(["y": Tensor(y, shape: [rows, factors])])["gram"]!.elements()
      for (a, b) in zip(found, expected) { #expect(abs(Double(a) - b) < 1e-6 * b) }
    }
  }

  @Test("adds the other side's regularisation to the loss")
  func loss() throws {
    let graph = Graph(
      name: "loss",
      nodes: [
        Node("FactorizationLoss", domain: trainingDomain, inputs: ["objective", "y", "lambda"], outputs: ["loss"])
      ],
      inputs: [
        ValueInfo("objective", .double, [3]), ValueInfo("y", .float, [2, 2]), ValueInfo("lambda", .float, [2]),
      ], outputs: [ValueInfo("loss", .double, [])])
    let session = try Session(Model(operatorSets: [OperatorSet(version: 17)], graph: graph))
    let found = try session.run([
      "objective": Tensor([1.5, 2, 0.25] as [Double]), "y": Tensor([1, 2, 3, 0] as [Float], shape: [2, 2]),
      "lambda": Tensor([0.5, 2] as [Float]),
    ])
    // 1.5 + 2 + 0.25, then 0.5 · (1² + 2²) and 2 · 3².
    let value: [Double] = found["loss"]!.elements()
    #expect(value == [24.25])
  }

  @Test("says which row it cannot solve, and why")
  func faults() throws {
    func message(_ change: (inout HalfStepProblem) -> Void) -> String {
      var problem = HalfStepProblem(factors: 4)
      change(&problem)
      do {
        _ = try problem.run()
        return "no error"
      } catch { return "\(error)" }
    }
    #expect(message { $0.columns[3] = 150 }.contains("row 2 names a column outside 0..<150"))
    #expect(message { $0.columns[0] = -1 }.contains("row 1 names a column outside 0..<150"))
    #expect(message { $0.offsets[4] = 1 }.contains("the offsets of row 3 descend"))
    #expect(message { $0.offsets[9] = 1_000_000 }.contains("the offsets of row 8 descend or point beyond"))
    #expect(message { $0.offsets[0] = -5 }.contains("the offsets of row 0"))
    #expect(
      message {
        $0.unobserved = 0
        $0.regularization[1] = 0
      }.contains("the equations of row 1 have no unique solution"))
    #expect(message { $0.confidences.removeLast() }.contains("a number for each of input 4, or one for all"))
  }
}
