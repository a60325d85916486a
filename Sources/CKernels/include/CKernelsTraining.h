// Dropout, rows of tables, and the optimizers' updates.
#pragma once

#include <stdint.h>

/// Numbers in [0, 1) with 24 random bits: number `first + i` of the stream that `seed` and `stream` name.
///
/// All random numbers here come from Philox 4x32 with 10 rounds (Salmon et al., 2011): number `n` depends on `n`, the
/// seed and the stream alone, so any part of a stream can be drawn by any thread.
void rk_uniform(long count, uint64_t seed, uint64_t stream, uint64_t first, float *y);

/// Dropout: `mask[i]` = 1 with probability `1 - ratio`, `y[i] = mask[i] x[i] / (1 - ratio)`; the random number of
/// element `i` is number `first + i` of the stream. `mask` may be null. In place if `y == x`. `0 <= ratio < 1`.
void rk_dropout(
    long count, float ratio, uint64_t seed, uint64_t stream, uint64_t first, const float *x, float *y, uint8_t *mask);

/// The mask of that dropout alone.
void rk_dropout_mask(
    long count, float ratio, uint64_t seed, uint64_t stream, uint64_t first, uint8_t *mask);

/// `dx[i] = mask[i] dy[i] scale`, with `scale = 1 / (1 - ratio)`. In place if `dx == dy`.
void rk_dropout_gradient(long count, float scale, const float *dy, const uint8_t *mask, float *dx);

/// `y[i, :] = table[indices[i], :]`, the table's rows `table_row` apart, `y` without gaps. The indices are in range.
void rk_gather_rows(
    long count, const int64_t *indices, long columns, const float *table, long table_row, float *y);

/// `table[indices[i], :] += rows[i, :]` in ascending `i`. The indices are in range and may repeat, so threads share
/// the columns (offset `table` and `rows`), not the rows.
void rk_scatter_add_rows(
    long count, const int64_t *indices, long columns, const float *rows, long rows_row, float *table, long table_row);

/// `y[j, i] = x[i, j]`.
void rk_transpose(long rows, long columns, const float *x, long x_row, float *y, long y_row);

/// `y[i * y_row + j] = x[i * x_row + j * x_column]`.
void rk_copy_strided(long rows, long columns, const float *x, long x_row, long x_column, float *y, long y_row);

/// The numbers of one step of Adam, as PyTorch's `torch.optim.Adam` and `AdamW` compute it:
///
///     g = gradient_scale * gradient + coupled_decay * p     (Adam's weight_decay; 0 for AdamW)
///     p = retention * p                                     (AdamW: 1 - rate * weight_decay; 1 for Adam)
///     m = beta1 m + (1 - beta1) g
///     v = beta2 v + (1 - beta2) g²
///     p = p - step_size * m / (√v * root_scale + epsilon)
///
/// with `step_size = rate / (1 - beta1^t)` and `root_scale = 1 / √(1 - beta2^t)` at step `t`, counted from 1.
typedef struct rk_adam {
  float gradient_scale, coupled_decay, retention, beta1, beta2, step_size, root_scale, epsilon;
} rk_adam;

/// Adam's step on `count` parameters `p` with their first and second moments `m` and `v`.
void rk_adam_update(const rk_adam *step, long count, const float *gradient, float *p, float *m, float *v);

/// Adam's step on the rows `indices[i]` of a table, `gradient` having a row without gaps for each. No index repeats.
void rk_adam_update_rows(
    const rk_adam *step, long count, const int64_t *indices, long columns, const float *gradient, float *p, float *m,
    float *v);

/// The numbers of one step of stochastic gradient descent, as PyTorch's `torch.optim.SGD` (dampening 0):
///
///     g = gradient_scale * gradient + decay * p
///     b = momentum * b + g
///     p = p - rate * (nesterov ? g + momentum * b : b)
typedef struct rk_sgd {
  float gradient_scale, decay, momentum, rate;
  int nesterov;
} rk_sgd;

/// The step on `count` parameters `p` with their momentum `b`, which is null (and not needed) where `momentum` is 0.
void rk_sgd_update(const rk_sgd *step, long count, const float *gradient, float *p, float *b);

/// The step on the rows `indices[i]` of a table, `gradient` having a row without gaps for each. No index repeats.
void rk_sgd_update_rows(
    const rk_sgd *step, long count, const int64_t *indices, long columns, const float *gradient, float *p, float *b);
