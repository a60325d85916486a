// Recurrent networks: RNN, GRU and LSTM, one sample and one step at a time.

import Glibc
import Tensors

enum Recurrent {
  static let operators: OperatorTable = [
    "RNN": .many { try Array(run($0, gates: 1, activations: ["Tanh"], cell: simple).prefix(2)) },
    "GRU": .many { try Array(run($0, gates: 3, activations: ["Sigmoid", "Tanh"], cell: gated).prefix(2)) },
    "LSTM": .many { try run($0, gates: 4, activations: ["Sigmoid", "Tanh", "Tanh"], cell: longShortTerm) },
  ]

  private typealias Activation = (Double) -> Double

  /// The parameters of one direction. Matrices are rows of `[gates · hidden]`.
  private struct Direction {
    let inputWeights: [[Double]]
    let hiddenWeights: [[Double]]
    let inputBias: [Double]
    let hiddenBias: [Double]
    let peepholes: [Double]?
    let activations: [Activation]
    let hidden: Int
    let linearBeforeReset: Bool
    let couplesForget: Bool

    /// `weights · vector + bias` for the rows of one gate.
    func inputPart(_ gate: Int, _ x: [Double]) -> [Double] { part(gate, inputWeights, inputBias, x) }
    func hiddenPart(_ gate: Int, _ h: [Double]) -> [Double] { part(gate, hiddenWeights, hiddenBias, h) }

    private func part(_ gate: Int, _ weights: [[Double]], _ bias: [Double], _ vector: [Double]) -> [Double] {
      (gate * hidden..<(gate + 1) * hidden).map { row in
        zip(weights[row], vector).reduce(bias[row]) { $0 + $1.0 * $1.1 }
      }
    }

    /// `activation(input part + hidden part + extra)` of one gate.
    func gate(_ index: Int, _ activation: Int, _ x: [Double], _ h: [Double], _ extra: [Double]? = nil) -> [Double] {
      let sums = zip(inputPart(index, x), hiddenPart(index, h)).map { $0 + $1 }
      return zip(sums, extra ?? [Double](repeating: 0, count: hidden)).map { activations[activation]($0 + $1) }
    }

    /// A peephole's contribution, or nil without peepholes. Their order is input, output, forget.
    func peephole(_ index: Int, _ cell: [Double]) -> [Double]? {
      peepholes.map { weights in cell.indices.map { weights[index * hidden + $0] * cell[$0] } }
    }
  }

  private struct State {
    var hidden: [Double]
    var cell: [Double]
  }

  private static func simple(_ d: Direction, _ x: [Double], _ state: State) -> State {
    State(hidden: d.gate(0, 0, x, state.hidden), cell: state.cell)
  }

  /// Gates: update z, reset r, candidate. `h' = (1 - z) · candidate + z · h`.
  private static func gated(_ d: Direction, _ x: [Double], _ state: State) -> State {
    let h = state.hidden
    let (update, reset) = (d.gate(0, 0, x, h), d.gate(1, 0, x, h))
    let candidate: [Double]
    if d.linearBeforeReset {
      let recalled = zip(reset, d.hiddenPart(2, h)).map { $0 * $1 }
      candidate = zip(d.inputPart(2, x), recalled).map { d.activations[1]($0 + $1) }
    } else {
      candidate = d.gate(2, 1, x, zip(reset, h).map { $0 * $1 })
    }
    return State(hidden: h.indices.map { (1 - update[$0]) * candidate[$0] + update[$0] * h[$0] }, cell: state.cell)
  }

  /// Gates: input, output, forget, candidate. `c' = forget · c + input · candidate`, `h' = output · activation(c')`.
  private static func longShortTerm(_ d: Direction, _ x: [Double], _ state: State) -> State {
    let (h, c) = (state.hidden, state.cell)
    let input = d.gate(0, 0, x, h, d.peephole(0, c))
    let forget = d.couplesForget ? input.map { 1 - $0 } : d.gate(2, 0, x, h, d.peephole(2, c))
    let candidate = d.gate(3, 1, x, h)
    let cell = c.indices.map { forget[$0] * c[$0] + input[$0] * candidate[$0] }
    let output = d.gate(1, 0, x, h, d.peephole(1, cell))
    return State(hidden: cell.indices.map { output[$0] * d.activations[2](cell[$0]) }, cell: cell)
  }

