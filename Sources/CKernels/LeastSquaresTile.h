// The solvers of many small least-squares problems, written once with vector extensions and compiled per instruction
// set. What each one computes: `CKernelsLeastSquares.h`.
//
// The including file defines
//   RK_LANES    floats in a vector
//   RK_VECTORS  most vectors of a tile's row, at most 4
//   RK_ROWS_n   rows of a tile of n vectors, at most 8: its sums and a row of vectors fit the registers
//   RK_TARGET   the function attribute that switches the instructions on (may be empty)
//   RK_KERNELS  the name of the table that this makes
//   RK_SET      the name of the instruction set, a string
//
// A row's entries are gathered into panels of a few dozen, which stay in the L1 cache while tiles of sums pass over
// them; only the lower triangle is summed. The matrix is then factored from its last row to its first, `A = LᵀL`, so
// that every row of the triangle is whole vectors from column 0 on and nothing has to move across a vector's lanes.
// Lanes above the diagonal and past the last factor hold numbers that nobody reads.

#include "CKernels.h"

#pragma clang fp contract(fast)

typedef float vector __attribute__((ext_vector_type(RK_LANES)));
typedef float unaligned_vector __attribute__((ext_vector_type(RK_LANES), aligned(4)));
typedef float four __attribute__((ext_vector_type(4)));
typedef float unaligned_four __attribute__((ext_vector_type(4), aligned(4)));

#define RK_INLINE static inline __attribute__((always_inline)) RK_TARGET
#define RK_UNROLL _Pragma("clang loop unroll(full)")

RK_INLINE vector load(const float *p) { return *(const unaligned_vector *)p; }
RK_INLINE void store(float *p, vector v) { *(unaligned_vector *)p = v; }
RK_INLINE four load_four(const float *p) { return *(const unaligned_four *)p; }

// Four numbers, each in a quarter of the lanes, and back.
#if RK_LANES == 16
#define RK_SPREAD(v) __builtin_shufflevector(v, v, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3)
#define RK_QUARTER(v, r)                                                                                           \
  __builtin_shufflevector(                                                                                         \
      v, v, 4 * r, 4 * r + 1, 4 * r + 2, 4 * r + 3, 4 * r, 4 * r + 1, 4 * r + 2, 4 * r + 3, 4 * r, 4 * r + 1,      \
      4 * r + 2, 4 * r + 3, 4 * r, 4 * r + 1, 4 * r + 2, 4 * r + 3)
#elif RK_LANES == 8
#define RK_SPREAD(v) __builtin_shufflevector(v, v, 0, 0, 1, 1, 2, 2, 3, 3)
#define RK_QUARTER(v, r) ((vector)v[2 * r])
#else
#define RK_SPREAD(v) (v)
#define RK_QUARTER(v, r) ((vector)v[r])
#endif
RK_INLINE four gathered(vector v) {
  return __builtin_shufflevector(v, v, 0, RK_LANES / 4, RK_LANES / 2, 3 * RK_LANES / 4);
}

// The sum of the lanes of each of four vectors, each in a quarter of the lanes.
RK_INLINE vector spread_sums_of(vector a, vector b, vector c, vector d) {
#if RK_LANES == 16
#define RK_JOINED(v, w)                                                                     \
  (__builtin_shufflevector(v, w, 0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 20, 21, 22, 23) + \
   __builtin_shufflevector(v, w, 8, 9, 10, 11, 12, 13, 14, 15, 24, 25, 26, 27, 28, 29, 30, 31))
  const vector ab = RK_JOINED(a, b), cd = RK_JOINED(c, d);
  // Four lanes for each of the four, then two, then one.
  vector all = __builtin_shufflevector(ab, cd, 0, 1, 2, 3, 8, 9, 10, 11, 16, 17, 18, 19, 24, 25, 26, 27) +
               __builtin_shufflevector(ab, cd, 4, 5, 6, 7, 12, 13, 14, 15, 20, 21, 22, 23, 28, 29, 30, 31);
  all += __builtin_shufflevector(all, all, 2, 3, 0, 1, 6, 7, 4, 5, 10, 11, 8, 9, 14, 15, 12, 13);
  return all + __builtin_shufflevector(all, all, 1, 0, 3, 2, 5, 4, 7, 6, 9, 8, 11, 10, 13, 12, 15, 14);
#else
#if RK_LANES == 8
#define RK_HALVES(v) \
  (__builtin_shufflevector(v, v, 0, 1, 2, 3) + __builtin_shufflevector(v, v, 4, 5, 6, 7))
#else
#define RK_HALVES(v) v
#endif
  const four a4 = RK_HALVES(a), b4 = RK_HALVES(b), c4 = RK_HALVES(c), d4 = RK_HALVES(d);
  const four ab = __builtin_shufflevector(a4, b4, 0, 4, 2, 6) + __builtin_shufflevector(a4, b4, 1, 5, 3, 7);
  const four cd = __builtin_shufflevector(c4, d4, 0, 4, 2, 6) + __builtin_shufflevector(c4, d4, 1, 5, 3, 7);
  const four sums = __builtin_shufflevector(ab, cd, 0, 1, 4, 5) + __builtin_shufflevector(ab, cd, 2, 3, 6, 7);
  return RK_SPREAD(sums);
#endif
}

RK_INLINE four sums_of(vector a, vector b, vector c, vector d) { return gathered(spread_sums_of(a, b, c, d)); }

// MARK: Memory

// Entries of a panel: with 64 factors, 16 KB. Floats beyond a buffer that a whole vector or tile may touch.
enum { panel_entries = 64, slack = 16 };

RK_INLINE long whole_vectors(long count) { return (count + RK_LANES - 1) / RK_LANES * RK_LANES; }
RK_INLINE long smaller_of(long a, long b) { return a < b ? a : b; }

