/* How a connection comes about, or does not, and what is sent first. */
#define _GNU_SOURCE /* RTLD_NEXT */
#include "tests/unit/rpc/wire_case.h"

static void test_interrupted(void) {
  play(-EINTR, 0);
  start(WR_RPC_PERSISTENT);
  CU_ASSERT_FALSE(w.sending);
  CU_ASSERT(w.s.open);
  arrives(w.s.out_len, w.s.out);
  answer();
  end();
}

/* Not connected yet, and in pieces: it waits, and nothing is sent twice. */
static void waits(int error) {
  play(error, 5);
  start(WR_RPC_PERSISTENT);
  CU_ASSERT(w.sending);
  CU_ASSERT_FALSE(w.s.open);
  CU_ASSERT_EQUAL(w.out_at, 0);
  script[2] = -EAGAIN;
  ready(POLLOUT);
  CU_ASSERT(w.sending);
  CU_ASSERT_EQUAL(w.out_at, 5);
  ready(POLLOUT);
  CU_ASSERT_FALSE(w.sending);
  CU_ASSERT(w.s.open);
  arrives(w.s.out_len, w.s.out);
  char more;
  CU_ASSERT_EQUAL(recv(peer, &more, 1, MSG_DONTWAIT), -1);
  answer();
  end();
}

static void test_waits(void) {
  waits(-EAGAIN);
  waits(-ENOTCONN);
}

static void test_broken_while_connecting(void) {
  play(-ECONNRESET, 0);
  start(WR_RPC_PERSISTENT);
  CU_ASSERT_EQUAL(w.s.op, WR_OP_NONE);
  CU_ASSERT_EQUAL(call.outcome, WR_RPC_CLOSED);
  CU_ASSERT_EQUAL(call.error, -ECONNRESET);
  CU_ASSERT_EQUAL(w.fd, -1);
  end();
}

/* The m4-proxy would misread a message in two pieces. */
static void test_never_in_pieces(void) {
  play(3, 0);
  start(WR_RPC_PROXY);
  CU_ASSERT_EQUAL(w.s.op, WR_OP_NONE);
  CU_ASSERT_EQUAL(call.error, -EIO);
  CU_ASSERT_EQUAL(w.fd, -1);
  end();
}

/* Nothing waits in a call of the system, and no child inherits it. */
static void test_flags(void) {
  play(0, 0);
  start(WR_RPC_PROXY);
  CU_ASSERT(fcntl(w.fd, F_GETFL) & O_NONBLOCK);
  CU_ASSERT_EQUAL(fcntl(w.fd, F_GETFD), FD_CLOEXEC);
  end();
}

/* Another connection is made in the place of the first, also of one that is
 * not there yet; without any the socket goes as well. */
static void test_one_socket(void) {
  play(-ENOTCONN, 0);
  start(WR_RPC_PROXY);
  int files = unit_open_files();
  for (int i = 0; i < 2; i++) {
    CU_ASSERT_EQUAL(w.sending, i == 0);
    w.s.wish = WR_WISH_CONNECT;
    wr_rpc_wire_serve(&w, clock_us);
    CU_ASSERT_EQUAL(w.serial, 2 + i);
    CU_ASSERT_EQUAL(unit_open_files(), files);
  }
  play(-ENOTCONN, 0);
  w.s.wish = WR_WISH_CONNECT;
  wr_rpc_wire_serve(&w, clock_us);
  CU_ASSERT(w.sending);
  wr_rpc_cancel(&w.s, 0);
  wr_rpc_wire_serve(&w, clock_us);
  CU_ASSERT_EQUAL(w.s.wish, WR_WISH_NOTHING);
  CU_ASSERT_EQUAL(w.fd, -1);
  CU_ASSERT_FALSE(w.sending);
  CU_ASSERT_EQUAL(unit_open_files(), files - 1);
  end();
}

/* A server that keeps the connection gets each message at once. */
static void test_no_delay(void) {
  for (int proxy = 0; proxy < 2; proxy++) {
    int on = -1;
    socklen_t len = sizeof(on);
    play(0, 0);
    start(proxy ? WR_RPC_PROXY : WR_RPC_PERSISTENT);
    CU_ASSERT_EQUAL_FATAL(getsockopt(w.fd, IPPROTO_TCP, TCP_NODELAY, &on, &len),
                          0);
    CU_ASSERT_EQUAL(on != 0, !proxy);
    end();
  }
}

