/* The features of a minute, worked out a second time: in double, one by one,
 * as slowly and plainly as the header says them, by sorting where the code
 * counts. On flow of every kind, of any length, the two agree. */
#include "lib/flow/look.h"

#include "tests/unit/flow/flow_kinds.h"
#include "tests/unit/unit.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

#define N WR_LOOK_SAMPLES
#define BEFORE 10 /* seconds that "before" ended ago */

static float f[WR_LOOK_COUNT];
/* The newest first; d[i] is the change from x[i + 1] to x[i]. */
static double x[N], d[N], base, jump;
static int count;

static void near(int which, double want) {
  CU_ASSERT_DOUBLE_EQUAL(f[which], want, 3e-5 * (1 + fabs(want)));
}

static int least(int a, int b) { return a < b ? a : b; }

/* The value that `below` others come before. */
static double nth(const double *values, int n, int below) {
  double sorted[N];
  memcpy(sorted, values, (size_t)n * sizeof(*sorted));
  qsort(sorted, (size_t)n, sizeof(*sorted), flow_by_size);
  return sorted[below];
}

static void check_levels(int w, int n) {
  double mean = 0, squares = 0, low = x[0], high = x[0];
  for (int i = 0; i < n; i++) {
    mean += x[i] / n;
    low = fmin(low, x[i]);
    high = fmax(high, x[i]);
  }
  for (int i = 0; i < n; i++)
    squares += pow(x[i] - mean, 2) / n;
  near(WR_LOOK_MEAN + w, mean / base);
  CU_ASSERT_DOUBLE_EQUAL(exp(f[WR_LOOK_DEVIATION + w]),
                         sqrt(squares) / base + WR_SHAPE_FLOOR, 1e-3);
  if (w < WR_LOOK_LENGTHS - 1) /* of the longest there is none */
    near(WR_LOOK_RANGE + w, (high - low) / base);
}

static void check_changes(int w, int n) {
  double way = 0, last = 0, net = x[0] - x[n];
  int jumps = 0, turns = 0;
  for (int i = 0; i < n; i++) {
    way += fabs(d[i]);
    if (fabs(d[i]) > jump) {
      jumps++;
      turns += last != 0 && (last > 0) != (d[i] > 0);
      last = d[i];
    }
  }
  near(WR_LOOK_WAY + w - 1, way / base);
  near(WR_LOOK_NET + w - 1, net / base);
  near(WR_LOOK_STRAIGHT + w - 1, fabs(net) / (way + 0.02 * base));
  near(WR_LOOK_JUMPS + w - 1, (double)jumps / n);
  if (w > 1) /* of the shortest there are none */
    near(WR_LOOK_TURNS + w - 2, (double)turns / n);
}

static void check_calm(void) {
  int calm = count;
  for (int i = count - 2; i >= 0; i--)
    calm = fabs(d[i]) > jump ? i : calm;
  near(WR_LOOK_CALM, (double)calm / N);
}

/* Returns the usual level. */
static double check_before(void) {
  double level = f[WR_SHAPE_MEAN], quarter = 0, tenth = 0, rough[N];
  int n = count - BEFORE;
  if (n >= BEFORE) { /* a history that is long enough */
    for (int i = 0; i < n - 1; i++)
      rough[i] = fabs(d[BEFORE + i]);
    level = nth(x + BEFORE, n, n / 2);
    quarter = nth(rough, n - 1, (n - 1) / 4);
    tenth = nth(rough, n - 1, (n - 1) * 9 / 10);
  }
  near(WR_LOOK_BEFORE, level / base);
  near(WR_LOOK_QUARTER, quarter / base);
  near(WR_LOOK_TENTH, tenth / base);
  return level;
}

/* Whether second i is more than `margin` above (side 1) or below what was
 * usual, and the nearest of up to three seconds on each side of it. */
static bool stands_out(int i, int side, double usual, double margin) {
  double newer = INFINITY, older = INFINITY;
  for (int k = 1; k <= 3; k++) {
    if (i - k >= 0)
      newer = fmin(newer, side * x[i - k]);
    if (i + k < count)
      older = fmin(older, side * x[i + k]);
  }
  return isfinite(newer) && isfinite(older) &&
         side * x[i] > fmax(side * usual, fmax(newer, older)) + margin;
}

static void check_outliers(int side, int first, double usual) {
  int near_by = least(20, count), found = 0;
  double lately = nth(x, near_by, near_by / 2);
  for (int i = 0; i < count; i++) {
    found += stands_out(i, side, i < near_by ? lately : usual,
                        fmax(jump, 0.08 * base));
    if (i == near_by - 1)
      near(first, (double)found / near_by);
  }
  near(first + 1, (double)found / count);
}

