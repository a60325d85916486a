// The matrix product in single precision: the one file that decides how a product runs.
//
// One operand (`p`) is read number by number, the other (`q`) in panels of a few vectors, and a tile of sums stays in
// registers for the whole depth (see `CKernels/MatrixTile.h`). Which of the two matrices is `p`, and so which one may
// have to be packed, is a question of cost: computing the transposed product swaps them.

import CKernels
import Glibc

/// A planned product `c = alpha * op(a)·op(b) + beta * c`, row-major, possibly of a batch of matrices.
///
/// `op(a)` is `[rows, depth]`, `op(b)` is `[depth, columns]`, `c` is `[rows, columns]`. Planned once, run any number
/// of times without allocating. The result's bits depend on the shape and the processor's instruction set, not on
/// the number of threads.
package struct MatrixProduct: Sendable {
  /// One of the two factors as it lies in memory.
  package struct Operand: Sendable, Hashable {
    /// Whether the product takes the transpose of the stored matrix.
    package var transposed: Bool
    /// Floats between the starts of two stored rows; nil: they follow one another.
    package var rowStride: Int?
    /// Floats between the starts of two matrices of a batch; nil: they follow one another. 0: the same for all.
    package var batchStride: Int?

    package init(transposed: Bool = false, rowStride: Int? = nil, batchStride: Int? = nil) {
      self.transposed = transposed
      self.rowStride = rowStride
      self.batchStride = batchStride
    }
  }

  /// What is done to each finished block while it is in the cache; see `rk_epilogue` in `CKernels`.
  package struct Epilogue {
    package typealias Function =
      @convention(c) (
        _ context: UnsafeRawPointer?, _ c: UnsafeMutablePointer<Float>?, _ rowStride: Int, _ row: Int, _ column: Int,
        _ rows: Int, _ columns: Int
      ) -> Void
    package var function: Function
    /// Points at what `function` expects, alive while the product runs.
    package var context: UnsafeRawPointer

    package init(_ function: @escaping Function, context: UnsafeRawPointer) {
      self.function = function
      self.context = context
    }
  }

  let rows, columns, depth, batch: Int
  let aStride, bStride, cStride: Int
  let aBatchStride, bBatchStride, cBatchStride: Int
  let aTransposed, bTransposed: Bool
  let alpha, beta: Float
  let participants: Int
  private let way: Way

  private enum Way: Sendable {
    case tiles(MatrixProductTiles)
    case dots(MatrixProductDots)
    case openBLAS(MatrixProductBLAS)
  }

  /// Bytes of scratch that `run` needs, on a boundary of 64 bytes.
  package let scratchByteCount: Int

  /// Plans a product.
  /// - Parameters:
  ///   - rows: rows of `op(a)` and `c`.
  ///   - columns: columns of `op(b)` and `c`.
  ///   - depth: columns of `op(a)` and rows of `op(b)`.
  ///   - resultRowStride: floats between two rows of `c`; nil: they follow one another.
  ///   - batch: the number of matrices in `a`, `b` and `c`.
  ///   - beta: 0 means that `c` is not read.
  ///   - prepacksB: whether `run` may be given a `b` that `packB` has packed, where `packedBFloats` says so.
  ///   - keepsResult: false if `run` is given no `c`: the blocks then live in scratch and only the epilogue sees them.
  ///   - threads: the pool's thread count.
  ///   - engine: who computes.
  package init(
    rows: Int, columns: Int, depth: Int, a: Operand = Operand(), b: Operand = Operand(), resultRowStride: Int? = nil,
    batch: Int = 1, resultBatchStride: Int? = nil, alpha: Float = 1, beta: Float = 0, prepacksB: Bool = false,
    keepsResult: Bool = true, threads: Int, engine: MatrixProductEngine = .standard
  ) {
    self.rows = rows
    self.columns = columns
    self.depth = depth
    self.batch = batch
    aTransposed = a.transposed
    bTransposed = b.transposed
    aStride = a.rowStride ?? (a.transposed ? rows : depth)
    bStride = b.rowStride ?? (b.transposed ? depth : columns)
    cStride = keepsResult ? resultRowStride ?? columns : columns
    aBatchStride = a.batchStride ?? rows * depth
    bBatchStride = b.batchStride ?? depth * columns
    cBatchStride = keepsResult ? resultBatchStride ?? rows * cStride : 0
    self.alpha = alpha
    self.beta = keepsResult ? beta : 0
    participants = max(threads, 1)

    let problem = MatrixProductProblem(
      rows: rows, columns: columns, depth: depth, aStride: aStride, bStride: bStride, cStride: cStride,
      aTransposed: aTransposed, bTransposed: bTransposed, alpha: alpha, beta: self.beta, keepsResult: keepsResult)
    let shared: Int
    let own: Int
    switch engine {
    case .openBLAS:
      let plan = MatrixProductBLAS(problem)
      way = .openBLAS(plan)
      (shared, own) = (0, 0)
      splitsBatch = false
      resultFloats = keepsResult ? 0 : MatrixProductProblem.aligned(rows * columns)
    case .kernels(let kernels):
      if let plan = MatrixProductDots(problem, kernels: kernels) {
        way = .dots(plan)
        (shared, own) = (0, plan.participantFloats)
        resultFloats = 0
      } else {
        let plan = MatrixProductTiles(problem, kernels: kernels, prepacks: prepacksB && batch == 1)
        way = .tiles(plan)
        (shared, own) = (plan.packedFloats, plan.participantFloats)
        resultFloats = plan.needsWholeResult ? MatrixProductProblem.aligned(rows * columns) : 0
      }
      // Enough matrices to keep every thread busy: then each is computed by one thread.
      splitsBatch = batch >= 2 * participants || (batch > 1 && problem.multiplyAdds < 1 << 20)
    }
    // A thread that computes a whole matrix packs for itself.
    packedFloats = shared
    participantFloats = own + (splitsBatch ? shared + resultFloats : 0)
    scratchByteCount =
      4 * (participantFloats * participants + (splitsBatch ? 0 : packedFloats + resultFloats)) + 64
  }

  /// Floats of a packed `b`, whatever the number of rows; nil where this product takes it only as it is.
  package var packedBFloats: Int? {
    if case .tiles(let plan) = way { plan.prepackedFloats } else { nil }
  }

  /// Packs `b` once for many runs.
  package func packB(_ b: UnsafePointer<Float>, into packed: UnsafeMutablePointer<Float>) {
    if case .tiles(let plan) = way { plan.prepack(b, into: packed) }
  }

  private let splitsBatch: Bool
  private let packedFloats, participantFloats, resultFloats: Int

  /// Computes the product.
  /// - Parameters:
  ///   - packedB: what `packB` made of `b`, which is not read then.
  ///   - c: the result; nil only if the plan says that it keeps none.
  ///   - scratch: `scratchByteCount` bytes that nobody else uses meanwhile.
  package func run(
    a: UnsafePointer<Float>, b: UnsafePointer<Float>, packedB: UnsafePointer<Float>? = nil,
    c: UnsafeMutablePointer<Float>?, epilogue: Epilogue? = nil, scratch: UnsafeMutableRawPointer, pool: ThreadPool
  ) {
    precondition(pool.threadCount <= participants, "a product planned for \(participants) threads")
    guard rows > 0, columns > 0, batch > 0 else { return }
    let base = scratch.alignedUp(toMultipleOf: 64).assumingMemoryBound(to: Float.self)
    func one(_ index: Int, packed: UnsafeMutablePointer<Float>, own: UnsafeMutablePointer<Float>, pool: ThreadPool?) {
      let call = MatrixProductCall(
        a: a + index * aBatchStride, b: b + index * bBatchStride, c: c.map { $0 + index * cBatchStride },
        prepacked: packedB, epilogue: epilogue, firstRow: index * rows, packed: packed, result: packed + packedFloats,
        own: own,
        ownStride: participantFloats, pool: pool)
      switch way {
      case .tiles(let plan): plan.run(call)
      case .dots(let plan): plan.run(call)
      case .openBLAS(let plan): plan.run(call)
      }
    }
    if splitsBatch {
      let local = participantFloats - packedFloats - resultFloats
      pool.parallel(batch) { index, participant in
        let own = base + participant * participantFloats
        one(index, packed: own + local, own: own, pool: nil)
      }
    } else {
      let own = base + packedFloats + resultFloats
      for index in 0..<batch { one(index, packed: base, own: own, pool: pool) }
    }
  }
}

