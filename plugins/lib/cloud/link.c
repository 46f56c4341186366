#include "lib/cloud/link.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void wr_link_init(struct wr_link *l, const struct wr_link_options *options) {
  memset(l, 0, sizeof(*l));
  l->options = *options;
  l->url = l->auth = (struct wr_bytes)WR_BYTES_INIT(WR_OAUTH_TOKEN_MAX + 64);
  l->body = (struct wr_bytes)WR_BYTES_INIT(1 << 20);
  l->backoff = (struct wr_backoff)WR_BACKOFF_INIT(500, 1000, 60000);
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
  wr_oauth_hurry(&l->oauth);
  wr_backoff_ok(&l->backoff);
  l->blocked_ms = 0;
}

int64_t wr_link_wait(const struct wr_link *l, int64_t now_ms) {
  int64_t blocked = l->blocked_ms - now_ms;
  int64_t backoff = wr_backoff_wait(&l->backoff, now_ms);
  return blocked > backoff ? blocked : backoff;
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

const char *wr_link_reason(const struct wr_link *l, int error, char *out,
                           size_t size) {
  if (error != 0) {
    snprintf(out, size, "%s", l->reply.error);
    return out;
  }
  char text[200];
  wr_cloud_read_error(l->reply.body.data, l->reply.body.len, text,
                      sizeof(text));
  snprintf(out, size, "HTTP %d%s%s", l->reply.status,
           text[0] != '\0' ? ": " : "", text);
  return out;
}

void wr_link_block(struct wr_link *l, const struct wr_moment *t,
                   const char *advice) {
  char reason[256];
  l->blocked_ms = t->now_ms + WR_LINK_BLOCK_MS;
  wr_link_fault(l, WR_LINK_BLOCKED, "the cloud refuses (%s); %s",
                wr_link_reason(l, 0, reason, sizeof(reason)), advice);
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
  char space[64 + 32];
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

void wr_link_renew(struct wr_link *l, const struct wr_moment *t) {
  char reason[256];
  int error = wr_link_request_token(l);
  int status =
      wr_oauth_reply(&l->oauth, t->now_ms, t->random, error, &l->reply);
  wr_link_reason(l, error, reason, sizeof(reason));
  wr_bytes_wipe(&l->reply.body);
  if (status == -EACCES)
    wr_link_fault(l, WR_LINK_NO_TOKEN,
                  "the cloud refuses the credentials (%s); check CLIENT_ID, "
                  "CLIENT_SECRET and SPACE_ID",
                  reason);
  else if (status != 0) {
    l->retries++;
    wr_link_fault(l, WR_LINK_DOWN, "no token: %s",
                  status == -EBADMSG ? "the reply holds none" : reason);
  }
}

bool wr_link_waits(struct wr_link *l, const struct wr_moment *t, int error) {
  char reason[256];
  enum wr_result result = wr_http_classify(error, &l->reply);
  int status = l->reply.status;
  if (result == WR_OK || result == WR_REJECT) {
    wr_backoff_ok(&l->backoff);
    wr_oauth_accepted(&l->oauth);
  }
  if (result == WR_RETRY) {
    l->retries++;
    wr_backoff_fail(&l->backoff, t->now_ms, t->random, l->reply.retry_after_ms);
    wr_link_fault(l, WR_LINK_DOWN, "%s",
                  wr_link_reason(l, error, reason, sizeof(reason)));
  } else if (result == WR_REAUTHORISE) {
    l->reauthorised++;
    if (l->oauth.unproven) /* a new token is no better */
      wr_link_fault(l, WR_LINK_NO_TOKEN,
                    "the cloud refuses the token that it gave (%s); check that "
                    "the API key belongs to the space",
                    wr_link_reason(l, 0, reason, sizeof(reason)));
    wr_oauth_unauthorised(&l->oauth, t->now_ms, t->random);
  } else if (result == WR_REJECT && (status == 402 || status == 403))
    wr_link_block(l, t,
                  "check that the API key may use the thing, and SPACE_ID; the "
                  "next try is in 15 minutes");
  else
    return false;
  return true;
}
