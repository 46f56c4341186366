#include "tests/unit/unit.h"

#include "tests/unit/rpc/rpc_peer.h"

#include <stdio.h>

#define COUNT(steps) (sizeof(steps) / sizeof((steps)[0]))
#define BYTE(value) .body = "\xc0" value, .len = 2
/* The clock goes far past every deadline, and a notification, which is no
 * answer, wakes who waits. */
#define LATE                                                                   \
  .what = PEER_RAW, .body = "\x93\x02\xa1y\x90", .len = 5, .later_us = 300000000

static double number(const struct wr_rpc_call *c) {
  double n = -1;
  return wr_rpc_number(&c->result, &n) == 0 ? n : -1;
}

static struct wr_rpc_client *client_of(const struct peer *p) {
  struct wr_rpc_options o = peer_options(p, WR_RPC_PERSISTENT);
  return wr_rpc_client_new(&o);
}

static void test_one_connection(void) {
  struct peer_step steps[PEER_REQUESTS];
  for (size_t i = 0; i < COUNT(steps); i++)
    steps[i] = (struct peer_step){.what = PEER_REPLY};
  struct peer *p = peer_start(steps, COUNT(steps));
  struct wr_rpc_client *c = client_of(p);
  for (size_t i = 0; i < COUNT(steps); i++) {
    struct wr_rpc_call call = {.method = "flow_rate"};
    wr_rpc_call(c, &call, 1);
    CU_ASSERT_EQUAL_FATAL(call.outcome, WR_RPC_OK);
  }
  CU_ASSERT_EQUAL(p->accepted, 1);
  int error = -1;
  CU_ASSERT_PTR_NULL(wr_rpc_client_lock(c, &error));
  wr_rpc_client_free(c);
  peer_stop(p);
}

/* The first two replies come in the wrong order, the third in pieces. */
static void test_batch_out_of_order(void) {
  const struct peer_step steps[] = {{.what = PEER_RELAY, BYTE("\x05")},
                                    {.what = PEER_REPLY, .split = true}};
  struct peer *p = peer_start(steps, COUNT(steps));
  struct wr_rpc_client *c = client_of(p);
  struct wr_rpc_call calls[3] = {
      {.method = "a"}, {.method = "b"}, {.method = "c"}};
  wr_rpc_call(c, calls, 3);
  for (int i = 0; i < 3; i++) {
    CU_ASSERT_EQUAL(calls[i].outcome, WR_RPC_OK);
    CU_ASSERT_EQUAL(calls[i].stale, 0);
  }
  CU_ASSERT_EQUAL(number(calls + 0), 5);
  CU_ASSERT_EQUAL(number(calls + 1), 5);
  CU_ASSERT_EQUAL(number(calls + 2), 12.5);
  wr_rpc_client_free(c);
  peer_stop(p);
}

/* One of two is never answered: the other one's reading stands. */
static void test_batch_with_a_mute_method(void) {
  const struct peer_step steps[] = {{.what = PEER_REPLY}, {LATE}};
  struct peer *p = peer_start(steps, COUNT(steps));
  struct wr_rpc_client *c = client_of(p);
  struct wr_rpc_call calls[2] = {{.method = "a"}, {.method = "b"}};
  wr_rpc_call(c, calls, 2);
  CU_ASSERT_EQUAL(calls[0].outcome, WR_RPC_OK);
  CU_ASSERT_EQUAL(calls[1].outcome, WR_RPC_TIMEOUT);
  wr_rpc_client_free(c);
  peer_stop(p);
}

