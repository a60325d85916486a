// The bridge from a trained model to the questions that are asked: where is it least sure?

import Datasets

/// A function that scores items with the model in `directory`.
///
/// - Throws: where the directory holds no model that can be used.
func itemScoring(modelDirectory directory: String) throws -> ([Item]) throws -> [Double] {
  throw ValidationFailure("\(directory): --strategy uncertain needs a ranker that can score items")
}
