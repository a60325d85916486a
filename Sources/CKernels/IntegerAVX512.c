// The integer kernels for AVX-512 with VNNI: tiles of 12 x 32.

#ifdef __x86_64__
#include <immintrin.h>
#define RK_LANES 16
#define RK_ROWS 12
#define RK_TARGET __attribute__((target("avx512f,avx512bw,avx512vnni")))
#define RK_DOT(sum, a, b) (vector) _mm512_dpbusd_epi32((__m512i)(sum), (__m512i)(a), (__m512i)(b))
#define RK_KERNELS rk_integer_kernels_of_avx512
#define RK_SET "AVX-512 VNNI"
#include "IntegerTile.h"
#endif
