// The table of operators: one look at what the engine computes and differentiates.

extension Operator {
  /// Every operator by its key: the name, with the domain in front where it is not ONNX's own.
  static let table: [String: Operator] = {
    let families = [
      views, constants, products, linearLayers, attention, dropouts, optimizers, leastSquares,
      joining, movements, casting, unary, numeric, binary, comparisons, reductions,
      gathers, embeddingSums, scatters, selections, softmaxes, normalizations, padding, quantization,
      quantizedLayers,
    ]
    return Dictionary(
      uniqueKeysWithValues: families.joined().map { (key($0.name, domain: $0.domain), $0) })
  }()

  /// The operator of that name, or nil.
  static func named(_ name: String, domain: String) -> Operator? { table[key(name, domain: domain)] }
}
