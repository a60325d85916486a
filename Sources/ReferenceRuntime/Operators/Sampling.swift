// Images sampled at given places, and boxes over them.

import Glibc
import Tensors

enum Sampling {
  static let operators: OperatorTable = [
    "GridSample": .one(gridSample),
    "AffineGrid": .one(affineGrid),
    "DeformConv": .one(deformableConvolution),
    "RoiAlign": .one(alignRegions),
    "NonMaxSuppression": .one(suppress),
  ]

  // MARK: GridSample

  /// What lies outside an image.
  private enum Padding: String {
    case zeros, border, reflection
  }

  /// Samples `x` `[n, c, d…]` at the coordinates of `grid` `[n, o…, rank]`, which run from -1 to 1 over the image and
  /// list the last axis first.
  private static func gridSample(_ call: Call) throws -> Operand {
    let (x, grid) = (try call.operand(0), try call.operand(1))
    let rank = x.rank - 2
    guard rank >= 1, grid.rank == x.rank, grid.shape[0] == x.shape[0], grid.shape[grid.rank - 1] == rank else {
      throw call.failure("an image [n, c, …] and a grid [n, …, \(max(rank, 1))]")
    }
    // Since opset 20 the modes are named as Resize names them.
    let mode = try call.choice(
      "mode", default: call.version < 20 ? "bilinear" : "linear",
      of: ["linear", "bilinear", "nearest", "cubic", "bicubic"])
    let name = try call.choice("padding_mode", default: "zeros", of: ["zeros", "border", "reflection"])
    let padding = Padding(rawValue: name) ?? .zeros
    let aligned = try call.flag("align_corners")
    let image = Shape(x.shape.dimensions[2...])
    let places = Shape(grid.shape.dimensions[1..<(grid.rank - 1)])
    let shape = try call.checked([x.shape[0], x.shape[1]] + places)
    guard image.elementCount > 0 || shape.elementCount == 0 else { throw call.failure("an image with elements") }
    let (pixels, coordinates) = (try call.floats(x), try call.floats(grid))
    var result: [Double] = []
    result.reserveCapacity(shape.elementCount)
    for plane in 0..<x.shape[0] * x.shape[1] {
      let sample = plane / max(x.shape[1], 1)
      for place in 0..<places.elementCount {
        let start = (sample * places.elementCount + place) * rank
        let point = try (0..<rank).map { axis -> Double in
          let extent = Double(image[axis])
          let normalized = coordinates[start + rank - 1 - axis]
          let raw = aligned ? (normalized + 1) / 2 * (extent - 1) : ((normalized + 1) * extent - 1) / 2
          guard abs(raw) < Double(Call.maximumInteger) else {
            throw call.failure("finite grid coordinates near the image")
          }
          return inside(mode == "nearest" ? raw.rounded(.toNearestOrEven) : raw, image[axis], padding, aligned)
        }
        result.append(
          sampled(mode, point) { index in
            pixel(index, image, padding, aligned).map { pixels[plane * image.elementCount + $0] } ?? 0
          })
      }
    }
    return Operand(result, shape, x.elementType)
  }

  /// A coordinate brought back into the image, where the padding does that.
  private static func inside(_ x: Double, _ extent: Int, _ padding: Padding, _ aligned: Bool) -> Double {
    let (lowest, highest) = aligned ? (0, Double(extent - 1)) : (-0.5, Double(extent) - 0.5)
    guard x < lowest || x > highest else { return x }
    switch padding {
    case .zeros: return x
    case .border: return min(max(x, 0), Double(extent - 1))
    case .reflection: return reflected(x, lowest, highest)
    }
  }

  private static func reflected(_ x: Double, _ lowest: Double, _ highest: Double) -> Double {
    let span = highest - lowest
    guard span > 0 else { return lowest }
    let distance = x < lowest ? lowest - x : x - highest
    guard x < lowest || x > highest else { return x }
    let turns = (distance / span).rounded(.down)
    let rest = distance - turns * span
    let evenTurns = turns.truncatingRemainder(dividingBy: 2) == 0
    return (x < lowest) == evenTurns ? lowest + rest : highest - rest
  }