/// Who computes a product.
package enum MatrixProductEngine: Sendable {
  /// This package's kernels.
  case kernels(MatrixKernels)
  case openBLAS

  /// The kernels where there are some for this processor's instruction set, else OpenBLAS; the environment variable
  /// `RANKERKIT_MATMUL` (`kernels` or `openblas`) says otherwise.
  package static let standard: MatrixProductEngine = {
    switch getenv("RANKERKIT_MATMUL").map({ String(cString: $0) }) {
    case "openblas": return .openBLAS
    case "kernels": return .kernels(.best)
    default: return MatrixKernels.best.isPortable ? .openBLAS : .kernels(.best)
    }
  }()
}

/// The compiled loops for one instruction set.
package struct MatrixKernels: @unchecked Sendable {
  let table: rk_matrix_kernels

  /// The fastest on this processor.
  package static let best = MatrixKernels(table: rk_matrix_kernels_best().pointee)
  /// For any processor.
  package static let portable = MatrixKernels(table: rk_matrix_kernels_portable().pointee)
  /// For AVX2 with FMA; nil where the processor lacks them.
  package static let avx2 = rk_matrix_kernels_avx2().map { MatrixKernels(table: $0.pointee) }

  package var name: String { String(cString: table.name) }
  var isPortable: Bool { table.name == Self.portable.table.name }
}

