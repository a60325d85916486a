// Scaled dot-product attention as one node, which `Patterns` writes in the place of its standard ones, and its gradient.
//
// The scores of a head are made, used and forgotten a block of queries at a time: nothing as large as
// [batch, heads, queries, keys] ever reaches memory, and the gradient makes the weights anew from two numbers a row.

import CKernels
import ONNX
import Tensors

extension Operator {
  /// `Attention(q, k, v, bias?, ratio?, training_mode?)`: `y = dropout(softmax(scale · q·kᵀ + bias))·v` for each head.
  ///
  /// q is `[batch, queries, heads, width]`, k `[batch, keys, heads, width]` and v `[batch, keys, heads, value width]`
  /// (where `heads_first` has the bit 1, 2 or 4, as for y with 8, heads come before queries or keys); the bias is
  /// broadcast to `[batch, heads, queries, keys]`. `dropout` names the output of the `Dropout` that this one does.
  /// The second output, for the gradient, has the maximum and one over the sum of each row of scores.
  static let attention: [Operator] = [
    Operator(
      name: "Attention", domain: kernelDomain, arity: 3...6, memory: .random,
      multiplyAdds: { try? AttentionForm($0).multiplyAdds },
      infer: { inference in
        let form = try AttentionForm(inference)
        return [
          TensorSpec(.float, form.resultShape), TensorSpec(.float, [form.batch, form.heads, form.queries, 2]),
        ]
      },
      bind: { try AttentionKernel($0, inputs: 0).forward($0) },
      gradient: .rule { rule in
        guard (0...2).contains(where: rule.needs), let dy = rule.outputGradient() else { return }
        let statistics = rule.requestedOutput(1)
        let gradients = rule.emitAll(
          "AttentionGrad", domain: gradientDomain, [dy, rule.output(), statistics] + rule.node.inputs,
          rule.node.attributes, outputs: 3)
        for index in 0...2 where rule.needs(index) { rule.contribute(index, gradients[index]) }
      }),
    // (dy, y, statistics, then Attention's inputs) → dq, dk, dv
    Operator(
      name: "AttentionGrad", domain: gradientDomain, arity: 6...9, memory: .random,
      multiplyAdds: { try? AttentionForm($0, first: 3).multiplyAdds * 5 / 2 },
      infer: { inference in
        _ = try AttentionForm(inference, first: 3)
        return try (3...5).map(inference.spec)
      },
      bind: { try AttentionKernel($0, inputs: 3).backward($0) }),
  ]
}

/// The extents of an attention, and where its operands' numbers lie.
private struct AttentionForm {
  let batch, heads, queries, keys, width, valueWidth: Int
  let q, k, v, y: HeadLayout
  let resultShape: Shape
  let scale: Float

  /// How a tensor of four axes lies: floats between texts, heads and tokens; the width follows without gaps.
  struct HeadLayout {
    let text, head, token: Int
  }

  init(_ inference: Inference, first: Int = 0) throws {
    for index in first..<first + 3 { try inference.require(index, .float) }
    let layouts = inference.node.int("heads_first") ?? 0
    func axes(_ index: Int) throws -> (batch: Int, heads: Int, tokens: Int, width: Int) {
      let shape = try inference.shape(first + index)
      guard shape.rank == 4 else { throw inference.failure("input \(first + index), \(shape), must have four axes") }
      let headsFirst = layouts & 1 << index != 0
      return (shape[0], headsFirst ? shape[1] : shape[2], headsFirst ? shape[2] : shape[1], shape[3])
    }
    func layout(_ index: Int, _ tokens: Int, _ heads: Int, _ width: Int) -> HeadLayout {
      let headsFirst = layouts & 1 << index != 0
      return HeadLayout(
        text: tokens * heads * width, head: headsFirst ? tokens * width : width,
        token: headsFirst ? width : heads * width)
    }
    let (question, key, value) = (try axes(0), try axes(1), try axes(2))
    guard question.batch == key.batch, key.batch == value.batch, question.heads == key.heads,
      key.heads == value.heads, key.tokens == value.tokens, question.width == key.width
    else {
      throw inference.failure("queries, keys and values do not fit one another")
    }
    (batch, heads, queries, keys) = (question.batch, question.heads, question.tokens, key.tokens)
    (width, valueWidth) = (question.width, value.width)
    q = layout(0, queries, heads, width)
    k = layout(1, keys, heads, width)
    v = layout(2, keys, heads, valueWidth)
    y = layout(3, queries, heads, valueWidth)
    resultShape =
      layouts & 8 != 0 ? [batch, heads, queries, valueWidth] : [batch, queries, heads, valueWidth]
    scale = inference.node.float("scale") ?? 1
    let scores: Shape = [batch, heads, queries, keys]
    if inference.isPresent(first + 3) {
      try inference.require(first + 3, .float)
      let bias = try inference.shape(first + 3)
      guard bias.broadcast(with: scores) == scores else {
        throw inference.failure("a bias of \(bias) does not fit scores of \(scores)")
      }
    }
  }

