#include "tests/evaluate/evaluate.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char usage[] =
    "usage: evaluate-alarms [-v] [-s SEED] [-f FAMILY]   kinds of scenarios\n"
    "       evaluate-alarms [-t] [-s SEED] FILE...       scenario files; -t: "
    "each second\n"
    "       evaluate-alarms -r FILE...                   model/alarms.md\n"
    "       evaluate-alarms -n FILE...                   its part on files\n";

struct options {
  const char *family;
  uint64_t seed;
  bool verbose, trace, report, named;
};

static void each(void *arg, const char *name, struct ev_tally *t) {
  (void)arg;
  ev_print_row(stdout, name, t);
}

static int run_families(const struct options *o) {
  struct ev_tally sum = {0};
  ev_print_head(stdout);
  for (size_t i = 0; i < ev_families_count; i++) {
    struct ev_tally t = {0};
    if (o->family != NULL && strcmp(o->family, ev_families[i].name) != 0)
      continue;
    ev_family_play(&ev_families[i], o->seed, &t, o->verbose ? each : NULL,
                   NULL);
    ev_print_row(stdout, ev_families[i].name, &t);
    ev_tally_add(&sum, &t);
    ev_tally_free(&t);
  }
  ev_print_row(stdout, "all", &sum);
  ev_tally_free(&sum);
  return 0;
}

static int run_files(const struct options *o, char *const *files,
                     size_t count) {
  struct ev_tally sum = {0};
  ev_print_head(stdout);
  for (size_t i = 0; i < count; i++) {
    struct ev_scenario s;
    struct ev_tally t = {0};
    if (ev_file_load(&s, files[i]) != 0)
      return 1;
    ev_play(&s, o->seed, &t, o->trace ? stdout : NULL);
    ev_print_row(stdout, s.name, &t);
    ev_tally_add(&sum, &t);
    ev_tally_free(&t);
    ms_scenario_free(&s.plant);
  }
  ev_print_row(stdout, "all", &sum);
  ev_tally_free(&sum);
  return 0;
}

static int read_options(struct options *o, int argc, char **argv) {
  int c;
  while ((c = getopt(argc, argv, "vtrns:f:")) != -1)
    switch (c) {
    case 'v':
      o->verbose = true;
      break;
    case 't':
      o->trace = true;
      break;
    case 'r':
      o->report = true;
      break;
    case 'n':
      o->named = true;
      break;
    case 's':
      o->seed = strtoull(optarg, NULL, 10);
      break;
    case 'f':
      o->family = optarg;
      break;
    default:
      fputs(usage, stderr);
      return -1;
    }
  return 0;
}

int main(int argc, char **argv) {
  struct options o = {.seed = 1};
  if (read_options(&o, argc, argv) != 0)
    return 2;
  char *const *files = argv + optind;
  size_t count = (size_t)(argc - optind);
  if (o.report)
    return ev_report(stdout, files, count) == 0 ? 0 : 1;
  if (o.named)
    return ev_report_named(stdout, files, count) == 0 ? 0 : 1;
  return count > 0 ? run_files(&o, files, count) : run_families(&o);
}
