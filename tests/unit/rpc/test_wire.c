#define _GNU_SOURCE /* RTLD_NEXT */
#include "tests/unit/unit.h"

#include "lib/rpc/wire.h"

#include <arpa/inet.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <string.h>
#include <sys/un.h>
#include <unistd.h>

/* In front of the C library's: what the next sends do. Above 0: that many
 * bytes at most; below: fail with that -errno; 0, the end: as always. */
static int script[8];
static size_t played;

ssize_t send(int fd, const void *data, size_t len, int flags) {
  static ssize_t (*real)(int, const void *, size_t, int);
  if (real == NULL)
    *(void **)&real = dlsym(RTLD_NEXT, "send");
  int now = played < 8 ? script[played++] : 0;
  if (now < 0) {
    errno = -now;
    return -1;
  }
  return real(fd, data, now > 0 && (size_t)now < len ? (size_t)now : len,
              flags);
}

/* And the next read, once: fails with that errno; 0: as always. */
static int read_error;

ssize_t recv(int fd, void *data, size_t len, int flags) {
  static ssize_t (*real)(int, void *, size_t, int);
  if (real == NULL)
    *(void **)&real = dlsym(RTLD_NEXT, "recv");
  if (read_error == 0)
    return real(fd, data, len, flags);
  errno = read_error;
  read_error = 0;
  return -1;
}

/* And connect: fails with that errno; 0: as always. */
static int connect_error;

int connect(int fd, const struct sockaddr *to, socklen_t len) {
  static int (*real)(int, const struct sockaddr *, socklen_t);
  if (real == NULL)
    *(void **)&real = dlsym(RTLD_NEXT, "connect");
  if (connect_error == 0)
    return real(fd, to, len);
  errno = connect_error;
  return -1;
}

/* And socket(), likewise. */
static int socket_error;

int socket(int family, int type, int protocol) {
  static int (*real)(int, int, int);
  if (real == NULL)
    *(void **)&real = dlsym(RTLD_NEXT, "socket");
  if (socket_error == 0)
    return real(family, type, protocol);
  errno = socket_error;
  return -1;
}

static void play(int first, int second) {
  memset(script, 0, sizeof(script));
  script[0] = first;
  script[1] = second;
  played = 0;
}

static struct wr_rpc_wire w;
static struct wr_rpc_call call;
static int listener, peer;

static int64_t clock_us(void) { return 1000; }

static void begin(enum wr_rpc_op op) {
  call = (struct wr_rpc_call){.method = "flow_rate"};
  wr_rpc_begin(&w.s, op, &call, 1, 0);
}

