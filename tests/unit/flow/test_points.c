#include "lib/flow/points.h"

#include "tests/unit/unit.h"

#include <math.h>
#include <string.h>

#define DAY 86400

/* Three points found by level, at 25, 50 and 4; the flow is at the second. */
static struct wr_points three(void) {
  static const double levels[] = {25, 50, 4};
  struct wr_points p;
  memset(&p, 0, sizeof(p));
  p.current = WR_POINTS_NONE;
  for (int i = 0; i < 3; i++)
    CU_ASSERT_EQUAL(wr_points_add(&p, levels[i], NAN, 100 + i), i);
  p.current = 1;
  return p;
}

static void test_added(void) {
  struct wr_points p = three();
  CU_ASSERT_EQUAL(p.count, 3);
  CU_ASSERT_EQUAL(p.scale, 50);
  int i = wr_points_add(&p, -60, 7, 500);
  CU_ASSERT_EQUAL(i, 3);
  CU_ASSERT_EQUAL(p.at[i].level, -60);
  CU_ASSERT_EQUAL(p.at[i].reference, -60);
  CU_ASSERT_EQUAL(p.at[i].origin, -60);
  CU_ASSERT_EQUAL(p.at[i].left_s, 500);
  CU_ASSERT_EQUAL(p.at[i].key, 7);
  CU_ASSERT_EQUAL(p.at[i].seen_s, 0);
  CU_ASSERT_EQUAL(p.at[i].held_s, 0);
  CU_ASSERT_EQUAL(p.at[i].visits, 1);
  CU_ASSERT_TRUE(p.at[i].used && p.at[i].accepted);
  CU_ASSERT_EQUAL(p.count, 4);
  CU_ASSERT_EQUAL(p.scale, 60);
  CU_ASSERT_EQUAL(p.current, 1);
}

/* 8 % of the larger of the two, or of a fifth of the largest of all. */
static void test_near(void) {
  static const struct {
    double level;
    int point;
  } cases[] = {{23, 0},      {22.99, -1}, {27.17, 0},   {27.18, -1}, {25, 0},
               {50, 1},      {46, 1},     {45.99, -1},  {4, 2},      {4.75, 2},
               {4.8125, -1}, {3.25, 2},   {3.1875, -1}, {-4, -1},    {0, -1}};
  struct wr_points p = three();
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
    CU_ASSERT_EQUAL(wr_points_near(&p, cases[i].level, false), cases[i].point);
  /* the nearest of those in reach, whichever comes first */
  p.at[3] = p.at[0];
  p.at[3].level = 24;
  CU_ASSERT_EQUAL(wr_points_near(&p, 24.25, false), 3);
  CU_ASSERT_EQUAL(wr_points_near(&p, 24.75, false), 0);
  p.at[3].key = 24; /* not one that a set point names */
  CU_ASSERT_EQUAL(wr_points_near(&p, 24, false), 0);
  p.at[0].used = p.at[3].used = false;
  CU_ASSERT_EQUAL(wr_points_near(&p, 25, false), -1);
}

/* A candidate is one where it returns after it held for ten minutes. */
static void test_near_a_candidate(void) {
  struct wr_points p = three();
  p.at[0].accepted = false;
  p.at[0].held_s = 600;
  CU_ASSERT_EQUAL(wr_points_near(&p, 25, true), 0);
  CU_ASSERT_EQUAL(wr_points_near(&p, 25, false), -1);
  p.at[0].held_s = 599;
  CU_ASSERT_EQUAL(wr_points_near(&p, 25, true), -1);
  struct wr_points none;
  memset(&none, 0, sizeof(none));
  CU_ASSERT_EQUAL(wr_points_near(&none, 0, true), -1);
}

/* What is kept beside the points counts those, and ripe candidates; the scale
 * is that of points alone. */
