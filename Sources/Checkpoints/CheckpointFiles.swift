// Checkpoints and state dicts, from files and to files.

import Tensors

extension CheckpointValue {
  /// Reads a `.pth` or `.pt` file that `torch.save` or `writePyTorch(to:)` wrote.
  ///
  /// Nothing of the file is executed: a pickle that names anything but the parts of a state dict is refused. Attributes
  /// of dicts are dropped, parameters become tensors, a `torch.Size` a tuple and a dtype its name ("torch.float32").
  ///
  /// - Throws: `CheckpointError`.
  public init(contentsOf path: String) throws {
    self = try withBytes(ofFile: path) { try PyTorchReader.read($0, path: path) }
  }

  /// Reads the bytes of a `.pth` file.
  ///
  /// - Parameter source: What to call the bytes in errors.
  public init(pytorchBytes bytes: UnsafeRawBufferPointer, source: String = "the checkpoint's bytes") throws {
    self = try PyTorchReader.read(bytes, path: source)
  }

  /// Writes a file that `torch.load(path, weights_only=True)` opens. The same value gives the same bytes.
  ///
  /// Tensors that share their storage (copies of one value) are written once and share it again in PyTorch.
  public func writePyTorch(to path: String) throws {
    try writeFile(to: path) { _ = try PyTorchWriter.write(self, to: $0, path: path) }
  }

  /// The bytes that `writePyTorch(to:)` writes.
  public func pytorchBytes() throws -> [UInt8] {
    try PyTorchWriter.write(self, to: MemorySink(), path: "the checkpoint").bytes
  }
}

extension StateDictionary {
  /// Reads a `.pth` or `.safetensors` file; the content decides which, not the name.
  ///
  /// - Parameters:
  ///   - path: The file.
  ///   - key: Where in a checkpoint of several parts the state dict is, such as `"model_state_dict"`.
  /// - Throws: `CheckpointError`; where the checkpoint is not a state dict, the message tells what it holds.
  public init(contentsOf path: String, key: String? = nil) throws {
    self = try withBytes(ofFile: path) { try StateDictionary(bytes: $0, key: key, source: path) }
  }

  /// Reads the bytes of a `.pth` or `.safetensors` file.
  ///
  /// - Parameter source: What to call the bytes in errors.
  public init(
    bytes: UnsafeRawBufferPointer, key: String? = nil, source: String = "the checkpoint's bytes"
  ) throws {
    if FileFormat(of: bytes) == .safetensors {
      let file = try SafetensorsReader.read(bytes, path: source)
      guard key == nil else {
        throw CheckpointError.missing(
          path: source, wanted: "part \"\(key!)\"", found: "\(file.tensors.count) tensors and no parts (safetensors)")
      }
      self = file.tensors
    } else {
      try self.init(PyTorchReader.read(bytes, path: source), key: key, source: source)
    }
  }

  /// The state dict in a checkpoint.
  ///
  /// - Parameters:
  ///   - checkpoint: A dict of names to tensors, or with `key` a dict that holds one.
  ///   - source: What to call the checkpoint in errors.
  public init(_ checkpoint: CheckpointValue, key: String? = nil, source: String = "the checkpoint") throws {
    var value = checkpoint
    if let key {
      guard let part = checkpoint[key] else {
        throw CheckpointError.missing(
          path: source, wanted: "part \"\(key)\"", found: StateDictionary.contents(of: checkpoint))
      }
      value = part
    }
    guard case .dictionary(let dictionary) = value else {
      throw CheckpointError.missing(path: source, wanted: "state dict", found: value.summary)
    }
    self.init()
    for (name, entry) in dictionary {
      guard case .string(let name) = name, case .tensor(let tensor) = entry else {
        let parts = dictionary.compactMap { part -> String? in
          guard case .string(let name) = part.key, (try? StateDictionary(part.value)) != nil else { return nil }
          return "\"\(name)\""
        }
        let hint = parts.isEmpty ? "" : "; there is a state dict under \(parts.joined(separator: ", ")): give that key"
        throw CheckpointError.missing(
          path: source, wanted: "state dict at the top (names with a tensor each)",
          found: StateDictionary.contents(of: value) + hint)
      }
      self[name] = tensor
    }
  }

  /// What a checkpoint holds, for messages: the first names and what is under them.
  private static func contents(of checkpoint: CheckpointValue) -> String {
    guard let dictionary = checkpoint.dictionary else { return checkpoint.summary }
    let entries = dictionary.prefix(8).map { entry in
      switch entry.key {
      case .string(let name): "\"\(name)\": \(entry.value.summary)"
      case .int(let number): "\(number): \(entry.value.summary)"
      }
    }
    return entries.joined(separator: ", ") + (dictionary.count > 8 ? ", … (\(dictionary.count) entries)" : "")
  }

  /// Writes a state dict that `torch.load(path, weights_only=True)` opens. The same parameters give the same bytes.
  public func writePyTorch(to path: String) throws {
    try CheckpointValue.stateDictionary(self).writePyTorch(to: path)
  }

  /// The bytes that `writePyTorch(to:)` writes.
  public func pytorchBytes() throws -> [UInt8] {
    try CheckpointValue.stateDictionary(self).pytorchBytes()
  }

  /// Writes a safetensors file with these tensors.
  ///
  /// The file is laid out as the format's reference writer does it: the widest element types first, then by name.
  public func writeSafetensors(to path: String, metadata: [String: String] = [:]) throws {
    try SafetensorsFile(tensors: self, metadata: metadata).write(to: path)
  }

  /// The bytes that `writeSafetensors(to:metadata:)` writes.
  public func safetensorsBytes(metadata: [String: String] = [:]) throws -> [UInt8] {
    try SafetensorsFile(tensors: self, metadata: metadata).bytes()
  }
}