static void test_foreign_messages(void) {
  const struct peer_step steps[] = {
      {.what = PEER_RAW, /* a request, a notification, a reply to nobody */
       .body = "\x94\x00\x01\xa1x\x90\x93\x02\xa1y\x90\x94\x01\x01\xc0\xc0",
       .len = 16},
      {.what = PEER_REPLY, .close = true}};
  struct peer *p = peer_start(steps, COUNT(steps));
  struct wr_rpc_client *c = client_of(p);
  struct wr_rpc_call calls[2] = {{.method = "a"}, {.method = "b"}};
  wr_rpc_call(c, calls, 2);
  CU_ASSERT_EQUAL(calls[0].outcome, WR_RPC_CLOSED);
  CU_ASSERT_EQUAL(calls[1].outcome, WR_RPC_OK);
  CU_ASSERT_EQUAL(calls[0].stale, 1);
  CU_ASSERT_EQUAL(calls[1].stale, 0);
  wr_rpc_client_free(c);
  peer_stop(p);
}

/* A server that closed the idle connection is asked once more, at once. */
static void test_reconnects(void) {
  const struct peer_step steps[] = {{.what = PEER_REPLY, .close = true},
                                    {.what = PEER_REPLY, .close = true},
                                    {.what = PEER_REPLY}};
  struct peer *p = peer_start(steps, COUNT(steps));
  struct wr_rpc_client *c = client_of(p);
  for (int i = 0; i < 3; i++) {
    struct wr_rpc_call call = {.method = "flow_rate"};
    wr_rpc_call(c, &call, 1);
    CU_ASSERT_EQUAL(call.outcome, WR_RPC_OK);
  }
  CU_ASSERT_EQUAL(p->accepted, 3);
  wr_rpc_client_free(c);
  peer_stop(p);
}

/* After a timeout the connection is given up; a late reply dies with it. */
static void test_late_reply_is_lost(void) {
  const struct peer_step steps[] = {{LATE}, {.what = PEER_REPLY, BYTE("\x06")}};
  struct peer *p = peer_start(steps, COUNT(steps));
  struct wr_rpc_client *c = client_of(p);
  struct wr_rpc_call call = {.method = "flow_rate"};
  wr_rpc_call(c, &call, 1);
  CU_ASSERT_EQUAL(call.outcome, WR_RPC_TIMEOUT);
  wr_rpc_client_free(c);
  c = client_of(p);
  wr_rpc_call(c, &call, 1);
  CU_ASSERT_EQUAL(call.outcome, WR_RPC_OK);
  CU_ASSERT_EQUAL(number(&call), 6);
  CU_ASSERT_EQUAL(call.stale, 0);
  wr_rpc_client_free(c);
  peer_stop(p);
}

/* More than the buffer holds, whole and broken. */
static void test_too_much(void) {
  static char big[2000];
  memcpy(big, "\xc0\xda\x07\xd0", 4); /* a text of 2000 bytes */
  const struct peer_step s = {
      .what = PEER_REPLY, .body = big, .len = sizeof(big)};
  struct peer *p = peer_start(&s, 1);
  struct wr_rpc_client *c = client_of(p);
  struct wr_rpc_call call = {.method = "flow_rate"};
  wr_rpc_call(c, &call, 1);
  CU_ASSERT_EQUAL(call.outcome, WR_RPC_PROTOCOL);
  wr_rpc_client_free(c);
  peer_stop(p);
}

static void test_notify(void) {
  const struct peer_step steps[] = {{.what = PEER_KEEP}, {.what = PEER_REPLY}};
  struct peer *p = peer_start(steps, COUNT(steps));
  struct wr_rpc_client *c = client_of(p);
  struct wr_rpc_call call = {.method = "m"};
  wr_rpc_notify(c, &call);
  CU_ASSERT_EQUAL(call.outcome, WR_RPC_OK);
  wr_rpc_call(c, &call, 1);
  CU_ASSERT_EQUAL(call.outcome, WR_RPC_OK);
  CU_ASSERT_EQUAL(p->accepted, 1);
  CU_ASSERT_EQUAL(p->requests[0].bytes[0], 0x93);
  wr_rpc_client_free(c);
  peer_stop(p);
}

UNIT_MAIN("persistent", UNIT(test_one_connection),
          UNIT(test_batch_out_of_order), UNIT(test_batch_with_a_mute_method),
          UNIT(test_foreign_messages), UNIT(test_reconnects),
          UNIT(test_late_reply_is_lost), UNIT(test_too_much), UNIT(test_notify))
