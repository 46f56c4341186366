/* rpc_server: m4sim as a child, for the bench programs. */
#ifndef WEIR_BENCH_RPC_SERVER_H
#define WEIR_BENCH_RPC_SERVER_H

#include "lib/rpc/client.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

struct server {
  pid_t pid;
  struct wr_rpc_address address;
};

static inline int64_t bench_clock(void) {
  struct timespec ts;
  clock_gettime(CLOCK_MONOTONIC, &ts);
  return (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}

/* Ends the program with a sentence if it cannot start. */
static inline struct server server_start(bool ideal) {
  struct server s = {0};
  char path[512], line[256] = "";
  const char *build = getenv("WEIR_BUILD"), *why = "";
  int out[2];
  snprintf(path, sizeof(path), "%s/bin/m4sim", build ? build : "build");
  if (pipe(out) != 0 || (s.pid = fork()) < 0)
    exit(1);
  if (s.pid == 0) {
    dup2(out[1], 1);
    execl(path, path, "--exit-with-parent", ideal ? "--ideal" : "--hold",
          (char *)NULL);
    _exit(127);
  }
  close(out[1]);
  FILE *from = fdopen(out[0], "r");
  char *at = NULL;
  while (at == NULL && fgets(line, sizeof(line), from) != NULL)
    at = strstr(line, "listening on ");
  if (at == NULL) {
    fprintf(stderr, "%s did not start\n", path);
    exit(1);
  }
  at[strcspn(at, "\n")] = '\0';
  if (wr_rpc_address_parse(at + 13, &s.address, &why) != 0)
    exit(1);
  return s;
}

static inline void server_stop(const struct server *s) {
  kill(s->pid, SIGTERM);
  waitpid(s->pid, NULL, 0);
}

#endif