  /// Runs a cell over every direction, sample and step; gives all hidden states, the last ones and the last cells.
  private static func run(
    _ call: Call, gates: Int, activations defaults: [String], cell: (Direction, [Double], State) -> State
  ) throws -> [Value] {
    let batchFirst = try call.flag("layout")
    let given = try call.operand(0)
    guard given.rank == 3 else { throw call.failure("an input of three axes: steps, batch, features") }
    let x = batchFirst ? Movements.transposed(given, [1, 0, 2]) : given
    let (steps, batch, features) = (x.shape[0], x.shape[1], x.shape[2])
    let name = try call.choice("direction", default: "forward", of: ["forward", "reverse", "bidirectional"])
    let directionCount = name == "bidirectional" ? 2 : 1
    let weights = try call.operand(1)
    guard weights.rank == 3, weights.shape[1] % gates == 0 else { throw call.failure("weights of three axes") }
    let hidden = try call.int("hidden_size") ?? weights.shape[1] / gates
    let directions = try parameters(call, gates, hidden, features, directionCount, defaults)

    let lengths =
      try call.optional(4).map { try call.indices($0, "sequence_lens") }
      ?? [Int](repeating: steps, count: batch)
    guard lengths.count == batch, lengths.allSatisfy({ $0 >= 0 && $0 <= steps }) else {
      throw call.failure("\(batch) sequence_lens from 0 to \(steps)")
    }
    let startHidden = try initial(call, 5, directionCount, batch, hidden, batchFirst)
    let startCell = gates == 4 ? try initial(call, 6, directionCount, batch, hidden, batchFirst) : startHidden
    let values = try call.floats(x)
    let allShape = try call.checked([steps, directionCount, batch, hidden])
    var all = [Double](repeating: 0, count: allShape.elementCount)
    var (lastHidden, lastCell): ([Double], [Double]) = ([], [])
    for (index, direction) in directions.enumerated() {
      let backwards = name == "reverse" || index == 1
      for sample in 0..<batch {
        let start = (index * batch + sample) * hidden
        var state = State(
          hidden: Array(startHidden[start..<start + hidden]), cell: Array(startCell[start..<start + hidden]))
        for round in 0..<lengths[sample] {
          let step = backwards ? lengths[sample] - 1 - round : round
          let source = (step * batch + sample) * features
          state = cell(direction, Array(values[source..<source + features]), state)
          let target = ((step * directionCount + index) * batch + sample) * hidden
          all.replaceSubrange(target..<target + hidden, with: state.hidden)
        }
        lastHidden += state.hidden
        lastCell += state.cell
      }
    }
    let lastShape: Shape = [directionCount, batch, hidden]
    let results = [
      Operand(all, allShape, x.elementType), Operand(lastHidden, lastShape, x.elementType),
      Operand(lastCell, lastShape, x.elementType),
    ]
    guard batchFirst else { return results.map { .tensor($0) } }
    return [
      .tensor(Movements.transposed(results[0], [2, 0, 1, 3])), .tensor(Movements.transposed(results[1], [1, 0, 2])),
      .tensor(Movements.transposed(results[2], [1, 0, 2])),
    ]
  }

  private static func initial(
    _ call: Call, _ index: Int, _ directions: Int, _ batch: Int, _ hidden: Int, _ batchFirst: Bool
  ) throws -> [Double] {
    guard let operand = try call.optional(index) else {
      return [Double](repeating: 0, count: directions * batch * hidden)
    }
    let expected: Shape = batchFirst ? [batch, directions, hidden] : [directions, batch, hidden]
    guard operand.shape == expected else { throw call.failure("an initial state of shape \(expected)") }
    return try call.floats(batchFirst ? Movements.transposed(operand, [1, 0, 2]) : operand)
  }

