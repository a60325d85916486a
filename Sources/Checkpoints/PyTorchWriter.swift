// Writes what torch.load opens: the zip archive of PyTorch 1.6 and later.

import Tensors

enum PyTorchWriter {
  /// Writes a checkpoint and gives the sink back. Tensors' bytes go to the sink as they lie in memory.
  static func write<Sink: ByteSink>(_ value: CheckpointValue, to sink: Sink, path: String) throws -> Sink {
    let pickle = try PickleWriter(value, path: path)
    var zip = ZipWriter(to: sink)
    // PyTorch names the folder after the file. A fixed name keeps the bytes the same wherever the file goes.
    try zip.write("archive/data.pkl", bytes: pickle.bytes)
    try zip.write("archive/.format_version", bytes: Array("1".utf8))
    try zip.write("archive/.storage_alignment", bytes: Array("\(ZipWriter<Sink>.alignment)".utf8))
    try zip.write("archive/byteorder", bytes: Array("little".utf8))
    for (key, tensor) in pickle.storages.enumerated() {
      try tensor.withUnsafeBytes { try zip.write("archive/data/\(key)", bytes: $0) }
    }
    try zip.write("archive/version", bytes: Array("3\n".utf8))
    return try zip.finish()
  }
}
