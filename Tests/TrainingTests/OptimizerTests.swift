// The optimizers against PyTorch's: a linear regression of 4 samples, 3 inputs, 2 outputs, five steps.
//
// The expected numbers are those of torch 2.15 for the same start, data and settings:
// `loss = ((x @ w.T + b - y) ** 2).mean()`, learning rate 0.1.

import GraphEngine
import ONNX
import Tensors
import Testing
import Training

private let weight = Tensor([0.5, -0.25, 0.75, -1.0, 0.125, 0.3] as [Float], shape: [2, 3])
private let x = Tensor([1, 2, -1, 0.5, -0.5, 0.25, -2, 1, 0, 0.1, 0.2, 0.3] as [Float], shape: [4, 3])
private let y = Tensor([1, 0, 0, 1, 0.5, -0.5, -1, 2] as [Float], shape: [4, 2])

/// The regression's graph, with its loss.
private func regression() -> Model {
  let builder = GraphBuilder(name: "regression", opset: 17)
  let input = builder.input("x", .float, ["batch", 3])
  let target = builder.input("y", .float, ["batch", 2])
  let w = builder.parameter("w", weight)
  let b = builder.parameter("b", Tensor([0, 0] as [Float]))
  let prediction = builder.node("Gemm", [input, w, b], [Attribute("transB", .int(1))])
  let error = prediction - target
  builder.output((error * error).mean(), "loss", .float, [])
  return builder.model()
}

private func fill(_ plan: Plan, _ name: String, _ tensor: Tensor) {
  plan.withUnsafeMutableInput(name, as: Float.self) { input in
    tensor.withUnsafeElements(as: Float.self) { _ = input.update(from: $0) }
  }
}

private func isClose(_ found: [Float], _ expected: [Float], within tolerance: Float = 2e-6) -> Bool {
  found.count == expected.count && zip(found, expected).allSatisfy { abs($0 - $1) <= tolerance * max(1, abs($1)) }
}

@Suite("Optimizers")
struct OptimizerTests {
  struct Case: Sendable, CustomStringConvertible {
    let name: String
    let optimizer: Optimizer
    var clip: Float?
    /// `w` row by row, then `b`, after five steps.
    let parameters: [Float]
    /// The loss before each step.
    let losses: [Float]

    var description: String { name }
  }

  static let cases = [
    Case(
      name: "Adam", optimizer: .adam(),
      parameters: [0.0379843, 0.2248714, 0.2611473, -0.5057482, -0.3658358, -0.089358, 0.3421285, 0.4954104],
      losses: [2.7610047, 2.2660422, 1.8589323, 1.5355073, 1.2827653]),
    Case(
      name: "Adam with weight decay", optimizer: .adam(weightDecay: 0.1),
      parameters: [0.0369601, 0.2239876, 0.2612934, -0.505883, -0.3610625, -0.0985745, 0.326734, 0.4931133],
      losses: [2.7610047, 2.2660422, 1.8590776, 1.5355897, 1.2815981]),
    Case(
      name: "AdamW", optimizer: .adamW(weightDecay: 0.1),
      parameters: [0.025663, 0.2264566, 0.2346522, -0.4672485, -0.3599091, -0.0503415, 0.3311117, 0.4860049],
      losses: [2.7610047, 2.2408152, 1.8192531, 1.4889884, 1.234182]),
    Case(
      name: "SGD", optimizer: .sgd(),
      parameters: [0.2918839, 0.2158986, 0.5325108, -0.3003401, 0.0226542, 0.3172498, 0.0990654, 0.2215714],
      losses: [2.7610047, 2.1965542, 1.7825477, 1.4749424, 1.2433212]),
    Case(
      name: "SGD with momentum and weight decay", optimizer: .sgd(momentum: 0.9, weightDecay: 0.05),
      parameters: [-0.0325598, 0.855831, 0.1761401, 0.7518765, -0.1451788, 0.3441493, 0.1864123, 0.5704042],
      losses: [2.7610047, 2.1842375, 1.3952931, 0.7920863, 0.5709959]),
    Case(
      name: "Nesterov", optimizer: .sgd(momentum: 0.9, nesterov: true),
      parameters: [-0.0281414, 0.8065235, 0.1900411, 0.763895, -0.1945254, 0.4315318, 0.0494628, 0.6886197],
      losses: [2.7610047, 1.7646457, 0.9972717, 0.6052737, 0.5002695]),
    Case(
      name: "SGD with gradients clipped to a norm of 0.5", optimizer: .sgd(), clip: 0.5,
      parameters: [0.4451224, -0.1180082, 0.6926023, -0.8153676, 0.1017889, 0.2992466, 0.0397973, 0.0504567],
      losses: [2.7610047, 2.639447, 2.5215254, 2.4072149, 2.29649]),
  ]

