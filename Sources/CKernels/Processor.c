// What the operating system says of the processors and does about memory.

#define _GNU_SOURCE
#include "CKernels.h"

#ifdef __linux__
#include <sched.h>
#include <sys/mman.h>
#endif
#include <unistd.h>

long rk_processor_count(void) {
#ifdef __linux__
  cpu_set_t set;
  if (sched_getaffinity(0, sizeof set, &set) == 0 && CPU_COUNT(&set) > 0) return CPU_COUNT(&set);
#endif
  const long count = sysconf(_SC_NPROCESSORS_ONLN);
  return count > 0 ? count : 1;
}

void rk_advise_large_pages(void *start, long byte_count) {
#ifdef __linux__
  madvise(start, (size_t)byte_count, MADV_HUGEPAGE);
#else
  (void)start;
  (void)byte_count;
#endif
}
