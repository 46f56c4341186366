#include "publisher.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MANY_MAX 64 /* properties in one request */

int wr_publisher_init(struct wr_publisher *p,
                      const struct wr_publisher_options *options,
                      struct wr_publisher_property *properties, int count,
                      struct wr_spool *spool, const struct wr_moment *t) {
  memset(p, 0, sizeof(*p));
  p->options = *options;
  p->properties = properties;
  p->count = count;
  p->spool = spool;
  p->url = p->auth = (struct wr_bytes)WR_BYTES_INIT(WR_OAUTH_TOKEN_MAX + 64);
  p->body = (struct wr_bytes)WR_BYTES_INIT(1 << 20);
  p->link = (struct wr_backoff)WR_BACKOFF_INIT(500, 1000, 60000);
  p->budget.daily = options->daily_records;
  wr_oauth_init(&p->oauth);
  wr_bucket_init(&p->bucket, options->rate,
                 options->rate < 2 ? 2 : options->rate, t->now_ms);
  wr_spool_load_budget(spool, &p->budget);
  p->resolved = true;
  p->recheck_ms = 0; /* cached names are checked when there is time */
  for (int i = 0; i < count; i++) {
    properties[i].batch = options->batch;
    if (!wr_spool_recall(spool, i, &properties[i].cloud))
      p->resolved = false;
  }
  int most = options->batch > MANY_MAX ? options->batch : MANY_MAX;
  p->rows = calloc((size_t)most, sizeof(*p->rows));
  return p->rows != NULL ? 0 : -ENOMEM;
}

void wr_publisher_free(struct wr_publisher *p) {
  wr_oauth_free(&p->oauth);
  wr_bytes_free(&p->url);
  wr_bytes_wipe(&p->body);
  wr_bytes_wipe(&p->auth);
  wr_http_reply_free(&p->reply);
  free(p->rows);
  p->rows = NULL;
}

void wr_publisher_hurry(struct wr_publisher *p) {
  wr_oauth_hurry(&p->oauth);
  wr_backoff_ok(&p->link);
  p->blocked_ms = 0;
}

/* --- what went wrong --- */

static void fault(struct wr_publisher *p, enum wr_publisher_state state,
                  const char *format, ...)
    __attribute__((format(printf, 3, 4)));
static void fault(struct wr_publisher *p, enum wr_publisher_state state,
                  const char *format, ...) {
  va_list ap;
  va_start(ap, format);
  vsnprintf(p->stats.fault, sizeof(p->stats.fault), format, ap);
  va_end(ap);
  p->stats.state = state;
}

/* "the reason, as the cloud or curl puts it" for a reply that is no success. */
static const char *reason_of(struct wr_publisher *p, int error, char *out,
                             size_t size) {
  if (error != 0) {
    snprintf(out, size, "%s", p->reply.error);
    return out;
  }
  char text[200];
  wr_cloud_read_error(p->reply.body.data, p->reply.body.len, text,
                      sizeof(text));
  snprintf(out, size, "HTTP %d%s%s", p->reply.status,
           text[0] != '\0' ? ": " : "", text);
  return out;
}

static void block(struct wr_publisher *p, const struct wr_moment *t,
                  const char *advice) {
  char reason[256];
  p->blocked_ms = t->now_ms + WR_PUBLISHER_BLOCK_MS;
  p->resolved = false; /* after the pause, ask again what there is */
  fault(p, WR_PUBLISHER_BLOCKED, "the cloud refuses (%s); %s",
        reason_of(p, 0, reason, sizeof(reason)), advice);
}

/* --- one request --- */

