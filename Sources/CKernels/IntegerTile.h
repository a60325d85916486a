// The tiles of the integer product, compiled per instruction set.
//
// The including file defines
//   RK_LANES   32-bit numbers in a vector
//   RK_ROWS    most rows of a tile of two vectors
//   RK_TARGET  the function attribute that switches the instructions on (may be empty)
//   RK_DOT     (sum, a, b): adds to each lane the four products of unsigned bytes of a with signed bytes of b
//   RK_KERNELS the name of the table that this makes
//   RK_SET     the name of the instruction set, a string
//
// The sums are of integers: no order of adding changes them.

#include "CKernels.h"

#include <string.h>

#define RK_INLINE static inline __attribute__((always_inline)) RK_TARGET
#define RK_PANEL (2 * RK_LANES)

typedef int32_t vector __attribute__((ext_vector_type(RK_LANES)));
typedef int32_t unaligned_vector __attribute__((ext_vector_type(RK_LANES), aligned(4)));

// The next four bytes of a row, or what is left of it; the packed side has zeros for the rest.
RK_INLINE int32_t four(const uint8_t *p, long left, int32_t flip) {
  int32_t bytes = 0;
  if (left >= 4) {
    memcpy(&bytes, p, 4);
  } else {
    for (long i = 0; i < left; i++) bytes |= (int32_t)p[i] << (8 * i);
  }
  return bytes ^ flip;
}

RK_INLINE void multiply_tile(
    const int rows, long depth, const uint8_t *a, long a_row, int32_t flip, const int8_t *b, int32_t *c, long c_row) {
  vector sum[RK_ROWS][2];
#pragma clang loop unroll(full)
  for (int i = 0; i < rows; i++) sum[i][0] = sum[i][1] = (vector)0;
  const long whole = depth / 4 * 4;
  for (long k = 0; k < whole; k += 4) {
    const vector left = *(const unaligned_vector *)b, right = *(const unaligned_vector *)(b + 4 * RK_LANES);
    b += 4 * RK_PANEL;
#pragma clang loop unroll(full)
    for (int i = 0; i < rows; i++) {
      int32_t bytes;
      memcpy(&bytes, a + i * a_row + k, 4);
      const vector factor = (vector)(bytes ^ flip);
      sum[i][0] = RK_DOT(sum[i][0], factor, left);
      sum[i][1] = RK_DOT(sum[i][1], factor, right);
    }
  }
  if (whole < depth) {
    const vector left = *(const unaligned_vector *)b, right = *(const unaligned_vector *)(b + 4 * RK_LANES);
#pragma clang loop unroll(full)
    for (int i = 0; i < rows; i++) {
      const vector factor = (vector)four(a + i * a_row + whole, depth - whole, flip);
      sum[i][0] = RK_DOT(sum[i][0], factor, left);
      sum[i][1] = RK_DOT(sum[i][1], factor, right);
    }
  }
#pragma clang loop unroll(full)
  for (int i = 0; i < rows; i++) {
    *(unaligned_vector *)(c + i * c_row) = sum[i][0];
    *(unaligned_vector *)(c + i * c_row + RK_LANES) = sum[i][1];
  }
}

#define RK_TILE(rows)                                                                                             \
  RK_TARGET static void tile_##rows(                                                                              \
      long depth, const uint8_t *a, long a_row, int32_t flip, const int8_t *b, int32_t *c, long c_row) {          \
    multiply_tile(rows, depth, a, a_row, flip, b, c, c_row);                                                      \
  }
RK_TILE(1)
RK_TILE(2)
RK_TILE(3)
RK_TILE(4)
#if RK_ROWS > 4
RK_TILE(5)
RK_TILE(6)
RK_TILE(7)
RK_TILE(8)
RK_TILE(9)
RK_TILE(10)
RK_TILE(11)
RK_TILE(12)
#endif

typedef void tile_function(
    long depth, const uint8_t *a, long a_row, int32_t flip, const int8_t *b, int32_t *c, long c_row);

static tile_function *const tiles[RK_ROWS] = {
    tile_1, tile_2, tile_3, tile_4,
#if RK_ROWS > 4
    tile_5, tile_6, tile_7, tile_8, tile_9, tile_10, tile_11, tile_12,
#endif
};

RK_TARGET static void block(
    long rows, long panels, long depth, const uint8_t *a, long a_row, int flip, const int8_t *b, long panel_stride,
    int32_t *c, long c_row) {
  // Adding 128 to a signed byte is flipping its highest bit.
  const int32_t mask = flip ? (int32_t)0x80808080u : 0;
  for (long panel = 0; panel < panels; panel++)
    tiles[rows - 1](depth, a, a_row, mask, b + panel * panel_stride, c + panel * RK_PANEL, c_row);
}

RK_TARGET static void pack(
    long depth, long columns, const uint8_t *source, long source_row, int flip, int8_t *panel, int32_t *sums) {
  for (long j = 0; j < RK_PANEL; j++) sums[j] = 0;
  const int8_t mask = (int8_t)(flip ? 0x80 : 0);
  for (long k = 0; k < depth; k += 4, panel += 4 * RK_PANEL) {
    for (long j = 0; j < RK_PANEL; j++)
      for (long i = 0; i < 4; i++) {
        const int8_t value =
            j < columns && k + i < depth ? (int8_t)(source[(k + i) * source_row + j] ^ (uint8_t)mask) : (int8_t)0;
        panel[4 * j + i] = value;
        sums[j] += value;
      }
  }
}

const rk_integer_kernels RK_KERNELS = {RK_SET, RK_PANEL, RK_ROWS, pack, block};
