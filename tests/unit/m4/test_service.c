/* What the driver does for its boards, step by step and by a clock of the test:
 * whose turn it is, who waits for what, who is woken. */
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

static int64_t clock_us(void) { return now_us; }

static uint32_t random_of_test(void) { return 7; }

static void on_lock_fault(void *user, const char *path, int error) {
  CU_ASSERT_PTR_EQUAL(user, boards);
  CU_ASSERT_EQUAL(strncmp(path, directory, strlen(directory)), 0);
  CU_ASSERT_EQUAL(error, -ENOENT);
  faults++;
}

static void on_health(void *user) {
  healths += user != NULL;
  now_us += step_us;
}

static void on_event(void *user, enum wr_m4_event event, size_t which,
                     int64_t since_us, const char *why) {
  (void)user, (void)event, (void)which, (void)since_us, (void)why;
}

/* Somebody who lets himself be connected to, and is silent. */
static int listen_at(struct sockaddr_in *in) {
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
static void begin(size_t count, enum wr_rpc_mode mode, size_t descriptors) {
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

static void end(void) {
  wr_m4_driver_free(driver);
  close(listener);
}

/* A call of its own for the board, which is served as far as possible. */
static void call(size_t i) {
  calls[i] = (struct wr_rpc_call){.method = "flow_rate"};
  wr_rpc_begin(&boards[i].wire.s, WR_OP_CALL, calls + i, 1, now_us);
  wr_m4_serve(driver, boards + i);
}

/* The boards that are ready, as "0 1 3 ". */
static const char *ready(void) {
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

static bool woken(void) {
  struct pollfd fd = {.fd = driver->wake_fd, .events = POLLIN};
  eventfd_t ignored;
  if (poll(&fd, 1, 0) == 0)
    return false;
  return eventfd_read(driver->wake_fd, &ignored) == 0;
}

/* There is room for what goes out at once: a request for each method where the
 * connection is kept, else one; a report needs as much. */
static void test_room_for_requests(void) {
  for (size_t methods = 0; methods < 4; methods++) {
    begin(0, WR_RPC_PERSISTENT, 8);
    boards[0].mode = WR_RPC_PERSISTENT;
    boards[0].life.methods_count = methods;
    CU_ASSERT_EQUAL_FATAL(wr_m4_driver_add(driver, boards), 0);
    CU_ASSERT_PTR_EQUAL(boards[0].wire.s.in,
                        boards[0].wire.s.out +
                            (methods > 0 ? methods : 1) * WR_RPC_REQUEST_MAX);
    end();
  }
}

/* First turns spread evenly over the interval, of which ten seconds count. */
static void test_spread(void) {
  static const struct {
    int64_t interval_ms, step_us;
  } cases[] = {{1000, S / 4},
               {10000, 10 * S / 4},
               {10004, 10 * S / 4},
               {3600000, 10 * S / 4}};
  for (size_t n = 0; n < sizeof(cases) / sizeof(cases[0]); n++) {
    begin(BOARDS, WR_RPC_PROXY, 8);
    for (int i = 0; i < BOARDS; i++)
      boards[i].life.interval_ms = cases[n].interval_ms;
    wr_m4_driver_stop(driver);
    wr_m4_driver_run(driver);
    CU_ASSERT_EQUAL(healths, 1);
    CU_ASSERT_EQUAL(boards[0].life.health.next_us,
                    50 * S + cases[n].interval_ms * 1000);
    for (int i = 1; i < BOARDS; i++) {
      CU_ASSERT_EQUAL(boards[i].life.health.next_us,
                      50 * S + i * cases[n].step_us);
      CU_ASSERT_EQUAL(boards[i].timer.at_us, 50 * S + i * cases[n].step_us);
    }
    end();
  }
}

/* What is due at this very microsecond has its turn, and not before. */
static void test_due(void) {
  for (int early_us = 0; early_us <= 1; early_us++) {
    begin(1, WR_RPC_PROXY, 8);
    step_us = S - early_us; /* the next health is due after a second */
    wr_m4_driver_stop(driver);
    wr_m4_driver_run(driver);
    CU_ASSERT_EQUAL(healths, 1);
    CU_ASSERT_EQUAL(boards[0].timer.at_us, 51 * S);
    CU_ASSERT_EQUAL(boards[0].timer.place, early_us);
    CU_ASSERT_STRING_EQUAL(ready(), early_us ? "" : "0 ");
    end();
  }
}

static void test_order_of_turns(void) {
  begin(BOARDS, WR_RPC_PROXY, 8);
  static const int order[] = {2, 0, 2, 3, 0};
  for (size_t i = 0; i < sizeof(order) / sizeof(order[0]); i++)
    wr_m4_make_ready(driver, boards + order[i]);
  CU_ASSERT_STRING_EQUAL(ready(), "2 0 3 ");
  CU_ASSERT_STRING_EQUAL(ready(), "");
  wr_m4_make_ready(driver, boards + 0); /* who was behind it is no more */
  CU_ASSERT_STRING_EQUAL(ready(), "0 ");
  end();
}

static void test_how_long_to_wait(void) {
  static const struct {
    int64_t left_us;
    int ms;
  } cases[] = {{-S, 0},
               {0, 0},
               {1, 1},
               {1000, 1},
               {1001, 2},
               {999999, 1000},
               {S, 1000},
               {3600 * S, 3600000},
               {3601 * S, 3600000},
               {INT64_MAX - 50 * S, 3600000}};
  begin(1, WR_RPC_PROXY, 8);
  CU_ASSERT_EQUAL(wr_m4_wait_ms(driver), -1); /* for ever */
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    wr_timers_set(&driver->timers, &boards[0].timer, now_us + cases[i].left_us);
    CU_ASSERT_EQUAL(wr_m4_wait_ms(driver), cases[i].ms);
  }
  wr_m4_make_ready(driver, boards);
  CU_ASSERT_EQUAL(wr_m4_wait_ms(driver), 0);
  end();
}

/* A label that makes a report due wakes its board, once; another does not. */
static void test_woken(void) {
  begin(2, WR_RPC_PROXY, 8);
  reports[0].source = reports[1].source = "edge_impulse:label";
  wr_m4_driver_offer(driver, boards, "another", "Low", 1, 1, 1000);
  CU_ASSERT_PTR_NULL(driver->woken);
  CU_ASSERT_FALSE(woken());
  for (int i = 0; i < 2; i++)
    for (int n = 0; n < 2; n++)
      wr_m4_driver_offer(driver, boards + i, "edge_impulse:label",
                         n ? "Low" : "High", 0.5, 1, 1000);
  CU_ASSERT_PTR_EQUAL(driver->woken, boards + 1);
  CU_ASSERT_PTR_EQUAL(driver->woken->woken_next, boards + 0);
  CU_ASSERT_PTR_NULL(driver->woken->woken_next->woken_next);
  CU_ASSERT(boards[0].woken && boards[1].woken);
  CU_ASSERT_STRING_EQUAL(reports[0].state.label, "Low");
  CU_ASSERT_EQUAL(reports[0].state.expires_ms, 50000 + 60000);
  CU_ASSERT(woken());
  wr_m4_driver_stop(driver); /* both have their turn, then it ends */
  wr_m4_driver_run(driver);
  CU_ASSERT_PTR_NULL(driver->woken);
  CU_ASSERT_FALSE(boards[0].woken || boards[1].woken);
  CU_ASSERT_STRING_EQUAL(ready(), "1 0 ");
  CU_ASSERT_FALSE(woken());
  end();
}

/* What the label says already wakes nobody. */
static void test_same_label(void) {
  begin(1, WR_RPC_PROXY, 8);
  wr_m4_driver_offer(driver, boards, NULL, "Low", 1, 1, 1000);
  CU_ASSERT(woken());
  driver->woken = NULL;
  boards[0].woken = false;
  wr_m4_driver_offer(driver, boards, NULL, "Low", 1, 2, 1000);
  CU_ASSERT_PTR_NULL(driver->woken);
  CU_ASSERT_FALSE(woken());
  end();
}

/* Descriptors for three: who comes too late stands in line, and nobody behind
 * overtakes him. A proxy's board takes two, for the socket and the lock. */
static void test_line(void) {
  begin(BOARDS, WR_RPC_PERSISTENT, 3);
  boards[1].mode = WR_RPC_PROXY; /* as far as descriptors go */
  call(0);
  CU_ASSERT(boards[0].holds);
  CU_ASSERT_EQUAL(driver->held, 1);
  CU_ASSERT(boards[0].wire.fd >= 0);
  call(1);
  CU_ASSERT_EQUAL(driver->held, 3);
  call(2);
  wr_m4_serve(driver, boards + 2); /* still in vain, and in line once */
  call(3);
  CU_ASSERT_EQUAL(driver->held, 3);
  CU_ASSERT_PTR_EQUAL(driver->line, boards + 2);
  CU_ASSERT_PTR_EQUAL(boards[2].line_next, boards + 3);
  CU_ASSERT_PTR_EQUAL(driver->line_last, boards + 3);
  CU_ASSERT(boards[2].in_line && !boards[2].holds);
  CU_ASSERT(boards[2].wire.fd < 0);
  CU_ASSERT_EQUAL(boards[2].wire.s.peers.count, 1); /* looked up beforehand */
  wr_m4_next_in_line(driver);
  CU_ASSERT_STRING_EQUAL(ready(), "");
  boards[2].mode = WR_RPC_PROXY;
  wr_m4_release(driver, boards); /* in use */
  CU_ASSERT_EQUAL(driver->held, 3);
  wr_rpc_cancel(&boards[0].wire.s, now_us);
  wr_m4_release(driver, boards); /* still open */
  CU_ASSERT_EQUAL(driver->held, 3);
  wr_m4_serve(driver, boards);
  wr_m4_release(driver, boards);
  wr_m4_release(driver, boards); /* harmless */
  CU_ASSERT_EQUAL(driver->held, 2);
  CU_ASSERT_FALSE(boards[0].holds);
  wr_m4_next_in_line(driver); /* not enough for the first */
  CU_ASSERT_EQUAL(driver->held, 2);
  CU_ASSERT_PTR_EQUAL(driver->line, boards + 2);
  wr_rpc_cancel(&boards[1].wire.s, now_us);
  wr_m4_serve(driver, boards + 1);
  wr_m4_release(driver, boards + 1);
  wr_m4_next_in_line(driver);
  CU_ASSERT_EQUAL(driver->held, 3);
  CU_ASSERT_PTR_NULL(driver->line);
  CU_ASSERT(boards[2].holds && boards[3].holds);
  CU_ASSERT_FALSE(boards[2].in_line || boards[3].in_line);
  CU_ASSERT_STRING_EQUAL(ready(), "2 3 ");
  wr_rpc_cancel(&boards[2].wire.s, now_us); /* and in line again, alone */
  wr_m4_serve(driver, boards + 2);
  wr_m4_release(driver, boards + 2);
  driver->held = 3;
  call(2);
  CU_ASSERT_PTR_EQUAL(driver->line, boards + 2);
  CU_ASSERT_PTR_NULL(boards[2].line_next);
  end();
}

/* None has what it needs, though no one stands in line: it is queued. */
static void test_too_few_for_a_proxy(void) {
  begin(1, WR_RPC_PROXY, 1);
  call(0);
  CU_ASSERT_EQUAL(driver->held, 0);
  CU_ASSERT_PTR_EQUAL(driver->line, boards);
  end();
}

/* The lock of another process: tried again every 3 ms, as long as a call may
 * take; then without. Who comes next waits at the gate and is made ready. */
static void test_lock_of_another(void) {
  struct wr_rpc_lock other = {.fd = -1};
  char key[WR_RPC_KEY_MAX];
  begin(2, WR_RPC_PROXY, 8);
  snprintf(key, sizeof(key), "local:%s", boards[0].address.port);
  CU_ASSERT_EQUAL_FATAL(wr_rpc_lock_try(&other, key, directory), 0);
  call(0);
  CU_ASSERT(boards[0].at_gate);
  CU_ASSERT_EQUAL(boards[0].retry_us, 50 * S + WR_M4_GATE_RETRY_US);
  CU_ASSERT_EQUAL(boards[0].wire.s.wish, WR_WISH_LOCK);
  call(1);
  CU_ASSERT(boards[1].at_gate);
  CU_ASSERT_EQUAL(boards[1].retry_us, 0);
  now_us += S;
  wr_m4_serve(driver, boards);
  CU_ASSERT_EQUAL(boards[0].retry_us, 51 * S + WR_M4_GATE_RETRY_US);
  now_us += S / 2 - 1;
  wr_m4_serve(driver, boards);
  CU_ASSERT(boards[0].wire.fd < 0);
  now_us++;
  wr_m4_serve(driver, boards);
  CU_ASSERT_EQUAL(boards[0].retry_us, 0);
  CU_ASSERT(boards[0].wire.fd >= 0);
  CU_ASSERT(calls[0].unlocked);
  CU_ASSERT_STRING_EQUAL(ready(), "");
  wr_m4_leave_gate(driver, boards);
  CU_ASSERT_FALSE(boards[0].at_gate);
  CU_ASSERT_STRING_EQUAL(ready(), "1 ");
  wr_m4_leave_gate(driver, boards); /* harmless */
  CU_ASSERT_STRING_EQUAL(ready(), "");
  wr_rpc_lock_close(&other);
  wr_m4_serve(driver, boards + 1);
  CU_ASSERT(boards[1].wire.fd >= 0);
  CU_ASSERT_FALSE(calls[1].unlocked);
  wr_m4_leave_gate(driver, boards + 1);
  CU_ASSERT_STRING_EQUAL(ready(), "");
  end();
}

/* No lock can be: said once, until there was one; calls are made. */
static void test_no_lock_can_be(void) {
  char place[64];
  snprintf(place, sizeof(place), "%s/later", directory);
  begin(1, WR_RPC_PROXY, 8);
  boards[0].lock_directory = place;
  for (int i = 0; i < 6; i++) {
    if (i == 2)
      CU_ASSERT_EQUAL(mkdir(place, 0700), 0);
    if (i == 4) {
      CU_ASSERT_EQUAL(unlink(boards[0].gate->lock.path), 0);
      CU_ASSERT_EQUAL(rmdir(place), 0);
    }
    call(0);
    CU_ASSERT(boards[0].wire.fd >= 0);
    CU_ASSERT_FALSE(calls[0].unlocked);
    CU_ASSERT_EQUAL(faults, i < 4 ? 1 : 2);
    wr_rpc_cancel(&boards[0].wire.s, now_us);
    wr_m4_serve(driver, boards);
    wr_m4_leave_gate(driver, boards);
  }
  end();
}

/* Another address is another proxy, with a gate and a guard of its own; no
 * address leaves those that were known. */
static void test_proxy_moves(void) {
  struct wr_rpc_peers peers = {.count = 0};
  struct wr_rpc_address there = {.host = "127.0.0.2", .port = "5001"};
  begin(1, WR_RPC_PROXY, 8);
  wr_m4_found(driver, boards, &peers);
  CU_ASSERT_PTR_NULL(boards[0].gate);
  CU_ASSERT_PTR_EQUAL(boards[0].life.guard, &boards[0].guard);
  CU_ASSERT(wr_rpc_address_known(&boards[0].address, &peers));
  wr_m4_found(driver, boards, &peers);
  struct wr_m4_gate *first = boards[0].gate;
  CU_ASSERT_PTR_NOT_NULL_FATAL(first);
  CU_ASSERT_PTR_EQUAL(boards[0].life.guard, &first->guard);
  CU_ASSERT_PTR_EQUAL(first->lock_directory, directory);
  CU_ASSERT(wr_rpc_address_known(&there, &peers));
  wr_m4_found(driver, boards, &peers);
  CU_ASSERT_PTR_NOT_EQUAL(boards[0].gate, first);
  CU_ASSERT_PTR_EQUAL(boards[0].life.guard, &boards[0].gate->guard);
  end();
  begin(1, WR_RPC_PERSISTENT, 8);
  wr_m4_found(driver, boards, &peers);
  CU_ASSERT_PTR_NULL(boards[0].gate);
  end();
}

/* A name is looked up behind the board's back, which waits; where that cannot
 * be the call has ended. */
static void test_look_up(void) {
  for (int fails = 0; fails < 2; fails++) {
    begin(1, WR_RPC_PROXY, 8);
    strcpy(boards[0].address.host, "localhost");
    if (fails)
      unit_alloc_arm(0);
    call(0);
    unit_alloc_off();
    CU_ASSERT_EQUAL(boards[0].wire.s.wish, WR_WISH_NOTHING);
    CU_ASSERT_EQUAL(boards[0].wire.s.op, fails ? WR_OP_NONE : WR_OP_CALL);
    CU_ASSERT_EQUAL(calls[0].outcome, fails ? WR_RPC_UNRESOLVED : WR_RPC_OK);
    end();
  }
}

/* epoll is told of a new socket, and of a new wish for it, and only then. */
static void test_watch(void) {
  begin(1, WR_RPC_PERSISTENT, 8);
  wr_m4_watch(driver, boards); /* no socket, nothing to tell */
  CU_ASSERT_EQUAL(boards[0].watched, 0);
  call(0);
  boards[0].wire.sending = true;
  wr_m4_watch(driver, boards);
  CU_ASSERT_EQUAL(boards[0].watched, boards[0].wire.serial);
  CU_ASSERT_EQUAL(boards[0].events, POLLOUT);
  struct pollfd fd = {.fd = driver->epoll_fd, .events = POLLIN};
  CU_ASSERT_EQUAL(poll(&fd, 1, 30000), 1); /* it can be written to */
  boards[0].wire.sending = false;
  wr_m4_watch(driver, boards);
  CU_ASSERT_EQUAL(boards[0].events, POLLIN);
  CU_ASSERT_EQUAL(poll(&fd, 1, 0), 0); /* and nothing is to be read */
  struct epoll_event e = {.events = EPOLLOUT};
  CU_ASSERT_EQUAL(
      epoll_ctl(driver->epoll_fd, EPOLL_CTL_MOD, boards[0].wire.fd, &e), 0);
  wr_m4_watch(driver, boards); /* the same as before: not told */
  CU_ASSERT_EQUAL(boards[0].events, POLLIN);
  CU_ASSERT_EQUAL(poll(&fd, 1, 30000), 1);
  end();
}

int main(void) {
  const struct unit_case cases[] = {UNIT(test_room_for_requests),
                                    UNIT(test_spread),
                                    UNIT(test_due),
                                    UNIT(test_order_of_turns),
                                    UNIT(test_how_long_to_wait),
                                    UNIT(test_woken),
                                    UNIT(test_same_label),
                                    UNIT(test_line),
                                    UNIT(test_too_few_for_a_proxy),
                                    UNIT(test_lock_of_another),
                                    UNIT(test_no_lock_can_be),
                                    UNIT(test_proxy_moves),
                                    UNIT(test_look_up),
                                    UNIT(test_watch)};
  alarm(30); /* what never comes is a failure */
  if (mkdtemp(directory) == NULL)
    return 1;
  int bad = unit_main("m4_service", cases, sizeof(cases) / sizeof(cases[0]));
  char command[64];
  snprintf(command, sizeof(command), "rm -r %s", directory);
  return system(command) != 0 || bad;
}