static int perform(struct wr_publisher *p, const char *method, bool form) {
  char space[64 + 32];
  const char *headers[5];
  int n = 0;
  headers[n++] = form ? "Content-Type: application/x-www-form-urlencoded"
                      : "Content-Type: application/json";
  headers[n++] = "Accept: application/json";
  if (p->options.space_id != NULL) {
    snprintf(space, sizeof(space), "X-Organization: %s", p->options.space_id);
    headers[n++] = space;
  }
  int status = 0;
  wr_bytes_reset(&p->auth);
  if (!form) {
    status = wr_bytes_text(&p->auth, "Authorization: Bearer ");
    if (status == 0)
      status =
          wr_bytes_append(&p->auth, p->oauth.token.data, p->oauth.token.len);
    headers[n++] = p->auth.data;
  }
  headers[n] = NULL;
  if (status != 0)
    return status;
  bool has_body = strcmp(method, "GET") != 0;
  p->stats.requests++;
  return p->options.send(
      p->options.send_arg,
      &(struct wr_http_request){.method = method,
                                .url = p->url.data,
                                .headers = headers,
                                .body = has_body ? p->body.data : NULL,
                                .body_len = has_body ? p->body.len : 0},
      &p->reply);
}

static int address(struct wr_publisher *p, enum wr_cloud_endpoint endpoint,
                   const char *property) {
  wr_bytes_reset(&p->url);
  wr_bytes_reset(&p->body);
  return wr_cloud_url(&p->url, p->options.url, endpoint, p->options.thing_id,
                      property);
}

/* What every request but the token's has in common; true: all is said. */
static bool handled(struct wr_publisher *p, const struct wr_moment *t,
                    int error) {
  char reason[256];
  enum wr_result result = wr_http_classify(error, &p->reply);
  int status = p->reply.status;
  if (result == WR_OK || result == WR_REJECT) {
    wr_backoff_ok(&p->link);
    wr_oauth_accepted(&p->oauth);
  }
  if (result == WR_RETRY) {
    p->stats.retries++;
    wr_backoff_fail(&p->link, t->now_ms, t->random, p->reply.retry_after_ms);
    fault(p, WR_PUBLISHER_NO_LINK, "%s",
          reason_of(p, error, reason, sizeof(reason)));
  } else if (result == WR_REAUTHORISE) {
    p->stats.reauthorised++;
    if (p->oauth.unproven) /* a new token is no better */
      fault(p, WR_PUBLISHER_NO_TOKEN,
            "the cloud refuses the token that it gave (%s); check that the "
            "API key belongs to the space",
            reason_of(p, 0, reason, sizeof(reason)));
    wr_oauth_unauthorised(&p->oauth, t->now_ms, t->random);
  } else if (result == WR_REJECT && (status == 402 || status == 403))
    block(p, t,
          "check that the API key may use the thing, and SPACE_ID; the next "
          "try is in 15 minutes");
  else
    return false;
  return true;
}

/* --- the token --- */

static void ask_token(struct wr_publisher *p, const struct wr_moment *t) {
  char reason[256];
  const struct wr_publisher_options *o = &p->options;
  int status = address(p, WR_CLOUD_TOKEN, NULL);
  if (status == 0)
    status = wr_cloud_token_body(&p->body, o->client_id, o->client_secret,
                                 o->space_id);
  int error = status == 0 ? perform(p, "POST", true) : status;
  status = wr_oauth_reply(&p->oauth, t->now_ms, t->random, error, &p->reply);
  reason_of(p, error, reason, sizeof(reason));
  wr_bytes_wipe(&p->body); /* the secret was in it */
  wr_bytes_wipe(&p->reply.body);
  p->stats.tokens = (int64_t)p->oauth.issued;
  if (status == -EACCES)
    fault(p, WR_PUBLISHER_NO_TOKEN,
          "the cloud refuses the credentials (%s); check CLIENT_ID, "
          "CLIENT_SECRET and SPACE_ID",
          reason);
  else if (status != 0) {
    p->stats.retries++;
    fault(p, WR_PUBLISHER_NO_LINK, "no token: %s",
          status == -EBADMSG ? "the reply holds none" : reason);
  }
}

/* --- the names --- */

