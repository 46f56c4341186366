#include "lib/cloud/sending.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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
    /* It may have been sent just before we were killed. */
    struct wr_row newest;
    if (wr_spool_newest(spool, i, &newest))
      properties[i].tried_seq = newest.seq;
  }
  int most = options->batch > WR_PUBLISHER_MANY_MAX ? options->batch
                                                    : WR_PUBLISHER_MANY_MAX;
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

void wr_publisher_fault(struct wr_publisher *p, enum wr_publisher_state state,
                        const char *format, ...) {
  va_list ap;
  va_start(ap, format);
  vsnprintf(p->stats.fault, sizeof(p->stats.fault), format, ap);
  va_end(ap);
  p->stats.state = state;
}

const char *wr_publisher_reason(struct wr_publisher *p, int error, char *out,
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
  wr_publisher_fault(p, WR_PUBLISHER_BLOCKED, "the cloud refuses (%s); %s",
                     wr_publisher_reason(p, 0, reason, sizeof(reason)), advice);
}

/* --- one request --- */

int wr_publisher_perform(struct wr_publisher *p, const char *method,
                         bool form) {
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

int wr_publisher_address(struct wr_publisher *p,
                         enum wr_cloud_endpoint endpoint,
                         const char *property) {
  wr_bytes_reset(&p->url);
  wr_bytes_reset(&p->body);
  return wr_cloud_url(&p->url, p->options.url, endpoint, p->options.thing_id,
                      property);
}

bool wr_publisher_handled(struct wr_publisher *p, const struct wr_moment *t,
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
    wr_publisher_fault(p, WR_PUBLISHER_NO_LINK, "%s",
                       wr_publisher_reason(p, error, reason, sizeof(reason)));
  } else if (result == WR_REAUTHORISE) {
    p->stats.reauthorised++;
    if (p->oauth.unproven) /* a new token is no better */
      wr_publisher_fault(
          p, WR_PUBLISHER_NO_TOKEN,
          "the cloud refuses the token that it gave (%s); check that the "
          "API key belongs to the space",
          wr_publisher_reason(p, 0, reason, sizeof(reason)));
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
  int status = wr_publisher_address(p, WR_CLOUD_TOKEN, NULL);
  if (status == 0)
    status = wr_cloud_token_body(&p->body, o->client_id, o->client_secret,
                                 o->space_id);
  int error = status == 0 ? wr_publisher_perform(p, "POST", true) : status;
  status = wr_oauth_reply(&p->oauth, t->now_ms, t->random, error, &p->reply);
  wr_publisher_reason(p, error, reason, sizeof(reason));
  wr_bytes_wipe(&p->body); /* the secret was in it */
  wr_bytes_wipe(&p->reply.body);
  p->stats.tokens = (int64_t)p->oauth.issued;
  if (status == -EACCES)
    wr_publisher_fault(
        p, WR_PUBLISHER_NO_TOKEN,
        "the cloud refuses the credentials (%s); check CLIENT_ID, "
        "CLIENT_SECRET and SPACE_ID",
        reason);
  else if (status != 0) {
    p->stats.retries++;
    wr_publisher_fault(p, WR_PUBLISHER_NO_LINK, "no token: %s",
                       status == -EBADMSG ? "the reply holds none" : reason);
  }
}

/* --- the names --- */

struct found {
  struct wr_publisher *p;
  unsigned char seen[WR_PUBLISHER_MANY_MAX];
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
    p->recheck_ms = t->now_ms + WR_PUBLISHER_RECHECK_MS;
    return;
  }
  block(p, t,
        "check THING_ID, and SPACE_ID if the thing is in a space; the next "
        "try is in 15 minutes");
}

static void ask_names(struct wr_publisher *p, const struct wr_moment *t) {
  int status = wr_publisher_address(p, WR_CLOUD_PROPERTIES, NULL);
  int error = status == 0 ? wr_publisher_perform(p, "GET", false) : status;
  if (wr_publisher_handled(p, t, error))
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
  wr_publisher_fault(p, WR_PUBLISHER_NO_LINK,
                     "the list of properties makes no sense");
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
  int live = wr_publisher_collect_live(p, t);
  p->one_by_one &= live > 0;
  if (live > 0 && (p->rows[0].state || !p->old_turn)) {
    *count = live;
    return LIVE;
  }
  if (t->now_ms >= p->recheck_ms)
    return NAMES;
  old = wr_publisher_collect_old(p, t);
  if (old > 0) {
    *count = old;
    return OLD;
  }
  *count = wr_publisher_collect_live(p, t);
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
    wr_publisher_send_live(p, t, count);
  else
    wr_publisher_send_old(p, t, count);
  update_stats(p, t);
  return 0;
}
