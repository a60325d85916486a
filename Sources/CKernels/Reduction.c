// Reductions, softmax and layer normalisation.

#include "CKernels.h"
#include "RowSums.h"

RK_CLONES void rk_row_sums(long rows, long columns, const float *x, long x_row, float scale, float *y) {
  for (long r = 0; r < rows; r++, x += x_row) {
    float sum;
    RK_SUM(sum, columns, RK_AT(x), x[i]);
    y[r] = scale * sum;
  }
}

RK_CLONES void rk_row_maxima(long rows, long columns, const float *x, long x_row, float *y) {
  for (long r = 0; r < rows; r++) y[r] = maximum_of(columns, x + r * x_row);
}

RK_CLONES void rk_row_argmax(long rows, long columns, const float *x, long x_row, int64_t *y) {
  for (long r = 0; r < rows; r++, x += x_row) {
    const float largest = maximum_of(columns, x);
    long j = 0;
    if (largest != largest) {
      while (j + 1 < columns && x[j] == x[j]) j++;
    } else {
      while (j + 1 < columns && x[j] != largest) j++;
    }
    y[r] = j;
  }
}

// Columns go in blocks that stay in registers while the rows pass.
#define RK_COLUMNS(initial, update, final)                                  \
  long j = 0;                                                               \
  for (; j + RK_LANES <= columns; j += RK_LANES) {                          \
    float lane[RK_LANES];                                                   \
    for (int l = 0; l < RK_LANES; l++) lane[l] = initial;                   \
    for (long r = 0; r < rows; r++) {                                       \
      const float *line = x + r * x_row + j;                                \
      for (int l = 0; l < RK_LANES; l++) {                                  \
        const float old = lane[l], value = line[l];                         \
        lane[l] = update;                                                   \
      }                                                                     \
    }                                                                       \
    for (int l = 0; l < RK_LANES; l++) {                                    \
      const float result = lane[l];                                         \
      float *const target = y + j + l;                                      \
      *target = final;                                                      \
    }                                                                       \
  }                                                                         \
  for (; j < columns; j++) {                                                \
    float result = initial;                                                 \
    for (long r = 0; r < rows; r++) {                                       \
      const float old = result, value = x[r * x_row + j];                   \
      result = update;                                                      \
    }                                                                       \
    float *const target = y + j;                                            \
    *target = final;                                                        \
  }

RK_CLONES void rk_column_sums(
    long rows, long columns, const float *x, long x_row, float scale, int accumulates, float *y) {
  if (accumulates) {
    RK_COLUMNS(0.0f, old + value, scale * result + *target)
  } else {
    RK_COLUMNS(0.0f, old + value, scale * result)
  }
}

RK_CLONES void rk_column_maxima(long rows, long columns, const float *x, long x_row, float *y) {
  RK_COLUMNS(-__builtin_inff(), larger(old, value), result)
}

RK_CLONES float rk_dot(long count, const float *a, const float *b) {
  float sum;
  RK_SUM(sum, count, RK_AT(a) * RK_AT(b), a[i] * b[i]);
  return sum;
}

RK_CLONES double rk_sum_of_squares(long count, const float *x) {
  double lane[RK_LANES] = {0};
  long i = 0;
  for (; i + RK_LANES <= count; i += RK_LANES)
    for (int l = 0; l < RK_LANES; l++) lane[l] += (double)x[i + l] * x[i + l];
  for (int width = RK_LANES / 2; width > 0; width /= 2)
    for (int l = 0; l < width; l++) lane[l] += lane[l + width];
  for (; i < count; i++) lane[0] += (double)x[i] * x[i];
  return lane[0];
}

RK_CLONES int rk_all_finite(long count, const float *x) {
  int32_t found = 0;
  for (long i = 0; i < count; i++) found |= (bits_of(x[i]) & 0x7F800000) == 0x7F800000;
  return !found;
}

RK_CLONES void rk_softmax(long rows, long columns, const float *x, float *y) {
  for (long r = 0; r < rows; r++, x += columns, y += columns) {
    const float maximum = maximum_of(columns, x);
    RK_LOOP for (long j = 0; j < columns; j++) y[j] = exp_of(x[j] - maximum);
    float sum;
    RK_SUM(sum, columns, RK_AT(y), y[i]);
    const float scale = 1.0f / sum;
    RK_LOOP for (long j = 0; j < columns; j++) y[j] *= scale;
  }
}

