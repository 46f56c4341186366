/* evaluate-alarms [-v] [-f FAMILY] [-t NAME] [-s SEED] [FILE.scenario ...] */
#include "tests/evaluate/evaluate.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct options {
  const char *family, *trace;
  uint64_t seed;
  bool verbose;
};

static void head(const char *what) {
  printf("%-26s %4s %5s %6s %6s %6s | %6s %6s %6s %6s %6s %5s | %6s %9s | "
         "%9s %5s %5s\n",
         what, "n", "chg", "FALSE", "notif", "excess", "Normal", "Low", "High",
         "Anom", "uncert", "wrong", "settl%", "settled", "detected", "med",
         "p90");
}

static void row(const char *name, struct ev_tally *t) {
  printf("%-26.26s %4zu %5zu %6zu %6zu %6zu | %6zu %6zu %6zu %6zu %6zu %5zu | "
         "%6.1f %4zu/%4zu | %4zu/%4zu %5.1f %5.1f\n",
         name, t->scenarios, t->changes, t->false_alarms, t->notifications,
         t->excess, t->state[EV_NORMAL], t->state[EV_LOW], t->state[EV_HIGH],
         t->state[EV_ANOMALOUS], t->uncertain, t->wrong,
         t->settled == 0
             ? NAN
             : 100.0 * (double)t->settled_right / (double)t->settled,
         t->settled_right, t->settled, t->detected, t->lasting,
         ev_tally_delay(t, 0.5), ev_tally_delay(t, 0.9));
}

static void play(const struct ev_scenario *s, const struct options *o,
                 struct ev_tally *sum) {
  struct ev_tally t = {0};
  bool trace = o->trace != NULL && strcmp(o->trace, s->name) == 0;
  ev_play(s, o->seed, &t, trace ? stdout : NULL);
  if (o->verbose)
    row(s->name, &t);
  ev_tally_add(sum, &t);
  ev_tally_free(&t);
}

static void play_family(const struct ev_family *f, const struct options *o,
                        struct ev_tally *sum) {
  for (size_t i = 0; i < f->count; i++) {
    struct ev_scenario s;
    char name[64];
    struct ms_rng rng = {o->seed * 1000003 + i * 7919};
    for (const char *c = f->name; *c != '\0'; c++)
      rng.state = rng.state * 31 + (unsigned char)*c;
    snprintf(name, sizeof(name), "%s-%zu", f->name, i);
    ev_scenario_init(&s, name);
    f->make(&s, i, &rng);
    play(&s, o, sum);
    ms_scenario_free(&s.plant);
  }
}

static int play_file(const char *path, const struct options *o,
                     struct ev_tally *sum) {
  struct ev_scenario s;
  char err[512];
  const char *slash = strrchr(path, '/');
  ev_scenario_init(&s, slash != NULL ? slash + 1 : path);
  if (ms_scenario_load(&s.plant, path, err, sizeof(err)) != 0) {
    fprintf(stderr, "evaluate: %s\n", err);
    return 1;
  }
  play(&s, o, sum);
  ms_scenario_free(&s.plant);
  return 0;
}

int main(int argc, char **argv) {
  struct options o = {.seed = 1};
  struct ev_tally sum = {0};
  int c;
  while ((c = getopt(argc, argv, "vf:t:s:")) != -1)
    switch (c) {
    case 'v':
      o.verbose = true;
      break;
    case 'f':
      o.family = optarg;
      break;
    case 't':
      o.trace = optarg;
      break;
    case 's':
      o.seed = strtoull(optarg, NULL, 10);
      break;
    default:
      return 2;
    }
  head(optind < argc ? "file" : "family");
  for (int i = optind; i < argc; i++)
    if (play_file(argv[i], &o, &sum) != 0)
      return 1;
  for (size_t i = 0; optind == argc && i < ev_families_count; i++) {
    struct ev_tally t = {0};
    if (o.family != NULL && strcmp(o.family, ev_families[i].name) != 0)
      continue;
    play_family(&ev_families[i], &o, &t);
    row(ev_families[i].name, &t);
    ev_tally_add(&sum, &t);
    ev_tally_free(&t);
  }
  row("all", &sum);
  ev_tally_free(&sum);
  return 0;
}