/* A call on a new connection, as far as its sending. */
static void start(enum wr_rpc_mode mode) {
  struct wr_rpc_peers peers = {.count = 1, .len = {sizeof(struct sockaddr_in)}};
  struct sockaddr_in *in = (struct sockaddr_in *)peers.at;
  *in = (struct sockaddr_in){.sin_family = AF_INET,
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t len = sizeof(*in);
  peer = -1;
  listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (bind(listener, (struct sockaddr *)in, len) != 0 ||
      listen(listener, 4) != 0 ||
      getsockname(listener, (struct sockaddr *)in, &len) != 0)
    abort();
  CU_ASSERT_EQUAL_FATAL(wr_rpc_session_open(&w.s, mode, 1500, 7, 1), 0);
  w.sending = true;
  wr_rpc_wire_init(&w);
  CU_ASSERT_FALSE(w.sending);
  CU_ASSERT_EQUAL(w.serial, 0);
  CU_ASSERT_EQUAL(wr_rpc_wire_events(&w), 0);
  begin(WR_OP_CALL);
  w.s.wish = WR_WISH_NOTHING;
  wr_rpc_found(&w.s, &peers, 0);
  if (mode == WR_RPC_PROXY)
    wr_rpc_locked(&w.s, true, 0);
  wr_rpc_wire_serve(&w, clock_us);
}

static void end(void) {
  wr_rpc_wire_close(&w);
  CU_ASSERT_EQUAL(w.fd, -1);
  CU_ASSERT_FALSE(w.sending);
  CU_ASSERT_EQUAL(wr_rpc_wire_events(&w), 0);
  wr_rpc_wire_ready(&w, clock_us); /* harmless */
  if (peer >= 0)
    close(peer);
  close(listener);
}

/* The peer takes `len` bytes, which are the session's `out`. */
static void arrives(size_t len, const uint8_t *want) {
  uint8_t got[WR_RPC_REQUEST_MAX];
  if (peer < 0)
    peer = accept(listener, NULL, NULL);
  CU_ASSERT_FATAL(len > 0 && len <= sizeof(got));
  CU_ASSERT_EQUAL_FATAL(recv(peer, got, len, MSG_WAITALL), (ssize_t)len);
  CU_ASSERT_EQUAL(memcmp(got, want, len), 0);
}

static void ready(short events) {
  struct pollfd fd = {.fd = w.fd, .events = wr_rpc_wire_events(&w)};
  CU_ASSERT_EQUAL(fd.events, events);
  CU_ASSERT_FATAL(poll(&fd, 1, 30000) == 1);
  wr_rpc_wire_ready(&w, clock_us);
}

static void answer(void) {
  char reply[] = "\x94\x01\xce????\xc0\x07";
  uint32_t msgid = htonl(call.msgid);
  memcpy(reply + 3, &msgid, sizeof(msgid));
  size_t sends = played;
  CU_ASSERT_EQUAL(write(peer, reply, sizeof(reply) - 1), sizeof(reply) - 1);
  ready(POLLIN);
  CU_ASSERT_EQUAL(played, sends);
  CU_ASSERT_EQUAL(w.s.op, WR_OP_NONE);
  CU_ASSERT_EQUAL(call.outcome, WR_RPC_OK);
}

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

/* The m4-proxy would misread a message in two pieces. */
static void test_never_in_pieces(void) {
  play(3, 0);
  start(WR_RPC_PROXY);
  CU_ASSERT_EQUAL(w.s.op, WR_OP_NONE);
  CU_ASSERT_EQUAL(call.error, -EIO);
  CU_ASSERT_EQUAL(w.fd, -1);
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
  play(0, 0);
  start(WR_RPC_PERSISTENT);
  arrives(w.s.out_len, w.s.out);
  answer();
  unsigned serial = w.serial;
  CU_ASSERT_EQUAL(write(peer, "\x93\x02\xa1y\x90", 5), 5);
  struct pollfd fd = {.fd = w.fd, .events = POLLIN};
  CU_ASSERT_EQUAL(poll(&fd, 1, 30000), 1);
  begin(WR_OP_NOTIFY);
  wr_rpc_wire_serve(&w, clock_us);
  CU_ASSERT_EQUAL(call.outcome, WR_RPC_OK);
  CU_ASSERT_EQUAL(w.serial, serial);
  ready(POLLIN);
  CU_ASSERT_EQUAL(poll(&fd, 1, 0), 0);
  CU_ASSERT(w.s.open);
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

/* A notification looks first whether its connection is still there. */
static void test_notification(void) {
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
  errno = EAGAIN; /* of something else */
  wr_rpc_wire_serve(&w, clock_us);
  CU_ASSERT_EQUAL(call.outcome, WR_RPC_OK);
  CU_ASSERT_EQUAL(w.serial, serial + 1);
  arrives(1, (const uint8_t *)"\x93");
  end();
}

static bool asked(void *user, const struct wr_rpc_value *method, char *buf,
                  size_t size, int64_t now_us) {
  (void)method, (void)now_us;
  ++*(int *)user;
  snprintf(buf, size, "ok");
  return true;
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

UNIT_MAIN("rpc_wire", UNIT(test_no_connection), UNIT(test_no_socket),
          UNIT(test_unix_socket), UNIT(test_poll), UNIT(test_interrupted),
          UNIT(test_waits), UNIT(test_broken_while_connecting),
          UNIT(test_broken_later), UNIT(test_never_in_pieces),
          UNIT(test_no_delay), UNIT(test_notification),
          UNIT(test_notification_looks), UNIT(test_notification_beside_bytes),
          UNIT(test_flags), UNIT(test_one_socket),
          UNIT(test_ended_in_good_order), UNIT(test_reads_again),
          UNIT(test_broken_while_reading), UNIT(test_requests_of_the_peer),
          UNIT(test_requests_that_cannot_be_answered))
