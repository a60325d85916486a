// The geometry of convolutions and pools: which input elements each output element sees.

import Tensors

/// A kernel that moves over the spatial axes of an input.
struct Window {
  /// One place of the kernel over one element of the input, as flat positions within the spatial axes.
  struct Tap {
    let kernel: Int
    let input: Int
  }

  let input: Shape
  let kernel: Shape
  let strides: [Int]
  let dilations: [Int]
  /// Elements added before each axis, and after it.
  let before: [Int]
  let after: [Int]
  let output: Shape

  /// Reads `strides`, `dilations`, `pads`, `auto_pad` and, for pools, `ceil_mode`.
  init(_ call: Call, input: Shape, kernel: [Int]) throws {
    let rank = input.rank
    guard kernel.count == rank, kernel.allSatisfy({ $0 >= 1 }) else {
      throw call.failure("a kernel extent of at least 1 for each of \(rank) spatial axes, not \(kernel)")
    }
    self.input = input
    self.kernel = try call.checked(kernel)
    strides = try Self.option(call, "strides", rank, minimum: 1)
    dilations = try Self.option(call, "dilations", rank, minimum: 1)
    let reach = zip(kernel, dilations).map { ($0 - 1) * $1 + 1 }
    let mode = try Self.autoPad(call)
    let rounding = try call.flag("ceil_mode") ? 1 : 0
    var (before, after, output): ([Int], [Int], [Int]) = ([], [], [])
    let pads = mode == "NOTSET" ? try call.ints("pads") ?? [Int](repeating: 0, count: 2 * rank) : []
    guard mode != "NOTSET" || pads.count == 2 * rank && pads.allSatisfy({ $0 >= 0 }) else {
      throw call.failure("\(2 * rank) pads of at least 0, not \(pads)")
    }
    for axis in 0..<rank {
      if mode.hasPrefix("SAME") {
        output.append((input[axis] + strides[axis] - 1) / strides[axis])
        let total = max((output[axis] - 1) * strides[axis] + reach[axis] - input[axis], 0)
        before.append(mode == "SAME_UPPER" ? total / 2 : total - total / 2)
        after.append(total - before[axis])
        continue
      }
      before.append(mode == "NOTSET" ? pads[axis] : 0)
      after.append(mode == "NOTSET" ? pads[axis + rank] : 0)
      let room = input[axis] + before[axis] + after[axis] - reach[axis]
      guard room >= 0 else {
        throw call.failure(
          "a padded input that the kernel fits into (axis \(axis + 2): \(reach[axis]) over \(input[axis]))")
      }
      var count = (room + rounding * (strides[axis] - 1)) / strides[axis] + 1
      // A last window that would start in the padding after the input sees nothing and is left out.
      if rounding == 1, (count - 1) * strides[axis] >= input[axis] + before[axis] { count -= 1 }
      output.append(count)
    }
    (self.before, self.after) = (before, after)
    self.output = try call.checked(output)
    guard
      self.output.elementCount.multipliedReportingOverflow(by: self.kernel.elementCount).partialValue
        <= Call.maximumElements
    else { throw call.failure("a kernel and an output whose product stays below \(Call.maximumElements)") }
  }

  /// Integers an axis, 1 by default.
  static func option(_ call: Call, _ name: String, _ rank: Int, minimum: Int, default fallback: Int = 1) throws -> [Int]
  {
    let values = try call.ints(name) ?? [Int](repeating: fallback, count: rank)
    guard values.count == rank, values.allSatisfy({ $0 >= minimum }) else {
      throw call.failure("\(rank) \(name) of at least \(minimum), not \(values)")
    }
    return values
  }

  static func autoPad(_ call: Call) throws -> String {
    let mode = try call.choice("auto_pad", default: "NOTSET", of: ["NOTSET", "SAME_UPPER", "SAME_LOWER", "VALID", ""])
    return mode.isEmpty ? "NOTSET" : mode
  }

  /// For each output element in order, the places of the kernel that lie over the input.
  var taps: [[Tap]] { visit { inside, _ in inside } }

  /// For each output element, how many places of the kernel lie over the input or its padding.
  var paddedCounts: [Int] { visit { _, padded in padded } }

  private func visit<Result>(_ body: ([Tap], Int) -> Result) -> [Result] {
    let inputStrides = input.strides
    var results: [Result] = []
    results.reserveCapacity(output.elementCount)
    forEachIndex(of: output) { index in
      var inside: [Tap] = []
      var padded = 0
      var place = 0
      forEachIndex(of: kernel) { offset in
        defer { place += 1 }
        var position = 0
        var (overInput, overPadding) = (true, true)
        for axis in 0..<input.rank {
          let coordinate = index[axis] * strides[axis] + offset[axis] * dilations[axis] - before[axis]
          if coordinate < 0 || coordinate >= input[axis] { overInput = false }
          if coordinate >= input[axis] + after[axis] { overPadding = false }
          position += coordinate * inputStrides[axis]
        }
        if overInput { inside.append(Tap(kernel: place, input: position)) }
        if overPadding { padded += 1 }
      }
      results.append(body(inside, padded))
    }
    return results
  }
}
