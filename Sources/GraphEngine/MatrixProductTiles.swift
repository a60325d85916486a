// A product by register tiles: which matrix is packed, in which order the blocks go, and their run.

import CKernels

/// The plan of one matrix product by tiles.
///
/// With `p` of `pRows` rows and `q` of `qColumns` columns, the product is cut into groups of rows of `p` and chunks of
/// panels of `q`, and the depth into steps that are summed in registers. The part of a chunk that belongs to a step
/// stays in the L2 cache while a group's blocks of rows (as many as a tile has) pass over it, and so does what they
/// sum; a block's own part of `p` stays in the L1 cache.
struct MatrixProductTiles: Sendable {
  private let problem: MatrixProductProblem
  private let kernels: MatrixKernels
  /// The transposed product is computed: `p` is `op(b)` transposed, `q` is `op(a)` transposed.
  private let swapped: Bool
  private let pRows, qColumns: Int
  private let pRow, pStep, qStride: Int
  private let qTransposed: Bool
  private let panels, packedFrom: Int
  /// A phase packs and multiplies all of `q` for a part of the depth; a step is what one tile sums at a time.
  private let phases, phaseDepth, stepDepth: Int
  private let preparation: Preparation
  private let blocks, groups, chunks: Int
  private let blockFloats, preparedFloats: Int

  let packedFloats, participantFloats: Int
  /// Floats of all panels of `b`, where they may come packed.
  let prepackedFloats: Int?
  let needsWholeResult: Bool

  /// What happens to a block of rows of `p` before it is read.
  private enum Preparation {
    case none
    /// Its numbers of one step lie side by side, the steps far apart: gathered.
    case gather
    /// Its rows are a multiple of half a page apart and would push one another out of the L1 cache: copied, padded.
    case pad
  }

  /// The depth for which all of `q` is packed at a time: bounds the scratch.
  private static let deepestPhase = 2048
  /// Of 14 rows of `p`, this much is 28 KB: most of a 32 KB L1 cache.
  private static let deepestStep = 512
  /// Floats of `q` that a chunk has for a step: half of a 1 MB L2 cache.
  private static let chunkFloats = 1 << 17

  /// - Parameter prepacks: `b` may come packed, so it is the side that is packed.
  init(_ problem: MatrixProductProblem, kernels: MatrixKernels, prepacks: Bool = false) {
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
    let isPrepacked = prepacks && k <= Self.deepestPhase
    swapped = turned < straight && !isPrepacked
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
    packedFrom = qTransposed || pRows > 64 || isPrepacked ? 0 : qColumns / panel
    phases = max(1, (k + Self.deepestPhase - 1) / Self.deepestPhase)
    phaseDepth = ((k + phases - 1) / phases + 7) & ~7
    let steps = max(1, (phaseDepth + Self.deepestStep - 1) / Self.deepestStep)
    stepDepth = max(8, ((phaseDepth + steps - 1) / steps + 7) & ~7)
    packedFloats = MatrixProductProblem.aligned((panels - packedFrom) * panel * phaseDepth)
    prepackedFloats = isPrepacked ? packedFloats : nil

    if pStep != 1 {
      preparation = .gather
    } else {
      preparation = pRow % 512 == 0 && k > 64 ? .pad : .none
    }
    switch preparation {
    case .none: preparedFloats = 0
    case .gather: preparedFloats = 16 * stepDepth
    case .pad: preparedFloats = tileRows * Self.padded(stepDepth)
    }

    let mostPanels = max(1, min((problem.keepsResult ? 256 : 512) / panel, Self.chunkFloats / (stepDepth * panel)))
    chunks = (panels + mostPanels - 1) / mostPanels
    // Tasks of the same size share best among threads: groups of equally many blocks, a multiple of four of them
    // where that leaves each of them 2 µs of work.
    let fullBlocks = max(1, (pRows + tileRows - 1) / tileRows)
    let mostBlocks = swapped ? 8 : steps > 1 ? 16 : 32
    let worthwhile = max(1, problem.multiplyAdds / (chunks << 17))
    var groups = max((fullBlocks + mostBlocks - 1) / mostBlocks, min((16 + chunks - 1) / chunks, worthwhile))
    groups = min(groups, fullBlocks)
    if groups > 1 {
      let rounding = groups >= 3 && fullBlocks >= 4 ? 4 : 2
      groups = (groups + rounding - 1) / rounding * rounding
    }
    self.groups = groups
    blocks = min((fullBlocks + groups - 1) / groups * groups, max(pRows, groups))

    needsWholeResult = !problem.keepsResult && phases > 1
    let blockRows = swapped || steps > 1 ? ((blocks + groups - 1) / groups) * tileRows : tileRows
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
      let depth = phase * phaseDepth..<max(phase * phaseDepth, min((phase + 1) * phaseDepth, problem.depth))
      if call.prepacked == nil { pack(depth, call) }
      call.parallel(groups * chunks) { task, own in
        compute(group: task / chunks, chunk: task % chunks, depth, phase: phase, call, own)
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
      let range = part(task % pieces, of: pieces, in: steps.count)
      packPanel(
        packedFrom + task / pieces, of: source,
        steps.lowerBound + range.lowerBound..<steps.lowerBound + range.upperBound,
        from: steps.lowerBound, depth: steps.count, into: call.packed)
    }
    if count * steps.count * panel < 1 << 13 {
      for task in 0..<tasks { packPiece(task) }
    } else {
      call.parallel(tasks) { task, _ in packPiece(task) }
    }
  }

