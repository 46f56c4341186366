/* Each condition of a verdict at its bound, on one window or a few. */
#include "lib/flow/verdict.h"

#include "tests/unit/unit.h"

#include <math.h>
#include <string.h>

enum { ANOMALOUS, LOW, NORMAL, HIGH, LABELS };

static const double thresholds[LABELS] = {0.6, 0.6, 0.6, 0.6};
static const bool alarming[LABELS] = {[ANOMALOUS] = true};
static const bool calm[LABELS] = {[NORMAL] = true};
static const struct wr_range usual[] = {{ANOMALOUS, -HUGE_VAL, 4.0},
                                        {LOW, 4.0, 7.5},
                                        {NORMAL, 7.5, 12.5},
                                        {HIGH, 12.5, 20.0},
                                        {ANOMALOUS, 20.0, HUGE_VAL}};

static struct wr_verdict v;
static struct wr_verdict_rules rules;
static struct wr_decision d;

/* Votes count at once; a quantum that hides nothing. */
static void begin(enum wr_range_policy policy) {
  rules = (struct wr_verdict_rules){.labels = LABELS,
                                    .anomaly_limit = NAN,
                                    .thresholds = thresholds,
                                    .alarming = alarming,
                                    .calm = calm,
                                    .off_label = WR_UNCERTAIN,
                                    .votes = {1, 1, 1},
                                    .policy = policy,
                                    .ranges = usual,
                                    .range_count = 5,
                                    .nominal = 10,
                                    .quantum = 1e-6};
  wr_verdict_init(&v);
}

#define MOST 30

/* A window of `count` new samples that are level + swing and level - swing in
 * turn, and the score of one label. What d holds before is of no account. */
static bool look(double level, double swing, size_t count, int label,
                 double score, double scale) {
  double values[MOST], scores[LABELS] = {0};
  for (size_t i = 0; i < count; i++)
    values[i] = level + (i % 2 == 0 ? swing : -swing);
  scores[label < 0 ? 0 : label] = score;
  struct wr_verdict_input in = {.scores = label < 0 ? NULL : scores,
                                .anomaly = NAN,
                                .values = values,
                                .count = count,
                                .fresh = count,
                                .scale = scale};
  memset(&d, 0x55, sizeof(d));
  d.by_range = d.unsure = true;
  return wr_verdict_step(&v, &rules, &in, &d);
}

static int state_at(double level, int label, double score) {
  CU_ASSERT_TRUE(look(level, 0, 10, label, score, 1));
  return d.state;
}

/* All that is said of a window. */
static void test_all_fields(void) {
  begin(WR_RANGES_GUARD);
  CU_ASSERT_EQUAL(state_at(10, NORMAL, 0.7), NORMAL);
  CU_ASSERT(d.vote == NORMAL && d.previous == WR_UNCERTAIN && d.score == 0.7);
  CU_ASSERT(!d.by_range && !d.unsure && d.level == 10);
  CU_ASSERT_EQUAL(state_at(10, LOW, 0.5), NORMAL); /* the range says so */
  CU_ASSERT(d.vote == NORMAL && d.previous == NORMAL && d.score == 1);
  CU_ASSERT(d.by_range && d.unsure);
  CU_ASSERT_EQUAL(state_at(10, ANOMALOUS, 0.7), ANOMALOUS);
  CU_ASSERT(d.vote == ANOMALOUS && d.previous == NORMAL && d.score == 0.7);
  CU_ASSERT(!d.by_range && !d.unsure);
  CU_ASSERT_EQUAL(state_at(3, -1, 0), ANOMALOUS); /* the model is away */
  CU_ASSERT(d.vote == ANOMALOUS && d.score == 1 && d.by_range && !d.unsure);
  CU_ASSERT_FALSE(look(10, 0, 10, -1, 0, 1));
  CU_ASSERT(d.state == ANOMALOUS && d.previous == ANOMALOUS && d.level == 10);
  begin(WR_RANGES_OFF);
  CU_ASSERT_EQUAL(state_at(10, HIGH, NAN), WR_UNCERTAIN);
  CU_ASSERT(d.vote == WR_UNCERTAIN && d.score == 0 && d.unsure && !d.by_range);
}

