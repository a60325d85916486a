// The least-squares solvers for any processor with vectors of four floats, and the choice among all of them.

#define RK_LANES 4
#define RK_VECTORS 2
#define RK_ROWS_1 4
#define RK_ROWS_2 4
#define RK_ROWS_3 2
#define RK_ROWS_4 2
#define RK_TARGET
#define RK_KERNELS rk_least_squares_kernels_of_any
#define RK_SET "portable"
#include "LeastSquaresTile.h"

const rk_least_squares_kernels *rk_least_squares_kernels_portable(void) { return &rk_least_squares_kernels_of_any; }

#ifdef __x86_64__
extern const rk_least_squares_kernels rk_least_squares_kernels_of_avx512, rk_least_squares_kernels_of_avx2;

const rk_least_squares_kernels *rk_least_squares_kernels_avx2(void) {
  __builtin_cpu_init();
  return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") ? &rk_least_squares_kernels_of_avx2 : 0;
}

const rk_least_squares_kernels *rk_least_squares_kernels_best(void) {
  __builtin_cpu_init();
  if (__builtin_cpu_supports("avx512f")) return &rk_least_squares_kernels_of_avx512;
  const rk_least_squares_kernels *avx2 = rk_least_squares_kernels_avx2();
  return avx2 ? avx2 : &rk_least_squares_kernels_of_any;
}
#else
const rk_least_squares_kernels *rk_least_squares_kernels_avx2(void) { return 0; }
const rk_least_squares_kernels *rk_least_squares_kernels_best(void) { return &rk_least_squares_kernels_of_any; }
#endif
