#include "tests/unit/rpc/session_case.h"
#include "tests/unit/unit.h"

#include <errno.h>
#include <string.h>

/* Three calls at once: one cannot be sent, one is answered, one is not. */
static void test_batch(void) {
  open_session(WR_RPC_PERSISTENT);
  memset(calls, 0, sizeof(calls));
  calls[0].method = "a";
  calls[1].method = ""; /* none */
  calls[2].method = "c";
  begin_these(3, S);
  CU_ASSERT_EQUAL(s.out_len, 20);
  CU_ASSERT_EQUAL(s.out[8], 'a');
  CU_ASSERT_EQUAL(s.out[18], 'c');
  wants(WR_WISH_ADDRESS, S + AFTER);
  wr_rpc_tick(&s, S + AFTER - 1); /* harmless */
  wants(WR_WISH_NOTHING, S + AFTER);
  wr_rpc_found(&s, &one, S + 100);
  wants(WR_WISH_CONNECT, S + AFTER);
  CU_ASSERT_EQUAL(s.dials, 1);
  wr_rpc_connected(&s, 0, S + 200);
  wants(WR_WISH_NOTHING, S + AFTER);
  reply(calls[2].msgid + 1, 1, S + 300); /* nobody's */
  CU_ASSERT_EQUAL(calls[0].stale, 1);
  reply(calls[1].msgid, 1, S + 300); /* it was never sent */
  CU_ASSERT_EQUAL(calls[0].stale, 2);
  reply(calls[2].msgid, 5, S + 300);
  CU_ASSERT_EQUAL(calls[2].result.u, 5);
  reply(calls[2].msgid, 6, S + 400); /* twice */
  CU_ASSERT_EQUAL(calls[0].stale, 3);
  CU_ASSERT_EQUAL(calls[2].result.u, 5);
  CU_ASSERT_EQUAL(s.op, WR_OP_CALL);
  wr_rpc_tick(&s, S + AFTER);
  is_over();
  wants(WR_WISH_CLOSE, NEVER);
  became(0, WR_RPC_TIMEOUT, -ETIMEDOUT, S + 100, AFTER);
  became(1, WR_RPC_UNSENDABLE, -EINVAL, S + 100, AFTER);
  became(2, WR_RPC_OK, 0, S + 100, 200);
  CU_ASSERT_EQUAL(calls[2].stale, 0);
  wr_rpc_session_close(&s);
}

/* The connection stays; when it turns out to be dead, once more afresh. */
static void test_connection_is_kept(void) {
  open_session(WR_RPC_PERSISTENT);
  talk(WR_OP_CALL, 1, S);
  reply(calls[0].msgid, 1, S + 300);
  is_over();
  wants(WR_WISH_NOTHING, NEVER);
  became(0, WR_RPC_OK, 0, S, 300);
  CU_ASSERT(s.open);
  begin(WR_OP_CALL, 2, 2 * S);
  wants(WR_WISH_SEND, 2 * S + AFTER);
  wr_rpc_connected(&s, 0, 2 * S + 100);
  CU_ASSERT_EQUAL(calls[1].sent_us, 2 * S);
  wr_rpc_ended(&s, 0, 2 * S + 200);
  wants(WR_WISH_CONNECT, 2 * S + AFTER);
  CU_ASSERT_EQUAL(s.dials, 2);
  CU_ASSERT_FALSE(s.open);
  wr_rpc_connected(&s, 0, 2 * S + 300);
  reply(calls[0].msgid, 1, 2 * S + 400);
  became(0, WR_RPC_OK, 0, 2 * S, 400);
  wr_rpc_ended(&s, 0, 2 * S + 500); /* not a third time */
  became(1, WR_RPC_CLOSED, -ECONNRESET, 2 * S, 500);
  is_over();
  wants(WR_WISH_CLOSE, NEVER);
  wr_rpc_session_close(&s);
}

