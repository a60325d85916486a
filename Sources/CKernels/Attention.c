// The rows of scaled dot-product attention, between its products.

#include "CKernels.h"
#include "RowSums.h"

RK_CLONES void rk_attention_weights(
    long rows, long columns, float *s, long s_row, rk_score_bias bias, const uint8_t *keep, float scale,
    float *statistics) {
  for (long r = 0; r < rows; r++, s += s_row) {
    if (bias.start) {
      const float *b = bias.start + r * bias.row;
      if (bias.step == 1) {
        RK_LOOP for (long j = 0; j < columns; j++) s[j] += b[j];
      } else {
        for (long j = 0; j < columns; j++) s[j] += b[j * bias.step];
      }
    }
    const float maximum = maximum_of(columns, s);
    RK_LOOP for (long j = 0; j < columns; j++) s[j] = exp_of(s[j] - maximum);
    float sum;
    RK_SUM(sum, columns, RK_AT(s), s[i]);
    const float inverse = 1.0f / sum;
    if (keep) {
      const uint8_t *kept = keep + r * columns;
      const float factor = inverse * scale;
      RK_LOOP for (long j = 0; j < columns; j++) s[j] = kept[j] ? s[j] * factor : 0.0f;
    } else {
      RK_LOOP for (long j = 0; j < columns; j++) s[j] *= inverse;
    }
    if (statistics) {
      statistics[2 * r] = maximum;
      statistics[2 * r + 1] = inverse;
    }
  }
}

RK_CLONES void rk_attention_weights_gradient(
    long rows, long columns, float *s, float *dw, long row, rk_score_bias bias, const uint8_t *keep, float scale,
    const float *statistics, const float *delta) {
  for (long r = 0; r < rows; r++, s += row, dw += row) {
    const float maximum = statistics[2 * r], inverse = statistics[2 * r + 1], shared = delta[r];
    if (bias.start) {
      const float *b = bias.start + r * bias.row;
      if (bias.step == 1) {
        RK_LOOP for (long j = 0; j < columns; j++) s[j] += b[j];
      } else {
        for (long j = 0; j < columns; j++) s[j] += b[j * bias.step];
      }
    }
    if (keep) {
      const uint8_t *kept = keep + r * columns;
      RK_LOOP for (long j = 0; j < columns; j++) {
        const float weight = exp_of(s[j] - maximum) * inverse;
        const float factor = kept[j] ? scale : 0.0f;
        s[j] = weight * factor;
        dw[j] = weight * (dw[j] * factor - shared);
      }
    } else {
      RK_LOOP for (long j = 0; j < columns; j++) {
        const float weight = exp_of(s[j] - maximum) * inverse;
        s[j] = weight;
        dw[j] = weight * (dw[j] - shared);
      }
    }
  }
}

RK_CLONES void rk_row_dots(long rows, long columns, const float *a, long a_row, const float *b, long b_row, float *y) {
  for (long r = 0; r < rows; r++, a += a_row, b += b_row) {
    float sum;
    RK_SUM(sum, columns, RK_AT(a) * RK_AT(b), a[i] * b[i]);
    y[r] = sum;
  }
}
