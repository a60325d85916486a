// A product by register tiles: which matrix is packed, in which order the blocks go, and their run.

import CKernels

/// The plan of one matrix product by tiles.
///
/// With `p` of `pRows` rows and `q` of `qColumns` columns, the product is cut into groups of rows of `p` and chunks of
/// panels of `q`. A chunk stays in the L2 cache while a group's blocks of rows (as many as a tile has) pass over it;
/// the whole depth (up to `deepest`) is summed in registers.
struct MatrixProductTiles: Sendable {
  private let problem: MatrixProductProblem
  private let kernels: MatrixKernels
  /// The transposed product is computed: `p` is `op(b)` transposed, `q` is `op(a)` transposed.
  private let swapped: Bool
  private let pRows, qColumns: Int
  private let pRow, pStep, qStride: Int
  private let qTransposed: Bool
  private let panels, packedFrom: Int
  private let phases, phaseDepth: Int
  private let preparation: Preparation
  private let blocks, groups, chunks: Int
  private let blockFloats, preparedFloats: Int

  let packedFloats, participantFloats: Int
  let needsWholeResult: Bool

  /// What happens to a block of rows of `p` before it is read.
  private enum Preparation {
    case none
    /// Its numbers of one step lie side by side, the steps far apart: gathered.
    case gather
    /// Its rows are a multiple of half a page apart and would push one another out of the L1 cache: copied, padded.
    case pad
  }

  /// Sums longer than this go through memory: two panels of this depth fill half of a 1 MB L2 cache.
  private static let deepest = 2048
  /// Floats of `q` that a chunk may have: half of a 1 MB L2 cache.
  private static let chunkFloats = 1 << 17

  init(_ problem: MatrixProductProblem, kernels: MatrixKernels) {
    self.problem = problem
    self.kernels = kernels
    let panel = kernels.table.panel
    let tileRows = kernels.table.rows
    let (m, n, k) = (problem.rows, problem.columns, problem.depth)

    // Cycles, roughly: a multiply-add of a vector is one, packing moves two numbers in one where it transposes and
    // eight where it copies, and so does storing a transposed result.
    func cost(pRows: Int, qColumns: Int, qTransposed: Bool) -> Int {
      let vectors = (qColumns + panel / 2 - 1) / (panel / 2)
      return 8 * pRows * k * vectors + (qTransposed ? 4 : 1) * k * qColumns
    }
    let straight = cost(pRows: m, qColumns: n, qTransposed: problem.bTransposed)
    let turned = cost(pRows: n, qColumns: m, qTransposed: !problem.aTransposed) + 4 * m * n
    swapped = turned < straight
    if swapped {
      (pRows, qColumns) = (n, m)
      (pRow, pStep) = problem.bTransposed ? (problem.bStride, 1) : (1, problem.bStride)
      (qStride, qTransposed) = (problem.aStride, !problem.aTransposed)
    } else {
      (pRows, qColumns) = (m, n)
      (pRow, pStep) = problem.aTransposed ? (1, problem.aStride) : (problem.aStride, 1)
      (qStride, qTransposed) = (problem.bStride, problem.bTransposed)
    }

    panels = (qColumns + panel - 1) / panel
    // Copying pays when many rows of `p` read it; the last panel must be full to be read as it is.
    packedFrom = qTransposed || pRows > 64 ? 0 : qColumns / panel
    phases = max(1, (k + Self.deepest - 1) / Self.deepest)
    phaseDepth = ((k + phases - 1) / phases + 7) & ~7
    packedFloats = (panels - packedFrom) * panel * min(phaseDepth, max(k, 1)).alignedToLine

    if pStep != 1 {
      preparation = .gather
    } else {
      preparation = pRow % 512 == 0 && k > 64 ? .pad : .none
    }
    switch preparation {
    case .none: preparedFloats = 0
    case .gather: preparedFloats = 16 * phaseDepth
    case .pad: preparedFloats = tileRows * Self.padded(phaseDepth)
    }

    // A block that is kept in scratch should stay in the L1 cache (chunk) or at least the L2 cache (group).
    blocks = (pRows + tileRows - 1) / tileRows
    let mostPanels = max(1, min(256 / panel, Self.chunkFloats / (max(phaseDepth, 1) * panel)))
    var chunks = (panels + mostPanels - 1) / mostPanels
    let mostBlocks = swapped ? 8 : 32
    var groups = (blocks + mostBlocks - 1) / mostBlocks
    // A dozen tasks share well among a few threads; one of less than about 2 µs does not pay.
    let tasks = min(16, max(1, problem.multiplyAdds >> 17))
    while groups * chunks < tasks, groups < blocks || chunks < panels {
      if groups < blocks, blocks / groups >= panels / chunks || chunks == panels {
        groups = min(blocks, groups * 2)
      } else {
        chunks = min(panels, chunks * 2)
      }
    }
    self.groups = groups
    self.chunks = chunks

    needsWholeResult = !problem.keepsResult && phases > 1
    let blockRows = swapped ? ((blocks + groups - 1) / groups) * tileRows : tileRows
    let blockColumns = ((panels + chunks - 1) / chunks) * panel
    let kept = !problem.keepsResult && phases == 1
    blockFloats = blockRows * blockColumns
    participantFloats = MatrixProductProblem.aligned(
      preparedFloats + (swapped ? blockFloats : 0) + (kept ? blockFloats : 0))
  }

