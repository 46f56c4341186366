/* weir_alarm: which way the alarm output points, and the light.
 *
 * The output says "all is well" only while somebody keeps saying so. It is
 * high while the last report is not older than hold_ms and its label is no
 * alarm; it is low, the safe state, before the first report, when reports
 * stop (agent, proxy, network or Linux down), on an alarm, on a label that
 * nobody here knows, while the M4 restarts (pins float: pull it down) and
 * without power. A relay on it therefore drops out, it does not pull in.
 *
 * Plain C. Time is milliseconds that wrap at 2^32 (Arduino's millis(), every
 * 49.7 days). Not locked: call all of it under the caller's lock. */
#ifndef WEIR_ALARM_H
#define WEIR_ALARM_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

enum weir_level { WEIR_SILENT, WEIR_OK, WEIR_WARNING, WEIR_ALARM };

struct weir_alarm {
  uint32_t hold_ms;
  uint32_t heard_ms;
  enum weir_level level; /* WEIR_SILENT: no report, or none for too long */
};

static inline void weir_alarm_init(struct weir_alarm *a, uint32_t hold_ms) {
  a->hold_ms = hold_ms;
  a->heard_ms = 0;
  a->level = WEIR_SILENT;
}

static inline enum weir_level weir_level_of(const char *label) {
  if (strcmp(label, "Normal") == 0)
    return WEIR_OK;
  if (strcmp(label, "Low") == 0 || strcmp(label, "High") == 0)
    return WEIR_WARNING;
  return WEIR_ALARM;
}

static inline void weir_alarm_report(struct weir_alarm *a, const char *label,
                                     uint32_t now_ms) {
  a->level = weir_level_of(label);
  a->heard_ms = now_ms;
}

/* Call it often, at least once in hold_ms. Silence is latched: after the
 * clock has wrapped, an old report must not look fresh again. */
static inline bool weir_alarm_healthy(struct weir_alarm *a, uint32_t now_ms) {
  if (a->level != WEIR_SILENT && now_ms - a->heard_ms > a->hold_ms)
    a->level = WEIR_SILENT;
  return a->level == WEIR_OK || a->level == WEIR_WARNING;
}

/* The light: a short flash every 2 s when all is well, slow blinking for a
 * warning, fast for an alarm, steady when nobody reports. */
static inline bool weir_alarm_light(const struct weir_alarm *a,
                                    uint32_t now_ms) {
  switch (a->level) {
  case WEIR_OK:
    return now_ms % 2048 < 64;
  case WEIR_WARNING:
    return now_ms % 1024 < 512;
  case WEIR_ALARM:
    return now_ms % 256 < 128;
  default:
    return true;
  }
}

#endif