  @Test("five steps end where PyTorch's end", arguments: cases)
  func steps(expected: Case) throws {
    let trainer = try Trainer(
      regression(), loss: "loss", parameters: ["w", "b"],
      options: Trainer.Options(optimizer: expected.optimizer, gradientClip: expected.clip))
    var losses: [Float] = []
    for _ in 0..<5 {
      losses.append(
        try trainer.step(["x": x.spec, "y": y.spec], learningRate: 0.1) { plan in
          fill(plan, "x", x)
          fill(plan, "y", y)
        })
    }
    let parameters = trainer.parameters
    let found = try ["w", "b"].flatMap { try #require(parameters[$0]).elements(as: Float.self) }
    #expect(isClose(found, expected.parameters), "\(found)")
    #expect(isClose(losses, expected.losses), "\(losses)")
  }

  @Test("an embedding's rows are updated as by torch.optim.SparseAdam, and rows that no batch names stay")
  func rows() throws {
    let builder = GraphBuilder(name: "embedding", opset: 17)
    let table = builder.parameter(
      "table", Tensor([0.1, 0.2, 0.3, -0.4, 0.5, 0.6, -0.7, 0.8] as [Float], shape: [4, 2]))
    let indices = builder.input("indices", .int64, ["batch"])
    let rows = builder.node("Gather", [table, indices])
    builder.output((rows * rows).sum(), "loss", .float, [])
    let trainer = try Trainer(builder.model(), loss: "loss", parameters: ["table"])
    for batch in [[0, 2, 2], [2, 3, 2], [0, 0, 0]] as [[Int64]] {
      try trainer.step(["indices": TensorSpec(.int64, [3])], learningRate: 0.1) { plan in
        plan.withUnsafeMutableInput("indices", as: Int64.self) { _ = $0.update(from: batch) }
      }
    }
    let found = try #require(trainer.parameters["table"]).elements(as: Float.self)
    // torch 2.15: Embedding(sparse=True), SparseAdam(lr=0.1), loss = (e(indices) ** 2).sum(), the same batches.
    let expected: [Float] = [-0.0575221, 0.014943, 0.3, -0.4, 0.3011875, 0.4008828, -0.6255863, 0.7255864]
    #expect(isClose(found, expected), "\(found)")
  }

  /// Lists of rows of a table whose row 0 is padding; their sums squared and summed are the loss.
  private func bags(_ optimizer: Optimizer = .adam(), clip: Float? = nil) throws -> (table: [Float], losses: [Float]) {
    let builder = GraphBuilder(name: "bags", opset: 17)
    let table = builder.parameter(
      "table", Tensor([0, 0, 0.1, 0.2, 0.3, -0.4, 0.5, 0.6, -0.7, 0.8] as [Float], shape: [5, 2]))
    let rows = builder.node("Gather", [table, builder.input("indices", .int64, ["batch", "count"])])
    let sums = builder.node(
      "ReduceSum", [rows, builder.constant(Tensor([Int64(-2)]))], [Attribute("keepdims", .int(0))])
    builder.output((sums * sums).sum(), "loss", .float, [])
    let trainer = try Trainer(
      builder.model(), loss: "loss", parameters: ["table"],
      options: Trainer.Options(optimizer: optimizer, gradientClip: clip, padding: ["table": 0]))
    let batches: [[Int64]] = [[1, 3, 3, 3, 0, 0, 2, 1, 3], [3, 4, 0, 4, 4, 4, 1, 0, 0], [0, 0, 0, 1, 2, 3, 3, 2, 1]]
    let losses = try batches.map { batch in
      try trainer.step(["indices": TensorSpec(.int64, [3, 3])], learningRate: 0.1) { plan in
        plan.withUnsafeMutableInput("indices", as: Int64.self) { _ = $0.update(from: batch) }
      }
    }
    return (try #require(trainer.parameters["table"]).elements(as: Float.self), losses)
  }

  @Test("the rows of sums are updated as by torch.optim.SparseAdam, and the row of padding stays")
  func paddedRows() throws {
    let (table, losses) = try bags()
    // torch 2.15: EmbeddingBag(mode="sum", sparse=True, padding_idx=0), SparseAdam(lr=0.1), the same batches.
    let expected: [Float] = [
      0, 0, -0.1411388, -0.0216818, 0.1140705, -0.5372555, 0.2779196, 0.3467667, -0.6255863, 0.7255863,
    ]
    #expect(isClose(table, expected), "\(table)")
    #expect(isClose(losses, [4.7500005, 11.96, 0.4531794]), "\(losses)")
    // With a limit that no gradient reaches the rows are summed first, and the numbers are the same.
    #expect(try bags(clip: 1e9).table == table)
  }

  @Test("the row of padding stays with gradient descent, and in a table that nothing but sums reads")
  func paddedDescent() throws {
    let table = try bags(.sgd(momentum: 0.9)).table
    #expect(table[..<2] == [0, 0] && table[2...].allSatisfy { $0 != 0 })
    let builder = GraphBuilder(name: "dense", opset: 17)
    let dense = builder.parameter("table", Tensor([1, 2] as [Float], shape: [1, 2]))
    builder.output((dense * dense).sum(), "loss", .float, [])
    #expect {
      try Trainer(
        builder.model(), loss: "loss", parameters: ["table"], options: Trainer.Options(padding: ["table": 0]))
    } throws: { "\($0)".contains("'table' has a row for padding") }
  }

  @Test("weight decay leaves the parameters alone that it should")
  func undecayed() throws {
    let trainer = try Trainer(
      regression(), loss: "loss", parameters: ["w", "b"],
      options: Trainer.Options(optimizer: .sgd(weightDecay: 1), undecayed: ["w"]))
    let plain = try Trainer(
      regression(), loss: "loss", parameters: ["w", "b"], options: Trainer.Options(optimizer: .sgd()))
    for trainer in [trainer, plain] {
      try trainer.step(["x": x.spec, "y": y.spec], learningRate: 0.1) { plan in
        fill(plan, "x", x)
        fill(plan, "y", y)
      }
    }
    #expect(trainer.parameters["w"] == plain.parameters["w"])
  }

  @Test("a parameter that the loss does not depend on stays as it is")
  func untouched() throws {
    var model = regression()
    model.graph.initializers.append(Initializer("spare", Tensor([1, 2] as [Float])))
    let trainer = try Trainer(model, loss: "loss", parameters: ["w", "b", "spare"])
    try trainer.step(["x": x.spec, "y": y.spec], learningRate: 0.1) { plan in
      fill(plan, "x", x)
      fill(plan, "y", y)
    }
    #expect(trainer.parameters["spare"] == Tensor([1, 2] as [Float]))
  }
}

@Suite("Schedules")
struct ScheduleTests {
  @Test("a linear schedule rises over the warm-up and falls to nothing")
  func linear() {
    let schedule = Schedule.linear(warmup: 4, total: 12)
    #expect([0, 2, 4, 8, 12, 20].map(schedule.factor) == [0, 0.5, 1, 0.5, 0, 0])
  }

  @Test("a cosine schedule is halfway down in the middle")
  func cosine() {
    let schedule = Schedule.cosine(warmup: 0, total: 10)
    #expect(schedule.factor(at: 0) == 1)
    #expect(abs(schedule.factor(at: 5) - 0.5) < 1e-6)
    #expect(abs(schedule.factor(at: 10)) < 1e-6)
  }
}
