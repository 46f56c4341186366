/* The sockets. In proxy mode a connection carries one request; its caller
 * then waits for whatever reply comes first out of the one channel that all
 * callers share, which is why a late reply shifts every later one. In ideal
 * mode connections stay open and every reply finds its own caller. */
#define _GNU_SOURCE /* accept4 */
#include "tests/sim/m4sim.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define CONNS_MAX 256
#define CHANNEL_MAX 1024
#define REPLY_MAX 1024
#define SPLIT_MS 20
#define START_WINDOW_MS 120000

enum state { FREE, READING, WAITING, SENDING, IDEAL, CONTROL };

struct conn {
  int fd;
  enum state state;
  uint64_t serial;
  int64_t deadline_ms; /* WAITING: gives up; SENDING: the second half */
  size_t len;
  uint8_t *buf; /* IDEAL, CONTROL: what has arrived; MS_MESSAGE_MAX */
};

struct reply {
  int64_t due_ms;
  uint64_t serial; /* IDEAL: whose it is */
  size_t len;
  uint8_t data[REPLY_MAX];
};

struct ms_server {
  int listener, control;
  struct sockaddr_storage addr;
  socklen_t addrlen;
  const char *unix_path;
  int64_t down_until_ms; /* 0: up; INT64_MAX: stays down */
  uint64_t next_serial;
  struct conn conn[CONNS_MAX];
  struct reply channel[CHANNEL_MAX]; /* oldest first */
  size_t channel_len;
  struct reply pending[CHANNEL_MAX];
  size_t pending_len;
  int64_t crash_ms[32];
};

/* -- connections -------------------------------------------------------- */

static void conn_close(struct conn *c) {
  close(c->fd);
  free(c->buf);
  *c = (struct conn){.fd = -1, .state = FREE};
}

static void conn_accept(struct ms_sim *sim, int listener, enum state state) {
  struct ms_server *s = sim->server;
  int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
  if (fd < 0)
    return;
  setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &(struct timeval){.tv_sec = 1},
             sizeof(struct timeval));
  for (size_t i = 0; i < CONNS_MAX; i++) {
    struct conn *c = &s->conn[i];
    if (c->state != FREE)
      continue;
    *c = (struct conn){fd, state, ++s->next_serial, 0, 0, NULL};
    if (state != READING)
      c->buf = malloc(MS_MESSAGE_MAX);
    if (state != READING && c->buf == NULL)
      conn_close(c);
    sim->count.connections += state != CONTROL;
    return;
  }
  close(fd); /* full: as a process out of descriptors */
}

static int listen_unix(const char *path, struct sockaddr_un *un, char *err,
                       size_t errlen) {
  *un = (struct sockaddr_un){.sun_family = AF_UNIX};
  if (strlen(path) >= sizeof(un->sun_path)) {
    snprintf(err, errlen, "%s: longer than %zu characters", path,
             sizeof(un->sun_path) - 1);
    return -1;
  }
  memcpy(un->sun_path, path, strlen(path));
  struct stat st; /* only ever replace a socket, never a file */
  if (lstat(path, &st) == 0 && S_ISSOCK(st.st_mode))
    unlink(path);
  int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd >= 0 && bind(fd, (struct sockaddr *)un, sizeof(*un)) == 0 &&
      listen(fd, 64) == 0)
    return fd;
  snprintf(err, errlen, "%s: %s", path, strerror(errno));
  if (fd >= 0)
    close(fd);
  return -1;
}

static int listen_tcp(const struct sockaddr *addr, socklen_t len) {
  int fd = socket(addr->sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0)
    return -1;
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &(int){1}, sizeof(int));
  if (bind(fd, addr, len) == 0 && listen(fd, 128) == 0)
    return fd;
  int saved = errno;
  close(fd);
  errno = saved;
  return -1;
}

static int resolve(const char *text, struct ms_server *s, char *err,
                   size_t errlen) {
  char host[256];
  const char *colon = strrchr(text, ':');
  struct addrinfo *found,
      hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE};
  snprintf(host, sizeof(host), "%.*s", colon ? (int)(colon - text) : 0, text);
  char *end = NULL;
  long port = colon ? strtol(colon + 1, &end, 10) : -1;
  if (port < 0 || port > 65535 || *end != '\0' || end == colon + 1) {
    snprintf(err, errlen,
             "--listen %s: give HOST:PORT with a port from 0 to 65535, or "
             "unix:PATH",
             text);
    return -1;
  }
  int rc = getaddrinfo(host[0] ? host : "127.0.0.1", colon + 1, &hints, &found);
  if (rc != 0) {
    snprintf(err, errlen, "--listen %s: %s", text, gai_strerror(rc));
    return -1;
  }
  memcpy(&s->addr, found->ai_addr, found->ai_addrlen);
  s->addrlen = found->ai_addrlen;
  freeaddrinfo(found);
  return 0;
}