  /// The flat position of a pixel, or nil where it is outside and zero.
  private static func pixel(_ index: [Int], _ image: Shape, _ padding: Padding, _ aligned: Bool) -> Int? {
    var position = 0
    for (axis, given) in index.enumerated() {
      let extent = image[axis]
      var coordinate = given
      if given < 0 || given >= extent {
        switch padding {
        case .zeros: return nil
        case .border: coordinate = min(max(given, 0), extent - 1)
        case .reflection:
          let (lowest, highest) = aligned ? (0, Double(extent - 1)) : (-0.5, Double(extent) - 0.5)
          coordinate = min(max(Int(reflected(Double(given), lowest, highest)), 0), extent - 1)
        }
      }
      position = position * extent + coordinate
    }
    return position
  }

  /// Mixes the pixels around a point by the weights of each axis.
  private static func sampled(_ mode: String, _ point: [Double], _ pixel: ([Int]) -> Double) -> Double {
    if mode == "nearest" { return pixel(point.map { Int($0) }) }
    let offsets = mode.hasSuffix("cubic") ? -1...2 : 0...1
    var corners: [(index: [Int], weight: Double)] = [([], 1)]
    for coordinate in point {
      let base = coordinate.rounded(.down)
      corners = corners.flatMap { corner in
        offsets.map { offset in
          let distance = abs(coordinate - base - Double(offset))
          let weight = mode.hasSuffix("cubic") ? Resizing.cubic(distance, -0.75) : max(0, 1 - distance)
          return (corner.index + [Int(base) + offset], corner.weight * weight)
        }
      }
    }
    return corners.reduce(0) { $0 + $1.weight * pixel($1.index) }
  }

  /// The grid that an affine map gives: `theta` `[n, rank, rank + 1]` times the homogeneous coordinates of each place,
  /// which run from -1 to 1 over the image; the last axis first.
  private static func affineGrid(_ call: Call) throws -> Operand {
    let theta = try call.operand(0)
    let size = try call.checked(call.indices(call.operand(1), "size"))
    let rank = size.rank - 2
    guard rank == 2 || rank == 3, theta.shape == [size[0], rank, rank + 1] else {
      throw call.failure("a size [n, c, …] of two or three spatial axes, and theta [n, rank, rank + 1]")
    }
    let aligned = try call.flag("align_corners")
    let places = Shape(size.dimensions[2...])
    let shape = try call.checked([size[0]] + places + [rank])
    let values = try call.floats(theta)
    var result: [Double] = []
    for sample in 0..<size[0] {
      forEachIndex(of: places) { index in
        let coordinates = (0..<rank).reversed().map { axis -> Double in
          let extent = Double(places[axis])
          guard aligned else { return (2 * Double(index[axis]) + 1) / extent - 1 }
          return extent == 1 ? -1 : 2 * Double(index[axis]) / (extent - 1) - 1
        }
        for row in 0..<rank {
          let start = (sample * rank + row) * (rank + 1)
          result.append(
            coordinates.enumerated().reduce(values[start + rank]) { $0 + $1.element * values[start + $1.offset] })
        }
      }
    }
    return Operand(result, shape, theta.elementType)
  }

  // MARK: Deformable convolution

