// libFuzzer's way into the readers of JSON lines: the input is a file of pairs, of items and of embeddings.

import Datasets
import Glibc

/// Files that live in memory: the readers open paths.
private let directory = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp"
private let inputPath = "\(directory)/fuzz-jsonl-\(getpid())"
private let copyPath = inputPath + "-copy"

@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
  let descriptor = open(inputPath, O_WRONLY | O_CREAT | O_TRUNC, 0o600)
  guard descriptor >= 0, write(descriptor, start, count) == count, close(descriptor) == 0 else {
    fatalError("no place for the input")
  }
  defer {
    unlink(inputPath)
    unlink(copyPath)
  }
  _ = try? ItemFile(path: inputPath, options: ReadOptions(embeddingWidth: .uniform, threadCount: 1))
  _ = try? EmbeddingFile(path: inputPath, options: ReadOptions(threadCount: 1))
  _ = try? PairFile(path: inputPath, options: ReadOptions(isStrict: true, threadCount: 1, maximumLineLength: 100))

  // However many threads read, what comes out is the same.
  let one = outcome(threadCount: 1)
  switch (one, outcome(threadCount: 3)) {
  case (.success(let a), .success(let b)):
    guard a.pairs == b.pairs, a.items == b.items, a.skipped == b.skipped else {
      fatalError("other pairs on three threads")
    }
  case (.failure(let a), .failure(let b)):
    guard a == b else { fatalError("another error on three threads: \(a) and \(b)") }
  default: fatalError("another outcome on three threads")
  }

  // What was read can be written, and read back as the same.
  guard let file = try? one.get(), file.references.isEmpty else { return 0 }
  do {
    let writer = try LineWriter(path: copyPath)
    for index in file.pairs.indices {
      try writer.writeLine { text in file.preferencePair(at: index).appendJSON(to: &text) }
    }
    try writer.finish()
    let copy = try PairFile(path: copyPath, options: ReadOptions(isStrict: true))
    guard copy.pairs.count == file.pairs.count, copy.items == file.items,
      copy.pairs.indices.allSatisfy({ copy.preferencePair(at: $0) == file.preferencePair(at: $0) })
    else { fatalError("other pairs came back") }
    _ = Split.holdOut(groups: file.groups, fraction: 0.3, seed: 1)
  } catch {
    fatalError("no way back: \(error)")
  }
  return 0
}

private func outcome(threadCount: Int) -> Result<PairFile, DatasetError> {
  Result { () throws(DatasetError) in
    let options = ReadOptions(embeddingWidth: .uniform, allowsReferences: true, threadCount: threadCount)
    return try PairFile(path: inputPath, options: options)
  }
}
