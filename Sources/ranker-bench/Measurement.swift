// One measured figure, and how a piece of work is timed.

/// One measured figure of the benchmark.
struct Measurement: Codable {
  /// What was measured; the peers' output uses the same names.
  let name: String
  let value: Double
  /// `ms`, `µs`, `s`, `GFLOP/s` or `rows/s`.
  let unit: String
  /// The work in words.
  let detail: String
}

/// The seconds of repeated runs of one piece of work.
struct Timing {
  let sorted: [Double]

  /// Runs the work once to warm up, then for about `seconds`, at least five times.
  init(seconds: Double, _ work: () throws -> Void) rethrows {
    try work()
    let clock = ContinuousClock()
    let end = clock.now + .seconds(seconds)
    var times: [Double] = []
    while clock.now < end || times.count < 5 { times.append(try Self.once(work)) }
    sorted = times.sorted()
  }

  /// The seconds of a single run.
  static func once(_ work: () throws -> Void) rethrows -> Double {
    let duration = try ContinuousClock().measure(work)
    return Double(duration.components.seconds) + Double(duration.components.attoseconds) * 1e-18
  }

  var median: Double { sorted[sorted.count / 2] }

  /// The time that so many of a hundred runs stay within.
  func percentile(_ share: Int) -> Double { sorted[min(sorted.count * share / 100, sorted.count - 1)] }
}
