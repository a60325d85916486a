// From a pickle's tables to a CheckpointValue: here the tensors are read and the nesting is bounded.

import Tensors

/// Turns what a pickle describes into values.
struct PickleConversion {
  private typealias Item = Pickle.Item

  private let path: String
  private let pickle: Pickle
  /// What the pickle's texts point into.
  private let text: UnsafeRawBufferPointer
  /// The bytes of a storage.
  private let storageBytes: (Int) throws -> UnsafeRawBufferPointer
  private let budget: MemoryBudget

  private var converted: [Container: Converted] = [:]
  /// Containers between the root and the value at hand.
  private var open: Set<Container> = []
  private var tensors: [Pickle.TensorView: Tensor] = [:]
  private var longTexts: [UInt32: String] = [:]
  private let costLimit: Int

  /// A value and its cost: 16 for each item and the bytes of each text, repetitions counted each time. A few bytes that
  /// refer to each other again and again ("billion laughs") stay small in memory, but not for who walks through them.
  private struct Converted {
    let value: CheckpointValue
    var cost = 16
    /// Levels of containers below this value: 0 for a plain value.
    var height = 0
  }

  private enum Container: Hashable {
    case tuple(Int32)
    case list(Int32)
    case dictionary(Int32)
  }

  /// Deeper than any checkpoint nests, and shallow enough for any thread's stack.
  private static let maximumDepth = 64
  /// Texts longer than this are made once; a shorter one costs no more than the value that holds it.
  private static let longText = 64
  /// About what a tensor takes beside its elements.
  private static let tensorOverhead = 256

  /// - Parameters:
  ///   - text: The bytes that the pickle was read from.
  ///   - storageBytes: The bytes of the storage of an index, as many as its count and type need.
  static func convert(
    _ pickle: Pickle, text: UnsafeRawBufferPointer, budget: MemoryBudget, path: String,
    storageBytes: @escaping (Int) throws -> UnsafeRawBufferPointer
  ) throws -> CheckpointValue {
    var conversion = PickleConversion(
      path: path, pickle: pickle, text: text, storageBytes: storageBytes, budget: budget)
    return try conversion.convertItem(pickle.root, depth: 0).value
  }

  private init(
    path: String, pickle: Pickle, text: UnsafeRawBufferPointer,
    storageBytes: @escaping (Int) throws -> UnsafeRawBufferPointer, budget: MemoryBudget
  ) {
    self.path = path
    self.pickle = pickle
    self.text = text
    self.storageBytes = storageBytes
    self.budget = budget
    costLimit = 64 << 20 + 16 * Swift.min(text.count, 1 << 40)
  }

  private func malformed(_ found: String, _ expected: String) -> CheckpointError {
    .malformed(path: path, place: "the pickle's values", found: found, expected: expected)
  }

  private mutating func convertItem(_ item: Item, depth: Int) throws -> Converted {
    switch item {
    case .none: return Converted(value: .none)
    case .bool(let value): return Converted(value: .bool(value))
    case .int(let value): return Converted(value: .int(value))
    case .float(let value): return Converted(value: .float(value))
    case .text(let offset, let count):
      return Converted(value: .string(try string(offset, count)), cost: 16 + Int(count))
    case .tensor(let index): return Converted(value: .tensor(try tensor(pickle.tensors[Int(index)])))
    case .tuple(let index):
      return try container(.tuple(index), depth: depth) { conversion, tally in
        .tuple(try conversion.convertAll(conversion.pickle.tuples[Int(index)], depth: depth, tally: &tally))
      }
    case .list(let index):
      return try container(.list(index), depth: depth) { conversion, tally in
        .list(try conversion.convertAll(conversion.pickle.lists[Int(index)], depth: depth, tally: &tally))
      }
    case .dictionary(let index):
      return try container(.dictionary(index), depth: depth) { conversion, tally in
        .dictionary(try conversion.dictionary(index, depth: depth, tally: &tally))
      }
    case .global(.elementType(let type)):
      return Converted(value: .string("torch.\(TorchTypes.dtypeName(of: type)!)"))
    case .global(let global): throw malformed("\(global) as a value", "a tensor or a plain value")
    case .storage: throw malformed("a storage without a tensor", "a tensor or a plain value")
    }
  }

  /// What the elements of a container add up to.
  private struct Tally {
    var cost = 16
    var height = 1
  }

  private mutating func container(
    _ container: Container, depth: Int, _ body: (inout PickleConversion, inout Tally) throws -> CheckpointValue
  ) throws -> Converted {
    if let known = converted[container] {
      // It may hang deeper here than where it was converted.
      try checkDepth(depth + known.height)
      return known
    }
    guard open.insert(container).inserted else { throw malformed("a container that holds itself", "no cycle") }
    try checkDepth(depth + 1)
    var tally = Tally()
    let value = try body(&self, &tally)
    open.remove(container)
    let result = Converted(value: value, cost: tally.cost, height: tally.height)
    converted[container] = result
    return result
  }

  private func checkDepth(_ depth: Int) throws {
    guard depth <= Self.maximumDepth else {
      throw CheckpointError.excessive(
        path: path, what: "the nesting of lists and dicts", found: "over \(Self.maximumDepth) levels",
        limit: "\(Self.maximumDepth) levels")
    }
  }

