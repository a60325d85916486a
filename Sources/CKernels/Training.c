// Dropout, rows of tables, and the optimizers' updates.

#include "TrainingLoops.h"

// Philox 4x32-10 on 16 counters at once. Of the 64 numbers of block `b`, number `16 w + l` is word `w` of counter
// `16 b + l`: so that words are stored side by side.
enum { lanes = 16, block_size = 4 * lanes };

static inline __attribute__((always_inline)) void philox_block(
    uint64_t seed, uint64_t stream, uint64_t block, uint32_t out[block_size]) {
  uint32_t a[lanes], b[lanes], c[lanes], d[lanes];
  for (int l = 0; l < lanes; l++) {
    const uint64_t counter = block * lanes + (uint64_t)l;
    a[l] = (uint32_t)counter;
    b[l] = (uint32_t)(counter >> 32);
    c[l] = (uint32_t)stream;
    d[l] = (uint32_t)(stream >> 32);
  }
  uint32_t key0 = (uint32_t)seed, key1 = (uint32_t)(seed >> 32);
  for (int round = 0; round < 10; round++) {
    for (int l = 0; l < lanes; l++) {
      const uint64_t first = (uint64_t)0xD2511F53u * a[l], second = (uint64_t)0xCD9E8D57u * c[l];
      const uint32_t new_a = (uint32_t)(second >> 32) ^ b[l] ^ key0;
      const uint32_t new_c = (uint32_t)(first >> 32) ^ d[l] ^ key1;
      b[l] = (uint32_t)second;
      d[l] = (uint32_t)first;
      a[l] = new_a;
      c[l] = new_c;
    }
    key0 += 0x9E3779B9u;
    key1 += 0xBB67AE85u;
  }
  for (int l = 0; l < lanes; l++) {
    out[l] = a[l];
    out[lanes + l] = b[l];
    out[2 * lanes + l] = c[l];
    out[3 * lanes + l] = d[l];
  }
}

RK_CLONES void rk_uniform(long count, uint64_t seed, uint64_t stream, uint64_t first, float *y) {
  uint32_t random[block_size];
  for (long done = 0; done < count;) {
    const uint64_t number = first + (uint64_t)done;
    const long skip = (long)(number % block_size);
    const long width = count - done < block_size - skip ? count - done : block_size - skip;
    philox_block(seed, stream, number / block_size, random);
    for (long i = 0; i < width; i++) y[done + i] = (float)(int32_t)(random[skip + i] >> 8) * 0x1p-24f;
    done += width;
  }
}

// Kept where the number's upper 24 bits are at least the ratio's share of 2^24.
static inline uint32_t dropout_threshold(float ratio) { return (uint32_t)(ratio * 0x1p24f); }

RK_CLONES void rk_dropout(
    long count, float ratio, uint64_t seed, uint64_t stream, uint64_t first, const float *x, float *y,
    uint8_t *mask) {
  const float scale = 1.0f / (1.0f - ratio);
  const uint32_t threshold = dropout_threshold(ratio);
  uint32_t random[block_size];
  for (long done = 0; done < count;) {
    const uint64_t number = first + (uint64_t)done;
    const long skip = (long)(number % block_size);
    const long width = count - done < block_size - skip ? count - done : block_size - skip;
    philox_block(seed, stream, number / block_size, random);
    const float *input = x + done;
    float *output = y + done;
    RK_LOOP for (long i = 0; i < width; i++)
      output[i] = (random[skip + i] >> 8) >= threshold ? input[i] * scale : 0.0f;
    if (mask) {
      for (long i = 0; i < width; i++) mask[done + i] = (random[skip + i] >> 8) >= threshold;
    }
    done += width;
  }
}

RK_CLONES void rk_dropout_mask(
    long count, float ratio, uint64_t seed, uint64_t stream, uint64_t first, uint8_t *mask) {
  const uint32_t threshold = dropout_threshold(ratio);
  uint32_t random[block_size];
  for (long done = 0; done < count;) {
    const uint64_t number = first + (uint64_t)done;
    const long skip = (long)(number % block_size);
    const long width = count - done < block_size - skip ? count - done : block_size - skip;
    philox_block(seed, stream, number / block_size, random);
    for (long i = 0; i < width; i++) mask[done + i] = (random[skip + i] >> 8) >= threshold;
    done += width;
  }
}

RK_CLONES void rk_dropout_gradient(long count, float scale, const float *dy, const uint8_t *mask, float *dx) {
  RK_LOOP for (long i = 0; i < count; i++) dx[i] = mask[i] ? dy[i] * scale : 0.0f;
}

void rk_gather_rows(
    long count, const int64_t *indices, long columns, const float *table, long table_row, float *y) {
  for (long i = 0; i < count; i++, y += columns)
    memcpy(y, table + indices[i] * table_row, (size_t)columns * sizeof(float));
}

RK_CLONES void rk_scatter_add_rows(
    long count, const int64_t *indices, long columns, const float *rows, long rows_row, float *table,
    long table_row) {
  for (long i = 0; i < count; i++) {
    const float *row = rows + i * rows_row;
    float *target = table + indices[i] * table_row;
    RK_LOOP for (long j = 0; j < columns; j++) target[j] += row[j];
  }
}

void rk_transpose(long rows, long columns, const float *x, long x_row, float *y, long y_row) {
  const rk_matrix_kernels *kernels = rk_matrix_kernels_best();
  // Blocks of which a part of a cache line of both sides stays until its rest is wanted.
  for (long i = 0; i < rows; i += 64) {
    const long height = rows - i < 64 ? rows - i : 64;
    for (long j = 0; j < columns; j += 64) {
      const long width = columns - j < 64 ? columns - j : 64;
      kernels->transpose(height, width, x + i * x_row + j, x_row, y + j * y_row + i, y_row, 0);
    }
  }
}

void rk_copy_strided(long rows, long columns, const float *x, long x_row, long x_column, float *y, long y_row) {
  for (long i = 0; i < rows; i++, x += x_row, y += y_row) {
    if (x_column == 1) {
      memcpy(y, x, (size_t)columns * sizeof(float));
    } else {
      for (long j = 0; j < columns; j++) y[j] = x[j * x_column];
    }
  }
}

RK_CLONES void rk_adam_update(const rk_adam *step, long count, const float *gradient, float *p, float *m, float *v) {
  adam_loop(step, count, gradient, p, m, v);
}

RK_CLONES void rk_adam_update_rows(
    const rk_adam *step, long count, const int64_t *indices, long columns, const float *gradient, float *p, float *m,
    float *v) {
  for (long i = 0; i < count; i++) {
    const long start = indices[i] * columns;
    adam_loop(step, columns, gradient + i * columns, p + start, m + start, v + start);
  }
}

RK_CLONES void rk_sgd_update(const rk_sgd *step, long count, const float *gradient, float *p, float *b) {
  sgd_loop(step, count, gradient, p, b);
}

RK_CLONES void rk_sgd_update_rows(
    const rk_sgd *step, long count, const int64_t *indices, long columns, const float *gradient, float *p, float *b) {
  for (long i = 0; i < count; i++) {
    const long start = indices[i] * columns;
    sgd_loop(step, columns, gradient + i * columns, p + start, b ? b + start : b);
  }
}
