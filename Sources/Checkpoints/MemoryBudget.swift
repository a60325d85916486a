// How much memory a file may ask for: a hostile one must not take more than its size justifies.

/// Memory that reading one file may still take.
final class MemoryBudget {
  private let path: String
  private let limit: Int
  private var spent = 0

  /// - Parameter fileSize: The bytes of the file. Its tensors and inflated records may take 8 times as many (views of
  ///   shared storages, compression), and small files 64 MiB in any case.
  init(path: String, fileSize: Int) {
    self.path = path
    limit = Swift.min(fileSize, Int.max / 16) * 8 + (64 << 20)
  }

  /// Sets `bytes` aside for `what`, or throws before anything of it was allocated.
  func spend(_ bytes: Int, on what: @autoclosure () -> String) throws {
    let (total, overflow) = spent.addingReportingOverflow(bytes)
    guard bytes >= 0, !overflow, total <= limit else {
      throw CheckpointError.excessive(
        path: path, what: what(), found: "\(bytes) bytes",
        limit: "the \(limit) that a file of this size may take (\(spent) are taken)")
    }
    spent = total
  }
}
