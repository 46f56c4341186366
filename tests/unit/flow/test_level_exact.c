/* What a level knows and when it leaves its band, where each bound is met
 * exactly: steady at 0 there is no noise, and a pulse of 1.5 leaves a doubt of
 * a quarter in six samples. */
#include "lib/flow/level.h"

#include "tests/unit/unit.h"

#include <math.h>
#include <string.h>

static struct wr_level level;

/* The newest last. Before them a ring full of what must not count. */
static void feed(const double *values, size_t count) {
  wr_level_init(&level);
  for (size_t i = 0; i < WR_LEVEL_SAMPLES; i++)
    wr_level_add(&level, 1000.77);
  wr_level_gap(&level);
  for (size_t i = 0; i < count; i++)
    wr_level_add(&level, values[i]);
}
#define FEED(...)                                                              \
  feed((const double[]){__VA_ARGS__},                                          \
       sizeof((const double[]){__VA_ARGS__}) / sizeof(double))

static void test_begins(void) {
  struct wr_level_rest r, again;
  memset(&level, 0x55, sizeof(level));
  wr_level_init(&level);
  CU_ASSERT_EQUAL(level.count, 0);
  CU_ASSERT_EQUAL(level.next, 0);
  CU_ASSERT_EQUAL(level.seconds, 0);
  CU_ASSERT_TRUE(isnan(level.value));
  CU_ASSERT_EQUAL(level.band, WR_NO_BAND);
  CU_ASSERT_FALSE(level.chosen);
  CU_ASSERT_EQUAL(level.scale, 1);
  memset(&r, 0x55, sizeof(r));
  wr_level_rest_init(&r);
  wr_level_leave(&level, &again);
  CU_ASSERT_EQUAL(r.quantum, again.quantum);
  CU_ASSERT_EQUAL(r.anchor, again.anchor);
  CU_ASSERT_EQUAL(r.origin, again.origin);
  CU_ASSERT_EQUAL(r.scale, again.scale);
  CU_ASSERT_EQUAL(r.behind, again.behind);
  CU_ASSERT_EQUAL(r.band, again.band);
  CU_ASSERT_EQUAL(r.chosen, again.chosen);
}

/* What is left of a level is all that it is after a gap. */
static void test_left_and_resumed(void) {
  const struct wr_level_rest r = {.quantum = 1,
                                  .anchor = 2,
                                  .origin = 3,
                                  .scale = 4,
                                  .behind = 5,
                                  .band = 6,
                                  .chosen = true};
  struct wr_level_rest left;
  memset(&level, 0x55, sizeof(level));
  wr_level_resume(&level, &r);
  CU_ASSERT_EQUAL(level.count, 0);
  CU_ASSERT_EQUAL(level.next, 0);
  CU_ASSERT_EQUAL(level.seconds, 0);
  CU_ASSERT_EQUAL(level.noise, 0);
  CU_ASSERT_EQUAL(level.doubt, 0);
  CU_ASSERT_TRUE(isnan(level.value));
  CU_ASSERT_EQUAL(level.quantum, 1);
  CU_ASSERT_EQUAL(level.anchor, 2);
  CU_ASSERT_EQUAL(level.origin, 3);
  CU_ASSERT_EQUAL(level.scale, 4);
  CU_ASSERT_EQUAL(level.behind, 5);
  CU_ASSERT_EQUAL(level.band, 6);
  CU_ASSERT_TRUE(level.chosen);
  memset(&left, 0, sizeof(left));
  wr_level_leave(&level, &left);
  CU_ASSERT_EQUAL(left.quantum, 1);
  CU_ASSERT_EQUAL(left.anchor, 2);
  CU_ASSERT_EQUAL(left.origin, 3);
  CU_ASSERT_EQUAL(left.scale, 4);
  CU_ASSERT_EQUAL(left.behind, 5);
  CU_ASSERT_EQUAL(left.band, 6);
  CU_ASSERT_TRUE(left.chosen);
}

static void test_ring(void) {
  wr_level_init(&level);
  for (size_t i = 1; i <= WR_LEVEL_SAMPLES + 6; i++) {
    wr_level_add(&level, (double)i);
    CU_ASSERT_EQUAL(level.count, i < WR_LEVEL_SAMPLES ? i : WR_LEVEL_SAMPLES);
    for (size_t k = 0; k < level.count; k++)
      CU_ASSERT_EQUAL(wr_level_sample(&level, k), (double)(i - k));
  }
}

static double seen(void) {
  level.quantum = 77; /* what was known before */
  wr_level_look(&level, 0);
  return level.quantum;
}

/* The largest step of which all values are multiples: the smallest difference,
 * its half or its third. */
