// A Python dict: entries in the order in which they were put in.

/// The dict of a checkpoint. Keys are strings or integers; the order of the entries is kept, and counts in `==`.
public struct CheckpointDictionary: Sendable, Equatable {
  /// A key. Strings are the same only when their UTF-8 is, as in Python.
  public enum Key: Sendable, Hashable, ExpressibleByStringLiteral, ExpressibleByIntegerLiteral {
    case string(String)
    case int(Int)

    public init(stringLiteral value: String) { self = .string(value) }
    public init(integerLiteral value: Int) { self = .int(value) }

    public static func == (a: Key, b: Key) -> Bool {
      switch (a, b) {
      case (.string(let a), .string(let b)): ExactText(a) == ExactText(b)
      case (.int(let a), .int(let b)): a == b
      default: false
      }
    }

    public func hash(into hasher: inout Hasher) {
      switch self {
      case .string(let value): ExactText(value).hash(into: &hasher)
      case .int(let value): hasher.combine(value)
      }
    }
  }

  private var entries: [(key: Key, value: CheckpointValue)] = []
  private var positions: [Key: Int] = [:]

  /// Whether Python sees a `collections.OrderedDict` (as state dicts are) and not a `dict`.
  public var isOrderedDict = false

  public init() {}

  /// The entries in order; of entries with one key the last value counts, at the place of the first, as in Python.
  public init(_ entries: some Sequence<(Key, CheckpointValue)>) {
    self.entries.reserveCapacity(entries.underestimatedCount)
    positions.reserveCapacity(entries.underestimatedCount)
    for (key, value) in entries { self[key] = value }
  }

  /// The value of a key. A new key goes to the end; setting nil removes the entry.
  public subscript(key: Key) -> CheckpointValue? {
    get { positions[key].map { entries[$0].value } }
    set {
      if let newValue {
        if let position = positions[key] {
          entries[position].value = newValue
        } else {
          positions[key] = entries.count
          entries.append((key, newValue))
        }
      } else if let position = positions.removeValue(forKey: key) {
        entries.remove(at: position)
        for later in position..<entries.count { positions[entries[later].key] = later }
      }
    }
  }

  /// The value of a name.
  public subscript(name: String) -> CheckpointValue? {
    get { self[Key.string(name)] }
    set { self[Key.string(name)] = newValue }
  }

  public var keys: [Key] { entries.map(\.key) }

  public static func == (a: CheckpointDictionary, b: CheckpointDictionary) -> Bool {
    a.isOrderedDict == b.isOrderedDict
      && a.entries.elementsEqual(b.entries) { $0.key == $1.key && $0.value == $1.value }
  }
}

extension CheckpointDictionary: RandomAccessCollection {
  public var startIndex: Int { 0 }
  public var endIndex: Int { entries.count }

  /// The entry at a place in the order. (The value of an integer key: `self[.int(key)]`.)
  public subscript(position: Int) -> (key: Key, value: CheckpointValue) { entries[position] }
}