/// One product's shape and memory, checked and complete.
struct MatrixProductProblem: Sendable {
  let rows, columns, depth: Int
  let aStride, bStride, cStride: Int
  let aTransposed, bTransposed: Bool
  let alpha, beta: Float
  let keepsResult: Bool

  var multiplyAdds: Int { rows * columns * depth }

  /// The next multiple of 16 floats: a cache line.
  static func aligned(_ floats: Int) -> Int { (floats + 15) & ~15 }
}

/// The memory of one run of one matrix of the batch.
struct MatrixProductCall {
  let a, b: UnsafePointer<Float>
  let c: UnsafeMutablePointer<Float>?
  /// All panels of `b`, packed before.
  let prepacked: UnsafePointer<Float>?
  let epilogue: MatrixProduct.Epilogue?
  let firstRow: Int
  /// Scratch that the threads share for packed panels and, where the plan needs it, the whole result.
  let packed, result: UnsafeMutablePointer<Float>
  /// Scratch of participant 0; the others' follow at `ownStride`.
  let own: UnsafeMutablePointer<Float>
  let ownStride: Int
  /// nil: on this thread.
  let pool: ThreadPool?

  func parallel(_ tasks: Int, _ body: (_ task: Int, _ own: UnsafeMutablePointer<Float>) -> Void) {
    if let pool {
      pool.parallel(tasks) { task, participant in body(task, own + participant * ownStride) }
    } else {
      for task in 0..<tasks { body(task, own) }
    }
  }

  func finish(
    _ c: UnsafeMutablePointer<Float>, rowStride: Int, row: Int, column: Int, rows: Int, columns: Int
  ) {
    guard let epilogue else { return }
    epilogue.function(epilogue.context, c, rowStride, firstRow + row, column, rows, columns)
  }
}

/// `0..<count` cut into `parts` ranges whose lengths differ by at most one.
@inline(__always)
func part(_ index: Int, of parts: Int, in count: Int) -> Range<Int> {
  count * index / parts..<count * (index + 1) / parts
}
