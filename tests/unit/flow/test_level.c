#include "lib/flow/level.h"

#include "tests/unit/unit.h"

#include <math.h>
#include <stdint.h>
#include <stdio.h>

enum { ANOMALOUS, LOW, NORMAL, HIGH };

static const struct wr_range ranges[] = {{ANOMALOUS, -HUGE_VAL, 4.0},
                                         {LOW, 4.0, 7.5},
                                         {NORMAL, 7.5, 12.5},
                                         {HIGH, 12.5, 20.0},
                                         {ANOMALOUS, 20.0, HUGE_VAL}};
static const struct wr_bands bands = {ranges, 5, 1.0, 0.5};

static uint64_t state = 1;

static double uniform(void) {
  state = state * 6364136223846793005u + 1442695040888963407u;
  return (double)(state >> 11) * 0x1.0p-53;
}

static double normal(void) {
  double sum = -6;
  for (int i = 0; i < 12; i++)
    sum += uniform();
  return sum;
}

static int feed(struct wr_level *l, double value) {
  wr_level_add(l, value);
  wr_level_look(l, 0);
  int band = wr_level_band(l, &bands);
  return band == WR_NO_BAND ? WR_NO_BAND : ranges[band].label;
}

static void test_nothing_yet(void) {
  struct wr_level l;
  wr_level_init(&l);
  wr_level_look(&l, 0);
  CU_ASSERT_TRUE(isnan(l.value));
  CU_ASSERT_EQUAL(wr_level_band(&l, &bands), WR_NO_BAND);
  CU_ASSERT_EQUAL(feed(&l, 10), WR_NO_BAND);
  CU_ASSERT_EQUAL(feed(&l, 10), NORMAL);
  CU_ASSERT_EQUAL(feed(&l, NAN), NORMAL);
  CU_ASSERT_EQUAL(feed(&l, INFINITY), NORMAL);
  CU_ASSERT_DOUBLE_EQUAL(l.value, 10, 1e-12);
}

/* The first choice is by the edge itself: min <= level < max. */
static void test_edges(void) {
  static const struct {
    double level;
    int label;
  } cases[] = {{-5, ANOMALOUS},  {0, ANOMALOUS}, {3.999, ANOMALOUS},
               {4.0, LOW},       {7.499, LOW},   {7.5, NORMAL},
               {12.499, NORMAL}, {12.5, HIGH},   {19.99, HIGH},
               {20, ANOMALOUS}};
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    struct wr_level l;
    wr_level_init(&l);
    feed(&l, cases[i].level);
    CU_ASSERT_EQUAL(feed(&l, cases[i].level), cases[i].label);
  }
}

/* Any edge, any usual noise, many seeds: after the first choice, which is made
 * on ten samples as in use, no change. */
static void test_steady_on_an_edge(void) {
  static const double edges[] = {4.0, 7.5, 12.5, 20.0};
  static const double noises[] = {0, 0.002, 0.005, 0.01, 0.02};
  for (int e = 0; e < 4; e++)
    for (int n = 0; n < 5; n++)
      for (int seed = 0; seed < 10; seed++) {
        struct wr_level l;
        wr_level_init(&l);
        int changes = 0, last = WR_NO_BAND;
        for (int i = 0; i < 9; i++)
          wr_level_add(&l, edges[e] * (1 + noises[n] * normal()));
        for (int i = 0; i < 480; i++) {
          int label = feed(&l, edges[e] * (1 + noises[n] * normal()));
          changes += i > 0 && label != last;
          last = label;
        }
        if (changes > 0)
          printf("%g, noise %g: %d\n", edges[e], noises[n], changes);
        CU_ASSERT_EQUAL(changes, 0);
      }
}

/* From anywhere to anywhere, if not on an edge: told within four samples. */
static void test_steps(void) {
  static const double levels[] = {0, 2, 5, 6.8, 8.3, 10, 11.8, 13.2, 18, 23};
  for (int a = 0; a < 10; a++)
    for (int b = 0; b < 10; b++) {
      struct wr_level l;
      wr_level_init(&l);
      for (int i = 0; i < 40; i++)
        feed(&l, levels[a] * (1 + 0.005 * normal()));
      int label = 0, wanted = 0;
      for (int i = 0; i < 4; i++)
        label = feed(&l, levels[b] * (1 + 0.005 * normal()));
      while (levels[b] >= ranges[wanted].max)
        wanted++;
      if (label != ranges[wanted].label)
        printf("%g to %g: %d\n", levels[a], levels[b], label);
      CU_ASSERT_EQUAL(label, ranges[wanted].label);
      CU_ASSERT_DOUBLE_EQUAL(l.value, levels[b], 0.02 * levels[b] + 1e-9);
    }
}

/* One odd sample is no level: neither a bubble nor a spike changes the band. */
static void test_one_odd_sample(void) {
  static const double odd[] = {0, 3, 30};
  for (int i = 0; i < 3; i++) {
    struct wr_level l;
    wr_level_init(&l);
    for (int n = 0; n < 40; n++)
      feed(&l, 10 + 0.05 * normal());
    CU_ASSERT_EQUAL(feed(&l, odd[i]), NORMAL);
    CU_ASSERT_EQUAL(feed(&l, 10), NORMAL);
    CU_ASSERT_EQUAL(feed(&l, 10), NORMAL);
  }
}

/* A disturbance leaves no doubt behind: six samples after it the level is that
 * of now, and so is the band. */
