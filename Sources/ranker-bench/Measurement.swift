// One measured figure, and how a piece of work is timed.

import Glibc
import ONNX

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

/// The microseconds of each node of one plan, the least of several runs: what else the machine does only adds to it.
func nodeProfile(
  runs: Int, warmUp: Int = 1, _ run: (Int) throws -> [(node: Node, seconds: Double)]
) rethrows -> [(node: String, microseconds: Double)] {
  for number in 0..<warmUp { _ = try run(number) }
  var least: [(node: String, microseconds: Double)] = []
  for number in 0..<runs {
    let nodes = try run(warmUp + number)
    if number == 0 { least = nodes.map { ("\($0.node.operatorType) \($0.node.name)", .infinity) } }
    for (index, item) in nodes.enumerated() {
      least[index].microseconds = min(least[index].microseconds, item.seconds * 1e6)
    }
  }
  return least
}

/// The most memory that this process ever held.
func peakMegabytes() -> Double {
  var usage = rusage()
  getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
  return Double(usage.ru_maxrss) / 1024
}
