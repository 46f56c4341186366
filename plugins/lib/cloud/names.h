/* names: the properties of the configuration and what the cloud calls them.
 *
 * The list of the thing's properties is asked for once, kept in the spool for
 * starts without a link, and asked for again where something does not fit.
 * Threads: one at a time. */
#ifndef WR_NAMES_H
#define WR_NAMES_H

#include "lib/cloud/link.h"
#include "lib/spool/spool.h"

#define WR_NAMES_MAX 64 /* properties */
#define WR_NAMES_RECHECK_MS 600000

struct wr_property {
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

struct wr_names {
  struct wr_property *at;
  int count; /* WR_NAMES_MAX at most */
  struct wr_spool *spool;
  bool known;
  int64_t recheck_ms;     /* when to ask again */
  bool no_many, no_batch; /* what the service does not know */
  char advice[384];       /* what is wrong with a property, "" */
};

/* Begins with what the spool remembers. `at` is borrowed. */
void wr_names_init(struct wr_names *n, struct wr_property *at, int count,
                   struct wr_spool *spool);
/* Sends one request and takes the reply. */
void wr_names_ask(struct wr_names *n, struct wr_link *l,
                  const struct wr_moment *t);

/* What requests call a property; NULL: not known. */
const char *wr_property_name(const struct wr_property *q);
const char *wr_property_id(const struct wr_property *q);

#endif
