// The kernels of the matrix product: register tiles, packing, and what is done to a finished block.
#pragma once

#include <stdint.h>

/// The matrix kernels of one instruction set.
///
/// A product `c = alpha * p·q + beta * c` reads `p` one number at a time and `q` in panels of `panel` columns.
/// `p` may have any strides. `q[k, j]` is at `q + j / panel * q_panel + k * q_step + j % panel`: a matrix as it is
/// (`q_panel = panel`, `q_step` = its row stride), or packed (`q_panel = panel * depth`, `q_step = panel`).
/// Every element of `c` is the sum over ascending `k`, multiply-add by multiply-add, wherever the blocks end.
typedef struct rk_matrix_kernels {
  /// The instruction set, for people.
  const char *name;
  /// Columns of a panel of `q`; the number of rows of `p` that `block` takes at most.
  long panel, rows;

  /// `c[rows, columns] = alpha * p[rows, depth]·q[depth, columns] + beta * c`; `c` is not read where `beta` is 0.
  /// The last panel's rows are read to a full vector's width: a matrix as it is needs `columns % panel == 0`.
  void (*block)(
      long rows, long columns, long depth, const float *p, long p_row, long p_step, const float *q, long q_panel,
      long q_step, float *c, long c_row, float alpha, float beta);

  /// Packs `source[depth, columns]` (rows `source_row` apart) into one panel, the columns up to `panel` with zeros.
  void (*pack)(long depth, long columns, const float *source, long source_row, float *panel);
  /// Packs the transpose of `source[columns, depth]` into one panel.
  void (*pack_transposed)(long depth, long columns, const float *source, long source_row, float *panel);

  /// Copies `source[depth, columns]` (rows `source_row` apart, at most `rows` columns) to rows of 16, to be read as `p`
  /// with `p_row = 1`, `p_step = 16`.
  void (*gather)(long depth, long columns, const float *source, long source_row, float *target);

  /// `target[columns, rows] = transpose(source[rows, columns]) + beta * target`.
  void (*transpose)(
      long rows, long columns, const float *source, long source_row, float *target, long target_row, float beta);

  /// `c[i * c_row + j * c_column] = alpha * dot(a[i, :], b[j, :]) + beta * c`, for few rows or few columns: nothing is
  /// packed, and each row of the longer matrix is read once for four of the other.
  void (*dots)(
      long rows, long columns, long depth, const float *a, long a_row, const float *b, long b_row, float *c,
      long c_row, long c_column, float alpha, float beta);
} rk_matrix_kernels;

/// The fastest kernels of this processor, or the portable ones where it has neither AVX-512 nor AVX2 with FMA.
const rk_matrix_kernels *rk_matrix_kernels_best(void);
/// The kernels for any processor.
const rk_matrix_kernels *rk_matrix_kernels_portable(void);
/// The kernels for AVX2 with FMA; null where the processor lacks them.
const rk_matrix_kernels *rk_matrix_kernels_avx2(void);

/// What is done with a block of a product when all of it is summed and still in the cache.
///
/// `c` is the block's first element, `c_row` its row stride, `row` and `column` say where in the product it lies;
/// the blocks of a product do not overlap and may come from several threads at once. In a batched product `row`
/// counts on over the batch: element `n`'s first row is `n * rows of one product`.
typedef void rk_epilogue(
    const void *context, float *c, long c_row, long row, long column, long rows, long columns);
