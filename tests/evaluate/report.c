/* The figures as text: a table for people, and model/alarms.md. */
#include "tests/evaluate/evaluate.h"

#include <math.h>
#include <string.h>

#define SEEDS 3

int ev_file_load(struct ev_scenario *s, const char *path) {
  char err[512], line[256], word[32];
  const char *slash = strrchr(path, '/');
  ev_scenario_init(s, slash != NULL ? slash + 1 : path);
  char *end = strstr(s->name, ".scenario");
  if (end != NULL)
    *end = '\0';
  FILE *f = fopen(path, "re");
  while (f != NULL && fgets(line, sizeof(line), f) != NULL) {
    if (sscanf(line, "#! %31s", word) != 1)
      continue;
    s->declared = s->declared || strcmp(word, "declared") == 0;
    s->setpoint = s->setpoint || strcmp(word, "setpoint") == 0;
    s->model_dead = s->model_dead || strcmp(word, "dead") == 0;
    (void)sscanf(line, "#! pulses %lf", &s->pulses_per_litre);
  }
  if (f != NULL)
    fclose(f);
  if (ms_scenario_load(&s->plant, path, err, sizeof(err)) == 0)
    return 0;
  fprintf(stderr, "evaluate: %s\n", err);
  return -1;
}

static double share(size_t part, size_t whole) {
  return whole == 0 ? NAN : 100.0 * (double)part / (double)whole;
}

void ev_print_head(FILE *f) {
  fprintf(f,
          "%-24s %4s %5s %6s %6s %6s | %6s %6s %6s %6s %6s %5s | %6s %9s | "
          "%9s %5s %5s\n",
          "", "n", "chg", "FALSE", "notif", "excess", "Normal", "Low", "High",
          "Anom", "uncert", "wrong", "settl%", "settled", "detected", "med",
          "p90");
}

void ev_print_row(FILE *f, const char *name, struct ev_tally *t) {
  fprintf(f,
          "%-24.24s %4zu %5zu %6zu %6zu %6zu | %6zu %6zu %6zu %6zu %6zu %5zu | "
          "%6.1f %4zu/%4zu | %4zu/%4zu %5.1f %5.1f\n",
          name, t->scenarios, t->changes, t->false_alarms, t->notifications,
          t->excess, t->state[EV_NORMAL], t->state[EV_LOW], t->state[EV_HIGH],
          t->state[EV_ANOMALOUS], t->uncertain, t->wrong,
          share(t->settled_right, t->settled), t->settled_right, t->settled,
          t->detected, t->lasting, ev_tally_delay(t, 0.5),
          ev_tally_delay(t, 0.9));
}

/* "12 of 12" or "-". */
static void put_part(FILE *f, size_t part, size_t whole) {
  if (whole == 0)
    fprintf(f, " - |");
  else
    fprintf(f, " %zu of %zu |", part, whole);
}

static void put_delay(FILE *f, struct ev_tally *t, double p) {
  if (t->detected == 0)
    fprintf(f, " - |");
  else
    fprintf(f, " %.0f |", ev_tally_delay(t, p));
}

static void put_named(FILE *f, const char *name, struct ev_tally *t) {
  fprintf(f,
          "| %s | %zu / %zu / %zu / %zu / %zu / %zu | %zu | %zu | %zu | %zu |",
          name, t->state[EV_NORMAL], t->state[EV_LOW], t->state[EV_HIGH],
          t->state[EV_ANOMALOUS], t->state[EV_OFF], t->uncertain, t->changes,
          t->false_alarms, t->notifications, t->true_changes);
  put_part(f, t->detected, t->lasting);
  put_delay(f, t, 0.5);
  put_part(f, t->settled_right, t->settled);
  fprintf(f, "\n");
}

int ev_report_named(FILE *f, char *const *files, size_t count) {
  fprintf(f,
          "## Each scenario of tests/sim/scenarios/alarms, once\n\n"
          "| scenario | seconds Normal / Low / High / Anomalous / Off / "
          "uncertain | set points | false FAILUREs | notifications | true "
          "changes | lasting faults found | delay, s | right label 6 s after "
          "a step |\n|---|---|---|---|---|---|---|---|---|\n");
  for (size_t i = 0; i < count; i++) {
    struct ev_scenario s;
    struct ev_tally t = {0};
    if (ev_file_load(&s, files[i]) != 0)
      return -1;
    ev_play(&s, 1, &t, NULL);
    put_named(f, s.name, &t);
    ev_tally_free(&t);
    ms_scenario_free(&s.plant);
  }
  return 0;
}

