#include "lib/flow/verdict.h"

#include "tests/unit/unit.h"

#include <math.h>

enum { ANOMALOUS, HIGH, LOW, NORMAL, LABELS };

static const double thresholds[LABELS] = {0.6, 0.6, 0.6, 0.6};
static const bool alarming[LABELS] = {true, false, false, false};
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
                                   .need = need,
                                   .of = of,
                                   .policy = policy,
                                   .ranges = ranges,
                                   .range_count = 5};
}

/* One window in which `label` has `score` and the others share the rest. */
static struct wr_decision step(struct wr_verdict *v,
                               const struct wr_verdict_rules *rules, int label,
                               double score, double level) {
  double scores[LABELS];
  for (int i = 0; i < LABELS; i++)
    scores[i] = i == label ? score : (1.0 - score) / (LABELS - 1);
  struct wr_decision d = {0};
  CU_ASSERT_TRUE(wr_verdict_step(v, rules, scores, NAN, level, &d));
  return d;
}

static void test_no_scores(void) {
  struct wr_verdict v;
  struct wr_decision d;
  wr_verdict_init(&v);
  struct wr_verdict_rules off = rules_of(WR_RANGES_OFF, 3, 5);
  struct wr_verdict_rules guard = rules_of(WR_RANGES_GUARD, 3, 5);
  CU_ASSERT_FALSE(wr_verdict_step(&v, &off, NULL, NAN, 1.0, &d));
  CU_ASSERT_FALSE(wr_verdict_step(&v, &guard, NULL, NAN, 1.0, &d));
  CU_ASSERT_EQUAL(v.count, 0);
  CU_ASSERT_FALSE(v.decided);
}

static void test_scores_that_are_not_numbers(void) {
  struct wr_verdict v;
  struct wr_decision d;
  wr_verdict_init(&v);
  struct wr_verdict_rules rules = rules_of(WR_RANGES_OFF, 1, 1);
  const double none[LABELS] = {NAN, NAN, NAN, NAN};
  CU_ASSERT_TRUE(wr_verdict_step(&v, &rules, none, NAN, 10, &d));
  CU_ASSERT_EQUAL(d.state, WR_UNCERTAIN);
  CU_ASSERT_EQUAL(d.score, 0.0);
  const double some[LABELS] = {NAN, NAN, NAN, 0.9};
  CU_ASSERT_TRUE(wr_verdict_step(&v, &rules, some, NAN, 10, &d));
  CU_ASSERT_EQUAL(d.state, NORMAL);
  /* A level that is none is in no range. */
  rules = rules_of(WR_RANGES_GUARD, 1, 1);
  CU_ASSERT_TRUE(wr_verdict_step(&v, &rules, some, NAN, NAN, &d));
  CU_ASSERT_EQUAL(d.state, NORMAL);
}

static void test_no_labels(void) {
  struct wr_verdict v;
  struct wr_decision d;
  wr_verdict_init(&v);
  struct wr_verdict_rules rules = {.need = 1, .of = 1, .anomaly_limit = NAN};
  double none[1] = {0};
  CU_ASSERT_TRUE(wr_verdict_step(&v, &rules, none, NAN, 10, &d));
  CU_ASSERT_EQUAL(d.state, WR_UNCERTAIN);
}

static void test_first_vote_decides(void) {
  struct wr_verdict v;
  wr_verdict_init(&v);
  struct wr_verdict_rules rules = rules_of(WR_RANGES_OFF, 3, 5);
  struct wr_decision d = step(&v, &rules, LOW, 0.9, 5);
  CU_ASSERT_EQUAL(d.state, LOW);
  CU_ASSERT_EQUAL(d.previous, WR_UNCERTAIN);
  CU_ASSERT_DOUBLE_EQUAL(d.score, 0.9, 1e-12);
  CU_ASSERT_FALSE(d.by_range);
}

