/* arrival: how long a value stands for what is so now, and by which clock it
 * was stamped. Pure.
 *
 * A value is what is so now (alive) for three of its intervals, a label is
 * believed for five, both for at least WR_ARRIVAL_LEAST_MS. A label that is
 * heard of no longer becomes "unknown", which stands until a value comes; so
 * does one of which none came WR_ARRIVAL_START_MS after the start.
 *
 * Times: monotonic ms, and us where it says so. Threads: none of its own. */
#ifndef WR_ARRIVAL_H
#define WR_ARRIVAL_H

#include <stdbool.h>
#include <stdint.h>

#define WR_ARRIVAL_ALIVE 3 /* intervals */
#define WR_ARRIVAL_BELIEVED 5
#define WR_ARRIVAL_LEAST_MS 30000
#define WR_ARRIVAL_START_MS 60000
#define WR_ARRIVAL_UNKNOWN "unknown"
#define WR_ARRIVAL_ERAS 8
#define WR_ARRIVAL_STEP_US 1000000 /* only more is a step of a clock */
/* A reading that is stamped when it is there with the moment it was asked for
 * is so much older than its clock, at most. */
#define WR_ARRIVAL_LAG_US 2000000

struct wr_age {        /* of one property; zero at first but for the limit */
  int64_t limit_ms;    /* of a label; -1: by its interval, 0: none */
  int64_t heard_ms;    /* the last value; 0: none yet */
  int64_t interval_ms; /* of that */
  bool unknown;        /* heard too long ago */
};

void wr_age_heard(struct wr_age *a, int64_t interval_ms, int64_t now_ms);
bool wr_age_alive(const struct wr_age *a, int64_t now_ms);
/* True: it is to be believed no longer, and unknown from here on. Said once. */
bool wr_age_over(struct wr_age *a, int64_t start_ms, int64_t now_ms);

/* A stretch of time in which nobody set the clock. */
struct wr_era {
  int64_t clock_us;           /* the wall clock minus the monotonic one */
  int64_t before_us, from_us; /* it began between these two instants */
};

struct wr_stamps {                     /* zero at first */
  struct wr_era eras[WR_ARRIVAL_ERAS]; /* the newest first */
  int count;
  int64_t looked_us;
};

/* Looks at the clocks; now and then, also while nothing arrives. */
void wr_stamps_look(struct wr_stamps *s, int64_t mono_us, int64_t wall_us);
/* The clock by which a value was stamped `time_us` that arrives now, perhaps
 * late, behind a writer that hung: of the eras in which that can have been, the
 * one by which it is the youngest; if there is none, the nearest (a source that
 * fell silent is stamped by its own last clock). */
int64_t wr_stamps_clock(struct wr_stamps *s, int64_t time_us, int64_t mono_us,
                        int64_t wall_us);

#endif
