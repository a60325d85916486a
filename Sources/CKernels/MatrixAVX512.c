// The matrix kernels for AVX-512: tiles of 14 x 32.

#ifdef __x86_64__
#define RK_LANES 16
#define RK_ROWS 14
#define RK_TARGET __attribute__((target("avx512f")))
#define RK_KERNELS rk_matrix_kernels_of_avx512
#define RK_SET "AVX-512"
#include "MatrixTile.h"
#endif