/* Votes one after the other, and the state after each. */
static void test_debounce_table(void) {
  static const struct {
    int need, of;
    const char *votes, *states; /* N, A, L, H, - for uncertain */
  } cases[] = {
      {1, 1, "NANLH-N", "NANLH-N"},     {3, 5, "NNNAANNN", "NNNNNNNN"},
      {3, 5, "NNNAAA", "NNNNNA"},       {3, 5, "NNNANANA", "NNNNNNNA"},
      {3, 5, "NNNNAANA", "NNNNNNNA"},   {2, 3, "NNLHLH", "NNNNLH"},
      {3, 5, "AAANNLN", "AAAAAAN"},     {3, 5, "NN---N--", "NNNN----"},
      {3, 5, "NNNLLHHLL", "NNNNNNNLL"}, {5, 5, "NNNNNAAAAA", "NNNNNNNNNA"},
  };
  for (size_t c = 0; c < sizeof(cases) / sizeof(cases[0]); c++) {
    struct wr_verdict v;
    wr_verdict_init(&v);
    struct wr_verdict_rules rules =
        rules_of(WR_RANGES_OFF, cases[c].need, cases[c].of);
    static const char names[] = "AHLN";
    for (size_t i = 0; cases[c].votes[i] != '\0'; i++) {
      const char *at = strchr(names, cases[c].votes[i]);
      int vote = at != NULL ? (int)(at - names) : 0;
      struct wr_decision d = step(&v, &rules, vote, at != NULL ? 0.9 : 0.3, 10);
      char state = d.state == WR_UNCERTAIN ? '-' : names[d.state];
      if (state != cases[c].states[i])
        printf("case %zu, vote %zu: %c\n", c, i, state);
      CU_ASSERT_EQUAL(state, cases[c].states[i]);
    }
  }
}

static void test_gap_forgets_votes(void) {
  struct wr_verdict v;
  wr_verdict_init(&v);
  struct wr_verdict_rules rules = rules_of(WR_RANGES_OFF, 3, 5);
  step(&v, &rules, NORMAL, 0.9, 10);
  step(&v, &rules, ANOMALOUS, 0.9, 10);
  step(&v, &rules, ANOMALOUS, 0.9, 10);
  wr_verdict_gap(&v);
  CU_ASSERT_EQUAL(step(&v, &rules, ANOMALOUS, 0.9, 10).state, NORMAL);
  CU_ASSERT_EQUAL(step(&v, &rules, ANOMALOUS, 0.9, 10).state, NORMAL);
  CU_ASSERT_EQUAL(step(&v, &rules, ANOMALOUS, 0.9, 10).state, ANOMALOUS);
}

static void test_threshold_and_hysteresis(void) {
  struct wr_verdict v;
  wr_verdict_init(&v);
  struct wr_verdict_rules rules = rules_of(WR_RANGES_OFF, 1, 1);
  rules.hysteresis = 0.1;
  CU_ASSERT_EQUAL(step(&v, &rules, NORMAL, 0.59, 10).state, WR_UNCERTAIN);
  CU_ASSERT_EQUAL(step(&v, &rules, NORMAL, 0.6, 10).state, NORMAL);
  CU_ASSERT_EQUAL(step(&v, &rules, NORMAL, 0.51, 10).state, NORMAL);
  CU_ASSERT_EQUAL(step(&v, &rules, NORMAL, 0.49, 10).state, WR_UNCERTAIN);
  CU_ASSERT_EQUAL(step(&v, &rules, NORMAL, 0.55, 10).state, WR_UNCERTAIN);
}

static void test_threshold_of_one_label(void) {
  static const double own[LABELS] = {0.95, 0.6, 0.6, 0.6};
  struct wr_verdict v;
  wr_verdict_init(&v);
  struct wr_verdict_rules rules = rules_of(WR_RANGES_OFF, 1, 1);
  rules.thresholds = own;
  CU_ASSERT_EQUAL(step(&v, &rules, ANOMALOUS, 0.9, 10).state, WR_UNCERTAIN);
  CU_ASSERT_EQUAL(step(&v, &rules, ANOMALOUS, 0.96, 10).state, ANOMALOUS);
}

static void test_range_edges(void) {
  struct wr_verdict_rules rules = rules_of(WR_RANGES_GUARD, 1, 1);
  static const struct {
    double level;
    int label;
  } cases[] = {{-5, ANOMALOUS},  {0, ANOMALOUS}, {3.999, ANOMALOUS},
               {4.0, LOW},       {7.499, LOW},   {7.5, NORMAL},
               {12.499, NORMAL}, {12.5, HIGH},   {19.99, HIGH},
               {20, ANOMALOUS}};
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
    CU_ASSERT_EQUAL(wr_verdict_range(&rules, cases[i].level), cases[i].label);
  CU_ASSERT_EQUAL(wr_verdict_range(&rules, NAN), WR_UNCERTAIN);
}

