// Sums of embeddings as one node, which `Patterns` writes in the place of a Gather and a ReduceSum.
//
// The gathered rows never reach memory, forward or back: the gradient has one row for each sum, shared by its indices.

import CKernels
import ONNX
import Tensors

extension Operator {
  /// `EmbeddingSum(table, indices)`: `y[…, :] = Σⱼ table[indices[…, j], :]`, with a table `[rows, width]` and indices
  /// `[…, count]`.
  static let embeddingSums: [Operator] = [
    Operator(
      name: "EmbeddingSum", domain: kernelDomain, arity: 2...2,
      infer: { inference in
        try inference.require(0, .float)
        try inference.requireIndices(1)
        let (table, indices) = (try inference.shape(0), try inference.shape(1))
        guard table.rank == 2, indices.rank > 0 else {
          throw inference.failure("sums of rows take a table with two axes and indices with at least one")
        }
        try inference.requireElements(of: table, axis: 0, for: indices)
        return [TensorSpec(.float, Shape(indices.dropLast() + [table[1]]))]
      },
      bind: { binding in
        let (table, output, pool) = (binding.input(0), binding.output(), binding.pool)
        let (height, width) = (table.shape[0], table.shape[1])
        let indices = Indices(binding, 1)
        let count = binding.input(1).shape[binding.input(1).shape.rank - 1]
        let sums = width == 0 ? 0 : output.count / width
        return { _ in
          pool.parallel(rows: sums, work: (count + 1) * width / 2) { rows in
            for row in rows {
              let target = output.floats + row * width
              rk_fill(width, 0, target)
              let end = (row + 1) * count
              var place = row * count
              while place < end {
                // What pads shorter lists is one index over and over: it costs one row.
                let index = indices.resolved(place, extent: height)
                var next = place + 1
                while next < end, indices.given(next) == indices.given(place) { next += 1 }
                rk_accumulate(width, Float(next - place), table.floats + index * width, target)
                place = next
              }
            }
          }
        }
      },
      gradient: .rule { rule in
        guard rule.needs(0), let dy = rule.outputGradient() else { return }
        let wide = rule.emit("Cast", [rule.input(1)], [Attribute("to", .int(Int64(ElementType.int64.rawValue)))])
        rule.contributeRows(
          0, indices: rule.emit("Reshape", [wide, rule.constant(Tensor([Int64(-1)]))]),
          rows: rule.emitInternal("RowsLike", [dy, rule.input(0)]), isShared: true)
      })
  ]
}
