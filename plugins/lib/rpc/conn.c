#include "lib/rpc/conn.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <string.h>
#include <sys/un.h>
#include <unistd.h>

/* Waits for events on fd (-1: none). poll() counts in milliseconds: rounding
 * up keeps it from spinning through the last one. */
static int wait_for(int fd, short events, const struct wr_rpc_env *env,
                    int64_t deadline_us) {
  struct pollfd fds[2] = {{.fd = fd, .events = events},
                          {.fd = env->stop_fd, .events = POLLIN}};
  for (;;) {
    int64_t left_us = deadline_us - env->clock_us();
    int n = poll(fds, 2, left_us > 0 ? (int)((left_us + 999) / 1000) : 0);
    if (n < 0 && errno != EINTR)
      return -errno;
    if (n > 0)
      return fds[1].revents != 0 ? -ECANCELED : 0;
    if (n == 0 && left_us <= 0)
      return -ETIMEDOUT;
  }
}

int wr_rpc_pause(const struct wr_rpc_env *env, int64_t deadline_us) {
  return wait_for(-1, 0, env, deadline_us);
}

static int connect_done(int fd, const struct wr_rpc_env *env,
                        int64_t deadline_us) {
  int status = wait_for(fd, POLLOUT, env, deadline_us);
  if (status != 0)
    return status;
  int error = 0;
  socklen_t len = sizeof(error);
  if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len) != 0)
    return -errno;
  return -error;
}

int wr_rpc_send(int fd, const struct wr_rpc_env *env, int64_t deadline_us,
                const void *data, size_t len) {
  for (;;) {
    ssize_t n = send(fd, data, len, MSG_NOSIGNAL);
    if (n == (ssize_t)len)
      return 0;
    if (n >= 0)
      return -EIO; /* a second segment would be misread */
    if (errno != EAGAIN && errno != EINTR)
      return -errno;
    int status = wait_for(fd, POLLOUT, env, deadline_us);
    if (status != 0)
      return status;
  }
}

int wr_rpc_recv(int fd, const struct wr_rpc_env *env, int64_t deadline_us,
                void *data, size_t size) {
  for (;;) {
    int status = wait_for(fd, POLLIN, env, deadline_us);
    if (status != 0)
      return status;
    ssize_t n = recv(fd, data, size, 0);
    if (n >= 0)
      return (int)n;
    if (errno != EAGAIN && errno != EINTR)
      return -errno;
  }
}

static int open_peer(const struct wr_rpc_peers *peers, unsigned i,
                     const struct wr_rpc_env *env, int64_t deadline_us,
                     const void *data, size_t len) {
  int family = peers->at[i].ss_family;
  int fd = socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0)
    return -errno;
  int on = 1;
  if (family != AF_UNIX && len == 0) /* a single message is never held back */
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
  int status =
      connect(fd, (const struct sockaddr *)&peers->at[i], peers->len[i]) == 0
          ? 0
          : -errno;
  if (status == -EINPROGRESS && len == 0)
    status = connect_done(fd, env, deadline_us);
  /* Near peers are connected by now, and send() waits for the others and
   * tells a failed connect: this saves two system calls per call. */
  if ((status == 0 || status == -EINPROGRESS) && len > 0)
    status = wr_rpc_send(fd, env, deadline_us, data, len);
  if (status == 0)
    return fd;
  close(fd);
  return status;
}

int wr_rpc_open(const struct wr_rpc_peers *peers, const struct wr_rpc_env *env,
                int64_t deadline_us, const void *data, size_t len) {
  int status = -EADDRNOTAVAIL;
  for (unsigned i = 0; i < peers->count; i++) {
    int64_t until_us = deadline_us;
    if (i + 1 < peers->count) { /* a dead first address leaves time */
      int64_t now_us = env->clock_us();
      until_us = now_us + (deadline_us - now_us) / 2;
    }
    status = open_peer(peers, i, env, until_us, data, len);
    if (status >= 0 || status == -ECANCELED)
      break;
  }
  return status;
}