/* Only an alarming range overrules, and only with the policy for it. */
static void test_guard(void) {
  struct wr_verdict v;
  wr_verdict_init(&v);
  struct wr_verdict_rules guard = rules_of(WR_RANGES_GUARD, 1, 1);
  struct wr_verdict_rules off = rules_of(WR_RANGES_OFF, 1, 1);
  struct wr_decision d = step(&v, &guard, LOW, 0.99, 0.0);
  CU_ASSERT_EQUAL(d.state, ANOMALOUS);
  CU_ASSERT_TRUE(d.by_range);
  CU_ASSERT_EQUAL(d.score, 1.0);
  d = step(&v, &guard, NORMAL, 0.99, 5.0); /* in the range Low */
  CU_ASSERT_EQUAL(d.state, NORMAL);
  CU_ASSERT_FALSE(d.by_range);
  d = step(&v, &guard, ANOMALOUS, 0.9, 0.0); /* both say so */
  CU_ASSERT_FALSE(d.by_range);
  d = step(&v, &off, LOW, 0.99, 0.0);
  CU_ASSERT_EQUAL(d.state, LOW);
}

static void test_fallback(void) {
  struct wr_verdict v;
  struct wr_decision d;
  wr_verdict_init(&v);
  struct wr_verdict_rules rules = rules_of(WR_RANGES_FALLBACK, 1, 1);
  CU_ASSERT_TRUE(wr_verdict_step(&v, &rules, NULL, NAN, 5.0, &d));
  CU_ASSERT_EQUAL(d.state, LOW);
  CU_ASSERT_TRUE(d.by_range);
  d = step(&v, &rules, NORMAL, 0.9, 5.0);
  CU_ASSERT_EQUAL(d.state, NORMAL);
  CU_ASSERT_FALSE(d.by_range);
  rules.range_count = 0; /* no range holds it */
  CU_ASSERT_TRUE(wr_verdict_step(&v, &rules, NULL, NAN, 5.0, &d));
  CU_ASSERT_EQUAL(d.state, WR_UNCERTAIN);
}

static void test_anomaly_votes(void) {
  struct wr_verdict v;
  struct wr_decision d;
  wr_verdict_init(&v);
  struct wr_verdict_rules rules = rules_of(WR_RANGES_OFF, 1, 1);
  const double normal[LABELS] = {0.01, 0.01, 0.02, 0.96};
  rules.anomaly_limit = 0.5;
  rules.anomaly_label = ANOMALOUS;
  rules.calm_label = WR_UNCERTAIN;
  CU_ASSERT_TRUE(wr_verdict_step(&v, &rules, normal, 0.6, 10, &d));
  CU_ASSERT_EQUAL(d.state, ANOMALOUS);
  CU_ASSERT_FALSE(d.by_range);
  CU_ASSERT_TRUE(wr_verdict_step(&v, &rules, normal, 0.5, 10, &d));
  CU_ASSERT_EQUAL(d.state, NORMAL);
  CU_ASSERT_TRUE(wr_verdict_step(&v, &rules, normal, NAN, 10, &d));
  CU_ASSERT_EQUAL(d.state, NORMAL);
}

/* Labels that the model does not have take no score from it. */
static void test_model_without_labels(void) {
  struct wr_verdict v;
  struct wr_decision d;
  wr_verdict_init(&v);
  struct wr_verdict_rules rules = {.need = 2,
                                   .of = 3,
                                   .anomaly_limit = 0.3,
                                   .anomaly_label = 0,
                                   .calm_label = 1};
  double none[1] = {NAN};
  CU_ASSERT_TRUE(wr_verdict_step(&v, &rules, none, -2.3, 10, &d));
  CU_ASSERT_EQUAL(d.state, 1);
  CU_ASSERT_EQUAL(d.score, 1.0);
  CU_ASSERT_TRUE(wr_verdict_step(&v, &rules, none, 0.4, 10, &d));
  CU_ASSERT_EQUAL(d.state, 1);
  CU_ASSERT_EQUAL(d.score, 0.0);
  CU_ASSERT_TRUE(wr_verdict_step(&v, &rules, none, 0.4, 10, &d));
  CU_ASSERT_EQUAL(d.state, 0);
  CU_ASSERT_EQUAL(d.score, 1.0);
  CU_ASSERT_TRUE(wr_verdict_step(&v, &rules, none, NAN, 10, &d));
  CU_ASSERT_EQUAL(d.vote, WR_UNCERTAIN);
}

UNIT_MAIN("verdict", UNIT(test_no_scores),
          UNIT(test_scores_that_are_not_numbers), UNIT(test_no_labels),
          UNIT(test_first_vote_decides), UNIT(test_debounce_table),
          UNIT(test_gap_forgets_votes), UNIT(test_threshold_and_hysteresis),
          UNIT(test_threshold_of_one_label), UNIT(test_range_edges),
          UNIT(test_guard), UNIT(test_fallback), UNIT(test_anomaly_votes),
          UNIT(test_model_without_labels))
