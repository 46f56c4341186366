/* child_case: programs for children, and what they print. */
#ifndef WEIR_TESTS_CHILD_CASE_H
#define WEIR_TESTS_CHILD_CASE_H

#include "lib/net/child.h"
#include "tests/unit/unit.h"

#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static char script[64];

/* A shell script; $1 is the argument. */
static inline void make_script(const char *text) {
  snprintf(script, sizeof(script), "/tmp/test-child-XXXXXX");
  int fd = mkstemp(script);
  CU_ASSERT_FATAL(fd >= 0);
  dprintf(fd, "#!/bin/sh\n%s\n", text);
  fchmod(fd, 0700);
  close(fd);
}

/* All that it prints, until it ends. */
static inline void read_output(struct wr_child *c, char *text, size_t size) {
  size_t len = 0;
  for (;;) {
    struct pollfd p = {.fd = c->out, .events = POLLIN};
    CU_ASSERT_FATAL(poll(&p, 1, 30000) == 1);
    ssize_t n = read(c->out, text + len, size - 1 - len);
    if (n <= 0)
      break;
    len += (size_t)n;
  }
  text[len] = '\0';
}

#endif