/* What came before a gap is gone, but for the state and the band. */
static void test_gap(void) {
  begin(WR_RANGES_GUARD);
  rules.votes = (struct wr_votes_rules){2, 3, 3};
  state_at(10, NORMAL, 1);
  CU_ASSERT_EQUAL(state_at(10, NORMAL, 1), NORMAL);
  wr_verdict_gap(&v);
  CU_ASSERT_EQUAL(v.level.count, 0);
  CU_ASSERT_TRUE(isnan(v.level.value));
  CU_ASSERT_EQUAL(v.votes.count, 0);
  CU_ASSERT_EQUAL(v.votes.state, NORMAL);
}

static void test_a_rest_begins_as_a_verdict_does(void) {
  struct wr_verdict_rest rest;
  memset(&rest, 0x55, sizeof(rest));
  wr_verdict_rest_init(&rest);
  begin(WR_RANGES_GUARD);
  struct wr_verdict fresh = v;
  memset(&v, 0x55, sizeof(v));
  wr_verdict_resume(&v, &rest);
  CU_ASSERT_EQUAL(v.level.band, fresh.level.band);
  CU_ASSERT_EQUAL(v.level.chosen, fresh.level.chosen);
  CU_ASSERT_EQUAL(v.level.scale, fresh.level.scale);
  CU_ASSERT_EQUAL(v.level.quantum, fresh.level.quantum);
  CU_ASSERT_EQUAL(v.level.behind, fresh.level.behind);
  CU_ASSERT_EQUAL(v.level.count, 0);
  CU_ASSERT_EQUAL(memcmp(&v.votes, &fresh.votes, sizeof(v.votes)), 0);
}

/* A level that has moved by no more than the dead band stays where it was; the
 * dead band follows the set point as the ranges do. */
static void test_dead_band(void) {
  static const struct {
    double scale, from, to;
    int state;
  } cases[] = {{1, 7.7, 7.3, NORMAL},     {1, 7.7, 7.1, LOW},
               {0.5, 3.85, 3.65, NORMAL}, {0.5, 3.85, 3.55, LOW},
               {2, 15.4, 14.6, NORMAL},   {2, 15.4, 14.2, LOW}};
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    begin(WR_RANGES_FALLBACK);
    rules.dead_band = 0.5;
    CU_ASSERT_TRUE(look(cases[i].from, 0, 10, -1, 0, cases[i].scale));
    CU_ASSERT_EQUAL(d.state, NORMAL);
    CU_ASSERT_TRUE(look(cases[i].to, 0, 10, -1, 0, cases[i].scale));
    CU_ASSERT_EQUAL(d.state, cases[i].state);
  }
  begin(WR_RANGES_FALLBACK);
  state_at(7.51, -1, 0);
  CU_ASSERT_EQUAL(state_at(7.49, -1, 0), LOW); /* without one */
}

/* Where calm is not asked for, an alarm takes all of its votes to end, however
 * quiet the flow is; and one vote is none where two are needed. */
static void test_quiet_is_not_asked(void) {
  for (int release = 1; release <= 5; release++) {
    begin(WR_RANGES_GUARD);
    rules.votes = (struct wr_votes_rules){2, 3, release};
    state_at(10, ANOMALOUS, 1);
    CU_ASSERT_EQUAL(state_at(10, ANOMALOUS, 1), ANOMALOUS);
    int most = release < 2 ? 2 : release;
    for (int i = 1; i < most; i++)
      CU_ASSERT_EQUAL(state_at(10, NORMAL, 1), ANOMALOUS);
    CU_ASSERT_EQUAL(state_at(10, NORMAL, 1), NORMAL);
  }
}

/* Where it is, a quiet flow ends the model's alarm at once, where its level
 * lies in a range that does not alarm. */
static void test_quiet_ends_an_alarm(void) {
  static const struct wr_range holes[] = {{NORMAL, 7.5, 12.5},
                                          {ANOMALOUS, 20.0, HUGE_VAL}};
  for (int k = 0; k < 3; k++) {
    begin(WR_RANGES_GUARD);
    rules.ranges = holes;
    rules.range_count = 2;
    rules.votes = (struct wr_votes_rules){2, 3, 10};
    rules.calm_rules = (struct wr_calm_rules){11, 20, 0, 0, 0.5, 1};
    look(10, 1, 10, ANOMALOUS, 1, 1);
    look(10, 1, 10, ANOMALOUS, 1, 1);
    CU_ASSERT_EQUAL(d.state, ANOMALOUS);
    /* k 1: nine samples are quiet; k 2: no range holds the level */
    CU_ASSERT_TRUE(look(k == 2 ? 15 : 10, 0, k == 1 ? 9 : 10, NORMAL, 1, 1));
    CU_ASSERT_EQUAL(d.state, k == 0 ? NORMAL : ANOMALOUS);
  }
}

