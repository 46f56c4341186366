/* A session in front of the m4-proxy: what each end of a connection means. */
#include "tests/unit/rpc/session_case.h"
#include "tests/unit/unit.h"

#include <errno.h>
#include <string.h>

/* What the moment of an end says about the m4-proxy. */
static void test_proxy_ends(void) {
  static const struct {
    int64_t after_us;
    int error;
    enum wr_rpc_outcome outcome;
  } cases[] = {{49999, 0, WR_RPC_CRASHED},
               {49999, -ECONNRESET, WR_RPC_CRASHED},
               {49999, -EHOSTUNREACH, WR_RPC_UNREACHABLE},
               {50000, 0, WR_RPC_CLOSED},
               {899999, 0, WR_RPC_CLOSED},
               {900000, 0, WR_RPC_SILENT},
               {900000, -ECONNRESET, WR_RPC_SILENT}};
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    int64_t at_us = S + 300 + cases[i].after_us;
    open_session(WR_RPC_PROXY);
    begin(WR_OP_CALL, 1, S);
    wr_rpc_found(&s, &one, S + 100);
    wants(WR_WISH_LOCK, NEVER);
    wr_rpc_locked(&s, true, S + 200);
    wants(WR_WISH_CONNECT, S + 200 + AFTER);
    wr_rpc_connected(&s, 0, S + 300);
    wants(WR_WISH_NOTHING, S + 200 + AFTER);
    wr_rpc_ended(&s, cases[i].error, at_us);
    is_over();
    wants(WR_WISH_CLOSE, NEVER);
    became(0, cases[i].outcome,
           cases[i].outcome == WR_RPC_UNREACHABLE ? -EHOSTUNREACH : 0, S + 200,
           at_us - S - 200);
    CU_ASSERT_FALSE(calls[0].unlocked);
    wr_rpc_session_close(&s);
  }
}

static void test_proxy_in_the_middle(void) {
  open_session(WR_RPC_PROXY);
  talk(WR_OP_CALL, 1, S);
  wr_rpc_bytes(&s, "\x94\x01", 2, S + 10);
  CU_ASSERT_EQUAL(s.op, WR_OP_CALL);
  wr_rpc_ended(&s, 0, S + 20);
  became(0, WR_RPC_PROTOCOL, 0, S, 20);
  talk(WR_OP_CALL, 1, 2 * S);
  wr_rpc_bytes(&s, "\x94", 1, 2 * S + 10);
  wr_rpc_ended(&s, 0, 2 * S + 20);
  became(0, WR_RPC_PROTOCOL, 0, 2 * S, 20);
  talk(WR_OP_CALL, 1, 2 * S);
  wr_rpc_bytes(&s, "\x94\x01", 2, 2 * S + 10);
  wr_rpc_tick(&s, 2 * S + AFTER);
  became(0, WR_RPC_TIMEOUT, 0, 2 * S, AFTER);
  wr_rpc_session_close(&s);
}

/* The proxy's answer ends the connection, also one that comes in pieces. */
static void test_proxy_answers(void) {
  open_session(WR_RPC_PROXY);
  talk(WR_OP_CALL, 1, S);
  uint8_t bytes[] = "\x94\x01\xce????\xc0\x05";
  uint32_t msgid = htonl(calls[0].msgid);
  memcpy(bytes + 3, &msgid, sizeof(msgid));
  for (int i = 0; i < 9; i++) {
    CU_ASSERT_EQUAL(s.op, WR_OP_CALL);
    wr_rpc_bytes(&s, bytes + i, 1, S + i);
  }
  is_over();
  wants(WR_WISH_CLOSE, NEVER);
  became(0, WR_RPC_OK, 0, S, 8);
  CU_ASSERT_EQUAL(calls[0].result.u, 5);
  CU_ASSERT_FALSE(s.open);
  wr_rpc_session_close(&s);
}

