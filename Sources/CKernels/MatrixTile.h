// The register tiles of the matrix product, written once with vector extensions and compiled per instruction set.
//
// The including file defines
//   RK_LANES   floats in a vector
//   RK_ROWS    most rows of a tile: RK_ROWS * 2 accumulators + 2 vectors of q + a broadcast must fit the registers
//   RK_TARGET  the function attribute that switches the instructions on (may be empty)
//   RK_KERNELS the name of the table that this makes
//   RK_SET     the name of the instruction set, a string
//
// Every element of c is one chain of multiply-adds over k in ascending order, in every tile of every table:
// how a product is cut into tiles, and by how many threads, cannot change a bit of it.

#include "CKernels.h"

#pragma clang fp contract(fast)

typedef float vector __attribute__((ext_vector_type(RK_LANES)));
typedef float unaligned_vector __attribute__((ext_vector_type(RK_LANES), aligned(4)));

#define RK_INLINE static inline __attribute__((always_inline)) RK_TARGET

RK_INLINE vector load(const float *p) { return *(const unaligned_vector *)p; }
RK_INLINE void store(float *p, vector v) { *(unaligned_vector *)p = v; }

// c[rows, columns] = alpha * p·q + beta * c. `rows` and `vectors` are constants in each instance, so the loops over
// them vanish and `sum` lives in registers.
RK_INLINE void multiply_tile(
    const int rows, const int vectors, long depth, const float *p, long p_row, long p_step, const float *q, long q_step,
    float *c, long c_row, long columns, float alpha, float beta) {
  vector sum[RK_ROWS][2];
#pragma clang loop unroll(full)
  for (int i = 0; i < rows; i++)
#pragma clang loop unroll(full)
    for (int j = 0; j < vectors; j++) sum[i][j] = (vector)0.0f;

  for (long k = 0; k < depth; k++) {
    vector row[2];
#pragma clang loop unroll(full)
    for (int j = 0; j < vectors; j++) row[j] = load(q + j * RK_LANES);
#pragma clang loop unroll(full)
    for (int i = 0; i < rows; i++) {
      const vector factor = (vector)p[i * p_row];
#pragma clang loop unroll(full)
      for (int j = 0; j < vectors; j++) sum[i][j] += factor * row[j];
    }
    p += p_step;
    q += q_step;
  }

  if (columns == vectors * RK_LANES) {
#pragma clang loop unroll(full)
    for (int i = 0; i < rows; i++)
#pragma clang loop unroll(full)
      for (int j = 0; j < vectors; j++) {
        float *target = c + i * c_row + j * RK_LANES;
        vector value = alpha * sum[i][j];
        if (beta != 0) value += beta * load(target);
        store(target, value);
      }
  } else {
#pragma clang loop unroll(full)
    for (int i = 0; i < rows; i++) {
      float line[2 * RK_LANES];
#pragma clang loop unroll(full)
      for (int j = 0; j < vectors; j++) store(line + j * RK_LANES, alpha * sum[i][j]);
      for (long j = 0; j < columns; j++) {
        float *target = c + i * c_row + j;
        *target = beta != 0 ? line[j] + beta * *target : line[j];
      }
    }
  }
}

#define RK_TILE(rows, vectors)                                                                                    \
  RK_TARGET static void tile_##rows##_##vectors(                                                                  \
      long depth, const float *p, long p_row, long p_step, const float *q, long q_step, float *c, long c_row,     \
      long columns, float alpha, float beta) {                                                                    \
    multiply_tile(rows, vectors, depth, p, p_row, p_step, q, q_step, c, c_row, columns, alpha, beta);             \
  }
#define RK_TILE_PAIR(rows) RK_TILE(rows, 1) RK_TILE(rows, 2)
RK_TILE_PAIR(1)
RK_TILE_PAIR(2)
RK_TILE_PAIR(3)
RK_TILE_PAIR(4)
RK_TILE_PAIR(5)
RK_TILE_PAIR(6)
#if RK_ROWS > 6
RK_TILE_PAIR(7)
RK_TILE_PAIR(8)
RK_TILE_PAIR(9)
RK_TILE_PAIR(10)
RK_TILE_PAIR(11)
RK_TILE_PAIR(12)
RK_TILE_PAIR(13)
RK_TILE_PAIR(14)
#endif

typedef void tile_function(
    long depth, const float *p, long p_row, long p_step, const float *q, long q_step, float *c, long c_row,
    long columns, float alpha, float beta);

