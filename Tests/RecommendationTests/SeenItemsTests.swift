// The record of who has seen what: counts, files, and files that someone changed.

import Checkpoints
import CommandSupport
import Recommendation
import Tensors
import Testing

@Suite("Seen items")
struct SeenItemsTests {
  private let folder = try! TemporaryDirectory()

  private static let interactions = Interactions(
    users: Vocabulary(["a", "b", "c"]), items: Vocabulary(["p", "q", "r"]), userIndices: [0, 0, 0, 2, 2],
    itemIndices: [2, 0, 2, 1, 2], strengths: [1, 1, 1, 1, 1])

  @Test("a pair that occurs twice is one, and each user counts once for an item")
  func counts() {
    let seen = SeenItems(Self.interactions)
    #expect((0..<3).map { Array(seen[$0]) } == [[0, 2], [], [1, 2]])
    #expect(seen.itemCounts == [1, 1, 2])
    #expect(seen.itemsByPopularity == [2, 0, 1])
    #expect(seen.contains(user: 0, item: 2) && !seen.contains(user: 0, item: 1) && !seen.contains(user: 1, item: 0))
  }

  @Test("come back from their file")
  func roundTrip() throws {
    let seen = SeenItems(Self.interactions)
    let path = folder.path("seen.safetensors")
    try seen.write(to: path)
    #expect(try SeenItems(contentsOf: path) == seen)
    let state = try StateDictionary(contentsOf: path)
    #expect(state["seen_offsets"] == Tensor([0, 2, 2, 4] as [Int64]))
    #expect(state["seen_items"] == Tensor([0, 2, 1, 2] as [Int32]))
    #expect(state["item_counts"] == Tensor([1, 1, 2] as [Int64]))
  }

  @Test(
    "from a changed file are an error, never a crash",
    arguments: [
      ([0, 2, 4], [0, 2, 1, 2], [1, 1]), ([0, 2, 9, 4], [0, 2, 1, 2], [1, 1, 2]),
      ([0, 3, 2, 4], [0, 2, 1, 2], [1, 1, 2]), ([1, 2, 2, 4], [0, 2, 1, 2], [1, 1, 2]),
      ([0, 2, 2, 4], [2, 0, 1, 2], [1, 1, 2]), ([0, 2, 2, 4], [0, 2, 2, 2], [1, 1, 2]),
      ([0, 2, 2, 4], [0, 2, 1, 3], [1, 1, 2]), ([0, 2, 2, 4], [-1, 2, 1, 2], [1, 1, 2]),
      ([0, 2, 2, 4], [0, 2, 1, 2], [1, 2, 2]), ([], [], []), ([0, -2, 2, 4], [0, 2, 1, 2], [1, 1, 2]),
    ] as [([Int64], [Int32], [Int64])])
  func changed(offsets: [Int64], items: [Int32], counts: [Int64]) throws {
    let path = folder.path("changed.safetensors")
    try StateDictionary([
      ("seen_offsets", Tensor(offsets)), ("seen_items", Tensor(items)), ("item_counts", Tensor(counts)),
    ]).writeSafetensors(to: path)
    #expect(throws: SeenItemsError.self) { try SeenItems(contentsOf: path) }
  }

  @Test("without one of their tensors, or with another type, are an error that names it")
  func missing() throws {
    let path = folder.path("missing.safetensors")
    try StateDictionary([("seen_offsets", Tensor([0] as [Int32]))]).writeSafetensors(to: path)
    let error = #expect(throws: SeenItemsError.self) { try SeenItems(contentsOf: path) }
    #expect(error?.problem == "'seen_offsets' is int32[1], expected int64 of one axis")
  }
}
