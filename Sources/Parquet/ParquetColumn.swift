// The values of a column in memory, read or to be written.

/// A column of any type: a `ParquetColumn` or a `ParquetListColumn`.
public protocol ParquetColumnData: Sendable {
  var rowCount: Int { get }
}

/// One value a row.
public struct ParquetColumn<Value: ParquetValue>: ParquetColumnData, Equatable {
  /// One value a row. A null row holds `Value.placeholder`.
  public let values: [Value]
  /// Whether each row has a value; nil where all have.
  public let validity: [Bool]?

  /// - Parameter validity: as long as `values`.
  public init(_ values: [Value], validity: [Bool]? = nil) {
    precondition(validity == nil || validity?.count == values.count, "one validity for each value")
    self.values = values
    self.validity = validity?.contains(false) == true ? validity : nil
  }

  /// From values that may be null.
  public init(optional values: [Value?]) {
    self.init(values.map { $0 ?? Value.placeholder }, validity: values.map { $0 != nil })
  }

  public var rowCount: Int { values.count }
  public var nullCount: Int { validity?.count { !$0 } ?? 0 }

  /// The value of a row, nil where it is null.
  public subscript(row: Int) -> Value? { validity?[row] == false ? nil : values[row] }
}

/// A list of values a row.
public struct ParquetListColumn<Value: ParquetValue>: ParquetColumnData, Equatable {
  /// The elements of row `i` are `elements[offsets[i]]` to before `elements[offsets[i + 1]]`; one more than the rows.
  public let offsets: [Int]
  /// The elements of all lists, one after another.
  public let elements: ParquetColumn<Value>
  /// Whether each row has a list; nil where all have. An empty list is a list.
  public let validity: [Bool]?

  /// - Parameters:
  ///   - offsets: ascending, from 0 to the number of elements.
  ///   - validity: one for each row. A null list has no elements.
  public init(offsets: [Int], elements: ParquetColumn<Value>, validity: [Bool]? = nil) {
    precondition(
      offsets.first == 0 && offsets.last == elements.rowCount && zip(offsets, offsets.dropFirst()).allSatisfy(<=),
      "offsets ascend from 0 to the number of elements")
    precondition(validity == nil || validity?.count == offsets.count - 1, "one validity for each row")
    self.offsets = offsets
    self.elements = elements
    self.validity = validity?.contains(false) == true ? validity : nil
  }

  /// From lists that may be null, of values that may be null.
  public init(_ rows: [[Value?]?]) {
    var offsets = [0]
    var elements: [Value?] = []
    for row in rows {
      elements += row ?? []
      offsets.append(elements.count)
    }
    self.init(offsets: offsets, elements: ParquetColumn(optional: elements), validity: rows.map { $0 != nil })
  }

  public var rowCount: Int { offsets.count - 1 }

  /// The list of a row, nil where it is null.
  public subscript(row: Int) -> [Value?]? {
    validity?[row] == false ? nil : (offsets[row]..<offsets[row + 1]).map { elements[$0] }
  }
}

/// Columns of any types, by name.
public struct ParquetTable: Sendable {
  public let fields: [ParquetField]
  /// As many as `fields`.
  public let columns: [any ParquetColumnData]

  public subscript(name: String) -> (any ParquetColumnData)? {
    fields.firstIndex { $0.name == name }.map { columns[$0] }
  }
}