// One row's matrix `[block, stride]` and right-hand side; once factored, the reciprocals of L's diagonal.
typedef struct equations {
  float *matrix, *right, *inverse;
} equations;

// The parts of a solver's scratch.
typedef struct workspace {
  // Floats from one row of a matrix or a panel to the next.
  long stride;
  // Gathered rows, and the same times their weights.
  float *plain, *weighted;
  // Two, whose factorisations go on side by side: each waits much for its own last result.
  equations systems[2];
  // Rows of all factors.
  float *solution, *right, *residual, *direction, *image;
  // A number for each entry of a row.
  float *predicted;
  // Panels of a row's entries, gathered once for all steps of conjugate gradient, and how many there is room for.
  float *kept;
  long kept_panels;
} workspace;

// What conjugate gradient keeps of a row's entries: half of a second-level cache, so that they come back sooner than
// from where they lie scattered.
enum { kept_floats = 1 << 17 };

RK_TARGET static long laid_out(workspace *w, float *base, long factors, long block, long longest_row) {
  long used = 0;
#define RK_PLACE(part, count)                     \
  {                                               \
    w->part = base ? base + used : 0;             \
    used += ((count) + slack + 15) / 16 * 16;     \
  }
  const long row = whole_vectors(factors);
  w->stride = whole_vectors(block);
  RK_PLACE(plain, panel_entries * w->stride)
  RK_PLACE(weighted, panel_entries * w->stride)
  for (int i = 0; i < 2; i++) {
    RK_PLACE(systems[i].matrix, (block + 8) * w->stride)
    RK_PLACE(systems[i].right, w->stride)
    RK_PLACE(systems[i].inverse, w->stride)
  }
  RK_PLACE(solution, row)
  RK_PLACE(right, row)
  RK_PLACE(residual, row)
  RK_PLACE(direction, row)
  RK_PLACE(image, row)
  RK_PLACE(predicted, longest_row)
  w->kept_panels = kept_floats / (panel_entries * row);
  RK_PLACE(kept, (w->kept_panels + 1) * panel_entries * row)
  return used;
}

RK_TARGET static long scratch_count(long factors, long block, long longest_row) {
  workspace w;
  return laid_out(&w, 0, factors, block, longest_row);
}

// Prepared: `unobserved YᵀY`, its rows padded to whole vectors; after it the last rows of `y`, because a vector that
// starts in them may end outside `y`.
RK_INLINE long kept_rows(long factors, long rows) { return smaller_of(rows, slack / factors + 1); }

RK_TARGET static long prepared_count(long factors) {
  return factors * whole_vectors(factors) + slack + 2 * factors + 2 * slack;
}

RK_TARGET static void prepare(
    long factors, long other_rows, const float *y, const float *gram, float unobserved, float *prepared) {
  const long stride = whole_vectors(factors), kept = kept_rows(factors, other_rows) * factors;
  for (long i = 0; i < prepared_count(factors); i++) prepared[i] = 0;
  for (long i = 0; i < factors; i++)
    for (long j = 0; j < factors; j++) prepared[i * stride + j] = unobserved * gram[i * factors + j];
  for (long i = 0; i < kept; i++) prepared[factors * stride + i] = y[other_rows * factors - kept + i];
}

RK_INLINE const float *row_of_other(const rk_least_squares *problem, long row) {
  const long factors = problem->factors;
  const long first_kept = problem->other_rows - kept_rows(factors, problem->other_rows);
  return row < first_kept ? problem->y + row * factors
                          : problem->prepared + factors * whole_vectors(factors) + (row - first_kept) * factors;
}

// Some entries of a row: where their rows of `y` are, their confidences.
typedef struct entry_panel {
  long count;
  const float *rows[panel_entries];
  float confidences[panel_entries];
} entry_panel;

RK_INLINE void find(const rk_least_squares *problem, long first, long count, entry_panel *panel) {
  panel->count = count;
  for (long e = 0; e < count; e++) {
    panel->rows[e] = row_of_other(problem, problem->columns[first + e]);
    panel->confidences[e] = problem->confidences[problem->uniform ? 0 : first + e];
  }
}

// MARK: Summing a matrix

// a[rows, vectors] (+)= pᵀq over the entries of a panel. Rows and vectors are constants in each instance.
RK_INLINE void sum_tile(
    const int rows, const int vectors, long entries, const float *p, const float *q, long stride, float *a,
    int is_first) {
  vector sum[8][4];
  RK_UNROLL for (int i = 0; i < rows; i++)
    RK_UNROLL for (int j = 0; j < vectors; j++)
      sum[i][j] = is_first ? (vector)0.0f : load(a + i * stride + j * RK_LANES);
  for (long k = 0; k < entries; k++) {
    vector right[4];
    RK_UNROLL for (int j = 0; j < vectors; j++) right[j] = load(q + j * RK_LANES);
    RK_UNROLL for (int i = 0; i < rows; i++) {
      const vector left = (vector)p[i];
      RK_UNROLL for (int j = 0; j < vectors; j++) sum[i][j] += left * right[j];
    }
    p += stride;
    q += stride;
  }
  RK_UNROLL for (int i = 0; i < rows; i++)
    RK_UNROLL for (int j = 0; j < vectors; j++) store(a + i * stride + j * RK_LANES, sum[i][j]);
}

