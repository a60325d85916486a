// The integer kernels for AVX2: tiles of 4 x 16.

#ifdef __x86_64__
#include <immintrin.h>
#define RK_LANES 8
#define RK_ROWS 4
#define RK_TARGET __attribute__((target("avx2")))
#define RK_KERNELS rk_integer_kernels_of_avx2
#define RK_SET "AVX2"

// Pairs of products in 16 bits would saturate: the even and the odd bytes are multiplied apart.
static inline __attribute__((always_inline, target("avx2"))) __m256i dot_of_bytes(__m256i sum, __m256i a, __m256i b) {
  const __m256i ones = _mm256_set1_epi16(1);
  const __m256i even = _mm256_maddubs_epi16(_mm256_and_si256(a, _mm256_set1_epi16(0xFF)), b);
  const __m256i odd = _mm256_maddubs_epi16(_mm256_andnot_si256(_mm256_set1_epi16(0xFF), a), b);
  return _mm256_add_epi32(sum, _mm256_add_epi32(_mm256_madd_epi16(even, ones), _mm256_madd_epi16(odd, ones)));
}

#define RK_DOT(sum, a, b) (vector) dot_of_bytes((__m256i)(sum), (__m256i)(a), (__m256i)(b))
#include "IntegerTile.h"
#endif
