/* oauth: the life of one access token (OAuth2 client credentials). Pure: it
 * says when a token has to be asked for and judges the answer; the request
 * itself is the caller's.
 *
 *   none --request ok--> valid --30 s before expiry--> due --ok--> valid
 *   valid --401--> due, once; a fresh token that is refused as well waits
 *   due --failure--> waits: full jitter, 1 s to 60 s; a refusal of the
 *   credentials themselves (400, 401, 403): from 5 s up to 15 minutes
 *
 * Time is monotonic milliseconds. The token is wiped when replaced or freed.
 * Threads: none of its own. */
#ifndef WR_OAUTH_H
#define WR_OAUTH_H

#include "lib/base/backoff.h"
#include "lib/base/bytes.h"
#include "lib/net/http.h"

#define WR_OAUTH_TOKEN_MAX (64u << 10)
#define WR_OAUTH_EARLY_MS 30000 /* renewed this long before it expires */

struct wr_oauth {
  struct wr_bytes token; /* empty: none */
  int64_t renew_ms;      /* from then on a new one is due */
  int64_t expires_ms;
  bool unproven;           /* no request has succeeded with it yet */
  struct wr_backoff retry; /* the link is at fault */
  struct wr_backoff refused;
  unsigned long issued; /* tokens received, for the metrics */
};

void wr_oauth_init(struct wr_oauth *o);
void wr_oauth_free(struct wr_oauth *o);

/* What to do now: */
enum wr_oauth_need {
  WR_OAUTH_READY, /* use o->token */
  WR_OAUTH_ASK,   /* ask for a token now */
  WR_OAUTH_WAIT,  /* neither: no token, and too early to ask again */
};
/* A token that is due but not expired stays usable while asking must wait.
 * With WR_OAUTH_WAIT *wait_ms says how long. */
enum wr_oauth_need wr_oauth_need(const struct wr_oauth *o, int64_t now_ms,
                                 int64_t *wait_ms);

/* Takes the outcome of a token request; `error` as of wr_http_perform(). 0, or
 * -EACCES (credentials refused), -EBADMSG (no token in a 200), -EAGAIN. */
int wr_oauth_reply(struct wr_oauth *o, int64_t now_ms, uint32_t random,
                   int error, const struct wr_http_reply *reply);

/* A request came back: accepted, or 401. After a 401 a new token is due at
 * once, but when the refused one was fresh, only after a wait. */
void wr_oauth_accepted(struct wr_oauth *o);
void wr_oauth_unauthorised(struct wr_oauth *o, int64_t now_ms, uint32_t random);
/* Forget the waits that we chose ourselves: somebody asked for a try now. */
void wr_oauth_hurry(struct wr_oauth *o);

#endif
