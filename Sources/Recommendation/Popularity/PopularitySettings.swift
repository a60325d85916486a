// What a person can choose about popularity.

/// The settings of a popularity model.
public struct PopularitySettings: Sendable, Hashable, Codable {
  /// What makes an item popular.
  public enum Measure: String, Sendable, Codable, CaseIterable {
    /// The users that turned to it, each once.
    case users
    /// The strengths of all interactions with it, by the weights of their kinds and ages.
    case strength
  }

  /// The stem of the files' names.
  public var name = "popularity"
  /// Nil takes `strength` where kinds or ages are weighed, else `users`.
  public var measure: Measure?
  /// What interactions of a kind weigh, by its name; kinds without one weigh 1.
  public var eventWeights: [String: Float] = [:]
  /// Days after which an interaction weighs half; nil: time does not count.
  public var halfLife: Double?
  /// Sets the latest item of each user aside, to be found among 99 others.
  public var leavesOneOut = false
  /// Draws the 99.
  public var seed: UInt64 = 42
  public var opset = 17

  public init() {}

  enum CodingKeys: String, CodingKey {
    case name = "model_name"
    case measure
    case eventWeights = "event_weights"
    case halfLife = "half_life"
    case leavesOneOut = "leave_one_out"
    case seed, opset
  }

  /// What makes an item popular, all settings considered.
  public var effectiveMeasure: Measure { measure ?? (eventWeights.isEmpty && halfLife == nil ? .users : .strength) }

  /// Requires that every setting is in its range.
  /// - Throws: `RecommendationError.invalidSetting` for the first that is not.
  public func validate() throws(RecommendationError) {
    try ALSSettings.validate(name: name, opset: opset, threads: nil)
    try ALSSettings.validate(eventWeights: eventWeights, halfLife: halfLife)
    guard measure != .users || (eventWeights.isEmpty && halfLife == nil) else {
      throw .invalidSetting(
        name: "--by", value: "users", expected: "strength, where --event-weights or --half-life weigh interactions")
    }
  }
}