typedef void sum_function(long entries, const float *p, const float *q, long stride, float *a, int is_first);
#define RK_SUM_TILE(vectors)                                                                                  \
  RK_TARGET static void sum_tile_##vectors(                                                                   \
      long entries, const float *p, const float *q, long stride, float *a, int is_first) {                    \
    sum_tile(RK_ROWS_##vectors, vectors, entries, p, q, stride, a, is_first);                                 \
  }
RK_SUM_TILE(1)
RK_SUM_TILE(2)
RK_SUM_TILE(3)
RK_SUM_TILE(4)
static sum_function *const sum_tiles[] = {sum_tile_1, sum_tile_2, sum_tile_3, sum_tile_4};
static const int sum_rows[] = {RK_ROWS_1, RK_ROWS_2, RK_ROWS_3, RK_ROWS_4};

// The lower triangle of `size` rows, in groups of as many rows as a vector has lanes: their rows have as many vectors.
RK_TARGET static void sum_triangle(
    long entries, long size, const float *p, const float *q, long stride, float *a, int is_first) {
  for (long group = 0; group < size; group += RK_LANES) {
    const long end = smaller_of(group + RK_LANES, size), vectors = group / RK_LANES + 1;
    for (long column = 0; column < vectors; column += RK_VECTORS) {
      const long width = smaller_of(vectors - column, RK_VECTORS);
      for (long row = group; row < end; row += sum_rows[width - 1])
        sum_tiles[width - 1](
            entries, p + row, q + column * RK_LANES, stride, a + row * stride + column * RK_LANES, is_first);
    }
  }
}

// Copies some columns of the entries' rows to the panels, and adds the rows times `factors` to the right-hand side.
RK_INLINE void gather_tile(
    const int vectors, const int is_weighted, const entry_panel *panel, long column, const float *weights,
    const float *factors, float *plain, float *weighted, long stride, float *right) {
  vector sum[4];
  RK_UNROLL for (int j = 0; j < vectors; j++) sum[j] = load(right + j * RK_LANES);
  for (long e = 0; e < panel->count; e++) {
    const float *row = panel->rows[e] + column;
    const vector factor = (vector)factors[e], weight = is_weighted ? (vector)weights[e] : (vector)0.0f;
    RK_UNROLL for (int j = 0; j < vectors; j++) {
      const vector value = load(row + j * RK_LANES);
      store(plain + e * stride + j * RK_LANES, value);
      if (is_weighted) store(weighted + e * stride + j * RK_LANES, weight * value);
      sum[j] += factor * value;
    }
  }
  RK_UNROLL for (int j = 0; j < vectors; j++) store(right + j * RK_LANES, sum[j]);
}

typedef void gather_function(
    const entry_panel *panel, long column, const float *weights, const float *factors, float *plain, float *weighted,
    long stride, float *right);
#define RK_GATHER_TILE(vectors)                                                                                    \
  RK_TARGET static void gather_tile_##vectors(                                                                     \
      const entry_panel *panel, long column, const float *weights, const float *factors, float *plain,             \
      float *weighted, long stride, float *right) {                                                                \
    if (weights)                                                                                                   \
      gather_tile(vectors, 1, panel, column, weights, factors, plain, weighted, stride, right);                    \
    else                                                                                                           \
      gather_tile(vectors, 0, panel, column, weights, factors, plain, weighted, stride, right);                    \
  }
RK_GATHER_TILE(1)
RK_GATHER_TILE(2)
RK_GATHER_TILE(3)
RK_GATHER_TILE(4)
static gather_function *const gather_tiles[] = {gather_tile_1, gather_tile_2, gather_tile_3, gather_tile_4};

// The equations of the factors `column ..< column + size` of one row: the matrix, and in `right` the sums of the
// entries' rows times their confidences, less their weighted predictions where there are some.
RK_TARGET static void sum_equations(
    const rk_least_squares *problem, long row, long column, long size, const float *predicted, workspace *w,
    equations *system) {
  const long first = problem->offsets[row], end = problem->offsets[row + 1];
  const long stride = w->stride, vectors = (size + RK_LANES - 1) / RK_LANES;
  float *a = system->matrix;
  for (long j = 0; j < stride; j++) system->right[j] = 0;
  for (long at = first; at < end; at += panel_entries) {
    entry_panel panel;
    float weights[panel_entries], factors[panel_entries];
    find(problem, at, smaller_of(end - at, panel_entries), &panel);
    for (long e = 0; e < panel.count; e++) weights[e] = panel.confidences[e] - problem->unobserved;
    // Two loops: a masked read of a null pointer is no fault but takes the processor very long.
    if (predicted)
      for (long e = 0; e < panel.count; e++)
        factors[e] = panel.confidences[e] - weights[e] * predicted[at - first + e];
    else
      for (long e = 0; e < panel.count; e++) factors[e] = panel.confidences[e];
    for (long j = 0; j < vectors; j += 4)
      gather_tiles[smaller_of(vectors - j, 4) - 1](
          &panel, column + j * RK_LANES, problem->uniform ? 0 : weights, factors, w->plain + j * RK_LANES,
          w->weighted + j * RK_LANES, stride, system->right + j * RK_LANES);
    sum_triangle(panel.count, size, problem->uniform ? w->plain : w->weighted, w->plain, stride, a, at == first);
  }
  // What all rows share, and the regularisation. Equal weights were left out above.
  const float scale = problem->uniform ? problem->confidences[0] - problem->unobserved : 1.0f;
  const long prepared_stride = whole_vectors(problem->factors);
  const float *shared = problem->prepared + column * prepared_stride + column;
  for (long i = 0; i < size; i++) {
    for (long j = 0; j <= i; j += RK_LANES) {
      vector value = load(shared + i * prepared_stride + j);
      if (end > first) value += scale * load(a + i * stride + j);
      store(a + i * stride + j, value);
    }
    a[i * stride + i] += problem->regularization[row];
  }
  // Rows of the identity up to a multiple of four.
  for (long i = size; i % 4 != 0; i++) {
    for (long j = 0; j < stride; j++) a[i * stride + j] = 0;
    a[i * stride + i] = 1;
    system->right[i] = 0;
  }
}

