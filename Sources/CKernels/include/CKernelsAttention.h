// The rows of scaled dot-product attention, between its products.
#pragma once

#include <stdint.h>

/// Numbers added to a block of scores: element `[i, j]` gets `start[i * row + j * step]`. A null start adds nothing.
typedef struct rk_score_bias {
  const float *start;
  long row, step;
} rk_score_bias;

/// Scores become weights, in place: `w[i, :] = softmax(s[i, :] + bias)`, `s` with rows `s_row` apart.
///
/// `statistics[2 i]` takes the row's maximum and `statistics[2 i + 1]` one over the sum of `e^(s - maximum)`: with them
/// the gradient makes the weights anew. It may be null. Where `keep` (`[rows, columns]`, a byte for each) is given,
/// the weights then pass a dropout: `w = keep ? w scale : 0`.
void rk_attention_weights(
    long rows, long columns, float *s, long s_row, rk_score_bias bias, const uint8_t *keep, float scale,
    float *statistics);

/// The gradient at the scores. `s` holds the scores and takes the weights after the dropout; `dw` holds the gradient of
/// those and takes that of the scores, `w (keep ? dw scale : 0 - delta_i)` with the weights `w` before the dropout and
/// `delta_i = dy_i · y_i`, what the row's output and its gradient have in common.
void rk_attention_weights_gradient(
    long rows, long columns, float *s, float *dw, long row, rk_score_bias bias, const uint8_t *keep, float scale,
    const float *statistics, const float *delta);

/// `y[i] = Σ_j a[i, j] b[i, j]` with rows `a_row` and `b_row` apart.
void rk_row_dots(long rows, long columns, const float *a, long a_row, const float *b, long b_row, float *y);
