/* names: the properties of the configuration and what the cloud calls them.
 *
 * The list of the thing's properties is asked for at the start, kept in the
 * spool for starts without a link, and asked for again whenever a request is
 * refused: its answer also proves that the way to the service is open.
 * Threads: one at a time. */
#ifndef WR_NAMES_H
#define WR_NAMES_H

#include "lib/cloud/link.h"
#include "lib/spool/spool.h"

#define WR_NAMES_MAX 64 /* properties */
#define WR_NAMES_RECHECK_MS 600000
#define WR_SKIPS_MAX 8

/* A row that would not go while others did: it is tried again later. */
struct wr_skip {
  int64_t seq;
  int64_t until_ms;
  int64_t passed;   /* batches that had passed when it failed last */
  int64_t requests; /* of any values that had passed */
  bool refused;     /* in the service's own words */
  bool tried;       /* again, since it was stepped over */
};

struct wr_property {
  /* the configuration */
  const char *key;         /* what messages call it */
  const char *name;        /* variable name, or NULL */
  const char *id;          /* or NULL */
  enum wr_value_kind kind; /* what is sent */
  /* from outside, before each step: values of it keep coming, so that the last
   * one is what is so now */
  bool alive;
  /* what the cloud says; zero at start */
  struct wr_cloud_property cloud;
  bool missing, misfit; /* the thing has none, or of another type */
  /* what is shown live */
  int64_t shown_seq; /* newest row shown */
  int64_t tried_seq; /* sent, outcome unknown */
  struct wr_row last;
  bool has_last, again; /* of states: the current one is to be shown again */
  int64_t hidden_seq, hidden_until_ms; /* would not go; its history may */
  int live_fails;
  int64_t live_passed;  /* wr_sending.passed at the first of them */
  int64_t live_answers; /* wr_names.answers at the last of them */
  /* what goes from the backlog */
  int batch; /* rows of the next batch */
  int fails; /* of the next batch, while the names were answered */
  int64_t fail_answers, first_fail_ms;
  struct wr_pace pace;
  struct wr_skip skips[WR_SKIPS_MAX];
  int skip_count;
  bool refused; /* a value of it is refused, and kept */
};

struct wr_names {
  struct wr_property *at;
  int count; /* WR_NAMES_MAX at most */
  struct wr_spool *spool;
  bool known;
  bool failed;         /* the last question had no answer */
  struct wr_pace pace; /* of the next question, then */
  bool unserved;       /* there is no such list: ids will not come */
  int64_t answers;     /* lists received */
  int64_t recheck_ms;  /* when to ask again */
  /* Until then the service is taken to lack these calls; 0: it has them. */
  int64_t no_many_ms, no_batch_ms;
  char advice[384]; /* what is wrong with properties, "" */
};

/* Begins with what the spool remembers. `at` is borrowed. */
void wr_names_init(struct wr_names *n, struct wr_property *at, int count,
                   struct wr_spool *spool);
/* Sends one request and takes the reply. A property that came back or changed
 * gets its rejected values sent again. */
void wr_names_ask(struct wr_names *n, struct wr_link *l,
                  const struct wr_moment *t);
/* Is it time to ask? */
bool wr_names_due(const struct wr_names *n, int64_t now_ms);
/* Ask again: what they are may have changed. */
void wr_names_doubt(struct wr_names *n);

/* What requests call a property; NULL: not known. */
const char *wr_property_name(const struct wr_property *q);
const char *wr_property_id(const struct wr_property *q);

#endif
