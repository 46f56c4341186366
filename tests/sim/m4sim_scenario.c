/* Scenario files: text in, a list of events out. See scenarios/README.md. */
#include "tests/sim/m4sim_plant.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WORDS_MAX 8
#define REPLAY_MAX 10000000

static const struct {
  const char *name;
  enum ms_kind kind;
  bool needs_value;
  double value, over_s, period_s; /* defaults */
  double max;
} kinds[] = {
    {"flow", MS_FLOW, true, 0, 1, 0, 100},
    {"recover", MS_RECOVER, false, 0, 2, 0, 0},
    {"blockage", MS_BLOCKAGE, true, 0, 2, 0, 100},
    {"burst", MS_BURST, true, 0, 1, 0, 100},
    {"leak", MS_LEAK, true, 0, 3, 0, 100},
    {"clogging", MS_CLOGGING, true, 0, 60, 0, 100},
    {"pump_stop", MS_PUMP_STOP, false, 0, 3, 0, 100},
    {"air", MS_AIR, false, 0.5, 0, 0, 1},
    {"slugs", MS_SLUGS, false, 0.7, 0, 4, 1},
    {"cavitation", MS_CAVITATION, false, 0.2, 1, 0, 1},
    {"hunting", MS_HUNTING, false, 0.3, 1, 8, 1},
    {"emi", MS_EMI, false, 40, 0, 0, 5000},
    {"stuck", MS_STUCK, false, 0, 0, 0, 0},
    {"zero", MS_ZERO, false, 0, 0, 0, 0},
    {"end", MS_END, false, 0, 0, 0, 0},
};
#define KINDS (sizeof(kinds) / sizeof(kinds[0]))

const char *ms_kind_name(enum ms_kind kind) {
  for (size_t i = 0; i < KINDS; i++)
    if (kinds[i].kind == kind)
      return kinds[i].name;
  return "?";
}

void ms_scenario_init(struct ms_scenario *s) {
  *s = (struct ms_scenario){.nominal_lpm = 10,
                            .gain = 1,
                            .noise = 0.005,
                            .drift = 0.005,
                            .lag_s = 0.2,
                            .end_s = -1};
}

void ms_scenario_free(struct ms_scenario *s) {
  free(s->replay);
  s->replay = NULL;
  s->replay_len = 0;
}

static int number(const char *word, double max, double *out) {
  char *end;
  double value = strtod(word, &end);
  if (end == word || *end != '\0' || !isfinite(value) || value < 0 ||
      value > max)
    return -1;
  *out = value;
  return 0;
}

static size_t split(char *line, char *word[WORDS_MAX]) {
  char *save;
  size_t n = 0;
  line[strcspn(line, "#\r\n")] = '\0';
  for (char *w = strtok_r(line, " \t", &save); w != NULL && n < WORDS_MAX;
       w = strtok_r(NULL, " \t", &save))
    word[n++] = w;
  return n;
}

/* EVENT [VALUE] [over SECONDS] [period SECONDS] */
static int parse_event(char **word, size_t n, struct ms_event *event, char *err,
                       size_t errlen) {
  size_t k = 0, i = 1;
  while (k < KINDS && strcmp(kinds[k].name, word[0]) != 0)
    k++;
  if (k == KINDS) {
    snprintf(err, errlen, "'%s' is no event", word[0]);
    return -1;
  }
  event->kind = kinds[k].kind;
  event->value = kinds[k].value;
  event->over_s = kinds[k].over_s;
  event->period_s = kinds[k].period_s;
  if (i < n && number(word[i], kinds[k].max, &event->value) == 0)
    i++;
  else if (kinds[k].needs_value) {
    snprintf(err, errlen, "'%s' needs a number from 0 to %g", word[0],
             kinds[k].max);
    return -1;
  }
  for (; i + 1 < n; i += 2) {
    double *to = strcmp(word[i], "over") == 0     ? &event->over_s
                 : strcmp(word[i], "period") == 0 ? &event->period_s
                                                  : NULL;
    if (to == NULL || number(word[i + 1], 1e6, to) != 0)
      break;
  }
  if (i < n) {
    snprintf(err, errlen, "cannot use '%s' after '%s'", word[i], word[0]);
    return -1;
  }
  return 0;
}

static int setting(struct ms_scenario *s, char **word, size_t n) {
  const struct {
    const char *name;
    double *to, max;
  } settings[] = {{"nominal", &s->nominal_lpm, 100},
                  {"gain", &s->gain, 10},
                  {"noise", &s->noise, 1},
                  {"drift", &s->drift, 1},
                  {"lag", &s->lag_s, 10}};
  for (size_t i = 0; i < sizeof(settings) / sizeof(settings[0]); i++)
    if (strcmp(word[0], settings[i].name) == 0)
      return n == 2 ? number(word[1], settings[i].max, settings[i].to) : -1;
  return -1;
}