/* What is no sign of a connection that had ended before. */
static void test_no_second_try(void) {
  static const struct {
    int error;
    enum wr_rpc_outcome outcome;
  } cases[] = {{-ETIMEDOUT, WR_RPC_TIMEOUT},
               {-EBADMSG, WR_RPC_PROTOCOL},
               {0, WR_RPC_CLOSED}};
  for (size_t i = 0; i < 3; i++) {
    open_session(WR_RPC_PERSISTENT);
    talk(WR_OP_CALL, 1, S);
    reply(calls[0].msgid, 1, S);
    begin(WR_OP_CALL, 2, 2 * S);
    s.wish = WR_WISH_NOTHING;
    wr_rpc_connected(&s, 0, 2 * S);
    if (cases[i].error == 0)
      reply(calls[0].msgid, 1, 2 * S); /* it lives */
    if (cases[i].error == -EBADMSG)
      wr_rpc_bytes(&s, "\xc1", 1, 2 * S + 10);
    else if (cases[i].error != 0)
      wr_rpc_tick(&s, 2 * S + AFTER);
    else
      wr_rpc_ended(&s, 0, 2 * S + 10);
    is_over();
    CU_ASSERT_EQUAL(calls[1].outcome, cases[i].outcome);
    CU_ASSERT_EQUAL(s.dials, 1);
    CU_ASSERT_EQUAL(s.wish, WR_WISH_CLOSE);
    wr_rpc_session_close(&s);
  }
}

/* A dead first address leaves half of the time to the second. */
static void test_two_addresses(void) {
  open_session(WR_RPC_PERSISTENT);
  begin(WR_OP_CALL, 1, S);
  wr_rpc_found(&s, &two, S + S / 2);
  CU_ASSERT_EQUAL(s.peer, 0);
  wants(WR_WISH_CONNECT, S + S / 2 + S / 2);
  wr_rpc_tick(&s, 2 * S);
  CU_ASSERT_EQUAL(s.peer, 1);
  wants(WR_WISH_CONNECT, S + AFTER);
  wr_rpc_connected(&s, -EHOSTUNREACH, 2 * S + 100);
  is_over();
  became(0, WR_RPC_UNREACHABLE, -EHOSTUNREACH, 0, S + 100);
  wants(WR_WISH_CLOSE, NEVER);
  begin(WR_OP_CALL, 1, 3 * S); /* the address may have changed */
  wants(WR_WISH_ADDRESS, 3 * S + AFTER);
  wr_rpc_found(&s, &none, 3 * S + 10); /* then those that were known */
  CU_ASSERT_EQUAL(s.peer, 0);
  wants(WR_WISH_CONNECT, 3 * S + 10 + (AFTER - 10) / 2);
  wr_rpc_connected(&s, -ECONNREFUSED, 3 * S + 20);
  wants(WR_WISH_CONNECT, 3 * S + AFTER);
  wr_rpc_tick(&s, 3 * S + AFTER);
  became(0, WR_RPC_TIMEOUT, -ETIMEDOUT, 0, AFTER);
  wr_rpc_session_close(&s);
}

/* Found by the end of its time: the call gets a time of its own. */
static void test_slow_look_up(void) {
  for (int late = 0; late < 2; late++) {
    int64_t at_us = S + AFTER - 1 + late;
    open_session(WR_RPC_PERSISTENT);
    begin(WR_OP_CALL, 1, S);
    wr_rpc_found(&s, &one, at_us);
    CU_ASSERT_EQUAL(s.wish, WR_WISH_CONNECT);
    CU_ASSERT_EQUAL(s.next_us, late ? at_us + AFTER : S + AFTER);
    wr_rpc_session_close(&s);
  }
}