#define RK_TILE_NAMES(rows) {tile_##rows##_1, tile_##rows##_2}
static tile_function *const tiles[RK_ROWS][2] = {
    RK_TILE_NAMES(1),  RK_TILE_NAMES(2),  RK_TILE_NAMES(3),  RK_TILE_NAMES(4), RK_TILE_NAMES(5), RK_TILE_NAMES(6),
#if RK_ROWS > 6
    RK_TILE_NAMES(7),  RK_TILE_NAMES(8),  RK_TILE_NAMES(9),  RK_TILE_NAMES(10), RK_TILE_NAMES(11), RK_TILE_NAMES(12),
    RK_TILE_NAMES(13), RK_TILE_NAMES(14),
#endif
};

#define RK_PANEL (2 * RK_LANES)

RK_TARGET static void block(
    long rows, long columns, long depth, const float *p, long p_row, long p_step, const float *q, long q_panel,
    long q_step, float *c, long c_row, float alpha, float beta) {
  for (long column = 0; column < columns; column += RK_PANEL) {
    const long width = columns - column < RK_PANEL ? columns - column : RK_PANEL;
    tiles[rows - 1][width > RK_LANES](
        depth, p, p_row, p_step, q + column / RK_PANEL * q_panel, q_step, c + column, c_row, width, alpha, beta);
  }
}

RK_TARGET static void pack(long depth, long columns, const float *source, long source_row, float *panel) {
  if (columns == RK_PANEL) {
    for (long k = 0; k < depth; k++) {
      store(panel + k * RK_PANEL, load(source + k * source_row));
      store(panel + k * RK_PANEL + RK_LANES, load(source + k * source_row + RK_LANES));
    }
  } else {
    for (long k = 0; k < depth; k++) {
      float *line = panel + k * RK_PANEL;
      for (long j = 0; j < columns; j++) line[j] = source[k * source_row + j];
      for (long j = columns; j < RK_PANEL; j++) line[j] = 0;
    }
  }
}

// Transposes of 8 x 8 numbers in registers, whatever the vector's width.
typedef float eight __attribute__((ext_vector_type(8)));
typedef float unaligned_eight __attribute__((ext_vector_type(8), aligned(4)));

#define RK_INTERLEAVE_LOW(a, b) __builtin_shufflevector(a, b, 0, 8, 1, 9, 4, 12, 5, 13)
#define RK_INTERLEAVE_HIGH(a, b) __builtin_shufflevector(a, b, 2, 10, 3, 11, 6, 14, 7, 15)
#define RK_PAIRS_LOW(a, b) __builtin_shufflevector(a, b, 0, 1, 8, 9, 4, 5, 12, 13)
#define RK_PAIRS_HIGH(a, b) __builtin_shufflevector(a, b, 2, 3, 10, 11, 6, 7, 14, 15)
#define RK_HALVES_LOW(a, b) __builtin_shufflevector(a, b, 0, 1, 2, 3, 8, 9, 10, 11)
#define RK_HALVES_HIGH(a, b) __builtin_shufflevector(a, b, 4, 5, 6, 7, 12, 13, 14, 15)

RK_INLINE void transpose_8x8(const float *source, long source_row, float *target, long target_row, float beta) {
  eight r[8], s[8];
#pragma clang loop unroll(full)
  for (int i = 0; i < 8; i++) r[i] = *(const unaligned_eight *)(source + i * source_row);
#pragma clang loop unroll(full)
  for (int i = 0; i < 8; i += 2) {
    s[i] = RK_INTERLEAVE_LOW(r[i], r[i + 1]);
    s[i + 1] = RK_INTERLEAVE_HIGH(r[i], r[i + 1]);
  }
#pragma clang loop unroll(full)
  for (int i = 0; i < 8; i += 4) {
    r[i] = RK_PAIRS_LOW(s[i], s[i + 2]);
    r[i + 1] = RK_PAIRS_HIGH(s[i], s[i + 2]);
    r[i + 2] = RK_PAIRS_LOW(s[i + 1], s[i + 3]);
    r[i + 3] = RK_PAIRS_HIGH(s[i + 1], s[i + 3]);
  }
#pragma clang loop unroll(full)
  for (int i = 0; i < 4; i++) {
    s[i] = RK_HALVES_LOW(r[i], r[i + 4]);
    s[i + 4] = RK_HALVES_HIGH(r[i], r[i + 4]);
  }
#pragma clang loop unroll(full)
  for (int i = 0; i < 8; i++) {
    float *line = target + i * target_row;
    if (beta != 0) s[i] += beta * *(const unaligned_eight *)line;
    *(unaligned_eight *)line = s[i];
  }
}

RK_TARGET static void transpose(
    long rows, long columns, const float *source, long source_row, float *target, long target_row, float beta) {
  const long whole_rows = rows / 8 * 8, whole_columns = columns / 8 * 8;
  for (long j = 0; j < whole_columns; j += 8)
    for (long i = 0; i < whole_rows; i += 8)
      transpose_8x8(source + i * source_row + j, source_row, target + j * target_row + i, target_row, beta);
  for (long j = 0; j < columns; j++)
    for (long i = j < whole_columns ? whole_rows : 0; i < rows; i++) {
      float *element = target + j * target_row + i;
      *element = source[i * source_row + j] + (beta != 0 ? beta * *element : 0);
    }
}