  /// A convolution whose every tap looks at a place moved by an offset, weighted by a mask.
  private static func deformableConvolution(_ call: Call) throws -> Operand {
    let (x, w, offset) = (try call.operand(0), try call.operand(1), try call.operand(2))
    guard x.rank == 4, w.rank == 4, offset.rank == 4 else {
      throw call.failure("images, weights and offsets of four axes")
    }
    let (groups, offsetGroups) = (try call.int("group", default: 1), try call.int("offset_group", default: 1))
    let kernel = Array(w.shape.dimensions[2...])
    guard try call.ints("kernel_shape") ?? kernel == kernel else {
      throw call.failure("a kernel_shape equal to the weights' \(kernel)")
    }
    let window = try Window(call, input: Shape(x.shape.dimensions[2...]), kernel: kernel)
    let (n, channels, features) = (x.shape[0], x.shape[1], w.shape[0])
    let (taps, places) = (window.kernel.elementCount, window.output.elementCount)
    guard groups >= 1, offsetGroups >= 1, channels % groups == 0, features % groups == 0, channels % offsetGroups == 0,
      w.shape[1] == channels / groups,
      offset.shape == Shape([n, offsetGroups * taps * 2] + window.output)
    else { throw call.failure("weights [features, channels / group, …] and offsets [n, offset_group · kernel · 2, …]") }
    let mask = try call.optional(4)
    guard mask == nil || mask?.shape == Shape([n, offsetGroups * taps] + window.output) else {
      throw call.failure("a mask [n, offset_group · kernel, …]")
    }
    let bias = try call.optional(3).map { try call.floats($0, "the bias") } ?? [Double](repeating: 0, count: features)
    guard bias.count == features else { throw call.failure("a bias of \(features) elements") }
    let (pixels, weights, offsets) = (try call.floats(x), try call.floats(w), try call.floats(offset))
    let masks = try mask.map { try call.floats($0, "the mask") }
    let image = window.input
    let shape = try call.checked([n, features] + window.output)
    var result: [Double] = []
    let perGroup = channels / groups
    for sample in 0..<n {
      for feature in 0..<features {
        for place in 0..<places {
          let (row, column) = (place / window.output[1], place % window.output[1])
          var sum = bias[feature]
          for channel in 0..<perGroup {
            let source = feature / (features / groups) * perGroup + channel
            let group = source / (channels / offsetGroups)
            for tap in 0..<taps {
              let moved = ((sample * offsetGroups + group) * taps + tap) * 2
              let y =
                Double(row * window.strides[0] + tap / kernel[1] * window.dilations[0] - window.before[0])
                + offsets[moved * places + place]
              let x =
                Double(column * window.strides[1] + tap % kernel[1] * window.dilations[1] - window.before[1])
                + offsets[(moved + 1) * places + place]
              guard abs(y) < Double(Call.maximumInteger), abs(x) < Double(Call.maximumInteger) else {
                throw call.failure("finite offsets near the image")
              }
              let seen = sampled("linear", [y, x]) { index in
                pixel(index, image, .zeros, true).map {
                  pixels[(sample * channels + source) * image.elementCount + $0]
                } ?? 0
              }
              let share = masks?[((sample * offsetGroups + group) * taps + tap) * places + place] ?? 1
              sum += seen * share * weights[(feature * perGroup + channel) * taps + tap]
            }
          }
          result.append(sum)
        }
      }
    }
    return Operand(result, shape, x.elementType)
  }

  // MARK: Regions and boxes

  /// Pools regions `[x1, y1, x2, y2]` of feature maps to a fixed size, from points spread evenly in each bin.
  private static func alignRegions(_ call: Call) throws -> Operand {
    let (x, regions) = (try call.operand(0), try call.operand(1))
    let samples = try call.indices(call.operand(2), "batch_indices")
    guard x.rank == 4, regions.rank == 2, regions.shape[1] == 4, samples.count == regions.shape[0],
      samples.allSatisfy({ $0 >= 0 && $0 < x.shape[0] })
    else { throw call.failure("feature maps of four axes, regions [count, 4] and a sample for each") }
    let mode = try call.choice("mode", default: "avg", of: ["avg", "max"])
    let transformation = try call.choice(
      "coordinate_transformation_mode", default: call.version < 16 ? "output_half_pixel" : "half_pixel",
      of: ["half_pixel", "output_half_pixel"])
    let (rows, columns) = (try call.int("output_height", default: 1), try call.int("output_width", default: 1))
    let ratio = try call.int("sampling_ratio", default: 0)
    let scale = try call.float("spatial_scale", default: 1)
    guard rows >= 1, columns >= 1, ratio >= 0 else { throw call.failure("an output of at least 1 by 1") }
    let shape = try call.checked([samples.count, x.shape[1], rows, columns])
    let (height, width) = (x.shape[2], x.shape[3])
    guard height > 0, width > 0 || shape.elementCount == 0 else { throw call.failure("feature maps with elements") }
    let (pixels, boxes) = (try call.floats(x), try call.floats(regions))
    let shift = transformation == "half_pixel" ? 0.5 : 0
    var result: [Double] = []
    for (region, sample) in samples.enumerated() {
      let corners = (0..<4).map { boxes[region * 4 + $0] * scale - shift }
      var (w, h) = (corners[2] - corners[0], corners[3] - corners[1])
      if shift == 0 { (w, h) = (max(w, 1), max(h, 1)) }
      let (binHeight, binWidth) = (h / Double(rows), w / Double(columns))
      func points(_ bin: Double) throws -> Int {
        guard bin.isFinite, bin < 1e4 else { throw call.failure("regions of a size that can be sampled") }
        return ratio > 0 ? ratio : max(Int(bin.rounded(.up)), 0)
      }
      let (down, across) = (try points(binHeight), try points(binWidth))
      try call.checked([down, across])
      for channel in 0..<x.shape[1] {
        let start = (sample * x.shape[1] + channel) * height * width
        for bin in 0..<rows * columns {
          let (row, column) = (Double(bin / columns), Double(bin % columns))
          let parts = (0..<down * across).map { point -> [Double] in
            let y = corners[1] + row * binHeight + (Double(point / across) + 0.5) * binHeight / Double(down)
            let x = corners[0] + column * binWidth + (Double(point % across) + 0.5) * binWidth / Double(across)
            return weighted(y, x, height, width).map { pixels[start + $0.position] * $0.weight }
          }
          if mode == "avg" {
            result.append(parts.joined().reduce(0, +) / Double(max(down * across, 1)))
          } else {
            // As the operator's authors have it: the largest weighted corner, not the largest mixture.
            result.append(parts.joined().reduce(-.infinity, Arithmetic.larger))
          }
        }
      }
    }
    return Operand(result, shape, x.elementType)
  }