/* How alike x and x `k` seconds before are, of the newest n. */
static double alike(int n, int k) {
  double mean = 0, sum = 0;
  for (int i = 0; i < n; i++)
    mean += x[i] / n;
  for (int i = 0; i + k < n; i++)
    sum += (x[i] - mean) * (x[i + k] - mean) / (n - k);
  return sum;
}

/* Of lags that are as good as the best one, to rounding, any may be told. */
static void check_rhythm(void) {
  int n = least(30, count), told = (int)lround(f[WR_LOOK_PERIOD] * 20);
  double corr[N] = {0}, best = 0, all = 1e-4 * base * base, same = 0;
  for (int k = 0; k <= n / 2; k++)
    corr[k] = alike(n, k);
  for (int k = 2; k < n / 2; k++)
    if (corr[k] > corr[k - 1] && corr[k] >= corr[k + 1])
      best = fmax(best, corr[k]);
  near(WR_LOOK_PERIODIC, best / (corr[0] + all));
  near(WR_LOOK_PERIOD, told / 20.0);
  if (best > 1e-5 * (corr[0] + all))
    CU_ASSERT(told >= 2 && told < n / 2 &&
              corr[told] > best - 1e-5 * (corr[0] + all));
  for (int i = 0; i < least(20, count) - 1; i++) {
    all += d[i] * d[i];
    same += i > 0 ? d[i] * d[i - 1] : 0;
  }
  near(WR_LOOK_AGAIN, same / all);
}

/* quantum: what is given, or seen where nothing is. */
static void check(const float *samples, int seconds, float given) {
  static const int lengths[] = {3, 5, 10, 20, 30, 60};
  float shape[WR_SHAPE_COUNT];
  double quantum = given > 0 ? given : wr_look_quantum(samples, seconds);
  double now = 0;
  count = seconds;
  for (int i = 0; i < count; i++)
    x[i] = (double)samples[count - 1 - i];
  for (int i = 0; i + 1 < count; i++)
    d[i] = x[i] - x[i + 1];
  for (int i = 0; i < BEFORE; i++)
    now += x[i] / BEFORE;
  base = fabs(now) + 0.5;
  jump = fmax(0.03 * base, fmin(2.01 * quantum, 1.01 * quantum + 0.12 * base));
  memset(f, 0x7f, sizeof(f));
  wr_look(samples, (size_t)count, given, f);
  wr_shape(samples + count - WR_SHAPE_SAMPLES, shape);
  CU_ASSERT_EQUAL(memcmp(f + WR_LOOK_SHAPE, shape, sizeof(shape)), 0);
  for (int w = 0; w < WR_LOOK_LENGTHS; w++)
    check_levels(w, least(lengths[w], count));
  for (int w = 1; w < WR_LOOK_LENGTHS; w++)
    check_changes(w, least(lengths[w], count) - 1);
  check_calm();
  double usual = check_before();
  check_outliers(-1, WR_LOOK_DIPS, usual);
  check_outliers(1, WR_LOOK_PEAKS, usual);
  check_rhythm();
  near(WR_LOOK_HISTORY, count / 60.0);
  near(WR_LOOK_QUANTUM, fmin(quantum / base, 1));
}

static void test_every_kind_of_flow(void) {
  static const float quanta[] = {0, 0.125f, 1.375f, 0.5f};
  float minute[N];
  flow_random = 1;
  for (int n = 0; n < 60 * FLOW_KINDS; n++) {
    int seconds = n % 3 ? 10 + flow_draw(51) : N;
    flow_fill(n % FLOW_KINDS, minute);
    check(minute + N - seconds, seconds, quanta[flow_draw(4)]);
  }
}

/* From the shortest history on, at each length that something changes at. */
static void test_every_length(void) {
  float minute[N];
  flow_random = 3;
  for (int kind = 0; kind < FLOW_KINDS; kind++)
    for (int seconds = WR_LOOK_LEAST; seconds <= N; seconds++) {
      flow_fill(kind, minute);
      check(minute, seconds, 0);
    }
}

/* One event in a steady minute, wherever it is. */
static void test_one_event(void) {
  static const float others[] = {3, 24, 9.75f};
  for (int at = 0; at < N; at++)
    for (int k = 0; k < 3; k++) {
      float minute[N];
      for (int i = 0; i < N; i++)
        minute[i] = 10;
      minute[at] = others[k];
      check(minute, N, 0.125f);
      check(minute + at % 2, N - at % 2, 0.125f);
    }
}

UNIT_MAIN("look, plainly", UNIT(test_every_kind_of_flow),
          UNIT(test_every_length), UNIT(test_one_event))
