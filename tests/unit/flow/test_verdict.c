#include "lib/flow/verdict.h"

#include "tests/unit/unit.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* As the bundled model's, and one that no range knows. */
enum { ANOMALOUS, HIGH, LOW, NORMAL, LABELS, OFF = LABELS };

static const double thresholds[LABELS] = {0.6, 0.6, 0.6, 0.6};
static const bool alarming[LABELS + 1] = {[ANOMALOUS] = true};
static const bool calm[LABELS + 1] = {[NORMAL] = true, [OFF] = true};
static const struct wr_range ranges[] = {{ANOMALOUS, -HUGE_VAL, 4.0},
                                         {LOW, 4.0, 7.5},
                                         {NORMAL, 7.5, 12.5},
                                         {HIGH, 12.5, 20.0},
                                         {ANOMALOUS, 20.0, HUGE_VAL}};

static struct wr_verdict_rules rules_of(enum wr_range_policy policy, int need,
                                        int of) {
  return (struct wr_verdict_rules){.labels = LABELS,
                                   .anomaly_limit = NAN,
                                   .thresholds = thresholds,
                                   .alarming = alarming,
                                   .calm = calm,
                                   .off_label = WR_UNCERTAIN,
                                   .votes = {need, of, of},
                                   .policy = policy,
                                   .ranges = ranges,
                                   .range_count = 5,
                                   .dead_band = 0.5};
}

/* One window of a steady flow in which `label` has `score` and the others
 * share the rest; -1 for a model that is away. */
struct say {
  int label;
  double score, level, anomaly;
  bool excused;
  enum wr_plan_say plan;
  double scale;
};

static bool try_step(struct wr_verdict *v, const struct wr_verdict_rules *rules,
                     struct say say, struct wr_decision *d) {
  double scores[LABELS], values[10];
  for (int i = 0; i < LABELS; i++)
    scores[i] = i == say.label ? say.score : (1.0 - say.score) / (LABELS - 1);
  for (int i = 0; i < 10; i++)
    values[i] = say.level;
  struct wr_verdict_input in = {.scores = say.label < 0 ? NULL : scores,
                                .anomaly = say.anomaly == 0 ? NAN : say.anomaly,
                                .values = values,
                                .count = 10,
                                .fresh = 10,
                                .excused = say.excused,
                                .plan = say.plan,
                                .scale = say.scale};
  return wr_verdict_step(v, rules, &in, d);
}

static struct wr_decision step(struct wr_verdict *v,
                               const struct wr_verdict_rules *rules, int label,
                               double score, double level) {
  struct wr_decision d = {0};
  CU_ASSERT_TRUE(try_step(
      v, rules, (struct say){.label = label, .score = score, .level = level},
      &d));
  return d;
}

static struct wr_decision say_often(struct wr_verdict *v,
                                    const struct wr_verdict_rules *rules,
                                    struct say say, int times) {
  struct wr_decision d = {0};
  for (int i = 0; i < times; i++)
    CU_ASSERT_TRUE(try_step(v, rules, say, &d));
  return d;
}

/* The model is away. */
static void test_no_scores(void) {
  struct wr_decision d;
  static const struct {
    enum wr_range_policy policy;
    double level;
    bool answered;
    int state;
  } cases[] = {{WR_RANGES_OFF, 0, false, WR_UNCERTAIN},
               {WR_RANGES_GUARD, 0, true, ANOMALOUS},
               {WR_RANGES_GUARD, 25, true, ANOMALOUS},
               {WR_RANGES_GUARD, 10, false, WR_UNCERTAIN},
               {WR_RANGES_GUARD, 5, false, WR_UNCERTAIN},
               {WR_RANGES_FALLBACK, 0, true, ANOMALOUS},
               {WR_RANGES_FALLBACK, 10, true, NORMAL},
               {WR_RANGES_FALLBACK, 5, true, LOW}};
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    struct wr_verdict v;
    struct wr_verdict_rules rules = rules_of(cases[i].policy, 1, 1);
    struct say away = {.label = -1, .level = cases[i].level};
    wr_verdict_init(&v);
    CU_ASSERT_EQUAL(try_step(&v, &rules, away, &d), cases[i].answered);
    CU_ASSERT_EQUAL(d.state, cases[i].state);
    if (cases[i].answered) {
      CU_ASSERT_TRUE(d.by_range);
      CU_ASSERT_EQUAL(d.score, 1.0);
    }
  }
}

