/* A peer that sends anything, in any pieces, ends and stalls at any moment, to
 * a session in either mode: every call has an outcome, a result lies within its
 * own bytes, nothing is answered that was not asked.
 *
 * The first byte chooses mode and operation; then each byte is a step: 0: the
 * connection ends, 1: refused, 2: time passes, n: the next n - 2 bytes come. */
#include "lib/rpc/session.h"
#include "tests/fuzz/fuzz.h"

#include <errno.h>

#define CALLS 3

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void serve(struct wr_rpc_session *s, int64_t now_us) {
  static const struct wr_rpc_peers here = {.count = 2};
  while (s->wish != WR_WISH_NOTHING) {
    enum wr_rpc_wish wish = s->wish;
    s->wish = WR_WISH_NOTHING;
    if (wish == WR_WISH_ADDRESS)
      wr_rpc_found(s, &here, now_us);
    else if (wish == WR_WISH_LOCK)
      wr_rpc_locked(s, true, now_us);
    else if (wish == WR_WISH_CONNECT || wish == WR_WISH_SEND) {
      check(s->out_len > 0 && s->out_len <= CALLS * WR_RPC_REQUEST_MAX);
      wr_rpc_connected(s, 0, now_us);
    }
  }
}

static bool asked(void *user, const struct wr_rpc_value *method, char *buf,
                  size_t size, int64_t now_us) {
  (void)user, (void)now_us;
  check(method->kind == WR_RPC_TEXT && size > 0);
  buf[0] = '\0';
  return method->len % 2 == 0;
}

static void check_result(const struct wr_rpc_call *c) {
  const struct wr_rpc_value *v = &c->result;
  bool holds = v->kind == WR_RPC_TEXT || v->kind == WR_RPC_BIN ||
               v->kind == WR_RPC_ARRAY || v->kind == WR_RPC_MAP;
  if (c->outcome == WR_RPC_OK && holds)
    check(v->data >= c->bytes &&
          v->data + v->len <= c->bytes + sizeof(c->bytes));
}

/* One step; the bytes that it took. */
static size_t step(struct wr_rpc_session *s, const uint8_t *data, size_t len,
                   int64_t *now_us) {
  size_t n = data[0];
  *now_us += 1000;
  if (n == 0 && s->open)
    wr_rpc_ended(s, 0, *now_us);
  else if (n == 1 && s->open)
    wr_rpc_ended(s, -ECONNRESET, *now_us);
  else if (n == 2) {
    *now_us += 700000;
    wr_rpc_tick(s, *now_us);
  } else if (n > 2 && s->open) {
    n = n - 2 < len - 1 ? n - 2 : len - 1;
    uint8_t *copy = malloc(n > 0 ? n : 1); /* one byte too many is seen */
    check(copy != NULL);
    memcpy(copy, data + 1, n);
    wr_rpc_bytes(s, copy, n, *now_us);
    free(copy);
    serve(s, *now_us);
    return n + 1;
  }
  serve(s, *now_us);
  return 1;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len) {
  static struct wr_rpc_call calls[CALLS];
  struct wr_rpc_session s;
  int64_t now_us = 1000000;
  if (len == 0)
    return 0;
  bool keeps = data[0] & 1;
  enum wr_rpc_op op = (enum wr_rpc_op)(WR_OP_CALL + (data[0] >> 1) % 3);
  size_t count = keeps && op == WR_OP_CALL ? CALLS : 1, at = 1;
  check(wr_rpc_session_open(&s, keeps ? WR_RPC_PERSISTENT : WR_RPC_PROXY, 1500,
                            0x61c88647u, CALLS) == 0);
  s.asked = asked;
  for (int round = 0; round < 2; round++) {
    for (size_t i = 0; i < CALLS; i++)
      calls[i] = (struct wr_rpc_call){.method = "m"};
    wr_rpc_begin(&s, op, calls, count, now_us);
    serve(&s, now_us);
    while (s.op != WR_OP_NONE && at < len) {
      at += step(&s, data + at, len - at, &now_us);
      check(s.aside_len <= WR_RPC_ASIDE);
      s.aside_len = 0;
    }
    for (int i = 0; s.op != WR_OP_NONE; i++) { /* it ends in time */
      check(i < 200);
      now_us += 1600000;
      wr_rpc_tick(&s, now_us);
      serve(&s, now_us);
    }
    for (size_t i = 0; i < count; i++)
      check_result(calls + i);
  }
  wr_rpc_session_close(&s);
  return 0;
}