  var multiplyAdds: Int { batch * heads * queries * keys * (width + valueWidth) }
}

/// The work of one head at a time, each head on one thread: no sum depends on the number of threads.
private struct AttentionKernel {
  private let form: AttentionForm
  private let q, k, v: UnsafeMutablePointer<Float>
  private let bias: UnsafeMutablePointer<Float>?
  private let biasStrides: [Int]
  private let dropout: DropoutDraw?
  private let kernels = MatrixKernels.best
  /// Rows of scores that are worked on at a time, and the floats between two of them.
  private let blockRows, scoreRow: Int

  /// Whole tiles of every instruction set; so many rows of 512 scores are half of an L2 cache of 256 KB.
  private static let mostRows = 56

  init(_ binding: Binding, inputs first: Int) throws {
    form = try AttentionForm(binding.inference, first: first)
    q = binding.input(first).floats
    k = binding.input(first + 1).floats
    v = binding.input(first + 2).floats
    let given = binding.optionalInput(first + 3)
    bias = given?.floats
    biasStrides =
      given?.shape.broadcastStrides(to: [form.batch, form.heads, form.queries, form.keys]) ?? [0, 0, 0, 0]
    dropout = try DropoutDraw(binding, ratio: first + 4)
    blockRows = max(1, min(Self.mostRows, form.queries))
    // An odd number of cache lines: columns of the block are read as well.
    scoreRow = (((form.keys + 15) / 16) | 1) * 16
  }

  // MARK: Forward

  func forward(_ binding: Binding) -> Kernel {
    let (form, pool) = (form, binding.pool)
    let (y, statistics) = (binding.output().floats, binding.optionalOutput(1)?.floats)
    let keyPanels = HeadPanels(kernels, depth: form.width, columns: form.keys)
    let valuePanels = HeadPanels(kernels, depth: form.keys, columns: form.valueWidth)
    var layout = ScratchLayout()
    let keyPlace = layout.add(floats: keyPanels.floats)
    let valuePlace = layout.add(floats: valuePanels.floats)
    let scorePlace = layout.add(floats: blockRows * scoreRow)
    let keepPlace = layout.add(bytes: dropout == nil ? 0 : blockRows * form.keys)
    let own = layout.byteCount
    binding.reserveScratch(own * pool.threadCount + 64)
    let count = binding.output().count
    guard form.keys > 0, form.width > 0 else { return { _ in y.update(repeating: 0, count: count) } }
    return { scratch in
      let base = scratch.alignedUp(toMultipleOf: 64)
      pool.parallel(form.batch * form.heads) { task, participant in
        let mine = base + participant * own
        let (text, head) = task.quotientAndRemainder(dividingBy: form.heads)
        keyPanels.packTransposed(k + start(form.k, text, head), row: form.k.token, into: mine.floats(keyPlace))
        valuePanels.pack(v + start(form.v, text, head), row: form.v.token, into: mine.floats(valuePlace))
        let scores = mine.floats(scorePlace)
        for first in stride(from: 0, to: form.queries, by: blockRows) {
          let rows = min(blockRows, form.queries - first)
          keyPanels.multiply(
            rows: rows, p: q + start(form.q, text, head) + first * form.q.token, pRow: form.q.token, pStep: 1,
            packed: mine.floats(keyPlace), into: scores, row: scoreRow, alpha: form.scale)
          let keep = keptPlaces(text, head, first, rows, mine + keepPlace)
          rk_attention_weights(
            rows, form.keys, scores, scoreRow, biasBlock(text, head, first), keep, dropout?.scale ?? 1,
            statistics.map { $0 + 2 * (task * form.queries + first) })
          valuePanels.multiply(
            rows: rows, p: scores, pRow: scoreRow, pStep: 1, packed: mine.floats(valuePlace),
            into: y + start(form.y, text, head) + first * form.y.token, row: form.y.token)
        }
      }
    }
  }

