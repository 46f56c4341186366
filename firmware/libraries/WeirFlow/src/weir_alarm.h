/* weir_alarm: which way the alarm output points, and the light.
 *
 * The output says "all is well" only while somebody keeps saying so. It is
 * high while the last report is not older than hold_ms and its label is known
 * to be no alarm; it is low, the safe state, before the first report, when
 * reports stop (agent, proxy, network or Linux down), on an alarm, on the
 * label "unknown" (the agent cannot tell), on a label that is not in the
 * table, while the M4 restarts (pins float: pull it down) and without power. A
 * relay on it therefore drops out, it does not pull in.
 *
 * Plain C. Time is milliseconds that wrap at 2^32 (Arduino's millis(), every
 * 49.7 days). Not locked: call all of it under the caller's lock. */
#ifndef WEIR_ALARM_H
#define WEIR_ALARM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

enum weir_level {
  WEIR_SILENT, /* no report, or none for too long */
  WEIR_OK,
  WEIR_WARNING,
  WEIR_ALARM,
  WEIR_UNKNOWN, /* "unknown", or a label that is not in the table */
};

/* What a label means. Only WEIR_OK and WEIR_WARNING keep the output high. */
struct weir_label {
  const char *name;
  enum weir_level level;
};

/* The labels of the bundled model. A model of your own has others: each one
 * that is to keep the output high must stand in the sketch's table. */
/* clang-format off */
#define WEIR_BUNDLED_LABELS \
  {"Normal", WEIR_OK}, {"Low", WEIR_WARNING}, {"High", WEIR_WARNING}, \
  {"Anomalous", WEIR_ALARM}, {"Off", WEIR_OK}
/* clang-format on */

struct weir_alarm {
  const struct weir_label *labels; /* borrowed */
  size_t count;
  uint32_t hold_ms;
  uint32_t heard_ms;
  enum weir_level level;
};

static inline void weir_alarm_init(struct weir_alarm *a,
                                   const struct weir_label *labels,
                                   size_t count, uint32_t hold_ms) {
  a->labels = labels;
  a->count = count;
  a->hold_ms = hold_ms;
  a->heard_ms = 0;
  a->level = WEIR_SILENT;
}

/* Whatever the table says, "unknown" is not well. */
static inline enum weir_level weir_level_of(const struct weir_alarm *a,
                                            const char *label) {
  if (strcmp(label, "unknown") != 0)
    for (size_t i = 0; i < a->count; i++)
      if (strcmp(label, a->labels[i].name) == 0)
        return a->labels[i].level;
  return WEIR_UNKNOWN;
}

static inline void weir_alarm_report(struct weir_alarm *a, const char *label,
                                     uint32_t now_ms) {
  a->level = weir_level_of(a, label);
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
 * warning, fast for an alarm, two flashes a second when nobody can tell,
 * steady when nobody reports. */
static inline bool weir_alarm_light(const struct weir_alarm *a,
                                    uint32_t now_ms) {
  switch (a->level) {
  case WEIR_OK:
    return now_ms % 2048 < 64;
  case WEIR_WARNING:
    return now_ms % 1024 < 512;
  case WEIR_ALARM:
    return now_ms % 256 < 128;
  case WEIR_UNKNOWN:
    return now_ms % 1024 < 96 || (now_ms % 1024 >= 192 && now_ms % 1024 < 288);
  default:
    return true;
  }
}

/* What the agent's long memory says of the flow (flow_baseline). It never moves
 * the output: a drift of weeks is no reason to stop a pump. It has a light. */
struct weir_baseline {
  uint32_t hold_ms;
  uint32_t heard_ms;
  bool told; /* there is such a memory */
  bool well; /* its last word, and that is not too old */
};

static inline void weir_baseline_init(struct weir_baseline *b,
                                      uint32_t hold_ms) {
  b->hold_ms = hold_ms;
  b->heard_ms = 0;
  b->told = false;
  b->well = false;
}

/* "low", "high", "spread", "night_flow", "unknown" and words that nobody
 * knows are not well. */
static inline void weir_baseline_report(struct weir_baseline *b,
                                        const char *label, uint32_t now_ms) {
  b->told = true;
  b->well = strcmp(label, "normal") == 0 || strcmp(label, "learning") == 0;
  b->heard_ms = now_ms;
}

/* Whether the light has to say so. Call it often, as weir_alarm_healthy():
 * silence is latched here, too. Without any report there is nothing to say. */
static inline bool weir_baseline_off(struct weir_baseline *b, uint32_t now_ms) {
  if (b->well && now_ms - b->heard_ms > b->hold_ms)
    b->well = false;
  return b->told && !b->well;
}

/* weir_alarm_light(), and three short flashes every 2 s when all is well but
 * the baseline. Whatever is more urgent hides them. */
static inline bool weir_light(const struct weir_alarm *a, bool off,
                              uint32_t now_ms) {
  uint32_t ms = now_ms % 2048;
  if (!off || a->level != WEIR_OK)
    return weir_alarm_light(a, now_ms);
  return ms < 512 && ms % 192 < 64;
}

#endif
