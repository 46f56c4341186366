/* Addresses of rpc_conn: text to parts, names to sockets' addresses. */
#include "lib/rpc/conn.h"

#include "lib/base/text.h"

#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/un.h>
#include <unistd.h>

static int parse_port(const char *text, struct wr_rpc_address *out) {
  size_t digits = strspn(text, "0123456789");
  if (digits == 0 || digits > 5 || text[digits] != '\0')
    return -EINVAL;
  unsigned long port = strtoul(text, NULL, 10);
  if (port < 1 || port > 65535)
    return -EINVAL;
  snprintf(out->port, sizeof(out->port), "%lu", port);
  return 0;
}

static int parse_host(const char *text, size_t len,
                      struct wr_rpc_address *out) {
  if (len == 0 || len >= sizeof(out->host))
    return -EINVAL;
  for (size_t i = 0; i < len; i++)
    if (wr_text_is_space(text[i]) || text[i] == '/')
      return -EINVAL;
  memcpy(out->host, text, len);
  return 0;
}

static int parse_path(const char *text, struct wr_rpc_address *out,
                      const char **why) {
  *why = "a unix socket is an absolute path of at most 107 bytes";
  if (text[0] != '/' || strlen(text) >= sizeof(out->path))
    return -EINVAL;
  memcpy(out->path, text, strlen(text));
  return 0;
}

int wr_rpc_address_parse(const char *text, struct wr_rpc_address *out,
                         const char **why) {
  *out = (struct wr_rpc_address){.port = WR_RPC_PORT};
  if (strncmp(text, "unix:", 5) == 0)
    return parse_path(text + 5, out, why);
  if (strncmp(text, "tcp:", 4) == 0)
    text += 4;
  *why = "the host is missing or malformed";
  const char *port = strrchr(text, ':');
  size_t len = port != NULL ? (size_t)(port - text) : strlen(text);
  if (text[0] == '[') {
    const char *close = strchr(text, ']');
    if (close == NULL || (close[1] != '\0' && close[1] != ':'))
      return -EINVAL;
    port = close[1] == ':' ? close + 1 : NULL;
    len = (size_t)(close - ++text);
  } else if (memchr(text, ':', len) != NULL) {
    *why = "an IPv6 address needs brackets, as [::1]:5001";
    return -EINVAL;
  }
  if (parse_host(text, len, out) != 0)
    return -EINVAL;
  *why = "the port is a number from 1 to 65535";
  return port == NULL ? 0 : parse_port(port + 1, out);
}

/* One look-up, shared by the caller and its thread; the last one frees it. */
struct lookup {
  pthread_mutex_t lock;
  unsigned users;
  int done_fd;
  struct wr_rpc_address address;
  struct wr_rpc_peers peers;
};

static void lookup_leave(struct lookup *l) {
  pthread_mutex_lock(&l->lock);
  bool last = --l->users == 0;
  pthread_mutex_unlock(&l->lock);
  if (!last)
    return;
  pthread_mutex_destroy(&l->lock);
  close(l->done_fd);
  free(l);
}

static int look_up(const struct wr_rpc_address *address, int flags,
                   struct wr_rpc_peers *out) {
  struct addrinfo hints = {.ai_socktype = SOCK_STREAM,
                           .ai_flags = flags | AI_NUMERICSERV};
  struct addrinfo *list = NULL;
  out->count = 0;
  if (getaddrinfo(address->host, address->port, &hints, &list) != 0)
    return -EADDRNOTAVAIL;
  for (struct addrinfo *a = list; a != NULL; a = a->ai_next) {
    if (out->count == WR_RPC_PEERS ||
        a->ai_addrlen > sizeof(struct sockaddr_storage))
      continue;
    memcpy(&out->at[out->count], a->ai_addr, a->ai_addrlen);
    out->len[out->count++] = a->ai_addrlen;
  }
  freeaddrinfo(list);
  return out->count > 0 ? 0 : -EADDRNOTAVAIL;
}

static void *lookup_main(void *arg) {
  struct lookup *l = arg;
  struct wr_rpc_peers peers = {.count = 0};
  look_up(&l->address, 0, &peers);
  pthread_mutex_lock(&l->lock);
  l->peers = peers;
  pthread_mutex_unlock(&l->lock);
  uint64_t one = 1;
  if (write(l->done_fd, &one, sizeof(one)) < 0)
    peers.count = 0; /* an eventfd at 0 always takes a 1 */
  lookup_leave(l);
  return NULL;
}

static struct lookup *lookup_start(const struct wr_rpc_address *address) {
  struct lookup *l = calloc(1, sizeof(*l));
  if (l == NULL)
    return NULL;
  l->users = 2;
  l->address = *address;
  l->done_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  pthread_mutex_init(&l->lock, NULL);
  pthread_t thread;
  sigset_t all, old;
  sigfillset(&all); /* signals belong to the program's own threads */
  pthread_sigmask(SIG_SETMASK, &all, &old);
  bool ok =
      l->done_fd >= 0 && pthread_create(&thread, NULL, lookup_main, l) == 0;
  pthread_sigmask(SIG_SETMASK, &old, NULL);
  if (ok) {
    pthread_detach(thread);
    return l;
  }
  l->users = 1;
  lookup_leave(l);
  return NULL;
}

static int lookup_wait(const struct lookup *l, const struct wr_rpc_env *env,
                       int64_t deadline_us) {
  struct pollfd fds[2] = {{.fd = l->done_fd, .events = POLLIN},
                          {.fd = env->stop_fd, .events = POLLIN}};
  for (;;) {
    int64_t left_us = deadline_us - env->clock_us();
    if (left_us <= 0)
      return -ETIMEDOUT;
    int n = poll(fds, 2, (int)((left_us + 999) / 1000));
    if (n > 0)
      return fds[1].revents != 0 ? -ECANCELED : 0;
    if (n < 0 && errno != EINTR)
      return -errno;
  }
}

static int resolve_name(const struct wr_rpc_address *address,
                        const struct wr_rpc_env *env, int64_t deadline_us,
                        struct wr_rpc_peers *out) {
  struct lookup *l = lookup_start(address);
  if (l == NULL)
    return -ENOMEM;
  int status = lookup_wait(l, env, deadline_us);
  pthread_mutex_lock(&l->lock);
  *out = l->peers;
  pthread_mutex_unlock(&l->lock);
  lookup_leave(l);
  if (status != 0)
    out->count = 0;
  return status == 0 && out->count == 0 ? -EADDRNOTAVAIL : status;
}

int wr_rpc_resolve(const struct wr_rpc_address *address,
                   const struct wr_rpc_env *env, int64_t deadline_us,
                   struct wr_rpc_peers *out) {
  if (address->path[0] != '\0') {
    struct sockaddr_un un = {.sun_family = AF_UNIX};
    memcpy(un.sun_path, address->path, sizeof(un.sun_path));
    memcpy(&out->at[0], &un, sizeof(un));
    out->len[0] = sizeof(un);
    out->count = 1;
    return 0;
  }
  if (look_up(address, AI_NUMERICHOST, out) == 0)
    return 0; /* needs no server, hence no thread */
  return resolve_name(address, env, deadline_us, out);
}
