/* link: the way to the cloud, one request at a time. It builds the address and
 * the headers, keeps the token fresh, and judges what came back: what has to
 * wait, for how long, and what to tell the operator. It knows nothing about
 * values.
 *
 * What an outcome means, beyond success:
 *   no reply, 408, 425, 429, 5xx  wait with back-off, Retry-After honoured
 *   401                           a new token, once, then with back-off
 *   402, 403                      nothing for 15 minutes
 *   others                        for the caller to judge
 *
 * Strings of the options are borrowed. Time and randomness come in with each
 * call. Threads: one at a time. */
#ifndef WR_LINK_H
#define WR_LINK_H

#include "lib/base/backoff.h"
#include "lib/base/bytes.h"
#include "lib/cloud/oauth.h"
#include "lib/cloud/proto.h"
#include "lib/net/http.h"

#define WR_LINK_BLOCK_MS 900000

struct wr_moment {
  int64_t now_ms;  /* monotonic */
  int64_t wall_us; /* since the epoch */
  uint32_t random;
};

/* Sends one request, as wr_http_perform() does. */
typedef int (*wr_send_fn)(void *arg, const struct wr_http_request *request,
                          struct wr_http_reply *reply);

struct wr_link_options {
  const char *url;
  const char *thing_id;
  const char *space_id; /* NULL: none */
  const char *client_id;
  const char *client_secret;
  wr_send_fn send;
  void *send_arg;
};

enum wr_link_state {
  WR_LINK_OK,
  WR_LINK_DOWN,     /* nobody answers, or with errors that pass */
  WR_LINK_NO_TOKEN, /* the credentials are refused */
  WR_LINK_BLOCKED,  /* 403 or an unknown thing: somebody must act */
};

struct wr_link {
  struct wr_link_options options;
  struct wr_oauth oauth;
  struct wr_backoff backoff;
  int64_t blocked_ms; /* nothing before */
  struct wr_http_reply reply;
  struct wr_bytes url, body, auth;
  enum wr_link_state state;
  char fault[384]; /* what is wrong, one sentence without full stop */
  int64_t requests, retries, reauthorised;
};

void wr_link_init(struct wr_link *l, const struct wr_link_options *options);
void wr_link_free(struct wr_link *l);
/* Forgets the waits of our own choosing. */
void wr_link_hurry(struct wr_link *l);
/* Milliseconds until a request may go; 0: now. */
int64_t wr_link_wait(const struct wr_link *l, int64_t now_ms);

/* Begins a request: sets l->url and empties l->body. `property` may be NULL.
 * 0 or -errno. */
int wr_link_address(struct wr_link *l, enum wr_cloud_endpoint endpoint,
                    const char *property);
/* Sends l->body to l->url, with the token; the reply is in l->reply. 0, or
 * -errno as of wr_http_perform(). */
int wr_link_perform(struct wr_link *l, const char *method);
/* Sends the request for a token, alone. As wr_link_perform(). */
int wr_link_request_token(struct wr_link *l);
/* The same, and takes the reply: a token, or a fault. */
void wr_link_renew(struct wr_link *l, const struct wr_moment *t);

/* Judges what wr_link_perform() returned. True: it is a wait, and all is said;
 * false: success, or a refusal that the caller has to understand. */
bool wr_link_waits(struct wr_link *l, const struct wr_moment *t, int error);
/* A refusal that somebody has to mend: nothing for 15 minutes. */
void wr_link_block(struct wr_link *l, const struct wr_moment *t,
                   const char *advice);
void wr_link_fault(struct wr_link *l, enum wr_link_state state,
                   const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* The reason as the cloud or curl puts it, of a reply that is no success. */
const char *wr_link_reason(const struct wr_link *l, int error, char *out,
                           size_t size);

#endif
