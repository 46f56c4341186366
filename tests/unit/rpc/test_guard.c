#include "tests/unit/unit.h"

#include "lib/rpc/guard.h"

#define MINUTE_MS 60000

/* A call cut short, and nobody listens right after. */
static int64_t crash(struct wr_rpc_guard *g, struct wr_rpc_ward *w,
                     int64_t now_ms) {
  int64_t rest_ms = wr_rpc_guard_cut(g, w, now_ms);
  CU_ASSERT(wr_rpc_guard_refused(g, now_ms + 30));
  CU_ASSERT_FALSE(wr_rpc_guard_refused(g, now_ms + 500)); /* that one once */
  return rest_ms;
}

static void test_twice_alone_rests(void) {
  struct wr_rpc_guard g = {.suspect = false};
  struct wr_rpc_ward bad = {0}, good = {0};
  int64_t now_ms = 5000, rest_ms = 0;
  CU_ASSERT(wr_rpc_guard_allows(&g, &bad, now_ms));
  CU_ASSERT_EQUAL(crash(&g, &bad, now_ms), 0);
  wr_rpc_guard_alive(&g);
  CU_ASSERT_EQUAL(crash(&g, &bad, now_ms), 10 * MINUTE_MS);
  CU_ASSERT_FALSE(wr_rpc_guard_allows(&g, &bad, now_ms + 10 * MINUTE_MS - 1));
  CU_ASSERT(wr_rpc_guard_allows(&g, &good, now_ms));
  for (int i = 0; i < 20; i++) {
    now_ms += 2000 * MINUTE_MS;
    CU_ASSERT(wr_rpc_guard_allows(&g, &bad, now_ms));
    wr_rpc_guard_alive(&g);
    crash(&g, &bad, now_ms);
    wr_rpc_guard_alive(&g);
    rest_ms = crash(&g, &bad, now_ms);
  }
  CU_ASSERT_EQUAL(rest_ms, 24 * 60 * MINUTE_MS);
}

/* The neighbours of a method that crashes are not blamed. */
static void test_no_guilt_by_neighbourhood(void) {
  struct wr_rpc_guard g = {.suspect = false};
  struct wr_rpc_ward bad = {0}, near = {0};
  wr_rpc_guard_answered(&g, &near, 10);
  for (int i = 0; i < 50; i++) {
    CU_ASSERT_EQUAL(wr_rpc_guard_cut(&g, &bad, 1000 * i), i == 1 ? 600000 : 0);
    CU_ASSERT(g.suspect);
    CU_ASSERT_FALSE(wr_rpc_guard_trial(&g, &bad, 1000 * i));
    CU_ASSERT(wr_rpc_guard_trial(&g, &near, 1000 * i));
    CU_ASSERT_EQUAL(wr_rpc_guard_cut(&g, &near, 1000 * i + 10), 0);
    CU_ASSERT_FALSE(wr_rpc_guard_trial(&g, &near, 1000 * i + 10));
    wr_rpc_guard_answered(&g, &near, 1000 * i + 500);
    if (i > 0)
      bad = (struct wr_rpc_ward){.strikes = 0};
  }
  CU_ASSERT(wr_rpc_guard_allows(&g, &near, 60000));
}

/* Behind a tunnel whose far side is away every connection is accepted and
 * ends: nothing has crashed, nothing rests. */
static void test_tunnel(void) {
  struct wr_rpc_guard g = {.suspect = false};
  struct wr_rpc_ward w = {0};
  wr_rpc_guard_answered(&g, &w, 0);
  CU_ASSERT_EQUAL(wr_rpc_guard_cut(&g, &w, 1000), 0);
  CU_ASSERT_EQUAL(wr_rpc_guard_cut(&g, &w, 1030), 0); /* dying? */
  for (int i = 0; i < 100; i++)
    CU_ASSERT_EQUAL(wr_rpc_guard_cut(&g, NULL, 1250 + 1000 * i), 0);
  CU_ASSERT_FALSE(wr_rpc_guard_refused(&g, 200000)); /* the tunnel ends, too */
  CU_ASSERT_EQUAL(g.crashes, 0);
  wr_rpc_guard_alive(&g);
  CU_ASSERT(wr_rpc_guard_allows(&g, &w, 200001));
}

/* One that answered for days and was then flashed away: three crashes, and one
 * more after each rest, which grows from a minute to a day. */
