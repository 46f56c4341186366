/* eim: the model's side of the Edge Impulse .eim protocol.
 *
 * Bytes of the client come in through eim_feed(); each request is answered,
 * in order, by one call of `send`. One struct eim serves one client from the
 * first byte to the last: a client must say hello once, first. Requests that
 * are no JSON, too long or unknown get an error reply and change nothing.
 *
 * The words of the replies are those of Edge Impulse's own programs, because
 * clients compare them. Two details differ on purpose: braces inside strings
 * do not confuse the framing, and a request over the limit is answered and
 * skipped where theirs ends the program.
 *
 * No heap, no clock but now_us, no I/O but the two callbacks. Not
 * thread-safe; independent structs are independent. */
#ifndef MODEL_EIM_H
#define MODEL_EIM_H

#include "model/message.h"
#include "model/reply.h"

/* Samples a classify_continuous request carries: a quarter of a window. */
#define EIM_SLICE_SAMPLES (FLOW_SAMPLES / 4)

/* One reply, ending in a line feed. Returns 0; -errno stops eim_feed(). */
typedef int eim_send_fn(void *context, const char *text, size_t length);

struct eim {
  eim_send_fn *send;
  eim_send_fn *debug; /* the features, for a request with "debug":true */
  void *context;
  int64_t (*now_us)(void); /* monotonic */

  bool greeted;
  float min_anomaly_score;
  struct message_reader reader;
  int64_t started_us;       /* when the open request's first byte was read */
  float ring[FLOW_SAMPLES]; /* classify_continuous: the newest samples */
};

void eim_init(struct eim *eim, eim_send_fn *send, eim_send_fn *debug,
              void *context, int64_t (*now_us)(void));

/* Returns 0, or what `send` returned when it failed. */
int eim_feed(struct eim *eim, const char *bytes, size_t length);

/* The reply to {"hello":1,"id":1}, as one line. */
void eim_describe(struct reply *reply);

/* When the client is gone: gives back what a request that never ended had. */
void eim_free(struct eim *eim);

#endif
