// Loops over elements.

#include "CKernels.h"
#include "FloatMath.h"

#include <math.h>

#define RK_EACH(expression)                 \
  RK_LOOP                                   \
  for (long i = 0; i < count; i++) y[i] = expression; \
  break

RK_CLONES void rk_apply(rk_function f, long count, const float *x, float *y, float p, float q) {
  switch (f) {
    case rk_identity: RK_EACH(x[i]);
    case rk_negative: RK_EACH(-x[i]);
    case rk_absolute: RK_EACH(absolute(x[i]));
    case rk_square_root: RK_EACH(square_root(x[i]));
    case rk_exponential: RK_EACH(exp_of(x[i]));
    case rk_logarithm: RK_EACH(log_of(x[i]));
    case rk_erf: RK_EACH(erf_of(x[i]));
    case rk_tanh: RK_EACH(tanh_of(x[i]));
    case rk_sigmoid: RK_EACH(sigmoid_of(x[i]));
    case rk_softplus: RK_EACH(softplus_of(x[i]));
    case rk_relu: RK_EACH(x[i] < 0.0f ? 0.0f : x[i]);
    case rk_leaky_relu: RK_EACH(x[i] > 0.0f ? x[i] : p * x[i]);
    case rk_gelu: RK_EACH(gelu_of(x[i]));
    case rk_gelu_tanh: RK_EACH(gelu_tanh_of(x[i]));
    case rk_clip: RK_EACH(x[i] < p ? p : (x[i] > q ? q : x[i]));
    case rk_reciprocal: RK_EACH(1.0f / x[i]);
    case rk_scale: RK_EACH(p * x[i] + q);
  }
}

rk_gradient_source rk_gradient_reads(rk_function f) {
  switch (f) {
    case rk_identity:
    case rk_negative:
    case rk_scale: return rk_from_neither;
    case rk_square_root:
    case rk_exponential:
    case rk_tanh:
    case rk_sigmoid:
    case rk_relu:
    case rk_reciprocal: return rk_from_output;
    case rk_absolute:
    case rk_logarithm:
    case rk_erf:
    case rk_softplus:
    case rk_leaky_relu:
    case rk_gelu:
    case rk_gelu_tanh:
    case rk_clip: return rk_from_input;
  }
  return rk_from_neither;
}

RK_CLONES void rk_apply_gradient(
    rk_function f, long count, const float *dy, const float *source, float *dx, float p, float q) {
  const float *s = source;
  float *y = dx;
  switch (f) {
    case rk_identity: RK_EACH(dy[i]);
    case rk_negative: RK_EACH(-dy[i]);
    case rk_absolute: RK_EACH(s[i] == 0.0f ? 0.0f : dy[i] * with_sign_of(1.0f, s[i]));
    case rk_square_root: RK_EACH(dy[i] * 0.5f / s[i]);
    case rk_exponential: RK_EACH(dy[i] * s[i]);
    case rk_logarithm: RK_EACH(dy[i] / s[i]);
    case rk_erf: RK_EACH(dy[i] * (1.12837917f * exp_of(-s[i] * s[i])));
    case rk_tanh: RK_EACH(dy[i] * (1.0f - s[i] * s[i]));
    case rk_sigmoid: RK_EACH(dy[i] * (s[i] * (1.0f - s[i])));
    case rk_softplus: RK_EACH(dy[i] * sigmoid_of(s[i]));
    case rk_relu: RK_EACH(s[i] > 0.0f ? dy[i] : 0.0f);
    case rk_leaky_relu: RK_EACH(s[i] > 0.0f ? dy[i] : p * dy[i]);
    case rk_gelu: RK_EACH(dy[i] * gelu_gradient(s[i]));
    case rk_gelu_tanh: RK_EACH(dy[i] * gelu_tanh_gradient(s[i]));
    case rk_clip: RK_EACH(s[i] >= p && s[i] <= q ? dy[i] : 0.0f);
    case rk_reciprocal: RK_EACH(-dy[i] * (s[i] * s[i]));
    case rk_scale: RK_EACH(p * dy[i]);
  }
}