static int open_tcp(struct ms_sim *sim, char *address, size_t len, char *err,
                    size_t errlen) {
  struct ms_server *s = sim->server;
  char host[64], port[16];
  if (resolve(sim->opt.listen, s, err, errlen) != 0)
    return -1;
  s->listener = listen_tcp((struct sockaddr *)&s->addr, s->addrlen);
  if (s->listener < 0) {
    snprintf(err, errlen, "%s: %s%s", sim->opt.listen, strerror(errno),
             errno == EADDRINUSE ? "; another program listens there, choose "
                                   "another port or 0"
                                 : "");
    return -1;
  }
  s->addrlen = sizeof(s->addr);
  getsockname(s->listener, (struct sockaddr *)&s->addr, &s->addrlen);
  getnameinfo((struct sockaddr *)&s->addr, s->addrlen, host, sizeof(host), port,
              sizeof(port), NI_NUMERICHOST | NI_NUMERICSERV);
  snprintf(address, len, "%s:%s", host, port);
  return 0;
}

int ms_server_open(struct ms_sim *sim, char *address, size_t len, char *err,
                   size_t errlen) {
  struct ms_server *s = sim->server = calloc(1, sizeof(*s));
  struct sockaddr_un un;
  if (s == NULL) {
    snprintf(err, errlen, "out of memory");
    return -1;
  }
  s->listener = s->control = -1;
  for (size_t i = 0; i < CONNS_MAX; i++)
    s->conn[i].fd = -1;
  if (strncmp(sim->opt.listen, "unix:", 5) == 0) {
    s->unix_path = sim->opt.listen + 5;
    s->listener = listen_unix(s->unix_path, &un, err, errlen);
    memcpy(&s->addr, &un, sizeof(un));
    s->addrlen = sizeof(un);
    snprintf(address, len, "%s", sim->opt.listen);
    if (s->listener < 0)
      return -1;
  } else if (open_tcp(sim, address, len, err, errlen) != 0)
    return -1;
  if (sim->opt.control != NULL)
    s->control = listen_unix(sim->opt.control, &un, err, errlen);
  return sim->opt.control != NULL && s->control < 0 ? -1 : 0;
}

void ms_server_close(struct ms_sim *sim) {
  struct ms_server *s = sim->server;
  if (s == NULL)
    return;
  for (size_t i = 0; i < CONNS_MAX; i++)
    if (s->conn[i].state != FREE)
      conn_close(&s->conn[i]);
  if (s->listener >= 0)
    close(s->listener);
  if (s->unix_path != NULL)
    unlink(s->unix_path);
  if (s->control >= 0) {
    close(s->control);
    unlink(sim->opt.control);
  }
  free(s);
  sim->server = NULL;
}

/* -- crash and restart -------------------------------------------------- */

/* systemd gives up after --start-limit restarts within 120 s. */
static bool start_limit_hit(struct ms_sim *sim) {
  struct ms_server *s = sim->server;
  unsigned recent = 0;
  s->crash_ms[sim->count.crashes % 32] = sim->now_ms;
  sim->count.crashes++;
  for (size_t i = 0; i < 32 && i < sim->count.crashes; i++)
    recent += sim->now_ms - s->crash_ms[i] < START_WINDOW_MS;
  return recent > sim->opt.start_limit;
}

static void go_down(struct ms_sim *sim, int64_t until_ms) {
  struct ms_server *s = sim->server;
  if (s->listener >= 0)
    close(s->listener);
  s->listener = -1;
  if (s->unix_path != NULL)
    unlink(s->unix_path);
  s->channel_len = 0; /* the channel dies with the process */
  s->down_until_ms = until_ms;
  for (size_t i = 0; i < CONNS_MAX; i++)
    if (s->conn[i].state != FREE && s->conn[i].state != CONTROL)
      conn_close(&s->conn[i]);
}

void ms_server_crash(struct ms_sim *sim, const char *why, int64_t outage_ms) {
  bool for_good = why != NULL && start_limit_hit(sim);
  ms_record_event(sim, why ? "crash" : "restart", why ? why : "proxy");
  if (for_good)
    ms_record_event(sim, "start-limit", "the service stays down");
  go_down(sim, for_good ? INT64_MAX : sim->now_ms + outage_ms);
}

