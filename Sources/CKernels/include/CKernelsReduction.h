// Reductions, softmax and layer normalisation. Every sum has one order, whoever computes which rows or columns.
#pragma once

#include <stdint.h>

/// `y[i] = scale * Σ_j x[i, j]` over `[rows, columns]` with rows `x_row` apart (a mean with `scale = 1 / columns`).
void rk_row_sums(long rows, long columns, const float *x, long x_row, float scale, float *y);

/// `y[i] = max_j x[i, j]`, NaN if one of them is; -infinity over no columns.
void rk_row_maxima(long rows, long columns, const float *x, long x_row, float *y);

/// `y[i]` = the first `j` with the largest `x[i, j]`; the first NaN, if there is one. `columns > 0`.
void rk_row_argmax(long rows, long columns, const float *x, long x_row, int64_t *y);

/// `y[j] = scale * Σ_i x[i, j] + (accumulates ? y[j] : 0)` over `[rows, columns]` with rows `x_row` apart: the gradient
/// of a bias. Threads share the columns.
void rk_column_sums(long rows, long columns, const float *x, long x_row, float scale, int accumulates, float *y);

/// `y[j] = max_i x[i, j]`, NaN if one of them is; -infinity over no rows.
void rk_column_maxima(long rows, long columns, const float *x, long x_row, float *y);

/// `Σ a[i] b[i]`. Threads must cut the arrays at places that do not depend on their number, and add in order.
float rk_dot(long count, const float *a, const float *b);

/// `Σ x[i]²` in double precision, for clipping gradients by their norm. Cut it as `rk_dot`.
double rk_sum_of_squares(long count, const float *x);

/// Whether every `x[i]` is a finite number.
int rk_all_finite(long count, const float *x);

/// `y[i, :] = softmax(x[i, :])` over `[rows, columns]` without gaps. In place if `y == x`.
void rk_softmax(long rows, long columns, const float *x, float *y);

/// `dx[i, :] = y[i, :] (dy[i, :] - Σ_j dy[i, j] y[i, j])`. In place if `dx == dy`.
void rk_softmax_gradient(long rows, long columns, const float *dy, const float *y, float *dx);

/// `y[i, :] = x[i, :] - log Σ_j e^x[i, j]`. In place if `y == x`.
void rk_log_softmax(long rows, long columns, const float *x, float *y);

/// `dx[i, :] = dy[i, :] - e^y[i, :] Σ_j dy[i, j]`. In place if `dx == dy`.
void rk_log_softmax_gradient(long rows, long columns, const float *dy, const float *y, float *dx);

/// `y[i, j] = (x[i, j] - mean_i) inverse_deviation_i gamma[j] + beta[j]` with
/// `inverse_deviation_i = 1 / √(variance_i + epsilon)`. `beta` may be null, and so may `mean` and
/// `inverse_deviation` (`[rows]`, for the gradient). In place if `y == x`.
void rk_layer_normalization(
    long rows, long columns, const float *x, const float *gamma, const float *beta, float epsilon, float *y,
    float *mean, float *inverse_deviation);

/// The gradient of the input: with `n = (x - mean) inverse_deviation` and `g = dy gamma`,
/// `dx = inverse_deviation (g - mean_j(g) - n mean_j(g n))`. In place if `dx == dy`.
void rk_layer_normalization_gradient(
    long rows, long columns, const float *dy, const float *x, const float *gamma, const float *mean,
    const float *inverse_deviation, float *dx);

/// The gradients of the parameters, for `columns` of the matrices' columns (rows `row_stride` apart):
/// `dgamma[j] = Σ_i dy[i, j] n[i, j]`, `dbeta[j] = Σ_i dy[i, j]`. Either may be null. Threads share the columns.
void rk_layer_normalization_parameters_gradient(
    long rows, long columns, const float *dy, const float *x, long row_stride, const float *mean,
    const float *inverse_deviation, float *dgamma, float *dbeta);
