// Many small regularised least-squares problems that share their rows: a half-step of alternating least squares.
#pragma once

#include <stdint.h>

/// A half-step of alternating least squares over implicit feedback (Hu, Koren, Volinsky 2008).
///
/// Row `u` of the solution has the entries `offsets[u] ..< offsets[u + 1]`; entry `e` names row `i = columns[e]` of
/// the other side's `y` and has the confidence `c_e`. With `a` for `unobserved`, the solution `x` of row `u` makes
///
///     Σ_e (c_e (1 - x·y_i)² - a (x·y_i)²) + a Σ_j (x·y_j)² + λ_u |x|²
///
/// smallest, where `j` runs over every row of `y`: `(a YᵀY + Σ_e (c_e - a) y_i y_iᵀ + λ_u I) x = Σ_e c_e y_i`.
typedef struct rk_least_squares {
  /// Numbers in a row of `x` and of `y`.
  long factors;
  /// The other side, `[other_rows, factors]`, without gaps.
  const float *y;
  long other_rows;
  /// What `rk_least_squares_kernels.prepare` made of `YᵀY`, `y` and `unobserved`.
  const float *prepared;
  float unobserved;
  /// Ascending, within `columns`.
  const int64_t *offsets;
  const int32_t *columns;
  /// A confidence for each entry, or one for all where `uniform` is not 0.
  const float *confidences;
  int uniform;
  /// `λ_u` of each row.
  const float *regularization;
  /// The rows' start and solution, `[rows, factors]`.
  float *x;
  /// Takes the smallest value of the expression above for each row; may be null.
  double *objective;
  /// Factors that are solved for at a time. All of them: one exact solution, whatever `x` was. Fewer: one round of
  /// subspace steps over the blocks, starting at `x` (iALS++: Rendle et al. 2021).
  long block;
  /// Steps of conjugate gradient.
  long steps;
} rk_least_squares;

/// What made a row impossible to solve. The row is then 0.
typedef enum rk_least_squares_fault {
  rk_solved,
  rk_column_out_of_range,    ///< it names a row that `y` does not have
  rk_not_positive_definite,  ///< its matrix has no Cholesky factor: too little regularisation
} rk_least_squares_fault;

/// The solvers of one instruction set. Each row's result depends on that row's problem alone.
typedef struct rk_least_squares_kernels {
  /// The instruction set, for people.
  const char *name;
  /// Floats of `prepared`, and of the scratch that a solver needs, at 64 bytes' alignment.
  long (*prepared_count)(long factors);
  long (*scratch_count)(long factors, long block, long longest_row);
  /// Fills `prepared` from `gram = YᵀY`, `[factors, factors]`.
  void (*prepare)(long factors, long other_rows, const float *y, const float *gram, float unobserved, float *prepared);
  /// `sum[factors, factors] += yᵀy` of some rows, the lower triangle only. The scratch is that of a solver.
  void (*add_gram)(long rows, long factors, const float *y, double *sum, float *scratch);
  /// Solves the rows `first ..< end` by Cholesky's factorisation. Returns the first fault and its row.
  rk_least_squares_fault (*cholesky)(
      const rk_least_squares *problem, long first, long end, float *scratch, long *faulty_row);
  /// Improves the rows by `steps` of conjugate gradient, starting at `x`.
  rk_least_squares_fault (*conjugate_gradient)(
      const rk_least_squares *problem, long first, long end, float *scratch, long *faulty_row);
} rk_least_squares_kernels;

/// The fastest solvers of this processor.
const rk_least_squares_kernels *rk_least_squares_kernels_best(void);
/// The solvers for any processor.
const rk_least_squares_kernels *rk_least_squares_kernels_portable(void);
/// The solvers for AVX2 with FMA; null where the processor lacks them.
const rk_least_squares_kernels *rk_least_squares_kernels_avx2(void);
