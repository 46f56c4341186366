/* hint: what an alarm looks like, with the evidence in words. Pure.
 *
 * A hint is a ranking, not a diagnosis: it tells whoever is called where to
 * look first. It is worked out from the last minute of flow, whatever model
 * raised the alarm. Threads: none of its own. */
#ifndef WR_HINT_H
#define WR_HINT_H

#include "lib/flow/context.h"

enum wr_cause {
  WR_CAUSE_AIR,
  WR_CAUSE_CAVITATION,
  WR_CAUSE_HUNTING,
  WR_CAUSE_NOISE,   /* electrical */
  WR_CAUSE_BLOCKED, /* or stopped */
  WR_CAUSE_BURST,   /* or too high */
  WR_CAUSE_SENSOR,
  WR_CAUSE_UNCLEAR,
  WR_CAUSES
};

#define WR_HINT_TEXT 160

struct wr_hint {
  enum wr_cause first;
  enum wr_cause second;    /* WR_CAUSE_UNCLEAR: no other one */
  char text[WR_HINT_TEXT]; /* "air or hunting: 6 dropouts of 1-2 s ..." */
};

/* side: -1 or 1 when the level is beyond the ranges of this installation, on
 * that side; 0 when it is not, or when there are none. stuck: the sensor has
 * said the same for long. With too few samples a hint is about those two. */
void wr_hint(struct wr_context *c, int side, bool stuck, struct wr_hint *out);

/* "air", "electrical noise" ... */
const char *wr_cause_name(enum wr_cause cause);

#endif
