/* evaluate-baseline: what lib/flow's baseline says of recordings and of
 * simulated weeks. tests/baseline/evaluate.py asks and counts.
 *
 *   evaluate-baseline [NAME=NUMBER...] replay < runs
 *     Runs, each "N" and then N values, one a second (interval=S: every S
 *     seconds). For each run one line, one letter for a value: l learning,
 *     . normal, d drift, s spread, r restless, S slow drift.
 *   evaluate-baseline [NAME=NUMBER...] weeks SEED FAULT RATE BEGIN DAYS
 *     One line of JSON. BEGIN and DAYS in days. */
#include "lib/flow/baseline.h"
#include "tests/baseline/plant.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DAY_S 86400.0

static struct wr_baseline_rules rules = WR_BASELINE_RULES;
static double interval_s = 1;

static int set_rule(const char *text) {
  const struct {
    const char *name;
    double *value;
  } names[] = {{"learn", &rules.learn_s}, {"band", &rules.band},
               {"follow", &rules.follow}, {"spread", &rules.spread},
               {"hold", &rules.hold_s},   {"day_band", &rules.day_band},
               {"interval", &interval_s}};
  size_t len = strcspn(text, "=");
  for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
    if (strlen(names[i].name) == len &&
        strncmp(text, names[i].name, len) == 0) {
      *names[i].value = strtod(text + len + 1, NULL);
      return 0;
    }
  fprintf(stderr, "evaluate-baseline: there is no rule %s\n", text);
  return -1;
}

static void push(struct wr_baseline *b, int64_t i, double value) {
  int64_t us = (int64_t)((double)i * interval_s * 1e6);
  (void)wr_baseline_push(b, &rules, INT64_C(1000000000000000) + us,
                         1 + us / 1000, interval_s, value);
}

static char letter(const struct wr_baseline *b) {
  static const char letters[] = {'l', '.', 'r', 's', 'd'};
  return b->state == WR_BASELINE_DRIFT && b->drift == 0 ? 'S'
                                                        : letters[b->state];
}

static int replay(void) {
  long count;
  while (scanf("%ld", &count) == 1) {
    struct wr_baseline b;
    wr_baseline_init(&b);
    for (long i = 0; i < count; i++) {
      double value;
      if (scanf("%lf", &value) != 1)
        return 1;
      push(&b, i, value);
      putchar(letter(&b));
    }
    putchar('\n');
  }
  return 0;
}

/* What is counted in one run of weeks. */
struct tally {
  int first_day, stops, others; /* alarms before the fault */
  double alarm_s;               /* time in them */
  double found_s;               /* after the begin of the fault; -1: never */
  double left_s, true_s;        /* the first forecast, and the truth */
  double soonest_s, latest_s;
};

static void count_false(struct tally *t, const struct plant *p,
                        const struct wr_baseline *b, bool begins,
                        double age_s) {
  if (b->state <= WR_BASELINE_NORMAL)
    return;
  t->alarm_s++;
  if (!begins)
    return;
  if (age_s < DAY_S)
    t->first_day++;
  else if (plant_is_stopped(p))
    t->stops++; /* no flow: it is to be said, unless it returns */
  else
    t->others++;
}

/* How long the fault will take to a quarter less, from now. */
static double truth_s(const struct plant *p) {
  double a_second =
      log(1 - p->rate) / (p->fault == FAULT_CLOG_HOUR ? 3600 : DAY_S);
  return (log(0.75) - log(plant_effect(p))) / a_second;
}

static void look_ahead(struct tally *t, const struct plant *p,
                       const struct wr_baseline *b) {
  struct wr_forecast f;
  wr_baseline_forecast(b, &rules, &f);
  if (!f.clear || f.left_s <= 0 || f.per_hour >= 0)
    return;
  t->left_s = f.left_s;
  t->true_s = truth_s(p);
  t->soonest_s = f.soonest_s;
  t->latest_s = fmin(f.latest_s, 1e9);
}

static bool grows(enum fault fault) {
  return fault == FAULT_CLOG_HOUR || fault == FAULT_CLOG_DAY ||
         fault == FAULT_WEAR;
}

/* True when there is nothing more to learn from this run. */
static bool count_fault(struct tally *t, const struct plant *p,
                        const struct wr_baseline *b, double age_s) {
  bool up = p->fault == FAULT_LEAK || p->fault == FAULT_EXCHANGE;
  if (t->found_s < 0 && b->state == WR_BASELINE_DRIFT &&
      b->direction == (up ? 1 : -1))
    t->found_s = age_s;
  if (!grows(p->fault))
    return t->found_s >= 0;
  if (t->found_s >= 0 && t->left_s < 0 && (long)age_s % 600 == 0)
    look_ahead(t, p, b);
  return t->left_s >= 0 || plant_effect(p) < 0.74;
}

static int weeks(char **argv) {
  struct plant p;
  struct wr_baseline b;
  struct tally t = {.found_s = -1, .left_s = -1};
  bool before = false;
  enum fault fault = (enum fault)atoi(argv[1]);
  plant_start(&p, strtoull(argv[0], NULL, 10), fault, strtod(argv[2], NULL),
              strtod(argv[3], NULL) * DAY_S);
  wr_baseline_init(&b);
  double seconds = strtod(argv[4], NULL) * DAY_S;
  for (int64_t i = 0; (double)i < seconds; i++) {
    push(&b, i, plant_sample(&p));
    double age_s = p.time_s - p.begin_s;
    bool alarm = b.state > WR_BASELINE_NORMAL;
    if (fault == FAULT_NONE || age_s < 0)
      count_false(&t, &p, &b, alarm && !before, (double)i);
    else if (count_fault(&t, &p, &b, age_s))
      break;
    before = alarm;
  }
  printf("{\"first_day\":%d,\"stops\":%d,\"others\":%d,\"alarm_s\":%.0f,"
         "\"found_s\":%.0f,\"left_s\":%.0f,\"true_s\":%.0f,\"soonest_s\":%.0f,"
         "\"latest_s\":%.0f}\n",
         t.first_day, t.stops, t.others, t.alarm_s, t.found_s, t.left_s,
         t.true_s, t.soonest_s, t.latest_s);
  return 0;
}

int main(int argc, char **argv) {
  int at = 1;
  for (; at < argc && strchr(argv[at], '=') != NULL; at++)
    if (set_rule(argv[at]) != 0)
      return 2;
  if (at + 1 == argc && strcmp(argv[at], "replay") == 0)
    return replay();
  if (at + 6 == argc && strcmp(argv[at], "weeks") == 0)
    return weeks(argv + at + 1);
  fprintf(stderr, "usage: evaluate-baseline [NAME=NUMBER...] replay | weeks "
                  "SEED FAULT RATE BEGIN DAYS\n");
  return 2;
}
