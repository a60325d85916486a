// Linear and support vector models of `ai.onnx.ml`.

import Glibc
import Tensors

enum LinearModels {
  static let operators: OperatorTable = [
    "LinearRegressor": .one(regressor),
    "LinearClassifier": .many(classifier),
    "SVMRegressor": .one(supportVectorRegressor),
  ]

  /// `x · coefficientsᵀ + intercepts` for each sample, with as many rows of coefficients as `outputs`.
  private static func scores(_ call: Call, _ samples: Samples, outputs: Int) throws -> [[Double]] {
    guard let coefficients = try call.floats(attribute: "coefficients"), outputs > 0,
      coefficients.count == outputs.multipliedReportingOverflow(by: samples.features).partialValue
    else { throw call.failure("\(outputs) rows of coefficients for \(samples.features) features") }
    let given = try call.floats(attribute: "intercepts") ?? []
    guard given.isEmpty || given.count == outputs else {
      throw call.failure("\(outputs) intercepts, not \(given.count)")
    }
    let intercepts = given.isEmpty ? [Double](repeating: 0, count: outputs) : given
    return (0..<samples.count).map { sample in
      (0..<outputs).map { output in
        let row = coefficients[output * samples.features..<(output + 1) * samples.features]
        return zip(row, samples[sample]).reduce(intercepts[output]) { $0 + $1.0 * $1.1 }
      }
    }
  }

  private static func regressor(_ call: Call) throws -> Operand {
    let samples = try Samples(call)
    let targets = try call.int("targets", default: 1)
    let transform = try PostTransform(call)
    let results = try scores(call, samples, outputs: targets).flatMap(transform.apply)
    return Operand(results, [samples.count, targets], .float)
  }

  /// The label with the largest score, and the scores. Two classes with one row of coefficients are `[-s, s]`.
  private static func classifier(_ call: Call) throws -> [Value] {
    let samples = try Samples(call)
    let labels = try ClassLabels(call, integers: "classlabels_ints")
    let transform = try PostTransform(call)
    let rows = (try call.floats(attribute: "coefficients")?.count ?? 0) / max(samples.features, 1)
    guard rows == labels.count || rows == 1 && labels.count == 2 else {
      throw call.failure("coefficients for \(labels.count) classes of \(samples.features) features")
    }
    let scores = try scores(call, samples, outputs: rows).map { row in
      transform.apply(rows == 1 && labels.count == 2 ? [-row[0], row[0]] : row)
    }
    return [
      .tensor(labels.picking(scores.map(largest))),
      .tensor(Operand(scores.flatMap { $0 }, [samples.count, labels.count], .float)),
    ]
  }

  /// `Σ coefficient · kernel(x, support vector) + rho`; without support vectors, `x · coefficients + rho`.
  private static func supportVectorRegressor(_ call: Call) throws -> Operand {
    let samples = try Samples(call)
    let transform = try PostTransform(call)
    let supports = try call.int("n_supports", default: 0)
    let coefficients = try call.floats(attribute: "coefficients") ?? []
    let vectors = try call.floats(attribute: "support_vectors") ?? []
    guard let rho = try call.floats(attribute: "rho")?.first,
      supports > 0
        ? coefficients.count == supports && vectors.count == supports * samples.features
        : supports == 0 && coefficients.count == samples.features
    else { throw call.failure("rho, and coefficients and support vectors that fit \(samples.features) features") }
    let kernel = try kernel(call, linear: supports == 0)
    let oneClass = try call.flag("one_class")
    let results = (0..<samples.count).flatMap { sample -> [Double] in
      let sum =
        supports == 0
        ? kernel(samples[sample], coefficients[...])
        : (0..<supports).reduce(0) { sum, support in
          let vector = vectors[support * samples.features..<(support + 1) * samples.features]
          return sum + coefficients[support] * kernel(samples[sample], vector)
        }
      let score = sum + rho
      return transform.apply([oneClass ? (score > 0 ? 1 : -1) : score])
    }
    return Operand(results, [samples.count, 1], .float)
  }

  private static func kernel(
    _ call: Call, linear: Bool
  ) throws -> (ArraySlice<Double>, ArraySlice<Double>) -> Double {
    let name =
      linear ? "LINEAR" : try call.choice("kernel_type", default: "LINEAR", of: ["LINEAR", "POLY", "RBF", "SIGMOID"])
    let parameters = try call.floats(attribute: "kernel_params") ?? [0, 0, 0]
    guard parameters.count >= 3 else { throw call.failure("three kernel_params: gamma, coef0, degree") }
    let (gamma, coef0, degree) = (parameters[0], parameters[1], parameters[2])
    func dot(_ a: ArraySlice<Double>, _ b: ArraySlice<Double>) -> Double { zip(a, b).reduce(0) { $0 + $1.0 * $1.1 } }
    switch name {
    case "POLY": return { pow(gamma * dot($0, $1) + coef0, degree) }
    case "SIGMOID": return { tanh(gamma * dot($0, $1) + coef0) }
    case "RBF": return { a, b in exp(-gamma * zip(a, b).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }) }
    default: return dot
    }
  }
}
