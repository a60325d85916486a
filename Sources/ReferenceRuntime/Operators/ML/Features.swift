// Preparing features: scaling, imputing, encoding, joining, as scikit-learn's transformers export it.

import ONNX
import Tensors

enum Features {
  static let operators: OperatorTable = [
    "Scaler": .one(scale),
    "Normalizer": .one(normalize),
    "Imputer": .one(impute),
    "Binarizer": .one { call in
      let x = try call.operand(0).rounded
      let threshold = try call.float("threshold", default: 0)
      let values = try call.doubles(x).map { $0 > threshold ? 1.0 : 0 }
      guard x.elementType.isInteger else { return Operand(values, x.shape, x.elementType) }
      return Operand(integers: values.map { Int128($0) }, x.shape, x.elementType)
    },
    "FeatureVectorizer": .one(join),
    "ArrayFeatureExtractor": .one(extract),
    "OneHotEncoder": .one(oneHot),
    "LabelEncoder": .one(encodeLabels),
    "DictVectorizer": .one(vectorize),
    "ZipMap": .many(zipMap),
  ]

  /// `(x - offset) · scale`, each one number or one a feature.
  private static func scale(_ call: Call) throws -> Operand {
    let x = try call.operand(0)
    guard let features = x.shape.last else { throw call.failure("samples, not \(x.summary)") }
    let (offsets, scales) = (
      try call.floats(attribute: "offset") ?? [0], try call.floats(attribute: "scale") ?? [1]
    )
    for parameter in [offsets, scales] where parameter.count != 1 && parameter.count != features {
      throw call.failure("one offset and scale, or \(features), not \(parameter.count)")
    }
    let values = try call.doubles(x).enumerated().map { position, value in
      let feature = position % features
      return (value - offsets[offsets.count == 1 ? 0 : feature]) * scales[scales.count == 1 ? 0 : feature]
    }
    return Operand(values, x.shape, .float)
  }

  /// Each row divided by its norm: the largest magnitude, the sum of magnitudes, or the root of the sum of squares.
  private static func normalize(_ call: Call) throws -> Operand {
    let x = try call.operand(0)
    let samples = try Samples(call)
    let norm = try call.choice("norm", default: "MAX", of: ["MAX", "L1", "L2"])
    let values = (0..<samples.count).flatMap { sample -> [Double] in
      let row = samples[sample]
      let size =
        switch norm {
        case "MAX": row.reduce(0) { max($0, abs($1)) }
        case "L1": row.reduce(0) { $0 + abs($1) }
        default: row.reduce(0) { $0 + $1 * $1 }.squareRoot()
        }
      return size == 0 ? Array(row) : row.map { $0 / size }
    }
    return Operand(values, x.shape, .float)
  }

  /// Replaces one value (NaN for instance) by another, one for all features or one each.
  private static func impute(_ call: Call) throws -> Operand {
    let x = try call.operand(0)
    guard let features = x.shape.last else { throw call.failure("samples, not \(x.summary)") }
    func replacement(_ values: Int) throws -> (Int) -> Int {
      guard values == 1 || values == features else {
        throw call.failure("one value to impute, or \(features), not \(values)")
      }
      return { values == 1 ? 0 : $0 % features }
    }
    switch x.elements {
    case .floats(let values):
      let imputed = try call.floats(attribute: "imputed_value_floats") ?? []
      let replaced = try call.float("replaced_value_float", default: 0)
      let place = try replacement(imputed.count)
      return Operand(
        values.enumerated().map { index, value in
          value == replaced || value.isNaN && replaced.isNaN ? imputed[place(index)] : value
        }, x.shape, x.elementType)
    case .integers(let values):
      guard case .ints(let imputed)? = call.node.attribute("imputed_value_int64s") else {
        throw call.failure("imputed_value_int64s for integers")
      }
      let replaced = Int128(try call.int("replaced_value_int64", default: 0))
      let place = try replacement(imputed.count)
      return Operand(
        integers: values.enumerated().map { $0.element == replaced ? Int128(imputed[place($0.offset)]) : $0.element },
        x.shape, x.elementType)
    case .strings: throw call.failure("numbers, not \(x.summary)")
    }
  }