/* A dead model never says that all is well, and never takes an alarm back. */
static void test_an_alarm_outlives_the_model(void) {
  struct wr_verdict v;
  struct wr_decision d;
  struct wr_verdict_rules rules = rules_of(WR_RANGES_GUARD, 3, 5);
  wr_verdict_init(&v);
  say_often(&v, &rules, (struct say){.label = -1, .level = 0}, 5);
  for (int i = 0; i < 100; i++)
    CU_ASSERT_FALSE(
        try_step(&v, &rules, (struct say){.label = -1, .level = 10}, &d));
  CU_ASSERT_EQUAL(d.state, ANOMALOUS);
  /* And an alarm from before is no evidence with one from after. */
  wr_verdict_init(&v);
  say_often(&v, &rules, (struct say){.label = NORMAL, .score = 1, .level = 10},
            5);
  say_often(&v, &rules,
            (struct say){.label = ANOMALOUS, .score = 1, .level = 10}, 2);
  CU_ASSERT_FALSE(
      try_step(&v, &rules, (struct say){.label = -1, .level = 10}, &d));
  CU_ASSERT_EQUAL(step(&v, &rules, ANOMALOUS, 1, 10).state, NORMAL);
}

static void test_scores_that_are_not_numbers(void) {
  struct wr_verdict v;
  struct wr_decision d;
  struct wr_verdict_rules rules = rules_of(WR_RANGES_OFF, 1, 1);
  const double none[LABELS] = {NAN, NAN, NAN, NAN};
  const double some[LABELS] = {NAN, NAN, NAN, 0.9};
  const double values[2] = {10, 10}, bad[2] = {NAN, NAN};
  struct wr_verdict_input in = {
      .scores = none, .anomaly = NAN, .values = values, .count = 2, .fresh = 2};
  wr_verdict_init(&v);
  CU_ASSERT_TRUE(wr_verdict_step(&v, &rules, &in, &d));
  CU_ASSERT_EQUAL(d.state, WR_UNCERTAIN);
  CU_ASSERT_EQUAL(d.score, 0.0);
  in.scores = some;
  CU_ASSERT_TRUE(wr_verdict_step(&v, &rules, &in, &d));
  CU_ASSERT_EQUAL(d.state, NORMAL);
  /* A level that is none is in no range: the model alone. */
  rules = rules_of(WR_RANGES_GUARD, 1, 1);
  in.values = bad;
  CU_ASSERT_TRUE(wr_verdict_step(&v, &rules, &in, &d));
  CU_ASSERT_EQUAL(d.state, NORMAL);
  CU_ASSERT_TRUE(isnan(d.level));
}

static void test_no_labels(void) {
  struct wr_verdict v;
  struct wr_decision d;
  struct wr_verdict_rules rules = {
      .votes = {1, 1, 1}, .anomaly_limit = NAN, .off_label = WR_UNCERTAIN};
  double none[1] = {0};
  struct wr_verdict_input in = {.scores = none, .anomaly = NAN};
  wr_verdict_init(&v);
  CU_ASSERT_TRUE(wr_verdict_step(&v, &rules, &in, &d));
  CU_ASSERT_EQUAL(d.state, WR_UNCERTAIN);
}