  private mutating func convertAll(_ items: [Item], depth: Int, tally: inout Tally) throws -> [CheckpointValue] {
    var values: [CheckpointValue] = []
    values.reserveCapacity(items.count)
    for item in items { values.append(try convert(item, depth: depth + 1, tally: &tally)) }
    return values
  }

  private mutating func convert(_ item: Item, depth: Int, tally: inout Tally) throws -> CheckpointValue {
    let element = try convertItem(item, depth: depth)
    tally.height = Swift.max(tally.height, element.height + 1)
    tally.cost += element.cost  // Both are at most the limit, which is far from the end of Int.
    guard tally.cost <= costLimit else {
      throw CheckpointError.excessive(
        path: path, what: "the pickle's values, repetitions written out,", found: "over \(tally.cost) bytes",
        limit: "\(costLimit)")
    }
    return element.value
  }

  private mutating func dictionary(_ index: Int32, depth: Int, tally: inout Tally) throws -> CheckpointDictionary {
    let source = pickle.dictionaries[Int(index)]
    var entries: [(CheckpointDictionary.Key, CheckpointValue)] = []
    entries.reserveCapacity(source.entries.count)
    for (keyItem, valueItem) in source.entries {
      let key: CheckpointDictionary.Key
      switch try convert(keyItem, depth: depth + 1, tally: &tally) {
      case .string(let name): key = .string(name)
      case .int(let number): key = .int(number)
      case let other:
        throw CheckpointError.unsupported(
          path: path, found: "\(other.summary) as the key of a dict", advice: "use strings or integers as keys")
      }
      entries.append((key, try convert(valueItem, depth: depth + 1, tally: &tally)))
    }
    var result = CheckpointDictionary(entries)
    result.isOrderedDict = source.isOrderedDict
    return result
  }

  private mutating func string(_ offset: UInt32, _ count: UInt32) throws -> String {
    if count > Self.longText, let known = longTexts[offset] { return known }
    let bytes = text[Int(offset)..<Int(offset) + Int(count)]
    guard let string = String(validating: bytes, as: UTF8.self) else {
      throw malformed("a string at byte \(offset) that is not UTF-8", "UTF-8")
    }
    if count > Self.longText { longTexts[offset] = string }
    return string
  }

  private mutating func tensor(_ view: Pickle.TensorView) throws -> Tensor {
    if let known = tensors[view] { return known }
    let shape = Shape(view.shape)
    let what = "a tensor \(view.elementType)\(shape)"
    try budget.spend(view.elementType.byteCount(shape.elementCount) ?? .max, on: what)
    try budget.spend(Self.tensorOverhead, on: what)
    let tensor = try view.read(from: storageBytes(view.storage))
    tensors[view] = tensor
    return tensor
  }
}

extension Pickle.TensorView {
  /// The tensor that the view shows of a storage's bytes.
  /// - Precondition: the view lies within the storage.
  fileprivate func read(from storage: UnsafeRawBufferPointer) -> Tensor {
    let shape = Shape(shape)
    let width = elementType.bitWidth! / 8
    guard shape.elementCount > 0 else { return Tensor(zeros: shape, elementType: elementType) }
    let first = UnsafeRawBufferPointer(rebasing: storage[(offset * width)...])
    return Tensor(uninitialized: shape, elementType: elementType) { target in
      if isContiguous(shape) {
        target.copyMemory(from: UnsafeRawBufferPointer(rebasing: first[0..<target.count]))
      } else {
        gather(from: first, to: target, width: width)
      }
      if elementType == .bool { target.normalizeBools() }
    }
  }

  /// Whether the elements lie one after another in row-major order. Strides of extents of 1 don't matter.
  private func isContiguous(_ shape: Shape) -> Bool {
    zip(shape, zip(strides, shape.strides)).allSatisfy { extent, stride in extent == 1 || stride.0 == stride.1 }
  }

  /// Copies elements in row-major order, the way an odometer counts.
  private func gather(from source: UnsafeRawBufferPointer, to target: UnsafeMutableRawBufferPointer, width: Int) {
    let rank = shape.count
    let (inner, innerStride) = (shape[rank - 1], strides[rank - 1] * width)
    var index = [Int](repeating: 0, count: rank)
    var from = 0
    for start in stride(from: 0, to: target.count, by: inner * width) {
      for element in 0..<inner {
        (target.baseAddress! + start + element * width)
          .copyMemory(from: source.baseAddress! + from + element * innerStride, byteCount: width)
      }
      for axis in stride(from: rank - 2, through: 0, by: -1) {
        index[axis] += 1
        from += strides[axis] * width
        if index[axis] < shape[axis] { break }
        from -= index[axis] * strides[axis] * width
        index[axis] = 0
      }
    }
  }
}

extension UnsafeMutableRawBufferPointer {
  /// Makes every byte a Bool that Swift allows: 0 or 1. PyTorch takes any other byte for true.
  func normalizeBools() {
    for position in indices { self[position] = self[position] == 0 ? 0 : 1 }
  }
}