  private func start(_ layout: AttentionForm.HeadLayout, _ text: Int, _ head: Int) -> Int {
    text * layout.text + head * layout.head
  }

  private func biasBlock(_ text: Int, _ head: Int, _ row: Int) -> rk_score_bias {
    guard let bias else { return rk_score_bias(start: nil, row: 0, step: 0) }
    let offset = text * biasStrides[0] + head * biasStrides[1] + row * biasStrides[2]
    return rk_score_bias(start: bias + offset, row: biasStrides[2], step: biasStrides[3])
  }

  /// The dropout's mask for some rows of scores, drawn into `memory`.
  private func keptPlaces(
    _ text: Int, _ head: Int, _ row: Int, _ rows: Int, _ memory: UnsafeMutableRawPointer
  ) -> UnsafeMutablePointer<UInt8>? {
    guard let dropout else { return nil }
    let keep = memory.assumingMemoryBound(to: UInt8.self)
    let first = ((text * form.heads + head) * form.queries + row) * form.keys
    dropout.mask(first..<first + rows * form.keys, into: keep)
    return keep
  }

  // MARK: Backward

  /// With `w` the weights, `m` the dropout's factors and `s` the scores:
  /// `dv = (w m)ᵀ·dy`, `ds = w (m (dy·vᵀ) - dy·y)`, `dq = scale · ds·k`, `dk = scale · dsᵀ·q`.
  func backward(_ binding: Binding) -> Kernel {
    let (form, pool) = (form, binding.pool)
    let (dy, y, statistics) = (binding.input(0).floats, binding.input(1).floats, binding.input(2).floats)
    let (dq, dk, dv) = (
      binding.optionalOutput(0)?.floats, binding.optionalOutput(1)?.floats, binding.optionalOutput(2)?.floats
    )
    let keysAcross = HeadPanels(kernels, depth: form.width, columns: form.keys)
    let valuesAcross = HeadPanels(kernels, depth: form.valueWidth, columns: form.keys)
    let keys = HeadPanels(kernels, depth: form.keys, columns: form.width)
    var layout = ScratchLayout()
    let keysAcrossPlace = layout.add(floats: keysAcross.floats)
    let valuesAcrossPlace = layout.add(floats: valuesAcross.floats)
    let keysPlace = layout.add(floats: keys.floats)
    let rowPlace = layout.add(
      floats: max(
        HeadPanels(kernels, depth: blockRows, columns: form.width).floats,
        HeadPanels(kernels, depth: blockRows, columns: form.valueWidth).floats))
    let scorePlace = layout.add(floats: blockRows * scoreRow)
    let gradientPlace = layout.add(floats: blockRows * scoreRow)
    let deltaPlace = layout.add(floats: blockRows)
    let keepPlace = layout.add(bytes: dropout == nil ? 0 : blockRows * form.keys)
    let own = layout.byteCount
    binding.reserveScratch(own * pool.threadCount + 64)
    guard form.keys > 0, form.queries > 0, form.width > 0, form.valueWidth > 0 else {
      let outputs = (0...2).compactMap(binding.optionalOutput)
      return { _ in for output in outputs { output.floats.update(repeating: 0, count: output.count) } }
    }
    return { scratch in
      let base = scratch.alignedUp(toMultipleOf: 64)
      pool.parallel(form.batch * form.heads) { task, participant in
        let mine = base + participant * own
        let (text, head) = task.quotientAndRemainder(dividingBy: form.heads)
        let (qStart, yStart) = (start(form.q, text, head), start(form.y, text, head))
        let (kStart, vStart) = (start(form.k, text, head), start(form.v, text, head))
        keysAcross.packTransposed(k + kStart, row: form.k.token, into: mine.floats(keysAcrossPlace))
        valuesAcross.packTransposed(v + vStart, row: form.v.token, into: mine.floats(valuesAcrossPlace))
        keys.pack(k + kStart, row: form.k.token, into: mine.floats(keysPlace))
        let (scores, gradient, delta) = (
          mine.floats(scorePlace), mine.floats(gradientPlace), mine.floats(deltaPlace)
        )
        for first in stride(from: 0, to: form.queries, by: blockRows) {
          let rows = min(blockRows, form.queries - first)
          let (qRows, yRows) = (qStart + first * form.q.token, yStart + first * form.y.token)
          keysAcross.multiply(
            rows: rows, p: q + qRows, pRow: form.q.token, pStep: 1, packed: mine.floats(keysAcrossPlace),
            into: scores, row: scoreRow, alpha: form.scale)
          valuesAcross.multiply(
            rows: rows, p: dy + yRows, pRow: form.y.token, pStep: 1, packed: mine.floats(valuesAcrossPlace),
            into: gradient, row: scoreRow)
          rk_row_dots(rows, form.valueWidth, dy + yRows, form.y.token, y + yRows, form.y.token, delta)
          let keep = keptPlaces(text, head, first, rows, mine + keepPlace)
          rk_attention_weights_gradient(
            rows, form.keys, scores, gradient, scoreRow, biasBlock(text, head, first), keep, dropout?.scale ?? 1,
            statistics + 2 * (task * form.queries + first), delta)
          if let dq {
            keys.multiply(
              rows: rows, p: gradient, pRow: scoreRow, pStep: 1, packed: mine.floats(keysPlace), into: dq + qRows,
              row: form.q.token, alpha: form.scale)
          }
          let beta: Float = first == 0 ? 0 : 1
          if let dv {
            let panels = HeadPanels(kernels, depth: rows, columns: form.valueWidth)
            panels.pack(dy + yRows, row: form.y.token, into: mine.floats(rowPlace))
            panels.multiply(
              rows: form.keys, p: scores, pRow: 1, pStep: scoreRow, packed: mine.floats(rowPlace),
              into: dv + vStart, row: form.v.token, beta: beta)
          }
          if let dk {
            let panels = HeadPanels(kernels, depth: rows, columns: form.width)
            panels.pack(q + qRows, row: form.q.token, into: mine.floats(rowPlace))
            panels.multiply(
              rows: form.keys, p: gradient, pRow: 1, pStep: scoreRow, packed: mine.floats(rowPlace),
              into: dk + kStart, row: form.k.token, alpha: form.scale, beta: beta)
          }
        }
      }
    }
  }
}

