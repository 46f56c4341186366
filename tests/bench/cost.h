/* bench/cost: what this process has used so far. */
#ifndef WEIR_BENCH_COST_H
#define WEIR_BENCH_COST_H

#include <stdio.h>
#include <sys/resource.h>

static inline double cpu_s(void) {
  struct rusage u;
  getrusage(RUSAGE_SELF, &u);
  return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) +
         (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6;
}

static inline long private_kb(void) {
  char line[128];
  long kb = 0;
  /* What no file backs: code is paged in when it first runs. */
  FILE *f = fopen("/proc/self/smaps_rollup", "r");
  while (f != NULL && fgets(line, sizeof(line), f) != NULL)
    if (sscanf(line, "Anonymous: %ld", &kb) == 1)
      break;
  if (f != NULL)
    fclose(f);
  return kb;
}

#endif
