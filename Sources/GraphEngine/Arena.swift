// Memory that the plans of a session work in, one after the other.

import CKernels
import Tensors

/// A piece of memory on whole cache lines; in large pages where the system has them for the asking.
final class Arena {
  let pointer: UnsafeMutableRawPointer
  let byteCount: Int

  init(byteCount: Int) {
    // From here on the processor's table of pages is what a pass over memory waits for.
    let isLarge = byteCount >= Self.largePage
    self.byteCount = isLarge ? (byteCount + Self.largePage - 1) / Self.largePage * Self.largePage : max(byteCount, 64)
    pointer = .allocate(byteCount: self.byteCount, alignment: isLarge ? Self.largePage : 64)
    if isLarge { rk_advise_large_pages(pointer, self.byteCount) }
  }

  deinit { pointer.deallocate() }

  private static let largePage = 2 << 20
}

/// Lends the plans of a session what they work in: a session runs one plan at a time, so that all can have the same.
final class ArenaLender {
  private var values = Arena(byteCount: 0)
  private var scratch = Arena(byteCount: 0)
  /// Counts what was lent so far: plans over something earlier still hold it, and are better made anew.
  private(set) var generation = 0

  /// Memory for what a plan computes on the way, at least so many bytes.
  func lendValues(_ byteCount: Int) -> Arena { lend(&values, byteCount) }

  /// Memory for what its kernels need while they run.
  func lendScratch(_ byteCount: Int) -> Arena { lend(&scratch, byteCount) }

  /// Some more than is wanted, where batches that grow little by little would each ask for another.
  private func lend(_ arena: inout Arena, _ byteCount: Int) -> Arena {
    if byteCount > arena.byteCount {
      let isFirst = arena.byteCount <= 64
      arena = Arena(byteCount: isFirst ? byteCount : max(byteCount, arena.byteCount / 4 * 5))
      generation += 1
    }
    return arena
  }
}

/// Constants of a session in the form in which its kernels read them, made once for all of its plans.
final class PackedConstants {
  /// By the address of the constant's elements, which stays its own for as long as the constant is held here.
  private var entries: [UnsafeRawPointer: (constant: Tensor, packed: AnyObject)] = [:]

  /// What `make` makes of a constant; the same constant is always packed to the same kind.
  func packed<Packed: AnyObject>(_ constant: Tensor, _ make: () -> Packed) -> Packed {
    let address = UnsafeRawPointer(constant.unsafeBaseAddress)
    if let known = entries[address]?.packed as? Packed { return known }
    let made = make()
    entries[address] = (constant, made)
    return made
  }
}

/// The panels of a constant matrix, as products read it.
final class PackedMatrix {
  let panels: UnsafeMutablePointer<Float>

  init(_ product: MatrixProduct, _ b: UnsafePointer<Float>, floats: Int) {
    let bytes = UnsafeMutableRawPointer.allocate(byteCount: max(floats, 16) * 4, alignment: 64)
    panels = bytes.assumingMemoryBound(to: Float.self)
    product.packB(b, into: panels)
  }

  deinit { panels.deallocate() }
}