static void test_proven_method_turns_bad(void) {
  struct wr_rpc_guard g = {.suspect = false};
  struct wr_rpc_ward w = {0};
  wr_rpc_guard_answered(&g, &w, 0);
  CU_ASSERT_EQUAL(crash(&g, &w, 1000), 0);
  CU_ASSERT(wr_rpc_guard_trial(&g, &w, 4000));
  CU_ASSERT_EQUAL(wr_rpc_guard_cut(&g, &w, 4000), 0);
  CU_ASSERT_FALSE(wr_rpc_guard_trial(&g, &w, 7000));
  wr_rpc_guard_alive(&g);
  CU_ASSERT_EQUAL(crash(&g, &w, 9000), WR_GUARD_REST_PROVEN_MS);
  CU_ASSERT_FALSE(wr_rpc_guard_allows(&g, &w, 10000));
  int64_t now_ms = 9000, want_ms = WR_GUARD_REST_PROVEN_MS;
  for (int i = 0; i < 15; i++) {
    now_ms += want_ms;
    want_ms =
        want_ms * 2 < WR_GUARD_REST_MAX_MS ? want_ms * 2 : WR_GUARD_REST_MAX_MS;
    CU_ASSERT(wr_rpc_guard_allows(&g, &w, now_ms));
    CU_ASSERT_FALSE(wr_rpc_guard_trial(&g, &w, now_ms));
    wr_rpc_guard_alive(&g);
    CU_ASSERT_EQUAL(crash(&g, &w, now_ms), want_ms);
  }
  CU_ASSERT_EQUAL(want_ms, WR_GUARD_REST_MAX_MS);
}

/* After an answer a rest is short again, and takes two strikes. */
static void test_answer_forgives(void) {
  struct wr_rpc_guard g = {.suspect = false};
  struct wr_rpc_ward w = {0};
  for (int i = 0; i < 3; i++) {
    int64_t now_ms = i * 60 * MINUTE_MS;
    wr_rpc_guard_answered(&g, &w, now_ms);
    CU_ASSERT_EQUAL(crash(&g, &w, now_ms + 1000), 0);
    wr_rpc_guard_alive(&g);
    CU_ASSERT_EQUAL(crash(&g, &w, now_ms + 5000), WR_GUARD_REST_PROVEN_MS);
  }
}

/* Also one that comes in the middle of a rest ends it. */
static void test_answer_ends_a_rest(void) {
  struct wr_rpc_guard g = {.suspect = false};
  struct wr_rpc_ward w = {0};
  crash(&g, &w, 0);
  wr_rpc_guard_alive(&g);
  CU_ASSERT_EQUAL(crash(&g, &w, 1000), WR_GUARD_REST_MS);
  CU_ASSERT_FALSE(wr_rpc_guard_allows(&g, &w, 2000));
  wr_rpc_guard_answered(&g, &w, 2000);
  CU_ASSERT(wr_rpc_guard_allows(&g, &w, 2000));
}

/* One that has rested is no longer proven: it is not the one that is tried at
 * a suspect proxy. */
static void test_rest_is_no_proof(void) {
  struct wr_rpc_guard g = {.suspect = false};
  struct wr_rpc_ward w = {0}, other = {0};
  wr_rpc_guard_answered(&g, &w, 0);
  CU_ASSERT_EQUAL(wr_rpc_guard_cut(&g, &w, 1000), 0);
  wr_rpc_guard_alive(&g);
  CU_ASSERT_EQUAL(wr_rpc_guard_cut(&g, &w, 2000), WR_GUARD_REST_PROVEN_MS);
  wr_rpc_guard_alive(&g);
  int64_t now_ms = 2000 + WR_GUARD_REST_PROVEN_MS;
  CU_ASSERT_EQUAL(wr_rpc_guard_cut(&g, &other, now_ms), 0);
  CU_ASSERT(wr_rpc_guard_allows(&g, &w, now_ms));
  CU_ASSERT_FALSE(wr_rpc_guard_trial(&g, &w, now_ms));
}

static void test_answer_clears_it(void) {
  struct wr_rpc_guard g = {.suspect = false};
  struct wr_rpc_ward w = {.strikes = 1};
  CU_ASSERT_EQUAL(crash(&g, &w, 0), 10 * MINUTE_MS);
  wr_rpc_guard_answered(&g, &w, 11 * MINUTE_MS);
  CU_ASSERT_FALSE(g.suspect);
  CU_ASSERT(wr_rpc_guard_allows(&g, &w, 11 * MINUTE_MS));
  w.strikes = 1;
  CU_ASSERT_EQUAL(crash(&g, &w, 12 * MINUTE_MS), MINUTE_MS);
}