/* Between two operations an answer is kept, no answer changes nothing. */
static void test_look_up_between(void) {
  open_session(WR_RPC_PERSISTENT);
  wr_rpc_found(&s, &none, 0);
  CU_ASSERT_FALSE(s.fresh);
  wr_rpc_found(&s, &one, 0);
  wants(WR_WISH_NOTHING, NEVER);
  wr_rpc_found(&s, &none, 0);
  CU_ASSERT(s.fresh);
  begin(WR_OP_CALL, 1, S);
  wants(WR_WISH_CONNECT, S + AFTER);
  wr_rpc_session_close(&s);
}

/* Nobody answers a notification: the proxy closes, a server is not waited
 * for. */
static void test_notifications(void) {
  open_session(WR_RPC_PROXY);
  talk(WR_OP_NOTIFY, 1, S);
  CU_ASSERT_EQUAL(s.out[0], 0x93);
  CU_ASSERT_EQUAL(s.op, WR_OP_NOTIFY);
  wr_rpc_ended(&s, 0, S + 40);
  became(0, WR_RPC_OK, 0, S, 40);
  talk(WR_OP_NOTIFY, 1, 2 * S);
  reply(calls[0].msgid, 1, 2 * S + 40);
  became(0, WR_RPC_PROTOCOL, 0, 2 * S, 40);
  talk(WR_OP_NOTIFY, 1, 3 * S);
  wr_rpc_tick(&s, 3 * S + AFTER);
  became(0, WR_RPC_TIMEOUT, 0, 3 * S, AFTER);
  wr_rpc_session_close(&s);
  open_session(WR_RPC_PERSISTENT);
  begin(WR_OP_NOTIFY, 1, S);
  CU_ASSERT_EQUAL(s.out[0], 0x93);
  wr_rpc_found(&s, &one, S + 10);
  wants(WR_WISH_CONNECT, S + AFTER);
  wr_rpc_connected(&s, 0, S + 20);
  is_over();
  became(0, WR_RPC_OK, 0, S + 10, 20);
  wants(WR_WISH_NOTHING, NEVER);
  begin(WR_OP_NOTIFY, 1, 2 * S);
  wants(WR_WISH_SEND, 2 * S + AFTER);
  wr_rpc_ended(&s, -EPIPE, 2 * S + 10);
  wants(WR_WISH_CONNECT, 2 * S + AFTER);
  wr_rpc_connected(&s, -ECONNREFUSED, 2 * S + 20);
  became(0, WR_RPC_REFUSED, -ECONNREFUSED, 0, 20);
  begin(WR_OP_NOTIFY, 1, 3 * S);
  wr_rpc_found(&s, &one, 3 * S);
  wr_rpc_ended(&s, -EPIPE, 3 * S + 30);
  became(0, WR_RPC_CLOSED, -EPIPE, 3 * S, 30);
  wr_rpc_session_close(&s);
}

/* Nothing of it can be sent: it is over at once, and an open connection stays.
 * A server has no channel that could be emptied. */
static void test_unsendable(void) {
  open_session(WR_RPC_PERSISTENT);
  memset(calls, 0, sizeof(calls));
  calls[0].method = "";
  begin_these(1, S);
  is_over();
  wants(WR_WISH_CLOSE, NEVER);
  became(0, WR_RPC_UNSENDABLE, -EINVAL, 0, 0);
  talk(WR_OP_CALL, 1, S);
  reply(calls[0].msgid, 1, S);
  calls[0].method = "";
  begin_these(1, S);
  is_over();
  wants(WR_WISH_NOTHING, NEVER);
  CU_ASSERT(s.open);
  begin(WR_OP_DRAIN, 1, S);
  is_over();
  became(0, WR_RPC_OK, 0, 0, 0);
  wr_rpc_session_close(&s);
  open_session(WR_RPC_PROXY);
  calls[0].method = "";
  begin_these(1, S);
  is_over();
  CU_ASSERT_EQUAL(calls[0].outcome, WR_RPC_UNSENDABLE);
  wr_rpc_session_close(&s);
}