/// A small matrix in panels, to be multiplied from the left on the calling thread.
private struct HeadPanels {
  private let kernels: rk_matrix_kernels
  let depth, columns: Int

  init(_ kernels: MatrixKernels, depth: Int, columns: Int) {
    self.kernels = kernels.table
    self.depth = depth
    self.columns = columns
  }

  private var panels: Int { (columns + kernels.panel - 1) / kernels.panel }
  var floats: Int { panels * kernels.panel * depth }

  /// Packs `source[depth, columns]`, its rows `row` floats apart.
  func pack(_ source: UnsafePointer<Float>, row: Int, into target: UnsafeMutablePointer<Float>) {
    for index in 0..<panels {
      let first = index * kernels.panel
      kernels.pack(depth, min(kernels.panel, columns - first), source + first, row, target + first * depth)
    }
  }

  /// Packs the transpose of `source[columns, depth]`.
  func packTransposed(_ source: UnsafePointer<Float>, row: Int, into target: UnsafeMutablePointer<Float>) {
    for index in 0..<panels {
      let first = index * kernels.panel
      kernels.pack_transposed(
        depth, min(kernels.panel, columns - first), source + first * row, row, target + first * depth)
    }
  }

  /// `c = alpha · p·q + beta · c` with `p[rows, depth]` at the given strides and `q` as it was packed.
  func multiply(
    rows: Int, p: UnsafePointer<Float>, pRow: Int, pStep: Int, packed: UnsafePointer<Float>,
    into c: UnsafeMutablePointer<Float>, row: Int, alpha: Float = 1, beta: Float = 0
  ) {
    let blocks = (rows + kernels.rows - 1) / kernels.rows
    for index in 0..<blocks {
      let range = part(index, of: blocks, in: rows)
      kernels.block(
        range.count, columns, depth, p + range.lowerBound * pRow, pRow, pStep, packed, kernels.panel * depth,
        kernels.panel, c + range.lowerBound * row, row, alpha, beta)
    }
  }
}

/// Several arrays in one piece of scratch, each from a whole cache line on.
private struct ScratchLayout {
  private(set) var byteCount = 0

  mutating func add(bytes: Int) -> Int {
    defer { byteCount += (bytes + 63) / 64 * 64 }
    return byteCount
  }

  mutating func add(floats: Int) -> Int { add(bytes: floats * 4) }
}

extension UnsafeMutableRawPointer {
  fileprivate func floats(_ offset: Int) -> UnsafeMutablePointer<Float> {
    (self + offset).assumingMemoryBound(to: Float.self)
  }
}
