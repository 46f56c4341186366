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
#include "lib/base/bytes.h"
#include "lib/cloud/oauth.h"
#include "lib/cloud/publish_policy.h"
#include "lib/net/http.h"
#include "lib/spool/spool.h"

#define WR_PUBLISHER_LIVE_AGE_US 10000000
#define WR_PUBLISHER_BLOCK_MS 900000
#define WR_PUBLISHER_RECHECK_MS 600000
#define WR_PUBLISHER_IDLE_MS 60000
#define WR_BATCH_MAX 1000

struct wr_moment {
  int64_t now_ms;  /* monotonic */
  int64_t wall_us; /* since the epoch */
  uint32_t random;
};

/* Sends one request, as wr_http_perform() does. */
typedef int (*wr_send_fn)(void *arg, const struct wr_http_request *request,
                          struct wr_http_reply *reply);

enum wr_publisher_state {
  WR_PUBLISHER_OK,
  WR_PUBLISHER_NO_LINK,  /* nobody answers, or with errors that pass */
  WR_PUBLISHER_NO_TOKEN, /* the credentials are refused */
  WR_PUBLISHER_BLOCKED,  /* 403 or an unknown thing: somebody must act */
};

struct wr_publisher_stats {
  enum wr_publisher_state state;
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

struct wr_publisher_property {
  /* the configuration */
  const char *key;         /* what messages call it */
  const char *name;        /* variable name, or NULL */
  const char *id;          /* or NULL */
  enum wr_value_kind kind; /* what is sent */
  /* the state; zero at start */
  struct wr_cloud_property cloud;
  bool missing, misfit; /* the thing has none, or of another type */
  bool suspect;         /* answered 404, names asked for again */
  int64_t shown_seq;    /* newest row shown live */
  int64_t tried_seq;    /* sent live, outcome unknown */
  int batch;            /* rows of the next batch */
};

struct wr_publisher_options {
  const char *url;
  const char *thing_id;
  const char *space_id; /* NULL: none */
  const char *client_id;
  const char *client_secret;
  double rate; /* requests a second */
  int batch;   /* rows of a batch, 1..WR_BATCH_MAX */
  int64_t daily_records;
  wr_send_fn send;
  void *send_arg;
};

struct wr_publisher {
  struct wr_publisher_options options;
  struct wr_publisher_property *properties;
  int count;
  struct wr_spool *spool;
  struct wr_oauth oauth;
  struct wr_backoff link;
  struct wr_bucket bucket;
  struct wr_budget budget;
  struct wr_publisher_stats stats;
  struct wr_http_reply reply;
  struct wr_bytes url, body, auth;
  struct wr_row *rows; /* of the request under way */
  bool resolved;       /* names are known */
  int64_t recheck_ms;  /* when to ask for them again */
  int64_t blocked_ms;  /* nothing before */
  bool no_many, no_batch;
  bool one_by_one; /* after a 400 to several: find the culprit */
  bool old_turn;   /* a batch may go now */
};

/* Strings and `properties` are borrowed and must outlive it. -ENOMEM or 0. */
int wr_publisher_init(struct wr_publisher *p,
                      const struct wr_publisher_options *options,
                      struct wr_publisher_property *properties, int count,
                      struct wr_spool *spool, const struct wr_moment *t);
void wr_publisher_free(struct wr_publisher *p);

/* Does one thing; returns in how many ms it wants the next step, 0: at once.
 * New rows in the spool are a reason to step earlier. */
int64_t wr_publisher_step(struct wr_publisher *p, const struct wr_moment *t);
/* Somebody wants it sent now: forget the waits of our own choosing. */
void wr_publisher_hurry(struct wr_publisher *p);

#endif
