// Functions of one float, written so that loops over them vectorise: no branches, no calls.
//
// The polynomials are least-maximum fits over the stated ranges, made for these files; errors are of the fit alone.
#pragma once

#include <float.h>
#include <stdint.h>
#include <string.h>

#pragma clang fp contract(fast)

// Compiles a function for the levels of x86-64 that bring wider vectors and fused multiply-adds; the program picks
// one when it starts.
#if defined(__x86_64__) && defined(__ELF__)
#define RK_CLONES __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define RK_CLONES
#endif

// Iterations touch their own elements only, so that a result may replace its input.
#define RK_LOOP _Pragma("clang loop vectorize(assume_safety)")

#define RK_FUNCTION static inline __attribute__((always_inline)) float

static inline __attribute__((always_inline)) int32_t bits_of(float x) {
  int32_t bits;
  memcpy(&bits, &x, sizeof bits);
  return bits;
}

RK_FUNCTION from_bits(int32_t bits) {
  float x;
  memcpy(&x, &bits, sizeof x);
  return x;
}

RK_FUNCTION power_of_two(int32_t n) { return from_bits((n + 127) << 23); }
RK_FUNCTION absolute(float x) { return from_bits(bits_of(x) & 0x7FFFFFFF); }
RK_FUNCTION with_sign_of(float magnitude, float x) {
  return from_bits((bits_of(magnitude) & 0x7FFFFFFF) | (bits_of(x) & (int32_t)0x80000000));
}
RK_FUNCTION square_root(float x) { return __builtin_elementwise_sqrt(x); }

// The larger and the smaller number; NaN if one of the two is.
RK_FUNCTION larger(float a, float b) { return a >= b || a != a ? a : b; }
RK_FUNCTION smaller(float a, float b) { return a <= b || a != a ? a : b; }

// e^x = 2^n e^r with |r| <= log(2)/2; e^r = 1 + r + r² q(r), fit to 3e-9.
RK_FUNCTION exp_of(float x) {
  // Beyond these the result is infinite or zero anyway, and n stays in range. NaN passes.
  x = x > 89.0f ? 89.0f : x;
  x = x < -104.0f ? -104.0f : x;
  const float rounder = 12582912.0f;  // 1.5 · 2^23: adding it rounds to an integer.
  const float shifted = x * 1.44269504f + rounder;
  const int32_t n = bits_of(shifted) - bits_of(rounder);
  const float count = shifted - rounder;
  float r = x - count * 0.693359375f;  // The first 9 bits of log(2): exact products.
  r = r - count * -2.12194440e-4f;
  float q = 0.00138145f;
  q = q * r + 0.00836878f;
  q = q * r + 0.04166839f;
  q = q * r + 0.1666652f;
  q = q * r + 0.49999993f;
  const float e = 1.0f + (r + r * r * q);
  // In two steps: 2^n alone may lie outside the range of normal numbers where e · 2^n does not.
  const int32_t half = n >> 1;
  return e * power_of_two(half) * power_of_two(n - half);
}

// log(1 + f) for 1 + f in [√½, √2]: f - f²/2 + f³ p(f), fit to 8e-10; plus count · log(2).
RK_FUNCTION log_near_one(float f, float count) {
  float p = 0.06746601320710913f;
  p = p * f - 0.11675641299268406f;
  p = p * f + 0.11888174599001218f;
  p = p * f - 0.12405591417750761f;
  p = p * f + 0.14219550908239073f;
  p = p * f - 0.16667995667068136f;
  p = p * f + 0.2000211873220137f;
  p = p * f - 0.2500000960365454f;
  p = p * f + 0.33333312602802806f;
  const float square = f * f;
  float rest = f * square * p;
  rest += count * -2.12194440e-4f;
  rest -= 0.5f * square;
  return (f + rest) + count * 0.693359375f;
}

RK_FUNCTION log_of(float x) {
  const int32_t subnormal = x < FLT_MIN;
  const int32_t bits = bits_of(subnormal ? x * 8388608.0f : x);
  const int32_t exponent = (bits - 0x3F3504F3) >> 23;  // √½: so that the mantissa lies around 1.
  const float mantissa = from_bits(bits - (exponent << 23));
  float y = log_near_one(mantissa - 1.0f, (float)(exponent - (subnormal ? 23 : 0)));
  y = x == 0.0f ? -__builtin_inff() : y;
  y = x < 0.0f ? __builtin_nanf("") : y;
  return x < __builtin_inff() ? y : x;  // Infinity and NaN are their own.
}

// log(1 + e) for e in [0, 1], where 1 + e would lose e's last digits.
RK_FUNCTION log_of_one_plus(float e) {
  const int32_t large = e > 0.41421356f;
  return log_near_one(large ? 0.5f * (e - 1.0f) : e, large ? 1.0f : 0.0f);
}

