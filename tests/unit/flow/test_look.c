/* The features of a minute, on flow whose numbers can be worked out by hand. */
#include "lib/flow/look.h"

#include "tests/unit/unit.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define N WR_LOOK_SAMPLES

static float f[WR_LOOK_COUNT];

static void look(const float *x, size_t count) { wr_look(x, count, 0.1f, f); }

#define NEAR(index, value)                                                     \
  CU_ASSERT_DOUBLE_EQUAL(f[WR_LOOK_##index], value, 2e-3)

static void fill(float *x, int from, int to, float level) {
  for (int i = from; i < to; i++)
    x[i] = level;
}

static void test_steady(void) {
  float x[N];
  fill(x, 0, N, 9.5f);
  look(x, N);
  for (int w = 0; w < 6; w++) {
    NEAR(MEAN + w, 0.95);
    NEAR(DEVIATION + w, log(0.005));
  }
  for (int i = WR_LOOK_RANGE; i < WR_LOOK_CALM; i++)
    CU_ASSERT_EQUAL(f[i], 0);
  NEAR(CALM, 1);
  NEAR(BEFORE, 0.95);
  NEAR(HISTORY, 1);
  NEAR(QUANTUM, 0.01);
}

/* Six seconds after a step from 9.5 to 4.5: base is that of ten seconds. */
static void test_step(void) {
  float x[N];
  fill(x, 0, N - 6, 9.5f);
  fill(x, N - 6, N, 4.5f);
  look(x, N);
  double base = (6 * 4.5 + 4 * 9.5) / 10 + 0.5;
  NEAR(MEAN, 4.5 / base);
  NEAR(MEAN + 1, 4.5 / base);
  NEAR(MEAN + 2, 6.5 / base);
  NEAR(RANGE + 1, 0);
  NEAR(RANGE + 2, 5 / base);
  NEAR(WAY, 0);
  NEAR(WAY + 1, 5 / base);
  NEAR(NET + 1, -5 / base);
  NEAR(STRAIGHT + 4, 5 / (5 + 0.02 * base));
  NEAR(JUMPS + 1, 1.0 / 9);
  NEAR(TURNS + 3, 0);
  NEAR(CALM, 5.0 / 60);
  NEAR(BEFORE, 9.5 / base);
  NEAR(DIPS, 0);
  NEAR(PEAKS, 0);
}

/* Up and down every second: each jump is a turn, each low second a dip. */
static void test_swing(void) {
  float x[N];
  for (int i = 0; i < N; i++)
    x[i] = i % 2 ? 12.0f : 8.0f;
  look(x, N);
  NEAR(TURNS, 8.0 / 9);
  NEAR(TURNS + 3, 58.0 / 59);
  NEAR(JUMPS + 4, 1);
  NEAR(CALM, 0);
  NEAR(STRAIGHT + 4, 4 / (59 * 4 + 0.02 * 10.5));
  NEAR(PERIOD, 2.0 / 20);
  CU_ASSERT(f[WR_LOOK_PERIODIC] > 0.9);
  CU_ASSERT(f[WR_LOOK_AGAIN] < -0.9);
  NEAR(QUARTER, 4 / 10.5);
  NEAR(TENTH, 4 / 10.5);
}

static void test_dips_and_peaks(void) {
  float x[N];
  fill(x, 0, N, 10);
  x[N - 5] = x[N - 10] = x[N - 11] = 5; /* one of 1 s, one of 2 s */
  x[N - 30] = 20;
  look(x, N);
  NEAR(DIPS, 3.0 / 20);
  NEAR(DIPS + 1, 3.0 / 60);
  NEAR(PEAKS, 0);
  NEAR(PEAKS + 1, 1.0 / 60);
}

/* A short history is looked at as far as it goes, and says so. */
static void test_short(void) {
  float x[N], all[WR_LOOK_COUNT];
  for (int i = 0; i < N; i++)
    x[i] = 10 + (float)(i % 5);
  for (size_t count = WR_LOOK_LEAST; count < N; count++) {
    look(x + N - count, count);
    for (int i = 0; i < WR_LOOK_COUNT; i++)
      CU_ASSERT(isfinite(f[i]));
    NEAR(HISTORY, (double)count / N);
  }
  look(x, N);
  memcpy(all, f, sizeof(all));
  look(x + N - 20, 20);
  CU_ASSERT_EQUAL(f[WR_LOOK_DEVIATION + 3], all[WR_LOOK_DEVIATION + 3]);
  CU_ASSERT_EQUAL(f[WR_LOOK_DEVIATION + 5], f[WR_LOOK_DEVIATION + 3]);
  CU_ASSERT_EQUAL(memcmp(f, all, WR_SHAPE_COUNT * sizeof(float)), 0);
}

/* Only what came lately can change what is looked at in few seconds; nothing
 * is read in front of the samples (the address sanitizer looks on). */
static void test_only_what_is_given(void) {
  for (size_t count = WR_LOOK_LEAST; count <= N; count += 5) {
    float *x = malloc(count * sizeof(float));
    CU_ASSERT_PTR_NOT_NULL_FATAL(x);
    for (size_t i = 0; i < count; i++)
      x[i] = 10 + (float)(i % 3);
    look(x, count);
    free(x);
    NEAR(HISTORY, (double)count / N);
  }
}

static void test_hostile(void) {
  const float odd[] = {NAN, INFINITY, -INFINITY, 1e38f, -1e38f, 0, 1e-30f, -5};
  float x[N];
  srand(1);
  for (int n = 0; n < 3000; n++) {
    size_t count = WR_LOOK_LEAST + (size_t)rand() % (N - WR_LOOK_LEAST + 1);
    for (size_t i = 0; i < count; i++)
      x[i] = rand() % 3 ? (float)(rand() % 200) / 10
                        : odd[(size_t)rand() % (sizeof(odd) / sizeof(*odd))];
    wr_look(x, count, n % 2 ? 0 : odd[n % 8], f);
    for (int i = 0; i < WR_LOOK_COUNT; i++)
      CU_ASSERT(isfinite(f[i]));
  }
}

/* Pulses 3 and 4 of a coarse sensor show what a pulse is; one step does not,
 * nor does a flow that stops, nor one that is finer than it matters. */
static void test_quantum(void) {
  float x[N];
  for (int i = 0; i < N; i++)
    x[i] = (i * 7 % 10 < 4 ? 4 : 3) * 2.6667f;
  CU_ASSERT_DOUBLE_EQUAL(wr_look_quantum(x, N), 2.6667, 1e-3);
  x[10] = 6 * 2.6667f; /* now and then more */
  CU_ASSERT_DOUBLE_EQUAL(wr_look_quantum(x, N), 2.6667, 1e-3);
  x[20] = 0; /* or none */
  CU_ASSERT_DOUBLE_EQUAL(wr_look_quantum(x, N), 2.6667, 1e-3);
  x[30] = 3.7131f * 2.6667f; /* no whole number of pulses */
  CU_ASSERT_EQUAL(wr_look_quantum(x, N), 0);
  for (int i = 0; i < N; i++)
    x[i] = i < 40 ? 10 : 5;
  CU_ASSERT_EQUAL(wr_look_quantum(x, N), 0);
  for (int i = 0; i < N; i++)
    x[i] = i % 2 ? 10 : 0;
  CU_ASSERT_EQUAL(wr_look_quantum(x, N), 0);
  for (int i = 0; i < N; i++)
    x[i] = 10 + 0.0667f * (float)(i % 2);
  CU_ASSERT_EQUAL(wr_look_quantum(x, N), 0);
}

UNIT_MAIN("look", UNIT(test_steady), UNIT(test_step), UNIT(test_swing),
          UNIT(test_dips_and_peaks), UNIT(test_short),
          UNIT(test_only_what_is_given), UNIT(test_hostile), UNIT(test_quantum))
