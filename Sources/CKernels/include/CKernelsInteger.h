// Products of matrices of 8-bit integers, and the quantisation of what goes into them.
#pragma once

#include <stdint.h>

/// The integer kernels of one instruction set.
///
/// A product `c[i, j] = Σ_k a[i, k] b[k, j]` takes `a` unsigned and `b` signed, and is exact in 32 bits. `b` comes in
/// panels of `panel` columns: of each four rows of it, the four numbers of a column lie side by side.
typedef struct rk_integer_kernels {
  /// The instruction set, for people.
  const char *name;
  /// Columns of a panel; rows that `block` takes at most.
  long panel, rows;

  /// Packs `source[depth, columns]` (rows `source_row` apart, at most `panel` columns) into one panel of
  /// `(depth + 3) / 4 * 4 * panel` bytes, what is missing as zeros. `flip` is 0, or 128 where the source is unsigned:
  /// 128 is then taken off each number. `sums[panel]` takes the sums of the columns as they were packed.
  void (*pack)(
      long depth, long columns, const uint8_t *source, long source_row, int flip, int8_t *panel, int32_t *sums);

  /// The product of some rows of `a` (`a_row` bytes apart) with `panels` packed panels, each `panel_stride` bytes from
  /// the one before, into `c` with rows `c_row` apart. `flip` is 0, or 128 where `a` is signed: it is added then.
  void (*block)(
      long rows, long panels, long depth, const uint8_t *a, long a_row, int flip, const int8_t *b, long panel_stride,
      int32_t *c, long c_row);
} rk_integer_kernels;

/// The fastest integer kernels of this processor.
const rk_integer_kernels *rk_integer_kernels_best(void);
/// The kernels for any processor.
const rk_integer_kernels *rk_integer_kernels_portable(void);
/// The kernels for AVX2; null where the processor lacks it.
const rk_integer_kernels *rk_integer_kernels_avx2(void);

/// `c[i, j] -= zero_a[i] sums[j] + zero_b[j] (rows_a[i] - depth zero_a[i])`: what the product is of the numbers less
/// their zero points, where `sums` are those of b's columns and `rows_a` those of a's rows. `zero_a` goes on by
/// `zero_step` from row to row: 1, or 0 for one that all share. `zero_b` and `rows_a` may be null: b's are then 0.
void rk_integer_correct(
    long rows, long columns, long depth, int32_t *c, long c_row, const int32_t *zero_a, long zero_step,
    const int32_t *sums, const int32_t *zero_b, const int32_t *rows_a);

/// `y[i, j] = scale scales[j] c[i, j] + bias[j]`. `bias` may be null.
void rk_integer_scale(
    long rows, long columns, const int32_t *c, long c_row, float scale, const float *scales, const float *bias,
    float *y, long y_row);

/// `y[i] = Σ_j x[i, j]` of bytes plus `flip`, which is as for `block`.
void rk_byte_row_sums(long rows, long columns, const uint8_t *x, long x_row, int flip, int32_t *y);

/// The smallest and the largest of some numbers and 0, NaN left out.
void rk_range(long count, const float *x, float *low, float *high);

/// `y[i] = clamp(round(x[i] / scale) + zero, 0, 255)`, halves to even; `zero` where the scale is 0.
void rk_quantize(long count, const float *x, float scale, int zero, uint8_t *y);
