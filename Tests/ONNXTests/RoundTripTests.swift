// Reading and writing against files that Python's onnx wrote.

import Foundation
import ONNX
import Tensors
import Testing

@Suite("Reading and writing lose nothing")
struct RoundTripTests {
  @Test(
    "a model written by Python is written again byte for byte",
    arguments: ["everything.onnx", "raw_data.onnx", "ranker.onnx", "encoder.onnx"])
  func sameBytes(name: String) throws {
    let model = try Model(contentsOf: resource(name))
    #expect(try model.serialized() == bytes(of: resource(name)))
    #expect(try Model(bytes: model.serialized()) == model)
  }

  @Test("typed data fields read as the raw data that they stand for, in every element type")
  func typedData() throws {
    let typed = try Model(contentsOf: resource("typed_data.onnx"))
    let raw = try Model(contentsOf: resource("raw_data.onnx"))
    #expect(typed.graph.initializers.count == 22)
    #expect(typed.graph.initializers == raw.graph.initializers)
    #expect(try typed.serialized() == raw.serialized())
  }

  @Test("values have the numbers that Python put in")
  func values() throws {
    let initializers = try Model(contentsOf: resource("raw_data.onnx")).graph.initializers
    func tensor(_ name: String) -> Tensor? { initializers.first { $0.name == name }?.tensor }
    // make.py: byte i is (7 i + 3) mod 120, little-endian.
    #expect(tensor("int32")?.elements(as: Int32.self) == [0x1811_0A03, 0x342D_261F, 0x5049_423B])
    #expect(tensor("uint8")?.elements(as: UInt8.self) == [3, 10, 17])
    #expect(tensor("bool")?.elements(as: Bool.self) == [true, false, true])
    #expect(tensor("int4")?.withUnsafeBytes { Array($0) } == [0x21, 0x03])
    #expect(tensor("string")?.strings.map(\.bytes) == [Array("one".utf8), [0xFF, 0x00], []])
  }

  @Test("every element type keeps its bits", arguments: ElementType.allCases)
  func everyElementType(type: ElementType) throws {
    guard let size = type.byteCount(5) else { return }
    var generator = SeededGenerator(UInt64(type.rawValue))
    let content = (0..<size).map { _ in
      type == .bool ? UInt8.random(in: 0...1, using: &generator) : .random(in: 0...255, using: &generator)
    }
    let tensor = content.withUnsafeBytes { Tensor(bytes: $0, shape: [5, 1], elementType: type) }
    let initializer = Initializer("t", tensor)
    #expect(try Initializer(bytes: initializer.serialized()) == initializer)
  }

  @Test("what everything.onnx says arrives in the values")
  func everything() throws {
    let model = try Model(contentsOf: resource("everything.onnx"))
    #expect(model.producerVersion == "" && model.modelVersion == 3 && model.documentation == "all of it")
    #expect(model.functions.first?.overload == "" && model.functions.first?.attributeNames == ["by"])
    #expect(model.trainingInfo.first?.updateBindings == [MetadataEntry(key: "number", value: "n1")])
    #expect(model.graph.sparseInitializers.first?.shape == [4, 5])
    #expect(model.graph.quantizationAnnotations.first?.parameters.first?.value == "number")
    let node = model.graph.nodes[0]
    #expect(node.overload == "two" && node.inputs == ["x", "", "sparse"] && node.float("float") == 1.5)
    #expect(Set(node.attributes.map(\.name)).count == 15)
    #expect(node.attribute("string") == .string(ByteString([0xFE] + Array(" raw".utf8))))
    #expect(model.graph.valueInfo[3].type == .map(key: .string, value: .tensor(TensorType(.int64, nil))))
    #expect(model.graph.valueInfo[5].type == .opaque(domain: "test", name: "", denotation: "TOKENS"))
    #expect(model.graph.valueInfo[6].type == .undetermined())
    #expect(model.graph.valueInfo[7].type == nil)
  }

  @Test("device configurations, segments and fields of a newer format are written as they were read")
  func newerFormat() throws {
    var model = smallModel()
    model.irVersion = 11
    model.deviceConfigurations = [DeviceConfiguration(name: "pair", deviceCount: 2, devices: ["a", "b"])]
    let axis = ShardedAxis(
      axis: 0, parts: [.init(extent: .fixed(4), shardCount: 2), .init(extent: .named("n"), shardCount: 1)])
    var placement = NodeDeviceConfiguration(configuration: "pair", pipelineStage: 1)
    placement.shardings = [
      Sharding(valueName: "x", devices: [0, -1], deviceGroups: [.init(key: -1, devices: [0, 1])], axes: [axis])
    ]
    model.graph.nodes[0].deviceConfigurations = [placement]
    model.graph.initializers[1].segment = TensorSegment(begin: 4, end: 8, shape: [2, 8])
    model.unknownFields.bytes = Proto.field(900, "later") + Proto.field(901, 7)
    model.graph.nodes[1].unknownFields.bytes = [0x95, 0x07, 1, 2, 3, 4]  // field 114, four bytes
    #expect(try Model(bytes: model.serialized()) == model)
  }

