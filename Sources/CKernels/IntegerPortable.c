// The integer kernels for any processor, the choice among all of them, and the loops around the products.

#include "FloatMath.h"

#include <stdint.h>

#define RK_LANES 4
#define RK_ROWS 4
#define RK_TARGET
#define RK_KERNELS rk_integer_kernels_of_any
#define RK_SET "portable"

typedef int32_t four_numbers __attribute__((ext_vector_type(4)));
typedef uint8_t sixteen_unsigned __attribute__((ext_vector_type(16)));
typedef int8_t sixteen_signed __attribute__((ext_vector_type(16)));

static inline four_numbers dot_of_bytes(four_numbers sum, four_numbers a, four_numbers b) {
  const sixteen_unsigned x = (sixteen_unsigned)a;
  const sixteen_signed y = (sixteen_signed)b;
  for (int lane = 0; lane < 4; lane++) {
    int32_t total = 0;
    for (int i = 4 * lane; i < 4 * lane + 4; i++) total += (int32_t)x[i] * (int32_t)y[i];
    sum[lane] += total;
  }
  return sum;
}

#define RK_DOT(sum, a, b) dot_of_bytes(sum, a, b)
#include "IntegerTile.h"

const rk_integer_kernels *rk_integer_kernels_portable(void) { return &rk_integer_kernels_of_any; }

#ifdef __x86_64__
extern const rk_integer_kernels rk_integer_kernels_of_avx512, rk_integer_kernels_of_avx2;

const rk_integer_kernels *rk_integer_kernels_avx2(void) {
  __builtin_cpu_init();
  return __builtin_cpu_supports("avx2") ? &rk_integer_kernels_of_avx2 : 0;
}

const rk_integer_kernels *rk_integer_kernels_best(void) {
  __builtin_cpu_init();
  if (__builtin_cpu_supports("avx512vnni") && __builtin_cpu_supports("avx512bw")) return &rk_integer_kernels_of_avx512;
  const rk_integer_kernels *avx2 = rk_integer_kernels_avx2();
  return avx2 ? avx2 : &rk_integer_kernels_of_any;
}
#else
const rk_integer_kernels *rk_integer_kernels_avx2(void) { return 0; }
const rk_integer_kernels *rk_integer_kernels_best(void) { return &rk_integer_kernels_of_any; }
#endif

RK_CLONES void rk_integer_correct(
    long rows, long columns, long depth, int32_t *c, long c_row, const int32_t *zero_a, long zero_step,
    const int32_t *sums, const int32_t *zero_b, const int32_t *rows_a) {
  for (long i = 0; i < rows; i++, c += c_row) {
    const int32_t zero = zero_a[i * zero_step];
    if (zero_b) {
      const int32_t rest = rows_a[i] - (int32_t)depth * zero;
      RK_LOOP for (long j = 0; j < columns; j++) c[j] -= zero * sums[j] + zero_b[j] * rest;
    } else {
      RK_LOOP for (long j = 0; j < columns; j++) c[j] -= zero * sums[j];
    }
  }
}

RK_CLONES void rk_integer_scale(
    long rows, long columns, const int32_t *c, long c_row, float scale, const float *scales, const float *bias,
    float *y, long y_row) {
  for (long i = 0; i < rows; i++, c += c_row, y += y_row) {
    if (bias) {
      RK_LOOP for (long j = 0; j < columns; j++) y[j] = (float)c[j] * (scale * scales[j]) + bias[j];
    } else {
      RK_LOOP for (long j = 0; j < columns; j++) y[j] = (float)c[j] * (scale * scales[j]);
    }
  }
}

RK_CLONES void rk_byte_row_sums(long rows, long columns, const uint8_t *x, long x_row, int flip, int32_t *y) {
  const uint8_t mask = flip ? 0x80 : 0;
  for (long i = 0; i < rows; i++, x += x_row) {
    int32_t sum = 0;
    for (long j = 0; j < columns; j++) sum += (uint8_t)(x[j] ^ mask);
    y[i] = sum;
  }
}

RK_CLONES void rk_range(long count, const float *x, float *low, float *high) {
  float least[32] = {0}, most[32] = {0};
  long i = 0;
  for (; i + 32 <= count; i += 32)
    for (int l = 0; l < 32; l++) {
      least[l] = x[i + l] < least[l] ? x[i + l] : least[l];
      most[l] = x[i + l] > most[l] ? x[i + l] : most[l];
    }
  for (; i < count; i++) {
    least[0] = x[i] < least[0] ? x[i] : least[0];
    most[0] = x[i] > most[0] ? x[i] : most[0];
  }
  for (int l = 1; l < 32; l++) {
    least[0] = least[l] < least[0] ? least[l] : least[0];
    most[0] = most[l] > most[0] ? most[l] : most[0];
  }
  *low = least[0];
  *high = most[0];
}

RK_CLONES void rk_quantize(long count, const float *x, float scale, int zero, uint8_t *y) {
  const float shift = (float)zero;
  for (long i = 0; i < count; i++) {
    float quotient = scale == 0.0f ? 0.0f : x[i] / scale;
    // Beyond these the result is clamped anyway; within, adding 1.5 · 2^23 rounds to an integer, halves to even.
    quotient = quotient < -512.0f ? -512.0f : quotient;
    quotient = quotient > 512.0f ? 512.0f : quotient;
    const float rounded = (quotient + 12582912.0f) - 12582912.0f;
    float value = rounded + shift;
    // NaN becomes 0 as well.
    value = value > 0.0f ? value : 0.0f;
    value = value > 255.0f ? 255.0f : value;
    y[i] = (uint8_t)(int32_t)value;
  }
}