RK_TARGET static void pack_transposed(long depth, long columns, const float *source, long source_row, float *panel) {
  const long whole_columns = columns / 8 * 8, whole_depth = depth / 8 * 8;
  for (long k = 0; k < whole_depth; k += 8)
    for (long j = 0; j < whole_columns; j += 8)
      transpose_8x8(source + j * source_row + k, source_row, panel + k * RK_PANEL + j, RK_PANEL, 0);
  for (long k = 0; k < depth; k++) {
    float *line = panel + k * RK_PANEL;
    for (long j = k < whole_depth ? whole_columns : 0; j < columns; j++) line[j] = source[j * source_row + k];
    for (long j = columns; j < RK_PANEL; j++) line[j] = 0;
  }
}

RK_TARGET static void gather(long depth, long columns, const float *source, long source_row, float *target) {
  const float *end = depth > 0 ? source + (depth - 1) * source_row + columns : source;
  for (long k = 0; k < depth; k++) {
    const float *line = source + k * source_row;
    if (end - line >= 16) {
#pragma clang loop unroll(full)
      for (int j = 0; j < 16; j += RK_LANES) store(target + k * 16 + j, load(line + j));
    } else {
      for (long j = 0; j < columns; j++) target[k * 16 + j] = line[j];
    }
  }
}

RK_INLINE float sum_lanes(vector v) {
  float lane[RK_LANES];
  store(lane, v);
#pragma clang loop unroll(full)
  for (int width = RK_LANES / 2; width > 0; width /= 2)
#pragma clang loop unroll(full)
    for (int i = 0; i < width; i++) lane[i] += lane[i + width];
  return lane[0];
}

// Each dot product has a vector of partial sums and adds them up in one order, in every instance.
RK_INLINE void dots_tile(
    const int rows, const int columns, long depth, const float *a, long a_row, const float *b, long b_row, float *c,
    long c_row, long c_column, float alpha, float beta) {
  vector sum[4][4];
#pragma clang loop unroll(full)
  for (int i = 0; i < rows; i++)
#pragma clang loop unroll(full)
    for (int j = 0; j < columns; j++) sum[i][j] = (vector)0.0f;
  long k = 0;
  for (; k + RK_LANES <= depth; k += RK_LANES) {
    vector left[4];
#pragma clang loop unroll(full)
    for (int i = 0; i < rows; i++) left[i] = load(a + i * a_row + k);
#pragma clang loop unroll(full)
    for (int j = 0; j < columns; j++) {
      const vector right = load(b + j * b_row + k);
#pragma clang loop unroll(full)
      for (int i = 0; i < rows; i++) sum[i][j] += left[i] * right;
    }
  }
#pragma clang loop unroll(full)
  for (int i = 0; i < rows; i++)
#pragma clang loop unroll(full)
    for (int j = 0; j < columns; j++) {
      float dot = sum_lanes(sum[i][j]);
      for (long rest = k; rest < depth; rest++) dot += a[i * a_row + rest] * b[j * b_row + rest];
      float *element = c + i * c_row + j * c_column;
      *element = alpha * dot + (beta != 0 ? beta * *element : 0);
    }
}

RK_TARGET static void dots(
    long rows, long columns, long depth, const float *a, long a_row, const float *b, long b_row, float *c, long c_row,
    long c_column, float alpha, float beta) {
  long i = 0;
  for (; i + 4 <= rows; i += 4) {
    const float *left = a + i * a_row;
    float *line = c + i * c_row;
    long j = 0;
    for (; j + 4 <= columns; j += 4)
      dots_tile(
          4, 4, depth, left, a_row, b + j * b_row, b_row, line + j * c_column, c_row, c_column, alpha, beta);
    for (; j < columns; j++)
      dots_tile(
          4, 1, depth, left, a_row, b + j * b_row, b_row, line + j * c_column, c_row, c_column, alpha, beta);
  }
  for (; i < rows; i++) {
    const float *left = a + i * a_row;
    float *line = c + i * c_row;
    long j = 0;
    for (; j + 4 <= columns; j += 4)
      dots_tile(
          1, 4, depth, left, a_row, b + j * b_row, b_row, line + j * c_column, c_row, c_column, alpha, beta);
    for (; j < columns; j++)
      dots_tile(
          1, 1, depth, left, a_row, b + j * b_row, b_row, line + j * c_column, c_row, c_column, alpha, beta);
  }
}

const rk_matrix_kernels RK_KERNELS = {RK_SET, RK_PANEL, RK_ROWS, block, pack, pack_transposed, gather, transpose, dots};
