// The file beside a model that takes its large initializers.

internal import Files
import Tensors

#if canImport(Glibc)
  import Glibc
#endif

/// Collects tensors in one file, named after the model and the content: `model.onnx-8f14e45fceea167a.data`.
///
/// The content is in the name because two files can't be replaced at once: a reader of the old model finds the old data
/// until the new model is in place.
final class ExternalDataFile {
  /// Smaller tensors stay in the model: the threshold of the `onnx` package.
  static let smallest = 1024
  private static let alignment = 64

  /// The location, zero-terminated, for the messages; complete when `commit` has returned.
  let location: UnsafeMutablePointer<CChar>
  /// Nil until a tensor needs it.
  private var file: AtomicFile?
  private let modelPath: String
  private let directory: String
  private let modelName: String
  private let locationCapacity: Int
  private var length = 0
  private var replacesEqualFile = false
  private var hash: UInt64 = 0xCBF2_9CE4_8422_2325

  /// - Parameter modelPath: the model that the data belongs to.
  init(besideModel modelPath: String) {
    self.modelPath = modelPath
    directory = ONNX.directory(of: modelPath)
    modelName = modelPath.split(separator: "/").last.map(String.init) ?? ""
    locationCapacity = modelName.utf8.count + 1 + 16 + 5 + 1
    location = .allocate(capacity: locationCapacity)
    location.initialize(repeating: 0, count: locationCapacity)
    // Its final length already, so that messages can be measured.
    name(hash)
  }

  deinit { location.deallocate() }

  private func name(_ hash: UInt64) {
    let digits = String(hash, radix: 16)
    let padded = String(repeating: "0", count: 16 - digits.count) + digits
    for (index, byte) in "\(modelName)-\(padded).data".utf8.enumerated() { location[index] = CChar(bitPattern: byte) }
  }

  func takes(_ tensor: Tensor) -> Bool { tensor.elementType != .string && tensor.byteCount >= Self.smallest }

  /// Writes the elements and says where they are.
  func append(_ tensor: Tensor) throws(ONNXError) -> (offset: Int, length: Int) {
    let padding = (Self.alignment - length % Self.alignment) % Self.alignment
    let offset = length + padding
    try ONNXError.translating { () throws(FileError) in
      let file = if let file { file } else { try AtomicFile(path: modelPath) }
      self.file = file
      try file.write([UInt8](repeating: 0, count: padding))
      try tensor.withUnsafeBytes { (bytes) throws(FileError) in
        mix(bytes)
        try file.write(bytes)
      }
    }
    length = offset + tensor.byteCount
    return (offset, tensor.byteCount)
  }

  /// FNV-1a over words instead of bytes: it tells contents apart, it proves nothing.
  private func mix(_ bytes: UnsafeRawBufferPointer) {
    func take(_ word: UInt64) { hash = (hash ^ word ^ hash >> 29) &* 0x100_0000_01B3 }
    for offset in stride(from: 0, to: bytes.count & ~7, by: 8) {
      take(bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self))
    }
    for byte in bytes[(bytes.count & ~7)...] { take(UInt64(byte)) }
    take(UInt64(bytes.count))
  }

  /// Puts the file in place under its final name and completes `location`.
  func commit() throws(ONNXError) {
    guard let file else { return }
    name(hash)
    let name = String(cString: location)
    replacesEqualFile = access("\(directory)/\(name)", F_OK) == 0
    try ONNXError.translating { () throws(FileError) in try file.commit(as: name) }
  }

  /// Takes the committed file back because its model could not be written. A file of that name that was there before
  /// has the same content and belongs to the model that is there.
  func withdraw() {
    if let file, !replacesEqualFile { unlink(file.path) }
  }

  /// Takes away data files of earlier versions of the same model, once nothing names them.
  func removePredecessors() {
    guard let listing = opendir(directory) else { return }
    defer { closedir(listing) }
    let current = String(cString: location)
    while let entry = readdir(listing) {
      let name = withUnsafeBytes(of: &entry.pointee.d_name) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
      guard name != current, name.hasPrefix(modelName + "-"), name.hasSuffix(".data") else { continue }
      let middle = name.dropFirst(modelName.count + 1).dropLast(5)
      guard middle.utf8.count == 16, UInt64(middle, radix: 16) != nil else { continue }
      unlink("\(directory)/\(name)")
    }
  }
}
