// What the operating system says of the processors.

#define _GNU_SOURCE
#include "CKernels.h"

#ifdef __linux__
#include <sched.h>
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
