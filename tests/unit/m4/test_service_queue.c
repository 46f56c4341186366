/* Who waits for what: for descriptors in line, for a proxy at its gate. */
#include "tests/unit/m4/service_case.h"

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

int main(void) {
  const struct unit_case cases[] = {
      UNIT(test_line), UNIT(test_too_few_for_a_proxy),
      UNIT(test_lock_of_another), UNIT(test_no_lock_can_be),
      UNIT(test_proxy_moves)};
  return service_main("m4_service_queue", cases,
                      sizeof(cases) / sizeof(cases[0]));
}
