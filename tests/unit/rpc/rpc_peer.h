/* rpc_peer: a scripted server for the tests of rpc and m4.
 *
 *   struct peer *p = peer_start(steps, count);
 *   ... p->port ...
 *   peer_stop(p);
 *
 * A step is what happens to one request; connections are accepted one after
 * another. The clock given to the client is the real one plus a skew that
 * steps may raise: a proxy that waits 1 s takes no time. */
#ifndef WEIR_TESTS_RPC_PEER_H
#define WEIR_TESTS_RPC_PEER_H

#include "lib/rpc/client.h"

#include <arpa/inet.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

enum peer_what {
  PEER_REPLY,   /* to this request */
  PEER_STALE,   /* to a request that nobody made; with `remember`, the */
                /* request itself is answered by a later PEER_EARLIER */
  PEER_EARLIER, /* to the remembered request */
  PEER_KEEP,    /* no answer */
  PEER_RAW,     /* `bytes`, whatever they are */
  PEER_RELAY,   /* nothing, but answer the next request first, then this */
  PEER_STOP,    /* raises stop_fd, answers nothing and keeps open */
};

struct peer_step {
  enum peer_what what;
  const char *body; /* error and result as MessagePack; NULL: nil, 12.5 */
  size_t len;
  int64_t later_us; /* the clock is set by this before the answer; back, too */
  int64_t after_us; /* ... and by this after it */
  bool close;       /* the connection ends after it */
  bool split;       /* byte by byte */
  bool remember;    /* this request is answered later, by PEER_EARLIER */
};

#define PEER_REQUESTS 64

struct peer {
  int listen_fd, stop_fd, end_fd;
  uint16_t port;
  const struct peer_step *steps;
  size_t count;
  pthread_t thread;
  atomic_int accepted; /* connections */
  atomic_int served;   /* requests */
  atomic_int crowded;  /* requests during which another caller knocked */
  struct {
    uint8_t bytes[WR_RPC_REQUEST_MAX];
    size_t len;
  } requests[PEER_REQUESTS];
};

static atomic_llong peer_skew_us;

