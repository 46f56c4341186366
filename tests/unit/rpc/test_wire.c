#define _GNU_SOURCE /* RTLD_NEXT */
#include "tests/unit/rpc/wire_case.h"

/* The second message finds the connection dead: once more, afresh. */
static void test_broken_later(void) {
  play(0, -EPIPE);
  start(WR_RPC_PERSISTENT);
  arrives(w.s.out_len, w.s.out);
  answer();
  unsigned serial = w.serial;
  begin(WR_OP_CALL);
  wr_rpc_wire_serve(&w, clock_us);
  CU_ASSERT_EQUAL(w.serial, serial + 1);
  CU_ASSERT_EQUAL(w.s.op, WR_OP_CALL);
  close(peer);
  peer = -1;
  arrives(w.s.out_len, w.s.out);
  answer();
  end();
}

/* Nothing there after all, and interrupted: the answer still counts. */
static void test_reads_again(void) {
  static const int errors[] = {EAGAIN, EINTR};
  for (size_t i = 0; i < 2; i++) {
    play(0, 0);
    start(WR_RPC_PERSISTENT);
    arrives(w.s.out_len, w.s.out);
    read_error = errors[i];
    wr_rpc_wire_ready(&w, clock_us);
    CU_ASSERT_EQUAL(read_error, 0);
    CU_ASSERT(w.fd >= 0);
    CU_ASSERT_EQUAL(w.s.op, WR_OP_CALL);
    answer();
    end();
  }
}

static void test_broken_while_reading(void) {
  play(0, 0);
  start(WR_RPC_PERSISTENT);
  read_error = ECONNRESET;
  wr_rpc_wire_ready(&w, clock_us);
  CU_ASSERT_EQUAL(call.outcome, WR_RPC_CLOSED);
  CU_ASSERT_EQUAL(call.error, -ECONNRESET);
  CU_ASSERT_EQUAL(w.fd, -1);
  end();
}

static bool asked(void *user, const struct wr_rpc_value *method, char *buf,
                  size_t size, int64_t now_us) {
  (void)method, (void)now_us;
  ++*(int *)user;
  snprintf(buf, size, "ok");
  return true;
}

/* What a look at a connection that rests finds. */
static void test_notification_looks(void) {
  static const int errors[] = {EAGAIN, EINTR, ECONNRESET};
  for (unsigned i = 0; i < 3; i++) {
    play(0, 0);
    start(WR_RPC_PERSISTENT);
    arrives(w.s.out_len, w.s.out);
    answer();
    unsigned serial = w.serial;
    read_error = errors[i];
    begin(WR_OP_NOTIFY);
    wr_rpc_wire_serve(&w, clock_us);
    CU_ASSERT_EQUAL(call.outcome, WR_RPC_OK);
    CU_ASSERT_EQUAL(w.serial, serial + (i == 2));
    end();
  }
}

/* What the peer has sent meanwhile is a sign of life, and stays to be read. */
static void test_notification_beside_bytes(void) {
  int times = 0;
  play(0, 0);
  start(WR_RPC_PERSISTENT);
  w.s.asked = asked;
  w.s.asked_user = &times;
  arrives(w.s.out_len, w.s.out);
  answer();
  unsigned serial = w.serial;
  CU_ASSERT_EQUAL(write(peer, "\x94\x00\x05\xa1x\x90", 6), 6);
  struct pollfd fd = {.fd = w.fd, .events = POLLIN};
  CU_ASSERT_EQUAL(poll(&fd, 1, 30000), 1);
  begin(WR_OP_NOTIFY);
  wr_rpc_wire_serve(&w, clock_us);
  CU_ASSERT_EQUAL(call.outcome, WR_RPC_OK);
  CU_ASSERT_EQUAL(w.serial, serial);
  arrives(13, (const uint8_t *)"\x93\x02\xa9"
                               "flow_rate\x90");
  CU_ASSERT_EQUAL(times, 0);
  ready(POLLIN);
  CU_ASSERT_EQUAL(times, 1);
  arrives(7, (const uint8_t *)"\x94\x01\x05\xc0\xa2ok");
  CU_ASSERT_EQUAL(poll(&fd, 1, 0), 0);
  CU_ASSERT(w.s.open);
  end();
}