// MARK: Solving

// Four rows of L and of `Lᵀz = right`, given those after them. Returns whether the pivots are positive.
RK_INLINE int factor_four(const equations *system, long stride, long i, long size) {
  float *a = system->matrix + i * stride, *inverse = system->inverse + i, *right = system->right + i;
  const long vectors = i / RK_LANES + 1;
  const float *below = system->matrix + (i + 4) * stride;
  const long count = size - i - 4;
  const float *z = right + 4;

  // Subtract what the later rows bring, a few vectors at a time; the right-hand side with the first.
  four rest = load_four(right);
#define RK_SUBTRACT(width)                                                                              \
  {                                                                                                     \
    vector sum[4][width];                                                                               \
    RK_UNROLL for (int r = 0; r < 4; r++)                                                               \
      RK_UNROLL for (int j = 0; j < width; j++) sum[r][j] = load(a + r * stride + column + j * RK_LANES); \
    const float *line = below;                                                                          \
    for (long k = 0; k < count; k++) {                                                                  \
      RK_UNROLL for (int r = 0; r < 4; r++) {                                                           \
        const vector factor = (vector)line[i + r];                                                      \
        RK_UNROLL for (int j = 0; j < width; j++) sum[r][j] -= factor * load(line + column + j * RK_LANES); \
      }                                                                                                 \
      if (column == 0) rest -= z[k] * load_four(line + i);                                              \
      line += stride;                                                                                   \
    }                                                                                                   \
    RK_UNROLL for (int r = 0; r < 4; r++)                                                               \
      RK_UNROLL for (int j = 0; j < width; j++) store(a + r * stride + column + j * RK_LANES, sum[r][j]); \
  }
  long column = 0;
  for (; column + RK_VECTORS * RK_LANES <= vectors * RK_LANES; column += RK_VECTORS * RK_LANES) RK_SUBTRACT(RK_VECTORS)
  switch (vectors - column / RK_LANES) {
    case 3: RK_SUBTRACT(3) break;
    case 2: RK_SUBTRACT(2) break;
    case 1: RK_SUBTRACT(1) break;
    default: break;
  }

  // The four by four at the diagonal, in scalars: d[r] are its reciprocal pivots, l[r][c] the rest.
  const float *a0 = a + i, *a1 = a0 + stride, *a2 = a1 + stride, *a3 = a2 + stride;
  const float p3 = a3[3], d3 = 1.0f / __builtin_sqrtf(p3);
  const float l32 = a3[2] * d3, l31 = a3[1] * d3, l30 = a3[0] * d3;
  const float p2 = a2[2] - l32 * l32, d2 = 1.0f / __builtin_sqrtf(p2);
  const float l21 = (a2[1] - l32 * l31) * d2, l20 = (a2[0] - l32 * l30) * d2;
  const float p1 = a1[1] - l31 * l31 - l21 * l21, d1 = 1.0f / __builtin_sqrtf(p1);
  const float l10 = (a1[0] - l31 * l30 - l21 * l20) * d1;
  const float p0 = a0[0] - l30 * l30 - l20 * l20 - l10 * l10, d0 = 1.0f / __builtin_sqrtf(p0);
  const float z3 = rest[3] * d3, z2 = (rest[2] - l32 * z3) * d2;
  const float z1 = (rest[1] - l31 * z3 - l21 * z2) * d1;
  const float z0 = (rest[0] - l30 * z3 - l20 * z2 - l10 * z1) * d0;
  *(unaligned_four *)right = (four){z0, z1, z2, z3};
  *(unaligned_four *)inverse = (four){d0, d1, d2, d3};
  for (long j = 0; j < vectors * RK_LANES; j += RK_LANES) {
    float *line = a + j;
    const vector row3 = load(line + 3 * stride) * d3;
    const vector row2 = (load(line + 2 * stride) - l32 * row3) * d2;
    const vector row1 = (load(line + stride) - l31 * row3 - l21 * row2) * d1;
    const vector row0 = (load(line) - l30 * row3 - l20 * row2 - l10 * row1) * d0;
    store(line + 3 * stride, row3);
    store(line + 2 * stride, row2);
    store(line + stride, row1);
    store(line, row0);
  }
  return p3 > 0 && p2 > 0 && p1 > 0 && p0 > 0 && d0 > 0 && d1 > 0 && d2 > 0 && d3 > 0;
}

// Four numbers of the solution of `Lx = z`, where `before` are those of the same vector that are known, else 0.
RK_INLINE four solve_four(const equations *system, const float *x, long stride, long i, vector before) {
  const float *a = system->matrix + i * stride;
  const float *l1 = a + stride + i, *l2 = l1 + stride, *l3 = l2 + stride;
  const long group = i / RK_LANES * RK_LANES;
  vector sum[4];
  RK_UNROLL for (int r = 0; r < 4; r++) sum[r] = load(a + r * stride + group) * before;
  for (long j = 0; j < group; j += RK_LANES) {
    const vector known = load(x + j);
    RK_UNROLL for (int r = 0; r < 4; r++) sum[r] += load(a + r * stride + j) * known;
  }
  const four rest = load_four(system->right + i) - sums_of(sum[0], sum[1], sum[2], sum[3]);
  const four d = load_four(system->inverse + i);
  const float x0 = rest[0] * d[0];
  const float x1 = (rest[1] - l1[0] * x0) * d[1];
  const float x2 = (rest[2] - l2[0] * x0 - l2[1] * x1) * d[2];
  const float x3 = (rest[3] - l3[0] * x0 - l3[1] * x1 - l3[2] * x2) * d[3];
  return (four){x0, x1, x2, x3};
}

