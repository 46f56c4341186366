/* link: the way to the cloud, one request at a time. It builds the address and
 * the headers, keeps the token fresh, and judges what came back: whether it has
 * to wait, for how long, and what to tell the operator. It knows nothing about
 * values.
 *
 * The rule: only the service's own words (words.h) say something about what was
 * sent. All else is a wait:
 *   no reply, 408, 425, 429, 5xx  DOWN
 *   3xx, foreign 2xx and 4xx      BLOCKED: something on the way answers
 *   401                           a new token; is that refused as well,
 * NO_TOKEN 402, 403 of the service       BLOCKED: the key may not The pace of
 * the waits is in pace.h. Retry-After is honoured up to 15 minutes.
 *
 * What the service says about the time (the Date of its replies) is kept: our
 * own clock may be wrong by years. It was said at some moment between request
 * and reply, in whole seconds, so that the doubt is half a second and half of
 * the wait; what is kept is better than a reply of more doubt, until it may
 * have drifted as far. Beyond WR_LINK_DOUBT_US a reply says nothing about the
 * time: less than a step (WR_CLOCK_SLACK_US), or a clock that is right would be
 * corrected by it.
 *
 * Strings of the options are borrowed. Time and randomness come in with each
 * call. Threads: one at a time. */
#ifndef WR_LINK_H
#define WR_LINK_H

#include "lib/base/bytes.h"
#include "lib/cloud/oauth.h"
#include "lib/cloud/pace.h"
#include "lib/cloud/proto.h"
#include "lib/net/http.h"

struct wr_moment {
  int64_t now_ms;  /* monotonic */
  int64_t wall_us; /* since the epoch */
  uint32_t random;
};

/* Sends one request, as wr_http_perform() does. reply->watched is to be the
 * Date header. */
typedef int (*wr_send_fn)(void *arg, const struct wr_http_request *request,
                          struct wr_http_reply *reply);

#define WR_LINK_DOUBT_US 2500000
#define WR_LINK_DRIFT_PPM 200

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
  WR_LINK_BLOCKED,  /* somebody must act: 403, an unknown thing, a portal */
  WR_LINK_REFUSED,  /* the service answers, but refuses what is sent */
};

enum wr_outcome {
  WR_OUTCOME_DONE,
  WR_OUTCOME_WAIT,    /* nothing is known about what was sent; all is said */
  WR_OUTCOME_ABSENT,  /* 404, in whatever words */
  WR_OUTCOME_REFUSED, /* 400, 413, 422 in the service's own words */
};

struct wr_link {
  struct wr_link_options options;
  struct wr_oauth oauth;
  struct wr_pace pace;
  bool owed; /* a publish has failed, and none has passed since */
  struct wr_http_reply reply;
  struct wr_bytes url, body, auth;
  enum wr_link_state state;
  char fault[384]; /* what is wrong, one sentence without full stop */
  int64_t requests, retries, reauthorised;
  int64_t clock_us; /* the service's clock minus now_ms; 0: not known */
  int64_t clock_doubt_us, clock_ms; /* of it; now_ms when it was taken */
};

void wr_link_init(struct wr_link *l, const struct wr_link_options *options);
void wr_link_free(struct wr_link *l);
/* Forgets the waits of our own choosing. */
void wr_link_hurry(struct wr_link *l);
/* Milliseconds until a request may go; 0: now. */
int64_t wr_link_wait(const struct wr_link *l, int64_t now_ms);
/* The present by the service's clock, or by ours where it is not known. */
int64_t wr_link_present_us(const struct wr_link *l, const struct wr_moment *t);

/* Begins a request: sets l->url and empties l->body. `property` may be NULL.
 * 0 or -errno. */
int wr_link_address(struct wr_link *l, enum wr_cloud_endpoint endpoint,
                    const char *property);
/* Sends l->body to l->url, with the token; the reply is in l->reply. 0, or
 * -errno as of wr_http_perform(). */
int wr_link_perform(struct wr_link *l, const char *method);
/* Sends the request for a token, alone. As wr_link_perform(). */
int wr_link_request_token(struct wr_link *l);
/* The same, and takes the reply: a token, or a fault and a wait. */
void wr_link_renew(struct wr_link *l, const struct wr_moment *t);

/* Judges what wr_link_perform() returned. `publish`: the request was one; only
 * one of these ends the trouble that another had. */
enum wr_outcome wr_link_judge(struct wr_link *l, const struct wr_moment *t,
                              bool publish, int error);
/* A refusal that somebody has to mend: a wait that grows up to 15 minutes. */
void wr_link_block(struct wr_link *l, const struct wr_moment *t,
                   const char *advice);
/* A success whose content makes no sense: a wait. */
void wr_link_garbled(struct wr_link *l, const struct wr_moment *t,
                     const char *what);
void wr_link_fault(struct wr_link *l, enum wr_link_state state,
                   const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* The reason as the cloud or curl puts it, of a reply that is no success; no
 * secret of ours is in it. */
const char *wr_link_reason(const struct wr_link *l, int error, char *out,
                           size_t size);

#endif
