/* publisher: brings what is in the spool of one Thing into the cloud.
 *
 * A state machine that the caller steps: each step sends one request at most
 * and says when it wants the next. The order of things:
 *   1. a token, when there is none or it is due
 *   2. names and types of the properties (names.h)
 *   3. live: the current value of every property, in one request
 *   4. the backlog: old values of one property with their time stamps, in the
 *      order of their arrival, in batches
 * Live requests and batches take turns, so that neither starves the other: a
 * change of state waits for one batch at most. Requests are spaced from the
 * reply of the last one on, so that two never fall into one second of a service
 * that allows one.
 *
 * What a reply means is in link.h, what becomes of values in sending.h, which
 * go next in choice.h. After a fault the current states are shown within 5 s of
 * its end, if it lasted up to ten minutes (pace.h says how this grows).
 *
 * Threads: one steps; the spool may be used by others meanwhile. Time and
 * randomness come in with each step. */
#ifndef WR_PUBLISHER_H
#define WR_PUBLISHER_H

#include "lib/base/bucket.h"
#include "lib/cloud/sending.h"

#define WR_PUBLISHER_IDLE_MS 60000

struct wr_publisher_stats {
  bool up; /* the cloud takes the values of every property */
  enum wr_link_state state;
  char fault[384];   /* what is wrong, one sentence without full stop */
  char advice[384];  /* what is wrong with a property, "" */
  char refusal[384]; /* the newest rejected value */
  char budget[256];  /* what waits for midnight, "" */
  int64_t published; /* values; of these with their time stamp: */
  int64_t backfilled;
  int64_t requests, retries, rejected, tokens, reauthorised;
  int64_t oldest_us;   /* of what waits; 0: nothing */
  int64_t budget_left; /* INT64_MAX: no limit */
  int64_t spacing_ms;  /* of numbers, as the budget wants it */
};

struct wr_publisher_options {
  struct wr_link_options link;
  double rate; /* requests a second */
  int batch;   /* rows of a batch, 1..WR_BATCH_MAX */
  int64_t daily_records;
};

struct wr_publisher {
  struct wr_spool *spool;
  struct wr_link link;
  struct wr_names names;
  struct wr_budget budget;
  struct wr_choice choice;
  struct wr_sending sending;
  struct wr_bucket bucket;
  struct wr_publisher_stats stats; /* as of the last step */
  bool old_turn;                   /* a batch may go now */
  bool replied;                    /* to a request of the last step */
  bool resting;                    /* new rows do not shorten its wait */
};

/* Strings and `properties` are borrowed and must outlive it; it must not move.
 * -ENOMEM or 0. */
int wr_publisher_init(struct wr_publisher *p,
                      const struct wr_publisher_options *options,
                      struct wr_property *properties, int count,
                      struct wr_spool *spool, const struct wr_moment *t);
void wr_publisher_free(struct wr_publisher *p);

/* Does one thing; returns in how many ms it wants the next step, 0: at once.
 * New rows in the spool are a reason to step earlier, unless it is `resting`.
 */
int64_t wr_publisher_step(struct wr_publisher *p, const struct wr_moment *t);
/* Somebody wants it sent now: forget the waits of our own choosing, ask again
 * for the names. */
void wr_publisher_hurry(struct wr_publisher *p);

#endif
