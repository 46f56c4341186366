/* Which cause is named, and in which words, at each bound. What the network
 * and the look say is put in place. */
#include "lib/flow/hint.h"

#include "tests/unit/unit.h"

#include <stdio.h>
#include <string.h>

static struct wr_context c;
static struct wr_hint h;

/* A flow of so many seconds, all of them the same; of 256 parts the network
 * takes 256 for clean. */
static void steady(float lpm, size_t count) {
  wr_context_init(&c);
  for (size_t i = 0; i < WR_LOOK_SAMPLES; i++)
    c.samples[i] = i < count ? lpm : 1e9f; /* nobody looks there */
  c.count = count;
  c.judged = true;
  c.kinds[WR_NATURE_CLEAN] = 1;
}

/* Of the parts that are not clean some are of one kind. */
static void kind(int clean, enum wr_nature which, int parts) {
  c.kinds[WR_NATURE_CLEAN] = (float)clean / 256;
  c.kinds[which] = (float)parts / 256;
}

static void newest(const float *x, size_t count) {
  memcpy(c.samples + c.count - count, x, count * sizeof(*x));
}

static void ask(int side, bool stuck) {
  memset(&h, 0x55, sizeof(h));
  wr_hint(&c, side, stuck, &h);
}

static bool says(const char *words) {
  ask(0, false);
  if (strcmp(h.text, words) != 0)
    printf("\n'%s'\n", h.text);
  return strcmp(h.text, words) == 0;
}

static bool names(enum wr_cause first, enum wr_cause second) {
  return h.first == first && h.second == second;
}

static void test_names(void) {
  static const char *const want[WR_CAUSES] = {"air",
                                              "cavitation",
                                              "hunting",
                                              "electrical noise",
                                              "blocked or stopped",
                                              "burst or too high",
                                              "sensor",
                                              "unclear"};
  for (int i = 0; i < WR_CAUSES; i++)
    CU_ASSERT_STRING_EQUAL(wr_cause_name((enum wr_cause)i), want[i]);
}

/* Less than three tenths of what is not clean are too little to be named. */
static void test_enough_to_be_named(void) {
  steady(10, 60);
  kind(156, WR_NATURE_HUNTING, 31);
  ask(0, false);
  CU_ASSERT(names(WR_CAUSE_HUNTING, WR_CAUSE_UNCLEAR));
  kind(156, WR_NATURE_HUNTING, 30);
  ask(0, false);
  CU_ASSERT(names(WR_CAUSE_UNCLEAR, WR_CAUSE_HUNTING));
  kind(156, WR_NATURE_HUNTING, 9); /* a second one takes 8 hundredths */
  ask(0, false);
  CU_ASSERT(names(WR_CAUSE_UNCLEAR, WR_CAUSE_HUNTING));
  kind(156, WR_NATURE_HUNTING, 8);
  ask(0, false);
  CU_ASSERT(names(WR_CAUSE_UNCLEAR, WR_CAUSE_UNCLEAR));
}

/* A flow that is seven tenths clean is not what the alarm is about. */
static void test_mostly_clean(void) {
  steady(10, 60);
  kind(179, WR_NATURE_CAVITATION, 76);
  ask(0, false);
  CU_ASSERT(names(WR_CAUSE_CAVITATION, WR_CAUSE_UNCLEAR));
  kind(180, WR_NATURE_CAVITATION, 75);
  ask(0, false);
  CU_ASSERT(names(WR_CAUSE_UNCLEAR, WR_CAUSE_UNCLEAR));
}

/* A fault without a name is one, too. */
static void test_nameless(void) {
  steady(10, 60);
  kind(128, WR_NATURE_HUNTING, 50);
  c.kinds[WR_NATURE_OTHER] = 51 / 256.0f;
  ask(0, false);
  CU_ASSERT(names(WR_CAUSE_UNCLEAR, WR_CAUSE_HUNTING));
  c.kinds[WR_NATURE_OTHER] = 49 / 256.0f;
  ask(0, false);
  CU_ASSERT(names(WR_CAUSE_HUNTING, WR_CAUSE_UNCLEAR));
}

