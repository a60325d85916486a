// The least-squares solvers for AVX2 with FMA.

#ifdef __x86_64__
#define RK_LANES 8
#define RK_VECTORS 3
#define RK_ROWS_1 8
#define RK_ROWS_2 4
#define RK_ROWS_3 4
#define RK_ROWS_4 2
#define RK_TARGET __attribute__((target("avx2,fma")))
#define RK_KERNELS rk_least_squares_kernels_of_avx2
#define RK_SET "AVX2"
#include "LeastSquaresTile.h"
#endif
