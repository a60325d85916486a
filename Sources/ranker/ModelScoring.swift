// The bridge from a trained model to the questions that are asked: where is it least sure?

import Datasets
import PairwiseRanking

/// A function that scores items with the model in `directory`.
///
/// - Throws: where the directory holds no model that can be used.
func itemScoring(modelDirectory directory: String) throws -> ([Item]) throws -> [Double] {
  let ranker = try PairwiseRanking.Ranker(directory: directory)
  return { items in try ranker.scores(of: items).map(Double.init) }
}
