/* judge_case: one step of a series that stands where a test puts it. Its level,
 * its bands and what it is told are such that each bound is met exactly. */
#ifndef WEIR_TESTS_JUDGE_CASE_H
#define WEIR_TESTS_JUDGE_CASE_H

#include "lib/flow/baseline_impl.h"

#include "tests/unit/unit.h"

#include <math.h>
#include <string.h>

static struct wr_baseline_rules rules = {.learn_s = 400,
                                         .band = 0.125,
                                         .follow = 0.25,
                                         .spread = 2,
                                         .hold_s = 30,
                                         .day_band = 0.25,
                                         .per_second = 1};

#define HERE 2 /* the point that a series stands at */

/* Everything at `base`; bands are relative to `stick` where that is more. */
static inline struct wr_baseline stands(double base, double stick) {
  struct wr_baseline b;
  wr_baseline_init(&b);
  b.learned = true;
  b.age_s = 1000;
  b.base = base;
  b.points.current = HERE;
  b.points.count = 1;
  b.points.scale = (float)(stick > base ? stick * 5 : base);
  b.points.at[HERE] = (struct wr_point){.level = (float)base,
                                        .reference = (float)base,
                                        .origin = (float)base,
                                        .key = NAN,
                                        .held_s = 1,
                                        .visits = 1,
                                        .used = true,
                                        .accepted = true};
  return b;
}

/* The newest values, the newest last. */
static inline void newest(struct wr_baseline *b, const float *values) {
  memcpy(b->recent.values, values, sizeof(b->recent.values));
  b->recent.count = WR_RECENT_MAX;
  b->recent.next = 0;
}

static inline void all_newest(struct wr_baseline *b, double level) {
  float values[WR_RECENT_MAX];
  for (int i = 0; i < WR_RECENT_MAX; i++)
    values[i] = (float)level;
  newest(b, values);
}

/* A level of 0 with a deviation of 1, exactly, about it. */
static inline void rough_newest(struct wr_baseline *b, double level) {
  static const int halves[WR_RECENT_MAX] = {4, -4, 2, -2, 0, 0,  0, 0,  2, -2,
                                            2, -2, 2, -2, 1, -1, 1, -1, 2, -2};
  float values[WR_RECENT_MAX];
  for (int i = 0; i < WR_RECENT_MAX; i++)
    values[i] = (float)(level + halves[i] / 2.0);
  newest(b, values);
}

/* One second at what is newest; the bits of what happened. */
static inline unsigned judge(struct wr_baseline *b) {
  unsigned events = 0;
  double value = (double)b->recent.values[WR_RECENT_MAX - 1];
  wr_baseline_judge(b, &rules, value, 1, 1, &events);
  return events;
}

static inline unsigned judge_at(struct wr_baseline *b, double level) {
  all_newest(b, level);
  return judge(b);
}

#endif
