/* The way between agent and M4: Arduino's m4-proxy as it was measured, or
 * a server that keeps its connection.
 *
 * The proxy: one request per connection; hands over the first thing in its
 * channel from the M4, whosever it is, and closes; closes after 1.0 s when
 * there is nothing. A reply that comes later waits in the channel, for ever. A
 * method that is not bound crashes it, and systemd starts it again. A router
 * answers itself where the sketch has not yet provided a method, drops such a
 * notification, and forgets with a connection what was registered on it. On the
 * way to the agent bytes may be torn; a server may repeat itself and answer in
 * another order; a tunnel may accept for a proxy that is not there. */
#include "sim.h"

#include <errno.h>

#define LATENCY_US 400
#define PROXY_PATIENCE_US SIM_S
#define PROVIDES_US                                                            \
  SIM_S               /* from the sketch's start until its methods are known */
#define CRASH_US 5000 /* from a call to the end of the connection */

static struct sim_packet *push(struct sim_packet *list, size_t *count,
                               const uint8_t *data, size_t len, int64_t at_us) {
  if (*count == WIRE_CHANNEL) { /* the kernel's buffer is finite, too */
    memmove(list, list + 1, sizeof(*list) * (WIRE_CHANNEL - 1));
    --*count;
  }
  struct sim_packet *p = list + (*count)++;
  memcpy(p->data, data, len);
  p->len = len;
  p->at_us = at_us;
  return p;
}

static void take_first(struct sim_packet *list, size_t *count) {
  memmove(list, list + 1, sizeof(*list) * --*count);
}

void wire_cut(int b) {
  struct sim_wire *w = &sim.wire[b];
  if (w->connected)
    w->end_us = sim.now_us;
  w->wants = false;
  w->inbox_count = 0;
}

/* A call to a method that nobody has bound: the proxy dies of it. */
void wire_crash(int b) {
  struct sim_wire *w = &sim.wire[b];
  int in_a_row = 0;
  const size_t room = sizeof(w->crash_us) / sizeof(w->crash_us[0]);
  w->crash_us[w->crashes++ % room] = sim.now_us;
  for (size_t i = 0; i < room && i < w->crashes; i++)
    in_a_row += sim.now_us - w->crash_us[i] < WR_GUARD_WINDOW_MS * SIM_MS;
  sim_trace("%d: the proxy crashes", b);
  seen_crash(b, in_a_row);
  w->end_us = sim.now_us + CRASH_US;
  w->restarts_us = w->end_us + WIRE_RESTART_US;
  w->wants = false;
  w->waiting = w->inbox_count = 0;
  w->answers = 0;
}

static void deliver(struct sim_wire *w, const uint8_t *data, size_t len,
                    int64_t at_us) {
  if (sim_one_in(w->torn_every) && len > 1) {
    size_t cut = 1 + (size_t)sim_below((int64_t)len - 1);
    push(w->inbox, &w->inbox_count, data, cut, at_us);
    push(w->inbox, &w->inbox_count, data + cut, len - cut,
         at_us + sim_span(10, 100000));
    return;
  }
  push(w->inbox, &w->inbox_count, data, len, at_us);
}

/* One message goes to the M4, which works on one at a time. */
static void to_board(int b, const uint8_t *data, size_t len) {
  struct sim_wire *w = &sim.wire[b];
  struct sim_board *board = &sim.board[b];
  uint8_t reply[WR_RPC_REPLY_MAX];
  int64_t at_us = sim.now_us + LATENCY_US;
  if (at_us < board->busy_until_us)
    at_us = board->busy_until_us + LATENCY_US;
  if (sim_one_in(w->late_every))
    at_us += sim_span(SIM_S / 2, 5 * SIM_S);
  size_t got = board_hear(b, data, len, reply);
  board->busy_until_us = at_us;
  if (at_us >= sim.now_us + SIM_S / 2)
    board->behind_us = at_us;
  if (got == 0)
    return;
  if (!w->server)
    push(w->channel, &w->waiting, reply, got, at_us);
  else {
    deliver(w, reply, got, at_us);
    if (sim_one_in(w->twice_every))
      deliver(w, reply, got, at_us + LATENCY_US);
  }
}