// Puts four numbers at lanes `at ..< at + 4` of a vector of zeros.
RK_INLINE vector placed(four x, long at) {
#if RK_LANES == 16
  static const vector masks[] = {
      {1, 1, 1, 1}, {0, 0, 0, 0, 1, 1, 1, 1}, {0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1},
      {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1}};
  return __builtin_shufflevector(x, x, 0, 1, 2, 3, 0, 1, 2, 3, 0, 1, 2, 3, 0, 1, 2, 3) * masks[at / 4];
#elif RK_LANES == 8
  static const vector masks[] = {{1, 1, 1, 1}, {0, 0, 0, 0, 1, 1, 1, 1}};
  return __builtin_shufflevector(x, x, 0, 1, 2, 3, 0, 1, 2, 3) * masks[at / 4];
#else
  (void)at;
  return x;
#endif
}

// Factors and solves one or two systems of `size` equations: `inverse` becomes the reciprocals of L's diagonal, `right`
// becomes z with `|z|² = xᵀAx`, and the solution goes to `x[s]`. Returns a bit for each system that has no factor.
RK_INLINE int solve(const int count, const equations *systems, long stride, long size, float *const *x) {
  const long rounded = (size + 3) / 4 * 4;
  int failures = 0;
  for (long i = rounded - 4; i >= 0; i -= 4)
    RK_UNROLL for (int s = 0; s < count; s++)
      if (!factor_four(&systems[s], stride, i, rounded)) failures |= 1 << s;
  for (long group = 0; group < rounded; group += RK_LANES) {
    vector known[2] = {(vector)0.0f, (vector)0.0f};
    for (long i = group; i < smaller_of(group + RK_LANES, rounded); i += 4)
      RK_UNROLL for (int s = 0; s < count; s++)
        known[s] += placed(solve_four(&systems[s], x[s], stride, i, known[s]), i - group);
    RK_UNROLL for (int s = 0; s < count; s++) store(x[s] + group, known[s]);
  }
  return failures;
}

// MARK: Rows

RK_INLINE rk_least_squares_fault check(const rk_least_squares *problem, long row) {
  const long first = problem->offsets[row], end = problem->offsets[row + 1];
  uint32_t highest = 0;
  for (long e = first; e < end; e++) {
    const uint32_t column = (uint32_t)problem->columns[e];
    highest = column > highest ? column : highest;
  }
  return end > first && (long)highest >= problem->other_rows ? rk_column_out_of_range : rk_solved;
}

// The sum of a row's confidences.
RK_INLINE double total_confidence(const rk_least_squares *problem, long row) {
  const long first = problem->offsets[row], end = problem->offsets[row + 1];
  if (problem->uniform) return (double)(end - first) * problem->confidences[0];
  double total = 0;
  for (long e = first; e < end; e++) total += problem->confidences[e];
  return total;
}

RK_INLINE void give_up(const rk_least_squares *problem, long row) {
  for (long j = 0; j < problem->factors; j++) problem->x[row * problem->factors + j] = 0;
  if (problem->objective) problem->objective[row] = 0;
}

// The exact solution of two rows, which may be the same one: a single row takes the same way as any other, so that no
// bit depends on how rows are shared out. Returns a bit for each that has none.
RK_INLINE int solve_rows(const rk_least_squares *problem, const long *rows, workspace *w) {
  const long factors = problem->factors;
  float *const x[] = {w->solution, w->image};
  for (int s = 0; s < 2; s++) sum_equations(problem, rows[s], 0, factors, 0, w, &w->systems[s]);
  const int failures = solve(2, w->systems, w->stride, factors, x);
  for (int s = 0; s < 2; s++) {
    for (long j = 0; j < factors; j++) problem->x[rows[s] * factors + j] = x[s][j];
    if (problem->objective) {
      // At the minimum `xᵀAx = |z|²` and `Σ c x·y = |z|²` as well.
      double square = 0;
      for (long j = 0; j < factors; j++) square += (double)w->systems[s].right[j] * w->systems[s].right[j];
      problem->objective[rows[s]] = total_confidence(problem, rows[s]) - square;
    }
  }
  return failures;
}

// predicted (+)= the dot products of the entries' rows with `x`, at some columns.
RK_TARGET static void predict(
    const rk_least_squares *problem, long row, long column, long size, const float *x, int is_first,
    float *predicted) {
  const long first = problem->offsets[row], end = problem->offsets[row + 1];
  for (long at = first; at < end; at += panel_entries) {
    entry_panel panel;
    find(problem, at, smaller_of(end - at, panel_entries), &panel);
    float *out = predicted + at - first;
    for (long e = 0; e < panel.count; e += 4) {
      vector sum[4] = {(vector)0.0f, (vector)0.0f, (vector)0.0f, (vector)0.0f};
      const long last = panel.count - 1;
      const float *lines[] = {
          panel.rows[e] + column, panel.rows[smaller_of(e + 1, last)] + column,
          panel.rows[smaller_of(e + 2, last)] + column, panel.rows[smaller_of(e + 3, last)] + column};
      for (long j = 0; j < size; j += RK_LANES) {
        const vector factor = load(x + j);
        RK_UNROLL for (int r = 0; r < 4; r++) sum[r] += load(lines[r] + j) * factor;
      }
      const four dots = sums_of(sum[0], sum[1], sum[2], sum[3]);
      for (long r = 0; r < smaller_of(4, panel.count - e); r++)
        out[e + r] = (is_first ? 0.0f : out[e + r]) + dots[r];
    }
  }
}

