// Sums and maxima of a row, in an order that no processor's vectors change.
#pragma once

#include "FloatMath.h"

// Sums run in 32 lanes whose number and order of adding do not depend on the processor's vectors.
#define RK_LANES 32

typedef float lanes_of_sum __attribute__((ext_vector_type(RK_LANES), aligned(4)));

// Σ expression(i) over i in 0..<count. `tail` sums what is left after whole rounds of lanes.
#define RK_SUM(result, count, vector_expression, scalar_expression)            \
  do {                                                                         \
    lanes_of_sum lanes = 0.0f;                                                 \
    long i = 0;                                                                \
    for (; i + RK_LANES <= (count); i += RK_LANES) lanes += vector_expression; \
    float lane[RK_LANES];                                                      \
    *(lanes_of_sum *)lane = lanes;                                             \
    for (int width = RK_LANES / 2; width > 0; width /= 2)                      \
      for (int l = 0; l < width; l++) lane[l] += lane[l + width];              \
    float total = lane[0];                                                     \
    for (; i < (count); i++) total += scalar_expression;                       \
    (result) = total;                                                          \
  } while (0)
#define RK_AT(pointer) (*(const lanes_of_sum *)((pointer) + i))

RK_FUNCTION maximum_of(long count, const float *x) {
  float lane[RK_LANES];
  for (int l = 0; l < RK_LANES; l++) lane[l] = -__builtin_inff();
  long i = 0;
  for (; i + RK_LANES <= count; i += RK_LANES)
    for (int l = 0; l < RK_LANES; l++) lane[l] = larger(lane[l], x[i + l]);
  for (; i < count; i++) lane[0] = larger(lane[0], x[i]);
  for (int width = RK_LANES / 2; width > 0; width /= 2)
    for (int l = 0; l < width; l++) lane[l] = larger(lane[l], lane[l + width]);
  return lane[0];
}
