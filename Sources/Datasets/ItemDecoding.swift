// From a JSON object to an item, with a reason where that can't be.

extension Item {
  /// Reads an item from the fields of `value`; unknown fields are passed over.
  init(json value: JSONValue) throws(RecordProblem) {
    guard value.kind == .object else {
      throw RecordProblem(message: "an item must be an object, found \(value.kindName)")
    }
    var seen = SeenKeys()
    var id: String?
    self.init(id: "")
    var referenceID: String?
    for (key, field) in value.fields {
      switch key {
      case "id":
        try seen.add(0, key)
        id = try field.requiredText(key)
      case "item_type":
        try seen.add(1, key)
        if let type = try field.optionalText(key) { itemType = type }
      case "item_reference_id":
        try seen.add(2, key)
        referenceID = try field.optionalText(key)
      case "embedding":
        try seen.add(3, key)
        embedding = try field.optionalEmbedding()
      case "embedding_id":
        try seen.add(4, key)
        embeddingID = try field.optionalText(key)
      case "metrics":
        try seen.add(5, key)
        metrics = try field.optionalMetrics()
      case "text":
        try seen.add(6, key)
        text = try field.optionalText(key, allowsEmpty: true)
      case "created_at":
        try seen.add(7, key)
        createdAt = try field.optionalTimestamp(key)
      default: break
      }
    }
    guard let id else { throw RecordProblem(message: "\"id\" is missing") }
    self.id = id
    itemReferenceID = referenceID ?? id
  }
}

/// Which of a record's known keys were met; JSON leaves open what a repeated key means, so it is a problem here.
struct SeenKeys {
  private var bits: UInt16 = 0

  mutating func add(_ bit: Int, _ key: JSONKey) throws(RecordProblem) {
    if bits & (1 << bit) != 0 { throw RecordProblem(message: "\"\(key)\" is there twice") }
    bits |= 1 << bit
  }
}

extension JSONValue {
  func requiredText(_ key: JSONKey) throws(RecordProblem) -> String {
    guard let text = string else {
      throw RecordProblem(message: "\"\(key)\" must be a string, found \(kindName)")
    }
    guard !text.isEmpty else { throw RecordProblem(message: "\"\(key)\" is an empty string") }
    return text
  }

  func optionalText(_ key: JSONKey, allowsEmpty: Bool = false) throws(RecordProblem) -> String? {
    if kind == .null { return nil }
    if allowsEmpty, let text = string { return text }
    return try requiredText(key)
  }

  func optionalTimestamp(_ key: JSONKey) throws(RecordProblem) -> Timestamp? {
    if kind == .null { return nil }
    let text = try requiredText(key)
    guard let timestamp = Timestamp(text) else {
      throw RecordProblem(message: "\"\(key)\" is \"\(text.shortened)\", not a date such as 2026-01-31T08:30:00Z")
    }
    return timestamp
  }

  func finiteNumber(_ key: String) throws(RecordProblem) -> Double {
    guard let number = double else {
      throw RecordProblem(message: "\"\(key.shortened)\" must be a number, found \(kindName)")
    }
    return number  // JSON has no other numbers, and simdjson refuses what overflows.
  }

  func optionalMetrics() throws(RecordProblem) -> [String: Double] {
    if kind == .null { return [:] }
    guard kind == .object else { throw RecordProblem(message: "\"metrics\" must be an object, found \(kindName)") }
    var metrics: [String: Double] = [:]
    var missing: Set<String> = []
    for (key, value) in fields {
      let name = key.description
      let isRepeated: Bool
      if value.kind == .null {
        isRepeated = metrics[name] != nil || !missing.insert(name).inserted
      } else {
        let number = try value.finiteNumber("metrics.\(name)")
        isRepeated = metrics.updateValue(number, forKey: name) != nil || missing.contains(name)
      }
      if isRepeated { throw RecordProblem(message: "\"metrics.\(name.shortened)\" is there twice") }
    }
    return metrics
  }

  func optionalEmbedding() throws(RecordProblem) -> [Float]? {
    if kind == .null { return nil }
    guard kind == .array else { throw RecordProblem(message: "\"embedding\" must be an array, found \(kindName)") }
    let (numbers, isWhole) = floats
    guard isWhole else {
      var culprit = elements.makeIterator()
      for _ in numbers.indices { _ = culprit.next() }
      let element = culprit.next()
      guard let number = element?.double else {
        throw RecordProblem(
          message: "\"embedding[\(numbers.count)]\" must be a number, found \(element?.kindName ?? "nothing")")
      }
      throw RecordProblem(
        message: "\"embedding[\(numbers.count)]\" is \(number), which is beyond a 32-bit float's range", isFatal: true)
    }
    guard !numbers.isEmpty else {
      throw RecordProblem(message: "\"embedding\" is an empty array; leave it out where there is none")
    }
    return numbers
  }
}

extension String {
  /// At most 60 characters, for a message.
  package var shortened: String { count > 60 ? prefix(59) + "…" : self }
}