static void test_seen_quantum(void) {
  FEED(10, 15, 10, 15);
  CU_ASSERT_EQUAL(seen(), 77); /* three changes do not tell */
  FEED(10, 15, 10, 15, 10);
  CU_ASSERT_EQUAL(seen(), 5);
  FEED(10, 15, 15, 15, 10, 10, 15);
  CU_ASSERT_EQUAL(seen(), 77);
  FEED(10, 15, 10, 15, 10, 11); /* the newest two alone are so near */
  CU_ASSERT_EQUAL(seen(), 1);
  FEED(11, 10, 15, 10, 15, 10); /* the oldest two */
  CU_ASSERT_EQUAL(seen(), 1);
  FEED(1.5, 4.5, 1.5, 4.5, 1.5); /* half of it */
  CU_ASSERT_EQUAL(seen(), 1.5);
  FEED(2, 5, 2, 5, 2); /* a third */
  CU_ASSERT_EQUAL(seen(), 1);
  FEED(1, 5, 1, 5, 1); /* a fourth may be chance */
  CU_ASSERT_EQUAL(seen(), 0);
  FEED(10, 10.5, 10, 10.5, 10, 11.3); /* the newest is none */
  CU_ASSERT_EQUAL(seen(), 0);
  FEED(11.3, 10, 10.5, 10, 10.5, 10); /* the oldest is none */
  CU_ASSERT_EQUAL(seen(), 0);
  FEED(0.02, 2, 3, 2, 3, 2); /* by a fiftieth it may be off */
  CU_ASSERT_EQUAL(seen(), 1);
  FEED(0.03, 2, 3, 2, 3, 2);
  CU_ASSERT_EQUAL(seen(), 0);
  FEED(0, 1e-9, 0, 1e-9, 0); /* so small a difference is none */
  CU_ASSERT_EQUAL(seen(), 77);
  FEED(0, 2e-9, 0, 2e-9, 0);
  CU_ASSERT_EQUAL(seen(), 2e-9);
}

/* What counting hides is taken to be a hundredth of the flow, at most half a
 * pulse. */
static void test_hidden_noise(void) {
  static const struct {
    double flow;
    int count;
    double quantum, noise;
  } cases[] = {{10, 5, 1, 0.1}, {10, 12, 1, 0.1},  {10, 20, 1, 0.1},
               {10, 3, 1, 0.1}, {10, 2, 1, 0},     {60, 12, 1, 0.5},
               {10, 12, 0, 0},  {-10, 12, 1, 0.1}, {10, 12, 0.125, 0.0625}};
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    double values[20];
    for (int n = 0; n < 20; n++)
      values[n] = cases[i].flow;
    feed(values, (size_t)cases[i].count);
    level.quantum = 0;
    wr_level_look(&level, cases[i].quantum);
    CU_ASSERT_DOUBLE_EQUAL(level.noise, cases[i].noise, 1e-15);
    CU_ASSERT_EQUAL(level.value, cases[i].flow);
  }
}

/* What was just as much as both may be off by agrees with the newer. */
static void test_just_agrees(void) {
  FEED(-2.5, 1, 1.5, 0, 0);
  wr_level_look(&level, 1);
  CU_ASSERT_EQUAL(level.noise, 0);
  CU_ASSERT_EQUAL(level.seconds, 4);
  CU_ASSERT_EQUAL(level.value, 0.625);
  CU_ASSERT_EQUAL(level.doubt, 0.25);
  FEED(-2.6875, 1.125, 1.5625, 0, 0);
  wr_level_look(&level, 1);
  CU_ASSERT_EQUAL(level.seconds, 2);
  CU_ASSERT_EQUAL(level.value, 0);
  FEED(1, 0); /* while two differ the flow is between them */
  wr_level_look(&level, 0.5);
  CU_ASSERT_EQUAL(level.seconds, 2);
  CU_ASSERT_EQUAL(level.value, 0.5);
  CU_ASSERT_EQUAL(level.doubt, 0.5);
}

/* A level that was in the middle one of three bands with these edges, about
 * `anchor`; since then six samples were 0. `older` of three before them: they
 * are taken in, and their level is a third of it. */
static int after_six(double low, double high, double anchor, double older,
                     double dead_band) {
  static struct wr_range ranges[4];
  /* all edges are times a half */
  ranges[0] = (struct wr_range){0, -20, 2 * low};
  ranges[1] = (struct wr_range){1, 2 * low, 2 * high};
  ranges[2] = (struct wr_range){2, 2 * high, 20};
  const struct wr_bands bands = {ranges, 3, 0.5, dead_band};
  if (older != 0)
    FEED(older, older, older, 0, 0, 0, 0, 0, 0);
  else
    FEED(0, 0, 0, 0, 0, 0);
  level.chosen = true;
  level.band = 1;
  level.scale = 0.5;
  level.anchor = level.origin = anchor;
  level.behind = 3;
  wr_level_look(&level, 1.5);
  CU_ASSERT_EQUAL(level.noise, 0);
  CU_ASSERT_EQUAL(level.seconds, older != 0 ? 9 : 6);
  CU_ASSERT_EQUAL(level.value, older / 3);
  int band = wr_level_band(&level, &bands);
  CU_ASSERT_EQUAL(level.band, band);
  return band;
}

