/* Hours of a life at a proxy that crashes: how often, and what still works. */
#include "tests/unit/m4/course_case.h"

/* Twice, alone; then it rests, and its neighbours never do. */
static void test_unbound_method(void) {
  struct wr_m4_method m[] = {world_method("a"), world_method("bad"),
                             world_method("c")};
  begin(WORLD_PROXY, m, 3, NULL, 1000);
  w.unbound[0] = "bad";
  world_run(&w, 599 * S);
  CU_ASSERT_EQUAL(w.crashes, 2);
  CU_ASSERT(w.samples > 2 * 585);
  CU_ASSERT(w.life.up);
  CU_ASSERT_EQUAL(w.events[WR_M4_UP], 2);
  CU_ASSERT_PTR_NOT_NULL(strstr(w.why[WR_M4_DOWN], "calling \"bad\""));
  CU_ASSERT_EQUAL(m[0].ward.rest_ms + m[2].ward.rest_ms, 0);
  CU_ASSERT_EQUAL(m[1].ward.rest_ms, 600000);
  world_run(&w, 30 * S);
  CU_ASSERT_EQUAL(w.crashes, 3);
  world_close(&w);
}

/* Nothing else to ask: the message that no M4 answers shows that it lives. */
static void test_unbound_method_alone(void) {
  struct wr_m4_method m = world_method("bad");
  begin(WORLD_PROXY, &m, 1, NULL, 1000);
  w.unbound[0] = "bad";
  world_run(&w, 60 * S);
  CU_ASSERT_EQUAL(w.crashes, 2);
  CU_ASSERT(w.drains > 0);
  CU_ASSERT_EQUAL(w.healths_up, 0);
  world_close(&w);
}

/* It answered for an hour and was flashed away: it is called after 1 min, 2, 4
 * and so on. */
static void test_method_flashed_away(void) {
  static const enum world_path paths[] = {WORLD_PROXY, WORLD_TUNNEL};
  for (int i = 0; i < 2; i++) {
    struct wr_m4_method m = world_method("a");
    begin(paths[i], &m, 1, NULL, 1000);
    world_run(&w, 3600 * S);
    w.unbound[0] = "a";
    world_run(&w, 30 * S);
    CU_ASSERT(w.crashes >= 2 && w.crashes <= 3);
    CU_ASSERT_EQUAL(m.ward.rest_ms, WR_GUARD_REST_PROVEN_MS);
    world_run(&w, 86400 * S);
    CU_ASSERT(w.crashes >= 12 && w.crashes <= 13);
    world_close(&w);
  }
}

/* It answered, and two crashes of others met it: silent for a minute. */
static void test_innocent_rest(void) {
  struct wr_m4_method m = world_method("a");
  begin(WORLD_PROXY, &m, 1, NULL, 1000);
  world_run(&w, 100 * S);
  w.unbound[0] = "a";
  world_run(&w, 10 * S);
  w.unbound[0] = NULL;
  CU_ASSERT_EQUAL(m.ward.rest_ms, WR_GUARD_REST_PROVEN_MS);
  world_run(&w, 60 * S);
  CU_ASSERT(w.life.up);
  CU_ASSERT_EQUAL(m.ward.rest_ms, 0);
  world_close(&w);
}

/* Its reply is late, and what drains that is cut short: no strike. */
static void test_cut_while_draining(void) {
  struct wr_m4_method m = world_method("a");
  begin(WORLD_PROXY, &m, 1, NULL, 1000);
  w.stale = true;
  world_run(&w, 60 * S);
  CU_ASSERT(w.drains > 30);
  CU_ASSERT_EQUAL(m.ward.strikes + m.ward.rest_ms, 0);
  w.stale = false;
  world_run(&w, 5 * S);
  CU_ASSERT(w.life.up);
  world_close(&w);
}

/* The far side of a tunnel restarts for 2 s: nobody's fault, and over within
 * seconds, also at the start when nothing is proven. */
static void test_tunnel(void) {
  for (int proven = 0; proven < 2; proven++) {
    struct wr_m4_method m[] = {world_method("a"), world_method("b")};
    m[0].interval_ms = m[1].interval_ms = proven ? 1000 : 50;
    begin(WORLD_TUNNEL, m, 2, NULL, 1000);
    if (proven)
      world_run(&w, 100 * S);
    w.away_until_us = w.now_us + 2 * S;
    world_run(&w, 6 * S);
    CU_ASSERT(w.life.up);
    CU_ASSERT_PTR_NULL(strstr(w.why[WR_M4_DOWN], "crashed"));
    CU_ASSERT_EQUAL(m[0].ward.rest_ms + m[1].ward.rest_ms, 0);
    CU_ASSERT_EQUAL(w.guard.crashes, 0);
    world_run(&w, 10 * S);
    w.gone = true; /* for an hour */
    world_run(&w, 3600 * S);
    CU_ASSERT_PTR_NOT_NULL(strstr(w.why[WR_M4_DOWN], "tunnel"));
    w.gone = false;
    world_run(&w, 5 * S);
    CU_ASSERT(w.life.up);
    CU_ASSERT_EQUAL(m[0].ward.rest_ms + m[1].ward.rest_ms, 0);
    world_close(&w);
  }
}

/* Another's call crashes the proxy every 20 s, in the middle of ours. */
static void test_crashes_of_others(void) {
  struct wr_m4_method m[] = {world_method("a"), world_method("b")};
  begin(WORLD_PROXY, m, 2, NULL, 1000);
  for (int i = 0; i < 50; i++) {
    world_run(&w, 20 * S);
    w.unbound[0] = i % 2 ? "a" : "b";
    world_run(&w, S);
    w.unbound[0] = NULL;
  }
  world_run(&w, 10 * S);
  CU_ASSERT(w.life.up);
  CU_ASSERT_EQUAL(m[0].ward.rest_ms + m[1].ward.rest_ms, 0);
  CU_ASSERT(w.samples > 50 * 2 * 16);
  world_close(&w);
}

UNIT_MAIN("life, hours", UNIT(test_unbound_method),
          UNIT(test_unbound_method_alone), UNIT(test_method_flashed_away),
          UNIT(test_innocent_rest), UNIT(test_cut_while_draining),
          UNIT(test_tunnel), UNIT(test_crashes_of_others))
