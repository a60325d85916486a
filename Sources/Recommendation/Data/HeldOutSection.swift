// The section `held_out_test` of a JSON file: ranking tasks with known answers.

import Datasets

enum HeldOutSection {
  static let columns = [
    TableColumn("user_id", synonyms: ["userId"], content: .ids, isRequired: true),
    TableColumn("relevant_items", synonyms: ["relevantItems"], content: .idLists, isRequired: true),
    TableColumn("candidate_items", synonyms: ["candidateItems"], content: .idLists),
  ]
}

extension InteractionDraft {
  /// Makes cases of the section's rows. Items that have no interactions are added to the vocabulary: they are in the
  /// catalogue, and leaving them out would make the task easier. Users without interactions are left out.
  mutating func takeHeldOut(_ table: Table) {
    guard case .ids(let userPlaces, let userTexts) = table.columns[0],
      case .idLists(let relevantOffsets, let relevantPlaces, let relevantTexts) = table.columns[1]
    else { return }
    let users = userTexts.map { interactions.users[$0].map(Int32.init) }
    let knownItems = interactions.items.count
    let relevantItems = relevantTexts.map { Int32(interactions.items.insert($0)) }
    var candidateOffsets = [Int](repeating: 0, count: table.rowCount + 1)
    var candidates: [Int32] = []
    if case .idLists(let offsets, let places, let texts) = table.columns[2] {
      let items = texts.map { Int32(interactions.items.insert($0)) }
      candidateOffsets = offsets
      candidates = places.map { items[Int($0)] }
    }

    let known = InteractionMatrix(interactions)
    var unknownUsers = 0
    var withoutTask = 0
    var leaks = 0
    for row in 0..<table.rowCount {
      guard let user = users[Int(userPlaces[row])] else {
        unknownUsers += 1
        continue
      }
      var seen: Set<Int32> = []
      let relevant = relevantPlaces[relevantOffsets[row]..<relevantOffsets[row + 1]].map { relevantItems[Int($0)] }
        .filter { seen.insert($0).inserted }
      let answers = seen
      let others = candidates[candidateOffsets[row]..<candidateOffsets[row + 1]].filter { seen.insert($0).inserted }
      let hasCandidates = candidateOffsets[row] < candidateOffsets[row + 1]
      guard !relevant.isEmpty, !hasCandidates || !others.isEmpty else {
        withoutTask += 1
        continue
      }
      leaks += relevant.count { known.contains(row: Int(user), column: $0) }
      // In the order of the file; relevant items that are not among the candidates come behind them.
      var order: [Int32] = []
      if hasCandidates {
        var listed: Set<Int32> = []
        for item in candidates[candidateOffsets[row]..<candidateOffsets[row + 1]] where listed.insert(item).inserted {
          order.append(item)
        }
        order += relevant.filter { answers.contains($0) && !listed.contains($0) }
      }
      heldOut.append(HeldOutCase(user: user, relevant: relevant, candidates: order))
    }
    if unknownUsers > 0 {
      warnings.append(
        "\(Self.count(unknownUsers, "case")) of held_out_test \(unknownUsers == 1 ? "is" : "are") left out: the user has "
          + "no interactions")
    }
    if withoutTask > 0 {
      warnings.append(
        "\(Self.count(withoutTask, "case")) of held_out_test \(withoutTask == 1 ? "is" : "are") left out: no relevant "
          + "items, or no other candidates to rank them against")
    }
    if leaks > 0 {
      warnings.append(
        "\(Self.count(leaks, "relevant item")) of held_out_test \(leaks == 1 ? "is" : "are") among the same user's "
          + "interactions: a model has seen the answer")
    }
    let added = interactions.items.count - knownItems
    if added > 0 {
      notes.append(
        "\(Self.count(added, "item")) of held_out_test \(added == 1 ? "has" : "have") no interactions; nothing is known "
          + "of \(added == 1 ? "it" : "them") but the id")
    }
  }
}
