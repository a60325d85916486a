// The engine's loops over floats in C: vectorised by the compiler, dispatched by processor, each with its formula.
//
// No function here allocates, checks or decides: callers give it memory that fits. Arrays that are read and arrays
// that are written do not overlap, unless the comment says "in place".
#pragma once

#include "CKernelsAttention.h"
#include "CKernelsElementwise.h"
#include "CKernelsEpilogue.h"
#include "CKernelsInteger.h"
#include "CKernelsLeastSquares.h"
#include "CKernelsMatrix.h"
#include "CKernelsReduction.h"
#include "CKernelsTraining.h"

/// Tells the processor that this is a waiting loop.
static inline void rk_pause(void) {
#if defined(__x86_64__) || defined(__i386__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  __asm__ volatile("yield");
#endif
}

/// Processors that this process may run on.
long rk_processor_count(void);

/// Asks for large pages where the system has them for the asking; nothing happens elsewhere. The piece begins and ends
/// at multiples of 2 MiB.
void rk_advise_large_pages(void *start, long byte_count);
