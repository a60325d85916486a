// Loops over elements: functions of one array, their gradients, operations of two, comparisons, selection.
#pragma once

#include <stdint.h>

/// `y = f(x)` for each element. `p` and `q` are the function's parameters. Within 4 units in the last place of the
/// exact value; infinities and NaN as IEEE 754 asks.
typedef enum rk_function {
  rk_identity,
  rk_negative,      ///< -x
  rk_absolute,      ///< |x|
  rk_square_root,   ///< √x
  rk_exponential,   ///< e^x
  rk_logarithm,     ///< the natural logarithm
  rk_erf,           ///< the error function
  rk_tanh,
  rk_sigmoid,       ///< 1 / (1 + e^-x)
  rk_softplus,      ///< log(1 + e^x)
  rk_relu,          ///< max(x, 0), NaN for NaN
  rk_leaky_relu,    ///< x where x > 0, else p·x
  rk_gelu,          ///< x Φ(x)
  rk_gelu_tanh,     ///< x/2 (1 + tanh(√(2/π) (x + 0.044715 x³)))
  rk_clip,          ///< min(max(x, p), q)
  rk_reciprocal,    ///< 1 / x
  rk_scale,         ///< p·x + q
} rk_function;

/// Whether a function's gradient is taken from its input, its output or neither.
typedef enum rk_gradient_source { rk_from_neither, rk_from_input, rk_from_output } rk_gradient_source;

/// `y[i] = f(x[i])`. In place if `y == x`.
void rk_apply(rk_function f, long count, const float *x, float *y, float p, float q);

/// `y = ((x is NaN ? mean : x) - mean) / deviation` for `rows` of `columns`. Rows of x are `x_row` apart; along a row x
/// goes on by `x_step`, mean and deviation by `step`: 1, or 0 for one number that all columns share. In place if
/// `y == x`.
void rk_standardize(
    long rows, long columns, const float *x, long x_row, long x_step, const float *mean, const float *deviation,
    long step, float *y);

/// What `rk_apply_gradient` reads beside `dy`: the input of `f` (absolute, logarithm, erf, softplus, leaky relu, gelu,
/// gelu tanh, clip), its output (square root, exponential, tanh, sigmoid, relu, reciprocal) or nothing.
rk_gradient_source rk_gradient_reads(rk_function f);

/// `dx[i] = dy[i] f'(x[i])`, where `source` is what `rk_gradient_reads` says. The gradient of `|x|` at 0 is 0; the
/// clip's is 1 on both bounds. In place if `dx == dy` or `dx == source`.
void rk_apply_gradient(
    rk_function f, long count, const float *dy, const float *source, float *dx, float p, float q);

/// An operation of two numbers. `rk_minimum` and `rk_maximum` are NaN if one of the two is.
typedef enum rk_operation {
  rk_add,
  rk_subtract,
  rk_multiply,
  rk_divide,
  rk_minimum,
  rk_maximum,
  rk_power,
} rk_operation;

/// How an operand lies over a loop of `[rows, columns]`: element `[i, j]` is `start[i * row]` if it is `spread` along
/// the columns, else `start[i * row + j]`. So a scalar is `{s, 0, 1}`, a row `[columns]` is `{r, 0, 0}`, a column
/// `[rows]` is `{c, 1, 1}`, a matrix is `{m, columns, 0}`.
typedef struct rk_operand {
  const float *start;
  long row;
  int spread;
} rk_operand;

/// `c[i, j] = a[i, j] op b[i, j]` with `c` of `[rows, columns]` without gaps. In place if `c` lies as `a` or `b`.
void rk_combine(rk_operation op, long rows, long columns, rk_operand a, rk_operand b, float *c);

/// A comparison of two numbers; false where one is NaN.
typedef enum rk_comparison { rk_equal, rk_greater, rk_greater_or_equal, rk_less, rk_less_or_equal } rk_comparison;

/// `c[i, j] = a[i, j] op b[i, j]`, 1 or 0 in a byte.
void rk_compare(rk_comparison op, long rows, long columns, rk_operand a, rk_operand b, uint8_t *c);

/// `c[i, j] = condition[i, j] ? a[i, j] : b[i, j]`; `condition` has a byte for each element, without gaps.
void rk_select(long rows, long columns, const uint8_t *condition, rk_operand a, rk_operand b, float *c);

/// `y[i] += scale * x[i]`.
void rk_accumulate(long count, float scale, const float *x, float *y);

/// Each `y[i] = value`.
void rk_fill(long count, float value, float *y);