/* [1, msgid, nil, true], or [1, msgid, [2, "none"], nil] */
static void router_answers(struct sim_wire *w, uint32_t msgid, bool good) {
  uint8_t reply[] = {0x94, 1, 0xce, 0, 0, 0, 0, 0xc0, 0xc3, 0, 0, 0, 0, 0};
  static const uint8_t none[] = {0x92, 2, 0xa4, 'n', 'o', 'n', 'e', 0xc0};
  uint8_t out[16];
  for (int i = 0; i < 4; i++)
    reply[3 + i] = (uint8_t)(msgid >> (24 - 8 * i));
  memcpy(out, reply, 9);
  if (!good)
    memcpy(out + 7, none, sizeof(none));
  deliver(w, out, good ? 9 : 7 + sizeof(none), sim.now_us + LATENCY_US);
}

/* Whether it deals with the message itself. */
static bool routed(int b, const uint8_t *data, size_t len) {
  const uint8_t *at = data;
  struct sim_wire *w = &sim.wire[b];
  struct wr_rpc_value message, method, msgid = {.u = 0};
  if (!w->router || wr_rpc_read(&at, data + len, &message) != 0)
    return false;
  bool request = message.count == 4;
  if (request)
    wr_rpc_element(&message, 1, &msgid);
  wr_rpc_element(&message, message.count - 2, &method);
  bool enrolls = method.len == 10 && memcmp(method.data, "$/register", 10) == 0;
  bool provided =
      sim.board[b].up && sim.now_us - sim.board[b].boot_us > PROVIDES_US;
  w->registered |= enrolls;
  if (request && (enrolls || !provided))
    router_answers(w, (uint32_t)msgid.u, enrolls);
  return enrolls || !provided;
}

void wire_ask(int b) {
  struct sim_wire *w = &sim.wire[b];
  static const uint8_t request[] = {0x94, 0,   7,   0xae, 'c', 'l', 'a',
                                    's',  's', 'i', 'f',  'i', 'c', 'a',
                                    't',  'i', 'o', 'n',  0x90};
  if (w->connected && w->registered && !sim.board[b].silent)
    deliver(w, request, sizeof(request), sim.now_us + LATENCY_US);
}

/* What the agent answers to that. */
static void take_aside(int b, struct wr_rpc_session *s) {
  struct wr_rpc_reply reply;
  size_t size = 0;
  for (size_t at = 0; at < s->aside_len; at += size) {
    if (wr_rpc_decode_reply(s->aside + at, s->aside_len - at, &reply, &size) !=
            0 ||
        reply.msgid != 7 ||
        (reply.error.kind != WR_RPC_NIL && !memory_is_short()))
      sim_fail("the sketch asks for the label and gets no answer");
    if (reply.error.kind == WR_RPC_NIL)
      board_told(b, reply.result.data, reply.result.len);
  }
  s->aside_len = 0;
}

static void hear(int b, struct wr_rpc_session *s) {
  struct sim_wire *w = &sim.wire[b];
  const uint8_t *at = s->out, *end = at + s->out_len;
  while (at < end) {
    size_t size = 0;
    if (wr_rpc_scan(at, (size_t)(end - at), &size) != 0)
      sim_fail("what was sent is no MessagePack");
    if (!routed(b, at, size))
      to_board(b, at, size);
    at += size;
  }
  if (!w->server && sim.now_us >= w->restarts_us) {
    w->wants = true;
    w->closes_us = sim.now_us + PROXY_PATIENCE_US;
  }
}

static bool listens(const struct sim_wire *w) {
  return !w->away && sim.now_us >= w->restarts_us;
}

