/* The driver with real sockets: boards at scripted peers (rpc_peer.h). The
 * test ends when what it waits for has come; never by time. */
#include "tests/unit/alloc.h"
#include "tests/unit/unit.h"

#include "lib/m4/driver.h"
#include "lib/m4/service.h"
#include "tests/unit/rpc/rpc_peer.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>

#define BOARDS 3

static const int64_t whole[] = {WR_M4_WHOLE};
static struct wr_m4_driver *driver;
static struct wr_m4_board boards[BOARDS];
static struct wr_m4_method methods[BOARDS];
static struct wr_m4_report report;
static struct peer *peers[BOARDS];
static int samples[BOARDS], wanted[BOARDS], held, freed, faults;
static struct wr_rpc_lock *given_back;
static size_t most_held;
static struct peer_step steps[PEER_REQUESTS], closing[PEER_REQUESTS];
static char directory[] = "/tmp/weir-driver.XXXXXX";

/* Asked all the time: the place to look at what the driver holds. */
static int64_t watching_clock(void) {
  if (driver != NULL && driver->held > most_held)
    most_held = driver->held;
  return peer_clock();
}

static size_t index_of(const void *user) {
  return (size_t)((const struct wr_m4_board *)user - boards);
}

static void stop_when_done(void) {
  for (size_t i = 0; i < BOARDS; i++)
    if (samples[i] < wanted[i])
      return;
  wr_m4_driver_stop(driver);
}

static void on_sample(void *user, size_t which, size_t output, double value,
                      int64_t at_us) {
  size_t i = index_of(user);
  (void)which, (void)output, (void)at_us;
  CU_ASSERT_EQUAL(value, 12.5);
  if (++samples[i] == 2 && boards[i].life.reports_count > 0)
    wr_m4_driver_offer(driver, boards + i, NULL, "Low", 0.5, 1, 1000);
  if (given_back != NULL && samples[i] == 2)
    wr_rpc_lock_give(given_back);
  stop_when_done();
}

static void on_latency(void *user, size_t which, int64_t took_us,
                       int64_t at_us) {
  (void)user, (void)which, (void)took_us, (void)at_us;
}

static void on_health(void *user) { (void)user; }

static void on_event(void *user, enum wr_m4_event event, size_t which,
                     int64_t since_us, const char *why) {
  (void)user, (void)which, (void)since_us, (void)why;
  held += event == WR_M4_LOCK_HELD;
  freed += event == WR_M4_LOCK_FREE;
}

static void on_lock_fault(void *user, const char *path, int error) {
  CU_ASSERT(index_of(user) < BOARDS);
  CU_ASSERT_EQUAL(error, -ENOENT);
  CU_ASSERT_EQUAL(strncmp(path, "/nonexistent/", 13), 0);
  faults++;
}

static uint32_t random_of_test(void) { return 7; }

static void begin(size_t descriptors) {
  const struct wr_m4_world world = {watching_clock, random_of_test,
                                    on_lock_fault};
  memset(boards, 0, sizeof(boards));
  memset(peers, 0, sizeof(peers));
  memset(samples, 0, sizeof(samples));
  memset(wanted, 0, sizeof(wanted));
  held = freed = faults = 0;
  most_held = 0;
  for (size_t i = 0; i < PEER_REQUESTS; i++) {
    steps[i] = (struct peer_step){.what = PEER_REPLY};
    closing[i] = (struct peer_step){.what = PEER_REPLY, .close = true};
  }
  driver = wr_m4_driver_new(&world, descriptors);
  CU_ASSERT_PTR_NOT_NULL_FATAL(driver);
}

