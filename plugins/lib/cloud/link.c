#include "lib/cloud/link.h"

#include "lib/cloud/words.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define BODY_MAX (1 << 20)
#define SECRET_MIN 8 /* a shorter one is in every other word */

/* A try that ends before the first byte costs nearly nothing; one that reaches
 * a web server costs some kilobytes; one that somebody has to mend can wait. */
static const struct wr_pace_rule no_reply = {0, 0}, answered = {240, 60000},
                                 refused = {20, 900000};

void wr_link_init(struct wr_link *l, const struct wr_link_options *options) {
  memset(l, 0, sizeof(*l));
  l->options = *options;
  l->url = l->auth = (struct wr_bytes)WR_BYTES_INIT(WR_OAUTH_TOKEN_MAX + 64);
  l->body = (struct wr_bytes)WR_BYTES_INIT(BODY_MAX);
  wr_oauth_init(&l->oauth);
}

void wr_link_free(struct wr_link *l) {
  wr_oauth_free(&l->oauth);
  wr_bytes_free(&l->url);
  wr_bytes_wipe(&l->body);
  wr_bytes_wipe(&l->auth);
  wr_http_reply_free(&l->reply);
}

void wr_link_hurry(struct wr_link *l) {
  l->oauth.ask_ms = 0;
  wr_pace_hurry(&l->pace);
}

int64_t wr_link_wait(const struct wr_link *l, int64_t now_ms) {
  return wr_pace_wait(&l->pace, now_ms);
}

int64_t wr_link_present_us(const struct wr_link *l, const struct wr_moment *t) {
  return l->clock_us != 0 ? l->clock_us + t->now_ms * 1000 : t->wall_us;
}

/* Whether a clock of this doubt is better than the kept one, or shows that it
 * is wrong: time that a machine slept through counts for nobody. */
static bool takes_clock(const struct wr_link *l, const struct wr_moment *t,
                        int64_t clock_us, int64_t doubt_us) {
  if (l->clock_us == 0)
    return true;
  int64_t kept_us =
      l->clock_doubt_us + (t->now_ms - l->clock_ms) * WR_LINK_DRIFT_PPM / 1000;
  int64_t apart_us = clock_us - l->clock_us;
  return doubt_us <= kept_us || apart_us > kept_us + doubt_us ||
         -apart_us > kept_us + doubt_us;
}

/* The middle of the second and of the wait is the best guess; t is the moment
 * before the request. */
static void read_clock(struct wr_link *l, const struct wr_moment *t) {
  int64_t date = wr_http_date(l->reply.watched);
  int64_t half_us = l->reply.waited_ms * 500, doubt_us = 500000 + half_us;
  int64_t clock_us = date * 1000000 + 500000 - t->now_ms * 1000 - half_us;
  if (date <= 0 || doubt_us > WR_LINK_DOUBT_US ||
      !takes_clock(l, t, clock_us, doubt_us))
    return;
  l->clock_us = clock_us;
  l->clock_doubt_us = doubt_us;
  l->clock_ms = t->now_ms;
}

/* --- what went wrong --- */

void wr_link_fault(struct wr_link *l, enum wr_link_state state,
                   const char *format, ...) {
  va_list ap;
  va_start(ap, format);
  vsnprintf(l->fault, sizeof(l->fault), format, ap);
  va_end(ap);
  l->state = state;
}

/* Who is asked may repeat what it was asked, with all that is in it. The first
 * part of a secret will do to find it: the text may end within a long one. */
static bool tells(const char *text, const char *secret) {
  char part[64];
  if (secret == NULL || strlen(secret) < SECRET_MIN)
    return false;
  snprintf(part, sizeof(part), "%s", secret);
  return strstr(text, part) != NULL;
}

const char *wr_link_reason(const struct wr_link *l, int error, char *out,
                           size_t size) {
  if (error != 0) {
    snprintf(out, size, "%s", l->reply.error);
    return out;
  }
  char text[1024]; /* more than is shown, so that no secret is cut in two */
  wr_cloud_read_error(l->reply.body.data, l->reply.body.len, text,
                      sizeof(text));
  if (tells(text, l->options.client_secret) || tells(text, l->oauth.token.data))
    strcpy(text, "its words repeat a secret and are left out");
  snprintf(out, size, "HTTP %d%s%.199s", l->reply.status,
           text[0] != '\0' ? ": " : "", text);
  return out;
}

