/* Listening sockets: TCP, and unix sockets for arduino-router and control. */
#include "tests/sim/m4sim_server.h"

#include <errno.h>
#include <netdb.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

int ms_listen_unix(const char *path, struct sockaddr_un *un, char *err,
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

int ms_listen_tcp(const struct sockaddr *addr, socklen_t len) {
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
  s->listener = ms_listen_tcp((struct sockaddr *)&s->addr, s->addrlen);
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
  for (size_t i = 0; i < MS_CONNS_MAX; i++)
    s->conn[i].fd = -1;
  if (strncmp(sim->opt.listen, "unix:", 5) == 0) {
    s->unix_path = sim->opt.listen + 5;
    s->listener = ms_listen_unix(s->unix_path, &un, err, errlen);
    memcpy(&s->addr, &un, sizeof(un));
    s->addrlen = sizeof(un);
    snprintf(address, len, "%s", sim->opt.listen);
    if (s->listener < 0)
      return -1;
  } else if (open_tcp(sim, address, len, err, errlen) != 0)
    return -1;
  if (sim->opt.control != NULL)
    s->control = ms_listen_unix(sim->opt.control, &un, err, errlen);
  return sim->opt.control != NULL && s->control < 0 ? -1 : 0;
}

void ms_server_close(struct ms_sim *sim) {
  struct ms_server *s = sim->server;
  if (s == NULL)
    return;
  for (size_t i = 0; i < MS_CONNS_MAX; i++)
    if (s->conn[i].state != FREE)
      ms_conn_close(&s->conn[i]);
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