/* The greatest two, of equal ones those that stand first. */
static void test_first_and_second(void) {
  static const struct {
    int parts[4]; /* air, cavitation, hunting, pulses */
    enum wr_cause first, second;
  } cases[] = {{{90, 60, 50, 56}, WR_CAUSE_AIR, WR_CAUSE_CAVITATION},
               {{50, 90, 56, 60}, WR_CAUSE_CAVITATION, WR_CAUSE_NOISE},
               {{60, 50, 90, 56}, WR_CAUSE_HUNTING, WR_CAUSE_AIR},
               {{56, 50, 60, 90}, WR_CAUSE_NOISE, WR_CAUSE_HUNTING},
               {{26, 80, 80, 70}, WR_CAUSE_CAVITATION, WR_CAUSE_HUNTING},
               {{20, 110, 60, 60}, WR_CAUSE_CAVITATION, WR_CAUSE_HUNTING}};
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    static const float spread[] = {5, 20};
    steady(10, 60);
    newest(spread, 2);
    for (int k = 0; k < 4; k++)
      kind(0, WR_NATURE_AIR + k, cases[i].parts[k]);
    ask(0, false);
    CU_ASSERT(names(cases[i].first, cases[i].second));
  }
}

/* Air needs dropouts and noise needs spikes: more than a tenth beyond what
 * three quarters of the samples reach. */
static void test_no_stretches(void) {
  static const struct {
    enum wr_nature kind;
    float odd[2];
    enum wr_cause cause;
  } cases[] = {{WR_NATURE_AIR, {10, 10}, WR_CAUSE_UNCLEAR},
               {WR_NATURE_AIR, {10, 9}, WR_CAUSE_UNCLEAR},
               {WR_NATURE_AIR, {10, 8.99f}, WR_CAUSE_AIR},
               {WR_NATURE_AIR, {8.99f, 10}, WR_CAUSE_AIR},
               {WR_NATURE_AIR, {15, 15}, WR_CAUSE_UNCLEAR},
               {WR_NATURE_PULSES, {10, 10}, WR_CAUSE_UNCLEAR},
               {WR_NATURE_PULSES, {10, 11}, WR_CAUSE_UNCLEAR},
               {WR_NATURE_PULSES, {10, 11.01f}, WR_CAUSE_NOISE},
               {WR_NATURE_PULSES, {11.01f, 10}, WR_CAUSE_NOISE},
               {WR_NATURE_PULSES, {5, 5}, WR_CAUSE_UNCLEAR}};
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    steady(10, 60);
    newest(cases[i].odd, 2);
    kind(0, cases[i].kind, 255);
    ask(0, false);
    CU_ASSERT(names(cases[i].cause, WR_CAUSE_UNCLEAR));
  }
}

/* What is usual: of 20 samples, for dropouts the fifth from above, for spikes
 * the sixth from below. */
static void test_what_is_usual(void) {
  static const float up[] = {1,  2,  3,  4,  5,  10, 10, 10, 10, 10,
                             10, 10, 10, 10, 10, 10, 12, 12, 12, 12};
  steady(10, 60);
  newest(up, 20);
  kind(0, WR_NATURE_AIR, 255);
  CU_ASSERT(says("air: 1 dropout of 5 s in 20 s, down to 10 %"));
  kind(0, WR_NATURE_AIR, 0);
  kind(0, WR_NATURE_PULSES, 255);
  CU_ASSERT(says("electrical noise: 1 spike of 4 s in 20 s, up to 120 %"));
  c.samples[59 - 4] = 12; /* the fifth that is greater */
  kind(0, WR_NATURE_PULSES, 0);
  kind(0, WR_NATURE_AIR, 255);
  CU_ASSERT(says("air: 1 dropout of 5 s in 20 s, down to 8 %"));
  c.samples[40 + 5] = 5; /* the sixth that is less */
  kind(0, WR_NATURE_AIR, 0);
  kind(0, WR_NATURE_PULSES, 255);
  CU_ASSERT(says("electrical noise: 1 spike of 14 s in 20 s, up to 240 %"));
}

