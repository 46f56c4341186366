/* Requests in. In proxy mode a connection carries one request; its caller then
 * waits for whatever reply comes first out of the one channel that all callers
 * share, which is why a late reply shifts every later one. Anything that the
 * proxy's decoder does not know makes it crash: every caller sees EOF, the
 * port refuses for --outage, the channel is empty afterwards. */
#define _GNU_SOURCE /* accept4 */
#include "tests/sim/m4sim_server.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#define START_WINDOW_MS 120000

/* -- connections -------------------------------------------------------- */

void ms_conn_close(struct ms_conn *c) {
  close(c->fd);
  free(c->buf);
  *c = (struct ms_conn){.fd = -1, .state = FREE};
}

static void conn_accept(struct ms_sim *sim, int listener, enum ms_state state) {
  struct ms_server *s = sim->server;
  int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
  if (fd < 0)
    return;
  setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &(struct timeval){.tv_sec = 1},
             sizeof(struct timeval));
  for (size_t i = 0; i < MS_CONNS_MAX; i++) {
    struct ms_conn *c = &s->conn[i];
    if (c->state != FREE)
      continue;
    *c = (struct ms_conn){fd, state, ++s->next_serial, 0, 0, NULL};
    if (state != READING)
      c->buf = malloc(MS_MESSAGE_MAX);
    if (state != READING && c->buf == NULL)
      ms_conn_close(c);
    sim->count.connections += state != CONTROL;
    return;
  }
  close(fd); /* full: as a process out of descriptors */
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
  for (size_t i = 0; i < MS_CONNS_MAX; i++)
    if (s->conn[i].state != FREE && s->conn[i].state != CONTROL)
      ms_conn_close(&s->conn[i]);
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
                    ? ms_listen_unix(s->unix_path, &un, err, sizeof(err))
                    : ms_listen_tcp((struct sockaddr *)&s->addr, s->addrlen);
  if (s->listener >= 0) {
    s->down_until_ms = 0;
    ms_record_event(sim, "up", "listening again");
  } else
    s->down_until_ms = sim->now_ms + 100;
}

/* -- requests ----------------------------------------------------------- */

static void forward(struct ms_sim *sim, struct ms_conn *c,
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
    ms_conn_close(c);
  if (sim->opt.packet_limit > 0 && bytes->len > sim->opt.packet_limit) {
    sim->count.dropped++;
    ms_record_event(sim, "dropped", "the request does not fit a packet");
  } else if (ms_m4_receive(sim, bytes->data, bytes->len, &reply))
    ms_answered(sim, serial, &reply);
  ms_serve_channel(sim);
}

/* One value is read off the socket, no more: what follows makes the kernel
 * send RST when the connection is closed. */
static void proxy_read(struct ms_sim *sim, struct ms_conn *c) {
  static uint8_t data[MS_MESSAGE_MAX];
  static struct ms_out bytes;
  const char *why = "request in pieces";
  ssize_t n = recv(c->fd, data, sizeof(data), MSG_PEEK | MSG_DONTWAIT);
  if (n <= 0) {
    if (n == 0 || (errno != EAGAIN && errno != EINTR))
      ms_conn_close(c);
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
    ms_serve_channel(sim);
    break;
  default:
    ms_server_crash(sim, why, sim->opt.outage_ms);
  }
}

/* Takes every whole message out of the buffer; false: close. */
static bool ideal_messages(struct ms_sim *sim, struct ms_conn *c) {
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
      ms_answered(sim, serial, &reply);
    if (c->serial != serial) /* an order closed the connection */
      return true;
  }
  c->len = (size_t)(in.end - in.at);
  memmove(c->buf, in.at, c->len);
  return true;
}

static void control_lines(struct ms_sim *sim, struct ms_conn *c) {
  char *line = (char *)c->buf, *end, answer[1024];
  while ((end = memchr(line, '\n', c->len)) != NULL) {
    *end = '\0';
    ms_control(sim, line, answer, sizeof(answer) - 1);
    strcat(answer, "\n");
    ms_send(c, answer, strlen(answer));
    c->len -= (size_t)(end + 1 - line);
    line = end + 1;
  }
  memmove(c->buf, line, c->len);
}

static void stream_read(struct ms_sim *sim, struct ms_conn *c) {
  ssize_t n =
      recv(c->fd, c->buf + c->len, MS_MESSAGE_MAX - c->len, MSG_DONTWAIT);
  if (n < 0 && (errno == EAGAIN || errno == EINTR))
    return;
  if (n <= 0) {
    ms_conn_close(c);
    return;
  }
  c->len += (size_t)n;
  if (c->state == CONTROL)
    control_lines(sim, c);
  else if (!ideal_messages(sim, c))
    ms_conn_close(c);
}

/* -- the loop ----------------------------------------------------------- */

static int64_t now_ms(void) {
  struct timespec ts;
  clock_gettime(CLOCK_MONOTONIC, &ts);
  return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

void ms_expire(struct ms_sim *sim, int64_t until_ms) {
  struct ms_server *s = sim->server;
  for (size_t i = 0; i < MS_CONNS_MAX; i++) {
    struct ms_conn *c = &s->conn[i];
    if (c->state == WAITING && until_ms >= c->deadline_ms) {
      sim->count.timeouts++;
      ms_record_event(sim, "timeout", "EOF without a byte");
      ms_conn_close(c);
    } else if (c->state == SENDING && until_ms >= c->deadline_ms) {
      ms_send(c, c->buf, c->len);
      ms_conn_close(c);
    }
  }
}

static int64_t sleep_ms(const struct ms_sim *sim, int64_t most_ms) {
  const struct ms_server *s = sim->server;
  int64_t until_ms = sim->now_ms + most_ms;
  for (size_t i = 0; i < MS_CONNS_MAX; i++)
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
  for (size_t i = 0; i < MS_CONNS_MAX; i++) {
    enum ms_state state = s->conn[i].state;
    bool reads = state == READING || state == IDEAL || state == CONTROL;
    fds[n++] = (struct pollfd){reads ? s->conn[i].fd : -1, POLLIN, 0};
  }
  return n;
}

void ms_server_turn(struct ms_sim *sim, int64_t timeout_ms) {
  struct ms_server *s = sim->server;
  struct pollfd fds[MS_CONNS_MAX + 2];
  size_t n = interests(s, fds);
  sim->now_ms = now_ms();
  if (poll(fds, n, (int)sleep_ms(sim, timeout_ms)) < 0)
    return; /* a signal */
  sim->now_ms = now_ms();
  ms_pending_due(sim);
  ms_expire(sim, sim->now_ms);
  if (s->down_until_ms != 0 && sim->now_ms >= s->down_until_ms)
    come_back(sim);
  for (size_t i = 0; i < MS_CONNS_MAX && !sim->quit; i++) {
    struct ms_conn *c = &s->conn[i];
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
