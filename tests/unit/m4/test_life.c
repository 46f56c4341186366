#include "tests/unit/unit.h"

#include "tests/unit/m4/m4_world.h"

#define STAT(seq) "\xc0\x93" seq "\xca\x41\x48\x00\x00\x0a"

static struct world w;

/* A fresh world with these methods. */
static void begin(enum world_path path, struct wr_m4_method *m, size_t count) {
  memset(&w, 0, sizeof(w));
  for (size_t i = 0; i < count; i++)
    w.life.methods[i] = m + i;
  w.life.methods_count = count;
  world_open(&w, path);
}

static int logged(void) {
  return w.events[WR_M4_DOWN] + w.events[WR_M4_METHOD_FAILS];
}

static void test_samples(void) {
  static const enum world_path paths[] = {WORLD_PROXY, WORLD_SERVER};
  for (int i = 0; i < 2; i++) {
    struct wr_m4_method m = world_method("flow_rate");
    m.scale = 2;
    begin(paths[i], &m, 1);
    world_run(&w, 60 * S);
    CU_ASSERT_EQUAL(w.samples, 60);
    CU_ASSERT_EQUAL(w.latencies, 60);
    CU_ASSERT_EQUAL(w.values[59], 25);
    CU_ASSERT_EQUAL(w.healths, 60);
    CU_ASSERT_EQUAL(w.healths_up, 60); /* the first, too, waits for the turn */
    CU_ASSERT_EQUAL(logged(), 0);
    world_close(&w);
  }
}

/* Until it is started nothing is due; then its first step is. */
static void test_start(void) {
  struct wr_m4_method m = world_method("a");
  begin(WORLD_PROXY, &m, 1);
  CU_ASSERT_EQUAL(w.life.next_us, START_US);
  wr_m4_close(&w.life);
  CU_ASSERT_EQUAL_FATAL(wr_m4_open(&w.life), 0);
  CU_ASSERT_EQUAL(w.life.next_us, INT64_MAX);
  wr_m4_start(&w.life, START_US + S, START_US + 1);
  CU_ASSERT_EQUAL(w.life.next_us, START_US + 1);
  wr_m4_step(&w.life, START_US + 1);
  CU_ASSERT_EQUAL(w.life.next_us, START_US + S);
  CU_ASSERT_EQUAL(w.session.op, WR_OP_NONE);
  world_close(&w);
}

/* seq 1, 1, 4: two samples of two numbers each, two measurements skipped. */
static void test_seq(void) {
  static const int64_t flow_and_uptime[] = {1, 2};
  static const char *const bodies[] = {STAT("\x01"), STAT("\x01"),
                                       STAT("\x04")};
  struct wr_m4_method m = world_method("flow_stat");
  m.seq_index = 0;
  m.indices = flow_and_uptime;
  m.indices_count = 2;
  begin(WORLD_SERVER, &m, 1);
  w.body_len = 9;
  for (int i = 0; i < 3; i++) {
    w.body = bodies[i];
    world_run(&w, S);
  }
  CU_ASSERT_EQUAL(w.samples, 4);
  CU_ASSERT_EQUAL(w.latencies, 3);
  CU_ASSERT_EQUAL(w.values[2], 12.5);
  CU_ASSERT_EQUAL(w.values[3], 10);
  CU_ASSERT_EQUAL(m.seq.skipped, 2);
  CU_ASSERT_EQUAL(logged(), 0);
  CU_ASSERT_EQUAL(w.life.faults[WR_FAULT_PROTOCOL], 0);
  world_close(&w);
}

/* Health is told at its own instants; only a turn that began then is waited
 * for, and a turn without an end for a tenth of the interval more. */