RK_CLONES void rk_softmax_gradient(long rows, long columns, const float *dy, const float *y, float *dx) {
  for (long r = 0; r < rows; r++, dy += columns, y += columns, dx += columns) {
    float sum;
    RK_SUM(sum, columns, RK_AT(dy) * RK_AT(y), dy[i] * y[i]);
    RK_LOOP for (long j = 0; j < columns; j++) dx[j] = y[j] * (dy[j] - sum);
  }
}

RK_CLONES void rk_log_softmax(long rows, long columns, const float *x, float *y) {
  float part[256];
  for (long r = 0; r < rows; r++, x += columns, y += columns) {
    const float maximum = maximum_of(columns, x);
    float sum = 0;
    for (long start = 0; start < columns; start += 256) {
      const long count = columns - start < 256 ? columns - start : 256;
      RK_LOOP for (long j = 0; j < count; j++) part[j] = exp_of(x[start + j] - maximum);
      float block;
      RK_SUM(block, count, RK_AT(part), part[i]);
      sum += block;
    }
    const float shift = log_of(sum);
    RK_LOOP for (long j = 0; j < columns; j++) y[j] = (x[j] - maximum) - shift;
  }
}

RK_CLONES void rk_log_softmax_gradient(long rows, long columns, const float *dy, const float *y, float *dx) {
  for (long r = 0; r < rows; r++, dy += columns, y += columns, dx += columns) {
    float sum;
    RK_SUM(sum, columns, RK_AT(dy), dy[i]);
    RK_LOOP for (long j = 0; j < columns; j++) dx[j] = dy[j] - exp_of(y[j]) * sum;
  }
}

RK_CLONES void rk_layer_normalization(
    long rows, long columns, const float *x, const float *gamma, const float *beta, float epsilon, float *y,
    float *mean, float *inverse_deviation) {
  for (long r = 0; r < rows; r++, x += columns, y += columns) {
    float sum, squares;
    RK_SUM(sum, columns, RK_AT(x), x[i]);
    const float center = sum / (float)columns;
    RK_SUM(
        squares, columns, (RK_AT(x) - center) * (RK_AT(x) - center), (x[i] - center) * (x[i] - center));
    const float inverse = 1.0f / square_root(squares / (float)columns + epsilon);
    if (beta) {
      RK_LOOP for (long j = 0; j < columns; j++) y[j] = (x[j] - center) * inverse * gamma[j] + beta[j];
    } else {
      RK_LOOP for (long j = 0; j < columns; j++) y[j] = (x[j] - center) * inverse * gamma[j];
    }
    if (mean) mean[r] = center;
    if (inverse_deviation) inverse_deviation[r] = inverse;
  }
}

RK_CLONES void rk_layer_normalization_gradient(
    long rows, long columns, const float *dy, const float *x, const float *gamma, const float *mean,
    const float *inverse_deviation, float *dx) {
  for (long r = 0; r < rows; r++, dy += columns, x += columns, dx += columns) {
    const float center = mean[r], inverse = inverse_deviation[r];
    float sum, product;
    RK_SUM(sum, columns, RK_AT(dy) * RK_AT(gamma), dy[i] * gamma[i]);
    RK_SUM(
        product, columns, RK_AT(dy) * RK_AT(gamma) * ((RK_AT(x) - center) * inverse),
        dy[i] * gamma[i] * ((x[i] - center) * inverse));
    const float first = sum / (float)columns, second = product / (float)columns;
    RK_LOOP for (long j = 0; j < columns; j++)
      dx[j] = inverse * (dy[j] * gamma[j] - first - (x[j] - center) * inverse * second);
  }
}

RK_CLONES void rk_layer_normalization_parameters_gradient(
    long rows, long columns, const float *dy, const float *x, long row_stride, const float *mean,
    const float *inverse_deviation, float *dgamma, float *dbeta) {
  for (long start = 0; start < columns; start += RK_LANES) {
    const int width = columns - start < RK_LANES ? (int)(columns - start) : RK_LANES;
    float gamma[RK_LANES] = {0}, beta[RK_LANES] = {0};
    for (long r = 0; r < rows; r++) {
      const float *line = dy + r * row_stride + start, *input = x + r * row_stride + start;
      const float center = mean[r], inverse = inverse_deviation[r];
      if (width == RK_LANES) {
        for (int l = 0; l < RK_LANES; l++) {
          gamma[l] += line[l] * ((input[l] - center) * inverse);
          beta[l] += line[l];
        }
      } else {
        for (int l = 0; l < width; l++) {
          gamma[l] += line[l] * ((input[l] - center) * inverse);
          beta[l] += line[l];
        }
      }
    }
    for (int l = 0; l < width; l++) {
      if (dgamma) dgamma[start + l] = gamma[l];
      if (dbeta) dbeta[start + l] = beta[l];
    }
  }
}
