// Numbers about the service itself, in the text form that Prometheus reads.

import Foundation
import Synchronization

/// Counts requests and measures how long they take.
///
/// Format: Prometheus text exposition format 0.0.4.
public final class ServiceMetrics: Sendable {
  private struct Series: Hashable {
    let method: String
    let route: String
    let status: Int
  }

  private struct Histogram {
    var counts = [Int](repeating: 0, count: ServiceMetrics.bounds.count)
    var count = 0
    var sum = 0.0
  }

  private struct State {
    var requests: [Series: Int] = [:]
    var times: [String: Histogram] = [:]
  }

  private let state = Mutex(State())
  /// Upper bounds of the histogram, in seconds.
  private static let bounds = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5]

  private static let methods: Set = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]

  public init() {}

  func note(method: String, route: String, status: Int, time: Duration) {
    let seconds = Double(time.components.seconds) + Double(time.components.attoseconds) / 1e18
    // A client may send any word as its method; each would be a series of its own.
    let method = Self.methods.contains(method) ? method : "other"
    state.withLock { state in
      state.requests[Series(method: method, route: route, status: status), default: 0] += 1
      var histogram = state.times[route] ?? Histogram()
      for (index, bound) in Self.bounds.enumerated() where seconds <= bound { histogram.counts[index] += 1 }
      histogram.count += 1
      histogram.sum += seconds
      state.times[route] = histogram
    }
  }

  /// All that Prometheus is told.
  func text(jobs: [JobStatus: Int], watchers: Int) -> String {
    var lines = ["# HELP ranker_jobs Jobs by status.", "# TYPE ranker_jobs gauge"]
    for status in JobStatus.allCases { lines.append("ranker_jobs{status=\"\(status.rawValue)\"} \(jobs[status] ?? 0)") }
    lines += [
      "# HELP ranker_live_watchers Connections that follow a job, and idle workers.",
      "# TYPE ranker_live_watchers gauge",
      "ranker_live_watchers \(watchers)", "# HELP ranker_memory_bytes Memory that the process has in use.",
      "# TYPE ranker_memory_bytes gauge", "ranker_memory_bytes \(Self.residentBytes)",
      "# HELP ranker_http_requests_total Requests that were answered.", "# TYPE ranker_http_requests_total counter",
    ]
    let (requests, times) = state.withLock { ($0.requests, $0.times) }
    for (series, count) in requests.sorted(by: { Self.labels($0.key) < Self.labels($1.key) }) {
      lines.append("ranker_http_requests_total{\(Self.labels(series))} \(count)")
    }
    lines += [
      "# HELP ranker_http_request_duration_seconds Time from a request to its answer.",
      "# TYPE ranker_http_request_duration_seconds histogram",
    ]
    for (route, histogram) in times.sorted(by: { $0.key < $1.key }) {
      let label = "route=\"\(Self.escaped(route))\""
      let name = "ranker_http_request_duration_seconds"
      for (bound, count) in zip(Self.bounds, histogram.counts) {
        lines.append("\(name)_bucket{\(label),le=\"\(bound)\"} \(count)")
      }
      lines.append("\(name)_bucket{\(label),le=\"+Inf\"} \(histogram.count)")
      lines.append("\(name)_sum{\(label)} \(histogram.sum)")
      lines.append("\(name)_count{\(label)} \(histogram.count)")
    }
    return lines.joined(separator: "\n") + "\n"
  }

  private static func labels(_ series: Series) -> String {
    "method=\"\(escaped(series.method))\",route=\"\(escaped(series.route))\",status=\"\(series.status)\""
  }

  private static func escaped(_ text: String) -> String {
    text.replacingOccurrences(of: "\\", with: "\\\\").replacingOccurrences(of: "\"", with: "\\\"")
      .replacingOccurrences(of: "\n", with: "\\n")
  }

  /// The second number of /proc/self/statm, in pages (proc(5)).
  private static var residentBytes: Int {
    let text = (try? String(contentsOfFile: "/proc/self/statm", encoding: .utf8)) ?? ""
    return (text.split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? 0) * Int(sysconf(Int32(_SC_PAGESIZE)))
  }
}