static void test_instants_of_health(void) {
  struct wr_m4_method m = world_method("flow_rate");
  m.interval_ms = 5000;
  begin(WORLD_SERVER, &m, 1);
  for (int i = 1; i < 5; i++) {
    world_run(&w, S);
    CU_ASSERT_EQUAL(w.healths, i);
    CU_ASSERT_EQUAL(w.health_us,
                    START_US + (i - 1) * S + (i == 1 ? LATENCY_US : 0));
  }
  world_close(&w);
  m = world_method("flow_rate");
  begin(WORLD_SERVER, &m, 1);
  world_run(&w, 3 * S - S / 2);
  w.mute = true; /* a call ends after 1.5 s */
  int healths = w.healths;
  world_run(&w, S / 2 + S + S / 10 - 1);
  CU_ASSERT_EQUAL(w.healths, healths);
  world_run(&w, 2);
  CU_ASSERT_EQUAL(w.healths, healths + 1);
  CU_ASSERT_EQUAL(w.health_us, START_US + 4 * S + S / 10);
  world_close(&w);
}

/* Of several methods asked together the silence of the first is not that of
 * the M4. */
static void test_one_of_two_is_mute(void) {
  struct wr_m4_method m[] = {world_method("a"), world_method("b")};
  begin(WORLD_SERVER, m, 2);
  w.mute_method = "a";
  world_run(&w, 20 * S);
  CU_ASSERT(w.samples > 5);
  CU_ASSERT_EQUAL(w.events[WR_M4_DOWN], 0);
  CU_ASSERT_TRUE(w.life.up);
  world_close(&w);
}

static void test_misfits(void) {
  static const struct {
    const char *body;
    size_t len;
    const char *words;
  } cases[] = {{"\xc0\xa2hi", 4, "\"hi\""},
               {"\xc0\xca\x7f\x80\x00\x00", 6, "inf"},
               {"\xc0\x91\x01", 3, "[1]"}};
  for (size_t i = 0; i < 3; i++) {
    struct wr_m4_method m = world_method("flow_rate");
    begin(WORLD_SERVER, &m, 1);
    w.body = cases[i].body;
    w.body_len = cases[i].len;
    world_run(&w, S);
    CU_ASSERT_EQUAL(w.samples, 0);
    CU_ASSERT_PTR_NOT_NULL(strstr(w.why[WR_M4_METHOD_FAILS], cases[i].words));
    CU_ASSERT_EQUAL(w.life.faults[WR_FAULT_PROTOCOL], 1);
    CU_ASSERT(w.life.up);
    w.body = NULL;
    world_run(&w, S);
    CU_ASSERT_EQUAL(w.events[WR_M4_METHOD_WORKS], 1);
    world_close(&w);
  }
}

/* nil and NaN: no reading. In the first second that is how our own sketch
 * begins; for longer it is said. */
static void test_no_reading(void) {
  static const struct {
    const char *body;
    size_t len;
  } cases[] = {{"\xc0\xc0", 2}, {"\xc0\xca\x7f\xc0\x00\x00", 6}};
  for (size_t i = 0; i < 2; i++) {
    struct wr_m4_method m = world_method("flow_rate");
    begin(WORLD_PROXY, &m, 1);
    w.body = cases[i].body;
    w.body_len = cases[i].len;
    world_run(&w, 2 * S);
    CU_ASSERT_EQUAL(logged(), 0);
    CU_ASSERT_EQUAL(w.life.faults[WR_FAULT_PROTOCOL], 0);
    w.body = NULL;
    world_run(&w, S);
    CU_ASSERT_EQUAL(w.samples, 1);
    CU_ASSERT_EQUAL(logged(), 0);
    w.body = cases[i].body;
    world_run(&w, 6 * S);
    CU_ASSERT(w.events[WR_M4_METHOD_FAILS] > 0);
    CU_ASSERT_PTR_NOT_NULL(
        strstr(w.why[WR_M4_METHOD_FAILS], "it has no reading"));
    w.body = NULL;
    world_run(&w, S);
    CU_ASSERT_EQUAL(w.events[WR_M4_METHOD_WORKS], 1);
    world_close(&w);
  }
}