  /// A row length that is an odd number of cache lines, so that rows do not compete for the same places.
  private static func padded(_ depth: Int) -> Int { (((depth + 15) / 16) | 1) * 16 }

  func run(_ call: MatrixProductCall) {
    for phase in 0..<phases {
      let steps = phase * phaseDepth..<min((phase + 1) * phaseDepth, problem.depth)
      pack(steps, call)
      call.parallel(groups * chunks) { task, own in
        compute(group: task / chunks, chunk: task % chunks, steps, phase: phase, call, own)
      }
    }
  }

  private func pack(_ steps: Range<Int>, _ call: MatrixProductCall) {
    let count = panels - packedFrom
    guard count > 0, !steps.isEmpty else { return }
    let panel = kernels.table.panel
    let source = swapped ? call.a : call.b
    // Steps of 256 at a time, so that few panels still make tasks for every thread.
    let pieces = (steps.count + 255) / 256
    let tasks = count * pieces
    func packPiece(_ task: Int) {
      let index = packedFrom + task / pieces
      let range = part(task % pieces, of: pieces, in: steps.count)
      let first = index * panel
      let width = min(panel, qColumns - first)
      let target = call.packed + ((index - packedFrom) * steps.count + range.lowerBound) * panel
      let step = steps.lowerBound + range.lowerBound
      if qTransposed {
        kernels.table.pack_transposed(range.count, width, source + first * qStride + step, qStride, target)
      } else {
        kernels.table.pack(range.count, width, source + step * qStride + first, qStride, target)
      }
    }
    if count * steps.count * panel < 1 << 13 {
      for task in 0..<tasks { packPiece(task) }
    } else {
      call.parallel(tasks) { task, _ in packPiece(task) }
    }
  }

