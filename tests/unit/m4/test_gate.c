#include "tests/unit/unit.h"

#include "lib/m4/gate.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define S 1000000LL

static char directory[] = "/tmp/weir-gate.XXXXXX";
static struct wr_m4_gate *gates;

static struct wr_m4_gate *gate(const char *key) {
  struct wr_m4_gate *g = wr_m4_gate_find(&gates, key, directory);
  CU_ASSERT_PTR_NOT_NULL_FATAL(g);
  return g;
}

/* In the order in which they came; who leaves the line lets nobody in. */
static void test_line(void) {
  struct wr_m4_gate *g = gate("local:1");
  struct wr_m4_visitor v[4];
  memset(v, 0xff, sizeof(v)); /* whatever it says who is behind */
  CU_ASSERT_PTR_EQUAL(gate("local:1"), g);
  CU_ASSERT_PTR_NOT_EQUAL(gate("local:2"), g);
  CU_ASSERT_EQUAL(wr_m4_gate_enter(g, v + 0, S, 0), WR_M4_IN);
  for (int i = 1; i < 4; i++)
    CU_ASSERT_EQUAL(wr_m4_gate_enter(g, v + i, S, 0), WR_M4_LINE);
  CU_ASSERT_EQUAL(wr_m4_gate_enter(g, v + 3, S, 100 * S), WR_M4_LINE);
  CU_ASSERT_PTR_NULL(wr_m4_gate_leave(g, v + 2));
  CU_ASSERT_PTR_NULL(wr_m4_gate_leave(g, v + 2)); /* harmless */
  CU_ASSERT_PTR_EQUAL(wr_m4_gate_leave(g, v + 0), v + 1);
  CU_ASSERT_EQUAL(wr_m4_gate_enter(g, v + 1, S, 0), WR_M4_IN);
  CU_ASSERT_PTR_EQUAL(wr_m4_gate_leave(g, v + 1), v + 3);
  CU_ASSERT_EQUAL(wr_m4_gate_enter(g, v + 3, S, 0), WR_M4_IN);
  CU_ASSERT_PTR_NULL(wr_m4_gate_leave(g, v + 3));
}

/* Who leaves as the last one is missed by nobody who comes then. */
static void test_end_of_the_line(void) {
  struct wr_m4_gate *g = gate("local:7");
  struct wr_m4_visitor v[3];
  CU_ASSERT_EQUAL(wr_m4_gate_enter(g, v + 0, S, 0), WR_M4_IN);
  CU_ASSERT_EQUAL(wr_m4_gate_enter(g, v + 1, S, 0), WR_M4_LINE);
  CU_ASSERT_PTR_NULL(wr_m4_gate_leave(g, v + 1));
  CU_ASSERT_EQUAL(wr_m4_gate_enter(g, v + 2, S, 0), WR_M4_LINE);
  CU_ASSERT_PTR_EQUAL(wr_m4_gate_leave(g, v + 0), v + 2);
  CU_ASSERT_PTR_NULL(wr_m4_gate_leave(g, v + 2));
}

/* Another process: its lock is waited for once, then only tried, and taken
 * again as soon as it is free. */
static void test_lock_of_another(void) {
  struct wr_m4_gate *g = gate("local:3");
  struct wr_rpc_lock other = {.fd = -1};
  struct wr_m4_visitor a, b;
  CU_ASSERT_EQUAL(wr_rpc_lock_try(&other, "local:3", directory), 0);
  CU_ASSERT_EQUAL(wr_m4_gate_enter(g, &a, S, 0), WR_M4_LATER);
  CU_ASSERT_EQUAL(wr_m4_gate_enter(g, &b, S, 0), WR_M4_LINE);
  CU_ASSERT_EQUAL(wr_m4_gate_enter(g, &a, S, S - 1), WR_M4_LATER);
  CU_ASSERT_EQUAL(wr_m4_gate_enter(g, &a, S, S), WR_M4_IN_FREE);
  CU_ASSERT_PTR_EQUAL(wr_m4_gate_leave(g, &a), &b);
  CU_ASSERT_EQUAL(wr_m4_gate_enter(g, &b, S, 2 * S), WR_M4_IN_FREE);
  wr_rpc_lock_give(&other);
  CU_ASSERT_PTR_NULL(wr_m4_gate_leave(g, &b));
  CU_ASSERT_EQUAL(wr_m4_gate_enter(g, &a, S, 3 * S), WR_M4_IN);
  CU_ASSERT_EQUAL(wr_rpc_lock_try(&other, "local:3", directory), -EWOULDBLOCK);
  wr_m4_gate_leave(g, &a);
  CU_ASSERT_EQUAL(wr_rpc_lock_try(&other, "local:3", directory), 0);
  CU_ASSERT_EQUAL(wr_m4_gate_enter(g, &a, S, 4 * S), WR_M4_LATER);
  CU_ASSERT_PTR_NULL(wr_m4_gate_leave(g, &a)); /* the next has all its time */
  CU_ASSERT_EQUAL(wr_m4_gate_enter(g, &b, S, 9 * S), WR_M4_LATER);
  CU_ASSERT_EQUAL(wr_m4_gate_enter(g, &b, S, 10 * S - 1), WR_M4_LATER);
  CU_ASSERT_EQUAL(wr_m4_gate_enter(g, &b, S, 10 * S), WR_M4_IN_FREE);
  CU_ASSERT_PTR_NULL(wr_m4_gate_leave(g, &b));
  wr_rpc_lock_close(&other);
}

static void test_no_lock_can_be(void) {
  struct wr_m4_gate *list = NULL;
  struct wr_m4_gate *g = wr_m4_gate_find(&list, "local:4", "/nonexistent");
  struct wr_m4_visitor a;
  CU_ASSERT_EQUAL(wr_m4_gate_enter(g, &a, S, 0), WR_M4_IN);
  CU_ASSERT_EQUAL(g->lock_error, -ENOENT);
  CU_ASSERT_PTR_NULL(wr_m4_gate_leave(g, &a));
  wr_m4_gates_free(&list);
  CU_ASSERT_PTR_NULL(list);
}

/* Who is inside when the gates go takes no lock with him. */
static void test_lock_goes_with_the_gate(void) {
  struct wr_m4_gate *list = NULL;
  struct wr_m4_visitor a;
  int files = unit_open_files();
  struct wr_m4_gate *g = wr_m4_gate_find(&list, "local:5", directory);
  CU_ASSERT_PTR_NOT_NULL(wr_m4_gate_find(&list, "local:6", directory));
  CU_ASSERT_EQUAL(wr_m4_gate_enter(g, &a, S, 0), WR_M4_IN);
  wr_m4_gates_free(&list);
  CU_ASSERT_EQUAL(unit_open_files(), files);
}

int main(void) {
  const struct unit_case cases[] = {
      UNIT(test_line), UNIT(test_end_of_the_line), UNIT(test_lock_of_another),
      UNIT(test_no_lock_can_be), UNIT(test_lock_goes_with_the_gate)};
  if (mkdtemp(directory) == NULL)
    return 1;
  int bad = unit_main("gate", cases, sizeof(cases) / sizeof(cases[0]));
  wr_m4_gates_free(&gates);
  char command[64];
  snprintf(command, sizeof(command), "rm -r %s", directory);
  return system(command) != 0 || bad;
}
