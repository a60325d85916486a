// The table of all operators: name to evaluation, one entry list an operator family.

enum OperatorRegistry {
  /// Every operator by its full name.
  static let operators: [OperatorName: Operator] = {
    var result: [OperatorName: Operator] = [:]
    for (domain, families) in domains {
      for (name, evaluation) in families.joined() {
        result[OperatorName(domain: domain, operatorType: name)] = evaluation
      }
    }
    return result
  }()

  private static let domains: [String: [OperatorTable]] = [
    "": families,
    "ai.onnx.ml": [Features.operators, LinearModels.operators, Trees.operators],
    "ai.onnx.preview.training": [Optimizers.operators],
  ]

  private static let families: [OperatorTable] = [
    Arithmetic.operators, Mathematics.operators, Rounding.operators, Comparisons.operators, Logic.operators,
    Activations.operators, Reductions.operators, Extremes.operators, Normalizations.operators, Products.operators,
    Shapes.operators, Movements.operators, Slices.operators, Gathers.operators, Scatters.operators,
    Casts.operators, Constants.operators, Ordering.operators, ControlFlow.operators, Accumulations.operators,
    Convolutions.operators, Pools.operators, Recurrent.operators, Quantization.operators, Losses.operators,
    Sequences.operators, Texts.operators, Resizing.operators, Sampling.operators, Signals.operators,
  ]
}
