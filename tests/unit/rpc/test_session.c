#include "tests/unit/unit.h"

#include "lib/rpc/session.h"

#include <errno.h>
#include <string.h>

#define S 1000000LL

static struct wr_rpc_session s;
static struct wr_rpc_call call;
static const struct wr_rpc_peers one = {.count = 1}, none = {.count = 0};

static void begin(enum wr_rpc_mode mode, int64_t now_us) {
  if (s.out == NULL)
    CU_ASSERT_EQUAL_FATAL(wr_rpc_session_open(&s, mode, 1500, 7, 1), 0);
  call = (struct wr_rpc_call){.method = "m"};
  wr_rpc_begin(&s, WR_OP_CALL, &call, 1, now_us);
}

static enum wr_rpc_wish wish(void) {
  enum wr_rpc_wish w = s.wish;
  s.wish = WR_WISH_NOTHING;
  return w;
}

static void end(void) {
  wr_rpc_session_close(&s);
  s = (struct wr_rpc_session){.out = NULL};
}

/* A name server that takes longer than a call: the answer serves the next. */
static void test_late_answer_of_a_look_up(void) {
  begin(WR_RPC_PERSISTENT, 0);
  CU_ASSERT_EQUAL(wish(), WR_WISH_ADDRESS);
  CU_ASSERT_EQUAL(s.next_us, 3 * S / 2);
  wr_rpc_tick(&s, 3 * S / 2);
  CU_ASSERT_EQUAL(call.outcome, WR_RPC_UNRESOLVED);
  CU_ASSERT_EQUAL(s.op, WR_OP_NONE);
  wr_rpc_found(&s, &one, 2 * S);
  begin(WR_RPC_PERSISTENT, 3 * S);
  CU_ASSERT_EQUAL(wish(), WR_WISH_CONNECT);
  end();
}

/* It fails once more: what was known before serves, and an answer that comes
 * in the middle of that call leaves it alone. */
static void test_known_address_serves(void) {
  begin(WR_RPC_PERSISTENT, 0);
  wish();
  wr_rpc_found(&s, &one, 0);
  CU_ASSERT_EQUAL(wish(), WR_WISH_CONNECT);
  wr_rpc_connected(&s, -ECONNREFUSED, 10);
  CU_ASSERT_EQUAL(call.outcome, WR_RPC_REFUSED);
  begin(WR_RPC_PERSISTENT, S);
  CU_ASSERT_EQUAL(wish(), WR_WISH_ADDRESS);
  wr_rpc_tick(&s, 3 * S);
  CU_ASSERT_EQUAL(wish(), WR_WISH_CONNECT);
  wr_rpc_found(&s, &one, 3 * S + 10);
  wr_rpc_found(&s, &none, 3 * S + 20);
  CU_ASSERT_EQUAL(wish(), WR_WISH_NOTHING);
  wr_rpc_connected(&s, 0, 3 * S + 30);
  CU_ASSERT_EQUAL(s.op, WR_OP_CALL);
  wr_rpc_ended(&s, 0, 3 * S + 40);
  CU_ASSERT_EQUAL(call.outcome, WR_RPC_CLOSED);
  end();
}

/* The wait for the lock is not part of the timeout. */
static void test_lock_has_its_own_time(void) {
  begin(WR_RPC_PROXY, 0);
  wish();
  wr_rpc_found(&s, &one, 0);
  CU_ASSERT_EQUAL(wish(), WR_WISH_LOCK);
  wr_rpc_tick(&s, 60 * S);
  CU_ASSERT_EQUAL(s.op, WR_OP_CALL);
  wr_rpc_locked(&s, false, 60 * S);
  CU_ASSERT(call.unlocked);
  CU_ASSERT_EQUAL(wish(), WR_WISH_CONNECT);
  wr_rpc_connected(&s, 0, 60 * S);
  CU_ASSERT_EQUAL(s.next_us, 61 * S + S / 2);
  wr_rpc_ended(&s, 0, 61 * S + 500);
  CU_ASSERT_EQUAL(call.outcome, WR_RPC_SILENT);
  CU_ASSERT_EQUAL(wish(), WR_WISH_CLOSE);
  end();
}

/* Slow to connect is not slow to answer: the crash counts from the request. */
static void test_far_away(void) {
  begin(WR_RPC_PROXY, 0);
  wr_rpc_found(&s, &one, 0);
  wr_rpc_locked(&s, true, 0);
  wr_rpc_connected(&s, 0, S);
  wr_rpc_ended(&s, 0, S + 3000);
  CU_ASSERT_EQUAL(call.outcome, WR_RPC_CRASHED);
  end();
}

static void test_cancel(void) {
  begin(WR_RPC_PROXY, 0);
  wr_rpc_cancel(&s, 10);
  CU_ASSERT_EQUAL(call.outcome, WR_RPC_CANCELLED);
  CU_ASSERT_EQUAL(wish(), WR_WISH_CLOSE);
  wr_rpc_bytes(&s, "\xc0", 1, 20); /* harmless */
  wr_rpc_tick(&s, S);
  CU_ASSERT_EQUAL(wish(), WR_WISH_NOTHING);
  end();
}

UNIT_MAIN("session", UNIT(test_late_answer_of_a_look_up),
          UNIT(test_known_address_serves), UNIT(test_lock_has_its_own_time),
          UNIT(test_far_away), UNIT(test_cancel))