// The loop over a row, once for each way in which the two operands lie.
#define RK_ROWS(expression)                                              \
  for (long i = 0; i < rows; i++, c += columns) {                        \
    const float *x = a.start + i * a.row, *y = b.start + i * b.row;      \
    if (a.spread && b.spread) {                                          \
      const float u = *x, v = *y;                                        \
      RK_LOOP for (long j = 0; j < columns; j++) c[j] = (expression);    \
    } else if (a.spread) {                                               \
      const float u = *x;                                                \
      RK_LOOP for (long j = 0; j < columns; j++) {                       \
        const float v = y[j];                                            \
        c[j] = (expression);                                             \
      }                                                                  \
    } else if (b.spread) {                                               \
      const float v = *y;                                                \
      RK_LOOP for (long j = 0; j < columns; j++) {                       \
        const float u = x[j];                                            \
        c[j] = (expression);                                             \
      }                                                                  \
    } else {                                                             \
      RK_LOOP for (long j = 0; j < columns; j++) {                       \
        const float u = x[j], v = y[j];                                  \
        c[j] = (expression);                                             \
      }                                                                  \
    }                                                                    \
  }                                                                      \
  break

static void raise_to_power(long rows, long columns, rk_operand a, rk_operand b, float *c) {
  for (long i = 0; i < rows; i++)
    for (long j = 0; j < columns; j++, c++) {
      const float u = a.start[i * a.row + (a.spread ? 0 : j)], v = b.start[i * b.row + (b.spread ? 0 : j)];
      *c = powf(u, v);
    }
}

RK_CLONES void rk_combine(rk_operation op, long rows, long columns, rk_operand a, rk_operand b, float *c) {
  switch (op) {
    case rk_add: RK_ROWS(u + v);
    case rk_subtract: RK_ROWS(u - v);
    case rk_multiply: RK_ROWS(u * v);
    case rk_divide: RK_ROWS(u / v);
    case rk_minimum: RK_ROWS(smaller(u, v));
    case rk_maximum: RK_ROWS(larger(u, v));
    case rk_power:
      // A square is the usual power; it has no special cases.
      if (b.spread && b.row == 0 && rows > 0 && *b.start == 2.0f) {
        RK_ROWS(v == 2.0f ? u * u : 0.0f);
      }
      raise_to_power(rows, columns, a, b, c);
  }
}

RK_CLONES void rk_compare(rk_comparison op, long rows, long columns, rk_operand a, rk_operand b, uint8_t *c) {
  switch (op) {
    case rk_equal: RK_ROWS(u == v);
    case rk_greater: RK_ROWS(u > v);
    case rk_greater_or_equal: RK_ROWS(u >= v);
    case rk_less: RK_ROWS(u < v);
    case rk_less_or_equal: RK_ROWS(u <= v);
  }
}

RK_CLONES void rk_select(
    long rows, long columns, const uint8_t *condition, rk_operand a, rk_operand b, float *c) {
  for (long i = 0; i < rows; i++, c += columns, condition += columns) {
    const float *x = a.start + i * a.row, *y = b.start + i * b.row;
    if (a.spread || b.spread) {
      for (long j = 0; j < columns; j++) c[j] = condition[j] ? x[a.spread ? 0 : j] : y[b.spread ? 0 : j];
    } else {
      RK_LOOP for (long j = 0; j < columns; j++) c[j] = condition[j] ? x[j] : y[j];
    }
  }
}

RK_CLONES void rk_accumulate(long count, float scale, const float *x, float *y) {
  RK_LOOP for (long i = 0; i < count; i++) y[i] += scale * x[i];
}

RK_CLONES void rk_fill(long count, float value, float *y) {
  for (long i = 0; i < count; i++) y[i] = value;
}

RK_CLONES void rk_standardize(
    long rows, long columns, const float *x, long x_row, long x_step, const float *mean, const float *deviation,
    long step, float *y) {
  for (long i = 0; i < rows; i++, x += x_row, y += columns) {
    if (x_step == 1 && step == 1) {
      RK_LOOP for (long j = 0; j < columns; j++) y[j] = ((x[j] != x[j] ? mean[j] : x[j]) - mean[j]) / deviation[j];
    } else {
      for (long j = 0; j < columns; j++) {
        const float value = x[j * x_step], center = mean[j * step];
        y[j] = ((value != value ? center : value) - center) / deviation[j * step];
      }
    }
  }
}