  /// The four pixels around a point and their bilinear weights; a point far outside sees nothing.
  private static func weighted(
    _ y: Double, _ x: Double, _ height: Int, _ width: Int
  ) -> [(position: Int, weight: Double)] {
    guard y >= -1, y <= Double(height), x >= -1, x <= Double(width) else { return [(0, 0)] }
    func around(_ coordinate: Double, _ extent: Int) -> (low: Int, high: Int, rest: Double) {
      let low = Int(max(coordinate, 0))
      return low >= extent - 1 ? (extent - 1, extent - 1, 0) : (low, low + 1, max(coordinate, 0) - Double(low))
    }
    let (row, column) = (around(y, height), around(x, width))
    return [
      (row.low * width + column.low, (1 - row.rest) * (1 - column.rest)),
      (row.low * width + column.high, (1 - row.rest) * column.rest),
      (row.high * width + column.low, row.rest * (1 - column.rest)),
      (row.high * width + column.high, row.rest * column.rest),
    ]
  }

  /// For each sample and class, boxes by falling score, without those that overlap a chosen one too much.
  private static func suppress(_ call: Call) throws -> Operand {
    let (boxes, scores) = (try call.operand(0), try call.operand(1))
    guard boxes.rank == 3, scores.rank == 3, boxes.shape[2] == 4, scores.shape[0] == boxes.shape[0],
      scores.shape[2] == boxes.shape[1]
    else { throw call.failure("boxes [n, count, 4] and scores [n, classes, count]") }
    let most = try call.optional(2).map { try call.scalarIndex($0, "max_output_boxes_per_class") } ?? 0
    let overlap = try call.optional(3).map { try call.scalarDouble($0, "iou_threshold") } ?? 0
    let least = try call.optional(4).map { try call.scalarDouble($0, "score_threshold") }
    let centered = try call.flag("center_point_box")
    let (corners, values) = (try call.floats(boxes), try call.floats(scores.rounded))
    let (classes, count) = (scores.shape[1], boxes.shape[1])

    struct Box {
      let low: (Double, Double)
      let high: (Double, Double)
      var area: Double { (high.0 - low.0) * (high.1 - low.1) }
    }
    func box(_ sample: Int, _ index: Int) -> Box {
      let start = (sample * count + index) * 4
      let (a, b, c, d) = (corners[start], corners[start + 1], corners[start + 2], corners[start + 3])
      return centered
        ? Box(low: (a - c / 2, b - d / 2), high: (a + c / 2, b + d / 2))
        : Box(low: (min(a, c), min(b, d)), high: (max(a, c), max(b, d)))
    }
    func overlapRatio(_ a: Box, _ b: Box) -> Double {
      let sides = (
        min(a.high.0, b.high.0) - max(a.low.0, b.low.0), min(a.high.1, b.high.1) - max(a.low.1, b.low.1)
      )
      guard sides.0 > 0, sides.1 > 0, a.area > 0, b.area > 0 else { return 0 }
      let common = sides.0 * sides.1
      return common / (a.area + b.area - common)
    }
    var selected: [Int] = []
    for sample in 0..<boxes.shape[0] {
      for label in 0..<classes {
        let start = (sample * classes + label) * count
        let candidates = (0..<count).filter { least == nil || values[start + $0] > least ?? 0 }
          .sorted { (values[start + $0], $1) > (values[start + $1], $0) }
        var chosen: [Int] = []
        for candidate in candidates where chosen.count < most {
          let own = box(sample, candidate)
          if chosen.allSatisfy({ overlapRatio(own, box(sample, $0)) <= overlap }) { chosen.append(candidate) }
        }
        selected += chosen.flatMap { [sample, label, $0] }
      }
    }
    return Operand(indices: selected, [selected.count / 3, 3])
  }
}
