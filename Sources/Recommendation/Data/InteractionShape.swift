// What is seen of interactions in one walk over their users: repeated pairs, users with every item, the order of times.

/// Oddities of interactions, counted, each with the first of its kind.
struct InteractionShape {
  private(set) var duplicateCount = 0
  private(set) var firstDuplicate: (user: String, item: String)?
  private(set) var fullUserCount = 0
  private(set) var firstFullUser: String?
  /// The first row whose time is before the time of the row above.
  private(set) var firstOutOfOrder: Int?

  init(_ interactions: Interactions) {
    let userCount = interactions.users.count
    let itemCount = interactions.items.count
    // Rows of a user together, in their order: a counting sort.
    var ends = [Int](repeating: 0, count: userCount + 1)
    for user in interactions.userIndices { ends[Int(user) + 1] += 1 }
    for user in 0..<userCount { ends[user + 1] += ends[user] }
    var next = ends
    let itemsByUser = [Int32](unsafeUninitializedCapacity: interactions.count) { items, count in
      for row in 0..<interactions.count {
        let user = Int(interactions.userIndices[row])
        items[next[user]] = interactions.itemIndices[row]
        next[user] += 1
      }
      count = interactions.count
    }
    var lastUser = [Int32](repeating: -1, count: itemCount)
    for user in 0..<userCount {
      var distinct = 0
      for item in itemsByUser[ends[user]..<ends[user + 1]] {
        if lastUser[Int(item)] == Int32(user) {
          duplicateCount += 1
          if firstDuplicate == nil {
            firstDuplicate = (interactions.users.ids[user], interactions.items.ids[Int(item)])
          }
        } else {
          lastUser[Int(item)] = Int32(user)
          distinct += 1
        }
      }
      if distinct == itemCount {
        fullUserCount += 1
        if firstFullUser == nil { firstFullUser = interactions.users.ids[user] }
      }
    }
    if let times = interactions.timestamps {
      firstOutOfOrder = times.indices.dropFirst().first { times[$0] < times[$0 - 1] }
    }
  }
}