/* A stretch is what goes more than half of the way. */
static void test_stretches(void) {
  static const float down[] = {10,   10,   6,  10, 8,  10,
                               7.9f, 6.5f, 10, 10, 10, 10};
  static const float up[] = {14, 10, 12, 10, 10, 10, 12.1f, 10, 10, 10};
  steady(10, 60);
  newest(down, 12);
  kind(0, WR_NATURE_AIR, 255);
  CU_ASSERT(says("air: 2 dropouts of 1-2 s in 20 s, down to 60 %"));
  steady(10, 60);
  newest(up, 10);
  kind(0, WR_NATURE_PULSES, 255);
  CU_ASSERT(says("electrical noise: 2 spikes of 1 s in 20 s, up to 140 %"));
  steady(10, 60);
  newest((float[]){6, 6, 6}, 3); /* it goes on */
  kind(0, WR_NATURE_AIR, 255);
  CU_ASSERT(says("air: 1 dropout of 3 s in 20 s, down to 60 %"));
  c.samples[59 - 20] = 1; /* 21 s ago */
  CU_ASSERT(says("air: 1 dropout of 3 s in 20 s, down to 60 %"));
}

/* As soon as there is a judgement. */
static void test_ten_seconds(void) {
  steady(10, WR_LOOK_LEAST);
  newest((float[]){6, 10}, 2);
  kind(0, WR_NATURE_AIR, 255);
  CU_ASSERT(says("air: 1 dropout of 1 s in 10 s, down to 60 %"));
  steady(10, WR_LOOK_LEAST - 1);
  kind(0, WR_NATURE_HUNTING, 255);
  CU_ASSERT(says("unclear: between 100 and 100 % of nominal in 9 s"));
}

static void test_swings(void) {
  steady(10, 60);
  newest((float[]){14, 7, 13, 6, 10, 10}, 6);
  kind(0, WR_NATURE_HUNTING, 255);
  CU_ASSERT(says("hunting: swings of +-40 %"));
  for (int lag = 2; lag <= 15; lag++) {
    char want[80];
    snprintf(want, sizeof(want), "hunting: swings of +-40 %%, one in %d s",
             lag);
    c.look[WR_LOOK_PERIOD] = (float)lag / 20;
    CU_ASSERT(says(want));
  }
}

/* Half of the samples at 12 and half at 8 are a noise of 20 %. */
static void test_rough(void) {
  steady(10, 20);
  for (int i = 0; i < 20; i++)
    c.samples[i] = i % 2 == 0 ? 12 : 8;
  kind(0, WR_NATURE_CAVITATION, 255);
  CU_ASSERT(says("cavitation: noise of 20 % in 20 s"));
  c.look[WR_LOOK_BEFORE] = 2; /* but there was no minute before */
  c.look[WR_SHAPE_MEAN] = 9.5f;
  CU_ASSERT(says("cavitation: noise of 20 % in 20 s"));
  steady(0, 20);
  kind(0, WR_NATURE_CAVITATION, 255);
  c.kinds[WR_NATURE_OTHER] = 0;
  ask(0, false);
  CU_ASSERT(names(WR_CAUSE_BLOCKED, WR_CAUSE_CAVITATION));
  /* of no flow there is no percent, of a little there is */
  steady(0, 20);
  newest((float[]){-20, -20, 20, 0, 20}, 5);
  kind(0, WR_NATURE_CAVITATION, 255);
  CU_ASSERT(says("cavitation: noise of 0 % in 20 s"));
  steady(0, 20);
  newest((float[]){4, 4, 4, 4}, 4);
  kind(0, WR_NATURE_CAVITATION, 255);
  CU_ASSERT(says("cavitation: noise of 200 % in 20 s"));
}