// Near 0: x + x³ p(x²), fit to 4e-9; elsewhere 1 - 2 / (e^2|x| + 1).
RK_FUNCTION tanh_of(float x) {
  const float magnitude = absolute(x);
  const float u = x * x;
  float p = -0.005704978374073207f;
  p = p * u + 0.020639078741177264f;
  p = p * u - 0.053739712156723164f;
  p = p * u + 0.13331442157533718f;
  p = p * u - 0.33333281940181975f;
  const float near = x + x * u * p;
  const float far = with_sign_of(1.0f - 2.0f / (exp_of(2.0f * magnitude) + 1.0f), x);
  return magnitude < 0.625f ? near : (x != x ? x : far);
}

RK_FUNCTION sigmoid_of(float x) {
  const float e = exp_of(-absolute(x));
  const float numerator = x < 0.0f ? e : 1.0f;
  return x != x ? x : numerator / (1.0f + e);
}

RK_FUNCTION softplus_of(float x) {
  const float y = (x > 0.0f ? x : 0.0f) + log_of_one_plus(exp_of(-absolute(x)));
  return x != x ? x : y;
}

// erf(x) for |x| < 1: x p(x²), fit to 3e-11.
RK_FUNCTION erf_near_zero(float x) {
  const float u = x * x;
  float p = -9.641500864507265e-06f;
  p = p * u + 0.00011256942434342625f;
  p = p * u - 0.0008482828065424024f;
  p = p * u + 0.005220945377040407f;
  p = p * u - 0.026865400021236056f;
  p = p * u + 0.11283781973716928f;
  p = p * u - 0.3761263843462116f;
  p = p * u + 1.1283791670580186f;
  return x * p;
}

// 1 - erf(t) for t in [1, 4]: e^-p(t), fit to 1.5e-8 of itself.
RK_FUNCTION erfc_from_one(float t) {
  t = t > 4.0f ? 4.0f : t;
  float p = -1.5788490669127417e-06f;
  p = p * t + 4.48895630333574e-05f;
  p = p * t - 0.0005868098268725657f;
  p = p * t + 0.004712020864482626f;
  p = p * t - 0.026283626877404202f;
  p = p * t + 0.10983344005172102f;
  p = p * t + 0.6320936354466873f;
  p = p * t + 1.1300731520045046f;
  p = p * t - 0.00027959807531547135f;
  return exp_of(-p);
}

RK_FUNCTION erf_of(float x) {
  const float magnitude = absolute(x);
  const float far = with_sign_of(1.0f - erfc_from_one(magnitude), x);
  return magnitude < 1.0f ? erf_near_zero(x) : (x != x ? x : far);
}

// The normal distribution function Φ(x) = (1 + erf(x / √2)) / 2, without cancellation on the left; 0 below -5.66,
// where it is less than 8e-9.
RK_FUNCTION normal_distribution(float x) {
  const float t = x * 0.70710678f;
  const float magnitude = absolute(t);
  float tail = 0.5f * erfc_from_one(magnitude);
  tail = magnitude > 4.0f ? 0.0f : tail;
  const float far = x < 0.0f ? tail : 1.0f - tail;
  return magnitude < 1.0f ? 0.5f + 0.5f * erf_near_zero(t) : (x != x ? x : far);
}

// The normal density φ(x) = e^(-x²/2) / √2π.
RK_FUNCTION normal_density(float x) { return 0.39894228f * exp_of(-0.5f * x * x); }

RK_FUNCTION gelu_of(float x) {
  const float y = x * normal_distribution(x);
  return x == -__builtin_inff() ? -0.0f : y;
}

RK_FUNCTION gelu_gradient(float x) {
  const float density = absolute(x) > 15.0f ? 0.0f : x * normal_density(x);
  return normal_distribution(x) + density;
}

// √(2/π) (x + 0.044715 x³), twice: 0.5 (1 + tanh(u)) = sigmoid(2u).
RK_FUNCTION gelu_tanh_of(float x) {
  const float y = x * sigmoid_of(1.5957691216f * (x + 0.044715f * x * x * x));
  return x == -__builtin_inff() ? -0.0f : y;
}

RK_FUNCTION gelu_tanh_gradient(float x) {
  const float u = 1.5957691216f * (x + 0.044715f * x * x * x);
  const float slope = 1.5957691216f * (1.0f + 0.134145f * x * x);
  const float e = exp_of(-absolute(u));
  const float larger_part = 1.0f / (1.0f + e), smaller_part = e * larger_part;
  const float distribution = u < 0.0f ? smaller_part : larger_part;
  const float density = absolute(x) > 15.0f ? 0.0f : x * (larger_part * smaller_part) * slope;
  return u != u ? u : distribution + density;
}