static void test_remote_error(void) {
  struct wr_m4_method m = world_method("flow_rate");
  begin(WORLD_SERVER, &m, 1);
  w.body = "\xa3"
           "bad\xc0";
  w.body_len = 5;
  world_run(&w, S);
  CU_ASSERT_EQUAL(w.life.faults[WR_FAULT_REMOTE], 1);
  CU_ASSERT(w.life.up);
  CU_ASSERT_PTR_NOT_NULL(strstr(w.why[WR_M4_METHOD_FAILS], "bad"));
  world_close(&w);
}

/* The router answers, the M4 does not: down, and the router's side is named. */
static void test_router_without_m4(void) {
  struct wr_m4_method m[] = {world_method("flow_rate"), world_method("b")};
  begin(WORLD_SERVER, m, 2);
  w.body = "\x92\x02\xa4"
           "none\xc0";
  w.body_len = 8;
  world_run(&w, 3 * S);
  CU_ASSERT_EQUAL(w.healths_up, 0);
  CU_ASSERT_EQUAL(w.events[WR_M4_METHOD_FAILS], 0);
  CU_ASSERT_PTR_NOT_NULL(
      strstr(w.why[WR_M4_DOWN], "the router answers but knows nobody"));
  w.body = NULL;
  world_run(&w, 2 * S);
  CU_ASSERT_EQUAL(w.events[WR_M4_UP], 1);
  world_close(&w);
}

/* Said at the second miss, with the instant of the first; one miss is not. */
static void test_outage(void) {
  struct wr_m4_method m[] = {world_method("a"), world_method("b"),
                             world_method("c")};
  begin(WORLD_PROXY, m, 3);
  world_run(&w, 10 * S);
  w.gone = true;
  world_run(&w, S);
  CU_ASSERT_EQUAL(logged(), 0);
  CU_ASSERT_FALSE(w.life.up);
  w.gone = false;
  world_run(&w, S);
  CU_ASSERT_EQUAL(logged() + w.events[WR_M4_UP], 0);
  w.gone = true;
  world_run(&w, 20 * S);
  CU_ASSERT_EQUAL(w.since_us[WR_M4_DOWN], START_US + 12 * S);
  CU_ASSERT_EQUAL(w.events[WR_M4_METHOD_FAILS], 0);
  w.gone = false;
  world_run(&w, S);
  CU_ASSERT_EQUAL(w.events[WR_M4_UP], 1);
  world_close(&w);
}

/* With a long interval the first miss is worth a line. */
static void test_outage_of_a_slow_block(void) {
  struct wr_m4_method m = world_method("a");
  m.interval_ms = 60000;
  memset(&w, 0, sizeof(w));
  w.life.methods[0] = &m;
  w.life.methods_count = 1;
  world_open(&w, WORLD_PROXY);
  w.life.interval_ms = 60000;
  w.gone = true;
  world_run(&w, S);
  CU_ASSERT_EQUAL(w.events[WR_M4_DOWN], 1);
  world_close(&w);
}

/* Seven methods, each would wait a second: the health comes every second all
 * the same, and knows within two that nobody answers. */
static void test_silent_m4(void) {
  static const char *const names[] = {"a", "b", "c", "d", "e", "f", "g"};
  struct wr_m4_method m[7];
  for (int i = 0; i < 7; i++)
    m[i] = world_method(names[i]);
  begin(WORLD_PROXY, m, 7);
  world_run(&w, 10 * S);
  CU_ASSERT_EQUAL(w.healths, 10);
  w.mute = true;
  w.methods[0] = '\0';
  world_run(&w, 20 * S);
  CU_ASSERT(w.healths >= 29);
  CU_ASSERT(w.first_down_us <= START_US + 12 * S);
  /* one call a turn, and each turn another */
  CU_ASSERT_EQUAL(strncmp(w.methods, "a b c d e f g a ", 16), 0);
  CU_ASSERT(w.life.faults[WR_FAULT_TIMEOUT] <= 20);
  CU_ASSERT_EQUAL(w.events[WR_M4_METHOD_FAILS], 0);
  w.mute = false;
  world_run(&w, 2 * S);
  CU_ASSERT_EQUAL(w.events[WR_M4_UP], 1);
  CU_ASSERT(w.life.up);
  world_close(&w);
}

