// Reading a model, or one tensor, from a file or from bytes.

internal import COnnxSchema
internal import CProtobufC
import Tensors

extension Model {
  /// Reads a model file with the external data beside it. Any IR version and any opsets are read; `check` says whether
  /// they are accepted.
  ///
  /// The file is mapped, not loaded: each weight is copied once, into its tensor.
  /// - Throws: `ONNXError.file`, `.malformed` or `.externalData`.
  public init(contentsOf path: String) throws(ONNXError) {
    do throws(ONNXError) {
      self = try withBytes(ofFile: path) { (bytes) throws(ONNXError) in
        guard bytes.count > 0 else { throw .file(path: path, problem: "is empty") }
        return try Model(encoded: bytes, directory: directory(of: path))
      }
    } catch {
      throw error.inFile(path)
    }
  }

  /// Reads a model from its encoded bytes.
  /// - Parameter directory: where external data is looked for; without one, a model that has such data is refused.
  /// - Throws: `ONNXError.malformed` or `.externalData`.
  public init(bytes: some Collection<UInt8>, directory: String? = nil) throws(ONNXError) {
    self = try withContiguousBytes(of: bytes) { (bytes) throws(ONNXError) in
      try Model(encoded: bytes, directory: directory)
    }
  }

  private init(encoded: UnsafeRawBufferPointer, directory: String?) throws(ONNXError) {
    let reader = ModelReader(source: encoded, externalData: ExternalDataFiles(directory: directory))
    var prototype = RankerkitOnnx__ModelProto()
    rankerkit_onnx__model_proto__init(&prototype)
    self = try withUnpacked(encoded, as: prototype.base.descriptor) {
      (proto: UnsafePointer<RankerkitOnnx__ModelProto>) throws(ONNXError) in try reader.model(proto.pointee)
    }
  }
}

extension Initializer {
  /// Reads a file of one tensor, such as `input_0.pb` of a test data set.
  /// - Throws: `ONNXError.file`, `.malformed` or `.externalData`.
  public init(contentsOf path: String) throws(ONNXError) {
    do throws(ONNXError) {
      self = try withBytes(ofFile: path) { (bytes) throws(ONNXError) in
        try Initializer(encoded: bytes, directory: directory(of: path))
      }
    } catch {
      throw error.inFile(path)
    }
  }

  /// Reads one encoded tensor.
  /// - Throws: `ONNXError.malformed`.
  public init(bytes: some Collection<UInt8>) throws(ONNXError) {
    self = try withContiguousBytes(of: bytes) { (bytes) throws(ONNXError) in
      try Initializer(encoded: bytes, directory: nil)
    }
  }

  private init(encoded: UnsafeRawBufferPointer, directory: String?) throws(ONNXError) {
    let reader = ModelReader(source: encoded, externalData: ExternalDataFiles(directory: directory))
    var prototype = RankerkitOnnx__TensorProto()
    rankerkit_onnx__tensor_proto__init(&prototype)
    self = try withUnpacked(encoded, as: prototype.base.descriptor) {
      (proto: UnsafePointer<RankerkitOnnx__TensorProto>) throws(ONNXError) in try reader.initializer(proto.pointee)
    }
  }
}

func withContiguousBytes<Result>(
  of bytes: some Collection<UInt8>, _ body: (UnsafeRawBufferPointer) throws(ONNXError) -> Result
) throws(ONNXError) -> Result {
  func run(_ buffer: UnsafeBufferPointer<UInt8>) -> Swift.Result<Result, ONNXError> {
    do throws(ONNXError) { return .success(try body(UnsafeRawBufferPointer(buffer))) } catch { return .failure(error) }
  }
  if let result = bytes.withContiguousStorageIfAvailable(run) { return try result.get() }
  return try Array(bytes).withUnsafeBufferPointer(run).get()
}

/// The directory of a path, `.` where it names none.
func directory(of path: String) -> String {
  guard let slash = path.lastIndex(of: "/") else { return "." }
  return slash == path.startIndex ? "/" : String(path[..<slash])
}
