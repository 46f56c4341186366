/* service_case.h: a driver with boards and a clock of the test, for the tests
 * of what it does for each of them, step by step. */
#ifndef WEIR_TESTS_SERVICE_CASE_H
#define WEIR_TESTS_SERVICE_CASE_H

#include "tests/unit/alloc.h"
#include "tests/unit/unit.h"

#include "lib/m4/service.h"

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#define S 1000000LL
#define BOARDS 4

static char directory[] = "/tmp/weir-service.XXXXXX";
static struct wr_m4_driver *driver;
static struct wr_m4_board boards[BOARDS];
static struct wr_m4_report reports[BOARDS];
static struct wr_rpc_call calls[BOARDS];
static int64_t now_us, step_us; /* that passes with each health */
static int healths, faults, listener;

static inline int64_t clock_us(void) { return now_us; }

static inline uint32_t random_of_test(void) { return 7; }

static inline void on_lock_fault(void *user, const char *path, int error) {
  CU_ASSERT_PTR_EQUAL(user, boards);
  CU_ASSERT_EQUAL(strncmp(path, directory, strlen(directory)), 0);
  CU_ASSERT_EQUAL(error, -ENOENT);
  faults++;
}

static inline void on_health(void *user) {
  healths += user != NULL;
  now_us += step_us;
}

static inline void on_event(void *user, enum wr_m4_event event, size_t which,
                            int64_t since_us, const char *why) {
  (void)user, (void)event, (void)which, (void)since_us, (void)why;
}

/* Somebody who lets himself be connected to, and is silent. */
static inline int listen_at(struct sockaddr_in *in) {
  socklen_t len = sizeof(*in);
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  *in = (struct sockaddr_in){.sin_family = AF_INET,
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  if (bind(fd, (struct sockaddr *)in, len) != 0 || listen(fd, 8) != 0 ||
      getsockname(fd, (struct sockaddr *)in, &len) != 0)
    abort();
  return fd;
}

/* A driver with these boards; each has one report, and is parked. */
static inline void begin(size_t count, enum wr_rpc_mode mode,
                         size_t descriptors) {
  const struct wr_m4_world world = {clock_us, random_of_test, on_lock_fault};
  struct sockaddr_in in;
  memset(boards, 0, sizeof(boards));
  now_us = 50 * S;
  step_us = 0;
  healths = faults = 0;
  listener = listen_at(&in);
  driver = wr_m4_driver_new(&world, descriptors);
  CU_ASSERT_PTR_NOT_NULL_FATAL(driver);
  for (size_t i = 0; i < count; i++) {
    struct wr_m4_board *b = boards + i;
    reports[i] = (struct wr_m4_report){
        .method = "label", .state = {.on_change = true, .max_age_ms = 60000}};
    b->life.parked = true;
    b->life.interval_ms = 1000;
    b->life.sink.user = b;
    b->life.sink.health = on_health;
    b->life.sink.event = on_event;
    b->life.reports[0] = reports + i;
    b->life.reports_count = 1;
    b->mode = mode;
    b->timeout_ms = 1500;
    b->lock_directory = directory;
    strcpy(b->address.host, "127.0.0.1");
    snprintf(b->address.port, sizeof(b->address.port), "%u",
             ntohs(in.sin_port));
    CU_ASSERT_EQUAL_FATAL(wr_m4_driver_add(driver, b), 0);
  }
}

static inline void end(void) {
  wr_m4_driver_free(driver);
  close(listener);
}

/* A call of its own for the board, which is served as far as possible. */
static inline void call(size_t i) {
  calls[i] = (struct wr_rpc_call){.method = "flow_rate"};
  wr_rpc_begin(&boards[i].wire.s, WR_OP_CALL, calls + i, 1, now_us);
  wr_m4_serve(driver, boards + i);
}

/* The boards that are ready, as "0 1 3 ". */
static inline const char *ready(void) {
  static char text[32];
  text[0] = '\0';
  const struct wr_m4_board *last = NULL;
  for (const struct wr_m4_board *b = driver->ready; b != NULL;
       b = b->ready_next)
    snprintf(text + strlen(text), sizeof(text) - strlen(text), "%d ",
             (int)((last = b) - boards));
  if (last != NULL)
    CU_ASSERT_PTR_EQUAL(driver->ready_last, last);
  driver->ready = NULL;
  for (int i = 0; i < BOARDS; i++)
    boards[i].ready = false;
  return text;
}

static inline bool woken(void) {
  struct pollfd fd = {.fd = driver->wake_fd, .events = POLLIN};
  eventfd_t ignored;
  if (poll(&fd, 1, 0) == 0)
    return false;
  return eventfd_read(driver->wake_fd, &ignored) == 0;
}

/* Runs the cases in a folder of their own for the locks. */
static inline int service_main(const char *suite, const struct unit_case *cases,
                               size_t count) {
  char command[64];
  alarm(30); /* what never comes is a failure */
  if (mkdtemp(directory) == NULL)
    return 1;
  int bad = unit_main(suite, cases, count);
  snprintf(command, sizeof(command), "rm -r %s", directory);
  return system(command) != 0 || bad;
}

#endif
