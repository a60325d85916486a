// What a file is, by its first bytes: the name says little (.pt, .bin and .pth are used for everything).

/// The format of a file that someone wants to be read as a checkpoint.
enum FileFormat: Equatable {
  case zip
  case pickle
  case safetensors
  case tar
  case gzip
  case gitPointer
  case other

  init(of bytes: UnsafeRawBufferPointer) {
    if bytes.starts(with: [0x50, 0x4B, 0x03, 0x04]) || bytes.starts(with: [0x50, 0x4B, 0x05, 0x06]) {
      self = .zip
    } else if bytes.count > 8, bytes[8] == UInt8(ascii: "{"), bytes[6] == 0, bytes[7] == 0 {
      self = .safetensors
    } else if bytes.count > 2, bytes[0] == 0x80, (2...5).contains(bytes[1]) {
      self = .pickle
    } else if bytes.starts(with: [0x1F, 0x8B]) {
      self = .gzip
    } else if bytes.starts(with: Array("version https://git-lfs".utf8)) {
      self = .gitPointer
    } else if bytes.count > 262, bytes[257..<262].elementsEqual("ustar".utf8) {
      self = .tar
    } else {
      self = .other
    }
  }

  /// Why a file of this format is not read.
  func refusal(path: String, wanted: String) -> CheckpointError {
    switch self {
    case .zip, .pickle:
      .unsupported(
        path: path, found: "a file of PyTorch where \(wanted) was asked for", advice: "read it as a .pth checkpoint")
    case .safetensors:
      .unsupported(
        path: path, found: "a safetensors file where \(wanted) was asked for", advice: "read it as safetensors")
    case .tar:
      .unsupported(
        path: path, found: "a tar archive (the format of PyTorch before 0.1.10, or a packed folder)",
        advice: "unpack it, or load it in PyTorch and save it again: torch.save(torch.load(file), \"new.pth\")")
    case .gzip:
      .unsupported(path: path, found: "a gzip file", advice: "unpack it first: gunzip")
    case .gitPointer:
      .unsupported(
        path: path, found: "a pointer of Git LFS in place of the file", advice: "fetch the file itself: git lfs pull")
    case .other:
      .malformed(path: path, place: "the start of the file", found: "neither a zip nor a pickle", expected: wanted)
    }
  }
}
