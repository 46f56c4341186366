/* oauth: the life of one access token (OAuth2 client credentials). Pure: it
 * says when a token has to be asked for and judges the answer; the request
 * itself is the caller's.
 *
 *   none --request ok--> valid --30 s before expiry--> due --ok--> valid
 *   valid --401--> none; but a new one that never worked is tried for a while
 *   before yet another is asked for: 5 s, then twice as long each time, up to
 *   4 minutes
 *   due --failure--> due again after 5 s, the old one in use meanwhile
 *
 * How long to wait without a token is the link's business.
 * Time is monotonic milliseconds. The token is wiped when replaced or freed.
 * Threads: none of its own. */
#ifndef WR_OAUTH_H
#define WR_OAUTH_H

#include "lib/base/bytes.h"
#include "lib/net/http.h"

#define WR_OAUTH_TOKEN_MAX (64u << 10)
#define WR_OAUTH_EARLY_MS 30000 /* renewed this long before it expires */
#define WR_OAUTH_KEEP_MS 5000
#define WR_OAUTH_KEEP_MAX_MS 240000

struct wr_oauth {
  struct wr_bytes token; /* empty: none */
  int64_t renew_ms;      /* from then on a new one is due */
  int64_t expires_ms;
  int64_t issued_ms;
  unsigned refused;     /* tokens since one has worked */
  int64_t ask_ms;       /* no request for a new one before */
  unsigned long issued; /* tokens received, for the metrics */
};

void wr_oauth_init(struct wr_oauth *o);
void wr_oauth_free(struct wr_oauth *o);

/* Is a token to be asked for now? What there is may be used all the same as
 * long as wr_oauth_usable() says so. */
bool wr_oauth_due(const struct wr_oauth *o, int64_t now_ms);
bool wr_oauth_usable(const struct wr_oauth *o, int64_t now_ms);

/* Takes a successful reply to a token request: 0, or -EBADMSG (no token in it)
 * or -ENOMEM. */
int wr_oauth_take(struct wr_oauth *o, int64_t now_ms,
                  const struct wr_http_reply *reply);
/* The request failed; ask again in a while. */
void wr_oauth_failed(struct wr_oauth *o, int64_t now_ms);

/* A request came back: accepted, or 401. False: the token is too fresh to be at
 * fault, and stays. */
void wr_oauth_accepted(struct wr_oauth *o);
bool wr_oauth_unauthorised(struct wr_oauth *o, int64_t now_ms);

#endif
