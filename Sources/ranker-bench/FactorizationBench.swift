// Alternating least squares: the fit beside other libraries'.

import Datasets
import Glibc
import Recommendation

/// The fit of 60 factors in 10 iterations, from rows of interactions to both tables: sorting them in, both orientations,
/// all iterations with their losses.
///
/// - Parameter path: interactions as CSV; 930,000 are made up without it.
func measureFactorization(path: String?, threads: Int) throws -> [Measurement] {
  let interactions =
    try path.map { try InteractionDataset(path: $0).interactions }
    ?? madeUpInteractions(users: 6000, items: 3000, count: 930_000)
  return try ALSSettings.Solver.allCases.map { solver in
    var settings = ALSSettings()
    settings.solver = solver
    settings.threads = threads
    var loss = 0.0
    let timing = try Timing(seconds: 1) { loss = try fit(interactions, settings) }
    return Measurement(
      name: "als fit \(solver.rawValue)", value: timing.median, unit: "s",
      detail: "\(interactions.count) interactions, \(settings.factors) factors, \(settings.iterations) iterations, "
        + "loss \(Int(loss))")
  }
}

private func fit(_ interactions: Interactions, _ settings: ALSSettings) throws -> Double {
  let solver = try ALSSolver(InteractionMatrix(interactions), settings: settings)
  var loss = 0.0
  for _ in 0..<settings.iterations { loss = try solver.iterate() }
  return loss
}

/// Pairs with a long tail on both sides: a user's number of items is Pareto-distributed, an item's popularity falls with a
/// power of its place. A pair may repeat.
func madeUpInteractions(users: Int, items: Int, count: Int) -> Interactions {
  var generator = SeededGenerator(seed: 7)
  var activity = (0..<users).map { _ in pow(1 - generator.uniform(), -1 / 1.5) }
  let scale = Double(count) / activity.reduce(0, +)
  for user in activity.indices { activity[user] = min(activity[user] * scale, Double(items) / 2) }
  var userIndices: [Int32] = []
  var itemIndices: [Int32] = []
  userIndices.reserveCapacity(count)
  itemIndices.reserveCapacity(count)
  var debt = 0.0
  for (user, amount) in activity.enumerated() {
    debt += amount
    while debt >= 1 {
      debt -= 1
      // The inverse of the distribution with the density 0.4 place^-0.6.
      userIndices.append(Int32(user))
      itemIndices.append(Int32(min(items - 1, Int(Double(items) * pow(generator.uniform(), 1 / 0.4)))))
    }
  }
  return Interactions(
    users: Vocabulary((0..<users).lazy.map { "u\($0)" }), items: Vocabulary((0..<items).lazy.map { "i\($0)" }),
    userIndices: userIndices, itemIndices: itemIndices,
    strengths: [Float](repeating: 1, count: userIndices.count))
}
