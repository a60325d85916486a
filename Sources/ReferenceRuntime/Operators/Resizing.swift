// Resize and Upsample: interpolation along each axis on its own.

import Tensors

enum Resizing {
  static let operators: OperatorTable = [
    "Resize": .one(resize),
    "Upsample": .one(upsample),
  ]

  /// How one axis is resized.
  private struct Axis {
    let extent: Int
    let result: Int
    /// Result coordinates per input coordinate.
    let scale: Double
    /// The part of the input to look at, as fractions of it (`tf_crop_and_resize` alone).
    let region: (start: Double, end: Double)

    /// The input coordinate that a result index looks at.
    func source(_ index: Int, _ mode: String) -> Double {
      let x = Double(index)
      let length = scale * Double(extent)
      switch mode {
      case "align_corners": return length == 1 ? 0 : x * Double(extent - 1) / (length - 1)
      case "asymmetric": return x / scale
      case "tf_half_pixel_for_nn": return (x + 0.5) / scale
      case "pytorch_half_pixel": return length == 1 ? -0.5 : (x + 0.5) / scale - 0.5
      case "half_pixel_symmetric":
        let center = Double(extent) / 2
        return center * (1 - Double(result) / length) + (x + 0.5) / scale - 0.5
      case "tf_crop_and_resize":
        let span = (region.end - region.start) * Double(extent - 1)
        return region.start * Double(extent - 1) + (length == 1 ? span / 2 : x * span / (length - 1))
      default: return (x + 0.5) / scale - 0.5
      }
    }
  }

  /// What a node asks for, apart from the extents.
  private struct Options {
    let mode: String
    let transformation: String
    let nearest: String
    let cubic: Double
    let excludesOutside: Bool
    let antialias: Bool
    let extrapolation: Double
  }

  private static func resize(_ call: Call) throws -> Operand {
    let x = try call.operand(0)
    let mode = try call.choice("mode", default: "nearest", of: ["nearest", "linear", "cubic"])
    if call.version < 11 {
      let scales = try call.doubles(call.operand(1), "scales")
      return try resized(call, x, axes(call, x, scales: scales, sizes: nil, region: nil), simpleOptions(mode))
    }
    let options = Options(
      mode: mode,
      transformation: try call.choice(
        "coordinate_transformation_mode", default: "half_pixel",
        of: [
          "half_pixel", "half_pixel_symmetric", "pytorch_half_pixel", "align_corners", "asymmetric",
          "tf_half_pixel_for_nn", "tf_crop_and_resize",
        ]),
      nearest: try call.choice(
        "nearest_mode", default: "round_prefer_floor",
        of: ["round_prefer_floor", "round_prefer_ceil", "floor", "ceil"]),
      cubic: try call.float("cubic_coeff_a", default: -0.75), excludesOutside: try call.flag("exclude_outside"),
      antialias: try call.flag("antialias"), extrapolation: try call.float("extrapolation_value", default: 0))
    func input(_ index: Int, _ what: String) throws -> [Double]? {
      guard let operand = try call.optional(index), operand.count > 0 else { return nil }
      return try call.doubles(operand, what)
    }
    let region = options.transformation == "tf_crop_and_resize" ? try input(1, "roi") : nil
    let (scales, sizes) = (try input(2, "scales"), try input(3, "sizes"))
    guard (scales == nil) != (sizes == nil) else { throw call.failure("either scales or sizes") }
    return try resized(call, x, axes(call, x, scales: scales, sizes: sizes, region: region), options)
  }

  /// Scales as an attribute before opset 9, as an input since then.
  private static func upsample(_ call: Call) throws -> Operand {
    let x = try call.operand(0)
    let mode = try call.choice("mode", default: "nearest", of: ["nearest", "linear"])
    let given = try call.version < 9 ? call.floats(attribute: "scales") : call.doubles(call.operand(1), "scales")
    guard let scales = given else { throw call.failure("scales") }
    return try resized(call, x, axes(call, x, scales: scales, sizes: nil, region: nil), simpleOptions(mode))
  }

  private static func simpleOptions(_ mode: String) -> Options {
    Options(
      mode: mode, transformation: "asymmetric", nearest: "floor", cubic: -0.75, excludesOutside: false,
      antialias: false, extrapolation: 0)
  }

  private static func axes(
    _ call: Call, _ x: Operand, scales: [Double]?, sizes: [Double]?, region: [Double]?
  ) throws -> [Axis] {
    let chosen = try call.axes(call.ints("axes") ?? Array(0..<x.rank), rank: x.rank)
    guard (scales ?? sizes)?.count == chosen.count, region == nil || region?.count == 2 * chosen.count else {
      throw call.failure("a scale or size (and start and end of roi) for each of the axes \(chosen)")
    }
    guard x.count > 0 else { throw call.failure("an input with elements, not \(x.summary)") }
    let policy = try call.choice(
      "keep_aspect_ratio_policy", default: "stretch", of: ["stretch", "not_larger", "not_smaller"])
    var factors = scales ?? zip(sizes ?? [], chosen).map { $0 / Double(x.shape[$1]) }
    guard factors.allSatisfy({ $0 > 0 && $0 <= Double(Call.maximumElements) }) else {
      throw call.failure("scales above 0, not \(factors)")
    }
    let stretches = sizes == nil || policy == "stretch"
    if !stretches {
      let common = policy == "not_larger" ? factors.min() ?? 1 : factors.max() ?? 1
      factors = factors.map { _ in common }
    }
    var result = x.shape.map { Axis(extent: $0, result: $0, scale: 1, region: (0, 1)) }
    for (index, axis) in chosen.enumerated() {
      let exact = factors[index] * Double(x.shape[axis])
      let extent: Double =
        if let sizes, stretches { sizes[index] } else if sizes != nil { (exact + 0.5).rounded(.down) } else {
          exact.rounded(.down)
        }
      guard extent >= 1, extent <= Double(Call.maximumElements) else {
        throw call.failure("a result with at least one element along axis \(axis)")
      }
      result[axis] = Axis(
        extent: x.shape[axis], result: Int(extent), scale: factors[index],
        region: region.map { ($0[index], $0[index + chosen.count]) } ?? (0, 1))
    }
    try call.checked(result.map(\.result))
    return result
  }

