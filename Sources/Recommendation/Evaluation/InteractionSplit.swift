// Interactions split into what trains and what tests, as a file: every model is then trained and measured on the same.

import Datasets

/// A part of a file's interactions held out, with the items that each user's are ranked against.
///
/// ```swift
/// let data = try InteractionDataset(path: "u.data")
/// try InteractionSplit(data, holdingOut: .latest, negatives: 99, seed: 1).write(to: "split.json")
/// ```
public struct InteractionSplit: Sendable {
  /// What is held out.
  public enum Part: Sendable, Hashable {
    /// The latest item of each user: ``Interactions/leavingOneOut()``.
    case latest
    /// A share of the pairs, from 0 to below 1: ``Interactions/holdingOut(fraction:seed:)``.
    case share(Double)
  }

  public let part: Part
  public let seed: UInt64
  /// What is left to train on.
  public let training: Interactions
  /// What users did, for each of `training`'s rows.
  public let kinds: InteractionKinds?
  public let cases: [HeldOutCase]

  /// - Parameters:
  ///   - data: what it holds out itself is left out of both parts, and never drawn.
  ///   - negatives: items drawn beside the held-out ones of each user, which the user has nowhere in the data; nil leaves
  ///     the candidates open: every item that the user has not seen.
  /// - Throws: `RecommendationError.nothingToTrainOn` where nothing is left, `.nothingToHoldOut` where all is needed.
  public init(
    _ data: InteractionDataset, holdingOut part: Part, negatives: Int?, seed: UInt64
  ) throws(RecommendationError) {
    let interactions = data.interactions
    let (rows, heldOut) =
      switch part {
      case .latest: interactions.rowsLeavingOneOut()
      case .share(let share): interactions.rowsHoldingOut(fraction: share, seed: seed)
      }
    guard !rows.isEmpty else { throw .allHeldOut(data.path) }
    guard !heldOut.isEmpty else { throw .nothingToHoldOut(path: data.path, isLatest: part == .latest) }
    self.part = part
    self.seed = seed
    training = interactions.rows(rows)
    kinds = data.kinds.map { kinds in
      InteractionKinds(names: kinds.names, places: rows.map { kinds.places[$0] }, isContact: kinds.isContact)
    }
    cases =
      negatives.map {
        NegativeSampler(interactions.adding(data.heldOut)).candidates(for: heldOut, negatives: $0, seed: seed)
      } ?? heldOut
  }

  /// Writes a JSON document, `-` for standard output, that ``InteractionDataset`` and every training read: `metadata`
  /// with the counts of what is left to train on, `interactions`, and `held_out_test`.
  public func write(to path: String) throws {
    let document = try InteractionDocument(path: path, metadata: metadata)
    let (users, items) = (training.users.ids, training.items.ids)
    for row in 0..<training.count {
      try document.appendInteraction { text in
        text.append(contentsOf: "{\"user_id\": ".utf8)
        JSONWriter.append(users[Int(training.userIndices[row])], to: &text)
        text.append(contentsOf: ", \"item_id\": ".utf8)
        JSONWriter.append(items[Int(training.itemIndices[row])], to: &text)
        if let times = training.timestamps { text.append(contentsOf: ", \"timestamp\": \(times[row])".utf8) }
        if let kinds, kinds.places[row] >= 0 {
          text.append(contentsOf: ", \"interaction_type\": ".utf8)
          JSONWriter.append(kinds.names[Int(kinds.places[row])], to: &text)
        }
        text.append(contentsOf: ", \"implicit_rating\": ".utf8)
        JSONWriter.append(training.strengths[row], to: &text)
        text.append(UInt8(ascii: "}"))
      }
    }
    for heldOut in cases {
      try document.appendCase(
        user: { JSONWriter.append(users[Int(heldOut.user)], to: &$0) }, relevant: heldOut.relevant,
        candidates: heldOut.candidates, item: { JSONWriter.append(items[Int($0)], to: &$1) })
    }
    try document.finish()
  }

  private var metadata: String {
    let (userCount, itemCount) = (Set(training.userIndices).count, Set(training.itemIndices).count)
    let density = Double(training.count) / (Double(userCount) * Double(itemCount))
    let heldOut =
      switch part {
      case .latest: "\"latest\""
      case .share(let share): "\(share)"
      }
    return "{\"num_users\": \(userCount), \"num_items\": \(itemCount), \"num_interactions\": \(training.count), "
      + "\"density\": \(density), \"split\": {\"held_out\": \(heldOut), \"seed\": \(seed)}}"
  }
}
