// Weights in a file beside the model, and files that appear whole or not at all.

import Foundation
import ONNX
import Tensors
import Testing

@Suite("External data")
struct ExternalDataTests {
  @Test("tensors beside a model of Python's are read")
  func read() throws {
    let model = try Model(contentsOf: resource("external.onnx"))
    let all = (0..<64).map { Float($0) }
    #expect(model.graph.initializers[0].tensor == Tensor(Array(all[..<32]), shape: [4, 8]))
    #expect(model.graph.initializers[1].tensor == Tensor(Array(all[32..<48])))
  }

  @Test("from bytes alone, external data is refused with a hint")
  func withoutPlace() throws {
    let bytes = try bytes(of: resource("external.onnx"))
    let error = #expect(throws: ONNXError.self) { try Model(bytes: bytes) }
    #expect("\(error!)".contains("read the model from its path"))
  }

  @Test("large initializers go beside the model on request, small ones stay, and both come back")
  func write() throws {
    try withTemporaryDirectory { directory in
      var model = smallModel()
      model.graph.initializers[0] = Initializer("W", Tensor((0..<1200).map { Float($0) }, shape: [3, 400]))
      let path = directory + "/m.onnx"
      try model.write(to: path, externalData: .always)
      let files = try names(in: directory)
      #expect(files.count == 2 && files[1].hasPrefix("m.onnx-") && files[1].hasSuffix(".data"))
      #expect(try bytes(of: path).count < 600)
      #expect(try Model(contentsOf: path) == model)

      // Other weights, other data file; the old one goes.
      model.graph.initializers[0].tensor.withUnsafeMutableElements(as: Float.self) { $0[0] = -1 }
      try model.write(to: path, externalData: .always)
      let after = try names(in: directory)
      #expect(after.count == 2 && after[1] != files[1])
      #expect(try Model(contentsOf: path) == model)
    }
  }

  @Test(
    "locations that leave the model's directory are refused",
    arguments: [
      "../outside.bin", "sub/../../outside.bin", "/etc/hostname", "link.bin", "missing.bin", "", "folder",
    ])
  func escape(location: String) throws {
    try withTemporaryDirectory { outer in
      let directory = outer + "/models"
      try FileManager.default.createDirectory(atPath: directory + "/folder", withIntermediateDirectories: true)
      _ = FileManager.default.createFile(atPath: outer + "/outside.bin", contents: Data(count: 4))
      try FileManager.default.createSymbolicLink(
        atPath: directory + "/link.bin", withDestinationPath: outer + "/outside.bin")
      let entry = Proto.field(1, "location") + Proto.field(2, location)
      let tensor =
        Proto.field(1, 1) + Proto.field(2, 1) + Proto.field(8, "W") + Proto.field(13, entry) + Proto.field(14, 1)
      let path = directory + "/m.onnx"
      try Data(Proto.model(initializer: tensor)).write(to: URL(fileURLWithPath: path))
      let error = #expect(throws: ONNXError.self) { try Model(contentsOf: path) }
      guard case .externalData(tensor: "W", _)? = error else {
        Issue.record("\(String(describing: error))")
        return
      }
    }
  }

  @Test("a link within the directory, and a place of exactly the file's size, are fine; one byte more is not")
  func bounds() throws {
    try withTemporaryDirectory { directory in
      try Data([0, 0, 128, 63]).write(to: URL(fileURLWithPath: directory + "/w.bin"))
      try FileManager.default.createSymbolicLink(atPath: directory + "/l.bin", withDestinationPath: "w.bin")
      func read(offset: String, length: String) throws -> Model {
        let entries = [("location", "l.bin"), ("offset", offset), ("length", length)].flatMap {
          Proto.field(13, Proto.field(1, $0.0) + Proto.field(2, $0.1))
        }
        let tensor = Proto.field(1, 1) + Proto.field(2, 1) + Proto.field(8, "W") + entries + Proto.field(14, 1)
        let path = directory + "/m.onnx"
        try Data(Proto.model(initializer: tensor)).write(to: URL(fileURLWithPath: path))
        return try Model(contentsOf: path)
      }
      #expect(try read(offset: "0", length: "4").graph.initializers[0].tensor == Tensor([Float(1)]))
      for (offset, length) in [("1", "4"), ("0", "5"), ("-1", "4"), ("9223372036854775807", "4"), ("x", "4")] {
        #expect(throws: ONNXError.self) { try read(offset: offset, length: length) }
      }
    }
  }

  @Test("what can't be written leaves nothing behind and the old file alone")
  func atomic() throws {
    try withTemporaryDirectory { directory in
      let path = directory + "/m.onnx"
      try smallModel().write(to: path)
      let before = try bytes(of: path)
      var model = smallModel()
      model.graph.name = "a\0b"
      #expect(throws: ONNXError.self) { try model.write(to: path, externalData: .always) }
      #expect(try names(in: directory) == ["m.onnx"])
      #expect(try bytes(of: path) == before)
    }
  }

  @Test(
    "a place where nothing can be created is named with the system's words",
    arguments: [
      ("/nonexistent-directory/m.onnx", "No such file"), ("/dev/full/m.onnx", "Not a directory"),
      ("/", "Is a directory"),
    ])
  func unwritable(path: String, words: String) {
    let error = #expect(throws: ONNXError.self) { try smallModel().write(to: path) }
    #expect("\(error!)".hasPrefix(path) && "\(error!)".contains(words))
  }
}
