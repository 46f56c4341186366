/* What one pulse makes of the flow, and the rest of a look, at the bounds of
 * what is told. */
#include "lib/flow/look.h"

#include "tests/unit/unit.h"

#include <math.h>
#include <stdbool.h>

#define N WR_LOOK_SAMPLES

static float x[N], f[WR_LOOK_COUNT];

static void fill(float level) {
  for (int i = 0; i < N; i++)
    x[i] = level;
}

static float seen(void) { return wr_look_quantum(x, N); }

/* Three changes make it likely, wherever they are. */
static void test_three_changes(void) {
  static const struct {
    int at[4]; /* seconds that are one pulse more; 0 ends */
    bool tells;
  } cases[] = {
      {{0}, false},        {{20}, false},           {{N - 1}, false},
      {{20, N - 1}, true}, {{30, 40}, true},        {{1, N - 1}, true},
      {{20, 21}, false},   {{20, 21, N - 1}, true}, {{N - 2, N - 1}, false}};
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    fill(10);
    for (int k = 0; k < 4 && cases[i].at[k] != 0; k++)
      x[cases[i].at[k]] = 12.5f;
    CU_ASSERT_EQUAL(seen(), cases[i].tells ? 2.5f : 0);
  }
  fill(10); /* the oldest second of all */
  x[0] = x[30] = 12.5f;
  CU_ASSERT_EQUAL(seen(), 2.5f);
}

/* The least change is one to four pulses. */
static void test_pulses_of_a_change(void) {
  static const struct {
    float low, high, quantum;
  } cases[] = {{4.5f, 5, 0.5f},    {4.5f, 5.5f, 0.5f}, {5, 6.5f, 0.5f},
               {4.5f, 6.5f, 0.5f}, {4.5f, 7, 0},       {4, 6, 2}};
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    for (int k = 0; k < N; k++)
      x[k] = k % 3 == 0 ? cases[i].high : cases[i].low;
    CU_ASSERT_EQUAL(seen(), cases[i].quantum);
  }
}

/* Each second has to be a multiple, to a tenth of a pulse and 1.5 % of it. */
static void test_multiples(void) {
  static const struct {
    float odd;
    bool tells;
  } cases[] = {{12.09f, true},  {12.11f, false}, {13.91f, true},
               {13.89f, false}, {13.62f, false}, {3.04f, true},
               {3.05f, false},  {2.96f, true},   {2.95f, false},
               {0, true}};
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
    for (int at = 0; at < N; at += at == 0 || at == N - 2 ? 1 : 29) {
      for (int k = 0; k < N; k++)
        x[k] = k % 2 == 0 ? 10 : 11;
      x[at] = cases[i].odd;
      if (at > 0)
        x[at - 1] = 10;
      if (at < N - 1)
        x[at + 1] = 10;
      CU_ASSERT_EQUAL(seen(), cases[i].tells ? 1 : 0);
    }
}

/* A pulse of less than a hundredth of the flow does not matter, nor does one
 * of nearly nothing; and a flow that stops and starts is no flicker. */
static void test_what_matters(void) {
  static const struct {
    float low, high, quantum;
  } cases[] = {{9.9f, 10.01f, 0.11f}, {9.9f, 9.99f, 0}, {10, 10.0625f, 0},
               {0.0005f, 0.001f, 0},  {0, 10, 0},       {2.25f, 2.5f, 0.25f}};
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    for (int k = 0; k < N; k++)
      x[k] = k % 4 < 2 ? cases[i].high : cases[i].low;
    CU_ASSERT_DOUBLE_EQUAL(seen(), cases[i].quantum, 1e-4);
  }
  for (int k = 0; k < N; k++) /* that never rests */
    x[k] = k % 2 == 0 ? 0.001f : 0.0005f;
  CU_ASSERT_EQUAL(seen(), 0);
  for (int k = 0; k < N; k++)
    x[k] = k % 2 == 0 ? 0.0033f : 0.0022f;
  CU_ASSERT_DOUBLE_EQUAL(seen(), 0.0011f, 1e-6);
  for (int at = 0; at < N; at += N - 1) { /* a second is part of the flow */
    for (int k = 0; k < N; k++)
      x[k] = k % 3 == 0 ? 10.25f : 10;
    CU_ASSERT_EQUAL(seen(), 0.25f);
    x[at] = 1000;
    CU_ASSERT_EQUAL(seen(), 0);
  }
}

/* One that is given is not looked for; one that is not above 0 is none. */
static void test_given_quantum(void) {
  static const float none[] = {0, -1, NAN};
  for (int k = 0; k < N; k++)
    x[k] = k % 3 == 0 ? 10 : 7.5f;
  x[N - 10] = 7.5f; /* the newest ten seconds: base 8.75 or so */
  for (int i = 0; i < 3; i++) {
    wr_look(x, N, none[i], f);
    CU_ASSERT_DOUBLE_EQUAL(f[WR_LOOK_QUANTUM], 2.5f / (f[WR_SHAPE_MEAN] + 0.5f),
                           1e-6);
  }
  wr_look(x, N, 0.5f, f);
  CU_ASSERT_DOUBLE_EQUAL(f[WR_LOOK_QUANTUM], 0.5f / (f[WR_SHAPE_MEAN] + 0.5f),
                         1e-6);
  wr_look(x, N, 1000, f);
  CU_ASSERT_EQUAL(f[WR_LOOK_QUANTUM], 1);
}

/* A flow that rises or falls to the end is no peak, and no dip. */
static void test_ends(void) {
  for (int side = -1; side <= 1; side += 2)
    for (int end = 0; end < 2; end++) {
      fill(10);
      for (int i = 0; i < 3; i++)
        x[end == 0 ? i : N - 1 - i] = 10 + (float)(side * (3 - i) * 2);
      wr_look(x, N, 0.1f, f);
      for (int i = 0; i < 2; i++) {
        CU_ASSERT_EQUAL(f[WR_LOOK_DIPS + i], 0);
        CU_ASSERT_EQUAL(f[WR_LOOK_PEAKS + i], 0);
      }
    }
}

/* Sixteen seconds around 10, of whole numbers: all sums are exact. */
static float lag_of(const int *off) {
  float window[16];
  for (int i = 0; i < 16; i++)
    window[i] = 10 + (float)off[i];
  wr_look(window, 16, 0.1f, f);
  return f[WR_LOOK_PERIOD] * 20;
}

/* Of two lags that repeat the flow as well, the first; but it has to be better
 * than the one before it. */
static void test_lags_alike(void) {
  static const int two_in_a_row[16] = {0,  0, 0, 0, 1, 2, -2, -1,
                                       -2, 2, 0, 2, 1, 1, -1, -3};
  static const int no_rise[16] = {0, 0,  1, 2, 2, 1,  2,  0,
                                  0, -2, 0, 0, 0, -2, -1, -3};
  static const int two_peaks[16] = {-2, -1, 2, 1, 2, 0,  2, 0,
                                    1,  -2, 0, 0, 0, -2, 0, -1};
  CU_ASSERT_DOUBLE_EQUAL(lag_of(two_in_a_row), 7, 1e-4);
  CU_ASSERT_DOUBLE_EQUAL(lag_of(no_rise), 4, 1e-4);
  CU_ASSERT_DOUBLE_EQUAL(lag_of(two_peaks), 2, 1e-4);
}

UNIT_MAIN("look, its bounds", UNIT(test_three_changes),
          UNIT(test_pulses_of_a_change), UNIT(test_multiples),
          UNIT(test_what_matters), UNIT(test_given_quantum), UNIT(test_ends),
          UNIT(test_lags_alike))