  @Test("the numbers of device messages are the format's")
  func deviceNumbers() throws {
    let part = Proto.field(1, 4) + Proto.field(3, 2)
    let sharding = Proto.field(1, "x") + Proto.field(2, 1) + Proto.field(4, Proto.field(1, 1) + Proto.field(2, part))
    let placement = Proto.field(1, "pair") + Proto.field(2, sharding) + Proto.field(3, 5)
    let node = Proto.field(4, "Relu") + Proto.field(10, placement)
    let configuration = Proto.field(1, "pair") + Proto.field(2, 2) + Proto.field(3, "gpu")
    let model = try Model(bytes: Proto.model(Proto.field(1, node)) + Proto.field(26, configuration))
    #expect(model.deviceConfigurations == [DeviceConfiguration(name: "pair", deviceCount: 2, devices: ["gpu"])])
    let read = try #require(model.graph.nodes[0].deviceConfigurations.first)
    #expect(read.configuration == "pair" && read.pipelineStage == 5)
    #expect(read.shardings[0].axes == [ShardedAxis(axis: 1, parts: [.init(extent: .fixed(4), shardCount: 2)])])
  }

  @Test("the same model gives the same bytes, and a file the bytes of the array")
  func deterministic() throws {
    let model = try Model(contentsOf: resource("everything.onnx"))
    try withTemporaryDirectory { directory in
      try model.write(to: directory + "/m.onnx")
      #expect(try bytes(of: directory + "/m.onnx") == model.serialized())
      #expect(try names(in: directory) == ["m.onnx"])
    }
  }

  @Test("integers written one by one read like packed ones")
  func packedAndLoose() throws {
    let loose = Proto.field(1, 2) + Proto.field(1, 3)
    let packed = Proto.field(1, [2, 3])
    let rest = Proto.field(2, 3) + Proto.field(8, "t") + Proto.field(9, [1, 2, 3, 4, 5, 6])
    let expected = Initializer("t", Tensor([Int8(1), 2, 3, 4, 5, 6], shape: [2, 3]))
    #expect(try Initializer(bytes: loose + rest) == expected)
    #expect(try Initializer(bytes: packed + rest) == expected)
    #expect(try expected.serialized() == loose + rest)
  }

  @Test("attributes that are NaN come back as themselves, and as equal")
  func notANumber() throws {
    var model = smallModel()
    model.graph.nodes[2].attributes = [Attribute("a", .float(.nan)), Attribute("b", .floats([.nan, -0.0]))]
    #expect(try Model(bytes: model.serialized()) == model)
    #expect(Attribute.Value.float(0) != .float(-0.0))
  }

  @Test("test data sets' sequences, maps and optionals are read and written")
  func dataValues() throws {
    let tensor = ValueType.tensor(TensorType(.int64, nil))
    let cases: [(String, ValueType)] = [
      ("sequence.pb", .sequence(tensor)), ("optional.pb", .optional(.sequence(tensor))),
      ("nothing.pb", .optional(tensor)),
      ("map.pb", .map(key: .string, value: tensor)),
    ]
    for (name, type) in cases {
      let value = try DataValue(contentsOf: resource(name), as: type)
      #expect(try value.serialized() == bytes(of: resource(name)), "\(name)")
    }
    let sequence = try DataValue(contentsOf: resource("sequence.pb"), as: .sequence(tensor))
    let expected = Tensor([Int64(1), 2])
    #expect(
      sequence.content
        == .sequence([DataValue("a", .tensor(expected)), DataValue("b", .tensor(expected))], of: .tensor))
    #expect(
      try DataValue(contentsOf: resource("nothing.pb"), as: .optional(tensor)).content == .optional(nil, of: .tensor))
  }
}

@Suite("The generated schema")
struct SchemaTests {
  @Test("Sources/COnnxSchema is what proto/onnx.proto gives")
  func fresh() throws {
    let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent()
    let check = Process()
    check.executableURL = root.appendingPathComponent("tools/generate-proto")
    check.arguments = ["--check"]
    try check.run()
    check.waitUntilExit()
    #expect(check.terminationStatus == 0)
  }
}
