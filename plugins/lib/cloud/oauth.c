#include "lib/cloud/oauth.h"

#include "lib/cloud/proto.h"

#include <errno.h>
#include <string.h>

void wr_oauth_init(struct wr_oauth *o) {
  *o = (struct wr_oauth){
      .token = WR_BYTES_INIT(WR_OAUTH_TOKEN_MAX),
      .retry = WR_BACKOFF_INIT(1000, 2000, 60000),
      .refused = WR_BACKOFF_INIT(5000, 10000, 900000),
  };
}

void wr_oauth_free(struct wr_oauth *o) { wr_bytes_wipe(&o->token); }

static int64_t wait_of(const struct wr_oauth *o, int64_t now_ms) {
  int64_t retry = wr_backoff_wait(&o->retry, now_ms);
  int64_t refused = wr_backoff_wait(&o->refused, now_ms);
  return retry > refused ? retry : refused;
}

enum wr_oauth_need wr_oauth_need(const struct wr_oauth *o, int64_t now_ms,
                                 int64_t *wait_ms) {
  *wait_ms = wait_of(o, now_ms);
  if (o->token.len > 0 && now_ms < o->renew_ms)
    return WR_OAUTH_READY;
  if (*wait_ms == 0)
    return WR_OAUTH_ASK;
  return o->token.len > 0 && now_ms < o->expires_ms ? WR_OAUTH_READY
                                                    : WR_OAUTH_WAIT;
}

static int take_token(struct wr_oauth *o, int64_t now_ms,
                      const struct wr_http_reply *reply) {
  struct wr_bytes token = WR_BYTES_INIT(WR_OAUTH_TOKEN_MAX);
  int64_t lifetime_ms = 0;
  int status = reply->body.data == NULL
                   ? -EBADMSG
                   : wr_cloud_read_token(reply->body.data, reply->body.len,
                                         &token, &lifetime_ms);
  if (status != 0) {
    wr_bytes_wipe(&token);
    return status;
  }
  wr_bytes_wipe(&o->token);
  o->token = token;
  o->expires_ms = now_ms + lifetime_ms;
  /* A life shorter than the margin must not mean one request per request. */
  o->renew_ms = lifetime_ms > 2 * WR_OAUTH_EARLY_MS
                    ? o->expires_ms - WR_OAUTH_EARLY_MS
                    : now_ms + lifetime_ms / 2;
  o->unproven = true;
  o->issued++;
  wr_backoff_ok(&o->retry);
  return 0;
}

int wr_oauth_reply(struct wr_oauth *o, int64_t now_ms, uint32_t random,
                   int error, const struct wr_http_reply *reply) {
  enum wr_result result = wr_http_classify(error, reply);
  int status = result == WR_OK ? take_token(o, now_ms, reply) : -EAGAIN;
  if (status == 0)
    return 0;
  if (result == WR_REJECT || result == WR_REAUTHORISE) {
    wr_backoff_fail(&o->refused, now_ms, random, reply->retry_after_ms);
    return -EACCES;
  }
  wr_backoff_fail(&o->retry, now_ms, random, reply->retry_after_ms);
  return status;
}

void wr_oauth_accepted(struct wr_oauth *o) {
  o->unproven = false;
  wr_backoff_ok(&o->refused);
}

void wr_oauth_unauthorised(struct wr_oauth *o, int64_t now_ms,
                           uint32_t random) {
  if (o->unproven)
    wr_backoff_fail(&o->refused, now_ms, random, 0);
  wr_bytes_wipe(&o->token);
  o->expires_ms = o->renew_ms = now_ms;
  o->unproven = false;
}

void wr_oauth_hurry(struct wr_oauth *o) {
  wr_backoff_ok(&o->retry);
  wr_backoff_ok(&o->refused);
}
