// Files that PyTorch wrote are read as PyTorch reads them.

import Checkpoints
import Tensors
import Testing

@Suite("Reading .pth files of PyTorch")
struct PyTorchReadingTests {
  @Test("a state dict has its names, order, types, shapes and numbers")
  func plainStateDictionary() throws {
    let state = try StateDictionary(contentsOf: Resources.path("plain.pth"))
    #expect(
      state == [
        "shared_layer.0.weight": Tensor((0..<12).map(Float.init), shape: [3, 4]),
        "shared_layer.0.bias": Tensor([0, 1, 2] as [Float]),
        "score_layer.weight": Tensor([0, 1, 2] as [Double], shape: [1, 3]),
        "steps": Tensor(scalar: 7 as Int64),
        "nothing": Tensor(zeros: [2, 0, 3], elementType: .float),
      ])
  }

  @Test(
    "other containers of the same state dict read the same",
    arguments: ["protocol3", "protocol4", "protocol5", "deflated", "legacy"])
  func otherContainers(name: String) throws {
    let plain = try StateDictionary(contentsOf: Resources.path("plain.pth"))
    #expect(try StateDictionary(contentsOf: Resources.path("\(name).pth")) == plain)
  }

  @Test("the tensors are those that the safetensors package wrote", arguments: ["plain", "module", "types", "views"])
  func sameAsSafetensors(name: String) throws {
    let state = try StateDictionary(contentsOf: Resources.path("\(name).pth"))
    let other = try StateDictionary(contentsOf: Resources.path("\(name).safetensors"))
    #expect(state.names.sorted() == other.names.sorted())
    for (name, tensor) in state { #expect(other[name] == tensor, "\(name)") }
  }

  @Test("every element type of PyTorch arrives as itself")
  func elementTypes() throws {
    let state = try StateDictionary(contentsOf: Resources.path("types.pth"))
    let types: [String: ElementType] = [
      "float32": .float, "float64": .double, "float16": .float16, "bfloat16": .bfloat16, "int64": .int64,
      "int32": .int32, "int16": .int16, "int8": .int8, "uint8": .uint8, "bool": .bool, "uint16": .uint16,
      "uint32": .uint32, "uint64": .uint64, "complex64": .complex64, "float8_e4m3fn": .float8e4m3fn,
      "float8_e5m2": .float8e5m2, "float8_e4m3fnuz": .float8e4m3fnuz, "float8_e5m2fnuz": .float8e5m2fnuz,
      "float8_e8m0fnu": .float8e8m0,
    ]
    #expect(Set(state.names) == Set(types.keys))
    for (name, type) in types { #expect(state[name]?.elementType == type) }
    #expect(state["int16"] == Tensor([0, 1, 2, 3, 4, 5] as [Int16], shape: [2, 3]))
    #expect(state["float16"] == Tensor([0, 1, 2, 3, 4, 5] as [Float16], shape: [2, 3]))
    #expect(state["bool"] == Tensor([false, true, true, true, true, true], shape: [2, 3]))
    // 1 in 4 bits of exponent and 3 of fraction: exponent 7 (the bias), fraction 0.
    #expect(state["float8_e4m3fn"]?.bytes[1] == 0b0_0111_000)
  }

  @Test("views of one storage are read through their strides and offsets")
  func views() throws {
    let state = try StateDictionary(contentsOf: Resources.path("views.pth"))
    #expect(state["transposed"]?.shape == [6, 4])
    #expect(state["transposed"]?.elements(as: Float.self).prefix(5) == [0, 6, 12, 18, 1])
    #expect(state["columns"]?.elements(as: Float.self) == [1, 3, 7, 9, 13, 15, 19, 21])
    #expect(state["last_row"]?.elements(as: Float.self) == [18, 19, 20, 21, 22, 23])
    #expect(state["one"] == Tensor(scalar: 15 as Float))
    #expect(state["repeated"] == Tensor([5, 6, 5, 6, 5, 6] as [Float], shape: [3, 2]))
    // Element (k, i, j) is number 12i + 4j + k.
    var permuted: [Int16] = []
    for k in 0..<4 { for i in 0..<2 { for j in 0..<3 { permuted.append(Int16(12 * i + 4 * j + k)) } } }
    #expect(state["permuted"] == Tensor(permuted, shape: [4, 2, 3]))
    #expect(state["same"] == state["whole"])
    #expect(state["parameter"] == Tensor([0, 1, 2, 3] as [Float], shape: [2, 2]))
  }

  @Test("a checkpoint of a training gives its plain values and its state dicts")
  func training() throws {
    let checkpoint = try CheckpointValue(contentsOf: Resources.path("training.pth"))
    #expect(checkpoint["user_id_map"] == ["anna": 0, "zoë": 1, "": 2])
    #expect(checkpoint["hidden_layers"] == [128, 64])
    #expect(
      checkpoint["integers"] == [
        0, 255, 256, 65535, 65536, -1, -2_147_483_648, 2_147_483_648, .int(.max), .int(.min), 1_099_511_627_776,
      ])
    #expect(checkpoint["floats"] == [0.1, -2.5, .float(.infinity)])
    #expect(checkpoint["shape"] == .tuple([2, 3]))
    #expect(checkpoint["dtype"] == "torch.float16")
    #expect(checkpoint["flags"] == .tuple([true, false, nil]))
    #expect(checkpoint["by_number"] == [3: "c", 1: "a"])
    #expect(checkpoint["empty"] == [.tuple([]), [], [:]])
    #expect(checkpoint["optimizer"]?["state"]?.dictionary?[.int(0)]?["step"]?.tensor == Tensor(scalar: 1 as Float))
    #expect(checkpoint["optimizer"]?["param_groups"]?[0]?["lr"]?.float == 0.01)
    #expect(checkpoint["optimizer"]?["param_groups"]?[0]?["betas"] == .tuple([0.9, 0.999]))
    #expect(checkpoint["model_state_dict"]?.dictionary?.isOrderedDict == true)
    let state = try StateDictionary(contentsOf: Resources.path("training.pth"), key: "model_state_dict")
    #expect(state.names == ["0.weight", "0.bias", "3.weight", "3.bias"])
  }

  @Test("a checkpoint of several parts says under which key its state dict is")
  func partsNeedAKey() throws {
    let error = try #require(throws: CheckpointError.self) {
      try StateDictionary(contentsOf: Resources.path("training.pth"))
    }
    #expect("\(error)".contains("there is a state dict under \"model_state_dict\""))
    let missing = try #require(throws: CheckpointError.self) {
      try StateDictionary(contentsOf: Resources.path("training.pth"), key: "state")
    }
    #expect("\(missing)".contains("no part \"state\""))
    #expect("\(missing)".contains("\"hidden_layers\": a list of 2 values"))
  }

  @Test("keys that differ only in Unicode spelling stay two keys, as in Python")
  func unicodeSpellings() throws {
    let (composed, decomposed) = ("z\u{E9}", "ze\u{301}")
    let pickle: [Opcode] = [
      .emptyDictionary, .mark, .text(composed), .int(1), .text(decomposed), .int(2), .text(composed), .int(3),
      .setItems,
    ]
    let dictionary = try #require(try CheckpointValue(bytes: pickle.archive()).dictionary)
    #expect(dictionary.count == 2)
    #expect(dictionary[composed] == 3)
    #expect(dictionary[decomposed] == 2)
  }

  @Test("the OrderedDict of Python 2, made from a list of pairs, is read")
  func orderedDictOfPairs() throws {
    let pickle: [Opcode] = [
      .global("collections", "OrderedDict"), .emptyList, .emptyList, .mark, .text("a"), .int(1), .appends, .append,
      .tuple1, .reduce,
    ]
    let dictionary = try #require(try CheckpointValue(bytes: pickle.archive()).dictionary)
    #expect(dictionary.isOrderedDict)
    #expect(dictionary["a"] == 1)
  }

  @Test("bytes of a bool other than 0 and 1 are true, as in PyTorch")
  func bools() throws {
    let tensor: [Opcode] =
      [.global("torch._utils", "_rebuild_tensor"), .mark] + .storage(type: "BoolStorage", count: 3)
      + [.int(0), .int(3), .tuple1, .int(1), .tuple1, .tuple, .reduce]
    let value = try CheckpointValue(bytes: tensor.archive(storages: [[0, 1, 200]]))
    #expect(value.tensor?.bytes == [0, 1, 1])
  }
}
