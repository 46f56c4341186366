/* Connect, send, collect: with deadlines, and with everything kept. */
#include "doctor/probe.h"

#include "doctor/tools.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <string.h>
#include <sys/un.h>
#include <unistd.h>

static int find_unix(const char *path, struct doctor_peer *out) {
  struct sockaddr_un *un = (struct sockaddr_un *)&out->at[0];
  if (strlen(path) >= sizeof(un->sun_path))
    return -ENAMETOOLONG;
  un->sun_family = AF_UNIX;
  strcpy(un->sun_path, path);
  out->len[0] = sizeof(*un);
  out->count = 1;
  return 0;
}

int doctor_find(const struct wr_rpc_address *address, struct doctor_peer *out) {
  struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *found = NULL;
  *out = (struct doctor_peer){0};
  if (address->path[0] != '\0')
    return find_unix(address->path, out);
  int code = getaddrinfo(address->host, address->port, &hints, &found);
  if (code != 0)
    return code == EAI_AGAIN || code == EAI_FAIL ? -EAGAIN : -ENOENT;
  for (struct addrinfo *a = found; a != NULL && out->count < DOCTOR_PEERS;
       a = a->ai_next) {
    memcpy(&out->at[out->count], a->ai_addr, a->ai_addrlen);
    out->len[out->count++] = a->ai_addrlen;
  }
  freeaddrinfo(found);
  return out->count > 0 ? 0 : -ENOENT;
}

/* 0 once the socket is ready for `events`, or -ETIMEDOUT. */
static int wait_for(int fd, short events, int64_t until_us) {
  struct pollfd p = {.fd = fd, .events = events};
  for (;;) {
    int64_t left_ms = (until_us - doctor_clock_us() + 999) / 1000;
    int n = poll(&p, 1, left_ms > 0 ? (int)left_ms : 0);
    if (n > 0)
      return 0;
    if (n == 0 || errno != EINTR)
      return n == 0 ? -ETIMEDOUT : -errno;
  }
}

static int connect_to(struct doctor_probe *p, const struct sockaddr_storage *at,
                      socklen_t len, int64_t until_us) {
  int error = 0, one = 1;
  socklen_t size = sizeof(error);
  p->fd = socket(at->ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (p->fd < 0)
    return -errno;
  if (at->ss_family != AF_UNIX)
    setsockopt(p->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
  if (connect(p->fd, (const struct sockaddr *)at, len) == 0)
    return 0;
  if (errno != EINPROGRESS)
    return -errno;
  if (wait_for(p->fd, POLLOUT, until_us) != 0)
    return -ETIMEDOUT;
  if (getsockopt(p->fd, SOL_SOCKET, SO_ERROR, &error, &size) != 0)
    return -errno;
  return -error;
}

int doctor_dial(struct doctor_probe *p, const struct doctor_peer *peer,
                int64_t timeout_ms) {
  int status = -ENOENT;
  *p = (struct doctor_probe){.fd = -1};
  for (unsigned i = 0; i < peer->count; i++) {
    int64_t start_us = doctor_clock_us();
    status =
        connect_to(p, &peer->at[i], peer->len[i], start_us + timeout_ms * 1000);
    p->way_us = doctor_clock_us() - start_us;
    if (status == 0)
      return 0;
    doctor_hang_up(p);
  }
  return status;
}

int doctor_say(struct doctor_probe *p, const void *data, size_t len) {
  ssize_t n = send(p->fd, data, len, MSG_NOSIGNAL);
  p->sent_us = doctor_clock_us();
  if (n == (ssize_t)len)
    return 0;
  return n < 0 ? -errno : -EPIPE;
}

void doctor_hear(struct doctor_probe *p, int64_t timeout_ms,
                 bool (*enough)(const struct doctor_probe *p, void *arg),
                 void *arg) {
  int64_t until_us = doctor_clock_us() + timeout_ms * 1000;
  while (p->end == DOCTOR_OPEN && p->len < sizeof(p->in) &&
         (enough == NULL || !enough(p, arg)) &&
         wait_for(p->fd, POLLIN, until_us) == 0) {
    ssize_t n = recv(p->fd, p->in + p->len, sizeof(p->in) - p->len, 0);
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
      continue;
    int64_t now_us = doctor_clock_us();
    if (n > 0) {
      p->first_us = p->len == 0 ? now_us : p->first_us;
      p->len += (size_t)n;
      continue;
    }
    p->end = n == 0 ? DOCTOR_EOF : DOCTOR_RESET;
    p->end_us = now_us;
  }
}

void doctor_hang_up(struct doctor_probe *p) {
  if (p->fd >= 0)
    close(p->fd);
  p->fd = -1;
}