static void wait_for(struct wr_link *l, const struct wr_moment *t,
                     const struct wr_pace_rule *rule) {
  l->retries++;
  wr_pace_fail(&l->pace, t->now_ms, t->random, rule, l->reply.retry_after_ms);
}

void wr_link_block(struct wr_link *l, const struct wr_moment *t,
                   const char *advice) {
  char reason[256];
  wait_for(l, t, &refused);
  wr_link_fault(l, WR_LINK_BLOCKED, "the cloud refuses (%s); %s",
                wr_link_reason(l, 0, reason, sizeof(reason)), advice);
}

void wr_link_garbled(struct wr_link *l, const struct wr_moment *t,
                     const char *what) {
  wait_for(l, t, &answered);
  wr_link_fault(l, WR_LINK_DOWN, "%s", what);
}

/* --- one request --- */

int wr_link_address(struct wr_link *l, enum wr_cloud_endpoint endpoint,
                    const char *property) {
  wr_bytes_reset(&l->url);
  wr_bytes_reset(&l->body);
  return wr_cloud_url(&l->url, l->options.url, endpoint, l->options.thing_id,
                      property);
}

static int put_bearer(struct wr_link *l) {
  wr_bytes_reset(&l->auth);
  int status = wr_bytes_text(&l->auth, "Authorization: Bearer ");
  return status == 0 ? wr_bytes_append(&l->auth, l->oauth.token.data,
                                       l->oauth.token.len)
                     : status;
}

/* `type`: of the body; `bearer`: with the token. */
static int perform(struct wr_link *l, const char *method, const char *type,
                   bool bearer) {
  char space[sizeof("X-Organization: ") + WR_CLOUD_ID_MAX];
  const char *headers[5];
  int n = 0;
  headers[n++] = type;
  headers[n++] = "Accept: application/json";
  if (l->options.space_id != NULL) {
    snprintf(space, sizeof(space), "X-Organization: %s", l->options.space_id);
    headers[n++] = space;
  }
  if (bearer) {
    int status = put_bearer(l);
    if (status != 0)
      return status;
    headers[n++] = l->auth.data;
  }
  headers[n] = NULL;
  bool has_body = strcmp(method, "GET") != 0;
  l->requests++;
  return l->options.send(
      l->options.send_arg,
      &(struct wr_http_request){.method = method,
                                .url = l->url.data,
                                .headers = headers,
                                .body = has_body ? l->body.data : NULL,
                                .body_len = has_body ? l->body.len : 0},
      &l->reply);
}

int wr_link_perform(struct wr_link *l, const char *method) {
  return perform(l, method, "Content-Type: application/json", true);
}

int wr_link_request_token(struct wr_link *l) {
  const struct wr_link_options *o = &l->options;
  int status = wr_link_address(l, WR_CLOUD_TOKEN, NULL);
  if (status == 0)
    status = wr_cloud_token_body(&l->body, o->client_id, o->client_secret,
                                 o->space_id);
  if (status == 0)
    status = perform(l, "POST",
                     "Content-Type: application/x-www-form-urlencoded", false);
  wr_bytes_wipe(&l->body); /* the secret was in it */
  return status;
}

/* --- what came back --- */

static bool passes(int status) {
  return status == 408 || status == 425 || status == 429 || status >= 500;
}

static void down(struct wr_link *l, const struct wr_moment *t, int error,
                 const char *what) {
  char reason[256];
  wait_for(l, t, error != 0 ? &no_reply : &answered);
  wr_link_fault(l, WR_LINK_DOWN, "%s%s", what,
                wr_link_reason(l, error, reason, sizeof(reason)));
}

static void foreign(struct wr_link *l, const struct wr_moment *t) {
  wait_for(l, t, &answered);
  wr_link_fault(l, WR_LINK_BLOCKED,
                "something on the way answers in place of the cloud (HTTP %d); "
                "is there a portal to log in to, a proxy or a firewall",
                l->reply.status);
}