struct found {
  struct wr_publisher *p;
  unsigned char seen[MANY_MAX];
};

static void match_property(const struct wr_cloud_property *c, void *arg) {
  struct found *f = arg;
  for (int i = 0; i < f->p->count; i++) {
    struct wr_publisher_property *mine = f->p->properties + i;
    bool same = mine->id != NULL ? strcmp(mine->id, c->id) == 0
                                 : strcmp(mine->name, c->name) == 0;
    if (!same)
      continue;
    f->seen[i] = 1;
    mine->misfit = !wr_cloud_fits(mine->kind, c->type);
    if (memcmp(&mine->cloud, c, sizeof(*c)) != 0) {
      mine->cloud = *c;
      wr_spool_remember(f->p->spool, i, c);
    }
  }
}

static void judge_names(struct wr_publisher *p, const struct wr_moment *t,
                        const struct found *f) {
  p->resolved = true;
  p->recheck_ms = INT64_MAX;
  p->stats.advice[0] = '\0';
  p->no_many = p->no_batch = false;
  for (int i = 0; i < p->count; i++) {
    struct wr_publisher_property *mine = p->properties + i;
    mine->missing = !f->seen[i];
    if (!mine->missing && !mine->misfit)
      continue;
    p->recheck_ms = t->now_ms + WR_PUBLISHER_RECHECK_MS;
    if (mine->missing)
      snprintf(p->stats.advice, sizeof(p->stats.advice),
               "the thing has no property \"%s\"; create it or correct the "
               "configuration, its values wait in the spool",
               mine->key);
    else
      snprintf(p->stats.advice, sizeof(p->stats.advice),
               "property \"%s\" is of type %s, which takes no %s", mine->key,
               mine->cloud.type_name,
               mine->kind == WR_VALUE_TEXT ? "text" : "number");
  }
}

static void no_names(struct wr_publisher *p, const struct wr_moment *t) {
  /* A router's words, not the service's: there is no such endpoint. The ids
   * and names of the configuration have to do. */
  if (p->reply.status == 404 && p->reply.body.len > 0 &&
      strstr(p->reply.body.data, "page not found") != NULL) {
    p->resolved = true;
    p->recheck_ms = INT64_MAX;
    return;
  }
  block(p, t,
        "check THING_ID, and SPACE_ID if the thing is in a space; the next "
        "try is in 15 minutes");
}

static void ask_names(struct wr_publisher *p, const struct wr_moment *t) {
  int status = address(p, WR_CLOUD_PROPERTIES, NULL);
  int error = status == 0 ? perform(p, "GET", false) : status;
  if (handled(p, t, error))
    return;
  if (wr_http_classify(error, &p->reply) != WR_OK) {
    no_names(p, t);
    return;
  }
  struct found f = {.p = p};
  if (p->reply.body.len > 0 &&
      wr_cloud_read_properties(p->reply.body.data, p->reply.body.len,
                               match_property, &f) == 0) {
    judge_names(p, t, &f);
    p->stats.state = WR_PUBLISHER_OK;
    return;
  }
  wr_backoff_fail(&p->link, t->now_ms, t->random, 0);
  fault(p, WR_PUBLISHER_NO_LINK, "the list of properties makes no sense");
}

/* --- what to send --- */

static const char *name_of(const struct wr_publisher_property *q) {
  return q->cloud.name[0] != '\0' ? q->cloud.name : q->name;
}
static const char *id_of(const struct wr_publisher_property *q) {
  return q->cloud.id[0] != '\0' ? q->cloud.id : q->id;
}

static bool may_send(const struct wr_publisher *p, int i) {
  const struct wr_publisher_property *q = p->properties + i;
  return !q->missing && !q->misfit &&
         (q->kind != WR_VALUE_NUMBER || wr_budget_left(&p->budget) > 0);
}