/* A disturbance is past after so many quiet samples, and not before. */
static void test_past_when_quiet(void) {
  for (int quiet = 8; quiet <= 12; quiet++) {
    begin(WR_RANGES_GUARD);
    rules.calm_rules = (struct wr_calm_rules){quiet, 20, 0, 0, 0.5, 1};
    CU_ASSERT_EQUAL(state_at(10, ANOMALOUS, 1),
                    quiet > 10 ? ANOMALOUS : NORMAL);
  }
}

/* The width of quiet follows the set point. */
static void test_width_of_quiet(void) {
  static const double scales[] = {0.5, 1, 2};
  for (int i = 0; i < 3; i++)
    for (int k = 0; k < 2; k++) {
      double scale = scales[i], width = 0.8 * scale;
      begin(WR_RANGES_GUARD);
      rules.calm_rules = (struct wr_calm_rules){5, 20, 0, 0, 0.8, 0.01};
      CU_ASSERT_TRUE(look(10 * scale, width * (k == 0 ? 0.49 : 0.51), 10,
                          ANOMALOUS, 1, scale));
      CU_ASSERT_EQUAL(d.state, k == 0 ? NORMAL : ANOMALOUS);
    }
}

/* What counts as a swing: that of the rules at nominal and below, above it
 * more in proportion; all of it follows the set point. */
static void test_swing(void) {
  static const struct {
    double scale, level, swing;
  } cases[] = {{1, 10, 1}, {1, 9, 1},  {1, 15, 1.5},  {2, 20, 2},
               {2, 16, 2}, {2, 30, 3}, {0.5, 5, 0.5}, {0.5, 9, 0.9}};
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
    for (int k = 0; k < 2; k++) {
      double half = cases[i].swing / 2 * (k == 0 ? 0.97 : 1.03);
      begin(WR_RANGES_GUARD);
      rules.calm_rules = (struct wr_calm_rules){5, 20, 3, 3, 0.01, 1};
      CU_ASSERT_TRUE(
          look(cases[i].level, half, 20, ANOMALOUS, 1, cases[i].scale));
      CU_ASSERT_DOUBLE_EQUAL(d.level, cases[i].level, 0.02 * cases[i].level);
      CU_ASSERT_EQUAL(d.vote == ANOMALOUS, k == 1);
    }
}

/* Ten samples that go up and down turn eight times. */
static void test_how_many_turns(void) {
  for (int turns = 7; turns <= 9; turns++) {
    begin(WR_RANGES_GUARD);
    rules.calm_rules = (struct wr_calm_rules){5, 20, turns, 100, 0.1, 0.5};
    look(10, 1, 10, ANOMALOUS, 1, 1);
    CU_ASSERT_EQUAL(d.state, turns <= 8 ? ANOMALOUS : NORMAL);
  }
}

/* Whether the model's alarm is heard where the flow does not turn, but would
 * have to if it were near a range that alarms. */
static bool is_heard(double level, double scale) {
  rules.calm_rules = (struct wr_calm_rules){100, 20, 0, 1, 0.1, 0.5};
  CU_ASSERT_TRUE(look(level, 0, 10, ANOMALOUS, 1, scale));
  return d.vote == ANOMALOUS && !d.by_range;
}

static void test_near_an_alarm(void) {
  static const struct {
    double scale, level;
    bool near;
  } cases[] = {{1, 4.43, true},    {1, 4.45, false},  {1, 10, false},
               {1, 18.1, false},   {1, 18.25, true},  {0.5, 2.21, true},
               {0.5, 2.24, false}, {0.5, 9.0, false}, {0.5, 9.2, true},
               {2, 8.8, true},     {2, 9, false},     {2, 36, false},
               {2, 36.5, true}};
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    begin(WR_RANGES_GUARD);
    CU_ASSERT_EQUAL(is_heard(cases[i].level, cases[i].scale), !cases[i].near);
  }
}

/* A tenth of the level is not near; the edges of what does not alarm are
 * none. */
static void test_a_tenth(void) {
  static const struct {
    int label;
    double min, max;
    bool heard;
  } cases[] = {{ANOMALOUS, 11, 20, true}, {ANOMALOUS, 10.99, 20, false},
               {ANOMALOUS, 1, 9, true},   {ANOMALOUS, 1, 9.01, false},
               {LOW, 10.5, 20, true},     {LOW, 1, 9.5, true}};
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    struct wr_range one = {cases[i].label, cases[i].min, cases[i].max};
    begin(WR_RANGES_GUARD);
    rules.ranges = &one;
    rules.range_count = 1;
    CU_ASSERT_EQUAL(is_heard(10, 1), cases[i].heard);
  }
}

