/* Scenario files: any text. What is refused has a reason, what is taken can be
 * played: pulses that a sensor can give, and a truth for each second. */
#include "tests/fuzz/fuzz.h"
#include "tests/sim/m4sim_plant.c"
#include "tests/sim/m4sim_scenario.c"

#define SECONDS 400

static void play(struct ms_scenario *s, const char *event) {
  static struct ms_plant plant;
  struct ms_second second;
  char err[160];
  ms_plant_init(&plant, s, 1);
  for (int i = 0; i < SECONDS && ms_plant_play(&plant, &second); i++) {
    check(second.n == i && second.truth != NULL && second.expect != NULL);
    check(isfinite(second.true_lpm) && second.true_lpm >= 0);
    check(second.pulses <= 20000); /* 10 000 Hz of interference and the rest */
    if (i == 20)
      (void)ms_plant_event(&plant, event, err, sizeof(err));
  }
  check(s->events <= MS_EVENTS_MAX);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  static struct ms_scenario s;
  char *text = malloc(size + 1), *save = NULL, err[160];
  check(text != NULL);
  memcpy(text, data, size);
  text[size] = '\0';
  ms_scenario_init(&s);
  const char *last = "";
  for (char *line = strtok_r(text, "\n", &save); line != NULL;
       line = strtok_r(NULL, "\n", &save)) {
    size_t before = s.events;
    err[0] = '\0';
    int rc = ms_scenario_line(&s, line, err, sizeof(err));
    check((rc == 0) == (err[0] == '\0'));
    check(rc == 0 || s.events == before);
    last = line;
  }
  if (s.events > 0)
    play(&s, last);
  ms_scenario_free(&s);
  free(text);
  return 0;
}