static void come_back(struct ms_sim *sim) {
  struct ms_server *s = sim->server;
  char err[256];
  struct sockaddr_un un;
  s->listener = s->unix_path
                    ? listen_unix(s->unix_path, &un, err, sizeof(err))
                    : listen_tcp((struct sockaddr *)&s->addr, s->addrlen);
  if (s->listener >= 0) {
    s->down_until_ms = 0;
    ms_record_event(sim, "up", "listening again");
  } else
    s->down_until_ms = sim->now_ms + 100;
}

/* -- replies ------------------------------------------------------------ */

static bool draw(struct ms_sim *sim, double p, unsigned *next) {
  if (*next > 0) {
    (*next)--;
    return true;
  }
  return p > 0 && ms_rng_uniform(&sim->rng) < p;
}

static void send_bytes(const struct conn *c, const void *data, size_t len) {
  /* a caller that has gone is its own problem */
  while (len > 0) {
    ssize_t n = send(c->fd, data, len, MSG_NOSIGNAL);
    if (n <= 0)
      return;
    data = (const uint8_t *)data + n;
    len -= (size_t)n;
  }
}

/* Closes a proxy connection afterwards, now or after the second half. */
static void hand_over(struct ms_sim *sim, struct conn *c, const uint8_t *data,
                      size_t len) {
  struct ms_quirks *q = &sim->quirks;
  bool ideal = c->state == IDEAL;
  if (draw(sim, q->garbage_p, &q->garbage_next)) {
    data = q->garbage;
    len = q->garbage_len;
  }
  sim->count.answered++;
  bool split = (q->split || draw(sim, 0, &q->split_next)) && len > 1;
  if (split && !ideal && (c->buf = malloc(len)) != NULL) {
    send_bytes(c, data, len / 2);
    c->len = len - len / 2;
    memcpy(c->buf, data + len / 2, c->len);
    c->state = SENDING;
    c->deadline_ms = sim->now_ms + SPLIT_MS;
    return;
  }
  if (split && ideal) { /* two segments; the order of replies is kept */
    setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
    send_bytes(c, data, len / 2);
    data += len / 2;
    len -= len / 2;
  }
  send_bytes(c, data, len);
  if (!ideal)
    conn_close(c);
}

static struct conn *waiter(struct ms_sim *sim) {
  struct conn *found = NULL, *c = sim->server->conn;
  size_t waiting = 0, skip = 0;
  for (size_t i = 0; i < CONNS_MAX; i++)
    if (c[i].state == WAITING) {
      waiting++;
      if (found == NULL || c[i].serial < found->serial)
        found = &c[i];
    }
  if (waiting < 2 || ms_rng_uniform(&sim->rng) >= sim->quirks.cross_p)
    return found; /* who has waited longest */
  skip = ms_rng_next(&sim->rng) % waiting;
  for (size_t i = 0; i < CONNS_MAX; i++)
    if (c[i].state == WAITING && skip-- == 0)
      return &c[i];
  return found;
}

static void serve_channel(struct ms_sim *sim) {
  struct ms_server *s = sim->server;
  struct conn *c;
  while (s->channel_len > 0 && (c = waiter(sim)) != NULL) {
    struct reply head = s->channel[0];
    memmove(s->channel, s->channel + 1,
            --s->channel_len * sizeof(s->channel[0]));
    hand_over(sim, c, head.data, head.len);
  }
}

static void channel_push(struct ms_sim *sim, const uint8_t *data, size_t len) {
  struct ms_server *s = sim->server;
  const char *why = "";
  if (s->down_until_ms != 0)
    return; /* nobody reads the device */
  if (ms_check_reply(data, len, &why) == MS_PANIC) {
    ms_server_crash(sim, why, sim->opt.outage_ms);
    return;
  }
  if (s->channel_len == CHANNEL_MAX || len > REPLY_MAX)
    return;
  struct reply *r = &s->channel[s->channel_len++];
  r->len = len;
  memcpy(r->data, data, len);
}

void ms_server_inject(struct ms_sim *sim, const uint8_t *data, size_t len) {
  sim->count.stale++;
  ms_record_event(sim, "stale", "injected");
  channel_push(sim, data, len);
  serve_channel(sim);
}

static void deliver(struct ms_sim *sim, uint64_t serial, const uint8_t *data,
                    size_t len) {
  if (!sim->opt.ideal) {
    channel_push(sim, data, len);
    serve_channel(sim);
    return;
  }
  struct conn *c = sim->server->conn;
  for (size_t i = 0; i < CONNS_MAX; i++)
    if (c[i].state == IDEAL && c[i].serial == serial)
      hand_over(sim, &c[i], data, len);
}

