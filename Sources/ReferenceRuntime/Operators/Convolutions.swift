// Convolutions and their transposes.

import Tensors

enum Convolutions {
  static let operators: OperatorTable = [
    "Conv": .one { call in
      let (x, w) = (try call.operand(0), try call.operand(1))
      try call.requireSameType([x, w])
      let bias = try call.optional(2).map { try call.floats($0, "the bias") }
      let (values, shape) = try convolve(call, call.floats(x), x.shape, call.floats(w), w.shape, bias: bias)
      return Operand(values, shape, x.elementType)
    },
    "ConvTranspose": .one(transposed),
    "Col2Im": .one(columnsToImage),
  ]

  /// `y[n, m, o] = bias[m] + Σ x[n, c, i] · w[m, c, k]` over the channels of m's group and the places k of the kernel,
  /// where i is the input element under k when the kernel is at o.
  static func convolve(
    _ call: Call, _ x: [Double], _ shape: Shape, _ w: [Double], _ weightShape: Shape, bias: [Double]?
  ) throws -> ([Double], Shape) {
    guard shape.rank >= 2, weightShape.rank == shape.rank else {
      throw call.failure("inputs 0 and 1 of one rank, with batch and channel axes")
    }
    let groups = try call.int("group", default: 1)
    let (channels, features) = (shape[1], weightShape[0])
    guard groups >= 1, channels % groups == 0, features % groups == 0, weightShape[1] == channels / groups else {
      throw call.failure("channels \(channels) in \(groups) groups and weights [features, channels / group, …]")
    }
    guard bias == nil || bias?.count == features else { throw call.failure("a bias of \(features) elements") }
    let kernel = Array(weightShape.dimensions[2...])
    guard try call.ints("kernel_shape") ?? kernel == kernel else {
      throw call.failure("a kernel_shape equal to the weights' \(kernel)")
    }
    let window = try Window(call, input: Shape(shape.dimensions[2...]), kernel: kernel)
    let result = try call.checked([shape[0], features] + window.output)
    let taps = window.taps
    let (inputSize, kernelSize) = (window.input.elementCount, window.kernel.elementCount)
    let perGroup = channels / groups
    var y: [Double] = []
    y.reserveCapacity(result.elementCount)
    for sample in 0..<shape[0] {
      for feature in 0..<features {
        let firstChannel = feature / max(features / groups, 1) * perGroup
        for places in taps {
          var sum = bias?[feature] ?? 0
          for channel in 0..<perGroup {
            let source = (sample * channels + firstChannel + channel) * inputSize
            let weights = (feature * perGroup + channel) * kernelSize
            for tap in places { sum += x[source + tap.input] * w[weights + tap.kernel] }
          }
          y.append(sum)
        }
      }
    }
    return (y, result)
  }

  /// Every input element adds its multiple of the kernel to the output, `strides` apart.
  private static func transposed(_ call: Call) throws -> Operand {
    let (x, w) = (try call.operand(0), try call.operand(1))
    try call.requireSameType([x, w])
    guard x.rank >= 2, w.rank == x.rank else {
      throw call.failure("inputs 0 and 1 of one rank, with batch and channel axes")
    }
    let groups = try call.int("group", default: 1)
    let channels = x.shape[1]
    guard groups >= 1, channels % groups == 0, w.shape[0] == channels else {
      throw call.failure("weights [channels, features / group, …] and channels that \(groups) groups divide")
    }
    let perGroup = w.shape[1]
    let features = perGroup * groups
    let (inputShape, kernel) = (Shape(x.shape.dimensions[2...]), Shape(w.shape.dimensions[2...]))
    let geometry = try transposedGeometry(call, inputShape, kernel)
    let outputShape = geometry.output
    let result = try call.checked([x.shape[0], features] + outputShape)
    let bias = try call.optional(2).map { try call.floats($0, "the bias") }
    guard bias == nil || bias?.count == features else { throw call.failure("a bias of \(features) elements") }
    // Where each pair of input place and kernel place lands; -1 where it is cut off.
    var landings: [(input: Int, kernel: Int, output: Int)] = []
    let outputStrides = outputShape.strides
    var from = 0
    forEachIndex(of: inputShape) { index in
      var place = 0
      forEachIndex(of: kernel) { offset in
        var position = 0
        var inside = true
        for axis in 0..<kernel.rank {
          let coordinate =
            index[axis] * geometry.strides[axis] + offset[axis] * geometry.dilations[axis] - geometry.before[axis]
          if coordinate < 0 || coordinate >= outputShape[axis] { inside = false }
          position += coordinate * outputStrides[axis]
        }
        if inside { landings.append((from, place, position)) }
        place += 1
      }
      from += 1
    }
    let (values, weights) = (try call.floats(x), try call.floats(w))
    let (inputSize, kernelSize, outputSize) = (
      inputShape.elementCount, kernel.elementCount, outputShape.elementCount
    )
    var y = [Double](repeating: 0, count: result.elementCount)
    for sample in 0..<x.shape[0] {
      for channel in 0..<channels {
        let group = channel / (channels / groups)
        for feature in 0..<perGroup {
          let target = (sample * features + group * perGroup + feature) * outputSize
          for landing in landings {
            y[target + landing.output] +=
              values[(sample * channels + channel) * inputSize + landing.input]
              * weights[(channel * perGroup + feature) * kernelSize + landing.kernel]
          }
        }
      }
      for feature in 0..<features {
        guard let bias else { break }
        let start = (sample * features + feature) * outputSize
        for position in start..<start + outputSize { y[position] += bias[feature] }
      }
    }
    return Operand(y, result, x.elementType)
  }

