// Interactions made ready for a training of NCF: split, sampled, with the tables' sizes known.

import Checkpoints
import Datasets
import Tensors
import Verification

/// What a training needs of its data.
struct NCFPreparedData {
  /// What is trained on and validated with, without what tests; its ids are the rows of the tables.
  let interactions: Interactions
  let graph: NCFGraph
  let samples: NCFSamples
  let validation: NCFValidation
  /// The cases that the data itself holds out.
  let test: NCFValidation
  let summary: NCFMetadata.DataSummary
  let warnings: [String]
  /// Inputs that are recorded beside the model.
  let recordedPairs: [String: Tensor]

  /// - Parameters:
  ///   - initial: an earlier model, whose ids come first.
  ///   - initialPath: where it was read, for messages.
  /// - Throws: `RecommendationError`.
  init(_ data: InteractionDataset, settings: NCFSettings, initial: NCFCheckpoint?, initialPath: String) throws {
    var interactions = data.interactions
    var heldOut = data.heldOut
    if let initial {
      let users = Self.places(of: interactions.users, after: initial.users)
      let items = Self.places(of: interactions.items, after: initial.items)
      interactions = Interactions(
        users: users.joint, items: items.joint, userIndices: interactions.userIndices.map { users.places[Int($0)] },
        itemIndices: interactions.itemIndices.map { items.places[Int($0)] }, strengths: interactions.strengths,
        timestamps: interactions.timestamps)
      heldOut = heldOut.map { heldOut in
        HeldOutCase(
          user: users.places[Int(heldOut.user)], relevant: heldOut.relevant.map { items.places[Int($0)] },
          candidates: heldOut.candidates.map { items.places[Int($0)] })
      }
    }
    let graph = settings.graph(userCount: interactions.users.count, itemCount: interactions.items.count)
    if let initial {
      let problems = Self.problems(initial.graph, against: graph)
      guard problems.isEmpty else {
        throw RecommendationError.initialModelDoesNotFit(path: initialPath, problems: problems)
      }
    }

    var warnings = data.warnings
    let everything = InteractionMatrix(interactions)
    var training = interactions
    var cases: [HeldOutCase] = []
    if settings.leavesOneOut {
      let split = interactions.leavingOneOut()
      training = split.training
      // What the data holds out is as unknown to the training as what is left out here.
      cases = NegativeSampler(interactions.adding(heldOut)).candidates(
        for: split.heldOut, negatives: NCFSettings.leaveOneOutNegatives, seed: settings.seed)
      if interactions.timestamps == nil {
        warnings.append("the data has no times: a user's last line in the file counts as the latest interaction")
      }
    } else if settings.validationSplit > 0 {
      (training, cases) = interactions.holdingOut(fraction: settings.validationSplit, seed: settings.seed)
    }
    let known = InteractionMatrix(training)
    guard known.count > 0 else {
      throw RecommendationError.allHeldOut(data.path)
    }
    let unseen = cases + heldOut
    let samples = NCFSamples(
      known: known, excluded: unseen, loss: settings.loss, negativeRatio: settings.negativeRatio,
      isWeighted: settings.isWeighted, seed: settings.seed)
    guard samples.count > 0 else {
      throw RecommendationError.nothingToTrainOn(
        path: data.path,
        problem: "every user has every item, so there is nothing to compare with; bpr needs items that a user lacks")
    }
    if !samples.fullUsers.isEmpty {
      let names = samples.fullUsers.prefix(3).map { interactions.users.ids[Int($0)] }.joined(separator: ", ")
      warnings.append(
        "\(samples.fullUsers.count == 1 ? "a user has" : "\(samples.fullUsers.count) users have") every item "
          + "(\(names)\(samples.fullUsers.count > 3 ? ", …" : "")): no negatives are drawn for "
          + (samples.fullUsers.count == 1 ? "that user" : "them"))
    }
    let joint = InteractionMatrix(interactions.adding(heldOut))
    validation = NCFValidation(cases, seen: known, known: joint, seed: settings.seed)
    test = NCFValidation(heldOut, seen: everything, known: joint, seed: settings.seed)
    if cases.isEmpty, settings.leavesOneOut || settings.validationSplit > 0 {
      warnings.append("nothing can be held out of so little data, so nothing tells which epoch is best")
    }
    if validation.cases.count < validation.availableCount {
      warnings.append(
        "measured on \(validation.cases.count) of the \(validation.availableCount) users with something held out")
    }
    self.interactions = interactions
    self.graph = graph
    self.samples = samples
    self.warnings = warnings
    summary = NCFMetadata.DataSummary(
      source: SourceFile(path: data.path, sha256: nil), format: data.format.rawValue,
      interactions: interactions.count, pairs: everything.count, skippedRows: data.skipped.count,
      trainingPairs: known.count, samplesPerEpoch: samples.count, validationUsers: validation.cases.count,
      testUsers: test.cases.count)
    let rows = min(Self.recordedCount, interactions.count)
    recordedPairs = [
      "user": Tensor(interactions.userIndices.prefix(rows).map(Int64.init)),
      "item": Tensor(interactions.itemIndices.prefix(rows).map(Int64.init)),
    ]
  }

  private static let recordedCount = 8

  /// The ids of a vocabulary behind those of another, and where each of them then stands.
  private static func places(of ids: Vocabulary, after first: Vocabulary) -> (joint: Vocabulary, places: [Int32]) {
    var joint = first
    let places = ids.ids.map { Int32(joint.insert($0)) }
    return (joint, places)
  }

  private static func problems(_ earlier: NCFGraph, against graph: NCFGraph) -> [String] {
    var problems: [String] = []
    func compare(_ name: String, _ earlier: String, _ wanted: String) {
      if earlier != wanted { problems.append("it has \(name) \(earlier), this training \(wanted)") }
    }
    compare("--architecture", earlier.architecture.rawValue, graph.architecture.rawValue)
    compare("--embedding-dim", "\(earlier.embeddingDimension)", "\(graph.embeddingDimension)")
    compare(
      "--hidden-layers", earlier.hiddenLayers.map(String.init).joined(separator: ","),
      graph.hiddenLayers.map(String.init).joined(separator: ","))
    return problems
  }
}