/* How a connection ends that does not come about. */
static void test_no_connection(void) {
  static const struct {
    int error, told;
    enum wr_rpc_outcome outcome;
  } cases[] = {{ECONNREFUSED, -ECONNREFUSED, WR_RPC_REFUSED},
               {EHOSTUNREACH, -EHOSTUNREACH, WR_RPC_UNREACHABLE},
               {EAGAIN, -ETIMEDOUT, WR_RPC_TIMEOUT}}; /* a full queue */
  for (size_t i = 0; i < 3; i++) {
    play(0, 0);
    connect_error = cases[i].error;
    start(WR_RPC_PERSISTENT);
    connect_error = 0;
    CU_ASSERT_EQUAL(w.s.op, WR_OP_NONE);
    CU_ASSERT_EQUAL(call.outcome, cases[i].outcome);
    CU_ASSERT_EQUAL(call.error, cases[i].told);
    CU_ASSERT_EQUAL(w.fd, -1);
    CU_ASSERT_EQUAL(w.serial, 1);
    end();
  }
  play(-ENOTCONN, 0); /* on its way, and then refused */
  connect_error = EINPROGRESS;
  start(WR_RPC_PERSISTENT);
  connect_error = 0;
  CU_ASSERT(w.sending);
  close(listener);
  struct sockaddr_in nobody = {.sin_family = AF_INET,
                               .sin_port = htons(1),
                               .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  CU_ASSERT_EQUAL(connect(w.fd, (struct sockaddr *)&nobody, sizeof(nobody)),
                  -1);
  ready(POLLOUT);
  CU_ASSERT_EQUAL(w.s.op, WR_OP_NONE);
  CU_ASSERT(call.outcome == WR_RPC_REFUSED || call.outcome == WR_RPC_CLOSED);
  listener = -1;
  end();
}

/* Without descriptors there is no connection, and the next call has one. */
static void test_no_socket(void) {
  play(0, 0);
  start(WR_RPC_PERSISTENT);
  arrives(w.s.out_len, w.s.out);
  answer();
  wr_rpc_ended(&w.s, 0, 0);
  begin(WR_OP_CALL);
  socket_error = EMFILE;
  wr_rpc_wire_serve(&w, clock_us);
  socket_error = 0;
  CU_ASSERT_EQUAL(w.s.op, WR_OP_NONE);
  CU_ASSERT_EQUAL(call.outcome, WR_RPC_UNREACHABLE);
  CU_ASSERT_EQUAL(call.error, -EMFILE);
  CU_ASSERT_EQUAL(w.serial, 1);
  CU_ASSERT_EQUAL(w.fd, -1);
  begin(WR_OP_CALL);
  wr_rpc_found(&w.s, &w.s.peers, 0);
  wr_rpc_wire_serve(&w, clock_us);
  CU_ASSERT(w.s.open);
  end();
}

/* A unix socket is connected at once. */
static void test_unix_socket(void) {
  struct sockaddr_un un = {.sun_family = AF_UNIX};
  struct wr_rpc_peers peers = {.count = 1};
  socklen_t len = sizeof(un);
  play(0, 0);
  peer = -1;
  listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  CU_ASSERT_EQUAL_FATAL(
      bind(listener, (struct sockaddr *)&un, sizeof(sa_family_t)), 0);
  CU_ASSERT_EQUAL_FATAL(listen(listener, 4), 0);
  CU_ASSERT_EQUAL_FATAL(getsockname(listener, (struct sockaddr *)&un, &len), 0);
  memcpy(peers.at, &un, sizeof(un)); /* a name that the system has given */
  peers.len[0] = len;
  CU_ASSERT_EQUAL_FATAL(
      wr_rpc_session_open(&w.s, WR_RPC_PERSISTENT, 1500, 7, 1), 0);
  wr_rpc_wire_init(&w);
  begin(WR_OP_CALL);
  wr_rpc_found(&w.s, &peers, 0);
  errno = EIO; /* of something else */
  wr_rpc_wire_serve(&w, clock_us);
  CU_ASSERT(w.s.open);
  arrives(w.s.out_len, w.s.out);
  answer();
  end();
}

static void test_poll(void) {
  static const struct {
    int64_t left_us;
    int ms;
  } cases[] = {{INT64_MIN, 0},
               {-1, 0},
               {0, 0},
               {1, 1},
               {1000, 1},
               {1001, 2},
               {3599999001, 3600000},
               {3600000000, 3600000},
               {INT64_MAX, 3600000}};
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
    CU_ASSERT_EQUAL(wr_rpc_poll_ms(cases[i].left_us), cases[i].ms);
}

UNIT_MAIN("rpc_wire, its connections", UNIT(test_interrupted), UNIT(test_waits),
          UNIT(test_broken_while_connecting), UNIT(test_never_in_pieces),
          UNIT(test_flags), UNIT(test_one_socket), UNIT(test_no_delay),
          UNIT(test_no_connection), UNIT(test_no_socket),
          UNIT(test_unix_socket), UNIT(test_poll))