/* The M4 has answered: now, late, or (ideal) out of order. */
static void answered(struct ms_sim *sim, uint64_t serial,
                     const struct ms_out *out) {
  struct ms_server *s = sim->server;
  int64_t delay_ms = sim->opt.delay_ms;
  if (draw(sim, sim->quirks.late_p, &sim->quirks.late_next)) {
    delay_ms = sim->quirks.late_ms;
    sim->count.late++;
    ms_record_event(sim, "late", "the reply comes late");
  } else if (sim->opt.shuffle_ms > 0)
    delay_ms +=
        (int64_t)(ms_rng_next(&sim->rng) % (uint64_t)(sim->opt.shuffle_ms + 1));
  if (delay_ms <= 0) {
    deliver(sim, serial, out->data, out->len);
    return;
  }
  if (s->pending_len == CHANNEL_MAX || out->len > REPLY_MAX)
    return;
  struct reply *r = &s->pending[s->pending_len++];
  r->due_ms = sim->now_ms + delay_ms;
  r->serial = serial;
  r->len = out->len;
  memcpy(r->data, out->data, out->len);
}

static void pending_due(struct ms_sim *sim) {
  struct ms_server *s = sim->server;
  for (;;) { /* the one due first; of equals the oldest */
    size_t first = 0;
    for (size_t i = 1; i < s->pending_len; i++)
      if (s->pending[i].due_ms < s->pending[first].due_ms)
        first = i;
    if (s->pending_len == 0 || s->pending[first].due_ms > sim->now_ms)
      return;
    struct reply r = s->pending[first];
    memmove(&s->pending[first], &s->pending[first + 1],
            (--s->pending_len - first) * sizeof(r));
    deliver(sim, r.serial, r.data, r.len);
  }
}

/* -- requests ----------------------------------------------------------- */

static void forward(struct ms_sim *sim, struct conn *c,
                    const struct ms_out *bytes) {
  static struct ms_out reply;
  struct ms_in in = {bytes->data, bytes->data + bytes->len};
  struct ms_value head, type = {0};
  ms_get(&in, &head);
  ms_get(&in, &type);
  uint64_t serial = c->serial;
  if (type.type == MS_UINT && type.u == 0) {
    c->state = WAITING;
    c->deadline_ms = sim->now_ms + sim->opt.wait_ms;
  } else
    conn_close(c);
  if (sim->opt.packet_limit > 0 && bytes->len > sim->opt.packet_limit) {
    sim->count.dropped++;
    ms_record_event(sim, "dropped", "the request does not fit a packet");
  } else if (ms_m4_receive(sim, bytes->data, bytes->len, &reply))
    answered(sim, serial, &reply);
  serve_channel(sim);
}

/* One value is read off the socket, no more: what follows makes the kernel
 * send RST when the connection is closed. */
static void proxy_read(struct ms_sim *sim, struct conn *c) {
  static uint8_t data[MS_MESSAGE_MAX];
  static struct ms_out bytes;
  const char *why = "request in pieces";
  ssize_t n = recv(c->fd, data, sizeof(data), MSG_PEEK | MSG_DONTWAIT);
  if (n <= 0) {
    if (n == 0 || (errno != EAGAIN && errno != EINTR))
      conn_close(c);
    return;
  }
  struct ms_in in = {data, data + n};
  bytes.len = 0;
  bytes.full = false;
  enum ms_verdict verdict = ms_transcode(&in, &bytes, &why);
  size_t used = verdict == MS_PASS ? (size_t)(in.at - data) : (size_t)n;
  recv(c->fd, data, used, MSG_DONTWAIT);
  switch (verdict) {
  case MS_PASS:
    forward(sim, c, &bytes);
    break;
  case MS_GARBLED:
    ms_record_event(sim, "garbled", "bin8 reaches the M4 as rubbish");
    c->state = WAITING;
    c->deadline_ms = sim->now_ms + sim->opt.wait_ms;
    serve_channel(sim);
    break;
  default:
    ms_server_crash(sim, why, sim->opt.outage_ms);
  }
}

/* Takes every whole message out of the buffer; false: close. */
static bool ideal_messages(struct ms_sim *sim, struct conn *c) {
  static struct ms_out reply;
  struct ms_in in = {c->buf, c->buf + c->len};
  uint64_t serial = c->serial;
  for (;;) {
    const uint8_t *from = in.at;
    int rc = ms_skip(&in);
    if (rc < 0 || (rc == 0 && from == c->buf && c->len == MS_MESSAGE_MAX))
      return false;
    if (rc == 0)
      break;
    if (ms_m4_receive(sim, from, (size_t)(in.at - from), &reply))
      answered(sim, serial, &reply);
    if (c->serial != serial) /* an order closed the connection */
      return true;
  }
  c->len = (size_t)(in.end - in.at);
  memmove(c->buf, in.at, c->len);
  return true;
}