static void set_board(size_t i, const struct peer *p, enum wr_rpc_mode mode) {
  struct wr_m4_board *b = boards + i;
  methods[i] = (struct wr_m4_method){.name = "flow_rate",
                                     .interval_ms = 20,
                                     .seq_index = -1,
                                     .indices = whole,
                                     .indices_count = 1,
                                     .scale = 1};
  b->life.interval_ms = 20;
  b->life.sink =
      (struct wr_m4_sink){b, on_sample, on_latency, on_health, on_event};
  b->life.methods[0] = methods + i;
  b->life.methods_count = 1;
  b->mode = mode;
  b->timeout_ms = 20000;
  b->lock_directory = directory;
  strcpy(b->address.host, "127.0.0.1");
  snprintf(b->address.port, sizeof(b->address.port), "%u", p->port);
}

/* A board at a peer of its own, from which `count` samples are wanted. */
static void add_board(size_t i, enum wr_rpc_mode mode, int count) {
  peers[i] = peer_start(mode == WR_RPC_PROXY ? closing : steps, PEER_REQUESTS);
  wanted[i] = count;
  set_board(i, peers[i], mode);
}

/* Nothing comes because of the time. */
static void wait_for_ever(size_t i) {
  boards[i].life.interval_ms = methods[i].interval_ms = 3600000;
  boards[i].timeout_ms = 3600000;
}

static void run(size_t count) {
  for (size_t i = 0; i < count; i++)
    CU_ASSERT_EQUAL_FATAL(wr_m4_driver_add(driver, boards + i), 0);
  wr_m4_driver_run(driver);
}

static void end(void) {
  wr_m4_driver_free(driver);
  driver = NULL;
  for (size_t i = 0; i < BOARDS; i++)
    if (peers[i] != NULL)
      peer_stop(peers[i]);
}

static void test_no_boards(void) {
  begin(8); /* and no child inherits anything */
  CU_ASSERT_EQUAL(fcntl(driver->epoll_fd, F_GETFD), FD_CLOEXEC);
  CU_ASSERT_EQUAL(fcntl(driver->wake_fd, F_GETFD), FD_CLOEXEC);
  CU_ASSERT(fcntl(driver->wake_fd, F_GETFL) & O_NONBLOCK);
  wr_m4_driver_stop(driver);
  run(0);
  end();
  wr_m4_driver_free(NULL);
}

static void test_both_modes(void) {
  begin(8);
  add_board(0, WR_RPC_PERSISTENT, 5);
  add_board(1, WR_RPC_PROXY, 5);
  run(2);
  CU_ASSERT_EQUAL(peers[0]->accepted, 1);
  CU_ASSERT(peers[1]->accepted >= 5);
  CU_ASSERT(samples[0] >= 5 && samples[1] >= 5);
  CU_ASSERT_PTR_NULL(boards[0].gate);
  CU_ASSERT_PTR_NOT_NULL(boards[1].gate);
  CU_ASSERT(boards[0].holds); /* the connection that is kept */
  CU_ASSERT_EQUAL(driver->held, boards[1].holds ? 3 : 1);
  CU_ASSERT_EQUAL(faults, 0);
  end();
}

/* What comes back is looked at when it is there, though nothing else is due. */
static void test_answer_at_once(void) {
  for (int mode = WR_RPC_PROXY; mode <= WR_RPC_PERSISTENT; mode++) {
    begin(8);
    add_board(0, (enum wr_rpc_mode)mode, 1);
    wait_for_ever(0);
    run(1);
    CU_ASSERT_EQUAL(samples[0], 1);
    end();
  }
}

/* Three boards, and descriptors for one at a time: all have their turn. */
static void test_few_descriptors(void) {
  begin(2);
  for (size_t i = 0; i < BOARDS; i++)
    add_board(i, WR_RPC_PROXY, 3);
  run(BOARDS);
  CU_ASSERT_EQUAL(most_held, 2);
  end();
}

/* A connection that is kept leaves nothing for a second board. */
static void test_line(void) {
  begin(1);
  add_board(0, WR_RPC_PERSISTENT, 4);
  add_board(1, WR_RPC_PERSISTENT, 0);
  run(2);
  CU_ASSERT_EQUAL(samples[1], 0);
  CU_ASSERT_EQUAL(peers[1]->accepted, 0);
  CU_ASSERT_EQUAL(driver->held, 1);
  CU_ASSERT_PTR_EQUAL(driver->line, boards + 1);
  CU_ASSERT_PTR_EQUAL(driver->line_last, boards + 1);
  CU_ASSERT_PTR_NULL(boards[1].line_next);
  end();
}

