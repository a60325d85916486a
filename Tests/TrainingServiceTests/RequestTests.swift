import Foundation
import Glibc
import Testing
import TrainingService

@Suite("A request")
struct RequestTests {
  private func problems(
    kind: String = "fake", model: String? = nil, data: String? = nil, _ values: [String: JSONValue]
  ) throws -> [String: String] {
    let service = try TestService()
    let fake = try FakeTraining(in: service.folder)
    do {
      _ = try fake.catalogue.request(kind: kind, modelName: model, dataPath: data, values: values, root: fake.root)
      return [:]
    } catch let error as RequestProblems {
      return Dictionary(error.problems.map { ($0.field, $0.message) }) { first, _ in first }
    }
  }

  @Test("gets what it does not say from the kind, and reads forms as it reads JSON")
  func fills() throws {
    let service = try TestService()
    let fake = try FakeTraining(in: service.folder)
    func typed(_ fields: [String: String]) throws -> [String: JSONValue] {
      try parameters(fake.catalogue.values(ofForm: fields, kind: "fake"))
    }
    func parameters(_ values: [String: JSONValue]) throws -> [String: JSONValue] {
      try fake.catalogue.request(kind: "fake", modelName: nil, dataPath: nil, values: values, root: fake.root)
        .parameters
    }
    #expect(try parameters([:]) == ["epochs": 3, "trouble": "none", "at": 2])
    #expect(
      try typed(["epochs": " 12", "learning_rate": "1e-2", "weighted": "on", "layers": "64, 32", "at": ""])
        == ["epochs": 12, "learning_rate": 0.01, "weighted": true, "layers": "64,32", "trouble": "none", "at": 2])
    #expect(
      try parameters(["epochs": 12, "learning_rate": 1, "weighted": false, "layers": [64, 32]])
        == ["epochs": 12, "learning_rate": 1.0, "weighted": false, "layers": "64,32", "trouble": "none", "at": 2])
  }

  @Test("has numbers as they were written, whole ones whole")
  func numbers() throws {
    let text = "[0,-7,10.0,0.1,9007199254740993,-9223372036854775808,1e300,true,false,null,\"1\"]"
    #expect(
      try JSONValue(parsing: text)
        == [0, -7, 10, 0.1, .integer(9_007_199_254_740_993), .integer(.min), 1e300, true, false, nil, "1"])
    #expect(try JSONValue(parsing: "9223372036854775808") == .number(0x1p63))
    #expect(throws: (any Error).self) { try JSONValue(parsing: "1e400") }
  }

  @Test("is told all that is wrong with it at once")
  func refuses() throws {
    #expect(
      try problems(
        model: "../shop",
        [
          "epochs": 0, "learning_rate": "fast", "trouble": "any", "weighted": "maybe", "layers": [1, 2, 3, 4, 5],
          "x": 1,
        ])
        == [
          "model_name": "model_name is \"../shop\"; expected up to 64 letters, digits, '-', '_' and '.', with a letter "
            + "or a digit first",
          "epochs": "Epochs is \"0\"; expected a whole number from 1 to 1000000",
          "learning_rate": "Learning rate is \"fast\"; expected a number",
          "trouble": "Trouble is \"any\"; expected one of none, refuse, die, once, hang, finished, copy",
          "weighted": "Weighted is \"maybe\"; expected true or false",
          "layers": "Layers is \"1,2,3,4,5\"; expected up to 4 whole numbers from 1 to 4096",
          "x": "fake has no parameter \"x\"; it has at, epochs, layers, learning_rate, trouble, weighted",
        ])
    #expect(try problems(["epochs": 2.5])["epochs"] == "Epochs is \"2.5\"; expected a whole number")
    #expect(try problems(["learning_rate": "nan"])["learning_rate"] == "Learning rate is \"nan\"; expected a number")
    #expect(
      try problems(["learning_rate": 2])["learning_rate"]
        == "Learning rate is \"2\"; expected a number from 0.0001 to 1")
    // A program's text is no number, however it reads.
    #expect(try problems(["epochs": "2"])["epochs"] == "Epochs is \"2\"; expected a whole number")
    #expect(try problems(kind: "tarot", [:]) == ["model_type": "model_type is \"tarot\"; expected one of fake"])
  }

  @Test("names further paths in the data folder, and no folder of data leads out of it from inside")
  func furtherPaths() throws {
    let service = try TestService()
    let folder = service.folder
    let manager = FileManager.default
    for name in ["data/notes/processed", "data/words", "elsewhere"] {
      try manager.createDirectory(atPath: folder.path(name), withIntermediateDirectories: true)
    }
    try folder.write("{}", to: "data/words/lexicon.json")
    try folder.write("secret", to: "elsewhere/notes.csv")
    let root = try DataRoot(folder.path("data"))
    let kind = TrainingKind(
      name: "concept", title: "Concept", summary: "Words.", dataHelp: "notes", hasSample: true,
      parameters: [
        TrainingParameter("lexicon", "Lexicon", .path(isNeededWithData: true), standard: nil, help: "Words.")
      ], command: [], dataOption: "--data", outputOption: "--output", measures: [:],
      headline: .init(title: "F1", paths: []))
    let catalogue = TrainingCatalogue(kinds: [kind], program: "/bin/true")
    func problems(_ data: String?, _ lexicon: String?) throws -> [String: String] {
      let values = lexicon.map { ["lexicon": JSONValue.string($0)] } ?? [:]
      do {
        let wanted = try catalogue.request(
          kind: "concept", modelName: nil, dataPath: data, values: values, root: root)
        return ["checked": wanted.parameters["lexicon"]?.string ?? ""]
      } catch let error as RequestProblems {
        return Dictionary(error.problems.map { ($0.field, $0.message) }) { first, _ in first }
      }
    }
    #expect(try problems("notes", "words/../words/lexicon.json") == ["checked": "words/lexicon.json"])
    #expect(try problems(nil, nil) == ["checked": ""], "the sample has words of its own")
    #expect(try problems("notes", nil) == ["lexicon": "Lexicon is missing; data of your own needs it"])
    #expect(
      try problems("notes", "../elsewhere/notes.csv")["lexicon"]?.contains("is not within the data folder") == true)
    #expect(try problems("notes", "none.json") == ["lexicon": "there is nothing at \"none.json\" in the data folder"])

    let link = folder.path("data/notes/processed/notes_clean.csv")
    try manager.createSymbolicLink(atPath: link, withDestinationPath: folder.path("elsewhere/notes.csv"))
    let outside = try problems("notes", "words/lexicon.json")
    #expect(outside["data_path"]?.contains("is not within the data folder") == true, "\(outside)")
    try manager.removeItem(atPath: link)
    try manager.createSymbolicLink(atPath: link, withDestinationPath: folder.path("gone.csv"))
    #expect(try problems("notes", "words/lexicon.json") == ["checked": "words/lexicon.json"])
  }

  @Test("reads data in the data folder and nowhere else, whatever its path looks like")
  func staysInside() throws {
    let service = try TestService()
    let folder = service.folder
    let manager = FileManager.default
    for name in ["data/shop", "database"] {
      try manager.createDirectory(atPath: folder.path(name), withIntermediateDirectories: true)
    }
    try folder.write("x", to: "data/shop/clicks.csv")
    try folder.write("x", to: "database/secret.csv")
    try manager.createSymbolicLink(atPath: folder.path("data/out"), withDestinationPath: folder.path("database"))
    try manager.createSymbolicLink(atPath: folder.path("data/in"), withDestinationPath: "shop/clicks.csv")
    let root = try DataRoot(folder.path("data"))

    #expect(try root.relative("shop/clicks.csv") == "shop/clicks.csv")
    #expect(try root.relative("shop/../shop/./clicks.csv") == "shop/clicks.csv")
    #expect(try root.relative("in") == "shop/clicks.csv")
    #expect(try root.relative(root.path + "/shop") == "shop")
    #expect(try root.relative("") == ".")
    let outside = [
      "../database/secret.csv", "out", "out/secret.csv", "/etc/passwd", folder.path("database/secret.csv"),
      "/nothing/there", "../nothing", "shop/../../database/secret.csv", "shop\0/../../etc/passwd",
    ]
    for path in outside { #expect(throws: DataRootError.outside(path)) { try root.relative(path) } }
    #expect(throws: DataRootError.missing("shop/more.csv")) { try root.relative("shop/more.csv") }
    #expect(try root.entries(of: "").map(\.name) == ["shop", "in"])
    let entry = DataRoot.Entry(name: "clicks.csv", path: "shop/clicks.csv", isFolder: false, size: 1)
    #expect(try root.entries(of: "shop") == [entry])
    #expect(throws: DataRootError.outside("..")) { try root.entries(of: "..") }
  }
}