  /// The inputs side by side, each cut or filled with zeros to its `inputdimensions`.
  private static func join(_ call: Call) throws -> Operand {
    let operands = try call.operands()
    let widths = try call.ints("inputdimensions") ?? operands.map { $0.shape.last ?? 0 }
    guard widths.count == operands.count, widths.allSatisfy({ $0 >= 0 }),
      operands.allSatisfy({ $0.rank == 1 || $0.rank == 2 })
    else { throw call.failure("vectors or matrices, and a width for each in inputdimensions") }
    let matrices = operands.map { $0.rank == 2 ? $0 : $0.reshaped([$0.count, 1]) }
    let count = matrices[0].shape[0]
    guard matrices.allSatisfy({ $0.shape[0] == count }) else { throw call.failure("inputs of as many samples") }
    let shape = try call.checked([count, widths.reduce(0, +)])
    let values = try matrices.map { try call.doubles($0) }
    var result: [Double] = []
    for sample in 0..<count {
      for (index, width) in widths.enumerated() {
        let own = matrices[index].shape[1]
        result += (0..<width).map { $0 < own ? values[index][sample * own + $0] : 0 }
      }
    }
    return Operand(result, shape, .float)
  }

  /// Elements along the last axis; a vector counts as one row.
  private static func extract(_ call: Call) throws -> Operand {
    let x = try call.operand(0)
    guard let extent = x.shape.last else { throw call.failure("at least one axis") }
    let picks = try call.indices(call.operand(1), "the indices")
    guard picks.allSatisfy({ $0 >= 0 && $0 < extent }) else { throw call.failure("indices from 0 to \(extent - 1)") }
    let outer = x.rank == 1 ? [1] : Array(x.shape.dimensions.dropLast())
    let shape = try call.checked(outer + [picks.count])
    let rows = outer.reduce(1, *)
    return x.picking((0..<rows).flatMap { row in picks.map { row * extent + $0 } }, shape)
  }

  /// A new last axis with a 1 at the element's category; without `zeros`, an unknown category is an error.
  private static func oneHot(_ call: Call) throws -> Operand {
    let x = try call.operand(0)
    let categories: [Int]
    let count: Int
    if case .strings(let texts) = x.elements {
      let known = try call.strings(attribute: "cats_strings") ?? []
      categories = texts.map { known.firstIndex(of: $0) ?? -1 }
      count = known.count
    } else {
      guard case .ints(let known)? = call.node.attribute("cats_int64s") else {
        throw call.failure("cats_int64s for numbers")
      }
      categories = try call.doubles(x.rounded).map { value in
        known.firstIndex { Double($0) == value.rounded(.towardZero) } ?? -1
      }
      count = known.count
    }
    guard try call.flag("zeros", default: true) || !categories.contains(-1) else {
      throw call.failure("known categories alone, as zeros is 0")
    }
    let shape = try call.checked(x.shape.dimensions + [count])
    return Operand(
      categories.flatMap { category in (0..<count).map { $0 == category ? 1.0 : 0 } }, shape, .float)
  }

  /// Keys to values, pair by pair; of equal keys the last counts; what is no key becomes the default.
  private static func encodeLabels(_ call: Call) throws -> Operand {
    let x = try call.operand(0)
    if let classes = try call.strings(attribute: "classes_strings") { return try encodeClasses(call, x, classes) }
    guard let keys = try table(call, "keys"), let values = try table(call, "values"), keys.count == values.count else {
      throw call.failure("as many keys as values")
    }
    guard keys.elementType == x.elementType || keys.elementType.isInteger && x.elementType.isInteger else {
      throw call.failure("keys of the input's type, not \(keys.elementType)")
    }
    var fallback: Operand
    switch values.elementType {
    case .string:
      fallback = Operand(strings: [ByteString(try call.string("default_string", default: "_Unused"))], .scalar)
    case let type where type.isFloatingPoint:
      fallback = Operand([try call.float("default_float", default: -0.0)], .scalar, type)
    case let type: fallback = Operand(integers: [Int128(try call.int("default_int64", default: -1))], .scalar, type)
    }
    if let given = try call.tensor(attribute: "default_tensor") {
      try call.requireSameType([given, values])
      guard given.count == 1 else { throw call.failure("one element as default_tensor") }
      fallback = given
    }
    let places: [Int]
    switch (x.elements, keys.elements) {
    case (.strings(let inputs), .strings(let keys)): places = inputs.map { keys.lastIndex(of: $0) ?? -1 }
    case (.integers(let inputs), .integers(let keys)): places = inputs.map { keys.lastIndex(of: $0) ?? -1 }
    case (.floats(let inputs), .floats(let keys)):
      places = inputs.map { input in keys.lastIndex { $0 == input || $0.isNaN && input.isNaN } ?? -1 }
    default: throw call.failure("keys of the input's type, not \(keys.elementType)")
    }
    return values.picking(places, x.shape, filler: fallback)
  }

