/* What an operation leaves to the next one, and what it leaves alone. */
#include "tests/unit/rpc/session_case.h"
#include "tests/unit/unit.h"

#include <errno.h>

/* An answer that comes while the connection is open is not its business. */
static void test_answer_in_the_middle(void) {
  open_session(WR_RPC_PERSISTENT);
  talk(WR_OP_CALL, 1, S);
  for (int again = 0; again < 2; again++) {
    wr_rpc_found(&s, &two, S + 10);
    CU_ASSERT_EQUAL(s.peers.count, 1);
    wr_rpc_found(&s, &none, S + 20);
    CU_ASSERT(s.fresh);
    CU_ASSERT(s.open);
    wants(WR_WISH_NOTHING, S + AFTER);
    reply(calls[0].msgid, 1, S + 30);
    is_over();
    talk(WR_OP_CALL, 1, S);
  }
  wr_rpc_session_close(&s);
}

/* A channel that is empty from the start; and draining ends with its
 * operation: an early end of the next call is a crash again. */
static void test_drain_of_nothing(void) {
  open_session(WR_RPC_PROXY);
  CU_ASSERT_PTR_NULL(s.in); /* that is for a connection that is kept */
  CU_ASSERT_PTR_NULL(s.aside);
  talk(WR_OP_DRAIN, 1, S);
  CU_ASSERT_EQUAL(s.out[0], 0x95);
  wr_rpc_ended(&s, 0, 2 * S);
  is_over();
  became(0, WR_RPC_OK, 0, S, S);
  CU_ASSERT_EQUAL(calls[0].stale, 0);
  talk(WR_OP_CALL, 1, 3 * S);
  wr_rpc_ended(&s, 0, 3 * S + 10);
  became(0, WR_RPC_CRASHED, 0, 3 * S, 10);
  wr_rpc_session_close(&s);
}

/* Cancelled while the name is looked up: the next call looks it up anew. */
static void test_cancelled_look_up(void) {
  open_session(WR_RPC_PERSISTENT);
  begin(WR_OP_CALL, 1, S);
  wants(WR_WISH_ADDRESS, S + AFTER);
  wr_rpc_cancel(&s, S + 10);
  became(0, WR_RPC_CANCELLED, 0, 0, 10);
  wr_rpc_found(&s, &none, S + 20);
  CU_ASSERT_FALSE(s.fresh);
  wants(WR_WISH_CLOSE, NEVER);
  begin(WR_OP_CALL, 1, 2 * S);
  wants(WR_WISH_ADDRESS, 2 * S + AFTER);
  wr_rpc_cancel(&s, 2 * S + 10);
  wr_rpc_found(&s, &one, 2 * S + 20);
  wants(WR_WISH_CLOSE, NEVER);
  begin(WR_OP_CALL, 1, 3 * S);
  wants(WR_WISH_CONNECT, 3 * S + AFTER);
  wr_rpc_session_close(&s);
}

/* Bytes that come before a notification has gone out do not end it. */
static void test_notification_that_waits(void) {
  open_session(WR_RPC_PERSISTENT);
  talk(WR_OP_CALL, 1, S);
  reply(calls[0].msgid, 1, S);
  begin(WR_OP_NOTIFY, 1, 2 * S);
  reply(77, 1, 2 * S + 10);
  CU_ASSERT_EQUAL(s.op, WR_OP_NOTIFY);
  wants(WR_WISH_SEND, 2 * S + AFTER);
  wr_rpc_connected(&s, 0, 2 * S + 20);
  is_over();
  became(0, WR_RPC_OK, 0, 2 * S, 20);
  CU_ASSERT_EQUAL(calls[0].stale, 0);
  wr_rpc_session_close(&s);
}

/* The call beside its own may look as if it waited: it is not looked at. */
static void test_neighbour(void) {
  open_session(WR_RPC_PERSISTENT);
  talk(WR_OP_CALL, 1, S);
  calls[1] = calls[0];
  calls[1].msgid++;
  reply(calls[1].msgid, 1, S + 5);
  CU_ASSERT_EQUAL(calls[0].stale, 1);
  CU_ASSERT_EQUAL(calls[1].stale, 0);
  CU_ASSERT_EQUAL(calls[1].outcome, WR_RPC_TIMEOUT);
  reply(calls[0].msgid, 1, S + 10);
  CU_ASSERT_EQUAL(s.op, WR_OP_NONE);
  CU_ASSERT_EQUAL(calls[0].outcome, WR_RPC_OK);
  CU_ASSERT_EQUAL(calls[1].outcome, WR_RPC_TIMEOUT);
  talk(WR_OP_CALL, 1, S);
  calls[1] = calls[0];
  wr_rpc_ended(&s, 0, S + 10); /* once more, as it was open before */
  wr_rpc_connected(&s, 0, S + 20);
  wr_rpc_ended(&s, 0, S + 30);
  CU_ASSERT_EQUAL(s.op, WR_OP_NONE);
  CU_ASSERT_EQUAL(calls[0].outcome, WR_RPC_CLOSED);
  CU_ASSERT_EQUAL(calls[1].outcome, WR_RPC_TIMEOUT);
  CU_ASSERT_EQUAL(calls[1].error, 0);
  wr_rpc_session_close(&s);
}

/* Connected to the first of two: the call has its whole time. */
static void test_first_of_two(void) {
  open_session(WR_RPC_PERSISTENT);
  begin(WR_OP_CALL, 1, S);
  wr_rpc_found(&s, &two, S);
  wants(WR_WISH_CONNECT, S + AFTER / 2);
  wr_rpc_connected(&s, 0, S + 10);
  wants(WR_WISH_NOTHING, S + AFTER);
  wr_rpc_session_close(&s);
}

/* An error that only looks like the router's "nobody knows this method". */
static void test_errors_of_others(void) {
  static const struct {
    const char *error;
    size_t len;
    enum wr_rpc_outcome outcome;
  } cases[] = {{"\x92\x02\xa2no", 5, WR_RPC_UNROUTED},
               {"\x92\x03\xa2no", 5, WR_RPC_REMOTE},
               {"\x92\xa2no\xa2no", 7, WR_RPC_REMOTE}, /* 2 bytes of text */
               {"\x92\xa2no\x02", 5, WR_RPC_REMOTE},
               {"\x91\x02", 2, WR_RPC_REMOTE},
               {"\x93\x02\xa2no\xc0", 6, WR_RPC_REMOTE},
               {"\x82\x02\x02\x02\x02", 5, WR_RPC_REMOTE},
               {"\xa2no", 3, WR_RPC_REMOTE}};
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    uint8_t bytes[32] = "\x94\x01\xce";
    open_session(WR_RPC_PERSISTENT);
    talk(WR_OP_CALL, 1, S);
    uint32_t msgid = htonl(calls[0].msgid);
    memcpy(bytes + 3, &msgid, sizeof(msgid));
    memcpy(bytes + 7, cases[i].error, cases[i].len);
    bytes[7 + cases[i].len] = 0xc0;
    wr_rpc_bytes(&s, bytes, 8 + cases[i].len, S + 10);
    is_over();
    CU_ASSERT_EQUAL(calls[0].outcome, cases[i].outcome);
    CU_ASSERT_EQUAL(calls[0].took_us, 10);
    wr_rpc_session_close(&s);
  }
}

UNIT_MAIN("session, its rests", UNIT(test_answer_in_the_middle),
          UNIT(test_drain_of_nothing), UNIT(test_cancelled_look_up),
          UNIT(test_notification_that_waits), UNIT(test_neighbour),
          UNIT(test_first_of_two), UNIT(test_errors_of_others))
