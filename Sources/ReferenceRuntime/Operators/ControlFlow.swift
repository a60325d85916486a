// Subgraphs run by condition and in loops.

import ONNX
import Tensors

enum ControlFlow {
  static let operators: OperatorTable = [
    "If": .many(branch),
    "Loop": .many(loop),
    "Scan": .many(scan),
  ]

  /// Rounds of a loop, so that a malformed model ends.
  private static let maximumRounds = 10_000_000

  static func subgraph(_ call: Call, _ name: String) throws -> Program {
    guard let program = call.subgraphs[name] else { throw call.failure("the graph attribute \(name)") }
    return program
  }

  private static func condition(_ call: Call, _ value: Value?, _ what: String) throws -> Bool {
    guard case .tensor(let operand)? = value, operand.count == 1 else { throw call.failure("one boolean as \(what)") }
    return try call.booleans(operand, what)[0]
  }

  private static func branch(_ call: Call) throws -> [Value] {
    let taken = try condition(call, call.value(0), "the condition")
    return try subgraph(call, taken ? "then_branch" : "else_branch").call([], from: call)
  }

  /// Runs the body while the trip count and the condition allow. The body takes the round, the condition and the
  /// carried values, and gives the condition, the carried values and one slice of each scan output.
  private static func loop(_ call: Call) throws -> [Value] {
    let body = try subgraph(call, "body")
    let limit = try call.optional(0).map { try call.scalarIndex($0, "the trip count") }
    var goesOn = try call.optionalValue(1).map { try condition(call, $0, "the condition") } ?? true
    var carried = try (2..<max(call.inputs.count, 2)).map { try call.value($0) }
    let scanCount = body.outputs.count - 1 - carried.count
    guard scanCount >= 0 else {
      throw call.failure("a body that gives the condition and \(carried.count) carried values")
    }
    var slices = [[Operand]](repeating: [], count: scanCount)
    var round = 0
    while goesOn, round < limit ?? .max {
      guard round < maximumRounds else { throw call.failure("at most \(maximumRounds) rounds") }
      let state: [Value?] = [
        .tensor(Operand(indices: [round], .scalar)), .tensor(Operand(booleans: [true], .scalar)),
      ]
      let results = try body.call(state + carried, from: call)
      goesOn = try condition(call, results[0], "the body's condition")
      carried = Array(results[1..<(1 + carried.count)])
      try collect(call, results[(1 + carried.count)...], into: &slices)
      round += 1
    }
    let scanned = try slices.indices.map { index in
      try stacked(call, slices[index], body.outputs[1 + carried.count + index], axis: 0)
    }
    return carried + scanned.map { .tensor($0) }
  }

  private static func collect(_ call: Call, _ results: ArraySlice<Value>, into slices: inout [[Operand]]) throws {
    for (index, value) in results.enumerated() {
      guard case .tensor(let operand) = value else { throw call.failure("tensors as scan outputs") }
      slices[index].append(operand)
      let total = operand.count.multipliedReportingOverflow(by: slices[index].count)
      guard !total.overflow, total.partialValue <= Call.maximumElements else {
        throw call.failure("scan outputs of at most \(Call.maximumElements) elements")
      }
    }
  }

  /// Slices along a new axis. Without any, the body's declaration gives type and shape, unknown extents being 0.
  private static func stacked(_ call: Call, _ slices: [Operand], _ declared: ValueInfo, axis: Int) throws -> Operand {
    guard let first = slices.first else {
      guard case .tensor(let type, _)? = declared.type else {
        throw call.failure("a declared type for the scan output \"\(declared.name)\", which no round computed")
      }
      let extents = (type.shape ?? []).map { dimension in
        if case .fixed(let extent) = dimension.extent { Int(clamping: extent) } else { 0 }
      }
      let shape = try call.checked([0] + extents)
      return Operand.joined([], shape, type.elementType)
    }
    guard slices.allSatisfy({ $0.shape == first.shape && $0.elementType == first.elementType }) else {
      throw call.failure("the same type and shape of \"\(declared.name)\" in every round")
    }
    let at = try call.axis(axis, rank: first.rank + 1)
    let unit = Shape(first.shape.dimensions[..<at] + [1] + first.shape.dimensions[at...])
    return try Movements.joined(call, slices.map { $0.reshaped(unit) }, axis: at)
  }

