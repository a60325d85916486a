// What the engine does to a finished block of a matrix product.

#include "TrainingLoops.h"

RK_CLONES void rk_epilogue_activate(
    const void *context, float *c, long c_row, long row, long column, long rows, long columns) {
  const rk_activation *a = context;
  const float p = a->p, q = a->q;
  for (long i = 0; i < rows; i++) {
    float *line = c + i * c_row;
    if (a->bias && a->function == rk_relu && !a->preactivation) {
      // The usual case in one pass.
      const float *bias = a->bias + column;
      RK_LOOP for (long j = 0; j < columns; j++) {
        const float x = line[j] + bias[j];
        line[j] = x < 0.0f ? 0.0f : x;
      }
      continue;
    }
    if (a->bias) {
      const float *bias = a->bias + column;
      RK_LOOP for (long j = 0; j < columns; j++) line[j] += bias[j];
    }
    if (a->preactivation)
      memcpy(
          a->preactivation + (row + i) * a->preactivation_row + column, line, (size_t)columns * sizeof(float));
    if (a->function != rk_identity) rk_apply(a->function, columns, line, line, p, q);
  }
}

RK_CLONES void rk_epilogue_activation_gradient(
    const void *context, float *c, long c_row, long row, long column, long rows, long columns) {
  const rk_activation_gradient *a = context;
  for (long i = 0; i < rows; i++) {
    float *line = c + i * c_row;
    if (a->bias) {
      const float *bias = a->bias + column;
      RK_LOOP for (long j = 0; j < columns; j++) line[j] += bias[j];
    }
    const float *remembered = a->remembered + (row + i) * a->remembered_row + column;
    rk_apply_gradient(a->function, columns, line, remembered, line, a->p, a->q);
  }
}

RK_CLONES void rk_epilogue_adam(
    const void *context, float *c, long c_row, long row, long column, long rows, long columns) {
  // A copy that no store can change: its numbers stay in registers from row to row.
  const rk_adam_block block = *(const rk_adam_block *)context;
  for (long i = 0; i < rows; i++) {
    const long start = (row + i) * block.row + column;
    adam_loop(&block.step, columns, c + i * c_row, block.p + start, block.m + start, block.v + start);
  }
}

RK_CLONES void rk_epilogue_sgd(
    const void *context, float *c, long c_row, long row, long column, long rows, long columns) {
  const rk_sgd_block *block = context;
  for (long i = 0; i < rows; i++) {
    const long start = (row + i) * block->row + column;
    sgd_loop(&block->step, columns, c + i * c_row, block->p + start, block->b ? block->b + start : 0);
  }
}

RK_CLONES void rk_epilogue_add(
    const void *context, float *c, long c_row, long row, long column, long rows, long columns) {
  const rk_sum_block *block = context;
  for (long i = 0; i < rows; i++) {
    const float *line = c + i * c_row, *x = block->x + (row + i) * block->x_row + column;
    float *y = block->y + (row + i) * block->y_row + column;
    RK_LOOP for (long j = 0; j < columns; j++) y[j] = line[j] + x[j];
  }
}