  /// Packs some steps of a panel to their place among all packed panels, whose depth starts at step `first`.
  private func packPanel(
    _ index: Int, of source: UnsafePointer<Float>, _ steps: Range<Int>, from first: Int, depth: Int,
    into packed: UnsafeMutablePointer<Float>
  ) {
    let panel = kernels.table.panel
    let column = index * panel
    let width = min(panel, qColumns - column)
    let target = packed + ((index - packedFrom) * depth + steps.lowerBound - first) * panel
    if qTransposed {
      kernels.table.pack_transposed(
        steps.count, width, source + column * qStride + steps.lowerBound, qStride, target)
    } else {
      kernels.table.pack(steps.count, width, source + steps.lowerBound * qStride + column, qStride, target)
    }
  }

  /// Packs all of `b`, for `MatrixProductCall.prepacked`.
  func prepack(_ b: UnsafePointer<Float>, into packed: UnsafeMutablePointer<Float>) {
    for index in 0..<panels {
      packPanel(index, of: b, 0..<problem.depth, from: 0, depth: problem.depth, into: packed)
    }
  }

  private func compute(
    group: Int, chunk: Int, _ depth: Range<Int>, phase: Int, _ call: MatrixProductCall,
    _ own: UnsafeMutablePointer<Float>
  ) {
    let panel = kernels.table.panel
    let groupBlocks = part(group, of: groups, in: blocks)
    let chunkPanels = part(chunk, of: chunks, in: panels)
    let firstRow = part(groupBlocks.lowerBound, of: blocks, in: pRows).lowerBound
    let endRow = part(groupBlocks.upperBound - 1, of: blocks, in: pRows).upperBound
    let count = endRow - firstRow
    let firstColumn = chunkPanels.lowerBound * panel
    let width = min(chunkPanels.upperBound * panel, qColumns) - firstColumn
    let lastPhase = phase == phases - 1
    let prepared = own
    let turned = own + preparedFloats
    let kept = own + preparedFloats + (swapped ? blockFloats : 0)
    let result = call.c ?? (needsWholeResult ? call.result : nil)

    var start = depth.lowerBound
    repeat {
      let steps = start..<min(start + stepDepth, depth.upperBound)
      let first = start == depth.lowerBound
      start = steps.upperBound
      let last = start == depth.upperBound
      for block in groupBlocks {
        let rows = part(block, of: blocks, in: pRows)
        if rows.isEmpty { continue }
        let p = prepare(rows, steps, call, prepared)
        if swapped {
          // One panel after the other, each `[rows of the group, panel]`.
          for index in chunkPanels {
            let offset = (index - chunkPanels.lowerBound) * count + rows.lowerBound - firstRow
            multiply(
              p, rows.count, panels: index..<index + 1, steps, depth, call, into: turned + offset * panel,
              rowStride: panel, beta: first ? 0 : 1)
          }
          continue
        }
        let target: UnsafeMutablePointer<Float>
        let rowStride: Int
        if let result {
          target = result + rows.lowerBound * problem.cStride + firstColumn
          rowStride = problem.cStride
        } else {
          target = stepDepth < depth.count ? kept + (rows.lowerBound - firstRow) * width : kept
          rowStride = width
        }
        let beta = first && phase == 0 ? problem.beta : first && result == nil ? 0 : 1
        multiply(
          p, rows.count, panels: chunkPanels, steps, depth, call, into: target, rowStride: rowStride, beta: beta)
        if last && lastPhase {
          call.finish(
            target, rowStride: rowStride, row: rows.lowerBound, column: firstColumn, rows: rows.count, columns: width)
        }
      }
    } while start < depth.upperBound
    guard swapped else { return }
    for index in chunkPanels {
      let first = index * panel
      let lines = min(panel, qColumns - first)
      let source = turned + (index - chunkPanels.lowerBound) * count * panel
      let target: UnsafeMutablePointer<Float>
      let rowStride: Int
      if let result {
        target = result + first * problem.cStride + firstRow
        rowStride = problem.cStride
      } else {
        (target, rowStride) = (kept, count)
      }
      kernels.table.transpose(count, lines, source, panel, target, rowStride, phase == 0 ? problem.beta : 1)
      if lastPhase {
        call.finish(target, rowStride: rowStride, row: first, column: firstRow, rows: lines, columns: count)
      }
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
      let stride = Self.padded(stepDepth)
      for row in 0..<rows.count {
        (prepared + row * stride).update(from: source + row * pRow, count: steps.count)
      }
      return (UnsafePointer(prepared), stride, 1)
    }
  }

  private func multiply(
    _ p: Block, _ rows: Int, panels: Range<Int>, _ steps: Range<Int>, _ depth: Range<Int>, _ call: MatrixProductCall,
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
      let first = (direct.upperBound - packedFrom) * depth.count + steps.lowerBound - depth.lowerBound
      let done = (direct.upperBound - panels.lowerBound) * panel
      kernels.table.block(
        rows, end - direct.upperBound * panel, steps.count, p.start, p.row, p.step,
        (call.prepacked ?? UnsafePointer(call.packed)) + first * panel, panel * depth.count, panel, target + done,
        rowStride,
        problem.alpha, beta)
    }
  }
}