/* The first answer of a series is debounced like any other. */
static void test_first_answer(void) {
  struct wr_verdict v;
  struct wr_verdict_rules rules = rules_of(WR_RANGES_GUARD, 3, 5);
  wr_verdict_init(&v);
  CU_ASSERT_EQUAL(step(&v, &rules, ANOMALOUS, 1, 10).state, WR_UNCERTAIN);
  CU_ASSERT_EQUAL(step(&v, &rules, NORMAL, 1, 10).state, WR_UNCERTAIN);
  CU_ASSERT_EQUAL(step(&v, &rules, NORMAL, 1, 10).state, WR_UNCERTAIN);
  struct wr_decision d = step(&v, &rules, NORMAL, 0.9, 10);
  CU_ASSERT_EQUAL(d.state, NORMAL);
  CU_ASSERT_EQUAL(d.previous, WR_UNCERTAIN);
  CU_ASSERT_DOUBLE_EQUAL(d.score, 0.9, 1e-12);
  CU_ASSERT_FALSE(d.by_range);
}

/* Low, Normal and High come from the level, whatever the model calls them and
 * however sure it is; and 10 of 10 is Normal. */
static void test_level_decides_the_band(void) {
  static const struct {
    double level;
    int label;
  } cases[] = {{5, LOW}, {10, NORMAL}, {15, HIGH}};
  for (int c = 0; c < 3; c++)
    for (int model = HIGH; model <= NORMAL; model++)
      for (double score = 0.3; score < 1; score += 0.1) {
        struct wr_verdict v;
        struct wr_verdict_rules rules = rules_of(WR_RANGES_GUARD, 1, 1);
        wr_verdict_init(&v);
        struct wr_decision d = step(&v, &rules, model, score, cases[c].level);
        CU_ASSERT_EQUAL(d.state, cases[c].label);
        CU_ASSERT_EQUAL(d.by_range, model != cases[c].label);
        CU_ASSERT_DOUBLE_EQUAL(d.score, d.by_range ? 1.0 : score, 1e-12);
      }
}

/* The model raises an alarm only if it is sure, and nobody knows better. */
static void test_model_alarm(void) {
  struct wr_verdict v;
  struct wr_decision d;
  struct wr_verdict_rules rules = rules_of(WR_RANGES_GUARD, 1, 1);
  wr_verdict_init(&v);
  d = step(&v, &rules, ANOMALOUS, 0.59, 10);
  CU_ASSERT_EQUAL(d.state, NORMAL);
  CU_ASSERT_TRUE(d.by_range);
  d = step(&v, &rules, ANOMALOUS, 0.6, 10);
  CU_ASSERT_EQUAL(d.state, ANOMALOUS);
  CU_ASSERT_FALSE(d.by_range);
  CU_ASSERT_EQUAL(d.score, 0.6);
  struct say say = {
      .label = ANOMALOUS, .score = 1, .level = 10, .excused = true};
  CU_ASSERT_EQUAL(say_often(&v, &rules, say, 1).state, NORMAL);
  /* But no excuse helps a level that is out of all bounds. */
  say.level = 0;
  d = say_often(&v, &rules, say, 1);
  CU_ASSERT_EQUAL(d.state, ANOMALOUS);
}

static void test_guard(void) {
  struct wr_verdict v;
  struct wr_verdict_rules guard = rules_of(WR_RANGES_GUARD, 1, 1);
  struct wr_verdict_rules off = rules_of(WR_RANGES_OFF, 1, 1);
  wr_verdict_init(&v);
  struct wr_decision d = step(&v, &guard, LOW, 0.99, 0.0);
  CU_ASSERT_EQUAL(d.state, ANOMALOUS);
  CU_ASSERT_TRUE(d.by_range);
  CU_ASSERT_EQUAL(d.score, 1.0);
  d = step(&v, &guard, ANOMALOUS, 0.9, 0.0); /* both say so */
  CU_ASSERT_FALSE(d.by_range);
  d = step(&v, &off, LOW, 0.99, 0.0);
  CU_ASSERT_EQUAL(d.state, LOW);
  d = step(&v, &off, LOW, 0.5, 0.0);
  CU_ASSERT_EQUAL(d.state, WR_UNCERTAIN);
}

