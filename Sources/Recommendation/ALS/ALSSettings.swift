// What a person can choose about a factorisation by alternating least squares.

import Glibc
import GraphEngine

/// The settings of a training by alternating least squares. All of them but `threads` decide about the outcome.
///
/// The loss of users' factors `x` and items' factors `y` is, over the pairs `S` of the data with their strengths `r`,
///
///     Σ_S c (1 - x·y)² + α₀ Σ_not-S (x·y)² + Σ_u λ_u |x_u|² + Σ_i λ_i |y_i|²
///
/// with `c = α₀ + α r` (Hu, Koren and Volinsky 2008 have `α₀ = 1`), `λ_u = λ (|I_u| + α₀ |I|)^ν` for a user with `|I_u|`
/// of the `|I|` items, and the same for items (Rendle, Krichene, Zhang and Koren 2021).
public struct ALSSettings: Sendable, Hashable, Codable {
  /// How the equations of a row are solved.
  public enum Solver: String, Sendable, Codable, CaseIterable {
    /// Exactly, by Cholesky's factorisation.
    case cholesky
    /// Nearly, by a few steps from where the row stood.
    case conjugateGradient = "conjugate-gradient"
  }

  /// The stem of the files' names.
  public var name = "als"
  /// Numbers that stand for a user or an item.
  public var factors = 60
  public var iterations = 10
  /// `α`: what an interaction of strength 1 weighs beside what is unobserved.
  public var alpha: Float = 1
  /// `α₀`: the weight of each pair that the data does not have.
  public var unobservedWeight: Float = 0.15
  /// `λ`.
  public var regularization: Float = 1
  /// `ν`: how regularisation grows with a row's frequency; 0 makes it the same for all.
  public var frequencyScaling: Float = 0.25
  /// Factors start normal with this standard deviation over `√factors`.
  public var initialScale: Float = 0.1
  public var solver = Solver.cholesky
  /// Steps of conjugate gradient in a half-step.
  public var conjugateGradientSteps = 3
  /// Factors that Cholesky solves for at a time, for many factors (iALS++, Rendle et al. 2021); nil: all at once.
  public var blockSize: Int?
  /// What interactions of a kind weigh, by its name (`contact`: 5); kinds without one weigh 1.
  public var eventWeights: [String: Float] = [:]
  /// Days after which an interaction weighs half; nil: time does not count.
  public var halfLife: Double?
  /// Sets the latest item of each user aside, to be found among 99 others.
  public var leavesOneOut = false
  public var seed: UInt64 = 42
  public var opset = 17
  /// Threads that share the work; nil takes as many as the processor has. The outcome does not depend on it.
  public var threads: Int?

  public init() {}

  enum CodingKeys: String, CodingKey {
    case name = "model_name"
    case factors, iterations, alpha
    case unobservedWeight = "unobserved_weight"
    case regularization
    case frequencyScaling = "frequency_scaling"
    case initialScale = "initial_scale"
    case solver
    case conjugateGradientSteps = "cg_steps"
    case blockSize = "block_size"
    case eventWeights = "event_weights"
    case halfLife = "half_life"
    case leavesOneOut = "leave_one_out"
    case seed, opset
  }