  private func compute(
    group: Int, chunk: Int, _ steps: Range<Int>, phase: Int, _ call: MatrixProductCall,
    _ own: UnsafeMutablePointer<Float>
  ) {
    let panel = kernels.table.panel
    let groupBlocks = part(group, of: groups, in: blocks)
    let chunkPanels = part(chunk, of: chunks, in: panels)
    let firstRow = part(groupBlocks.lowerBound, of: blocks, in: pRows).lowerBound
    let endRow = part(groupBlocks.upperBound - 1, of: blocks, in: pRows).upperBound
    let firstColumn = chunkPanels.lowerBound * panel
    let width = min(chunkPanels.upperBound * panel, qColumns) - firstColumn
    let last = phase == phases - 1
    let beta = phase == 0 ? problem.beta : 1
    let prepared = own
    let turned = own + preparedFloats
    let kept = own + preparedFloats + (swapped ? blockFloats : 0)

    for block in groupBlocks {
      let rows = part(block, of: blocks, in: pRows)
      let p = prepare(rows, steps, call, prepared)
      if swapped {
        // One panel after the other, each `[rows of the group, panel]`.
        for index in chunkPanels {
          let offset = (index - chunkPanels.lowerBound) * (endRow - firstRow) + rows.lowerBound - firstRow
          multiply(
            p, rows.count, panels: index..<index + 1, steps, call, into: turned + offset * panel, rowStride: panel,
            beta: 0)
        }
      } else {
        let target: UnsafeMutablePointer<Float>
        let rowStride: Int
        if let c = call.c ?? (needsWholeResult ? call.result : nil) {
          target = c + rows.lowerBound * problem.cStride + firstColumn
          rowStride = problem.cStride
        } else {
          (target, rowStride) = (kept, width)
        }
        multiply(p, rows.count, panels: chunkPanels, steps, call, into: target, rowStride: rowStride, beta: beta)
        if last {
          call.finish(
            target, rowStride: rowStride, row: rows.lowerBound, column: firstColumn, rows: rows.count, columns: width)
        }
      }
    }
    guard swapped else { return }
    let count = endRow - firstRow
    for index in chunkPanels {
      let first = index * panel
      let lines = min(panel, qColumns - first)
      let source = turned + (index - chunkPanels.lowerBound) * count * panel
      let target: UnsafeMutablePointer<Float>
      let rowStride: Int
      if let c = call.c ?? (needsWholeResult ? call.result : nil) {
        target = c + first * problem.cStride + firstRow
        rowStride = problem.cStride
      } else {
        (target, rowStride) = (kept, count)
      }
      kernels.table.transpose(count, lines, source, panel, target, rowStride, beta)
      if last { call.finish(target, rowStride: rowStride, row: first, column: firstRow, rows: lines, columns: count) }
    }
  }

  private typealias Block = (start: UnsafePointer<Float>, row: Int, step: Int)

  private func prepare(
    _ rows: Range<Int>, _ steps: Range<Int>, _ call: MatrixProductCall, _ prepared: UnsafeMutablePointer<Float>
  ) -> Block {
    let source = (swapped ? call.b : call.a) + rows.lowerBound * pRow + steps.lowerBound * pStep
    switch preparation {
    case .none:
      return (source, pRow, pStep)
    case .gather:
      kernels.table.gather(steps.count, rows.count, source, pStep, prepared)
      return (UnsafePointer(prepared), 1, 16)
    case .pad:
      let stride = Self.padded(phaseDepth)
      for row in 0..<rows.count {
        (prepared + row * stride).update(from: source + row * pRow, count: steps.count)
      }
      return (UnsafePointer(prepared), stride, 1)
    }
  }

  private func multiply(
    _ p: Block, _ rows: Int, panels: Range<Int>, _ steps: Range<Int>, _ call: MatrixProductCall,
    into target: UnsafeMutablePointer<Float>, rowStride: Int, beta: Float
  ) {
    let panel = kernels.table.panel
    let end = min(panels.upperBound * panel, qColumns)
    let direct = panels.lowerBound..<max(panels.lowerBound, min(panels.upperBound, packedFrom))
    if !direct.isEmpty {
      let q = (swapped ? call.a : call.b) + steps.lowerBound * qStride + direct.lowerBound * panel
      kernels.table.block(
        rows, direct.count * panel, steps.count, p.start, p.row, p.step, q, panel, qStride, target, rowStride,
        problem.alpha, beta)
    }
    if direct.upperBound < panels.upperBound {
      let q = call.packed + (direct.upperBound - packedFrom) * panel * steps.count
      let done = (direct.upperBound - panels.lowerBound) * panel
      kernels.table.block(
        rows, end - direct.upperBound * panel, steps.count, p.start, p.row, p.step, UnsafePointer(q),
        panel * steps.count, panel, target + done, rowStride, problem.alpha, beta)
    }
  }
}

extension Int {
  /// The next multiple of 16.
  fileprivate var alignedToLine: Int { (self + 15) & ~15 }
}