/* It leaves a band when it is beyond the edge, whatever the doubt, and has
 * moved by more than the dead band. */
static void test_leaves_its_band(void) {
  CU_ASSERT_EQUAL(after_six(0.25, 5, 1.25, 0.75, 0.9), 1);
  CU_ASSERT_EQUAL(level.anchor, 1.25);
  CU_ASSERT_EQUAL(level.behind, 3);
  CU_ASSERT_EQUAL(after_six(0.265625, 5, 1.25, 0.75, 0.9), 0);
  CU_ASSERT_EQUAL(level.anchor, 0);
  CU_ASSERT_EQUAL(level.origin, 0);
  CU_ASSERT_EQUAL(level.behind, 0);
  CU_ASSERT_EQUAL(after_six(0.265625, 5, 1.25, 0.75, 1), 1);
  CU_ASSERT_EQUAL(after_six(0.265625, 5, 1.25, 0.75, 0.99), 0);
  CU_ASSERT_EQUAL(after_six(-5, -0.25, -1.25, -0.75, 0.9), 2);
  CU_ASSERT_EQUAL(after_six(-5, -0.234375, -1.25, -0.75, 0.9), 1);
}

/* Once the flow is steady, in six samples, its level alone decides. */
static void test_settles_anew(void) {
  CU_ASSERT_EQUAL(after_six(0.25, 5, 1.25, 0, 0.9), 0);
  CU_ASSERT_EQUAL(level.anchor, 0);
  CU_ASSERT_EQUAL(level.behind, 0);
  CU_ASSERT_EQUAL(after_six(0.25, 5, 1.25, 0, 1), 1);
  CU_ASSERT_EQUAL(after_six(-5, -0.125, -1.25, 0, 0.9), 2);
  CU_ASSERT_EQUAL(after_six(-5, -0.125, -1.25, 0, 1), 1);
}

/* Half a dead band at most from where the band was chosen is where it is
 * steady, if that is better known than what was. */
static void test_steady_where(void) {
  static const struct {
    double anchor;
    size_t behind;
    bool moves;
  } cases[] = {{0.5, 0, true},      {0.5625, 0, false}, {-0.5, 0, true},
               {-0.5625, 0, false}, {0.5, 5, true},     {0.5, 6, false}};
  static const struct wr_range all = {0, -10, 10};
  static const struct wr_bands bands = {&all, 1, 1, 1};
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    FEED(0, 0, 0, 0, 0, 0);
    level.chosen = true;
    level.band = 0;
    level.scale = 1;
    level.anchor = level.origin = cases[i].anchor;
    level.behind = cases[i].behind;
    wr_level_look(&level, 1.5);
    CU_ASSERT_EQUAL(wr_level_band(&level, &bands), 0);
    CU_ASSERT_EQUAL(level.anchor, cases[i].moves ? 0 : cases[i].anchor);
    CU_ASSERT_EQUAL(level.behind, cases[i].moves ? 6 : cases[i].behind);
    CU_ASSERT_EQUAL(level.origin, cases[i].anchor);
  }
}

/* On an edge it takes six samples to tell the side. */
static void test_near_an_edge(void) {
  static const struct wr_range ranges[] = {
      {0, -10, -0.125}, {1, -0.125, 0.5}, {2, 0.5, 10}};
  static const struct wr_bands bands = {ranges, 3, 1, 0.9};
  for (int older = 0; older < 2; older++) {
    if (older)
      FEED(0.75, 0.75, 0.75, 0, 0, 0, 0, 0, 0);
    else
      FEED(3, 0, 0, 0, 0, 0);
    level.chosen = true;
    level.band = 2;
    level.anchor = level.origin = 1.25;
    wr_level_look(&level, 1.5);
    CU_ASSERT_EQUAL(level.noise, 0);
    CU_ASSERT_EQUAL(level.seconds, older ? 9 : 4);
    CU_ASSERT_EQUAL(wr_level_band(&level, &bands), older ? 1 : 2);
  }
}

UNIT_MAIN("level, exact", UNIT(test_begins), UNIT(test_left_and_resumed),
          UNIT(test_ring), UNIT(test_seen_quantum), UNIT(test_hidden_noise),
          UNIT(test_just_agrees), UNIT(test_leaves_its_band),
          UNIT(test_settles_anew), UNIT(test_steady_where),
          UNIT(test_near_an_edge))