// Some whole vectors of `image = (unobserved YᵀY + λI) x`. Even and odd rows add up apart: a sum waits for its last term.
RK_INLINE void apply_shared_tile(
    const int vectors, long factors, float regularization, const float *shared, long stride, const float *x,
    const float *own, float *image) {
  vector even[4], odd[4];
  RK_UNROLL for (int j = 0; j < vectors; j++) {
    even[j] = regularization * load(own + j * RK_LANES);
    odd[j] = (vector)0.0f;
  }
  long k = 0;
  for (; k + 1 < factors; k += 2) {
    const float *line = shared + k * stride;
    RK_UNROLL for (int j = 0; j < vectors; j++) even[j] += x[k] * load(line + j * RK_LANES);
    RK_UNROLL for (int j = 0; j < vectors; j++) odd[j] += x[k + 1] * load(line + stride + j * RK_LANES);
  }
  if (k < factors)
    RK_UNROLL for (int j = 0; j < vectors; j++) even[j] += x[k] * load(shared + k * stride + j * RK_LANES);
  RK_UNROLL for (int j = 0; j < vectors; j++) store(image + j * RK_LANES, even[j] + odd[j]);
}

// image = (unobserved YᵀY + λI) x at some columns, `size` of them and up to a whole vector 0.
RK_TARGET static void apply_shared(
    const rk_least_squares *problem, long row, long column, long size, const float *x, float *image) {
  const long stride = whole_vectors(problem->factors), factors = problem->factors;
  const float *shared = problem->prepared + column, *own = x + column;
  const float regularization = problem->regularization[row];
  long j = 0;
  for (; j + 3 * RK_LANES < size; j += 4 * RK_LANES)
    apply_shared_tile(4, factors, regularization, shared + j, stride, x, own + j, image + j);
  for (; j < size; j += RK_LANES)
    apply_shared_tile(1, factors, regularization, shared + j, stride, x, own + j, image + j);
  for (j = size; j < whole_vectors(size); j++) image[j] = 0;
}

// The value of the row's expression at `x`, with its predictions.
RK_INLINE double objective_at(
    const rk_least_squares *problem, long row, const float *x, const float *predicted, float *image) {
  const long first = problem->offsets[row], end = problem->offsets[row + 1];
  double value = 0;
  for (long e = first; e < end; e++) {
    const double c = problem->confidences[problem->uniform ? 0 : e], s = predicted[e - first];
    value += c * (1 - s) * (1 - s) - (double)problem->unobserved * s * s;
  }
  apply_shared(problem, row, 0, problem->factors, x, image);
  for (long j = 0; j < problem->factors; j++) value += (double)image[j] * x[j];
  return value;
}

// One round over the blocks of a row. Returns 0 where each has a solution.
RK_INLINE int improve_row(const rk_least_squares *problem, long row, workspace *w) {
  const long factors = problem->factors;
  float *x = problem->x + row * factors;
  for (long j = 0; j < whole_vectors(factors) + slack; j++) w->solution[j] = j < factors ? x[j] : 0;
  predict(problem, row, 0, factors, w->solution, 1, w->predicted);
  for (long column = 0; column < factors; column += problem->block) {
    const long size = smaller_of(problem->block, factors - column);
    equations *system = &w->systems[0];
    sum_equations(problem, row, column, size, w->predicted, w, system);
    apply_shared(problem, row, column, size, w->solution, w->image);
    for (long j = 0; j < size; j++) system->right[j] -= w->image[j];
    float *const step[] = {w->direction};
    if (solve(1, system, w->stride, size, step)) return 1;
    for (long j = size; j < whole_vectors(size); j++) w->direction[j] = 0;
    for (long j = 0; j < size; j++) w->solution[column + j] += w->direction[j];
    predict(problem, row, column, size, w->direction, 0, w->predicted);
  }
  for (long j = 0; j < factors; j++) x[j] = w->solution[j];
  if (problem->objective) problem->objective[row] = objective_at(problem, row, w->solution, w->predicted, w->image);
  return 0;
}

// What a pass over a panel needs.
typedef struct entry_pass {
  long count;
  // The entries' rows as whole vectors without gaps, and zeros up to a group of four.
  float *rows;
  // Where they are copied from; null where they are there.
  const float *const *sources;
  // The amount of a row `y` that is added is `constant + weight (y·x)`; what the pass sums up is `confidence (y·x)`.
  // What follows the last entry is read, but only times zero.
  float constants[panel_entries + slack], weights[panel_entries + slack], confidences[panel_entries + slack];
} entry_pass;

// Copies a row of `factors` numbers and sets the rest of its last vector, where the next row begins, to zero.
RK_INLINE void copy_row(long factors, long stride, const float *source, float *row) {
  for (long j = 0; j < stride; j += RK_LANES) store(row + j, load(source + j));
  for (long j = factors; j < stride; j++) row[j] = 0;
}

