// Interactions in Parquet, made by pyarrow (Resources/make_parquet.py), and what a clickstream holds out.

import CommandSupport
import Datasets
import Foundation
import Recommendation
import Testing

@Suite struct DataParquetTests {
  private let resources = Bundle.module.url(forResource: "Resources", withExtension: nil)!

  private func path(_ name: String) -> String { resources.appendingPathComponent(name).path }

  @Test("one table: columns by their usual names, ids of any type, bad rows named")
  func table() throws {
    let data = try InteractionDataset(path: path("interactions.parquet"))
    #expect(data.format == .parquet)
    #expect(data.interactions.users.ids == ["ann"])
    #expect(data.interactions.items.ids == ["10", "30"])
    #expect(data.interactions.strengths == [1.5, 2])
    #expect(data.interactions.timestamps == [1_767_225_610, 1_767_312_000])
    #expect(
      data.skipped.examples.map(\.description) == [
        "line 2: \"implicit_rating\" is 0.0; it must be above 0.0", "line 3: \"user_id\" is missing",
        "line 5: \"timestamp\" is \"soon\", neither seconds (or milliseconds) since 1970 nor a date such as "
          + "2026-01-31T08:30:00Z",
      ])
    #expect(throws: DatasetError.self) {
      try InteractionDataset(path: path("interactions.parquet"), options: InteractionReadOptions(isStrict: true))
    }
    #expect {
      try InteractionDataset(
        path: path("interactions.parquet"), options: InteractionReadOptions(columns: ["user_id=who"]))
    } throws: { "\($0)".contains("has no column \"who\" (it has: movieId, note, userId, timestamp, implicit_rating)") }
  }

  @Test("a clickstream's last 14 days are contacts with known items that are new to known users, each once")
  func clickstream() throws {
    let data = try InteractionDataset(path: path("clickstream"))
    #expect(data.format == .clickstream)
    #expect(data.interactions.users.ids == ["7000000000001", "7000000000002"])
    #expect(data.interactions.items.ids == ["501", "502", "503"])
    #expect(data.interactions.userIndices == [0, 0, 1, 1])
    #expect(data.interactions.itemIndices == [0, 1, 2, 0])
    #expect(data.heldOut == [HeldOutCase(user: 0, relevant: [2]), HeldOutCase(user: 1, relevant: [1])])
    #expect(data.kinds?.places.map { data.kinds!.names[Int($0)] } == ["1", "0", "0", "0"])
    #expect(data.warnings.contains("events.pq says nothing of 1 event (first: 9); taken for no contact"))
  }

  @Test("with no days held out everything trains; with too many nothing would")
  func days() throws {
    let all = try InteractionDataset(path: path("clickstream"), options: InteractionReadOptions(evaluationDays: 0))
    #expect(all.interactions.count == 12 && all.heldOut.isEmpty)
    #expect {
      try InteractionDataset(path: path("clickstream"), options: InteractionReadOptions(evaluationDays: 40))
    } throws: { "\($0)".contains("has no rows before its last 40 days") }
  }

  @Test("a directory that is no clickstream says what it lacks")
  func noClickstream() throws {
    let directory = try TemporaryDirectory()
    #expect { try InteractionDataset(path: directory.url.path) } throws: { "\($0)".contains("without clickstream.pq") }
    try FileManager.default.copyItem(
      atPath: path("clickstream/clickstream.pq"), toPath: directory.path("clickstream.pq"))
    #expect { try InteractionDataset(path: directory.url.path) } throws: { "\($0)".contains("has no events.pq") }
    try directory.write("PAR1 and no more", to: "events.pq")
    #expect(throws: (any Error).self) { try InteractionDataset(path: directory.url.path) }
  }
}