  /// Requires that every setting is in its range.
  /// - Throws: `RecommendationError.invalidSetting` for the first that is not.
  public func validate() throws(RecommendationError) {
    func require(_ condition: Bool, _ name: String, _ value: Any, _ expected: String) throws(RecommendationError) {
      guard condition else { throw .invalidSetting(name: name, value: "\(value)", expected: expected) }
    }
    func requirePositive(_ value: Float, _ name: String) throws(RecommendationError) {
      try require(value > 0 && value.isFinite, name, value, "a number above 0")
    }
    try Self.validate(name: name, opset: opset, threads: threads)
    try Self.validate(eventWeights: eventWeights, halfLife: halfLife)
    try require((1...Self.mostFactors).contains(factors), "--factors", factors, "1 to \(Self.mostFactors)")
    try require(iterations > 0, "--iterations", iterations, "at least 1")
    try requirePositive(alpha, "--alpha")
    try require(
      unobservedWeight >= 0 && unobservedWeight.isFinite, "--unobserved-weight", unobservedWeight, "a number from 0")
    try requirePositive(regularization, "--regularization")
    try require(
      frequencyScaling >= 0 && frequencyScaling <= 2, "--frequency-scaling", frequencyScaling, "a number from 0 to 2")
    try requirePositive(initialScale, "--initial-scale")
    try require(
      (1...Self.mostFactors).contains(conjugateGradientSteps), "--cg-steps", conjugateGradientSteps,
      "1 to \(Self.mostFactors)")
    if let blockSize {
      try require(blockSize > 0, "--block-size", blockSize, "at least 1")
      try require(solver == .cholesky, "--block-size", blockSize, "--solver cholesky with it")
    }
  }

  /// What recommenders of every kind ask of their name, opset and threads.
  static func validate(name: String, opset: Int, threads: Int?) throws(RecommendationError) {
    let isFileName = !name.isEmpty && !name.hasPrefix(".") && !name.contains("/") && !name.contains("\0")
    guard isFileName else {
      throw .invalidSetting(
        name: "--name", value: "\"\(name)\"", expected: "a file name without '/' and without a leading dot")
    }
    guard GraphBuilder.supportedOpsets.contains(opset) else {
      throw .invalidSetting(name: "--opset", value: "\(opset)", expected: "13 to 21")
    }
    if let threads, !(1...256).contains(threads) {
      throw .invalidSetting(name: "--threads", value: "\(threads)", expected: "1 to 256")
    }
  }

  /// What recommenders of every kind ask of weights by event and time.
  static func validate(eventWeights: [String: Float], halfLife: Double?) throws(RecommendationError) {
    for (event, weight) in eventWeights.sorted(by: { $0.key < $1.key }) where !(weight > 0 && weight.isFinite) {
      throw .invalidSetting(
        name: "--event-weights", value: "\(event)=\(weight)", expected: "weights that are numbers above 0")
    }
    if let halfLife, !(halfLife > 0 && halfLife.isFinite) {
      throw .invalidSetting(name: "--half-life", value: "\(halfLife)", expected: "a number of days above 0")
    }
  }

  /// What the engine takes: a row's matrix of this many factors has 64 MB.
  private static let mostFactors = 4096

  /// The settings that the outcome depends on, by the names that a person knows them by. More iterations may be asked for
  /// when a training goes on.
  var identity: [String: String] {
    var identity = [
      "--name": name, "--factors": "\(factors)", "--alpha": "\(alpha)", "--unobserved-weight": "\(unobservedWeight)",
      "--regularization": "\(regularization)", "--frequency-scaling": "\(frequencyScaling)",
      "--initial-scale": "\(initialScale)", "--solver": solver.rawValue, "--leave-one-out": "\(leavesOneOut)",
      "--seed": "\(seed)", "--opset": "\(opset)",
    ]
    if solver == .conjugateGradient { identity["--cg-steps"] = "\(conjugateGradientSteps)" }
    if let blockSize { identity["--block-size"] = "\(blockSize)" }
    if let halfLife { identity["--half-life"] = "\(halfLife)" }
    if !eventWeights.isEmpty {
      identity["--event-weights"] = eventWeights.sorted { $0.key < $1.key }.map { "\($0)=\($1)" }
        .joined(separator: ",")
    }
    return identity
  }

  /// `λ (entries + α₀ others)^ν`: the regularisation of a row with so many entries of `others` columns.
  func regularization(entries: Int, others: Int) -> Float {
    guard frequencyScaling != 0 else { return regularization }
    let frequency = Double(entries) + Double(unobservedWeight) * Double(others)
    return Float(Double(regularization) * pow(frequency, Double(frequencyScaling)))
  }
}
