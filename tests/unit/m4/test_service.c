/* What the driver does for its boards: whose turn it is, who is woken, what is
 * told to epoll. */
#include "tests/unit/m4/service_case.h"

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
                                    UNIT(test_look_up),
                                    UNIT(test_watch)};
  return service_main("m4_service", cases, sizeof(cases) / sizeof(cases[0]));
}
