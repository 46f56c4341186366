/* session_case: a session step by step: what it wants next, until when, and
 * what each call has become. Instants are in microseconds; a call may take
 * 1.5 s. */
#ifndef WEIR_TESTS_SESSION_CASE_H
#define WEIR_TESTS_SESSION_CASE_H

#include "lib/rpc/session.h"
#include "tests/unit/unit.h"

#include <arpa/inet.h>
#include <string.h>

#define S 1000000LL
#define AFTER (3 * S / 2)
#define NEVER INT64_MAX

static struct wr_rpc_session s;
static struct wr_rpc_call calls[4];
static size_t used; /* of them, by the operation */
static const struct wr_rpc_peers one = {.count = 1}, two = {.count = 2},
                                 none = {.count = 0};

static inline void open_session(enum wr_rpc_mode mode) {
  CU_ASSERT_EQUAL_FATAL(wr_rpc_session_open(&s, mode, 1500, 7, 4), 0);
}

/* As the test has made them. */
static inline void begin_these(size_t count, int64_t now_us) {
  used = count;
  wr_rpc_begin(&s, WR_OP_CALL, calls, count, now_us);
}

/* Whatever the calls held before. */
static inline void begin(enum wr_rpc_op op, size_t count, int64_t now_us) {
  memset(calls, 0, sizeof(calls));
  memset(calls, 1, count * sizeof(calls[0]));
  for (size_t i = 0; i < count; i++) {
    calls[i].method = "m";
    calls[i].args_count = 0;
  }
  used = count;
  wr_rpc_begin(&s, op, calls, count, now_us);
}

/* What it wishes, which is then taken up, and when it wants to be told. */
static inline void wants(enum wr_rpc_wish wish, int64_t next_us) {
  CU_ASSERT_EQUAL(s.wish, wish);
  CU_ASSERT_EQUAL(s.next_us, next_us);
  s.wish = WR_WISH_NOTHING;
}

static inline void became(size_t i, enum wr_rpc_outcome outcome, int error,
                          int64_t sent_us, int64_t took_us) {
  CU_ASSERT_EQUAL(calls[i].outcome, outcome);
  CU_ASSERT_EQUAL(calls[i].error, error);
  CU_ASSERT_EQUAL(calls[i].sent_us, sent_us);
  CU_ASSERT_EQUAL(calls[i].took_us, took_us);
  CU_ASSERT_FALSE(calls[i].unlocked);
  CU_ASSERT(outcome == WR_RPC_OK || calls[i].result.kind == WR_RPC_NIL);
}

/* And the calls that are not its own were left alone. */
static inline void is_over(void) {
  static const struct wr_rpc_call untouched;
  for (size_t i = used; i < 4; i++)
    CU_ASSERT_EQUAL(memcmp(calls + i, &untouched, sizeof(untouched)), 0);
  CU_ASSERT_EQUAL(s.op, WR_OP_NONE);
  CU_ASSERT_EQUAL(s.out_len, 0);
  CU_ASSERT_PTR_NULL(s.calls);
}

/* The answer `result`, one byte, to this msgid. */
static inline void reply(uint32_t msgid, char result, int64_t now_us) {
  uint8_t bytes[] = "\x94\x01\xce????\xc0?";
  msgid = htonl(msgid);
  memcpy(bytes + 3, &msgid, sizeof(msgid));
  bytes[8] = (uint8_t)result;
  wr_rpc_bytes(&s, bytes, 9, now_us);
}

/* As far as an open connection on which all was sent, from `now_us` on. */
static inline void talk(enum wr_rpc_op op, size_t count, int64_t now_us) {
  begin(op, count, now_us);
  if (s.wish == WR_WISH_ADDRESS)
    wr_rpc_found(&s, &one, now_us);
  if (s.wish == WR_WISH_LOCK)
    wr_rpc_locked(&s, true, now_us);
  s.wish = WR_WISH_NOTHING;
  wr_rpc_connected(&s, 0, now_us);
}

#endif