static void connect_it(int b, struct wr_rpc_session *s) {
  struct sim_wire *w = &sim.wire[b];
  w->connected = w->wants = w->registered = false;
  w->inbox_count = 0;
  w->end_us = SIM_NEVER;
  if (!listens(w)) {
    wr_rpc_connected(s, -ECONNREFUSED, sim.now_us);
    return;
  }
  w->connected = w->early = true;
  sim_trace("%d: wire: connected, %zu bytes", b, s->out_len);
  /* Two in a row, alone, are the method's fault by guard.h; one is not. */
  bool cut = w->answers > 3 && w->late_every == 0 && sim_one_in(w->cut_every);
  if (w->hollow || cut)
    w->answers = 0;
  if (w->hollow || cut)
    w->end_us = sim.now_us + sim_span(100, CRASH_US);
  else
    hear(b, s);
  wr_rpc_connected(s, 0, sim.now_us);
}

void wire_serve(int b, struct wr_rpc_session *s) {
  static const struct wr_rpc_peers here = {.count = 1};
  while (s->wish != WR_WISH_NOTHING) {
    enum wr_rpc_wish wish = s->wish;
    s->wish = WR_WISH_NOTHING;
    if (wish == WR_WISH_ADDRESS)
      wr_rpc_found(s, &here, sim.now_us);
    else if (wish == WR_WISH_LOCK)
      wr_rpc_locked(s, true, sim.now_us);
    else if (wish == WR_WISH_CONNECT)
      connect_it(b, s);
    else if (wish == WR_WISH_SEND) {
      bool open = sim.wire[b].connected;
      if (open)
        hear(b, s);
      wr_rpc_connected(s, open ? 0 : -EPIPE, sim.now_us);
    } else
      sim.wire[b].connected = sim.wire[b].wants = false;
  }
}

/* The proxy hands over what is in its channel, or gives up. */
static void proxy_turn(struct sim_wire *w) {
  if (!w->connected || !w->wants)
    return;
  if (w->waiting > 0 && w->channel[0].at_us <= sim.now_us) {
    deliver(w, w->channel[0].data, w->channel[0].len, sim.now_us);
    take_first(w->channel, &w->waiting);
    w->end_us = w->inbox[w->inbox_count - 1].at_us;
    w->wants = w->early = false;
  } else if (sim.now_us >= w->closes_us) {
    w->end_us = sim.now_us;
    w->wants = w->early = false;
  }
}

static void end_it(int b, struct wr_rpc_session *s) {
  struct sim_wire *w = &sim.wire[b];
  w->connected = false;
  w->end_us = SIM_NEVER;
  sim_trace("%d: wire: the connection ends", b);
  seen_end(b, w->early);
  if (s->op != WR_OP_NONE || w->server)
    wr_rpc_ended(s, 0, sim.now_us);
}

void wire_happen(int b, struct wr_rpc_session *s) {
  struct sim_wire *w = &sim.wire[b];
  proxy_turn(w);
  while (w->connected && w->inbox_count > 0 &&
         w->inbox[0].at_us <= sim.now_us) {
    struct sim_packet p = w->inbox[0];
    take_first(w->inbox, &w->inbox_count);
    sim_trace("%d: wire: %zu bytes to the agent", b, p.len);
    w->answers++;
    wr_rpc_bytes(s, p.data, p.len, sim.now_us);
    take_aside(b, s);
    if (s->wish != WR_WISH_NOTHING) /* it has had enough of this connection */
      return;
  }
  if (w->connected && w->end_us <= sim.now_us)
    end_it(b, s);
}

static int64_t least(int64_t a, int64_t b) { return a < b ? a : b; }

int64_t wire_next_us(int b) {
  const struct sim_wire *w = &sim.wire[b];
  int64_t next = SIM_NEVER;
  if (!w->connected)
    return next;
  if (w->wants)
    next =
        least(w->closes_us, w->waiting > 0 ? w->channel[0].at_us : SIM_NEVER);
  if (w->inbox_count > 0)
    next = least(next, w->inbox[0].at_us);
  return least(next, w->end_us);
}
