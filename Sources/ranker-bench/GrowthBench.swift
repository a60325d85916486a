// How the cost of the recommenders' trainings grows with the data.

import Foundation
import Recommendation

/// Time and peak memory of `ranker train als` (10 iterations) and `ranker train ncf` (one epoch, four negatives a pair)
/// from 1 to 10 million interactions, the density falling as it does when a service grows: whole processes with reading,
/// export, verification and report.
func measureGrowth(threads: Int) throws -> [Measurement] {
  let folder = FileManager.default.temporaryDirectory.appendingPathComponent("ranker-bench-\(getpid())")
  try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
  defer { try? FileManager.default.removeItem(at: folder) }
  let file = folder.appendingPathComponent("interactions.csv").path
  let trainings = [
    ("als, 10 iterations", ["train", "als", "--iterations", "10", "--output-dir", folder.path]),
    (
      "ncf, 1 epoch",
      [
        "train", "ncf", "--epochs", "1", "--batch-size", "256", "--validation-split", "0", "--output-path",
        folder.appendingPathComponent("ncf.pt").path,
      ]
    ),
  ]
  var rows: [Measurement] = []
  for millions in [1, 2, 5, 10] {
    let count = millions * 1_000_000
    let (users, items) = (count / 50, 5000 * millions)
    try writeInteractions(madeUpInteractions(users: users, items: items, count: count), to: file)
    for (name, arguments) in trainings {
      var megabytes = 0.0
      let seconds = try Timing.once {
        megabytes = try runRanker(arguments + ["--data-path", file, "--threads", "\(threads)", "--quiet"])
      }
      let work = "\(users) users, \(items) items"
      rows += [
        Measurement(name: "\(name), \(millions) million", value: seconds, unit: "s", detail: work),
        Measurement(name: "\(name), \(millions) million, peak memory", value: megabytes, unit: "MB", detail: work),
      ]
    }
  }
  return rows
}

private func writeInteractions(_ interactions: Interactions, to path: String) throws {
  var text = Array("user_id,item_id\n".utf8)
  for (user, item) in zip(interactions.userIndices, interactions.itemIndices) {
    text += "u\(user),i\(item)\n".utf8
  }
  try Data(text).write(to: URL(fileURLWithPath: path))
}