/* Below what it was: by more than three hundredths. */
static void test_below_what_it_was(void) {
  steady(20, 60);
  kind(0, WR_NATURE_CAVITATION, 255);
  c.look[WR_SHAPE_MEAN] = 19.5f; /* half a L/min more is what 1 means */
  c.look[WR_LOOK_BEFORE] = 1.03f;
  CU_ASSERT(says("cavitation: noise of 0 % in 20 s"));
  c.look[WR_LOOK_BEFORE] = 1.031f;
  CU_ASSERT(says("cavitation: noise of 0 % in 20 s, 3 % below what it was"));
  c.look[WR_SHAPE_MEAN] = -19.5f;
  c.look[WR_LOOK_BEFORE] = 2;
  CU_ASSERT(says("cavitation: noise of 0 % in 20 s, 50 % below what it was"));
  c.look[WR_LOOK_BEFORE] = 0.5f;
  CU_ASSERT(says("cavitation: noise of 0 % in 20 s"));
}

/* Rounded, never below nothing, and four digits at most. */
static void test_percent(void) {
  static const struct {
    float lpm;
    const char *words;
  } cases[] = {{0.04f, "blocked or stopped: 0 % of nominal for 5 s"},
               {0.07f, "blocked or stopped: 1 % of nominal for 5 s"},
               {0.14f, "blocked or stopped: 1 % of nominal for 5 s"},
               {-3, "blocked or stopped: 0 % of nominal for 5 s"},
               {999.84f, "burst or too high: 9998 % of nominal for 5 s"},
               {999.95f, "burst or too high: 9999 % of nominal for 5 s"},
               {1000, "burst or too high: 9999 % of nominal for 5 s"}};
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    steady(cases[i].lpm, 5);
    CU_ASSERT(says(cases[i].words));
  }
}

/* For how long: as far as the level is by less than a tenth of nominal on the
 * inner side of what it is now, however far it was on the other. */
static void test_how_long(void) {
  static const struct {
    int side;
    float x[5];
    const char *words;
  } cases[] = {
      {-1, {3, 2.9f, 2, 2, 2}, "blocked or stopped: 20 % of nominal for 4 s"},
      {-1, {2.9f, 3, 2, 2, 2}, "blocked or stopped: 20 % of nominal for 3 s"},
      {-1, {9, -9, 2, 2, 2}, "blocked or stopped: 20 % of nominal for 4 s"},
      {1,
       {24, 24.1f, 25, 25, 25},
       "burst or too high: 250 % of nominal for 4 s"},
      {1,
       {24.1f, 24, 25, 25, 25},
       "burst or too high: 250 % of nominal for 3 s"},
      {1, {9, 99, 25, 25, 25}, "burst or too high: 250 % of nominal for 4 s"}};
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    steady(10, 60);
    newest(cases[i].x, 5);
    ask(cases[i].side, false);
    CU_ASSERT_STRING_EQUAL(h.text, cases[i].words);
  }
  steady(25, 60);
  CU_ASSERT(says("burst or too high: 250 % of nominal for at least 60 s"));
  steady(25, 59);
  CU_ASSERT(says("burst or too high: 250 % of nominal for 59 s"));
}

/* Without a side that is known: below Low and above High, but not at their
 * ends. */
