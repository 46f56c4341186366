/* publisher: brings what is in the spool of one Thing into the cloud.
 *
 * A state machine that the caller steps: each step sends one request at most
 * and says when it wants the next. The order of things:
 *   1. a token, when there is none or it is due
 *   2. names and types of the properties, once (cached in the spool)
 *   3. live: the newest value of every property, in one request
 *   4. the backlog: old values of one property with their time stamps, oldest
 *      first, in batches
 * Live values go before old ones; but after a live request without a change of
 * state one batch may go, so that the backlog shrinks at one request a second.
 *
 * A live value is stamped by the cloud on arrival. A newest value that is older
 * than LIVE_AGE is shown live and stays in the backlog, to be recorded with its
 * own time stamp. A live value whose sending ended without an answer is
 * repeated with its own time stamp, like everything that goes twice.
 *
 * Where `publish` of several or `publish_batch` answers 404, the service does
 * not know it: properties go one at a time from then on, without time stamps.
 * What a refusal means:
 *   no reply, 408, 425, 429, 5xx  wait with back-off, Retry-After honoured
 *   401                           a new token, once, then with back-off
 *   402, 403, unknown thing       nothing for 15 minutes
 *   404 of a property             names are asked for again; values stay
 *   other 4xx                     batches are halved, single values rejected
 *
 * Threads: one steps; the spool may be used by others meanwhile. Time and
 * randomness come in with each step. */
#ifndef WR_PUBLISHER_H
#define WR_PUBLISHER_H

#include "lib/base/bucket.h"
#include "lib/cloud/sending.h"

#define WR_PUBLISHER_IDLE_MS 60000

struct wr_publisher_stats {
  enum wr_link_state state;
  char fault[384];   /* what is wrong, one sentence without full stop */
  char advice[384];  /* what is wrong with a property, "" */
  char refusal[384]; /* the newest rejected value */
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
};

/* Strings and `properties` are borrowed and must outlive it; it must not move.
 * -ENOMEM or 0. */
int wr_publisher_init(struct wr_publisher *p,
                      const struct wr_publisher_options *options,
                      struct wr_property *properties, int count,
                      struct wr_spool *spool, const struct wr_moment *t);
void wr_publisher_free(struct wr_publisher *p);

/* Does one thing; returns in how many ms it wants the next step, 0: at once.
 * New rows in the spool are a reason to step earlier. */
int64_t wr_publisher_step(struct wr_publisher *p, const struct wr_moment *t);
/* Somebody wants it sent now: forget the waits of our own choosing. */
void wr_publisher_hurry(struct wr_publisher *p);

#endif
