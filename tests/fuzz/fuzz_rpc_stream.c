/* One conversation, cut into pieces in several ways: how the bytes of a peer
 * fall into reads changes no outcome, no result and no answer. What counts as a
 * good answer was there, by the reader of the simulated M4, which knows nothing
 * of ours.
 *
 * The first byte chooses the mode; then connections: a length (2 bytes), and
 * what the peer sends before it ends the connection in good order. */
#include "lib/rpc/session.h"

#include "tests/fuzz/fuzz.h"
#include "tests/sim/m4sim_wire.c"

#define CALLS 3
#define DIALS 8
#define CUTS 4

struct part {
  const uint8_t *data;
  size_t size;
};

struct script {
  struct part parts[DIALS];
  size_t count;
};

struct telling { /* what was made of it */
  struct wr_rpc_call calls[CALLS];
  uint8_t aside[4096];
  size_t aside_len;
  unsigned dials;
};

static bool asked(void *user, const struct wr_rpc_value *method, char *buf,
                  size_t size, int64_t now_us) {
  (void)user, (void)now_us;
  check(size > 1);
  strcpy(buf, "x");
  return method->len % 2 == 0;
}

static void note_aside(struct wr_rpc_session *s, struct telling *t) {
  check(s->aside_len <= WR_RPC_ASIDE);
  size_t room = sizeof(t->aside) - t->aside_len;
  size_t len = s->aside_len < room ? s->aside_len : room;
  if (len > 0)
    memcpy(t->aside + t->aside_len, s->aside, len);
  t->aside_len += len;
  s->aside_len = 0;
}

/* Fulfils wishes; true: the session talks to a new connection now. */
static bool serve(struct wr_rpc_session *s, int64_t now_us) {
  static const struct wr_rpc_peers here = {.count = 1};
  bool dialled = false;
  while (s->wish != WR_WISH_NOTHING) {
    enum wr_rpc_wish wish = s->wish;
    s->wish = WR_WISH_NOTHING;
    if (wish == WR_WISH_ADDRESS)
      wr_rpc_found(s, &here, now_us);
    else if (wish == WR_WISH_LOCK)
      wr_rpc_locked(s, true, now_us);
    else if (wish == WR_WISH_CONNECT || wish == WR_WISH_SEND) {
      dialled |= wish == WR_WISH_CONNECT;
      wr_rpc_connected(s, 0, now_us);
    } else
      return dialled;
  }
  return dialled;
}

static size_t piece(unsigned cut, size_t left) {
  static const size_t steps[CUTS] = {SIZE_MAX, 1, 7, 61};
  return left < steps[cut] ? left : steps[cut];
}

/* What the peer says on one connection; true: another one was made. */
static bool talk(struct wr_rpc_session *s, const struct part *p, unsigned cut,
                 struct telling *t, int64_t now_us) {
  for (size_t at = 0; at < p->size;) {
    size_t n = piece(cut, p->size - at);
    uint8_t *copy = malloc(n); /* one byte too many is seen */
    check(copy != NULL);
    memcpy(copy, p->data + at, n);
    wr_rpc_bytes(s, copy, n, now_us);
    free(copy);
    at += n;
    note_aside(s, t);
    if (serve(s, now_us))
      return true;
    if (s->op == WR_OP_NONE)
      return false;
  }
  wr_rpc_ended(s, 0, now_us + 100000);
  return serve(s, now_us + 100000);
}

static void run(const struct script *script, bool keeps, unsigned cut,
                struct telling *t) {
  struct wr_rpc_session s;
  int64_t now_us = 1000000;
  *t = (struct telling){.aside_len = 0};
  check(wr_rpc_session_open(&s, keeps ? WR_RPC_PERSISTENT : WR_RPC_PROXY, 60000,
                            0x61c88647u, CALLS) == 0);
  s.asked = asked;
  for (size_t i = 0; i < CALLS; i++)
    t->calls[i] = (struct wr_rpc_call){.method = "m"};
  wr_rpc_begin(&s, WR_OP_CALL, t->calls, keeps ? CALLS : 1, now_us);
  bool more = serve(&s, now_us);
  for (size_t i = 0; more && i < script->count; i++)
    more = talk(&s, script->parts + i, cut, t, now_us += 200000);
  t->dials = s.dials;
  if (s.op != WR_OP_NONE) { /* it ends in time */
    wr_rpc_tick(&s, now_us + 61000000);
    check(s.op == WR_OP_NONE);
  }
  wr_rpc_session_close(&s);
}

/* [1, msgid, nil, ...] somewhere in what was sent. */
static bool was_sent(const struct script *script, uint32_t msgid) {
  for (size_t i = 0; i < script->count; i++) {
    const struct part *p = script->parts + i;
    for (size_t at = 0; at < p->size; at++) {
      struct ms_in in = {p->data + at, p->data + p->size};
      struct ms_value head, type, id, error;
      if (ms_get(&in, &head) && head.type == MS_ARRAY && head.len == 4 &&
          ms_get(&in, &type) && type.type == MS_UINT && type.u == 1 &&
          ms_get(&in, &id) && id.type == MS_UINT && id.u == msgid &&
          ms_get(&in, &error) && error.type == MS_NIL)
        return true;
    }
  }
  return false;
}

static void same(const struct telling *a, const struct telling *b) {
  for (size_t i = 0; i < CALLS; i++) {
    const struct wr_rpc_call *x = a->calls + i, *y = b->calls + i;
    char one[128], two[128];
    check(x->outcome == y->outcome && x->stale == y->stale);
    check(x->msgid == y->msgid && x->error == y->error);
    wr_rpc_print(&x->result, one, sizeof(one));
    wr_rpc_print(&y->result, two, sizeof(two));
    check(strcmp(one, two) == 0);
  }
  check(a->dials == b->dials);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  static struct telling told[CUTS];
  struct script script = {.count = 0};
  if (size == 0)
    return 0;
  bool keeps = *data++ & 1;
  size--;
  while (size >= 2 && script.count < DIALS) {
    size_t n = (size_t)data[0] << 8 | data[1];
    data += 2;
    size -= 2;
    n = n < size ? n : size;
    script.parts[script.count++] = (struct part){data, n};
    data += n;
    size -= n;
  }
  for (unsigned cut = 0; cut < CUTS; cut++) {
    run(&script, keeps, cut, told + cut);
    same(told, told + cut);
  }
  for (size_t i = 0; i < (keeps ? CALLS : 1); i++)
    check(told->calls[i].outcome != WR_RPC_OK ||
          was_sent(&script, told->calls[i].msgid));
  return 0;
}