static void put_family(FILE *f, const struct ev_family *family,
                       struct ev_tally *t) {
  fprintf(f, "| %s | %s | %zu | %zu | %zu | %zu | %zu | %zu |", family->name,
          family->what, t->scenarios, t->changes, t->false_alarms,
          t->notifications, t->true_changes, t->excess);
  put_part(f, t->detected, t->lasting);
  put_delay(f, t, 0.5);
  put_delay(f, t, 0.9);
  put_part(f, t->settled_right, t->settled);
  fprintf(f, "\n");
}

struct sums {
  struct ev_tally fine, edges, patterns, settling, declared;
};

static struct ev_tally *sum_of(struct sums *s, const char *family) {
  const struct {
    const char *family;
    struct ev_tally *sum;
  } sums[] = {{"edges", &s->edges},       {"patterns", &s->patterns},
              {"out", &s->patterns},      {"dead", &s->patterns},
              {"settling", &s->settling}, {"declared", &s->declared}};
  for (size_t i = 0; i < sizeof(sums) / sizeof(sums[0]); i++)
    if (strcmp(sums[i].family, family) == 0)
      return sums[i].sum;
  return &s->fine;
}

static void put_aims(FILE *f, struct sums *s) {
  const struct ev_tally *parts[] = {&s->fine, &s->edges, &s->settling,
                                    &s->declared};
  size_t false_alarms = 0, scenarios = 0;
  for (size_t i = 0; i < 4; i++) {
    false_alarms += parts[i]->false_alarms;
    scenarios += parts[i]->scenarios;
  }
  fprintf(f, "| aim | reached |\n|---|---|\n");
  fprintf(f,
          "| no false FAILURE where nothing is wrong | %zu in %zu scenarios, "
          "%zu set points |\n",
          false_alarms, scenarios, s->fine.changes + s->declared.changes);
  fprintf(f,
          "| no alarm at a declared stop or start | %zu in %zu stops and "
          "starts |\n",
          s->declared.false_alarms, s->declared.changes);
  fprintf(f,
          "| a steady flow on an edge: one notification | %zu beyond that in "
          "%zu scenarios |\n",
          s->edges.excess, s->edges.scenarios);
  fprintf(f,
          "| one notification for a true change of the label | %zu beyond "
          "that for %zu changes |\n",
          s->fine.excess + s->settling.excess + s->declared.excess,
          s->fine.true_changes + s->settling.true_changes +
              s->declared.true_changes);
  fprintf(f, "| faults that last: 99 %% found | %zu of %zu, %.1f %% |\n",
          s->patterns.detected, s->patterns.lasting,
          share(s->patterns.detected, s->patterns.lasting));
  fprintf(f,
          "| median delay at most 6 s | %.0f s, nine tenths within %.0f s |\n",
          ev_tally_delay(&s->patterns, 0.5), ev_tally_delay(&s->patterns, 0.9));
  fprintf(f,
          "| blockage, burst and leak that settle: the right label within "
          "6 s | %zu of %zu |\n\n",
          s->settling.settled_right, s->settling.settled);
}

static void play_families(struct ev_tally *of, struct sums *sums) {
  for (size_t i = 0; i < ev_families_count; i++) {
    for (uint64_t seed = 1; seed <= SEEDS; seed++)
      ev_family_play(&ev_families[i], seed, &of[i], NULL, NULL);
    ev_tally_add(sum_of(sums, ev_families[i].name), &of[i]);
  }
}

int ev_report(FILE *f, char *const *files, size_t count) {
  struct ev_tally of[EV_FAMILIES_MAX];
  struct sums sums = {0};
  memset(of, 0, sizeof(of));
  play_families(of, &sums);
  fprintf(f, "# What the alarm does, second by second\n\n"
             "Written by `make evaluate-alarms`. A simulated pipe and sensor "
             "(tests/sim), the bundled model and the verdict at its\ndefault "
             "options; no recording and no clock. tests/evaluate says what is "
             "counted as true. Each scenario lasts eight minutes.\n\n");
  put_aims(f, &sums);
  fprintf(f,
          "## Kinds, %d seeds each\n\n"
          "| kind | what happens | scenarios | set points | false FAILUREs | "
          "notifications | true changes | notifications beyond them | lasting "
          "faults found | delay, median s | delay of nine tenths, s | right "
          "label 6 s after a step |\n"
          "|---|---|---|---|---|---|---|---|---|---|---|---|\n",
          SEEDS);
  for (size_t i = 0; i < ev_families_count; i++) {
    put_family(f, &ev_families[i], &of[i]);
    ev_tally_free(&of[i]);
  }
  struct ev_tally *all[] = {&sums.fine, &sums.edges, &sums.patterns,
                            &sums.settling, &sums.declared};
  for (size_t i = 0; i < 5; i++)
    ev_tally_free(all[i]);
  fprintf(f, "\n");
  return ev_report_named(f, files, count);
}
