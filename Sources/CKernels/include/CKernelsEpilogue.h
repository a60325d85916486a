// What the engine does to a finished block of a matrix product: each is an `rk_epilogue` with its context.
#pragma once

#include "CKernelsElementwise.h"
#include "CKernelsTraining.h"

#include <stdint.h>

/// The context of `rk_epilogue_activate`.
typedef struct rk_activation {
  /// Added to each row, `[columns of the product]`; null: nothing.
  const float *bias;
  /// Where `c + bias` is kept for the gradient, rows `preactivation_row` apart; null: nowhere.
  float *preactivation;
  long preactivation_row;
  /// The activation with its parameters, as for `rk_apply`; `rk_identity` for none.
  rk_function function;
  float p, q;
} rk_activation;

/// `c = f(c + bias)`.
void rk_epilogue_activate(
    const void *activation, float *c, long c_row, long row, long column, long rows, long columns);

/// The context of `rk_epilogue_activation_gradient`.
typedef struct rk_activation_gradient {
  /// Added to each row before, `[columns of the product]`; null: nothing.
  const float *bias;
  /// What `rk_gradient_reads` says of the function, rows `remembered_row` apart.
  const float *remembered;
  long remembered_row;
  rk_function function;
  float p, q;
} rk_activation_gradient;

/// `c = (c + bias) f'`: the gradient that passes an activation on its way back, into the product's result.
void rk_epilogue_activation_gradient(
    const void *activation_gradient, float *c, long c_row, long row, long column, long rows, long columns);

/// The context of `rk_epilogue_adam`: the parameters that have the product as their gradient, all with the same rows.
typedef struct rk_adam_block {
  rk_adam step;
  float *p, *m, *v;
  long row;
} rk_adam_block;

/// Adam's step with the block as the gradient. `c` itself is left as it is.
void rk_epilogue_adam(
    const void *adam_block, float *c, long c_row, long row, long column, long rows, long columns);

/// The context of `rk_epilogue_sgd`; `b` is null where the momentum is 0.
typedef struct rk_sgd_block {
  rk_sgd step;
  float *p, *b;
  long row;
} rk_sgd_block;

/// The step of stochastic gradient descent with the block as the gradient. `c` itself is left as it is.
void rk_epilogue_sgd(const void *sgd_block, float *c, long c_row, long row, long column, long rows, long columns);

/// The context of `rk_epilogue_add`: `y = c + x`, with both as long as the product. `y == x` accumulates.
typedef struct rk_sum_block {
  const float *x;
  long x_row;
  float *y;
  long y_row;
} rk_sum_block;

/// `y = c + x`, a residual connection or a gradient from two sides. `y` may be the product's own `c`.
void rk_epilogue_add(const void *sum_block, float *c, long c_row, long row, long column, long rows, long columns);
