// The inputs on which two runtimes are compared.

import ONNX
import Tensors

/// One set of inputs, with the name by which reports speak of it.
public struct VerificationSample: Sendable {
  public var name: String
  public var inputs: [String: Tensor]
  /// What the outputs should be, where they were recorded.
  public var expected: [String: Tensor]?
  /// The size of the inputs against ordinary ones; the absolute tolerance grows with it, since rounding does.
  public var scale: Double

  public init(name: String, inputs: [String: Tensor], expected: [String: Tensor]? = nil, scale: Double = 1) {
    self.name = name
    self.inputs = inputs
    self.expected = expected
    self.scale = scale
  }
}

/// What values an input takes, for samples that are made up.
public struct InputDomain: Sendable {
  /// The integers that an integer input takes.
  public var integers: Range<Int64>
  /// The last columns of a float input that may be missing: some samples have NaN there.
  public var columnsThatMayBeMissing: Range<Int>?
  /// Extents of named axes other than the first (which is taken for the batch).
  public var extents: [String: Int]

  public init(
    integers: Range<Int64> = 0..<2, columnsThatMayBeMissing: Range<Int>? = nil, extents: [String: Int] = [:]
  ) {
    self.integers = integers
    self.columnsThatMayBeMissing = columnsThatMayBeMissing
    self.extents = extents
  }
}

/// Makes samples up: ordinary ones in several batch sizes, and the edges (a batch of one, zeros, large values,
/// equal rows, missing values).
struct SampleMaker {
  let inputs: [ValueInfo]
  let domains: [String: InputDomain]
  private var generator: SplitMix64

  init(inputs: [ValueInfo], domains: [String: InputDomain], seed: UInt64) {
    self.inputs = inputs
    self.domains = domains
    generator = SplitMix64(state: seed)
  }

  private enum Kind: CaseIterable {
    case ordinary, batchOfOne, zeros, large, equalRows, missing
  }

  /// `count` ordinary samples, and one for each edge.
  mutating func samples(_ count: Int) throws -> [VerificationSample] {
    var samples: [VerificationSample] = []
    for index in 0..<count {
      samples.append(
        try sample("random \(index + 1)", .ordinary, batch: Int.random(in: 2...9, using: &generator)))
    }
    samples.append(try sample("a batch of one", .batchOfOne, batch: 1))
    samples.append(try sample("zeros", .zeros, batch: 2))
    samples.append(try sample("large values", .large, batch: 3))
    samples.append(try sample("equal rows", .equalRows, batch: 3))
    if domains.values.contains(where: { $0.columnsThatMayBeMissing != nil }) {
      samples.append(try sample("missing values", .missing, batch: 4))
    }
    return samples
  }

  /// Large enough that a sum of squares shows, small enough that single precision holds it.
  private static let largeScale = 1e3

  private mutating func sample(_ name: String, _ kind: Kind, batch: Int) throws -> VerificationSample {
    var feeds: [String: Tensor] = [:]
    for input in inputs { feeds[input.name] = try tensor(input, kind, batch: batch) }
    return VerificationSample(name: name, inputs: feeds, scale: kind == .large ? Self.largeScale : 1)
  }

  private mutating func tensor(_ input: ValueInfo, _ kind: Kind, batch: Int) throws -> Tensor {
    guard case .tensor(let type, _)? = input.type, let dimensions = type.shape else {
      throw VerificationError.cannotSample(input: input.name, reason: "its shape is not declared")
    }
    let domain = domains[input.name] ?? InputDomain()
    let shape = Shape(
      dimensions.enumerated().map { axis, dimension in
        switch dimension.extent {
        case .fixed(let extent): Int(extent)
        case .named(let name): domain.extents[name] ?? (axis == 0 ? batch : Self.openExtent)
        case .unknown: axis == 0 ? batch : Self.openExtent
        }
      })
    guard let count = shape.checkedElementCount, count <= Self.maximumCount else {
      throw VerificationError.cannotSample(input: input.name, reason: "its shape \(shape) is too large")
    }
    switch type.elementType {
    case .bool: return Tensor((0..<count).map { _ in Bool.random(using: &generator) }, shape: shape)
    case let type where type.isInteger:
      let values = (0..<count).map { _ in
        kind == .zeros ? domain.integers.lowerBound : Int64.random(in: domain.integers, using: &generator)
      }
      return try Tensor(values, shape: shape).converted(to: type)
    case let type where type.isFloatingPoint:
      return try Tensor(floats(kind, shape: shape, missing: domain.columnsThatMayBeMissing), shape: shape)
        .converted(to: type)
    default:
      throw VerificationError.cannotSample(input: input.name, reason: "it holds \(type.elementType)")
    }
  }

  /// The extent of an open axis that is not the batch: longer than one, so that a mixed-up axis shows.
  private static let openExtent = 5
  private static let maximumCount = 1 << 26

  private mutating func floats(_ kind: Kind, shape: Shape, missing: Range<Int>?) -> [Float] {
    let count = shape.elementCount
    if kind == .zeros { return [Float](repeating: 0, count: count) }
    let scale = kind == .large ? Float(Self.largeScale) : 1
    var values = (0..<count).map { _ in scale * generator.normal() }
    let width = max(shape.dimensions.dropFirst().reduce(1, *), 1)
    if kind == .equalRows {
      for index in values.indices { values[index] = values[index % width] }
    }
    if kind == .missing, let missing {
      for index in values.indices where missing.contains(index % width) && Bool.random(using: &generator) {
        values[index] = .nan
      }
    }
    return values
  }
}

/// Steele, Lea and Flood's SplitMix64: small, and the same numbers everywhere.
struct SplitMix64: RandomNumberGenerator {
  var state: UInt64

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
    return mixed ^ (mixed >> 31)
  }

  /// A number of about a normal distribution: twelve uniform ones, less their mean (Irwin-Hall).
  mutating func normal() -> Float {
    (0..<12).reduce(Float(-6)) { sum, _ in sum + Float(next() >> 40) / Float(1 << 24) }
  }
}