// out += Σ (constant + weight (y·x)) y. Returns Σ confidence (y·x). `x` and `out` stay in registers.
RK_INLINE float pass_tile(
    const int vectors, const int copies, long factors, const entry_pass *pass, const float *x, float *out) {
  typedef int32_t lanes __attribute__((ext_vector_type(RK_LANES)));
  const long stride = vectors * RK_LANES, last = vectors - 1;
  // Four rows fit the 32 registers of AVX-512 as well.
  const int holds = RK_LANES == 16 && vectors <= 4;
  lanes is_factor = (lanes)-1;
  if (copies)
    for (int lane = 0; lane < RK_LANES; lane++)
      if (last * RK_LANES + lane >= factors) is_factor[lane] = 0;
  vector sum[8], factor[8], total = (vector)0.0f;
  RK_UNROLL for (int j = 0; j < vectors; j++) {
    factor[j] = load(x + j * RK_LANES);
    sum[j] = load(out + j * RK_LANES);
  }
  for (long e = 0; e < pass->count; e += 4) {
    float *line = pass->rows + e * stride;
    vector products[4], held[4][4];
    RK_UNROLL for (int r = 0; r < 4; r++) {
      RK_UNROLL for (int j = 0; j < vectors; j++) {
        vector value = load((copies ? pass->sources[e + r] : line + r * stride) + j * RK_LANES);
        if (copies) {
          if (j == last) value = (vector)((lanes)value & is_factor);
          store(line + r * stride + j * RK_LANES, value);
        }
        products[r] = j == 0 ? value * factor[j] : products[r] + value * factor[j];
        if (holds) held[r][j] = value;
      }
    }
    const vector dots = spread_sums_of(products[0], products[1], products[2], products[3]);
    const vector constants = load(pass->constants + e), weights = load(pass->weights + e);
    const vector confidences = load(pass->confidences + e);
    const vector amounts = RK_SPREAD(constants) + RK_SPREAD(weights) * dots;
    total += RK_SPREAD(confidences) * dots;
    const vector amount[] = {
        RK_QUARTER(amounts, 0), RK_QUARTER(amounts, 1), RK_QUARTER(amounts, 2), RK_QUARTER(amounts, 3)};
    RK_UNROLL for (int r = 0; r < 4; r++)
      RK_UNROLL for (int j = 0; j < vectors; j++)
        sum[j] += amount[r] * (holds ? held[r][j] : load(line + r * stride + j * RK_LANES));
  }
  RK_UNROLL for (int j = 0; j < vectors; j++) store(out + j * RK_LANES, sum[j]);
  const four totals = gathered(total);
  return totals[0] + totals[1] + totals[2] + totals[3];
}

typedef float pass_function(long factors, const entry_pass *pass, const float *x, float *out);
#define RK_PASS_TILE(vectors)                                                                                    \
  RK_TARGET static float pass_tile_##vectors(long factors, const entry_pass *pass, const float *x, float *out) { \
    return pass->sources ? pass_tile(vectors, 1, factors, pass, x, out)                                          \
                         : pass_tile(vectors, 0, factors, pass, x, out);                                         \
  }
RK_PASS_TILE(1)
RK_PASS_TILE(2)
RK_PASS_TILE(3)
RK_PASS_TILE(4)
RK_PASS_TILE(5)
RK_PASS_TILE(6)
RK_PASS_TILE(7)
RK_PASS_TILE(8)
static pass_function *const pass_tiles[] = {pass_tile_1, pass_tile_2, pass_tile_3, pass_tile_4,
                                            pass_tile_5, pass_tile_6, pass_tile_7, pass_tile_8};

// The same for any number of vectors.
RK_TARGET static float pass_over_any(long factors, const entry_pass *pass, const float *x, float *out) {
  const long stride = whole_vectors(factors);
  float total = 0;
  for (long e = 0; e < pass->count; e += 4) {
    float *line = pass->rows + e * stride;
    if (pass->sources)
      for (int r = 0; r < 4; r++) copy_row(factors, stride, pass->sources[e + r], line + r * stride);
    vector products[4] = {(vector)0.0f, (vector)0.0f, (vector)0.0f, (vector)0.0f};
    for (long j = 0; j < stride; j += RK_LANES)
      RK_UNROLL for (int r = 0; r < 4; r++) products[r] += load(line + r * stride + j) * load(x + j);
    const four dots = sums_of(products[0], products[1], products[2], products[3]);
    const four amounts = load_four(pass->constants + e) + load_four(pass->weights + e) * dots;
    const four added = load_four(pass->confidences + e) * dots;
    total += added[0] + added[1] + added[2] + added[3];
    for (long j = 0; j < stride; j += RK_LANES) {
      vector sum = load(out + j);
      RK_UNROLL for (int r = 0; r < 4; r++) sum += amounts[r] * load(line + r * stride + j);
      store(out + j, sum);
    }
  }
  return total;
}

// out += Σ (c - w (y·x)) y over a row's entries where `is_first`, which also gathers them, else Σ w (y·x) y.
// Returns Σ c (y·x).
RK_TARGET static double pass_over_entries(
    const rk_least_squares *problem, long row, int is_first, const float *x, float *out, workspace *w) {
  const long start = problem->offsets[row], end = problem->offsets[row + 1];
  const long factors = problem->factors, stride = whole_vectors(factors), vectors = stride / RK_LANES;
  pass_function *const over_panel = vectors <= 8 ? pass_tiles[vectors - 1] : pass_over_any;
  const float sign = is_first ? -1 : 1, constant = is_first ? 1 : 0;
  const float *sources[panel_entries];
  entry_pass pass;
  for (long e = 0; e < panel_entries + slack; e++)
    pass.confidences[e] = problem->uniform ? problem->confidences[0] : 0;
  double total = 0;
  for (long at = start, number = 0; at < end; at += panel_entries, number++) {
    pass.count = smaller_of(end - at, panel_entries);
    pass.rows = w->kept + smaller_of(number, w->kept_panels) * panel_entries * stride;
    pass.sources = 0;
    if (is_first || number >= w->kept_panels) {
      for (long e = 0; e < pass.count; e++) sources[e] = row_of_other(problem, problem->columns[at + e]);
      for (long e = pass.count; e % 4 != 0; e++) {
        // A row of zeros stands for itself.
        for (long j = 0; j < stride; j++) pass.rows[e * stride + j] = 0;
        sources[e] = pass.rows + e * stride;
      }
      pass.sources = sources;
    }
    if (!problem->uniform)
      for (long e = 0; e < pass.count; e++) pass.confidences[e] = problem->confidences[at + e];
    if (at == start || !problem->uniform)
      for (long e = 0; e < panel_entries + slack; e++) {
        pass.constants[e] = constant * pass.confidences[e];
        pass.weights[e] = sign * (pass.confidences[e] - problem->unobserved);
      }
    total += over_panel(factors, &pass, x, out);
  }
  return total;
}