static bool is_fresh(const struct wr_row *row, int64_t wall_us) {
  int64_t age_us = wall_us - row->time_us;
  return age_us <= WR_PUBLISHER_LIVE_AGE_US &&
         age_us >= -WR_PUBLISHER_LIVE_AGE_US;
}

/* Is this newest row of its property to be shown live? Rows accepted before
 * the one shown last are history, whatever their time stamps say: the clock may
 * have been set. One whose first sending had no answer may be there already: it
 * goes with its time stamp, so that it cannot be there twice. */
static bool is_live(const struct wr_publisher *p, const struct wr_row *row,
                    int64_t wall_us) {
  const struct wr_publisher_property *q = p->properties + row->property;
  if (row->seq <= q->shown_seq)
    return false;
  return p->no_batch || row->seq != q->tried_seq || !is_fresh(row, wall_us);
}

/* The live rows, states first; returns their number. */
static int collect_live(struct wr_publisher *p, const struct wr_moment *t) {
  int count = 0, states = 0;
  for (int i = 0; i < p->count && count < MANY_MAX; i++) {
    struct wr_row row;
    if (!may_send(p, i) || !wr_spool_newest(p->spool, i, &row) ||
        !is_live(p, &row, t->wall_us))
      continue;
    p->rows[count++] = row;
    if (row.state) {
      p->rows[count - 1] = p->rows[states];
      p->rows[states++] = row;
    }
  }
  return count;
}

/* Rows of the property that has waited longest; the newest is left out while
 * it still is to be shown live. Returns their number. */
static int collect_old(struct wr_publisher *p, const struct wr_moment *t) {
  int best = -1;
  int64_t oldest_us = INT64_MAX;
  struct wr_row row, newest;
  for (int i = 0; i < p->count; i++) {
    if (!may_send(p, i) || wr_spool_oldest(p->spool, i, &row, 1) == 0 ||
        row.time_us >= oldest_us || !wr_spool_newest(p->spool, i, &newest) ||
        (newest.seq == row.seq && is_live(p, &row, t->wall_us)))
      continue;
    best = i;
    oldest_us = row.time_us;
  }
  if (best < 0)
    return 0;
  struct wr_publisher_property *q = p->properties + best;
  int64_t max = p->no_batch ? 1 : q->batch;
  if (q->kind == WR_VALUE_NUMBER && max > wr_budget_left(&p->budget))
    max = wr_budget_left(&p->budget);
  int count = wr_spool_oldest(p->spool, best, p->rows, (int)max);
  if (count > 1 && wr_spool_newest(p->spool, best, &newest) &&
      p->rows[count - 1].seq == newest.seq && is_live(p, &newest, t->wall_us))
    count--;
  return count;
}

/* --- sending values --- */

static int build(struct wr_publisher *p, enum wr_cloud_endpoint endpoint,
                 int count) {
  struct wr_cloud_item items[MANY_MAX > WR_BATCH_MAX ? MANY_MAX : WR_BATCH_MAX];
  for (int i = 0; i < count; i++) {
    const struct wr_publisher_property *q = p->properties + p->rows[i].property;
    items[i] = (struct wr_cloud_item){.name = name_of(q),
                                      .type = q->cloud.type,
                                      .time_us = p->rows[i].time_us,
                                      .value = &p->rows[i].value};
  }
  int status = address(p, endpoint, id_of(p->properties + p->rows[0].property));
  return status == 0
             ? wr_cloud_publish_body(&p->body, endpoint, items, (size_t)count)
             : status;
}

/* A failure after which the cloud may or may not have the values. */
static bool outcome_unknown(int error, int status) {
  return (error != 0 && error != -ECONNREFUSED && error != -EHOSTUNREACH &&
          error != -EPROTO) ||
         (error == 0 && status >= 500);
}

static void note_tried(struct wr_publisher *p, int count) {
  for (int i = 0; i < count; i++)
    p->properties[p->rows[i].property].tried_seq = p->rows[i].seq;
}

