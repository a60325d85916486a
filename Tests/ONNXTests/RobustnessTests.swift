// Files that are cut, mangled, made up or meant to hurt: an error or a model, never a crash, with bounded memory.

import Foundation
import ONNX
import Tensors
import Testing

@Suite("Malformed files", .serialized)
struct RobustnessTests {
  static let seeds = ["everything.onnx", "raw_data.onnx", "typed_data.onnx", "ranker.onnx", "external.onnx"]

  static let directory = resource("")

  /// Reads, and uses what was read as much as it can be. True when it was a model.
  @discardableResult
  private func survives(_ bytes: some Collection<UInt8>) -> Bool {
    guard let model = try? Model(bytes: bytes, directory: Self.directory) else { return false }
    try? model.check(fullCheck: true)
    _ = model.summary
    _ = model.listing
    _ = model.graphvizDot()
    guard let written = try? model.serialized() else { return true }
    #expect((try? Model(bytes: written)) == model)
    return true
  }

  @Test("a file cut at any byte", arguments: seeds)
  func truncation(name: String) throws {
    let whole = try bytes(of: resource(name))
    for length in 0..<whole.count { survives(whole[..<length]) }
    #expect(throws: ONNXError.self) { try Model(bytes: whole.dropLast(), directory: Self.directory) }
  }

  @Test("thousands of files with bytes changed, removed, doubled", arguments: seeds)
  func mutations(name: String) throws {
    let whole = try bytes(of: resource(name))
    var generator = SeededGenerator(UInt64(whole.count))
    var models = 0
    for _ in 0..<4000 {
      var mutated = whole
      for _ in 0..<Int.random(in: 1...4, using: &generator) {
        let position = Int.random(in: 0..<mutated.count, using: &generator)
        let other = Int.random(in: 0..<mutated.count, using: &generator)
        switch Int.random(in: 0..<6, using: &generator) {
        case 0: mutated[position] ^= 1 << UInt8.random(in: 0..<8, using: &generator)
        case 1: mutated[position] = .random(in: 0...255, using: &generator)
        case 2: mutated[position] = [0, 1, 0x7F, 0x80, 0xFF].randomElement(using: &generator)!
        case 3: mutated.removeSubrange(min(position, other)..<min(max(position, other), min(position, other) + 9))
        case 4:
          mutated.insert(contentsOf: mutated[min(position, other)..<max(position, other)].prefix(64), at: position)
        default: mutated.swapAt(position, other)
        }
        if mutated.isEmpty { mutated = [0] }
      }
      if survives(mutated) { models += 1 }
    }
    // Both ways out must be taken, or the mutations test nothing.
    #expect(models > 50 && models < 3950)
  }

  @Test("random bytes")
  func noise() {
    var generator = SeededGenerator(7)
    for _ in 0..<5000 {
      let noise = (0..<Int.random(in: 0...300, using: &generator)).map { _ in
        UInt8.random(in: 0...255, using: &generator)
      }
      survives(noise)
      _ = try? Initializer(bytes: noise)
      _ = try? DataValue(bytes: noise, as: .sequence(nil))
      _ = try? DataValue(bytes: noise, as: .optional(nil))
      _ = try? DataValue(bytes: noise, as: .map(key: .string, value: nil))
    }
  }

  @Test("graphs and types nested without end are refused; reasonable depths are not")
  func nesting() throws {
    func graphs(_ depth: Int) -> [UInt8] {
      var graph = Proto.field(2, "innermost")
      for _ in 0..<depth {
        let attribute = Proto.field(1, "body") + Proto.field(6, graph) + Proto.field(20, 5)
        graph = Proto.field(2, "outer") + Proto.field(1, Proto.field(4, "Loop") + Proto.field(5, attribute))
      }
      return Proto.model(graph)
    }
    func types(_ depth: Int) -> [UInt8] {
      var type: [UInt8] = []
      for _ in 0..<depth { type = Proto.field(4, Proto.field(1, type)) }
      return Proto.model(Proto.field(11, Proto.field(1, "x") + Proto.field(2, type)))
    }
    for make in [graphs, types] {
      let model = try Model(bytes: make(25))
      #expect(try Model(bytes: model.serialized()) == model)
      for depth in [60, 1000, 20_000] {
        let error = #expect(throws: ONNXError.self) { try Model(bytes: make(depth)) }
        #expect("\(error!)".contains("nested more than 100 deep"))
      }
    }
  }

  @Test("what is nested too deep to be read is not written either")
  func deepWriting() throws {
    var model = smallModel()
    for _ in 0..<50 {
      let body = Attribute("body", .graph(model.graph))
      model.graph = Graph(name: "g", nodes: [Node("Loop", inputs: [], outputs: ["o"], attributes: [body])])
    }
    #expect(throws: ONNXError.self) { try model.serialized() }
    var type = ValueType.tensor(TensorType(.float, nil))
    for _ in 0..<200 { type = .sequence(type) }
    model = smallModel()
    model.graph.inputs[0].type = type
    #expect(throws: ONNXError.self) { try model.serialized() }
  }

