/* http_case: a one-thread server that plays one canned reply for each
 * connection, and requests to it. */
#ifndef WEIR_TESTS_HTTP_CASE_H
#define WEIR_TESTS_HTTP_CASE_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* accept4() */
#endif
#include "lib/net/http.h"
#include "tests/unit/transport.h"
#include "tests/unit/unit.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

struct server {
  int fd;
  int port;
  pthread_t thread;
  const char *reply;          /* NULL: read, never answer */
  const char *const *replies; /* two on one connection, in place of `reply` */
  char request[2048];
  void (*on_pipe)(int); /* what SIGPIPE did while it was served */
  atomic_int served;
  int inherited; /* sockets that a child of the process would have then */
};

/* Of the internet; libcurl has a pair of its own to wake itself. */
static inline int inherited(void) {
  int count = 0;
  for (int fd = 3; fd < 256; fd++) {
    int domain = 0, flags = fcntl(fd, F_GETFD);
    socklen_t len = sizeof(domain);
    count += flags >= 0 && (flags & FD_CLOEXEC) == 0 &&
             getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &len) == 0 &&
             domain == AF_INET;
  }
  return count;
}

static atomic_int pause_us; /* before a reply */

static inline void *serve(void *arg) {
  struct server *s = arg;
  int client;
  while ((client = accept4(s->fd, NULL, NULL, SOCK_CLOEXEC)) >= 0) {
    ssize_t len = read(client, s->request, sizeof(s->request) - 1);
    s->request[len > 0 ? len : 0] = '\0';
    struct sigaction on_pipe;
    sigaction(SIGPIPE, NULL, &on_pipe);
    s->on_pipe = on_pipe.sa_handler;
    s->inherited = inherited();
    usleep((useconds_t)pause_us);
    char byte;
    if (s->replies != NULL) {
      (void)!write(client, s->replies[0], strlen(s->replies[0]));
      (void)!read(client, s->request, sizeof(s->request) - 1);
      (void)!write(client, s->replies[1], strlen(s->replies[1]));
    } else if (s->reply == NULL)
      while (read(client, &byte, 1) > 0)
        ;
    else if (write(client, s->reply, strlen(s->reply)) < 0)
      perror("write");
    close(client);
    s->served++;
  }
  return NULL;
}

static inline void server_start(struct server *s, const char *reply) {
  struct sockaddr_in a = {.sin_family = AF_INET,
                          .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t len = sizeof(a);
  s->reply = reply;
  s->replies = NULL;
  s->served = 0;
  s->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  CU_ASSERT_FATAL(bind(s->fd, (struct sockaddr *)&a, len) == 0 &&
                  listen(s->fd, 5) == 0 &&
                  getsockname(s->fd, (struct sockaddr *)&a, &len) == 0);
  s->port = ntohs(a.sin_port);
  pthread_create(&s->thread, NULL, serve, s);
}

static inline void server_stop(struct server *s) {
  shutdown(s->fd, SHUT_RDWR);
  pthread_join(s->thread, NULL);
  close(s->fd);
}

static const struct wr_http_options options = {.user_agent = "weir-test",
                                               .timeout_ms = 30000,
                                               .max_body = 100,
                                               .watch_header = "x-version"};

static inline int get(struct wr_http *h, const struct server *s,
                      struct wr_http_reply *reply) {
  char url[64];
  snprintf(url, sizeof(url), "http://127.0.0.1:%d/a", s->port);
  return wr_http_perform(
      h, &(struct wr_http_request){.method = "GET", .url = url}, reply);
}

#endif
