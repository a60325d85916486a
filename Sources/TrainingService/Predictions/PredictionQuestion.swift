// What models can be asked, as the service knows it: a name, the members of the body, and how an answer reads.

/// Something that models can be asked: `recommend`, `classify`.
public struct PredictionQuestion: Sendable, Hashable {
  /// `recommend`; the last part of its address.
  public let name: String
  /// `Recommend`.
  public let title: String
  /// A sentence for people.
  public let summary: String
  public let fields: [PredictionField]
  /// The ways to ask: the members that a body has to have in each. Exactly one of them is taken; the page's form is of
  /// the first.
  public let ways: [[String]]
  /// The members of an answer, as JSON Schema by name.
  public let answer: [String: JSONValue]
  public let layout: AnswerLayout

  public init(
    name: String, title: String, summary: String, fields: [PredictionField], ways: [[String]],
    answer: [String: JSONValue], layout: AnswerLayout
  ) {
    self.name = name
    self.title = title
    self.summary = summary
    self.fields = fields
    self.ways = ways
    self.answer = answer
    self.layout = layout
  }

  /// How an answer is shown as tables.
  public struct AnswerLayout: Sendable, Hashable {
    /// The member that holds one object for each table; nil where the answer itself is the only one.
    public let tables: String?
    /// The member of such an object that names the table; nil where the tables are in the order of what was asked.
    public let heading: String?
    /// The member that holds the rows.
    public let rows: String
    public let columns: [Column]

    public init(tables: String? = nil, heading: String? = nil, rows: String, columns: [Column]) {
      self.tables = tables
      self.heading = heading
      self.rows = rows
      self.columns = columns
    }
  }

  /// A column of a table.
  public struct Column: Sendable, Hashable {
    public enum Form: Sendable, Hashable {
      case text
      case number
      /// A number from 0 to 1, drawn as a bar too.
      case share
    }
    /// The member of a row.
    public let name: String
    public let title: String
    public let form: Form

    public init(_ name: String, _ title: String, _ form: Form = .text) {
      self.name = name
      self.title = title
      self.form = form
    }
  }

  /// The members that belong to one way only.
  private var distinguishing: Set<String> { Set(ways.joined()) }

  /// The members that a way has.
  func fields(of way: [String]) -> [PredictionField] {
    fields.filter { way.contains($0.name) || !distinguishing.contains($0.name) }
  }

  /// Checks a body whole, and fills in what it does not say.
  /// - Throws: ``RequestProblems`` with everything that is wrong.
  func checked(_ body: [String: JSONValue]) throws -> [String: JSONValue] {
    let given = body.filter { !$0.value.isNull }
    var problems: [ParameterProblem] = []
    let known = Set(fields.map(\.name))
    for unknown in given.keys.filter({ !known.contains($0) }).sorted() {
      problems.append(
        ParameterProblem(
          field: unknown,
          message: "\(name) takes no \"\(unknown.prefix(40))\"; it takes \(fields.map(\.name).joined(separator: ", "))")
      )
    }
    let chosen = ways.filter { $0.contains { given[$0] != nil } }
    if chosen.count != 1 {
      let choices = ways.map { $0.joined(separator: " and ") }.joined(separator: ", or ")
      problems.append(
        ParameterProblem(
          field: (chosen.isEmpty ? ways[0] : chosen[1])[0],
          message: chosen.isEmpty ? "\(choices) is missing" : "give \(choices), not several of them"))
    }
    for missing in chosen.first ?? [] where chosen.count == 1 && given[missing] == nil {
      problems.append(ParameterProblem(field: missing, message: "\(missing) is missing"))
    }
    var values: [String: JSONValue] = [:]
    for field in chosen.count == 1 ? fields(of: chosen[0]) : fields {
      guard let value = given[field.name] else {
        values[field.name] = field.standard
        continue
      }
      field.check(value, at: field.name, &problems)
      values[field.name] = value
    }
    guard problems.isEmpty else { throw RequestProblems(problems) }
    return values
  }

  /// The fields of a form as the body that they stand for.
  func body(ofForm form: [String: String]) -> [String: JSONValue] {
    var body: [String: JSONValue] = [:]
    for field in fields(of: ways[0]) {
      // A box that is not ticked is not in the form at all.
      let text = form[field.name] ?? (field.domain == .flag ? "false" : "")
      if let value = field.value(typed: text) { body[field.name] = value }
    }
    return body
  }

  /// The bodies that are taken, as JSON Schema.
  var requestSchema: JSONValue {
    let schemas = ways.map { way -> JSONValue in
      [
        "type": "object", "additionalProperties": false, "required": .array(way.map(JSONValue.string)),
        "properties": .object(Dictionary(fields(of: way).map { ($0.name, $0.schema) }) { first, _ in first }),
      ]
    }
    return schemas.count == 1 ? schemas[0] : ["oneOf": .array(schemas)]
  }

  /// An answer, as JSON Schema.
  var answerSchema: JSONValue {
    var properties = answer
    properties["model"] = ["type": "string"]
    properties["version"] = ["type": "integer"]
    return [
      "type": "object", "required": .array(properties.keys.sorted().map(JSONValue.string)),
      "properties": .object(properties),
    ]
  }
}