  private struct TransposedGeometry {
    let output: Shape
    let strides: [Int]
    let dilations: [Int]
    let before: [Int]
  }

  /// `output = stride · (input - 1) + output_padding + reach - pads`; with a given output shape, the pads follow.
  private static func transposedGeometry(_ call: Call, _ input: Shape, _ kernel: Shape) throws -> TransposedGeometry {
    let rank = input.rank
    let strides = try Window.option(call, "strides", rank, minimum: 1)
    let dilations = try Window.option(call, "dilations", rank, minimum: 1)
    let outputPadding = try Window.option(call, "output_padding", rank, minimum: 0, default: 0)
    let pads = try Window.option(call, "pads", 2 * rank, minimum: 0, default: 0)
    let mode = try Window.autoPad(call)
    var wanted = try call.ints("output_shape")
    if let given = wanted, given.count == rank + 2 { wanted = Array(given[2...]) }
    if mode.hasPrefix("SAME"), wanted == nil { wanted = zip(input, strides).map { $0 * $1 } }
    guard wanted == nil || wanted?.count == rank else { throw call.failure("an output_shape of \(rank) extents") }
    var (output, before): ([Int], [Int]) = ([], [])
    for axis in 0..<rank {
      let reach = (kernel[axis] - 1) * dilations[axis] + 1
      let full = strides[axis] * (input[axis] - 1) + outputPadding[axis] + reach
      if let wanted {
        let total = max(full - wanted[axis], 0)
        before.append(mode == "SAME_UPPER" ? total / 2 : total - total / 2)
        output.append(wanted[axis])
      } else {
        before.append(mode == "NOTSET" ? pads[axis] : 0)
        output.append(full - (mode == "NOTSET" ? pads[axis] + pads[axis + rank] : 0))
      }
    }
    let shape = try call.checked(output)
    let pairs = input.elementCount.multipliedReportingOverflow(by: kernel.elementCount)
    guard !pairs.overflow, pairs.partialValue <= Call.maximumElements else {
      throw call.failure("an input and a kernel whose product stays below \(Call.maximumElements)")
    }
    return TransposedGeometry(output: shape, strides: strides, dilations: dilations, before: before)
  }

  /// Adds columns (one for each place of a kernel over an image) back into the image.
  private static func columnsToImage(_ call: Call) throws -> Operand {
    let x = try call.operand(0)
    let image = try call.checked(call.indices(call.operand(1), "image_shape"))
    let block = try call.checked(call.indices(call.operand(2), "block_shape"))
    guard x.rank == 3, image.rank == block.rank, x.shape[1] % max(block.elementCount, 1) == 0 else {
      throw call.failure("an input [batch, channels · block, places] and two shapes of one rank")
    }
    let window = try Window(call, input: image, kernel: block.dimensions)
    let places = window.output.elementCount
    guard x.shape[2] == places else { throw call.failure("\(places) places in the last axis, not \(x.shape[2])") }
    let channels = x.shape[1] / block.elementCount
    let shape = try call.checked([x.shape[0], channels] + image)
    let values = try call.floats(x)
    var result = [Double](repeating: 0, count: shape.elementCount)
    let taps = window.taps
    for plane in 0..<x.shape[0] * channels {
      for (place, kernelPlaces) in taps.enumerated() {
        for tap in kernelPlaces {
          result[plane * image.elementCount + tap.input] +=
            values[(plane * block.elementCount + tap.kernel) * places + place]
        }
      }
    }
    return Operand(result, shape, x.elementType)
  }
}
