// The matrix kernels for AVX2 with FMA: tiles of 6 x 16.

#ifdef __x86_64__
#define RK_LANES 8
#define RK_ROWS 6
#define RK_TARGET __attribute__((target("avx2,fma")))
#define RK_KERNELS rk_matrix_kernels_of_avx2
#define RK_SET "AVX2"
#include "MatrixTile.h"
#endif
