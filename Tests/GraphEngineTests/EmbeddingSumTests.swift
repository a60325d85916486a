// Sums of gathered rows run as one node, and give what the standard nodes say.

import GraphEngine
import ONNX
import ReferenceRuntime
import Tensors
import Testing

@Suite("Sums of embeddings")
struct EmbeddingSumTests {
  private static let rowCount = 6
  private static let width = 3

  /// `y = ReduceSum(Gather(table, indices), axes)`, and `loss = Σ told · y²`.
  private func model(
    _ type: ElementType, indices: ElementType = .int64, axes: [Int64] = [-2], table: [Double], told: [Double]
  ) -> Model {
    Model(
      operatorSets: [OperatorSet(version: 17)],
      graph: Graph(
        name: "sums",
        nodes: [
          Node("Gather", inputs: ["table", "indices"], outputs: ["rows"]),
          Node("ReduceSum", inputs: ["rows", "axes"], outputs: ["y"], attributes: [Attribute("keepdims", .int(0))]),
          Node("Mul", inputs: ["y", "y"], outputs: ["squares"]),
          Node("Mul", inputs: ["squares", "told"], outputs: ["weighted"]),
          Node("ReduceSum", inputs: ["weighted"], outputs: ["loss"], attributes: [Attribute("keepdims", .int(0))]),
        ],
        initializers: [
          Initializer("table", Tensor(doubles: table, shape: [Self.rowCount, Self.width], elementType: type)),
          Initializer("axes", Tensor(axes)),
          Initializer("told", Tensor(doubles: told, shape: [2, 2, Self.width], elementType: type)),
        ], inputs: [ValueInfo("indices", indices, [2, 2, 5])], outputs: [ValueInfo("y", nil), ValueInfo("loss", nil)]))
  }

  private func numbers(_ count: Int, seed: UInt64) -> [Double] {
    var random = TestNumbers(seed: seed)
    return random.floats(count).map(Double.init)
  }

  /// Lists of 5, 3, 1 and no rows behind padding with row 0, one row twice in a list and one counted from the end.
  private let indices: [Int64] = [1, 5, 3, 3, -2, 2, 4, 1, 0, 0, 5, 0, 0, 0, 0, 0, 0, 0, 0, 0]

  private func fillWithZeros(_ plan: Plan, _ type: ElementType) {
    if type == .int64 {
      plan.withUnsafeMutableInput("indices", as: Int64.self) { $0.update(repeating: 0) }
    } else {
      plan.withUnsafeMutableInput("indices", as: Int32.self) { $0.update(repeating: 0) }
    }
  }

  @Test("run as one node, with values of the reference runtime", arguments: [ElementType.int64, .int32])
  func values(_ type: ElementType) throws {
    let (table, told) = (numbers(18, seed: 1), numbers(12, seed: 2))
    let feeds = ["indices": try Tensor(indices, shape: [2, 2, 5]).converted(to: type)]
    let model = model(.float, indices: type, table: table, told: told)
    let expected = try ReferenceSession(model).run(feeds)
    for threads in 1...2 {
      let session = try Session(model, outputs: ["y"], options: .init(threads: threads))
      #expect(difference(try session.run(feeds)["y"]!.doubles(), expected["y"]!.doubles()) < 1e-6)
      let plan = try #require(try session.plan(for: feeds.mapValues(\.spec)))
      fillWithZeros(plan, type)
      #expect(try plan.profiled().map(\.node.operatorType) == ["EmbeddingSum"])
    }
    // A sum over another axis stays what it is.
    let other = try Session(
      self.model(.float, indices: type, axes: [1], table: table, told: told), outputs: ["y"])
    let plan = try #require(try other.plan(for: feeds.mapValues(\.spec)))
    fillWithZeros(plan, type)
    #expect(try plan.profiled().map(\.node.operatorType).contains("Gather"))
  }

  @Test("have the gradient that central differences show, as rows and in whole")
  func gradient() throws {
    let (table, told) = (numbers(18, seed: 1), numbers(12, seed: 2))
    let feeds = ["indices": Tensor(indices, shape: [2, 2, 5])]
    var model = model(.float, table: table, told: told)
    let differentiated = try model.graph.differentiated(of: "loss", withRespectTo: ["table"], opset: 17)
    model.graph = differentiated.graph
    guard case .rows(let places, let rows)? = differentiated.gradients["table"] else {
      Issue.record("the table's gradient is not one of rows")
      return
    }
    let found = try Session(model, outputs: [places, rows]).run(feeds)
    let named = try #require(found[places]).elements(as: Int64.self)
    let sums = try #require(found[rows]).doubles()
    #expect(named == [0, 1, 2, 3, 4, 5] + [Int64](repeating: 6, count: 14))
    for place in table.indices {
      func loss(_ step: Double) throws -> Double {
        var moved = table
        moved[place] += step
        return try ReferenceSession(self.model(.double, table: moved, told: told)).run(feeds)["loss"]!.doubles()[0]
      }
      let expected = (try loss(1e-5) - loss(-1e-5)) / 2e-5
      #expect(abs(sums[place] - expected) < 1e-3 * max(1, abs(expected)), "element \(place)")
    }
    #expect(sums[18...].allSatisfy { $0 == 0 })
  }

  @Test("have a gradient also where the table is read in another way as well")
  func sharedTable() throws {
    let (table, told) = (numbers(18, seed: 1), numbers(12, seed: 2))
    let feeds = ["indices": Tensor(indices, shape: [2, 2, 5])]
    func gradient(_ alsoRows: Bool) throws -> [Double] {
      var model = model(.float, table: table, told: told)
      if alsoRows {
        // One row more, twice over: its square adds 4 times the row to the gradient.
        model.graph.initializers.append(Initializer("one", Tensor([Int64(4), 4])))
        model.graph.nodes += [
          Node("Gather", inputs: ["table", "one"], outputs: ["more"]),
          Node("Mul", inputs: ["more", "more"], outputs: ["moreSquares"]),
          Node("ReduceSum", inputs: ["moreSquares"], outputs: ["addend"], attributes: [Attribute("keepdims", .int(0))]),
          Node("Add", inputs: ["loss", "addend"], outputs: ["all"]),
        ]
      }
      let differentiated = try model.graph.differentiated(
        of: alsoRows ? "all" : "loss", withRespectTo: ["table"], opset: 17)
      model.graph = differentiated.graph
      switch differentiated.gradients["table"] {
      case .dense(let name): return try Session(model, outputs: [name]).run(feeds)[name]!.doubles()
      case .rows(_, let rows): return Array(try Session(model, outputs: [rows]).run(feeds)[rows]!.doubles()[..<18])
      case nil: throw EngineError.invalidGraph(problem: "no gradient")
      }
    }
    let (alone, both) = (try gradient(false), try gradient(true))
    for place in 0..<18 {
      #expect(abs(both[place] - alone[place] - (place / 3 == 4 ? 4 * table[place] : 0)) < 1e-4)
    }
  }

  @Test("name an index that the table does not have")
  func outside() throws {
    let session = try Session(model(.float, table: numbers(18, seed: 1), told: numbers(12, seed: 2)), outputs: ["y"])
    var indices = indices
    indices[7] = 6
    #expect {
      try session.run(["indices": Tensor(indices, shape: [2, 2, 5])])
    } throws: { "\($0)".contains("index 6 at place 7") }
  }
}
