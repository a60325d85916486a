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

    mutating func add(_ seconds: Double) {
      for (index, bound) in ServiceMetrics.bounds.enumerated() where seconds <= bound { counts[index] += 1 }
      count += 1
      sum += seconds
    }
  }

  private struct State {
    var requests: [Series: Int] = [:]
    var times: [String: Histogram] = [:]
    var predictions: [Prediction: Int] = [:]
    var predictionTimes: [String: Histogram] = [:]
    var limitedPredictions = 0
  }

  private struct Prediction: Hashable {
    let question: String
    let outcome: String
  }

  private let state = Mutex(State())
  /// Upper bounds of the histogram, in seconds.
  private static let bounds = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5]

  private static let methods: Set = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]

  public init() {}

  func note(method: String, route: String, status: Int, time: Duration) {
    // A client may send any word as its method; each would be a series of its own.
    let method = Self.methods.contains(method) ? method : "other"
    state.withLock { state in
      state.requests[Series(method: method, route: route, status: status), default: 0] += 1
      state.times[route, default: Histogram()].add(time.inSeconds)
    }
  }

  /// Counts something that a model was asked.
  ///
  /// - Parameters:
  ///   - outcome: `answered`, `refused` (the request was not right) or `failed` (the model was not).
  func notePrediction(question: String, outcome: String, time: Duration) {
    state.withLock { state in
      state.predictions[Prediction(question: question, outcome: outcome), default: 0] += 1
      if outcome == "answered" { state.predictionTimes[question, default: Histogram()].add(time.inSeconds) }
    }
  }

  /// Counts a prediction that an account's limit did not let in.
  func countLimitedPrediction() { state.withLock { $0.limitedPredictions += 1 } }

  /// All that Prometheus is told.
  func text(
    jobs: [JobStatus: Int], watchers: Int, predictions load: (models: Int, bytes: Int, requests: Int)
  ) -> String {
    var lines = ["# HELP ranker_jobs Jobs by status.", "# TYPE ranker_jobs gauge"]
    for status in JobStatus.allCases { lines.append("ranker_jobs{status=\"\(status.rawValue)\"} \(jobs[status] ?? 0)") }
    lines += [
      "# HELP ranker_live_watchers Connections that follow a job, and idle workers.",
      "# TYPE ranker_live_watchers gauge",
      "ranker_live_watchers \(watchers)", "# HELP ranker_memory_bytes Memory that the process has in use.",
      "# TYPE ranker_memory_bytes gauge", "ranker_memory_bytes \(Self.residentBytes)",
      "# HELP ranker_http_requests_total Requests that were answered.", "# TYPE ranker_http_requests_total counter",
    ]
    let state = state.withLock { $0 }
    for (series, count) in state.requests.sorted(by: { Self.labels($0.key) < Self.labels($1.key) }) {
      lines.append("ranker_http_requests_total{\(Self.labels(series))} \(count)")
    }
    lines += Self.histograms(
      "ranker_http_request_duration_seconds", "Time from a request to its answer.", by: "route", state.times)
    lines += ["# HELP ranker_predictions_total Questions to models.", "# TYPE ranker_predictions_total counter"]
    for (key, count) in state.predictions.sorted(by: {
      ($0.key.question, $0.key.outcome) < ($1.key.question, $1.key.outcome)
    }) {
      lines.append("ranker_predictions_total{question=\"\(key.question)\",outcome=\"\(key.outcome)\"} \(count)")
    }
    lines += Self.histograms(
      "ranker_prediction_duration_seconds", "Time from a question to its answer.", by: "question",
      state.predictionTimes)
    let gauges = [
      ("ranker_predictions_limited_total", "counter", "Questions beyond an account's limit.", state.limitedPredictions),
      ("ranker_predictions_waiting", "gauge", "Questions that are computed or wait for it.", load.requests),
      ("ranker_models_loaded", "gauge", "Models that are in memory.", load.models),
      ("ranker_models_loaded_bytes", "gauge", "Bytes that these hold, about.", load.bytes),
    ]
    for (name, type, help, value) in gauges {
      lines += ["# HELP \(name) \(help)", "# TYPE \(name) \(type)", "\(name) \(value)"]
    }
    return lines.joined(separator: "\n") + "\n"
  }

  private static func histograms(
    _ name: String, _ help: String, by label: String, _ histograms: [String: Histogram]
  ) -> [String] {
    var lines = ["# HELP \(name) \(help)", "# TYPE \(name) histogram"]
    for (value, histogram) in histograms.sorted(by: { $0.key < $1.key }) {
      let label = "\(label)=\"\(escaped(value))\""
      for (bound, count) in zip(bounds, histogram.counts) {
        lines.append("\(name)_bucket{\(label),le=\"\(bound)\"} \(count)")
      }
      lines.append("\(name)_bucket{\(label),le=\"+Inf\"} \(histogram.count)")
      lines.append("\(name)_sum{\(label)} \(histogram.sum)")
      lines.append("\(name)_count{\(label)} \(histogram.count)")
    }
    return lines
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