  private static func parameters(
    _ call: Call, _ gates: Int, _ hidden: Int, _ features: Int, _ directions: Int, _ defaults: [String]
  ) throws -> [Direction] {
    guard hidden >= 0 else { throw call.failure("a hidden_size of at least 0") }
    let rows = gates * hidden
    func input(_ index: Int, _ shape: Shape) throws -> [Double]? {
      guard let operand = try call.optional(index) else { return nil }
      guard operand.shape == shape else {
        throw call.failure("input \(index) of shape \(shape), not \(operand.summary)")
      }
      return try call.floats(operand)
    }
    guard let inputWeights = try input(1, [directions, rows, features]),
      let hiddenWeights = try input(2, [directions, rows, hidden])
    else { throw call.failure("weights and recurrence weights") }
    let biases = try input(3, [directions, 2 * rows]) ?? [Double](repeating: 0, count: directions * 2 * rows)
    let peepholes = gates == 4 ? try input(7, [directions, 3 * hidden]) : nil
    let functions = try activations(call, defaults, directions)
    let (linear, couples) = (try call.flag("linear_before_reset"), try call.flag("input_forget"))
    func matrix(_ values: [Double], _ direction: Int, _ width: Int) -> [[Double]] {
      (0..<rows).map { row in
        let start = (direction * rows + row) * width
        return Array(values[start..<start + width])
      }
    }
    return (0..<directions).map { index in
      let bias = index * 2 * rows
      return Direction(
        inputWeights: matrix(inputWeights, index, features), hiddenWeights: matrix(hiddenWeights, index, hidden),
        inputBias: Array(biases[bias..<bias + rows]), hiddenBias: Array(biases[bias + rows..<bias + 2 * rows]),
        peepholes: peepholes.map { Array($0[index * 3 * hidden..<(index + 1) * 3 * hidden]) },
        activations: Array(functions[index * defaults.count..<(index + 1) * defaults.count]), hidden: hidden,
        linearBeforeReset: linear, couplesForget: couples)
    }
  }

  /// The activations of every direction, each after clipping its input to ±`clip`.
  private static func activations(_ call: Call, _ defaults: [String], _ directions: Int) throws -> [Activation] {
    let all = (0..<directions).flatMap { _ in defaults }
    let names = try call.strings(attribute: "activations")?.map(\.description) ?? all
    guard names.count == all.count else { throw call.failure("\(all.count) activations, not \(names.count)") }
    var alphas = try (call.floats(attribute: "activation_alpha") ?? [])[...]
    var betas = try (call.floats(attribute: "activation_beta") ?? [])[...]
    let limit = try call.float("clip") ?? .infinity
    return try names.map { name in
      // Parameters are listed for those activations alone that take them.
      func alpha(_ fallback: Double) -> Double { alphas.popFirst() ?? fallback }
      func beta(_ fallback: Double) -> Double { betas.popFirst() ?? fallback }
      let function: Activation
      switch name.lowercased() {
      case "relu": function = { max($0, 0) }
      case "tanh": function = tanh
      case "sigmoid": function = Activations.sigmoid
      case "softsign": function = { $0 / (1 + abs($0)) }
      case "softplus": function = Activations.softplus
      case "leakyrelu":
        let a = alpha(Double(Float(0.01)))
        function = { $0 < 0 ? a * $0 : $0 }
      case "thresholdedrelu":
        let a = alpha(1)
        function = { $0 >= a ? $0 : 0 }
      case "elu":
        let a = alpha(1)
        function = { $0 < 0 ? a * expm1($0) : $0 }
      case "affine":
        let (a, b) = (alpha(1), beta(0))
        function = { a * $0 + b }
      case "scaledtanh":
        let (a, b) = (alpha(1), beta(1))
        function = { a * tanh(b * $0) }
      case "hardsigmoid":
        let (a, b) = (alpha(Double(Float(0.2))), beta(0.5))
        function = { min(max(a * $0 + b, 0), 1) }
      default: throw call.failure("an activation that ONNX names, not \"\(name)\"")
      }
      return { function(min(max($0, -limit), limit)) }
    }
  }
}
