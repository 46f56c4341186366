#include "lib/rpc/wire.h"

#include "lib/base/file.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <unistd.h>

#define HOUR_US 3600000000

void wr_rpc_wire_init(struct wr_rpc_wire *w) {
  w->fd = -1;
  w->serial = 0;
  w->sending = false;
}

static void drop(struct wr_rpc_wire *w) {
  if (w->fd >= 0)
    close(w->fd);
  w->fd = -1;
  w->sending = false;
}

void wr_rpc_wire_close(struct wr_rpc_wire *w) {
  drop(w);
  wr_rpc_session_close(&w->s);
}

/* Near peers are connected by the time connect() returns, and send() waits for
 * the others and tells a failed connect: that saves two system calls a call. */
static int open_socket(struct wr_rpc_wire *w) {
  const struct wr_rpc_peers *p = &w->s.peers;
  const struct sockaddr_storage *at = &p->at[w->s.peer];
  w->fd = wr_file_lift(
      socket(at->ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (w->fd < 0)
    return -errno;
  w->serial++;
  int on = 1; /* a first message is never held back, later ones might be */
  if (at->ss_family != AF_UNIX && !wr_rpc_session_locks(&w->s))
    setsockopt(w->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
  if (connect(w->fd, (const struct sockaddr *)at, p->len[w->s.peer]) == 0 ||
      errno == EINPROGRESS)
    return 0;
  return errno == EAGAIN ? -ETIMEDOUT : -errno; /* a unix socket's full queue */
}

/* 0: all is sent; 1: not yet; -errno. The m4-proxy would misread a message in
 * two pieces. */
static int send_out(struct wr_rpc_wire *w) {
  struct wr_rpc_session *s = &w->s;
  while (w->out_at < s->out_len) {
    ssize_t n =
        send(w->fd, s->out + w->out_at, s->out_len - w->out_at, MSG_NOSIGNAL);
    if (n < 0 && errno == EINTR)
      continue;
    if (n < 0)
      return errno == EAGAIN || errno == ENOTCONN ? 1 : -errno;
    w->out_at += (size_t)n;
    if (w->out_at < s->out_len && wr_rpc_session_locks(s))
      return -EIO;
  }
  return 0;
}

/* After a failure the session wishes for another connection, or for none. */
static void told(struct wr_rpc_wire *w, int status, int64_t now_us) {
  w->sending = status == 1;
  if (status == 1)
    return;
  if (status == 0 || !w->s.open)
    wr_rpc_connected(&w->s, status, now_us);
  else
    wr_rpc_ended(&w->s, status, now_us);
}

/* Whether the peer has closed a connection that rested meanwhile. A call finds
 * out by itself and is made again; a notification would be lost. */
static int look(const struct wr_rpc_wire *w) {
  char byte;
  if (w->s.op != WR_OP_NOTIFY)
    return 0;
  ssize_t n = recv(w->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT);
  if (n > 0 || (n < 0 && (errno == EAGAIN || errno == EINTR)))
    return 0;
  return n == 0 ? -EPIPE : -errno;
}

void wr_rpc_wire_serve(struct wr_rpc_wire *w, int64_t (*clock_us)(void)) {
  for (;;) {
    enum wr_rpc_wish wish = w->s.wish;
    if (wish == WR_WISH_CONNECT) {
      drop(w);
      w->s.wish = WR_WISH_NOTHING;
      w->out_at = 0;
      int status = open_socket(w);
      told(w, status == 0 ? send_out(w) : status, clock_us());
    } else if (wish == WR_WISH_SEND) {
      w->s.wish = WR_WISH_NOTHING;
      w->out_at = 0;
      int status = look(w);
      told(w, status == 0 ? send_out(w) : status, clock_us());
    } else if (wish == WR_WISH_CLOSE) {
      w->s.wish = WR_WISH_NOTHING;
      drop(w);
    } else
      return;
  }
}

static int socket_error(const struct wr_rpc_wire *w) {
  int error = 0;
  socklen_t len = sizeof(error);
  (void)getsockopt(w->fd, SOL_SOCKET, SO_ERROR, &error, &len);
  return -error;
}

static void send_aside(struct wr_rpc_wire *w) {
  /* Where it cannot be sent the peer's own call times out. */
  if (w->s.aside_len != 0)
    (void)send(w->fd, w->s.aside, w->s.aside_len, MSG_NOSIGNAL);
  w->s.aside_len = 0;
}

static void receive(struct wr_rpc_wire *w, int64_t (*clock_us)(void)) {
  uint8_t data[2048];
  ssize_t n = recv(w->fd, data, sizeof(data), 0);
  if (n > 0) {
    wr_rpc_bytes(&w->s, data, (size_t)n, clock_us());
    send_aside(w);
  } else if (n == 0 || (errno != EAGAIN && errno != EINTR)) {
    int error = n == 0 ? 0 : -errno;
    wr_rpc_ended(&w->s, error, clock_us());
  }
}

void wr_rpc_wire_ready(struct wr_rpc_wire *w, int64_t (*clock_us)(void)) {
  if (w->fd < 0)
    return;
  if (!w->sending)
    receive(w, clock_us);
  else {
    int status = socket_error(w);
    told(w, status == 0 ? send_out(w) : status, clock_us());
  }
  wr_rpc_wire_serve(w, clock_us);
}

short wr_rpc_wire_events(const struct wr_rpc_wire *w) {
  if (w->fd < 0)
    return 0;
  return w->sending ? POLLOUT : POLLIN;
}

int wr_rpc_poll_ms(int64_t left_us) {
  if (left_us <= 0)
    return 0;
  return left_us < HOUR_US ? (int)((left_us + 999) / 1000) : HOUR_US / 1000;
}