  @Test(
    "absurd sizes and contradictions are named",
    arguments: [
      ([Int64.max, 2], [UInt8](), "more elements than can be counted"), ([-1], [0, 0, 0, 0], "a negative extent"),
      ([1 << 40], [], "0 numbers in float_data"), ([1 << 61, 1], [0], "more bytes than can be counted"),
      ([2], [0, 0, 0, 0], "4 bytes where float[2] takes 8"), ([0], [1], "1 bytes where float[0] takes 0"),
    ] as [([Int64], [UInt8], String)])
  func absurd(dimensions: [Int64], data: [UInt8], message: String) {
    let extents = dimensions.flatMap { Proto.field(1, $0) }
    let raw = data.isEmpty ? [] : Proto.field(9, data)
    let bytes = Proto.model(initializer: extents + Proto.field(2, 1) + Proto.field(8, "w") + raw)
    let error = #expect(throws: ONNXError.self) { try Model(bytes: bytes) }
    #expect("\(error!)".contains(message) && "\(error!)".contains("graph.initializer[0].'w'"), "\(error!)")
  }

  @Test("errors of the wire form say where")
  func wireErrors() {
    func message(_ bytes: [UInt8]) -> String {
      do {
        _ = try Model(bytes: bytes)
        return ""
      } catch { return "\(error)" }
    }
    #expect(message([]).contains("there is no graph in it"))
    #expect(message(Array("%PDF-1.4 not a model".utf8)).contains("not a readable ONNX file"))
    #expect(
      message(Proto.field(1, 8) + [0x3A, 0xFF, 0x01, 0x00]).contains(
        "graph at byte 3: 255 bytes are announced and 1 are left"))
    #expect(message(Proto.model([0x12, 0x01, 0xFF])).contains("graph.name at byte 6: a text is not UTF-8"))
    #expect(message(Proto.model([0x12, 0x01, 0x00])).contains("a text has a zero byte in it"))
    #expect(message(Proto.model([]) + Proto.field(7, [])).contains("the field occurs twice"))
    #expect(message(Proto.field(1, 8) + [0x3B]).contains("wire type 3"))
    let attribute = Proto.field(1, "a") + Proto.field(20, 99)
    #expect(
      message(Proto.model(Proto.field(1, Proto.field(4, "Op") + Proto.field(5, attribute)))).contains(
        "99 is no known attribute type"))
    let two = Proto.field(1, "a") + Proto.field(3, 1) + Proto.field(4, "s") + Proto.field(20, 2)
    #expect(
      message(Proto.model(Proto.field(1, Proto.field(4, "Op") + Proto.field(5, two)))).contains(
        "graph.node[0].Op.attribute[0].'a': it states the type number 2 and has a value of the type number 3"))
    let reference = Proto.field(1, "a") + Proto.field(3, 1) + Proto.field(20, 2) + Proto.field(21, "b")
    #expect(
      message(Proto.model(Proto.field(1, Proto.field(4, "Op") + Proto.field(5, reference)))).contains(
        "takes its value from another attribute and has one of its own"))
    #expect(message(Proto.model(initializer: Proto.field(2, 77))).contains("77 is no known element type"))
  }

  @Test("a file of nothing but empty messages takes a small multiple of its size")
  func memory() throws {
    func peak() -> Int {
      var usage = rusage()
      getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
      return Int(usage.ru_maxrss) * 1024
    }
    let nodes = [UInt8](repeating: 0, count: 1 << 22).enumerated().map { $0.offset % 2 == 0 ? UInt8(0x0A) : 0 }
    let before = peak()
    let error = #expect(throws: ONNXError.self) { try Model(bytes: Proto.model(nodes)) }
    #expect("\(error!)".contains("too much memory"))
    // 64 times the file, and the skeleton; without a limit it would be 150 times and more.
    #expect(peak() - before < 80 * nodes.count)
  }

  @Test("a million integers in a list cost about their size")
  func longLists() throws {
    var model = smallModel()
    model.graph.nodes[0].attributes = [Attribute("values", .ints((0..<1_000_000).map { Int64($0 % 100) }))]
    #expect(try Model(bytes: model.serialized()) == model)
  }

  @Test("missing files, empty files and directories are named")
  func files() throws {
    try withTemporaryDirectory { directory in
      _ = FileManager.default.createFile(atPath: directory + "/empty.onnx", contents: nil)
      for (name, words) in [("none.onnx", "No such file"), ("empty.onnx", "is empty"), ("", "Is a directory")] {
        let path = directory + "/" + name
        let error = #expect(throws: ONNXError.self) { try Model(contentsOf: path) }
        #expect("\(error!)".contains(words) && "\(error!)".contains(path))
      }
    }
  }
}