/* Each call lasts longer than the interval; the health keeps its own. */
static void test_health_of_a_server_that_hangs(void) {
  struct wr_m4_method m = world_method("a");
  begin(WORLD_SERVER, &m, 1);
  w.mute = true;
  world_run(&w, 60 * S);
  CU_ASSERT(w.healths >= 58);
  CU_ASSERT_EQUAL(w.healths_up, 0);
  world_close(&w);
}

/* One method that hangs takes none from the others. */
static void test_one_mute_method(void) {
  struct wr_m4_method m[] = {world_method("a"), world_method("bad"),
                             world_method("c")};
  begin(WORLD_PROXY, m, 3);
  w.mute_method = "bad";
  world_run(&w, 60 * S);
  CU_ASSERT_EQUAL(w.healths_up, w.healths);
  CU_ASSERT(w.events[WR_M4_METHOD_FAILS] > 0);
  CU_ASSERT_EQUAL(w.events[WR_M4_DOWN], 0);
  CU_ASSERT(m[0].misses == 0 && m[2].misses == 0);
  CU_ASSERT(w.samples >= 55); /* of two methods; the third costs a second */
  world_close(&w);
}

/* Every 20 ms: the library has lost its pulses each time. */
static void test_repair(void) {
  struct wr_m4_method m = world_method("flow_rate");
  m.repair = true;
  m.interval_ms = 20;
  begin(WORLD_PROXY, &m, 1);
  world_run(&w, 10 * S);
  CU_ASSERT_EQUAL(w.samples, 0);
  CU_ASSERT(w.latencies >= 490);
  world_close(&w);
}

/* After a call that failed the next reading only starts a new span. */
static void test_repair_after_a_failure(void) {
  struct wr_m4_method m = world_method("flow_rate");
  m.repair = true;
  m.interval_ms = 1100;
  begin(WORLD_PROXY, &m, 1);
  world_run(&w, 3 * S); /* at 0, 1.1 and 2.2 s */
  CU_ASSERT_EQUAL(w.samples, 2);
  w.body = "\xa3"
           "bad\xc0";
  w.body_len = 5;
  world_run(&w, S); /* at 3.3 s */
  CU_ASSERT_EQUAL(w.life.faults[WR_FAULT_REMOTE], 1);
  w.body = NULL;
  world_run(&w, S); /* at 4.4 s */
  CU_ASSERT_EQUAL(w.samples, 2);
  world_run(&w, S); /* at 5.5 s */
  CU_ASSERT_EQUAL(w.samples, 3);
  world_close(&w);
}

static void test_parked(void) {
  struct wr_m4_method m = world_method("flow_rate");
  begin(WORLD_SERVER, &m, 1);
  w.life.parked = true;
  world_run(&w, 10 * S);
  CU_ASSERT_EQUAL(w.latencies, 0);
  CU_ASSERT_EQUAL(w.healths, 10);
  CU_ASSERT_EQUAL(w.healths_up, 0);
  world_close(&w);
}

UNIT_MAIN("life", UNIT(test_samples), UNIT(test_start), UNIT(test_seq),
          UNIT(test_instants_of_health), UNIT(test_one_of_two_is_mute),
          UNIT(test_misfits), UNIT(test_no_reading), UNIT(test_remote_error),
          UNIT(test_router_without_m4), UNIT(test_outage),
          UNIT(test_outage_of_a_slow_block), UNIT(test_silent_m4),
          UNIT(test_health_of_a_server_that_hangs), UNIT(test_one_mute_method),
          UNIT(test_repair), UNIT(test_repair_after_a_failure),
          UNIT(test_parked))
