/* flow_kinds: minutes of flow of many kinds, for tests that compare two ways
 * to work out the same. Values are multiples of 1/8, so that their sums are
 * exact, also in float; the same in each run and with each C library. */
#ifndef WEIR_TESTS_FLOW_KINDS_H
#define WEIR_TESTS_FLOW_KINDS_H

#include <stdint.h>
#include <stdlib.h>

#define FLOW_KINDS 9
#define FLOW_SECONDS 60

static uint32_t flow_random = 1;

/* 0 .. below - 1 */
static inline int flow_draw(int below) {
  flow_random = flow_random * 1664525u + 1013904223u;
  return (int)((flow_random >> 8) % (uint32_t)below);
}

/* In eighths of L/min. */
static inline int flow_eighths(int kind, int level, int i, int when) {
  switch (kind) {
  case 0: /* rough */
    return level + flow_draw(25) - 12;
  case 1: /* a step */
    return i < when ? level : level * 2 / 3 + flow_draw(2);
  case 2: /* a tap is turned for some seconds */
    return i < when ? level : level - (i < when + 7 ? i - when : 7) * level / 9;
  case 3: /* dropouts */
    return flow_draw(6) == 0 ? level / 4 + flow_draw(9) : level + flow_draw(2);
  case 4: /* spikes */
    return flow_draw(7) == 0 ? level * 2 + flow_draw(31) : level + flow_draw(2);
  case 5: /* swings, not quite even */
    return level + (i % (3 + when / 5) < 2 + when / 10 ? 16 : -11) +
           flow_draw(6);
  case 6: /* a coarse sensor: whole numbers of pulses */
    return 11 * (level / 11 + flow_draw(2));
  case 7: /* backwards */
    return -level / 2 + flow_draw(9);
  default: /* steady, with an event now and then */
    return flow_draw(25) == 0 ? level - 40 + flow_draw(80) : level;
  }
}

static inline void flow_fill(int kind, float *x) {
  int level = 30 + flow_draw(130), when = 5 + flow_draw(52);
  for (int i = 0; i < FLOW_SECONDS; i++)
    x[i] = (float)flow_eighths(kind, level, i, when) / 8;
}

static inline int flow_by_size(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

#endif