/* Two boards at one proxy share its gate and guard, and never crowd it. */
static void test_one_proxy(void) {
  begin(8);
  add_board(0, WR_RPC_PROXY, 4);
  set_board(1, peers[0], WR_RPC_PROXY);
  wanted[1] = 4;
  run(2);
  CU_ASSERT_PTR_NOT_NULL(boards[0].gate);
  CU_ASSERT_PTR_EQUAL(boards[0].gate, boards[1].gate);
  CU_ASSERT_PTR_EQUAL(boards[0].life.guard, &boards[0].gate->guard);
  CU_ASSERT_PTR_EQUAL(boards[1].life.guard, &boards[0].gate->guard);
  CU_ASSERT_EQUAL(peers[0]->crowded, 0);
  end();
}

/* The first call is not answered: who comes meanwhile waits at the gate. */
static void test_busy_proxy(void) {
  begin(8);
  closing[0] = (struct peer_step){.what = PEER_KEEP};
  add_board(0, WR_RPC_PROXY, 3);
  boards[0].timeout_ms = 100;
  set_board(1, peers[0], WR_RPC_PROXY);
  wanted[1] = 3;
  run(2);
  CU_ASSERT_EQUAL(boards[0].life.faults[WR_FAULT_TIMEOUT], 1);
  CU_ASSERT_EQUAL(boards[1].life.faults[WR_FAULT_TIMEOUT], 0);
  CU_ASSERT_EQUAL(peers[0]->crowded, 0);
  end();
}

/* Without a lock calls are made, and it is said once. */
static void test_no_lock_can_be(void) {
  begin(8);
  add_board(0, WR_RPC_PROXY, 4);
  boards[0].lock_directory = "/nonexistent";
  run(1);
  CU_ASSERT_EQUAL(faults, 1);
  end();
}

/* Another process keeps the proxy's lock: its timeout, then without. */
static void test_lock_of_another(void) {
  struct wr_rpc_lock other = {.fd = -1};
  char key[64];
  begin(8);
  add_board(0, WR_RPC_PROXY, 3);
  boards[0].timeout_ms = 30;
  snprintf(key, sizeof(key), "local:%u", peers[0]->port);
  CU_ASSERT_EQUAL_FATAL(wr_rpc_lock_try(&other, key, directory), 0);
  run(1);
  CU_ASSERT(held >= 3);
  CU_ASSERT_EQUAL(freed, 0);
  CU_ASSERT_EQUAL(faults, 0);
  wr_rpc_lock_close(&other);
  end();
}

/* It is tried again though nothing else is due. */
static void test_lock_is_tried_again(void) {
  struct wr_rpc_lock other = {.fd = -1};
  char key[64];
  begin(8);
  add_board(0, WR_RPC_PROXY, 1);
  wait_for_ever(0);
  boards[0].timeout_ms = 30;
  snprintf(key, sizeof(key), "local:%u", peers[0]->port);
  CU_ASSERT_EQUAL_FATAL(wr_rpc_lock_try(&other, key, directory), 0);
  run(1);
  CU_ASSERT_EQUAL(held, 1);
  wr_rpc_lock_close(&other);
  end();
}

/* It gives it back: that is said once, and calls go under the lock again. */
static void test_lock_given_back(void) {
  struct wr_rpc_lock other = {.fd = -1};
  char key[64];
  begin(8);
  add_board(0, WR_RPC_PROXY, 6);
  boards[0].timeout_ms = 30;
  snprintf(key, sizeof(key), "local:%u", peers[0]->port);
  CU_ASSERT_EQUAL_FATAL(wr_rpc_lock_try(&other, key, directory), 0);
  given_back = &other; /* at the second sample */
  run(1);
  given_back = NULL;
  CU_ASSERT(held >= 2);
  CU_ASSERT_EQUAL(freed, 1);
  wr_rpc_lock_close(&other);
  end();
}

