// Memory for protobuf-c's structs while a message is written: taken in blocks, freed at once.

/// Hands out zeroed memory that lives as long as the arena.
final class Arena {
  private static let blockSize = 64 << 10
  private var blocks: [UnsafeMutableRawPointer] = []
  private var free = UnsafeMutableRawBufferPointer(start: nil, count: 0)

  deinit { for block in blocks { block.deallocate() } }

  func allocate<Element>(_ count: Int, of type: Element.Type = Element.self) -> UnsafeMutablePointer<Element> {
    let size = (max(count, 1) * MemoryLayout<Element>.stride + 15) & ~15
    if size > free.count {
      let blockSize = max(size, Self.blockSize)
      let block = UnsafeMutableRawPointer.allocate(byteCount: blockSize, alignment: 16)
      block.initializeMemory(as: UInt8.self, repeating: 0, count: blockSize)
      blocks.append(block)
      free = UnsafeMutableRawBufferPointer(start: block, count: blockSize)
    }
    let start = free.baseAddress!
    free = UnsafeMutableRawBufferPointer(rebasing: free[size...])
    return start.assumingMemoryBound(to: Element.self)
  }

  /// A message with its defaults.
  func message<Message>(_ initialize: (UnsafeMutablePointer<Message>?) -> Void) -> UnsafeMutablePointer<Message> {
    let message = allocate(1, of: Message.self)
    initialize(message)
    return message
  }

  func copy<Element: BitwiseCopyable>(_ elements: some Collection<Element>) -> UnsafeMutablePointer<Element> {
    let copy = allocate(elements.count, of: Element.self)
    _ = UnsafeMutableBufferPointer(start: copy, count: elements.count).initialize(from: elements)
    return copy
  }
}