/* Nobody is there: what could not have been sent anyway keeps its outcome. */
static void test_unsendable_and_refused(void) {
  open_session(WR_RPC_PERSISTENT);
  memset(calls, 0, sizeof(calls));
  calls[0].method = "";
  calls[1].method = "m";
  begin_these(2, S);
  wr_rpc_found(&s, &one, S);
  wr_rpc_connected(&s, -ECONNREFUSED, S + 10);
  became(0, WR_RPC_UNSENDABLE, -EINVAL, 0, 10);
  became(1, WR_RPC_REFUSED, -ECONNREFUSED, 0, 10);
  wr_rpc_session_close(&s);
}

/* As many calls as it was opened for, each as long as may be. */
static void test_longest_requests(void) {
  char text[300];
  struct wr_rpc_arg arg = {.kind = WR_ARG_TEXT, .text = text};
  memset(text, 'a', sizeof(text));
  text[WR_RPC_REQUEST_MAX - 13] = '\0';
  open_session(WR_RPC_PERSISTENT);
  memset(calls, 0, sizeof(calls));
  for (int i = 0; i < 4; i++)
    calls[i] =
        (struct wr_rpc_call){.method = "m", .args = &arg, .args_count = 1};
  begin_these(4, S);
  CU_ASSERT_EQUAL(s.out_len, 4 * WR_RPC_REQUEST_MAX);
  CU_ASSERT_PTR_EQUAL(s.in, s.out + 4 * WR_RPC_REQUEST_MAX);
  CU_ASSERT_PTR_EQUAL(s.aside, s.in + 2 * WR_RPC_REPLY_MAX);
  s.aside[WR_RPC_ASIDE - 1] = 0; /* ours */
  CU_ASSERT_EQUAL(s.next_us, S + AFTER);
  wr_rpc_session_close(&s);
  CU_ASSERT_PTR_NULL(s.out);
}

/* Cancelled: what has its answer keeps it. */
static void test_cancel(void) {
  open_session(WR_RPC_PERSISTENT);
  talk(WR_OP_CALL, 2, S);
  CU_ASSERT_EQUAL(calls[1].stale, 0);
  reply(calls[0].msgid, 1, S + 10);
  wr_rpc_cancel(&s, S + 20);
  became(0, WR_RPC_OK, 0, S, 10);
  became(1, WR_RPC_CANCELLED, 0, S, 20);
  is_over();
  wants(WR_WISH_CLOSE, NEVER);
  wr_rpc_session_close(&s);
}

/* Nobody has asked for anything: a stray reply is dropped, what is no message
 * ends the connection, and so does the peer. */
static void test_between_operations(void) {
  open_session(WR_RPC_PERSISTENT);
  talk(WR_OP_CALL, 1, S);
  reply(calls[0].msgid, 1, S);
  reply(77, 1, S);
  CU_ASSERT(s.open);
  wants(WR_WISH_NOTHING, NEVER);
  wr_rpc_tick(&s, NEVER - 1);
  wants(WR_WISH_NOTHING, NEVER);
  wr_rpc_bytes(&s, "\xc1", 1, S);
  CU_ASSERT_FALSE(s.open);
  wants(WR_WISH_CLOSE, NEVER);
  talk(WR_OP_CALL, 1, 2 * S);
  reply(calls[0].msgid, 1, 2 * S);
  wr_rpc_ended(&s, 0, 2 * S);
  CU_ASSERT_FALSE(s.open);
  wants(WR_WISH_CLOSE, NEVER);
  wr_rpc_session_close(&s);
}