/* More bytes than a reply may have, at once and in two pieces. */
static void test_proxy_says_too_much(void) {
  uint8_t text[2 * WR_RPC_REPLY_MAX];
  memset(text, 'a', sizeof(text));
  memcpy(text, "\x94\x01\x07\xc0\xda\x03\xfa", 7);
  for (size_t first = 1000; first <= 2000; first += 1000) {
    open_session(WR_RPC_PROXY);
    talk(WR_OP_CALL, 1, S);
    wr_rpc_bytes(&s, text, first, S + 10);
    CU_ASSERT_EQUAL(s.op, first == 1000 ? WR_OP_CALL : WR_OP_NONE);
    if (first == 1000)
      wr_rpc_bytes(&s, text + 7, 1000, S + 20);
    is_over();
    became(0, WR_RPC_PROTOCOL, 0, S, first == 1000 ? 20 : 10);
    wr_rpc_session_close(&s);
  }
}

/* A stranger's reply: the channel is emptied, under a msgid of its own, until
 * ours comes or the proxy is quiet. How the emptying ends is not how the call
 * does. */
static void test_proxy_drains(void) {
  static const struct {
    enum wr_rpc_op op;
    int64_t after_us;
    enum wr_rpc_outcome outcome;
  } cases[] = {{WR_OP_CALL, S, WR_RPC_STALE},
               {WR_OP_CALL, AFTER, WR_RPC_STALE}, /* no end in time */
               {WR_OP_CALL, 3000, WR_RPC_CLOSED},
               {WR_OP_CALL, 500000, WR_RPC_CLOSED},
               {WR_OP_DRAIN, S, WR_RPC_OK},
               {WR_OP_DRAIN, AFTER, WR_RPC_OK},
               {WR_OP_DRAIN, 3000, WR_RPC_CRASHED},
               {WR_OP_DRAIN, 500000, WR_RPC_CLOSED}};
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    open_session(WR_RPC_PROXY);
    talk(cases[i].op, 1, S);
    CU_ASSERT_EQUAL(s.out[0], cases[i].op == WR_OP_CALL ? 0x94 : 0x95);
    uint32_t before = s.next_msgid;
    reply(calls[0].msgid + 1, 1, S);
    CU_ASSERT_EQUAL(calls[0].stale, 1);
    wants(WR_WISH_CONNECT, S + AFTER);
    CU_ASSERT_FALSE(s.open); /* that one is given up */
    CU_ASSERT_EQUAL(s.out[0], 0x95);
    CU_ASSERT_NOT_EQUAL(s.next_msgid, before);
    wr_rpc_connected(&s, 0, S);
    if (cases[i].after_us == AFTER)
      wr_rpc_tick(&s, S + AFTER);
    else
      wr_rpc_ended(&s, 0, S + cases[i].after_us);
    is_over();
    became(0, cases[i].outcome, 0, S, cases[i].after_us);
    wr_rpc_session_close(&s);
  }
  open_session(WR_RPC_PROXY); /* ours comes behind it */
  talk(WR_OP_CALL, 1, S);
  reply(calls[0].msgid + 1, 1, S + 10);
  s.wish = WR_WISH_NOTHING;
  wr_rpc_connected(&s, 0, S + 20);
  reply(calls[0].msgid, 5, S + 30);
  is_over();
  wants(WR_WISH_CLOSE, NEVER);
  became(0, WR_RPC_OK, 0, S, 30);
  CU_ASSERT_EQUAL(calls[0].result.u, 5);
  wr_rpc_session_close(&s);
}

/* 64 strangers are dropped, with the next the call is over. */
static void test_proxy_ceiling(void) {
  open_session(WR_RPC_PROXY);
  talk(WR_OP_CALL, 1, S);
  for (unsigned i = 1; i <= 65; i++) {
    CU_ASSERT_EQUAL(s.op, WR_OP_CALL);
    reply(calls[0].msgid + i, 1, S + i);
    CU_ASSERT_EQUAL(calls[0].stale, i);
    if (i <= 64)
      wr_rpc_connected(&s, 0, S + i);
  }
  is_over();
  became(0, WR_RPC_STALE, 0, S, 65);
  wr_rpc_session_close(&s);
}

UNIT_MAIN("session, the m4-proxy", UNIT(test_proxy_ends),
          UNIT(test_proxy_in_the_middle), UNIT(test_proxy_answers),
          UNIT(test_proxy_says_too_much), UNIT(test_proxy_drains),
          UNIT(test_proxy_ceiling))