typedef double doubles __attribute__((ext_vector_type(RK_LANES)));

// In double precision; both have zeros up to a whole vector.
RK_INLINE double dot(long count, const float *a, const float *b) {
  doubles sum = (doubles)0.0;
  for (long j = 0; j < count; j += RK_LANES)
    sum += __builtin_convertvector(load(a + j), doubles) * __builtin_convertvector(load(b + j), doubles);
  // Four sums at a time: one after the other, each would wait for the last.
  double four_sums[4] = {0, 0, 0, 0};
  RK_UNROLL for (int lane = 0; lane < RK_LANES; lane++) four_sums[lane % 4] += sum[lane];
  return (four_sums[0] + four_sums[1]) + (four_sums[2] + four_sums[3]);
}

// Hestenes and Stiefel 1952; Takács, Pilászy, Tikk 2011 for alternating least squares.
RK_INLINE void descend_row(const rk_least_squares *problem, long row, workspace *w) {
  const long factors = problem->factors, whole = whole_vectors(factors);
  float *x = w->solution, *r = w->residual, *p = w->direction, *image = w->image;
  for (long j = 0; j < whole + slack; j++) x[j] = j < factors ? problem->x[row * factors + j] : 0;
  apply_shared(problem, row, 0, factors, x, image);
  for (long j = 0; j < whole; j += RK_LANES) store(r + j, -load(image + j));
  // xᵀb, where b = Σ c y is the right-hand side; b itself is never needed.
  double reached = pass_over_entries(problem, row, 1, x, r, w);
  for (long j = 0; j < whole; j += RK_LANES) store(p + j, load(r + j));
  double square = dot(factors, r, r);
  for (long step = 0; step < problem->steps && square > 1e-20; step++) {
    apply_shared(problem, row, 0, factors, p, image);
    const double along = pass_over_entries(problem, row, 0, p, image, w);
    const float length = (float)(square / dot(factors, p, image));
    reached += length * along;
    for (long j = 0; j < whole; j += RK_LANES) {
      store(x + j, load(x + j) + length * load(p + j));
      store(r + j, load(r + j) - length * load(image + j));
    }
    const double next = dot(factors, r, r);
    const float turn = (float)(next / square);
    for (long j = 0; j < whole; j += RK_LANES) store(p + j, load(r + j) + turn * load(p + j));
    square = next;
  }
  for (long j = 0; j < factors; j++) problem->x[row * factors + j] = x[j];
  // xᵀAx - 2 xᵀb = -xᵀb - xᵀr.
  if (problem->objective) problem->objective[row] = total_confidence(problem, row) - reached - dot(factors, x, r);
}

// MARK: The table

RK_TARGET static rk_least_squares_fault cholesky(
    const rk_least_squares *problem, long first, long end, float *scratch, long *faulty_row) {
  workspace w;
  const int is_exact = problem->block >= problem->factors;
  laid_out(&w, scratch, problem->factors, is_exact ? problem->factors : problem->block, 0);
  rk_least_squares_fault fault = rk_solved;
  long pending[2], count = 0;
#define RK_FAULT(found, at)                         \
  {                                                 \
    if (fault == rk_solved) {                       \
      fault = found;                                \
      *faulty_row = at;                             \
    }                                               \
    give_up(problem, at);                           \
  }
  for (long row = first; row < end; row++) {
    const rk_least_squares_fault found = check(problem, row);
    if (found != rk_solved) {
      RK_FAULT(found, row)
    } else if (is_exact) {
      pending[count++] = row;
    } else if (improve_row(problem, row, &w)) {
      RK_FAULT(rk_not_positive_definite, row)
    }
    if (count == 2 || (count == 1 && row + 1 == end)) {
      if (count == 1) pending[1] = pending[0];
      const int failures = solve_rows(problem, pending, &w);
      for (long s = 0; s < 2; s++)
        if (failures >> s & 1) RK_FAULT(rk_not_positive_definite, pending[s])
      count = 0;
    }
  }
  return fault;
}

RK_TARGET static rk_least_squares_fault conjugate_gradient(
    const rk_least_squares *problem, long first, long end, float *scratch, long *faulty_row) {
  workspace w;
  laid_out(&w, scratch, problem->factors, problem->factors, 0);
  rk_least_squares_fault fault = rk_solved;
  for (long row = first; row < end; row++) {
    const rk_least_squares_fault found = check(problem, row);
    if (found != rk_solved) {
      RK_FAULT(found, row)
    } else {
      descend_row(problem, row, &w);
    }
  }
  return fault;
}

// Sums of this many rows fit single precision; more of them are added up in double precision.
enum { gram_rows = 512 };

RK_TARGET static void add_gram(long rows, long factors, const float *y, double *sum, float *scratch) {
  workspace w;
  laid_out(&w, scratch, factors, factors, 0);
  float *a = w.systems[0].matrix;
  for (long first = 0; first < rows; first += gram_rows) {
    const long end = smaller_of(first + gram_rows, rows);
    for (long at = first; at < end; at += panel_entries) {
      const long count = smaller_of(end - at, panel_entries);
      for (long k = 0; k < count; k++)
        for (long j = 0; j < factors; j++) w.plain[k * w.stride + j] = y[(at + k) * factors + j];
      sum_triangle(count, factors, w.plain, w.plain, w.stride, a, at == first);
    }
    for (long i = 0; i < factors; i++)
      for (long j = 0; j <= i; j++) sum[i * factors + j] += a[i * w.stride + j];
  }
}

const rk_least_squares_kernels RK_KERNELS = {
    RK_SET, prepared_count, scratch_count, prepare, add_gram, cholesky, conjugate_gradient};
