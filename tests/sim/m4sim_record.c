/* The record: JSON lines, one per thing that happened, flushed per line so
 * that a test may read while m4sim runs or after it was killed. */
#include "tests/sim/m4sim.h"

#include <time.h>

void ms_json_text(FILE *f, const char *text, size_t len) {
  fputc('"', f);
  for (size_t i = 0; i < len; i++) {
    unsigned char c = (unsigned char)text[i];
    if (c == '"' || c == '\\')
      fprintf(f, "\\%c", c);
    else if (c < 0x20 || c > 0x7e) /* bytes, whatever they were meant for */
      fprintf(f, "\\u%04x", c);
    else
      fputc(c, f);
  }
  fputc('"', f);
}

FILE *ms_record_begin(struct ms_sim *sim) {
  if (sim->record == NULL)
    return NULL;
  struct timespec ts;
  clock_gettime(CLOCK_REALTIME, &ts);
  fprintf(sim->record, "{\"t\":%lld.%06ld", (long long)ts.tv_sec,
          ts.tv_nsec / 1000);
  if (sim->m4.has_second) {
    const struct ms_second *s = &sim->m4.second;
    fprintf(sim->record,
            ",\"second\":%lld,\"truth\":\"%s\",\"expect\":\"%s\","
            "\"true_lpm\":%.3f,\"pulses\":%u",
            (long long)s->n, s->truth, s->expect, s->true_lpm, s->pulses);
  }
  return sim->record;
}

void ms_record_end(struct ms_sim *sim) {
  if (sim->record == NULL)
    return;
  fputs("}\n", sim->record);
  fflush(sim->record);
}

void ms_record_event(struct ms_sim *sim, const char *event,
                     const char *detail) {
  FILE *f = ms_record_begin(sim);
  if (f == NULL)
    return;
  fprintf(f, ",\"event\":\"%s\",\"detail\":\"%s\"", event, detail);
  ms_record_end(sim);
}