  /// The first version of the operator: classes to their indices, or indices to classes.
  private static func encodeClasses(_ call: Call, _ x: Operand, _ classes: [ByteString]) throws -> Operand {
    if case .strings(let texts) = x.elements {
      let fallback = try call.int("default_int64", default: -1)
      return Operand(indices: texts.map { classes.firstIndex(of: $0) ?? fallback }, x.shape)
    }
    let fallback = ByteString(try call.string("default_string", default: "_Unused"))
    return Operand(
      strings: try call.indices(x, "the input").map { classes.indices.contains($0) ? classes[$0] : fallback }, x.shape)
  }

  private static func table(_ call: Call, _ name: String) throws -> Operand? {
    if let tensor = try call.tensor(attribute: "\(name)_tensor") { return tensor }
    if let texts = try call.strings(attribute: "\(name)_strings") { return Operand(strings: texts, [texts.count]) }
    if let numbers = try call.floats(attribute: "\(name)_floats") { return Operand(numbers, [numbers.count], .float) }
    guard case .ints(let numbers)? = call.node.attribute("\(name)_int64s") else { return nil }
    return Operand(integers: numbers.map { Int128($0) }, [numbers.count], .int64)
  }

  /// The values of a map in the order of a vocabulary, 0 for keys that the map does not have.
  private static func vectorize(_ call: Call) throws -> Operand {
    guard case .map(let keys, let values) = try call.value(0) else { throw call.failure("a map") }
    let vocabulary: Operand
    if let texts = try call.strings(attribute: "string_vocabulary") {
      vocabulary = Operand(strings: texts, [texts.count])
    } else if case .ints(let numbers)? = call.node.attribute("int64_vocabulary") {
      vocabulary = Operand(integers: numbers.map { Int128($0) }, [numbers.count], .int64)
    } else {
      throw call.failure("string_vocabulary or int64_vocabulary")
    }
    let places: [Int]
    switch (keys.elements, vocabulary.elements) {
    case (.strings(let keys), .strings(let words)): places = words.map { keys.firstIndex(of: $0) ?? -1 }
    case (.integers(let keys), .integers(let words)): places = words.map { keys.firstIndex(of: $0) ?? -1 }
    default: throw call.failure("a vocabulary of the keys' type")
    }
    return values.picking(places, [1, places.count], filler: .zero(values.elementType))
  }

  /// A map from class labels to scores for each sample.
  private static func zipMap(_ call: Call) throws -> [Value] {
    let x = try call.operand(0)
    let labels: Operand
    if let texts = try call.strings(attribute: "classlabels_strings"), !texts.isEmpty {
      labels = Operand(strings: texts, [texts.count])
    } else if case .ints(let numbers)? = call.node.attribute("classlabels_int64s") {
      labels = Operand(integers: numbers.map { Int128($0) }, [numbers.count], .int64)
    } else {
      throw call.failure("the labels of the classes, classlabels_int64s or classlabels_strings")
    }
    guard x.rank == 1 || x.rank == 2, x.shape[x.rank - 1] == labels.count else {
      throw call.failure("\(labels.count) scores for each sample, not \(x.summary)")
    }
    let rows = x.rank == 2 ? x.shape[0] : 1
    return [
      .sequence(
        (0..<rows).map { row in
          let positions = Array(row * labels.count..<(row + 1) * labels.count)
          return .map(keys: labels, values: x.picking(positions, [labels.count]))
        })
    ]
  }
}
