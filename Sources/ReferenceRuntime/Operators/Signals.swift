// Fourier transforms and windows.

import Glibc
import Tensors

enum Signals {
  static let operators: OperatorTable = [
    "DFT": .one(discreteFourier),
    "STFT": .one(shortTimeFourier),
    "HannWindow": window { phase in 0.5 - 0.5 * cos(phase) },
    "HammingWindow": window { phase in 25.0 / 46 - 21.0 / 46 * cos(phase) },
    "BlackmanWindow": window { phase in 0.42 - 0.5 * cos(phase) + 0.08 * cos(2 * phase) },
    "MelWeightMatrix": .one(melWeights),
  ]

  private typealias Complex = (real: Double, imaginary: Double)

  /// `X[k] = Σ x[n] · exp(∓2πi k n / N)` for the wanted k; the inverse has the other sign and divides by N.
  private static func transform(_ signal: [Complex], inverse: Bool, bins: Int) -> [Complex] {
    let length = signal.count
    return (0..<bins).map { bin in
      var sum: Complex = (0, 0)
      for (index, value) in signal.enumerated() {
        // The angle by the remainder, so that long signals lose no precision in the sine.
        let phase = (inverse ? 2 : -2) * Double.pi * Double(bin * index % length) / Double(length)
        sum.real += value.real * cos(phase) - value.imaginary * sin(phase)
        sum.imaginary += value.real * sin(phase) + value.imaginary * cos(phase)
      }
      return inverse ? (sum.real / Double(length), sum.imaginary / Double(length)) : sum
    }
  }

  /// Along an axis (an attribute before opset 20, an input since then); the last axis holds the real part alone or
  /// real and imaginary part. `onesided` keeps the first half of the bins.
  private static func discreteFourier(_ call: Call) throws -> Operand {
    let x = try call.operand(0)
    guard x.rank >= 2, x.shape[x.rank - 1] == 1 || x.shape[x.rank - 1] == 2 else {
      throw call.failure("a signal whose last axis has one or two elements")
    }
    let given =
      try call.version < 20
      ? call.int("axis", default: 1) : call.optional(2).map { try call.scalarIndex($0, "the axis") } ?? -2
    let axis = try call.axis(given, rank: x.rank)
    guard axis != x.rank - 1 else { throw call.failure("an axis before the last, which holds the parts of a number") }
    let length = try call.optional(1).map { try call.scalarIndex($0, "dft_length") } ?? x.shape[axis]
    guard length >= 1, length <= 1 << 20 else { throw call.failure("a dft_length of at least 1, not \(length)") }
    let (inverse, onesided) = (try call.flag("inverse"), try call.flag("onesided"))
    let bins = onesided ? length / 2 + 1 : length
    let parts = x.shape[x.rank - 1]
    let values = try call.floats(x)
    // Numbers as units: the shapes without the last axis.
    let (source, target) = (Shape(x.shape.dropLast()), Shape(x.shape.dropLast()).replacing(axis: axis, with: bins))
    let shape = try call.checked(target + [2])
    // The sum as it is written takes length · bins products for each lane; longer ones would take for ever.
    let products = shape.elementCount.multipliedReportingOverflow(by: length)
    guard !products.overflow, products.partialValue <= Call.maximumElements else {
      throw call.failure("a transform of at most \(Call.maximumElements) products")
    }
    var result = [Double](repeating: 0, count: shape.elementCount)
    for (from, to) in zip(lanes(of: source, axis: axis), lanes(of: target, axis: axis)) {
      let signal = (0..<length).map { index -> Complex in
        guard index < from.count else { return (0, 0) }
        let position = from.position(index) * parts
        return (values[position], parts == 2 ? values[position + 1] : 0)
      }
      for (bin, value) in transform(signal, inverse: inverse, bins: bins).enumerated() {
        result[to.position(bin) * 2] = value.real
        result[to.position(bin) * 2 + 1] = value.imaginary
      }
    }
    return Operand(result, shape, x.elementType)
  }