static void control_lines(struct ms_sim *sim, struct conn *c) {
  char *line = (char *)c->buf, *end, answer[1024];
  while ((end = memchr(line, '\n', c->len)) != NULL) {
    *end = '\0';
    ms_control(sim, line, answer, sizeof(answer) - 1);
    strcat(answer, "\n");
    send_bytes(c, answer, strlen(answer));
    c->len -= (size_t)(end + 1 - line);
    line = end + 1;
  }
  memmove(c->buf, line, c->len);
}

static void stream_read(struct ms_sim *sim, struct conn *c) {
  ssize_t n =
      recv(c->fd, c->buf + c->len, MS_MESSAGE_MAX - c->len, MSG_DONTWAIT);
  if (n < 0 && (errno == EAGAIN || errno == EINTR))
    return;
  if (n <= 0) {
    conn_close(c);
    return;
  }
  c->len += (size_t)n;
  if (c->state == CONTROL)
    control_lines(sim, c);
  else if (!ideal_messages(sim, c))
    conn_close(c);
}

/* -- the loop ----------------------------------------------------------- */

static int64_t now_ms(void) {
  struct timespec ts;
  clock_gettime(CLOCK_MONOTONIC, &ts);
  return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

static void deadlines(struct ms_sim *sim) {
  struct ms_server *s = sim->server;
  for (size_t i = 0; i < CONNS_MAX; i++) {
    struct conn *c = &s->conn[i];
    if (c->state == WAITING && sim->now_ms >= c->deadline_ms) {
      sim->count.timeouts++;
      ms_record_event(sim, "timeout", "EOF without a byte");
      conn_close(c);
    } else if (c->state == SENDING && sim->now_ms >= c->deadline_ms) {
      send_bytes(c, c->buf, c->len);
      conn_close(c);
    }
  }
  if (s->down_until_ms != 0 && sim->now_ms >= s->down_until_ms)
    come_back(sim);
}

static int64_t sleep_ms(const struct ms_sim *sim, int64_t most_ms) {
  const struct ms_server *s = sim->server;
  int64_t until_ms = sim->now_ms + most_ms;
  for (size_t i = 0; i < CONNS_MAX; i++)
    if ((s->conn[i].state == WAITING || s->conn[i].state == SENDING) &&
        s->conn[i].deadline_ms < until_ms)
      until_ms = s->conn[i].deadline_ms;
  for (size_t i = 0; i < s->pending_len; i++)
    if (s->pending[i].due_ms < until_ms)
      until_ms = s->pending[i].due_ms;
  if (s->down_until_ms != 0 && s->down_until_ms < until_ms)
    until_ms = s->down_until_ms;
  return until_ms > sim->now_ms ? until_ms - sim->now_ms : 0;
}

static size_t interests(const struct ms_server *s, struct pollfd *fds) {
  size_t n = 0;
  fds[n++] = (struct pollfd){s->listener, POLLIN, 0};
  fds[n++] = (struct pollfd){s->control, POLLIN, 0};
  for (size_t i = 0; i < CONNS_MAX; i++) {
    enum state state = s->conn[i].state;
    bool reads = state == READING || state == IDEAL || state == CONTROL;
    fds[n++] = (struct pollfd){reads ? s->conn[i].fd : -1, POLLIN, 0};
  }
  return n;
}

void ms_server_turn(struct ms_sim *sim, int64_t timeout_ms) {
  struct ms_server *s = sim->server;
  struct pollfd fds[CONNS_MAX + 2];
  size_t n = interests(s, fds);
  sim->now_ms = now_ms();
  if (poll(fds, n, (int)sleep_ms(sim, timeout_ms)) < 0)
    return; /* a signal */
  sim->now_ms = now_ms();
  deadlines(sim);
  pending_due(sim);
  for (size_t i = 0; i < CONNS_MAX && !sim->quit; i++) {
    struct conn *c = &s->conn[i];
    if (fds[i + 2].revents == 0 || c->fd != fds[i + 2].fd)
      continue;
    if (c->state == READING)
      proxy_read(sim, c);
    else if (c->state == IDEAL || c->state == CONTROL)
      stream_read(sim, c);
  }
  if (fds[0].revents != 0 && s->listener == fds[0].fd)
    conn_accept(sim, s->listener, sim->opt.ideal ? IDEAL : READING);
  if (fds[1].revents != 0)
    conn_accept(sim, s->control, CONTROL);
}