static void test_threshold_and_hysteresis(void) {
  struct wr_verdict v;
  struct wr_verdict_rules rules = rules_of(WR_RANGES_OFF, 1, 1);
  rules.hysteresis = 0.1;
  wr_verdict_init(&v);
  CU_ASSERT_EQUAL(step(&v, &rules, NORMAL, 0.59, 10).state, WR_UNCERTAIN);
  CU_ASSERT_EQUAL(step(&v, &rules, NORMAL, 0.6, 10).state, NORMAL);
  CU_ASSERT_EQUAL(step(&v, &rules, NORMAL, 0.51, 10).state, NORMAL);
  CU_ASSERT_EQUAL(step(&v, &rules, NORMAL, 0.49, 10).state, WR_UNCERTAIN);
  CU_ASSERT_EQUAL(step(&v, &rules, NORMAL, 0.55, 10).state, WR_UNCERTAIN);
}

static void test_threshold_of_one_label(void) {
  static const double own[LABELS] = {0.95, 0.6, 0.6, 0.6};
  struct wr_verdict v;
  struct wr_verdict_rules rules = rules_of(WR_RANGES_OFF, 1, 1);
  rules.thresholds = own;
  wr_verdict_init(&v);
  CU_ASSERT_EQUAL(step(&v, &rules, ANOMALOUS, 0.9, 10).state, WR_UNCERTAIN);
  CU_ASSERT_EQUAL(step(&v, &rules, ANOMALOUS, 0.96, 10).state, ANOMALOUS);
}

/* A label of the model that no range knows stays the model's own word, but for
 * a range that alarms. */
static void test_label_without_a_range(void) {
  static const struct wr_range one[] = {{ANOMALOUS, -HUGE_VAL, 4.0},
                                        {NORMAL, 4.0, 20.0}};
  struct wr_verdict v;
  struct wr_verdict_rules rules = rules_of(WR_RANGES_GUARD, 1, 1);
  rules.ranges = one;
  rules.range_count = 2;
  wr_verdict_init(&v);
  CU_ASSERT_EQUAL(step(&v, &rules, HIGH, 0.9, 10).state, HIGH);
  CU_ASSERT_EQUAL(step(&v, &rules, HIGH, 0.5, 10).state, WR_UNCERTAIN);
  CU_ASSERT_EQUAL(step(&v, &rules, LOW, 0.9, 0).state, ANOMALOUS);
  CU_ASSERT_EQUAL(step(&v, &rules, LOW, 0.9, 30).state, LOW); /* no range */
}

static void test_anomaly_votes(void) {
  struct wr_verdict v;
  struct wr_verdict_rules rules = rules_of(WR_RANGES_OFF, 1, 1);
  struct say say = {
      .label = NORMAL, .score = 0.96, .level = 10, .anomaly = 0.6};
  rules.anomaly_limit = 0.5;
  rules.anomaly_label = ANOMALOUS;
  rules.calm_label = WR_UNCERTAIN;
  wr_verdict_init(&v);
  struct wr_decision d = say_often(&v, &rules, say, 1);
  CU_ASSERT_EQUAL(d.state, ANOMALOUS);
  CU_ASSERT_FALSE(d.by_range);
  say.excused = true;
  CU_ASSERT_NOT_EQUAL(say_often(&v, &rules, say, 1).state, ANOMALOUS);
  say.excused = false;
  say.anomaly = 0.5;
  CU_ASSERT_EQUAL(say_often(&v, &rules, say, 1).state, NORMAL);
  say.anomaly = 0; /* not computed */
  CU_ASSERT_EQUAL(say_often(&v, &rules, say, 1).state, NORMAL);
}