static void test_accepted(void) {
  struct wr_points p = three();
  p.at[4] = (struct wr_point){.used = true, .level = 80, .held_s = 600};
  p.at[5] = (struct wr_point){.used = true, .level = 90, .held_s = 599};
  p.at[1].accepted = false;
  p.at[1].reference = p.at[1].origin = 7;
  CU_ASSERT_FALSE(wr_points_accept(&p, 0));
  CU_ASSERT_EQUAL(p.count, 3); /* as it was */
  CU_ASSERT_TRUE(wr_points_accept(&p, 1));
  CU_ASSERT_EQUAL(p.at[1].reference, 50);
  CU_ASSERT_EQUAL(p.at[1].origin, 50);
  CU_ASSERT_TRUE(p.at[1].accepted);
  CU_ASSERT_EQUAL(p.count, 4);
  CU_ASSERT_EQUAL(p.scale, 50);
  CU_ASSERT_TRUE(wr_points_accept(&p, 5));
  CU_ASSERT_EQUAL(p.count, 5);
  CU_ASSERT_EQUAL(p.scale, 90);
  CU_ASSERT_FALSE(wr_points_accept(&p, 5));
}

/* 2 % of a set point, however small. */
static void test_keyed(void) {
  static const struct {
    double has, key;
    bool same;
  } cases[] = {{50, 49, true},    {50, 48.9, false}, {50, 51, true},
               {50, 51.1, false}, {0.5, 0.5, true},  {0.5, 0.515, false},
               {0, 0, true},      {0, 0.001, false}, {-50, 50, false},
               {-50, -49, true},  {NAN, 50, false}};
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    struct wr_points p = three();
    p.at[2].key = (float)cases[i].has;
    CU_ASSERT_EQUAL(wr_points_keyed(&p, cases[i].key), cases[i].same ? 2 : -1);
    p.at[2].used = false;
    CU_ASSERT_EQUAL(wr_points_keyed(&p, cases[i].key), -1);
  }
}

/* At the ceiling the candidate goes that was left longest ago, else the point;
 * never the one where the flow is. */
static void test_ceiling(void) {
  static const struct {
    float left_s[WR_POINTS_MAX];
    const char *accepted;
    int current, goes;
  } cases[] = {{{1, 2, 3, 4, 5, 6}, "111111", 5, 0},
               {{1, 2, 3, 4, 5, 6}, "111111", 0, 1},
               {{6, 5, 4, 3, 2, 1}, "111111", 0, 5},
               {{6, 5, 4, 3, 2, 1}, "111111", 5, 4},
               {{3, 2, 1, 4, 5, 6}, "111111", -1, 2},
               {{1, 2, 3, 4, 5, 6}, "111011", 5, 3},
               {{1, 2, 3, 4, 5, 6}, "011011", 5, 0},
               {{5, 2, 3, 4, 1, 6}, "011011", 3, 0},
               {{5, 2, 3, 4, 1, 6}, "011011", 0, 3},
               {{1, 2, 3, 4, 5, 6}, "011111", 0, 1},
               {{2, 2, 3, 4, 5, 6}, "111111", 5, 0},
               {{1, 2, 3, 4, 5, 6}, "1111x1", 5, 4}};
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    struct wr_points p;
    memset(&p, 0, sizeof(p));
    p.current = (int8_t)cases[i].current;
    for (int n = 0; n < WR_POINTS_MAX; n++)
      p.at[n] = (struct wr_point){.level = 10,
                                  .key = NAN,
                                  .left_s = cases[i].left_s[n],
                                  .accepted = cases[i].accepted[n] == '1',
                                  .used = cases[i].accepted[n] != 'x'};
    CU_ASSERT_EQUAL(wr_points_add(&p, 77, NAN, 9), cases[i].goes);
    CU_ASSERT_EQUAL(p.at[cases[i].goes].level, 77);
  }
}

/* A level that is no point yet: it is a candidate, and ripe after ten minutes
 * in all; in the first day at once, later when it came back. */