static void test_after_a_disturbance(void) {
  static const double wild[] = {10, 22, 14, 27, 11, 19, 24, 12, 17, 28};
  struct wr_level l;
  wr_level_init(&l);
  for (int i = 0; i < 40; i++)
    feed(&l, 10 + 0.05 * normal());
  for (int i = 0; i < 40; i++)
    feed(&l, wild[i % 10]);
  int label = HIGH;
  for (int i = 0; i < 6; i++)
    label = feed(&l, 10 + 0.05 * normal());
  CU_ASSERT_EQUAL(label, NORMAL);
  CU_ASSERT_DOUBLE_EQUAL(l.value, 10, 0.2);
}

/* What creeps across an edge is told at most a dead band late. */
static void test_creeping(void) {
  for (double from = 7.6; from < 9; from += 0.13) {
    struct wr_level l;
    wr_level_init(&l);
    double at = from;
    while (at > 5 && feed(&l, at) != LOW)
      at -= 0.01;
    CU_ASSERT_TRUE(at < 7.5 && at > 7.5 - bands.dead_band - 0.1);
  }
}

static double pulses(double *phase, double per_second, double quantum) {
  *phase += per_second;
  double whole = floor(*phase);
  *phase -= whole;
  return whole * quantum;
}

/* The quantum is seen, and a mean knows the level to a pulse in its time. */
static void test_quantum(void) {
  static const double quanta[] = {5, 1, 60.0 / 450, 60.0 / 5880};
  for (int q = 0; q < 4; q++)
    for (double level = 4.3; level < 18; level += 1.37) {
      struct wr_level l;
      double phase = 0;
      wr_level_init(&l);
      for (int i = 0; i < 64; i++)
        feed(&l, pulses(&phase, level / quanta[q], quanta[q]));
      CU_ASSERT_TRUE(l.quantum == 0 ||
                     fabs(l.quantum - quanta[q]) < 1e-6 * quanta[q] ||
                     fabs(l.quantum - 2 * quanta[q]) < 1e-6);
      CU_ASSERT_DOUBLE_EQUAL(l.value, level, 0.03 * level + quanta[q] / 20);
    }
}

static void test_a_given_quantum_wins(void) {
  struct wr_level l;
  wr_level_init(&l);
  for (int i = 0; i < 10; i++)
    wr_level_add(&l, 10);
  wr_level_look(&l, 0.5);
  CU_ASSERT_EQUAL(l.quantum, 0.5);
  wr_level_look(&l, 0);
  CU_ASSERT_EQUAL(l.quantum, 0.5); /* nothing else was seen */
}

/* A steady flow of a coarse sensor stays in its band, on whatever phase. */
static void test_coarse_and_steady(void) {
  static const double parts[] = {0.5, 0.62, 0.9, 1.0, 1.1, 1.4, 1.9};
  static const double nominals[] = {0.5, 1, 2};
  for (int p = 0; p < 7; p++)
    for (int n = 0; n < 3; n++) {
      struct wr_level l;
      struct wr_bands small = bands;
      double phase = 0.3;
      int changes = 0, last = 0;
      small.scale = nominals[n] / 10;
      small.dead_band = 0.05 * nominals[n];
      wr_level_init(&l);
      for (int i = 0; i < 480; i++) {
        wr_level_add(&l,
                     pulses(&phase, parts[p] * nominals[n] * 7.5, 60.0 / 450));
        wr_level_look(&l, 60.0 / 450);
        int band = wr_level_band(&l, &small);
        changes += i >= 10 && band != last;
        last = band;
      }
      CU_ASSERT_EQUAL(changes, 0);
    }
}

/* A gap keeps the band, forgets the flow. */
static void test_gap(void) {
  struct wr_level l;
  wr_level_init(&l);
  for (int i = 0; i < 20; i++)
    feed(&l, 10);
  wr_level_gap(&l);
  CU_ASSERT_TRUE(isnan(l.value));
  CU_ASSERT_EQUAL(l.band, 2);
  for (int i = 0; i < 3; i++)
    feed(&l, 6);
  CU_ASSERT_EQUAL(feed(&l, 6), LOW);
}

/* Another scale: judged anew, at once. */
static void test_scale(void) {
  struct wr_level l;
  struct wr_bands half = bands;
  wr_level_init(&l);
  for (int i = 0; i < 20; i++)
    feed(&l, 10);
  half.scale = 0.5;
  CU_ASSERT_EQUAL(wr_level_band(&l, &half), 4); /* 10 of 5: above 2.0 */
  CU_ASSERT_EQUAL(wr_level_band(&l, &bands), 2);
}

static void test_no_ranges(void) {
  struct wr_level l;
  struct wr_bands none = {NULL, 0, 1, 0.5};
  wr_level_init(&l);
  for (int i = 0; i < 20; i++)
    feed(&l, 10);
  CU_ASSERT_EQUAL(wr_level_band(&l, &none), WR_NO_BAND);
}

/* What counting makes of a flow is taken off what is seen, as variances. */
static void test_noise_beyond_counting(void) {
  struct wr_level l = {.count = 0};
  for (int i = 0; i < 12; i++)
    wr_level_add(&l, i % 2 ? 1 : -1);
  wr_level_look(&l, 1);
  CU_ASSERT_DOUBLE_EQUAL(l.noise, sqrt(16 - 2.01 * 2.01) / (0.6745 * sqrt(6.0)),
                         1e-9);
  wr_level_look(&l, 2); /* as much as counting alone may make */
  CU_ASSERT_EQUAL(l.noise, 0);
}

UNIT_MAIN("level", UNIT(test_noise_beyond_counting), UNIT(test_nothing_yet),
          UNIT(test_edges), UNIT(test_steady_on_an_edge), UNIT(test_steps),
          UNIT(test_one_odd_sample), UNIT(test_after_a_disturbance),
          UNIT(test_creeping), UNIT(test_quantum),
          UNIT(test_a_given_quantum_wins), UNIT(test_coarse_and_steady),
          UNIT(test_gap), UNIT(test_scale), UNIT(test_no_ranges))