/* The first of the ranges is one of them. */
static void test_label_of_the_first_range(void) {
  static const struct wr_range first[] = {{NORMAL, 7.5, 20}, {LOW, 4, 7.5}};
  begin(WR_RANGES_GUARD);
  rules.ranges = first;
  rules.range_count = 2;
  CU_ASSERT_EQUAL(state_at(5, NORMAL, 0.9), LOW);
  CU_ASSERT_EQUAL(state_at(5, HIGH, 0.9), HIGH); /* which has none */
}

static void test_equal_scores_and_none(void) {
  double scores[LABELS] = {0.1, 0.8, 0.8, 0.8}, values[2] = {10, 10};
  struct wr_verdict_input in = {.scores = scores,
                                .anomaly = NAN,
                                .values = values,
                                .count = 2,
                                .fresh = 2};
  begin(WR_RANGES_OFF);
  CU_ASSERT_TRUE(wr_verdict_step(&v, &rules, &in, &d));
  CU_ASSERT_EQUAL(d.state, LOW);
  for (int i = 0; i < LABELS; i++)
    scores[i] = NAN;
  CU_ASSERT_TRUE(wr_verdict_step(&v, &rules, &in, &d));
  CU_ASSERT_EQUAL(d.vote, WR_UNCERTAIN);
  CU_ASSERT_TRUE(d.unsure);
}

/* An anomaly score at the limit, or one below it, makes no label sure. */
static void test_anomaly_at_the_limit(void) {
  static const struct {
    double anomaly, score;
    int state;
    bool unsure;
  } cases[] = {{0.5, 0.59, WR_UNCERTAIN, true}, {0.5, 0.6, NORMAL, false},
               {0.1, 0.59, WR_UNCERTAIN, true}, {NAN, 0.59, WR_UNCERTAIN, true},
               {0.51, 0.1, HIGH, false},        {0.51, 0.9, HIGH, false}};
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    double values[2] = {10, 10}, scores[LABELS] = {[NORMAL] = cases[i].score};
    struct wr_verdict_input in = {.scores = scores,
                                  .anomaly = cases[i].anomaly,
                                  .values = values,
                                  .count = 2,
                                  .fresh = 2};
    begin(WR_RANGES_OFF);
    rules.anomaly_limit = 0.5;
    rules.anomaly_label = HIGH;
    CU_ASSERT_TRUE(wr_verdict_step(&v, &rules, &in, &d));
    CU_ASSERT_EQUAL(d.state, cases[i].state);
    CU_ASSERT_EQUAL(d.unsure, cases[i].unsure);
  }
}

/* The labels of a model that has none are those behind its own: the first of
 * them, too. */
static void test_labels_behind_the_models(void) {
  static const bool second[] = {false, true};
  static const double anomalies[] = {0.1, 0.9};
  for (int i = 0; i < 2; i++) {
    double none[1] = {NAN};
    struct wr_verdict_input in = {.scores = none, .anomaly = anomalies[i]};
    wr_verdict_init(&v);
    rules = (struct wr_verdict_rules){.votes = {1, 1, 1},
                                      .anomaly_limit = 0.5,
                                      .anomaly_label = 1,
                                      .calm_label = 0,
                                      .off_label = WR_UNCERTAIN,
                                      .alarming = second};
    CU_ASSERT_TRUE(wr_verdict_step(&v, &rules, &in, &d));
    CU_ASSERT_EQUAL(d.state, i);
    CU_ASSERT_EQUAL(d.score, 1);
    CU_ASSERT_FALSE(d.unsure);
  }
}

UNIT_MAIN("verdict, its bounds", UNIT(test_all_fields), UNIT(test_gap),
          UNIT(test_a_rest_begins_as_a_verdict_does), UNIT(test_dead_band),
          UNIT(test_quiet_is_not_asked), UNIT(test_quiet_ends_an_alarm),
          UNIT(test_past_when_quiet), UNIT(test_width_of_quiet),
          UNIT(test_swing), UNIT(test_how_many_turns), UNIT(test_near_an_alarm),
          UNIT(test_a_tenth), UNIT(test_label_of_the_first_range),
          UNIT(test_equal_scores_and_none), UNIT(test_anomaly_at_the_limit),
          UNIT(test_labels_behind_the_models))