static inline int64_t peer_clock(void) {
  struct timespec ts;
  clock_gettime(CLOCK_MONOTONIC, &ts);
  return (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000 + peer_skew_us;
}

/* Number of elements and msgid of a request; msgid is the third byte on. */
static inline uint32_t peer_msgid(const uint8_t *request, size_t len) {
  const uint8_t *at = request;
  struct wr_rpc_value v, e = {.u = 0};
  if (wr_rpc_read(&at, request + len, &v) == 0)
    wr_rpc_element(&v, 1, &e);
  return (uint32_t)e.u;
}

static inline void peer_send(int fd, const void *data, size_t len, bool split) {
  const char *at = data;
  for (size_t n = 0; n < len; n += split ? 1 : len)
    if (send(fd, at + n, split ? 1 : len, MSG_NOSIGNAL) < 0)
      return;
}

static inline void peer_answer(int fd, const struct peer_step *s,
                               uint32_t msgid) {
  uint8_t out[2048] = {0x94,
                       0x01,
                       0xce,
                       (uint8_t)(msgid >> 24),
                       (uint8_t)(msgid >> 16),
                       (uint8_t)(msgid >> 8),
                       (uint8_t)msgid};
  static const char flow[] = "\xc0\xca\x41\x48\x00\x00";
  const char *body = s->body != NULL ? s->body : flow;
  size_t len = s->body != NULL ? s->len : sizeof(flow) - 1;
  memcpy(out + 7, body, len);
  peer_send(fd, out, len + 7, s->split);
}

static inline bool peer_wait(struct peer *p, int fd) {
  struct pollfd fds[2] = {{.fd = fd, .events = POLLIN},
                          {.fd = p->end_fd, .events = POLLIN}};
  while (poll(fds, 2, -1) < 0)
    ;
  return fds[1].revents == 0;
}

/* Reads one request; false at the end of the connection or the test. */
static inline bool peer_read(struct peer *p, int fd, uint8_t *buf,
                             size_t *len) {
  size_t size = 0;
  *len = 0;
  for (;;) {
    uint8_t byte;
    if (!peer_wait(p, fd) || recv(fd, &byte, 1, 0) != 1 ||
        *len == WR_RPC_REQUEST_MAX)
      return false;
    buf[(*len)++] = byte;
    if (wr_rpc_scan(buf, *len, &size) == 0)
      return true;
  }
}

/* False: the connection is to be closed. */
static inline bool peer_do(struct peer *p, int fd, const struct peer_step *s,
                           uint32_t msgid, uint32_t *kept) {
  peer_skew_us += s->later_us;
  if (s->what == PEER_REPLY)
    peer_answer(fd, s, msgid);
  else if (s->what == PEER_STALE)
    peer_answer(fd, s, msgid + 1);
  else if (s->what == PEER_EARLIER)
    peer_answer(fd, s, *kept);
  else if (s->what == PEER_RAW)
    peer_send(fd, s->body, s->len, s->split);
  else if (s->what == PEER_STOP)
    eventfd_write(p->stop_fd, 1);
  else if (s->what == PEER_RELAY) {
    uint8_t buf[WR_RPC_REQUEST_MAX];
    size_t len = 0;
    if (!peer_read(p, fd, buf, &len))
      return false;
    peer_answer(fd, s, peer_msgid(buf, len));
    peer_answer(fd, s, msgid);
  }
  peer_skew_us += s->after_us;
  if (s->remember)
    *kept = msgid;
  return !s->close;
}

static inline bool peer_knocked(const struct peer *p) {
  struct pollfd fd = {.fd = p->listen_fd, .events = POLLIN};
  return poll(&fd, 1, 2) > 0;
}

static inline void *peer_main(void *arg) {
  struct peer *p = arg;
  uint32_t kept = 0;
  size_t step = 0;
  while (step < p->count && peer_wait(p, p->listen_fd)) {
    int fd = accept(p->listen_fd, NULL, NULL);
    bool open = fd >= 0;
    p->accepted++;
    while (open && step < p->count) {
      int n = p->served % PEER_REQUESTS;
      open = peer_read(p, fd, p->requests[n].bytes, &p->requests[n].len);
      if (!open)
        break;
      uint32_t msgid = peer_msgid(p->requests[n].bytes, p->requests[n].len);
      p->served++;
      p->crowded += peer_knocked(p);
      open = peer_do(p, fd, p->steps + step++, msgid, &kept);
    }
    if (open) /* the script is over, the connection is not */
      peer_wait(p, p->end_fd);
    if (fd >= 0)
      close(fd);
  }
  return NULL;
}

static inline struct peer *peer_start(const struct peer_step *steps,
                                      size_t count) {
  struct peer *p = calloc(1, sizeof(*p));
  struct sockaddr_in in = {.sin_family = AF_INET,
                           .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t len = sizeof(in);
  p->steps = steps;
  p->count = count;
  p->stop_fd = eventfd(0, EFD_CLOEXEC);
  p->end_fd = eventfd(0, EFD_CLOEXEC);
  p->listen_fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (bind(p->listen_fd, (struct sockaddr *)&in, len) != 0 ||
      listen(p->listen_fd, 16) != 0 ||
      getsockname(p->listen_fd, (struct sockaddr *)&in, &len) != 0 ||
      pthread_create(&p->thread, NULL, peer_main, p) != 0)
    abort();
  p->port = ntohs(in.sin_port);
  return p;
}

static inline void peer_stop(struct peer *p) {
  eventfd_write(p->end_fd, 1);
  pthread_join(p->thread, NULL);
  close(p->listen_fd);
  close(p->stop_fd);
  close(p->end_fd);
  free(p);
}

static inline struct wr_rpc_options peer_options(const struct peer *p,
                                                 enum wr_rpc_mode mode) {
  struct wr_rpc_options o = {.mode = mode,
                             .timeout_ms = 20000,
                             .random = 0x12345678,
                             .lock_directory = "/dev/null", /* none */
                             .env = {peer_clock, p->stop_fd}};
  strcpy(o.address.host, "127.0.0.1");
  snprintf(o.address.port, sizeof(o.address.port), "%u", p->port);
  return o;
}

#endif
