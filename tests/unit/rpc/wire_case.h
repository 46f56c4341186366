/* wire_case: a wire to a peer of the same thread, whose system calls do what
 * the test says; for one file of a program, under _GNU_SOURCE. */
#ifndef WEIR_TESTS_WIRE_CASE_H
#define WEIR_TESTS_WIRE_CASE_H

#include "lib/rpc/wire.h"
#include "tests/unit/unit.h"

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

static inline void play(int first, int second) {
  memset(script, 0, sizeof(script));
  script[0] = first;
  script[1] = second;
  played = 0;
}

static struct wr_rpc_wire w;
static struct wr_rpc_call call;
static int listener, peer;

static inline int64_t clock_us(void) { return 1000; }

static inline void begin(enum wr_rpc_op op) {
  call = (struct wr_rpc_call){.method = "flow_rate"};
  wr_rpc_begin(&w.s, op, &call, 1, 0);
}

/* A call on a new connection, as far as its sending. */
static inline void start(enum wr_rpc_mode mode) {
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

static inline void end(void) {
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
static inline void arrives(size_t len, const uint8_t *want) {
  uint8_t got[WR_RPC_REQUEST_MAX];
  if (peer < 0)
    peer = accept(listener, NULL, NULL);
  CU_ASSERT_FATAL(len > 0 && len <= sizeof(got));
  CU_ASSERT_EQUAL_FATAL(recv(peer, got, len, MSG_WAITALL), (ssize_t)len);
  CU_ASSERT_EQUAL(memcmp(got, want, len), 0);
}

static inline void ready(short events) {
  struct pollfd fd = {.fd = w.fd, .events = wr_rpc_wire_events(&w)};
  CU_ASSERT_EQUAL(fd.events, events);
  CU_ASSERT_FATAL(poll(&fd, 1, 30000) == 1);
  wr_rpc_wire_ready(&w, clock_us);
}

static inline void answer(void) {
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

#endif
