#include "tests/unit/unit.h"

#include "lib/rpc/guard.h"

#define MINUTE_MS 60000

static void test_crashed_method_rests(void) {
  struct wr_rpc_guard g = WR_RPC_GUARD_INIT;
  struct wr_rpc_ward bad = {0}, good = {0};
  int64_t now_ms = 5000, rest_ms = 0;
  CU_ASSERT(wr_rpc_guard_allows(&g, &bad, now_ms));
  CU_ASSERT_EQUAL(wr_rpc_guard_crashed(&g, &bad, now_ms), 10 * MINUTE_MS);
  CU_ASSERT_FALSE(wr_rpc_guard_allows(&g, &bad, now_ms + 10 * MINUTE_MS - 1));
  CU_ASSERT(wr_rpc_guard_allows(&g, &good, now_ms));
  for (int i = 0; i < 20; i++) {
    now_ms += 2000 * MINUTE_MS;
    CU_ASSERT(wr_rpc_guard_allows(&g, &bad, now_ms));
    rest_ms = wr_rpc_guard_crashed(&g, &bad, now_ms);
  }
  CU_ASSERT_EQUAL(rest_ms, 24 * 60 * MINUTE_MS);
}

static void test_answer_clears_it(void) {
  struct wr_rpc_guard g = WR_RPC_GUARD_INIT;
  struct wr_rpc_ward w = {0};
  wr_rpc_guard_crashed(&g, &w, 0);
  wr_rpc_guard_answered(&w, 11 * MINUTE_MS);
  CU_ASSERT(wr_rpc_guard_allows(&g, &w, 11 * MINUTE_MS));
  CU_ASSERT_EQUAL(wr_rpc_guard_crashed(&g, &w, 12 * MINUTE_MS), 10 * MINUTE_MS);
}

/* Twenty methods that all crash, asked every 100 ms: never more than
 * WR_GUARD_CRASHES in 120 s. */
static void test_crashes_are_rationed(void) {
  struct wr_rpc_guard g = WR_RPC_GUARD_INIT;
  struct wr_rpc_ward w[20] = {{0}};
  int64_t crash_ms[200];
  int crashes = 0;
  for (int64_t now_ms = 0; now_ms < 9 * MINUTE_MS; now_ms += 100)
    for (int i = 0; i < 20; i++)
      if (wr_rpc_guard_allows(&g, w + i, now_ms)) {
        wr_rpc_guard_crashed(&g, w + i, now_ms);
        crash_ms[crashes++] = now_ms;
      }
  CU_ASSERT_EQUAL(crashes, 20);
  for (int i = WR_GUARD_CRASHES; i < crashes; i++)
    CU_ASSERT(crash_ms[i] - crash_ms[i - WR_GUARD_CRASHES] >= 120000);
}

/* One that answers between the crashes goes on; one that last answered before
 * them may be unbound by now, as after flashing another sketch. */
static void test_proven_methods_go_on(void) {
  struct wr_rpc_guard g = WR_RPC_GUARD_INIT;
  struct wr_rpc_ward bad[WR_GUARD_CRASHES] = {{0}}, good = {0}, other = {0};
  wr_rpc_guard_answered(&good, 10);
  wr_rpc_guard_answered(&other, 10);
  for (int i = 0; i < WR_GUARD_CRASHES; i++)
    wr_rpc_guard_crashed(&g, bad + i, 20 + 10 * i);
  CU_ASSERT_FALSE(wr_rpc_guard_allows(&g, &good, 100));
  wr_rpc_guard_answered(&good, 25);
  CU_ASSERT(wr_rpc_guard_allows(&g, &good, 100));
  CU_ASSERT_FALSE(wr_rpc_guard_allows(&g, &other, 20 + 119999));
  CU_ASSERT(wr_rpc_guard_allows(&g, &other, 20 + 120000));
}

static void test_closed_twice_rests(void) {
  struct wr_rpc_guard g = WR_RPC_GUARD_INIT;
  struct wr_rpc_ward w = {0}, other = {0};
  CU_ASSERT_EQUAL(wr_rpc_guard_closed(&g, &w, 100), 0);
  CU_ASSERT(wr_rpc_guard_allows(&g, &w, 200));
  wr_rpc_guard_answered(&w, 200); /* that was somebody else's restart */
  CU_ASSERT_EQUAL(wr_rpc_guard_closed(&g, &w, 300), 0);
  CU_ASSERT_EQUAL(wr_rpc_guard_closed(&g, &w, 400), 10 * MINUTE_MS);
  CU_ASSERT_FALSE(wr_rpc_guard_allows(&g, &w, 500));
  CU_ASSERT(wr_rpc_guard_allows(&g, &other, 500));
  wr_rpc_guard_closed(&g, &other, 600);
  CU_ASSERT_FALSE(wr_rpc_guard_allows(&g, &other, 700)); /* four in all */
}

/* For years: the ring keeps what counts. */
static void test_many_crashes(void) {
  struct wr_rpc_guard g = WR_RPC_GUARD_INIT;
  struct wr_rpc_ward w = {0}, other = {0};
  for (int64_t i = 0; i < 1000; i++)
    wr_rpc_guard_crashed(&g, &w, i * 40000);
  CU_ASSERT(wr_rpc_guard_allows(&g, &other, 1000 * 40000));
  wr_rpc_guard_crashed(&g, &w, 999 * 40000 + 1);
  CU_ASSERT_FALSE(wr_rpc_guard_allows(&g, &other, 999 * 40000 + 2));
}

UNIT_MAIN("rpc_guard", UNIT(test_closed_twice_rests), UNIT(test_many_crashes),
          UNIT(test_crashed_method_rests), UNIT(test_answer_clears_it),
          UNIT(test_crashes_are_rationed), UNIT(test_proven_methods_go_on))