static void test_candidate(void) {
  struct wr_points p = three();
  CU_ASSERT_EQUAL(wr_points_wait(&p, 10, 300, 1000, true), -1);
  CU_ASSERT_EQUAL(p.at[3].level, 10);
  CU_ASSERT_FALSE(p.at[3].accepted);
  CU_ASSERT_TRUE(p.at[3].used);
  CU_ASSERT_TRUE(isnan(p.at[3].key));
  CU_ASSERT_EQUAL(p.at[3].visits, 1);
  CU_ASSERT_EQUAL(p.at[3].held_s, 300);
  CU_ASSERT_EQUAL(p.at[3].left_s, 1000);
  CU_ASSERT_EQUAL(p.count, 3);
  CU_ASSERT_EQUAL(wr_points_wait(&p, 10.5, 30, 1100, false), -1);
  CU_ASSERT_EQUAL(p.at[3].level, 10.25); /* half a minute: half the way */
  CU_ASSERT_EQUAL(p.at[3].held_s, 330);
  CU_ASSERT_EQUAL(p.at[3].left_s, 1100);
  CU_ASSERT_EQUAL(wr_points_wait(&p, 10.5, 120, 1100, false), -1);
  CU_ASSERT_EQUAL(p.at[3].level, 10.5); /* and no farther */
  CU_ASSERT_EQUAL(wr_points_wait(&p, 10.5, 149, DAY, false), -1);
  CU_ASSERT_EQUAL(wr_points_wait(&p, 10.5, 1, DAY + 1, false), -1);
  CU_ASSERT_EQUAL(p.count, 4); /* ripe */
  CU_ASSERT_EQUAL(wr_points_wait(&p, 10.5, 1, DAY, false), 3);
  CU_ASSERT_EQUAL(p.at[3].visits, 1);
  CU_ASSERT_EQUAL(wr_points_wait(&p, 10.5, 1, 2 * DAY, true), 3);
  CU_ASSERT_EQUAL(p.at[3].visits, 2);
  CU_ASSERT_EQUAL(wr_points_wait(&p, 10.5, 1, 2 * DAY, false), 3);
  p.at[3].visits = UINT8_MAX - 1;
  for (int i = 0; i < 2; i++)
    CU_ASSERT_EQUAL(wr_points_wait(&p, 10.5, 1, 2 * DAY, true), 3);
  CU_ASSERT_EQUAL(p.at[3].visits, UINT8_MAX);
}

/* A twentieth off the candidate is another one. */
static void test_candidates_apart(void) {
  struct wr_points p = three();
  (void)wr_points_wait(&p, 20, 1, 1000, true);
  (void)wr_points_wait(&p, 19, 0, 1000, true);
  CU_ASSERT_FALSE(p.at[4].used);
  CU_ASSERT_EQUAL(p.at[3].visits, 2);
  (void)wr_points_wait(&p, 18.9375, 1, 1000, true);
  CU_ASSERT_TRUE(p.at[4].used);
  CU_ASSERT_EQUAL(p.at[4].level, 18.9375);
  (void)wr_points_wait(&p, 25, 1, 1000, true); /* a point is no candidate */
  CU_ASSERT_EQUAL(p.at[5].level, 25);
  p = three();
  p.at[0].accepted = false; /* in the first place, too */
  CU_ASSERT_EQUAL(wr_points_wait(&p, 25, 600, 1000, true), 0);
  CU_ASSERT_EQUAL(p.at[0].visits, 2);
  CU_ASSERT_FALSE(p.at[3].used);
}

/* The reference is the mean of the first day at the point. */
static void test_the_first_day(void) {
  struct wr_points p = three();
  wr_points_mean(&p, 40, 600, 5000, false);
  CU_ASSERT_EQUAL(p.at[1].seen_s, 600);
  CU_ASSERT_EQUAL(p.at[1].left_s, 5000);
  CU_ASSERT_EQUAL(p.at[1].level, 40);
  CU_ASSERT_EQUAL(p.at[1].reference, 40);
  CU_ASSERT_EQUAL(p.at[1].origin, 40);
  CU_ASSERT_EQUAL(p.scale, 40);
  wr_points_mean(&p, 30, 200, 5600, false);
  CU_ASSERT_EQUAL(p.at[1].reference, 37.5f);
  CU_ASSERT_EQUAL(p.at[1].origin, 37.5f);
  CU_ASSERT_EQUAL(p.at[1].level, 30);
  p.at[1].seen_s = DAY - 21600;
  wr_points_mean(&p, 41.5, 21600, 6000, false);
  CU_ASSERT_EQUAL(p.at[1].seen_s, DAY);
  CU_ASSERT_EQUAL(p.at[1].reference, 38.5f);
  CU_ASSERT_EQUAL(p.at[1].origin, 38.5f);
}