/* Labels that the model does not have take no score from it. */
static void test_model_without_labels(void) {
  static const bool alarm[] = {true, false}, well[] = {false, true};
  static const double anomalies[] = {-2.3, 0.4, 0.4, NAN};
  static const int states[] = {1, 1, 0, 0};
  static const double of_state[] = {1, 0, 1, 0};
  struct wr_verdict v;
  struct wr_decision d;
  struct wr_verdict_rules rules = {.votes = {2, 3, 3},
                                   .anomaly_limit = 0.3,
                                   .anomaly_label = 0,
                                   .calm_label = 1,
                                   .off_label = WR_UNCERTAIN,
                                   .alarming = alarm,
                                   .calm = well};
  double none[1] = {NAN};
  struct wr_verdict_input in = {.scores = none, .anomaly = -1};
  wr_verdict_init(&v);
  wr_verdict_step(&v, &rules, &in, &d);
  for (int i = 0; i < 4; i++) {
    in.anomaly = anomalies[i];
    CU_ASSERT_TRUE(wr_verdict_step(&v, &rules, &in, &d));
    CU_ASSERT_EQUAL(d.state, states[i]);
    CU_ASSERT_EQUAL(d.score, of_state[i]);
  }
  CU_ASSERT_EQUAL(d.vote, WR_UNCERTAIN);
}

/* A planned stop is "Off", whatever the level and the model say; also while
 * the model is away. Afterwards alarms wait, and calm labels do not. */
static void test_plan(void) {
  struct wr_verdict v;
  struct wr_verdict_rules rules = rules_of(WR_RANGES_GUARD, 3, 5);
  struct say run = {.label = NORMAL, .score = 0.9, .level = 10};
  struct say stop = {.label = ANOMALOUS, .score = 1, .plan = WR_PLAN_OFF};
  rules.off_label = OFF;
  wr_verdict_init(&v);
  CU_ASSERT_EQUAL(say_often(&v, &rules, run, 5).state, NORMAL);
  CU_ASSERT_EQUAL(say_often(&v, &rules, stop, 3).state, OFF);
  stop.label = -1;
  CU_ASSERT_EQUAL(say_often(&v, &rules, stop, 100).state, OFF);
  struct say start = {.label = ANOMALOUS, .score = 1, .plan = WR_PLAN_WAIT};
  CU_ASSERT_EQUAL(say_often(&v, &rules, start, 15).state, OFF);
  run.plan = WR_PLAN_WAIT;
  CU_ASSERT_EQUAL(say_often(&v, &rules, run, 3).state, NORMAL);
  CU_ASSERT_EQUAL(say_often(&v, &rules, start, 15).state, NORMAL);
  start.plan = WR_PLAN_NONE;
  CU_ASSERT_EQUAL(say_often(&v, &rules, start, 4).state, ANOMALOUS);
}

/* Ranges follow a live set point. */
static void test_scale(void) {
  struct wr_verdict v;
  struct wr_verdict_rules rules = rules_of(WR_RANGES_GUARD, 1, 1);
  struct say say = {.label = NORMAL, .score = 0.9, .level = 5};
  wr_verdict_init(&v);
  CU_ASSERT_EQUAL(say_often(&v, &rules, say, 1).state, LOW);
  say.scale = 0.5;
  CU_ASSERT_EQUAL(say_often(&v, &rules, say, 1).state, NORMAL);
  say.scale = 2;
  CU_ASSERT_EQUAL(say_often(&v, &rules, say, 1).state, ANOMALOUS);
}

/* The level is that of the newest seconds, not the mean of the window: of one
 * window after another, and of each `fresh` sample once. */
static void test_newest_seconds(void) {
  struct wr_verdict v;
  struct wr_decision d;
  struct wr_verdict_rules rules = rules_of(WR_RANGES_GUARD, 1, 1);
  double flow[64], scores[LABELS] = {0, 0, 0, 1};
  for (int i = 0; i < 64; i++)
    flow[i] = i < 40 ? 14 : 6;
  wr_verdict_init(&v);
  for (int end = 10; end <= 64; end++) {
    struct wr_verdict_input in = {.scores = scores,
                                  .anomaly = NAN,
                                  .values = flow + end - 10,
                                  .count = 10,
                                  .fresh = 1};
    CU_ASSERT_TRUE(wr_verdict_step(&v, &rules, &in, &d));
    if (end <= 40)
      CU_ASSERT_EQUAL(d.state, HIGH);
    if (end >= 42) {
      CU_ASSERT_EQUAL(d.state, LOW);
      CU_ASSERT_DOUBLE_EQUAL(d.level, 6, 1e-9);
    }
  }
}

