// The optimizers' formulas over one run of parameters, shared by whole tensors, rows and blocks of products.
#pragma once

#include "CKernels.h"
#include "FloatMath.h"

static inline __attribute__((always_inline)) void adam_loop(
    const rk_adam *step, long count, const float *gradient, float *p, float *m, float *v) {
  const rk_adam s = *step;
  const float rest1 = 1.0f - s.beta1, rest2 = 1.0f - s.beta2;
  RK_LOOP for (long i = 0; i < count; i++) {
    const float parameter = p[i];
    const float g = s.gradient_scale * gradient[i] + s.coupled_decay * parameter;
    const float first = m[i] + rest1 * (g - m[i]);
    const float second = s.beta2 * v[i] + rest2 * g * g;
    m[i] = first;
    v[i] = second;
    p[i] = s.retention * parameter - s.step_size * first / (square_root(second) * s.root_scale + s.epsilon);
  }
}

static inline __attribute__((always_inline)) void sgd_loop(
    const rk_sgd *step, long count, const float *gradient, float *p, float *b) {
  const rk_sgd s = *step;
  if (s.momentum == 0.0f) {
    RK_LOOP for (long i = 0; i < count; i++)
      p[i] -= s.rate * (s.gradient_scale * gradient[i] + s.decay * p[i]);
    return;
  }
  RK_LOOP for (long i = 0; i < count; i++) {
    const float g = s.gradient_scale * gradient[i] + s.decay * p[i];
    const float momentum = s.momentum * b[i] + g;
    b[i] = momentum;
    p[i] -= s.rate * (s.nesterov ? g + s.momentum * momentum : momentum);
  }
}