/* Then it follows by half a per cent a day, in alarm by a tenth of that. */
static void test_later_days(void) {
  static const struct {
    double before_s, mean, reference;
    bool alarm;
  } cases[] = {{DAY, 60, 50.25, false},      {DAY, 40, 49.75, false},
               {DAY, 50.125, 50.125, false}, {DAY, 49.875, 49.875, false},
               {DAY, 60, 50.025, true},      {DAY, 40, 49.975, true},
               {0, 60, 50.025, true},        {0, 60, 60, false}};
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    struct wr_points p = three();
    p.at[1].seen_s = (float)cases[i].before_s;
    wr_points_mean(&p, cases[i].mean, DAY, 9000, cases[i].alarm);
    CU_ASSERT_DOUBLE_EQUAL(p.at[1].reference, cases[i].reference, 1e-5);
    bool first = cases[i].before_s == 0 && !cases[i].alarm;
    CU_ASSERT_EQUAL(p.at[1].origin, first ? 60 : 50);
    CU_ASSERT_EQUAL(p.at[1].level, cases[i].alarm ? 50 : (float)cases[i].mean);
    CU_ASSERT_EQUAL(p.at[1].left_s, 9000);
  }
  struct wr_points p = three();
  p.at[1].seen_s = DAY;
  p.at[1].reference = -50;
  wr_points_mean(&p, -60, DAY, 9000, false);
  CU_ASSERT_DOUBLE_EQUAL(p.at[1].reference, -50.25, 1e-5);
}

static void test_confirmed_and_rescaled(void) {
  struct wr_points p = three();
  p.at[1].held_s = 0;
  wr_points_confirm(&p, 70);
  CU_ASSERT_EQUAL(p.at[1].level, 70);
  CU_ASSERT_EQUAL(p.at[1].reference, 70);
  CU_ASSERT_EQUAL(p.at[1].origin, 70);
  CU_ASSERT_EQUAL(p.at[1].held_s, 1);
  CU_ASSERT_EQUAL(p.scale, 70);
  p.at[1].reference = 60;
  p.at[1].origin = 50;
  wr_points_rescale(&p, 0.5);
  CU_ASSERT_EQUAL(p.at[1].level, 35);
  CU_ASSERT_EQUAL(p.at[1].reference, 30);
  CU_ASSERT_EQUAL(p.at[1].origin, 25);
  CU_ASSERT_EQUAL(p.at[0].level, 12.5);
  CU_ASSERT_EQUAL(p.at[2].level, 2);
  CU_ASSERT_EQUAL(p.scale, 35);
  wr_points_rescale(&p, 0.0078125); /* however small all are */
  CU_ASSERT_EQUAL(p.scale, 35 * 0.0078125f);
}

/* Set points are given no longer: what has one is a point all the same, if the
 * flow ever was there. */
static void test_unkey(void) {
  static const struct {
    float key, held_s, seen_s;
    bool stays;
  } cases[] = {{7, 0, 0, false},  {7, 1, 0, true},   {7, 0, 1, true},
               {7, 0.5, 0, true}, {7, 0, 0.5, true}, {NAN, 0, 0, true}};
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
    for (int current = -1; current < 2; current++) {
      struct wr_points p = three();
      p.at[0].key = cases[i].key;
      p.at[0].held_s = cases[i].held_s;
      p.at[0].seen_s = cases[i].seen_s;
      p.current = (int8_t)current;
      CU_ASSERT_EQUAL(wr_points_unkey(&p),
                      current == 1 || (current == 0 && cases[i].stays));
      CU_ASSERT_EQUAL(p.at[0].used, cases[i].stays);
      CU_ASSERT_EQUAL(p.at[0].level, cases[i].stays ? 25 : 0);
      CU_ASSERT_TRUE(isnan(p.at[0].key));
      CU_ASSERT_EQUAL(p.count, cases[i].stays ? 3 : 2);
      CU_ASSERT_EQUAL(p.at[2].level, 4);
    }
}

UNIT_MAIN("points", UNIT(test_added), UNIT(test_near),
          UNIT(test_near_a_candidate), UNIT(test_accepted), UNIT(test_keyed),
          UNIT(test_ceiling), UNIT(test_candidate), UNIT(test_candidates_apart),
          UNIT(test_the_first_day), UNIT(test_later_days),
          UNIT(test_confirmed_and_rescaled), UNIT(test_unkey))