/* With the rules of calm: the model's alarm counts only while the flow turns
 * back and forth, and is over when it is quiet; a range's alarm is not asked.
 */
static void test_calm(void) {
  struct wr_verdict v;
  struct wr_decision d = {0};
  struct wr_verdict_rules rules = rules_of(WR_RANGES_GUARD, 3, 5);
  double flow[80], scores[LABELS] = {1, 0, 0, 0};
  rules.nominal = 10;
  rules.calm_rules = (struct wr_calm_rules){5, 20, 2, 2, 0.5, 1.0};
  for (int i = 0; i < 80; i++)
    flow[i] = i < 20   ? 10                     /* steady */
              : i < 30 ? 10 + 0.4 * (i - 20)    /* somebody opens a valve */
              : i < 45 ? (i % 2 == 0 ? 14 : 10) /* air */
              : i < 60 ? 14
                       : 1; /* a pump stops */
  wr_verdict_init(&v);
  for (int end = 10; end <= 80; end++) {
    struct wr_verdict_input in = {.scores = scores,
                                  .anomaly = NAN,
                                  .values = flow + end - 10,
                                  .count = 10,
                                  .fresh = 1};
    CU_ASSERT_TRUE(wr_verdict_step(&v, &rules, &in, &d));
    if (end <= 30)
      CU_ASSERT_NOT_EQUAL(d.state, ANOMALOUS);
    if (end >= 38 && end <= 45)
      CU_ASSERT_EQUAL(d.state, ANOMALOUS);
    if (end >= 54 && end <= 60)
      CU_ASSERT_EQUAL(d.state, HIGH);
    if (end >= 65)
      CU_ASSERT_EQUAL(d.state, ANOMALOUS);
  }
}

/* Near the edge of an alarm a model that knows the level has no say of it: on
 * both sides of 20 the state is what the range makes of it, once. */
static void test_edge_of_an_alarm(void) {
  for (double level = 19.0; level < 21; level += 0.25) {
    struct wr_verdict v;
    struct wr_decision d = {0};
    struct wr_verdict_rules rules = rules_of(WR_RANGES_GUARD, 3, 5);
    int changes = 0;
    rules.nominal = 10;
    rules.calm_rules = (struct wr_calm_rules){5, 20, 0, 2, 0.5, 1.0};
    wr_verdict_init(&v);
    for (int i = 0; i < 200; i++) {
      double values[10], scores[LABELS] = {0};
      for (int n = 0; n < 10; n++)
        values[n] = level + 0.35 * ((i + n) % 3 - 1);
      scores[i / 7 % 2 == 0 ? ANOMALOUS : HIGH] = 1;
      struct wr_verdict_input in = {.scores = scores,
                                    .anomaly = NAN,
                                    .values = values,
                                    .count = 10,
                                    .fresh = 1};
      CU_ASSERT_TRUE(wr_verdict_step(&v, &rules, &in, &d));
      changes += d.state != d.previous;
    }
    CU_ASSERT_EQUAL(changes, 1);
    CU_ASSERT_EQUAL(d.state, level < 20 ? HIGH : ANOMALOUS);
  }
}

