// Which files a path to a recommender stands for.

import Foundation
import Verification

/// Finds a recommender's files, of whatever kind it is.
enum RecommenderFiles {
  static let modelTypes = [NCFGraph.modelType, ALSGraph.modelType, PopularityGraph.modelType]

  /// The record of what was seen, of the model with this name.
  static func seenItems(name: String) -> String { "\(name)_interactions.safetensors" }

  /// The metadata file of a model and what every kind of model says in it.
  ///
  /// - Parameter path: a directory with one recommender, its metadata file, or one of its files.
  /// - Throws: `ModelError.notAModel` where there is none, or more than one; it says how to train one.
  static func open(_ path: String) throws(ModelError) -> (file: String, metadata: CommonMetadata) {
    let files: [String]
    do { files = try MetadataFiles.paths(for: path) } catch .notAModel(let path, let problem) {
      throw .notAModel(path: path, problem: "\(problem); \(training)")
    }
    guard !files.isEmpty else {
      throw .notAModel(path: path, problem: "no metadata of a finished training is there; \(training)")
    }
    var found: [(file: String, metadata: CommonMetadata)] = []
    for file in files {
      let metadata = try CommonMetadata(contentsOf: file)
      if modelTypes.contains(metadata.modelType) {
        found.append((file, metadata))
      } else if files.count == 1 {
        throw .notAModel(
          path: file, problem: "is a model of type '\(metadata.modelType)', not a recommender; \(training)")
      }
    }
    guard let first = found.first else {
      throw .notAModel(path: path, problem: "holds \(files.count) models, none of them a recommender; \(training)")
    }
    guard found.count == 1 else {
      throw .notAModel(
        path: path, problem: "holds several recommenders; name one of \(found.map(\.file).joined(separator: ", "))")
    }
    return first
  }

  private static let training =
    "train one with: ranker train als --data-path FILE --output-dir DIRECTORY (or ncf, or popular)"
}
