// The least-squares solvers for AVX-512.

#ifdef __x86_64__
#define RK_LANES 16
#define RK_VECTORS 4
#define RK_ROWS_1 8
#define RK_ROWS_2 8
#define RK_ROWS_3 8
#define RK_ROWS_4 4
#define RK_TARGET __attribute__((target("avx512f")))
#define RK_KERNELS rk_least_squares_kernels_of_avx512
#define RK_SET "AVX-512"
#include "LeastSquaresTile.h"
#endif
