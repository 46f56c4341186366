/* values: from the result of a call to numbers that may be trusted.
 *
 * Pure: no clock, no socket. Threads: none of its own. */
#ifndef WR_M4_VALUES_H
#define WR_M4_VALUES_H

#include "lib/rpc/codec.h"

#define WR_M4_WHOLE (-1) /* index: the result itself, not an element */

/* The number at `index` of an array result, or the result itself. 0;
 * -ENODATA for nil and NaN: the M4 has no reading; -ENOENT: no such element;
 * -EINVAL: no number (or no array); -ERANGE: infinite. */
int wr_m4_number(const struct wr_rpc_value *result, int64_t index, double *out);

/* The counter that the M4 raises by one with each new measurement. */
struct wr_m4_seq {
  bool known;
  uint32_t last;
  uint64_t skipped; /* measurements that nobody fetched */
};

enum wr_m4_sample {
  WR_M4_NEW,
  WR_M4_REPEATED, /* fetched before: not a new sample */
  WR_M4_RESTARTED /* new, after a restart of the M4; nothing is skipped */
};

/* A step of less than 2^31 forwards, also over the 32-bit wrap, is progress;
 * one backwards is a restart. */
enum wr_m4_sample wr_m4_seq_note(struct wr_m4_seq *s, uint32_t seq);

/* Repair of readings of the FlowSensor library (1.5.2), which divides the
 * pulses since its last call by whole seconds, rounded down: a reading after
 * 1.03 s is 3 % too high, one before 1.0 s is lost. Each reading is multiplied
 * by floor(dt)/dt. Nobody else may call the method. */
struct wr_m4_repair {
  int64_t last_us; /* monotonic instant of the last call; 0: none */
};

/* Whether the library can serve this interval: at least 1.01 s, and 10 ms or
 * more away from a whole number of seconds, so that jitter never crosses it. */
bool wr_m4_repair_serves(int64_t interval_ms);
/* Repairs a reading taken at now_us. False: there is no reading, because it
 * is the first one or came too soon. */
bool wr_m4_repair(struct wr_m4_repair *r, int64_t now_us, double *value);
/* A call failed: whether the M4 counted it is unknown, so that the next
 * reading only starts a new span. */
void wr_m4_repair_lost(struct wr_m4_repair *r);

#endif