/* Axis 0 of several. */
static void test_step_between_values(void) {
  struct wr_verdict v;
  struct wr_decision d;
  struct wr_verdict_rules rules = rules_of(WR_RANGES_GUARD, 1, 1);
  double values[20], scores[LABELS] = {0, 0, 0, 1};
  for (int i = 0; i < 20; i++)
    values[i] = i % 2 == 0 ? 6 : 1000;
  struct wr_verdict_input in = {.scores = scores,
                                .anomaly = NAN,
                                .values = values,
                                .step = 2,
                                .count = 10,
                                .fresh = 10};
  wr_verdict_init(&v);
  CU_ASSERT_TRUE(wr_verdict_step(&v, &rules, &in, &d));
  CU_ASSERT_EQUAL(d.state, LOW);
}

/* One struct serves many series in turn, if each window brings all samples that
 * count: the same as one of its own, told what is new. */
static void test_resumed(void) {
  enum { SERIES = 3, WINDOWS = 3000 };
  struct wr_verdict own[SERIES], shared;
  struct wr_verdict_rest rest[SERIES];
  static double flow[SERIES][WINDOWS];
  size_t since[SERIES] = {0};
  struct wr_verdict_rules rules = rules_of(WR_RANGES_GUARD, 3, 5);
  rules.nominal = 10;
  rules.calm_rules = (struct wr_calm_rules){10, 30, 3, 2, 0.5, 1};
  uint32_t random = 1;
  int changes = 0;
  for (int s = 0; s < SERIES; s++) {
    wr_verdict_init(&own[s]);
    wr_verdict_rest_init(&rest[s]);
  }
  for (size_t w = 0; w < WINDOWS; w++)
    for (int s = 0; s < SERIES; s++) {
      struct wr_decision a = {0}, b = {0};
      double scores[LABELS] = {0};
      random = random * 1664525 + 1013904223;
      uint32_t r = random >> 8;
      double level = 2 + (double)(w / 40 * 7 % 23) + (double)(r % 3) / 7.5;
      flow[s][w] = r % 50 == 0 ? 0 : level;
      scores[r / 64 % LABELS] = 0.7;
      if (r % 331 == 0) { /* a gap */
        wr_verdict_gap(&own[s]);
        wr_votes_gap(&rest[s].votes);
        since[s] = w;
      }
      struct wr_verdict_input in = {.scores = r % 97 == 0 ? NULL : scores,
                                    .anomaly = NAN,
                                    .scale = w < 2000 ? 1 : 0.5};
      size_t all = w + 1 - since[s], ten = all < 10 ? all : 10;
      in.values = flow[s] + w + 1 - ten;
      in.count = ten;
      in.fresh = 1;
      bool was = wr_verdict_step(&own[s], &rules, &in, &a);
      in.count = all < WR_LEVEL_SAMPLES ? all : WR_LEVEL_SAMPLES;
      in.values = flow[s] + w + 1 - in.count;
      in.fresh = in.count;
      wr_verdict_resume(&shared, &rest[s]);
      CU_ASSERT_EQUAL(wr_verdict_step(&shared, &rules, &in, &b), was);
      wr_verdict_leave(&shared, &rest[s]);
      CU_ASSERT(a.vote == b.vote && a.state == b.state && a.score == b.score &&
                a.by_range == b.by_range && a.previous == b.previous);
      CU_ASSERT(a.level == b.level || (isnan(a.level) && isnan(b.level)));
      changes += was && a.state != a.previous;
    }
  CU_ASSERT(changes > 100);
}

UNIT_MAIN("verdict", UNIT(test_no_scores),
          UNIT(test_an_alarm_outlives_the_model),
          UNIT(test_scores_that_are_not_numbers), UNIT(test_no_labels),
          UNIT(test_first_answer), UNIT(test_level_decides_the_band),
          UNIT(test_model_alarm), UNIT(test_guard),
          UNIT(test_threshold_and_hysteresis),
          UNIT(test_threshold_of_one_label), UNIT(test_label_without_a_range),
          UNIT(test_anomaly_votes), UNIT(test_model_without_labels),
          UNIT(test_plan), UNIT(test_scale), UNIT(test_newest_seconds),
          UNIT(test_calm), UNIT(test_edge_of_an_alarm),
          UNIT(test_step_between_values), UNIT(test_resumed))