int ms_scenario_line(struct ms_scenario *s, const char *line, char *err,
                     size_t errlen) {
  char copy[256], *word[WORDS_MAX];
  struct ms_event event = {0};
  if (snprintf(copy, sizeof(copy), "%s", line) >= (int)sizeof(copy)) {
    snprintf(err, errlen, "the line is longer than 255 characters");
    return -1;
  }
  size_t n = split(copy, word);
  if (n == 0)
    return 0;
  if (number(word[0], 1e9, &event.at_s) != 0) {
    if (setting(s, word, n) == 0)
      return 0;
    snprintf(err, errlen, "'%s' is neither a time nor a setting with a value",
             word[0]);
    return -1;
  }
  if (n == 1) {
    snprintf(err, errlen, "no event after the time");
    return -1;
  }
  if (s->events > 0 && event.at_s < s->event[s->events - 1].at_s) {
    snprintf(err, errlen, "the time %s runs backwards", word[0]);
    return -1;
  }
  if (parse_event(word + 1, n - 1, &event, err, errlen) != 0)
    return -1;
  if (s->events == MS_EVENTS_MAX) {
    snprintf(err, errlen, "more than %d events", MS_EVENTS_MAX);
    return -1;
  }
  if (event.kind == MS_END)
    s->end_s = event.at_s;
  s->event[s->events++] = event;
  return 0;
}

int ms_scenario_load(struct ms_scenario *s, const char *path, char *err,
                     size_t errlen) {
  char line[512], why[160];
  int number_of_line = 0, rc = 0;
  FILE *f = fopen(path, "re");
  if (f == NULL) {
    snprintf(err, errlen, "%s: %s", path, strerror(errno));
    return -1;
  }
  while (rc == 0 && fgets(line, sizeof(line), f) != NULL) {
    number_of_line++;
    rc = ms_scenario_line(s, line, why, sizeof(why));
  }
  fclose(f);
  if (rc != 0)
    snprintf(err, errlen, "%s:%d: %s", path, number_of_line, why);
  else if (s->events == 0) {
    snprintf(err, errlen, "%s: no event in it", path);
    rc = -1;
  }
  return rc;
}

static int csv_line(struct ms_scenario *s, char *line) {
  double value;
  line[strcspn(line, ",;#\r\n")] = '\0';
  if (line[strspn(line, " \t")] == '\0')
    return 0;
  if (number(line, UINT16_MAX, &value) != 0 || value != floor(value) ||
      s->replay_len == REPLAY_MAX)
    return -1;
  if ((s->replay_len & (s->replay_len - 1)) == 0) { /* powers of two */
    size_t room = s->replay_len ? s->replay_len * 2 : 1;
    uint16_t *more = realloc(s->replay, room * sizeof(*more));
    if (more == NULL)
      return -1;
    s->replay = more;
  }
  s->replay[s->replay_len++] = (uint16_t)value;
  return 0;
}

int ms_scenario_load_csv(struct ms_scenario *s, const char *path, char *err,
                         size_t errlen) {
  char line[256];
  int number_of_line = 0;
  FILE *f = fopen(path, "re");
  if (f == NULL) {
    snprintf(err, errlen, "%s: %s", path, strerror(errno));
    return -1;
  }
  while (fgets(line, sizeof(line), f) != NULL) {
    number_of_line++;
    if (csv_line(s, line) != 0) {
      snprintf(err, errlen,
               "%s:%d: not a whole number of pulses from 0 to 65535", path,
               number_of_line);
      fclose(f);
      return -1;
    }
  }
  fclose(f);
  if (s->replay_len == 0) {
    snprintf(err, errlen, "%s: no pulse count in it", path);
    return -1;
  }
  return 0;
}

int ms_plant_event(struct ms_plant *p, const char *text, char *err,
                   size_t errlen) {
  char copy[256], *word[WORDS_MAX];
  struct ms_event event = {.at_s = (double)p->second};
  snprintf(copy, sizeof(copy), "%s", text);
  size_t n = split(copy, word);
  if (n == 0) {
    snprintf(err, errlen, "no event given");
    return -1;
  }
  if (parse_event(word, n, &event, err, errlen) != 0)
    return -1;
  struct ms_scenario *s = p->scenario;
  if (s->events == MS_EVENTS_MAX) {
    snprintf(err, errlen, "more than %d events", MS_EVENTS_MAX);
    return -1;
  }
  size_t at = p->next_event; /* what is due by then comes before it */
  while (at < s->events && s->event[at].at_s <= event.at_s)
    at++;
  memmove(&s->event[at + 1], &s->event[at], (s->events - at) * sizeof(event));
  s->event[at] = event;
  s->events++;
  if (event.kind == MS_END)
    s->end_s = event.at_s;
  return 0;
}
