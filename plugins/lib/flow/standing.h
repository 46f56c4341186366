/* standing: what a series is said to be, for how long, and when that is told.
 * Pure.
 *
 * A state is as old as the newest sample that was judged for it. Beyond
 * `stale_ms` it is WR_UNKNOWN, whatever the reason, and stays so until a window
 * gives a label, or `of` windows have been judged. Before the first state is
 * decided nobody is told any (WR_UNSAID): a relay that holds its last label
 * across a restart must not drop for the windows that debounce it.
 * Health goes out with the first window, when it changes, and every
 * `health_ms` from then on, and WR_UNKNOWN with it; also when no window comes.
 * A change of the state is told once, unless somebody shelved it for a while.
 *
 * Who uses it looks with wr_standing_review() at the instants that it says, and
 * after wr_standing_answered(). Times: monotonic ms. Threads: none of its own.
 */
#ifndef WR_STANDING_H
#define WR_STANDING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* States beside the labels and WR_UNCERTAIN (votes.h). */
#define WR_UNKNOWN (-2)
#define WR_UNSAID (-3)

#define WR_STANDING_STALE_MS 15000 /* by default at least */
#define WR_STANDING_HEALTH_MS 10000

struct wr_standing_rules {
  int64_t stale_ms, health_ms;
  int of; /* windows of which the votes are counted */
};

struct wr_standing {
  int shown;          /* a label or one of the states beside them */
  int told;           /* the state that was last notified */
  int64_t judged_ms;  /* arrival of the newest sample judged; first: creation */
  int64_t told_ms;    /* when health was last told; 0: never */
  int64_t shelved_ms; /* until then nothing is notified; 0: it is */
  int held;           /* windows judged since the state became unknown */
  bool up, up_told;
  bool answered; /* there was a window with an answer or without */
};

/* How old a state may become: `stale_ms`, or by default (0) as long as three
 * first windows take. One is renewed with every stride; two of them are the
 * least. */
int64_t wr_standing_stale_ms(int64_t stale_ms, size_t first, size_t stride,
                             int64_t interval_us);

void wr_standing_init(struct wr_standing *s, int64_t now_ms);
/* A window was judged, whose newest sample arrived then. True: what is shown is
 * `state` now; false: it was unknown, and one more window is awaited. */
bool wr_standing_judged(struct wr_standing *s,
                        const struct wr_standing_rules *r, int state,
                        int64_t arrived_ms);
/* A window had an answer of the model (up) or none; `turned`: something else
 * has changed that belongs to the health. True: health is due. */
bool wr_standing_answered(struct wr_standing *s,
                          const struct wr_standing_rules *r, bool up,
                          bool turned, int64_t now_ms);
/* What was told: from here its time counts. */
void wr_standing_health_told(struct wr_standing *s, int64_t now_ms);
/* Is the state to be notified? It counts as told from then on; *previous: what
 * was told before. */
bool wr_standing_notify(struct wr_standing *s, int *previous);
/* Nothing is notified for ms; 0: again, and what is shown counts as told.
 * False: it was not shelved. */
bool wr_standing_shelve(struct wr_standing *s, int64_t ms, int64_t now_ms);

enum wr_standing_due {
  WR_STANDING_NOTHING,
  WR_STANDING_HEALTH,
  WR_STANDING_UNKNOWN /* the state is unknown, or still: it and health */
};
/* What time alone makes due; wr_standing_lose() and ..._health_told() follow.
 * *wait_ms: until the next look, when that is done. */
enum wr_standing_due wr_standing_review(const struct wr_standing *s,
                                        const struct wr_standing_rules *r,
                                        int64_t now_ms, int64_t *wait_ms);
/* The state is unknown. False: it was already. */
bool wr_standing_lose(struct wr_standing *s);

#endif