/* A proxy that lives has not crashed, whoever goes away later. */
static void test_alive_was_no_crash(void) {
  struct wr_rpc_guard g = {.suspect = false};
  struct wr_rpc_ward w = {0};
  wr_rpc_guard_cut(&g, &w, 1000);
  CU_ASSERT(g.unclear);
  wr_rpc_guard_alive(&g);
  CU_ASSERT_FALSE(g.suspect);
  CU_ASSERT_FALSE(wr_rpc_guard_refused(&g, 1100));
  CU_ASSERT_EQUAL(g.crashes, 0);
}

/* Accepted 200 ms after the early end, not before: it lives. */
static void test_dying(void) {
  for (int late_ms = 199; late_ms <= 200; late_ms++) {
    struct wr_rpc_guard g = {.suspect = false};
    wr_rpc_guard_cut(&g, NULL, 1000);
    wr_rpc_guard_cut(&g, NULL, 1000 + late_ms);
    CU_ASSERT_EQUAL(wr_rpc_guard_refused(&g, 1300), late_ms < 200);
  }
}

/* Twenty methods that all crash, asked every 100 ms: never more than
 * WR_GUARD_CRASHES in 120 s. */
static void test_crashes_are_rationed(void) {
  struct wr_rpc_guard g = {.suspect = false};
  struct wr_rpc_ward w[20] = {{0}};
  int64_t crash_ms[200];
  int crashes = 0;
  for (int64_t now_ms = 0; now_ms < 20 * MINUTE_MS; now_ms += 100)
    for (int i = 0; i < 20; i++)
      if (wr_rpc_guard_allows(&g, w + i, now_ms)) {
        crash(&g, w + i, now_ms);
        wr_rpc_guard_alive(&g);
        crash_ms[crashes++] = now_ms;
      }
  CU_ASSERT(crashes >= 40);
  for (int i = WR_GUARD_CRASHES; i < crashes; i++)
    CU_ASSERT(crash_ms[i] - crash_ms[i - WR_GUARD_CRASHES] >= 120000);
}

/* One that answers between the crashes goes on; one that last answered before
 * them may be unbound by now, as after flashing another sketch. */
static void test_proven_methods_go_on(void) {
  struct wr_rpc_guard g = {.suspect = false};
  struct wr_rpc_ward bad[WR_GUARD_CRASHES] = {{0}}, good = {0}, other = {0};
  wr_rpc_guard_answered(&g, &good, 10);
  wr_rpc_guard_answered(&g, &other, 10);
  for (int i = 0; i < WR_GUARD_CRASHES; i++) {
    wr_rpc_guard_alive(&g);
    wr_rpc_guard_cut(&g, bad + i, 20 + 10 * i);
    wr_rpc_guard_refused(&g, 20 + 10 * i);
  }
  CU_ASSERT_FALSE(wr_rpc_guard_allows(&g, &good, 100));
  wr_rpc_guard_answered(&g, &good, 20); /* no later than the first crash */
  CU_ASSERT_FALSE(wr_rpc_guard_allows(&g, &good, 100));
  wr_rpc_guard_answered(&g, &good, 21);
  CU_ASSERT(wr_rpc_guard_allows(&g, &good, 100));
  CU_ASSERT_FALSE(wr_rpc_guard_allows(&g, &other, 20 + 119999));
  CU_ASSERT(wr_rpc_guard_allows(&g, &other, 20 + 120000));
}

/* For years: the ring keeps what counts. */
static void test_many_crashes(void) {
  struct wr_rpc_guard g = {.suspect = false};
  struct wr_rpc_ward w = {0}, other = {0};
  for (int64_t i = 0; i < 1000; i++) {
    crash(&g, &w, i * 40000);
    wr_rpc_guard_alive(&g);
  }
  CU_ASSERT(wr_rpc_guard_allows(&g, &other, 1000 * 40000));
  crash(&g, &w, 999 * 40000 + 1);
  CU_ASSERT_FALSE(wr_rpc_guard_allows(&g, &other, 999 * 40000 + 2));
}

UNIT_MAIN("guard", UNIT(test_twice_alone_rests),
          UNIT(test_no_guilt_by_neighbourhood), UNIT(test_tunnel),
          UNIT(test_proven_method_turns_bad), UNIT(test_answer_forgives),
          UNIT(test_answer_ends_a_rest), UNIT(test_rest_is_no_proof),
          UNIT(test_answer_clears_it), UNIT(test_alive_was_no_crash),
          UNIT(test_dying), UNIT(test_many_crashes),
          UNIT(test_crashes_are_rationed), UNIT(test_proven_methods_go_on))