  /// Runs the body over slices of the scanned inputs. In opset 8, every value has a batch axis in front and the first
  /// input may give a length for each sample.
  private static func scan(_ call: Call) throws -> [Value] {
    let body = try subgraph(call, "body")
    guard let scanned = try call.int("num_scan_inputs"), scanned >= 1 else {
      throw call.failure("num_scan_inputs, at least 1")
    }
    if call.version < 9 {
      guard call.optionalValue(0) == nil else { throw call.failure("no sequence_lens: every sample of full length") }
      return try batchedScan(call, body, scanned)
    }
    return try scan(call, body, call.operands(), scanned).map { .tensor($0) }
  }

  private static func batchedScan(_ call: Call, _ body: Program, _ scanned: Int) throws -> [Value] {
    let operands = try (1..<max(call.inputs.count, 1)).map { try call.operand($0) }
    guard let batch = operands.first?.shape.first, batch > 0, operands.allSatisfy({ $0.shape.first == batch }) else {
      throw call.failure("the same batch axis in front of every input")
    }
    let samples = try (0..<batch).map { sample in
      let inputs = operands.map { operand in
        Movements.part(operand, axis: 0, from: sample, count: 1).reshaped(Shape(operand.shape.dropFirst()))
      }
      return try scan(call, body, inputs, scanned)
    }
    return try samples[0].indices.map { index in
      .tensor(try stacked(call, samples.map { $0[index] }, body.outputs[index], axis: 0))
    }
  }

  private static func scan(_ call: Call, _ body: Program, _ operands: [Operand], _ scanned: Int) throws -> [Operand] {
    let stateCount = operands.count - scanned
    let outputCount = body.outputs.count - stateCount
    guard stateCount >= 0, outputCount >= 0 else {
      throw call.failure("\(scanned) scanned inputs, and a body that gives back every state")
    }
    func option(_ name: String, _ count: Int) throws -> [Int] {
      let values = try call.ints(name) ?? [Int](repeating: 0, count: count)
      guard values.count == count else { throw call.failure("\(count) values in \(name), not \(values)") }
      return values
    }
    // Opset 8 names the directions of its inputs otherwise and has no axes.
    let directionName = call.version < 9 ? "directions" : "scan_input_directions"
    let directions = try option(directionName, scanned)
    let outputDirections = try option("scan_output_directions", outputCount)
    let outputAxes = try option("scan_output_axes", outputCount)
    let inputs = Array(operands[stateCount...])
    let axes = try zip(option("scan_input_axes", scanned), inputs).map { try call.axis($0, rank: $1.rank) }
    let length = inputs[0].shape[axes[0]]
    guard zip(inputs, axes).allSatisfy({ $0.shape[$1] == length }) else {
      throw call.failure("scanned inputs of one length")
    }
    var states: [Value] = operands[..<stateCount].map { .tensor($0) }
    var slices = [[Operand]](repeating: [], count: outputCount)
    for round in 0..<length {
      let current: [Value] = inputs.indices.map { index in
        let (input, axis) = (inputs[index], axes[index])
        let slice = Movements.part(
          input, axis: axis, from: directions[index] == 0 ? round : length - 1 - round, count: 1)
        return .tensor(slice.reshaped(Shape(input.shape.dimensions[..<axis] + input.shape.dimensions[(axis + 1)...])))
      }
      let results = try body.call(states + current, from: call)
      states = Array(results[..<stateCount])
      try collect(call, results[stateCount...], into: &slices)
    }
    let finals = try states.map { value in
      guard case .tensor(let operand) = value else { throw call.failure("tensors as states") }
      return operand
    }
    let collected = try slices.indices.map { index in
      let ordered = outputDirections[index] == 0 ? slices[index] : slices[index].reversed()
      return try stacked(call, ordered, body.outputs[stateCount + index], axis: outputAxes[index])
    }
    return finals + collected
  }
}
