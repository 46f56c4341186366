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

static inline long rss_kb(void) {
  char line[128];
  long kb = 0;
  FILE *f = fopen("/proc/self/status", "r");
  while (f != NULL && fgets(line, sizeof(line), f) != NULL)
    if (sscanf(line, "VmRSS: %ld", &kb) == 1)
      break;
  if (f != NULL)
    fclose(f);
  return kb;
}

#endif