/* More in one piece than the buffer holds, message by message. */
static void test_many_messages(void) {
  static uint8_t bytes[5000];
  open_session(WR_RPC_PERSISTENT);
  talk(WR_OP_CALL, 1, S);
  size_t len = 0;
  for (; len + 6 <= sizeof(bytes) - 9; len += 6) /* [2, "m", []] */
    memcpy(bytes + len, "\x93\x02\xa1m\x91\xc0", 6);
  memset(s.aside, 7, WR_RPC_ASIDE);
  wr_rpc_bytes(&s, bytes, len - 3, S); /* ends in the middle */
  for (size_t i = 0; i < WR_RPC_ASIDE; i++)
    CU_ASSERT_EQUAL_FATAL(s.aside[i], 7);
  CU_ASSERT_EQUAL(s.op, WR_OP_CALL);
  CU_ASSERT_EQUAL(s.in_len, 3);
  wr_rpc_bytes(&s, bytes + 3, 3, S);
  CU_ASSERT_EQUAL(s.in_len, 0);
  reply(calls[0].msgid, 1, S + 10);
  became(0, WR_RPC_OK, 0, S, 10);
  wr_rpc_session_close(&s);
}

static bool knows_x(void *user, const struct wr_rpc_value *method, char *buf,
                    size_t size, int64_t now_us) {
  CU_ASSERT_PTR_EQUAL(user, &s);
  CU_ASSERT_EQUAL(now_us, S + 5);
  snprintf(buf, size, "yes");
  return method->len == 1 && method->data[0] == 'x';
}

/* Requests of the peer: answered, as many as there is room for. */
static void test_requests_of_the_peer(void) {
  static const char known[] = "\x94\x00\x05\xa1x\x90";
  static const char unknown[] = "\x94\x00\x06\xa1y\x90";
  static const char no_text[] = "\x94\x00\x07\x01\x90";
  open_session(WR_RPC_PERSISTENT);
  talk(WR_OP_CALL, 1, S);
  wr_rpc_bytes(&s, known, 6, S + 5); /* there is none who answers */
  CU_ASSERT_EQUAL(s.aside_len, 19);
  CU_ASSERT_EQUAL(memcmp(s.aside, "\x94\x01\x05\xaeno such method\xc0", 19), 0);
  s.aside_len = 0;
  s.asked = knows_x;
  s.asked_user = &s;
  wr_rpc_bytes(&s, known, 6, S + 5);
  CU_ASSERT_EQUAL(s.aside_len, 8);
  CU_ASSERT_EQUAL(memcmp(s.aside, "\x94\x01\x05\xc0\xa3yes", 8), 0);
  wr_rpc_bytes(&s, unknown, 6, S + 5);
  CU_ASSERT_EQUAL(s.aside_len, 8 + 19);
  wr_rpc_bytes(&s, no_text, 5, S + 5); /* dropped */
  CU_ASSERT_EQUAL(s.aside_len, 8 + 19);
  s.aside_len = WR_RPC_ASIDE - WR_RPC_REQUEST_MAX;
  wr_rpc_bytes(&s, known, 6, S + 5);
  CU_ASSERT_EQUAL(s.aside_len, WR_RPC_ASIDE - WR_RPC_REQUEST_MAX + 8);
  wr_rpc_bytes(&s, known, 6, S + 5); /* full: dropped */
  CU_ASSERT_EQUAL(s.aside_len, WR_RPC_ASIDE - WR_RPC_REQUEST_MAX + 8);
  CU_ASSERT_EQUAL(s.op, WR_OP_CALL);
  CU_ASSERT_EQUAL(calls[0].stale, 0);
  wr_rpc_session_close(&s);
}

UNIT_MAIN("session, its steps", UNIT(test_batch), UNIT(test_connection_is_kept),
          UNIT(test_no_second_try), UNIT(test_two_addresses),
          UNIT(test_slow_look_up), UNIT(test_look_up_between),
          UNIT(test_notifications), UNIT(test_unsendable),
          UNIT(test_unsendable_and_refused), UNIT(test_longest_requests),
          UNIT(test_cancel), UNIT(test_between_operations),
          UNIT(test_many_messages), UNIT(test_requests_of_the_peer))