static void test_side_of_its_own(void) {
  static const struct {
    float lpm;
    enum wr_cause first;
  } cases[] = {{3.99f, WR_CAUSE_BLOCKED},
               {4, WR_CAUSE_UNCLEAR},
               {20, WR_CAUSE_UNCLEAR},
               {20.01f, WR_CAUSE_BURST}};
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
    for (size_t count = 1; count <= 60; count += 59) {
      steady(cases[i].lpm, count);
      ask(0, false);
      CU_ASSERT(names(cases[i].first, WR_CAUSE_UNCLEAR));
    }
  steady(0, 0);
  for (int side = -1; side <= 1; side++) {
    ask(side, true);
    CU_ASSERT(names(WR_CAUSE_UNCLEAR, WR_CAUSE_UNCLEAR));
  }
}

/* A level comes before a kind of flow where the newest four seconds are all
 * out of the ranges; else the kind comes first. */
static void test_level_or_kind(void) {
  static const struct {
    int side;
    float x[5];
    bool level;
  } cases[] = {
      {-1, {9, 4, 4, 4, 4}, true},         {-1, {9, 4.01f, 4, 4, 4}, false},
      {-1, {9, 4, 4, 4.01f, 4}, false},    {-1, {9, 4, 4, 4, 4.01f}, false},
      {-1, {9, 4, 4, 3, 2}, true},         {-1, {9, 1, 2, 3, 4.5f}, false},
      {1, {9, 20, 20, 20, 20}, true},      {1, {9, 19.99f, 20, 20, 20}, false},
      {1, {9, 20, 20, 19.99f, 20}, false}, {1, {9, 20, 20, 20, 19.99f}, false},
      {1, {9, 30, 25, 22, 21}, true},      {1, {9, 22, 23, 24, 19}, false}};
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    enum wr_cause level = cases[i].side < 0 ? WR_CAUSE_BLOCKED : WR_CAUSE_BURST;
    steady(10, 60);
    newest(cases[i].x, 5);
    kind(0, WR_NATURE_HUNTING, 255);
    ask(cases[i].side, false);
    CU_ASSERT(cases[i].level ? names(level, WR_CAUSE_HUNTING)
                             : names(WR_CAUSE_HUNTING, level));
  }
}

/* A history of fewer than four seconds: of all there is. */
static void test_level_of_few_seconds(void) {
  for (size_t count = 1; count <= 4; count++)
    for (size_t back = 0; back < count; back++) {
      steady(3, count);
      c.judged = false;
      c.samples[back] = 5;
      ask(-1, true);
      CU_ASSERT(names(WR_CAUSE_SENSOR, WR_CAUSE_BLOCKED));
      ask(-1, false);
      CU_ASSERT(names(WR_CAUSE_BLOCKED, WR_CAUSE_UNCLEAR));
    }
}

/* The sensor comes before all else, but for no flow at all. */
static void test_sensor(void) {
  steady(0.02f * WR_NOMINAL, 60);
  ask(0, true);
  CU_ASSERT(names(WR_CAUSE_BLOCKED, WR_CAUSE_UNCLEAR));
  steady(0.021f * WR_NOMINAL, 60);
  ask(0, true);
  CU_ASSERT(names(WR_CAUSE_SENSOR, WR_CAUSE_BLOCKED));
  CU_ASSERT_STRING_EQUAL(
      h.text, "sensor or blocked or stopped: the same reading for long");
  steady(10, 60);
  kind(0, WR_NATURE_HUNTING, 255);
  ask(0, true);
  CU_ASSERT(names(WR_CAUSE_SENSOR, WR_CAUSE_HUNTING));
}

UNIT_MAIN("hint, its words", UNIT(test_names), UNIT(test_enough_to_be_named),
          UNIT(test_mostly_clean), UNIT(test_nameless),
          UNIT(test_first_and_second), UNIT(test_no_stretches),
          UNIT(test_what_is_usual), UNIT(test_stretches),
          UNIT(test_ten_seconds), UNIT(test_swings), UNIT(test_rough),
          UNIT(test_below_what_it_was), UNIT(test_percent), UNIT(test_how_long),
          UNIT(test_side_of_its_own), UNIT(test_level_or_kind),
          UNIT(test_level_of_few_seconds), UNIT(test_sensor))
