/* The way back. In proxy mode every reply goes into one channel and from there
 * to whoever waits; in ideal mode every reply finds its own caller. */
#include "tests/sim/m4sim_server.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>

#define SPLIT_MS 20

static bool draw(struct ms_sim *sim, double p, unsigned *next) {
  if (*next > 0) {
    (*next)--;
    return true;
  }
  return p > 0 && ms_rng_uniform(&sim->rng) < p;
}

void ms_send(const struct ms_conn *c, const void *data, size_t len) {
  /* a caller that has gone is its own problem */
  while (len > 0) {
    ssize_t n = send(c->fd, data, len, MSG_NOSIGNAL);
    if (n <= 0)
      return;
    data = (const uint8_t *)data + n;
    len -= (size_t)n;
  }
}

/* Closes a proxy connection afterwards, now or after the second half. */
static void hand_over(struct ms_sim *sim, struct ms_conn *c,
                      const uint8_t *data, size_t len) {
  struct ms_quirks *q = &sim->quirks;
  bool ideal = c->state == IDEAL;
  if (draw(sim, q->garbage_p, &q->garbage_next)) {
    data = q->garbage;
    len = q->garbage_len;
  }
  sim->count.answered++;
  bool split = (q->split || draw(sim, 0, &q->split_next)) && len > 1;
  if (split && !ideal && (c->buf = malloc(len)) != NULL) {
    ms_send(c, data, len / 2);
    c->len = len - len / 2;
    memcpy(c->buf, data + len / 2, c->len);
    c->state = SENDING;
    c->deadline_ms = sim->now_ms + SPLIT_MS;
    return;
  }
  if (split && ideal) { /* two segments; the order of replies is kept */
    setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
    ms_send(c, data, len / 2);
    data += len / 2;
    len -= len / 2;
  }
  ms_send(c, data, len);
  if (!ideal)
    ms_conn_close(c);
}

static struct ms_conn *waiter(struct ms_sim *sim) {
  struct ms_conn *found = NULL, *c = sim->server->conn;
  size_t waiting = 0, skip = 0;
  for (size_t i = 0; i < MS_CONNS_MAX; i++)
    if (c[i].state == WAITING) {
      waiting++;
      if (found == NULL || c[i].serial < found->serial)
        found = &c[i];
    }
  if (waiting < 2 || ms_rng_uniform(&sim->rng) >= sim->quirks.cross_p)
    return found; /* who has waited longest */
  skip = ms_rng_next(&sim->rng) % waiting;
  for (size_t i = 0; i < MS_CONNS_MAX; i++)
    if (c[i].state == WAITING && skip-- == 0)
      return &c[i];
  return found;
}

void ms_serve_channel(struct ms_sim *sim) {
  struct ms_server *s = sim->server;
  struct ms_conn *c;
  while (s->channel_len > 0 && (c = waiter(sim)) != NULL) {
    struct ms_reply head = s->channel[0];
    memmove(s->channel, s->channel + 1,
            --s->channel_len * sizeof(s->channel[0]));
    hand_over(sim, c, head.data, head.len);
  }
}

static void channel_push(struct ms_sim *sim, const uint8_t *data, size_t len) {
  struct ms_server *s = sim->server;
  const char *why = "";
  if (s->down_until_ms != 0)
    return; /* nobody reads the device */
  if (ms_check_reply(data, len, &why) == MS_PANIC) {
    ms_server_crash(sim, why, sim->opt.outage_ms);
    return;
  }
  if (s->channel_len == MS_CHANNEL_MAX || len > MS_REPLY_MAX)
    return;
  struct ms_reply *r = &s->channel[s->channel_len++];
  r->len = len;
  memcpy(r->data, data, len);
}

void ms_server_inject(struct ms_sim *sim, const uint8_t *data, size_t len) {
  sim->count.stale++;
  ms_record_event(sim, "stale", "injected");
  channel_push(sim, data, len);
  ms_serve_channel(sim);
}

static void deliver(struct ms_sim *sim, uint64_t serial, const uint8_t *data,
                    size_t len) {
  if (!sim->opt.ideal) {
    channel_push(sim, data, len);
    ms_serve_channel(sim);
    return;
  }
  struct ms_conn *c = sim->server->conn;
  for (size_t i = 0; i < MS_CONNS_MAX; i++)
    if (c[i].state == IDEAL && c[i].serial == serial)
      hand_over(sim, &c[i], data, len);
}

/* The M4 has answered: now, late, or (ideal) out of order. */
void ms_answered(struct ms_sim *sim, uint64_t serial,
                 const struct ms_out *out) {
  struct ms_server *s = sim->server;
  int64_t delay_ms = sim->opt.delay_ms;
  if (draw(sim, sim->quirks.late_p, &sim->quirks.late_next)) {
    delay_ms = sim->quirks.late_ms;
    sim->count.late++;
    ms_record_event(sim, "late", "the reply comes late");
  } else if (sim->opt.shuffle_ms > 0)
    delay_ms +=
        (int64_t)(ms_rng_next(&sim->rng) % (uint64_t)(sim->opt.shuffle_ms + 1));
  if (delay_ms <= 0) {
    deliver(sim, serial, out->data, out->len);
    return;
  }
  if (s->pending_len == MS_CHANNEL_MAX || out->len > MS_REPLY_MAX)
    return;
  struct ms_reply *r = &s->pending[s->pending_len++];
  r->due_ms = sim->now_ms + delay_ms;
  r->serial = serial;
  r->len = out->len;
  memcpy(r->data, out->data, out->len);
}

void ms_pending_due(struct ms_sim *sim) {
  struct ms_server *s = sim->server;
  for (;;) { /* the one due first; of equals the oldest */
    size_t first = 0;
    for (size_t i = 1; i < s->pending_len; i++)
      if (s->pending[i].due_ms < s->pending[first].due_ms)
        first = i;
    if (s->pending_len == 0 || s->pending[first].due_ms > sim->now_ms)
      return;
    struct ms_reply r = s->pending[first];
    ms_expire(sim, r.due_ms); /* who gave up before it came, gave up */
    memmove(&s->pending[first], &s->pending[first + 1],
            (--s->pending_len - first) * sizeof(r));
    deliver(sim, r.serial, r.data, r.len);
  }
}