/* The peer ends an idle connection just as a call goes out on it: when that is
 * seen the call is on its way again. */
static void test_ended_in_good_order(void) {
  play(0, 0);
  start(WR_RPC_PERSISTENT);
  arrives(w.s.out_len, w.s.out);
  answer();
  unsigned serial = w.serial;
  begin(WR_OP_CALL);
  wr_rpc_wire_serve(&w, clock_us);
  arrives(w.s.out_len, w.s.out);
  close(peer);
  peer = -1;
  ready(POLLIN);
  CU_ASSERT_EQUAL(w.serial, serial + 1);
  arrives(w.s.out_len, w.s.out);
  answer();
  end();
}

/* A notification looks first whether its connection is still there, whatever
 * went wrong elsewhere before. */
static void looks_first(int error) {
  play(0, 0);
  start(WR_RPC_PERSISTENT);
  arrives(w.s.out_len, w.s.out);
  answer();
  unsigned serial = w.serial;
  begin(WR_OP_NOTIFY);
  wr_rpc_wire_serve(&w, clock_us);
  CU_ASSERT_EQUAL(call.outcome, WR_RPC_OK);
  CU_ASSERT_EQUAL(w.serial, serial);
  arrives(13, (const uint8_t *)"\x93\x02\xa9"
                               "flow_rate\x90");
  close(peer); /* in good order: nothing is left to read */
  peer = -1;
  struct pollfd fd = {.fd = w.fd, .events = POLLIN};
  CU_ASSERT_EQUAL(poll(&fd, 1, 30000), 1);
  begin(WR_OP_NOTIFY);
  errno = error;
  wr_rpc_wire_serve(&w, clock_us);
  CU_ASSERT_EQUAL(call.outcome, WR_RPC_OK);
  CU_ASSERT_EQUAL(w.serial, serial + 1);
  arrives(1, (const uint8_t *)"\x93");
  end();
}

static void test_notification(void) {
  looks_first(EAGAIN);
  looks_first(0);
}

/* Two requests of the peer in one piece, and once more: each has its answer. */
static void test_requests_of_the_peer(void) {
  static const char two[] = "\x94\x00\x05\xa1x\x90\x94\x00\x06\xa1y\x90";
  static const char want[] = "\x94\x01\x05\xc0\xa2ok\x94\x01\x06\xc0\xa2ok";
  int times = 0;
  play(0, 0);
  start(WR_RPC_PERSISTENT);
  w.s.asked = asked;
  w.s.asked_user = &times;
  arrives(w.s.out_len, w.s.out);
  for (int i = 0; i < 2; i++) {
    CU_ASSERT_EQUAL(write(peer, two, sizeof(two) - 1), sizeof(two) - 1);
    ready(POLLIN);
    CU_ASSERT_EQUAL(times, 2 * (i + 1));
    CU_ASSERT_EQUAL(w.s.aside_len, 0);
    arrives(sizeof(want) - 1, (const uint8_t *)want);
  }
  answer();
  end();
}

/* An answer that cannot be sent at once is dropped; the next one is not. */
static void test_requests_that_cannot_be_answered(void) {
  static const char one[] = "\x94\x00\x05\xa1x\x90";
  static const char want[] = "\x94\x01\x05\xc0\xa2ok";
  int times = 0;
  play(0, -EAGAIN);
  start(WR_RPC_PERSISTENT);
  w.s.asked = asked;
  w.s.asked_user = &times;
  arrives(w.s.out_len, w.s.out);
  for (int i = 0; i < 2; i++) {
    CU_ASSERT_EQUAL(write(peer, one, sizeof(one) - 1), sizeof(one) - 1);
    ready(POLLIN);
    CU_ASSERT_EQUAL(w.s.aside_len, 0);
  }
  arrives(sizeof(want) - 1, (const uint8_t *)want);
  answer();
  end();
}

UNIT_MAIN("rpc_wire", UNIT(test_broken_later), UNIT(test_reads_again),
          UNIT(test_broken_while_reading), UNIT(test_notification_looks),
          UNIT(test_notification_beside_bytes), UNIT(test_ended_in_good_order),
          UNIT(test_notification), UNIT(test_requests_of_the_peer),
          UNIT(test_requests_that_cannot_be_answered))