/* Must a live row also go with its own time stamp? */
static bool keeps_waiting(const struct wr_publisher *p,
                          const struct wr_row *row, int64_t wall_us) {
  return !p->no_batch && !is_fresh(row, wall_us);
}

static void delivered(struct wr_publisher *p, const struct wr_moment *t,
                      int count, bool live) {
  int gone = 0;
  wr_budget_spend(&p->budget, count);
  p->stats.published += count;
  p->stats.backfilled += live ? 0 : count;
  for (int i = 0; i < count; i++) {
    struct wr_row row = p->rows[i];
    struct wr_publisher_property *q = p->properties + row.property;
    q->suspect = false;
    if (live)
      q->shown_seq = row.seq;
    if (!live || !keeps_waiting(p, &row, t->wall_us))
      p->rows[gone++] = row;
  }
  wr_spool_delivered(p->spool, p->rows, gone, &p->budget);
  p->stats.state = WR_PUBLISHER_OK;
}

static void reject(struct wr_publisher *p, const struct wr_moment *t) {
  char reason[256];
  reason_of(p, 0, reason, sizeof(reason));
  wr_spool_reject(p->spool, p->rows, p->reply.status, reason, t->wall_us);
  p->stats.rejected++;
  snprintf(p->stats.refusal, sizeof(p->stats.refusal),
           "the cloud rejects a value of property \"%s\" (%s)",
           p->properties[p->rows[0].property].key, reason);
}

/* 404 of one property: gone, or the thing is. Ask for the names once; if they
 * say that all is well, it is this value. */
static void not_found(struct wr_publisher *p, const struct wr_moment *t) {
  struct wr_publisher_property *q = p->properties + p->rows[0].property;
  if (q->suspect)
    reject(p, t);
  else
    p->resolved = false;
  q->suspect = !q->suspect;
}

static void refused(struct wr_publisher *p, const struct wr_moment *t,
                    enum wr_cloud_endpoint endpoint, int count) {
  bool absent = p->reply.status == 404;
  p->stats.state = WR_PUBLISHER_OK; /* it answers */
  if (endpoint == WR_CLOUD_PUBLISH_MANY) {
    p->no_many |= absent;
    p->one_by_one = !absent;
  } else if (endpoint == WR_CLOUD_PUBLISH_ONE && absent)
    not_found(p, t);
  else if (endpoint == WR_CLOUD_PUBLISH_BATCH && absent)
    p->no_batch = true;
  else if (count > 1)
    p->properties[p->rows[0].property].batch = count / 2;
  else
    reject(p, t);
}

static void send_rows(struct wr_publisher *p, const struct wr_moment *t,
                      enum wr_cloud_endpoint endpoint, int count, bool live) {
  int status = build(p, endpoint, count);
  if (status != 0) { /* a time stamp out of range, or far too much */
    p->reply.status = 0;
    wr_bytes_reset(&p->reply.body);
    refused(p, t, endpoint, count);
    return;
  }
  int error = perform(p, "PUT", false);
  if (outcome_unknown(error, p->reply.status) && live)
    note_tried(p, count);
  if (handled(p, t, error))
    return;
  if (wr_http_classify(error, &p->reply) != WR_OK) {
    refused(p, t, endpoint, count);
    return;
  }
  delivered(p, t, count, live);
  struct wr_publisher_property *q = p->properties + p->rows[0].property;
  if (!live && q->batch < p->options.batch)
    q->batch *= 2;
  if (q->batch > p->options.batch)
    q->batch = p->options.batch;
}

/* Several in one request need a name each, one alone needs an id. */
static enum wr_cloud_endpoint live_endpoint(const struct wr_publisher *p,
                                            int *count) {
  bool names = true;
  for (int i = 0; i < *count; i++)
    names &= name_of(p->properties + p->rows[i].property) != NULL;
  bool has_id = id_of(p->properties + p->rows[0].property) != NULL;
  if (names && !p->no_many && (!p->one_by_one || !has_id))
    return WR_CLOUD_PUBLISH_MANY;
  *count = 1;
  return WR_CLOUD_PUBLISH_ONE;
}