  /// The transforms of frames `frame_step` apart, each multiplied by the window.
  private static func shortTimeFourier(_ call: Call) throws -> Operand {
    let x = try call.operand(0)
    guard x.rank == 3 || x.rank == 2 else { throw call.failure("a signal [batch, length, 1 or 2]") }
    let parts = x.rank == 3 ? x.shape[2] : 1
    let step = try call.scalarIndex(call.operand(1), "frame_step")
    let window = try call.optional(2)
    let given = try call.optional(3).map { try call.scalarIndex($0, "frame_length") }
    guard parts == 1 || parts == 2, step >= 1, let length = given ?? window?.count, length >= 1, length <= x.shape[1],
      window == nil || window?.count == length
    else { throw call.failure("a frame_step, and a frame_length or window within the signal") }
    let weights = try window.map { try call.floats($0, "the window") } ?? [Double](repeating: 1, count: length)
    let frames = (x.shape[1] - length) / step + 1
    let bins = try call.flag("onesided", default: true) ? length / 2 + 1 : length
    let shape = try call.checked([x.shape[0], frames, bins, 2])
    let values = try call.floats(x)
    var result: [Double] = []
    for sample in 0..<x.shape[0] {
      for frame in 0..<frames {
        let signal = (0..<length).map { index -> Complex in
          let position = (sample * x.shape[1] + frame * step + index) * parts
          return (values[position] * weights[index], parts == 2 ? values[position + 1] * weights[index] : 0)
        }
        for value in transform(signal, inverse: false, bins: bins) { result += [value.real, value.imaginary] }
      }
    }
    return Operand(result, shape, x.elementType)
  }

  /// A window of the given size: the shape over phases from 0 to 2π, without the end point if it is periodic.
  private static func window(_ shape: @escaping @Sendable (Double) -> Double) -> Operator {
    .one { call in
      let size = try call.scalarIndex(call.operand(0), "the size")
      let periodic = try call.flag("periodic", default: true)
      let type = try call.elementType(attribute: "output_datatype") ?? .float
      let length = try call.checked([size])
      let steps = Double(periodic ? size : max(size - 1, 1))
      let values = (0..<size).map { shape(2 * Double.pi * Double($0) / steps) }
      guard type != .string, type != .bool else { throw call.failure("a numeric output_datatype") }
      if type.isFloatingPoint { return Operand(values, length, type) }
      return Operand(integers: values.map(type.truncated), length, type)
    }
  }

  /// Triangular filters, evenly spread on the mel scale, from spectrogram bins to mel bins.
  private static func melWeights(_ call: Call) throws -> Operand {
    let bins = try call.scalarIndex(call.operand(0), "num_mel_bins")
    let length = try call.scalarIndex(call.operand(1), "dft_length")
    let rate = try call.scalarDouble(call.operand(2), "sample_rate")
    let edges = try [3, 4].map { try call.scalarDouble(call.operand($0), "an edge") }
    guard bins >= 1, length >= 1, length <= Call.maximumElements, rate > 0, edges[0] >= 0, edges[1] >= edges[0] else {
      throw call.failure("at least one bin, a dft_length, a sample_rate and rising edges")
    }
    let type = try call.elementType(attribute: "output_datatype") ?? .float
    guard type.isFloatingPoint else { throw call.failure("a floating-point output_datatype") }
    let rows = length / 2 + 1
    let shape = try call.checked([rows, bins])
    func mel(_ hertz: Double) -> Double { 2595 * log10(1 + hertz / 700) }
    let (low, high) = (mel(edges[0]), mel(edges[1]))
    let points = try (0..<(bins + 2)).map { index -> Int in
      let position = Double(index) * (high - low) / Double(bins + 2) + low
      let hertz = 700 * (pow(10, position / 2595) - 1)
      let row = (Double(length + 1) * hertz / rate).rounded(.down)
      guard row >= 0, row < Double(rows) else { throw call.failure("edges below half of the sample rate") }
      return Int(row)
    }
    var result = [Double](repeating: 0, count: shape.elementCount)
    for bin in 0..<bins {
      let (left, center, right) = (points[bin], points[bin + 1], points[bin + 2])
      if left == center { result[center * bins + bin] = 1 }
      for row in left..<max(center + 1, left) where center > left {
        result[row * bins + bin] = Double(row - left) / Double(center - left)
      }
      for row in center..<right { result[row * bins + bin] = Double(right - row) / Double(right - center) }
    }
    return Operand(result, shape, type)
  }
}