static void token_refused(struct wr_link *l, const struct wr_moment *t) {
  char reason[256];
  wait_for(l, t, &refused);
  wr_link_fault(l, WR_LINK_NO_TOKEN,
                "the cloud refuses the credentials (%s); check CLIENT_ID, "
                "CLIENT_SECRET and SPACE_ID",
                wr_link_reason(l, 0, reason, sizeof(reason)));
}

static void no_token(struct wr_link *l, const struct wr_moment *t, int error) {
  const struct wr_http_reply *r = &l->reply;
  wr_oauth_failed(&l->oauth, t->now_ms);
  if (error == 0 && r->status >= 400 && !passes(r->status) &&
      wr_words_own_token(r->body.data, r->body.len))
    token_refused(l, t);
  else if (error != 0 || passes(r->status))
    down(l, t, error, "no token: ");
  else
    foreign(l, t);
}

void wr_link_renew(struct wr_link *l, const struct wr_moment *t) {
  struct wr_pace before = l->pace;
  int error = wr_link_request_token(l);
  bool success = error == 0 && l->reply.status / 100 == 2;
  if (!success || wr_oauth_take(&l->oauth, t->now_ms, &l->reply) != 0)
    no_token(l, t, error);
  else
    read_clock(l, t); /* before any value goes */
  if (wr_oauth_usable(&l->oauth, t->now_ms) && l->pace.failing)
    l->pace = before; /* the old one will do for a while */
  wr_bytes_wipe(&l->reply.body);
}

static void unauthorised(struct wr_link *l, const struct wr_moment *t) {
  char reason[256];
  l->reauthorised++;
  if (wr_oauth_unauthorised(&l->oauth, t->now_ms))
    return; /* a new one may do */
  wait_for(l, t, &refused);
  wr_link_fault(l, WR_LINK_NO_TOKEN,
                "the cloud refuses the token that it gave (%s); check that the "
                "API key belongs to the space",
                wr_link_reason(l, 0, reason, sizeof(reason)));
}

/* A 4xx in the service's own words. */
static enum wr_outcome own_refusal(struct wr_link *l,
                                   const struct wr_moment *t) {
  int status = l->reply.status;
  if (status == 400 || status == 413 || status == 422) {
    wr_pace_ok(&l->pace);
    return WR_OUTCOME_REFUSED;
  }
  wr_link_block(l, t,
                status == 402 || status == 403
                    ? "check that the API key may use the thing, and SPACE_ID"
                    : "it says so of every request, not of a value");
  return WR_OUTCOME_WAIT;
}

static void done(struct wr_link *l, const struct wr_moment *t, bool publish) {
  wr_oauth_accepted(&l->oauth);
  read_clock(l, t);
  if (l->owed && !publish) {
    l->pace.earliest_ms = 0; /* the way is open: try what had failed */
    return;
  }
  wr_pace_ok(&l->pace);
  l->state = WR_LINK_OK;
}

static enum wr_outcome judge(struct wr_link *l, const struct wr_moment *t,
                             bool publish, int error) {
  const struct wr_http_reply *r = &l->reply;
  if (error != 0 || passes(r->status))
    down(l, t, error, "");
  else if (r->status == 401)
    unauthorised(l, t);
  else if (r->status == 404)
    return WR_OUTCOME_ABSENT;
  else if (r->status / 100 == 2 &&
           !wr_words_foreign(r->body.data, r->body.len)) {
    done(l, t, publish);
    return WR_OUTCOME_DONE;
  } else if (r->status / 100 == 4 &&
             wr_words_own(r->body.data, r->body.len, r->status))
    return own_refusal(l, t);
  else
    foreign(l, t);
  return WR_OUTCOME_WAIT;
}

enum wr_outcome wr_link_judge(struct wr_link *l, const struct wr_moment *t,
                              bool publish, int error) {
  enum wr_outcome outcome = judge(l, t, publish, error);
  if (publish)
    l->owed = outcome != WR_OUTCOME_DONE;
  return outcome;
}