/* A name that has to be looked up: asked when it is known. */
static void test_name(void) {
  begin(8);
  add_board(0, WR_RPC_PERSISTENT, 1);
  wait_for_ever(0);
  strcpy(boards[0].address.host, "localhost");
  run(1);
  CU_ASSERT_EQUAL(peers[0]->accepted, 1);
  end();
}

static bool is_report(const struct peer *p, int n) {
  static const uint8_t head[] = "\x93\x02\xa5label";
  return memcmp(p->requests[n].bytes, head, sizeof(head) - 1) == 0;
}

/* A label that is offered goes out at once, as a notification. */
static void test_label(void) {
  int told = 0;
  begin(8);
  add_board(0, WR_RPC_PERSISTENT, 6);
  report = (struct wr_m4_report){
      .method = "label",
      .state = {.on_change = true,
                .backoff = WR_BACKOFF_INIT(2000, 2000, 30000)}};
  boards[0].life.reports[0] = &report;
  boards[0].life.reports_count = 1;
  run(1);
  for (int n = 0; n < peers[0]->served; n++)
    told += is_report(peers[0], n);
  CU_ASSERT_EQUAL(told, 1);
  CU_ASSERT_STRING_EQUAL(report.state.label, "Low");
  CU_ASSERT_EQUAL(report.state.sent, report.state.version);
  CU_ASSERT_FALSE(boards[0].woken);
  CU_ASSERT_PTR_NULL(driver->woken);
  end();
}

/* There is a driver with its board then, or none; no descriptor is left. */
static void test_no_memory(void) {
  const struct wr_m4_world world = {watching_clock, random_of_test,
                                    on_lock_fault};
  const struct peer nobody = {.port = 1};
  int files = unit_open_files();
  for (int mode = 0; mode < 2; mode++)
    for (long n = 0; unit_alloc_arm(n); n++) {
      memset(boards, 0, sizeof(boards));
      set_board(0, &nobody, mode ? WR_RPC_PERSISTENT : WR_RPC_PROXY);
      struct wr_m4_driver *d = wr_m4_driver_new(&world, 8);
      int status = d != NULL ? wr_m4_driver_add(d, boards) : -ENOMEM;
      CU_ASSERT_EQUAL(status, unit_alloc_failed() ? -ENOMEM : 0);
      wr_m4_driver_free(d);
      CU_ASSERT_EQUAL(unit_open_files(), files);
    }
  struct wr_m4_gate *list = NULL;
  for (long n = 0; unit_alloc_arm(n); n++)
    CU_ASSERT_EQUAL(wr_m4_gate_find(&list, "local:1", directory) == NULL,
                    unit_alloc_failed());
  wr_m4_gates_free(&list);
}

int main(void) {
  const struct unit_case cases[] = {UNIT(test_no_boards),
                                    UNIT(test_no_memory),
                                    UNIT(test_both_modes),
                                    UNIT(test_answer_at_once),
                                    UNIT(test_few_descriptors),
                                    UNIT(test_line),
                                    UNIT(test_one_proxy),
                                    UNIT(test_busy_proxy),
                                    UNIT(test_no_lock_can_be),
                                    UNIT(test_lock_of_another),
                                    UNIT(test_lock_is_tried_again),
                                    UNIT(test_lock_given_back),
                                    UNIT(test_name),
                                    UNIT(test_label)};
  alarm(30); /* what never comes is a failure */
  if (mkdtemp(directory) == NULL)
    return 1;
  int bad = unit_main("m4_driver", cases, sizeof(cases) / sizeof(cases[0]));
  char command[64];
  snprintf(command, sizeof(command), "rm -r %s", directory);
  return system(command) != 0 || bad;
}
