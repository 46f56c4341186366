#include "lib/cloud/oauth.h"

#include "lib/cloud/proto.h"

#include <errno.h>

#define AGAIN_MS 5000

void wr_oauth_init(struct wr_oauth *o) {
  *o = (struct wr_oauth){.token = WR_BYTES_INIT(WR_OAUTH_TOKEN_MAX)};
}

void wr_oauth_free(struct wr_oauth *o) { wr_bytes_wipe(&o->token); }

bool wr_oauth_usable(const struct wr_oauth *o, int64_t now_ms) {
  return o->token.len > 0 && now_ms < o->expires_ms;
}

bool wr_oauth_due(const struct wr_oauth *o, int64_t now_ms) {
  if (!wr_oauth_usable(o, now_ms))
    return true;
  return now_ms >= o->renew_ms && now_ms >= o->ask_ms;
}

int wr_oauth_take(struct wr_oauth *o, int64_t now_ms,
                  const struct wr_http_reply *reply) {
  struct wr_bytes token = WR_BYTES_INIT(WR_OAUTH_TOKEN_MAX);
  int64_t lifetime_ms = 0;
  int status = reply->body.data == NULL
                   ? -EBADMSG
                   : wr_cloud_read_token(reply->body.data, reply->body.len,
                                         &token, &lifetime_ms);
  if (status != 0)
    return status; /* nothing is in `token` then */
  wr_bytes_wipe(&o->token);
  o->token = token;
  o->issued_ms = now_ms;
  o->expires_ms = now_ms + lifetime_ms;
  /* A life shorter than the margin must not mean one request per request. */
  o->renew_ms = lifetime_ms > 2 * WR_OAUTH_EARLY_MS
                    ? o->expires_ms - WR_OAUTH_EARLY_MS
                    : now_ms + lifetime_ms / 2;
  o->ask_ms = 0;
  o->issued++;
  return 0;
}

void wr_oauth_failed(struct wr_oauth *o, int64_t now_ms) {
  o->ask_ms = now_ms + AGAIN_MS;
}

void wr_oauth_accepted(struct wr_oauth *o) { o->refused = 0; }

/* Of a token that worked: not at all. */
static int64_t keep_ms(const struct wr_oauth *o) {
  int64_t keep = o->refused == 0 ? 0 : WR_OAUTH_KEEP_MS;
  for (unsigned i = 1; i < o->refused && keep < WR_OAUTH_KEEP_MAX_MS; i++)
    keep *= 2;
  return keep < WR_OAUTH_KEEP_MAX_MS ? keep : WR_OAUTH_KEEP_MAX_MS;
}

bool wr_oauth_unauthorised(struct wr_oauth *o, int64_t now_ms) {
  if (now_ms - o->issued_ms < keep_ms(o))
    return false;
  wr_bytes_wipe(&o->token);
  o->refused++;
  return true;
}