static void send_live(struct wr_publisher *p, const struct wr_moment *t,
                      int count) {
  p->old_turn = !p->rows[0].state;
  enum wr_cloud_endpoint endpoint = live_endpoint(p, &count);
  send_rows(p, t, endpoint, count, true);
}

static void send_old(struct wr_publisher *p, const struct wr_moment *t,
                     int count) {
  p->old_turn = false;
  bool has_id = id_of(p->properties + p->rows[0].property) != NULL;
  if (!p->no_batch && has_id)
    send_rows(p, t, WR_CLOUD_PUBLISH_BATCH, count, false);
  else
    send_rows(p, t, has_id ? WR_CLOUD_PUBLISH_ONE : WR_CLOUD_PUBLISH_MANY, 1,
              false);
}

/* --- the step --- */

enum job { NOTHING, NAMES, LIVE, OLD };

/* What is next; the rows for it are in p->rows. */
static enum job choose(struct wr_publisher *p, const struct wr_moment *t,
                       int *count) {
  *count = 0;
  if (!p->resolved)
    return NAMES;
  int old = 0;
  int live = collect_live(p, t);
  p->one_by_one &= live > 0;
  if (live > 0 && (p->rows[0].state || !p->old_turn)) {
    *count = live;
    return LIVE;
  }
  if (t->now_ms >= p->recheck_ms)
    return NAMES;
  old = collect_old(p, t);
  if (old > 0) {
    *count = old;
    return OLD;
  }
  *count = collect_live(p, t);
  return *count > 0 ? LIVE : NOTHING;
}

static void update_stats(struct wr_publisher *p, const struct wr_moment *t) {
  int streams = 0;
  struct wr_row row;
  p->stats.oldest_us = 0;
  for (int i = 0; i < p->count; i++) {
    streams += p->properties[i].kind == WR_VALUE_NUMBER;
    if (wr_spool_oldest(p->spool, i, &row, 1) == 1 &&
        (p->stats.oldest_us == 0 || row.time_us < p->stats.oldest_us))
      p->stats.oldest_us = row.time_us;
  }
  wr_budget_roll(&p->budget, t->wall_us);
  p->stats.budget_left = wr_budget_left(&p->budget);
  p->stats.spacing_ms = wr_budget_spacing_ms(&p->budget, t->wall_us, streams);
}

static int64_t waiting(const struct wr_publisher *p,
                       const struct wr_moment *t) {
  int64_t blocked = p->blocked_ms - t->now_ms;
  int64_t link = wr_backoff_wait(&p->link, t->now_ms);
  return blocked > link ? blocked : link;
}

int64_t wr_publisher_step(struct wr_publisher *p, const struct wr_moment *t) {
  int count = 0;
  update_stats(p, t);
  int64_t wait = waiting(p, t);
  if (wait > 0)
    return wait;
  enum job job = choose(p, t, &count);
  if (job == NOTHING)
    return p->recheck_ms - t->now_ms < WR_PUBLISHER_IDLE_MS
               ? p->recheck_ms - t->now_ms
               : WR_PUBLISHER_IDLE_MS;
  switch (wr_oauth_need(&p->oauth, t->now_ms, &wait)) {
  case WR_OAUTH_WAIT:
    return wait;
  case WR_OAUTH_ASK:
    ask_token(p, t);
    return 0;
  case WR_OAUTH_READY:
    break;
  }
  wait = wr_bucket_take(&p->bucket, t->now_ms);
  if (wait > 0)
    return wait;
  if (job == NAMES)
    ask_names(p, t);
  else if (job == LIVE)
    send_live(p, t, count);
  else
    send_old(p, t, count);
  update_stats(p, t);
  return 0;
}