  /// Interpolates one axis after the other. An element whose coordinate leaves the input along any axis is
  /// extrapolated in the mode `tf_crop_and_resize`.
  private static func resized(_ call: Call, _ x: Operand, _ axes: [Axis], _ options: Options) throws -> Operand {
    if options.mode == "nearest" {
      let shape = Shape(axes.map(\.result))
      let filler = try constant(call, options.extrapolation, x.elementType)
      let picked = Movements.gathered(shape, from: x.shape) { axis, index in
        guard let coordinate = coordinate(axes[axis], index, options) else { return -1 }
        return min(max(nearest(coordinate, options.nearest), 0), axes[axis].extent - 1)
      }
      return x.picking(picked, shape, filler: filler)
    }
    var values = try call.doubles(x)
    var shape = x.shape
    var outside = Set<Int>()
    for (axis, geometry) in axes.enumerated()
    where geometry.result != geometry.extent || geometry.scale != 1 || options.transformation == "tf_crop_and_resize" {
      let rows = (0..<geometry.result).map { weights(geometry, $0, options) }
      let next = try call.checked(shape.replacing(axis: axis, with: geometry.result).dimensions)
      var result = [Double](repeating: 0, count: next.elementCount)
      var nextOutside = Set<Int>()
      for (from, to) in zip(lanes(of: shape, axis: axis), lanes(of: next, axis: axis)) {
        for (index, row) in rows.enumerated() {
          let target = to.position(index)
          guard let row else {
            nextOutside.insert(target)
            continue
          }
          result[target] = row.reduce(0) { $0 + $1.weight * values[from.position($1.index)] }
          if row.contains(where: { outside.contains(from.position($0.index)) }) { nextOutside.insert(target) }
        }
      }
      (values, shape, outside) = (result, next, nextOutside)
    }
    for position in outside { values[position] = options.extrapolation }
    if x.elementType.isFloatingPoint { return Operand(values, shape, x.elementType) }
    guard x.elementType.isInteger else { throw call.failure("numbers, not \(x.summary)") }
    return Operand(integers: values.map(x.elementType.truncated), shape, x.elementType)
  }

  private static func constant(_ call: Call, _ value: Double, _ type: ElementType) throws -> Operand {
    if type == .string { return .zero(type) }
    return type.isFloatingPoint
      ? Operand([value], .scalar, type) : Operand(integers: [type.wrap(Int128(type.truncated(value)))], .scalar, type)
  }

  /// The input coordinate, or nil where the result is extrapolated.
  private static func coordinate(_ axis: Axis, _ index: Int, _ options: Options) -> Double? {
    let coordinate = axis.source(index, options.transformation)
    let outside = coordinate < 0 || coordinate > Double(axis.extent - 1)
    return options.transformation == "tf_crop_and_resize" && outside ? nil : coordinate
  }

  private static func nearest(_ coordinate: Double, _ mode: String) -> Int {
    switch mode {
    case "floor": Int(coordinate.rounded(.down))
    case "ceil": Int(coordinate.rounded(.up))
    case "round_prefer_ceil": Int((coordinate + 0.5).rounded(.down))
    default: Int((coordinate - 0.5).rounded(.up))
    }
  }

  /// The input elements that a result element mixes, and how much of each; nil where it is extrapolated.
  private static func weights(_ axis: Axis, _ index: Int, _ options: Options) -> [(index: Int, weight: Double)]? {
    guard let coordinate = coordinate(axis, index, options) else { return nil }
    let stretch = options.antialias ? min(axis.scale, 1) : 1
    let reach = (options.mode == "cubic" ? 2 : 1) / stretch
    let base = Int(coordinate.rounded(.down))
    let ratio = coordinate - Double(base)
    let first = Int((-reach).rounded(.down)) + 1
    var parts = (first...(1 - first)).map { offset -> (index: Int, weight: Double) in
      let distance = abs(stretch * (Double(offset) - ratio))
      return (base + offset, options.mode == "cubic" ? cubic(distance, options.cubic) : max(0, 1 - distance))
    }
    if options.excludesOutside { parts = parts.filter { $0.index >= 0 && $0.index < axis.extent } }
    if options.excludesOutside || options.antialias {
      let sum = parts.reduce(0) { $0 + $1.weight }
      parts = parts.map { ($0.index, $0.weight / sum) }
    }
    return parts.map { (min(max($0.index, 0), axis.extent - 1), $0.weight) }
  }

  /// Keys' cubic convolution kernel.
  static func cubic(_ distance: Double, _ a: Double) -> Double {
    let x = abs(distance)
    if x <= 1 { return ((a + 2) * x - (a + 3)) * x * x + 1 }
    return x < 2 ? ((a * x - 5 * a) * x + 8 * a) * x - 4 * a : 0
  }
}
