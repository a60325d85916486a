// What answers: a loaded model, and how a program says which models can be asked what.

/// A model that was read and can be asked, by any number of tasks at once.
public protocol Predictor: Sendable {
  /// Bytes of memory that it holds, about.
  var byteCount: Int { get }

  /// Answers a question.
  ///
  /// - Parameters:
  ///   - question: the name of one of the kind's questions.
  ///   - input: the body's members, checked, with what was not said filled in.
  /// - Returns: the members of the answer.
  /// - Throws: ``RequestProblems`` for what only the model can know to be wrong with the input; any other error says
  ///   that the model is broken.
  func answer(_ question: String, _ input: [String: JSONValue]) throws -> [String: JSONValue]
}

/// Which models can be asked what.
public struct PredictionTable: Sendable {
  /// How models of one kind of training are asked.
  public struct Kind: Sendable {
    /// The training's name: `als`.
    public let name: String
    /// Names of questions.
    public let questions: [String]
    /// Reads the model of a folder, whole: what is broken has to show here.
    public let load: @Sendable (_ directory: String) throws -> any Predictor

    public init(
      name: String, questions: [String], load: @escaping @Sendable (_ directory: String) throws -> any Predictor
    ) {
      self.name = name
      self.questions = questions
      self.load = load
    }
  }

  public let questions: [PredictionQuestion]
  private let kinds: [String: Kind]

  public init(questions: [PredictionQuestion], kinds: [Kind]) {
    self.questions = questions
    self.kinds = Dictionary(kinds.map { ($0.name, $0) }) { first, _ in first }
  }

  /// No model can be asked anything.
  public static let none = PredictionTable(questions: [], kinds: [])

  func kind(_ name: String) -> Kind? { kinds[name] }

  /// What models of a kind can be asked.
  func questions(of kind: String) -> [PredictionQuestion] {
    let names = kinds[kind]?.questions ?? []
    return questions.filter { names.contains($0.name) }
  }
}
