/* Without memory: each allocation fails once. There is nothing then, or it
 * works; no descriptor is left open. */
#include "tests/unit/alloc.h"
#include "tests/unit/unit.h"

#include "lib/rpc/resolver.h"
#include "tests/unit/rpc/rpc_peer.h"

#include <errno.h>

static void test_client(void) {
  const struct peer nobody = {.port = 1, .stop_fd = -1};
  int files = unit_open_files();
  for (int mode = 0; mode < 2; mode++)
    for (long n = 0; unit_alloc_arm(n); n++) {
      struct wr_rpc_options o =
          peer_options(&nobody, mode ? WR_RPC_PERSISTENT : WR_RPC_PROXY);
      struct wr_rpc_client *c = wr_rpc_client_new(&o);
      CU_ASSERT_EQUAL(c == NULL, unit_alloc_failed());
      wr_rpc_client_free(c);
      CU_ASSERT_EQUAL(unit_open_files(), files);
    }
}

static void test_session(void) {
  for (int mode = 0; mode < 2; mode++)
    for (long n = 0; unit_alloc_arm(n); n++) {
      struct wr_rpc_session s = {.out = NULL};
      CU_ASSERT_EQUAL(
          wr_rpc_session_open(&s, mode ? WR_RPC_PERSISTENT : WR_RPC_PROXY, 1000,
                              7, mode ? 4 : 1),
          unit_alloc_failed() ? -ENOMEM : 0);
      wr_rpc_session_close(&s);
    }
}

/* A question that cannot be kept is refused, and may be put again. */
static void test_resolver(void) {
  struct wr_rpc_address a;
  struct wr_rpc_peers peers;
  const char *why = NULL;
  int who, files = unit_open_files();
  CU_ASSERT_EQUAL(wr_rpc_address_parse("localhost:5001", &a, &why), 0);
  for (long n = 0; unit_alloc_arm(n); n++) {
    struct wr_rpc_resolver *r = wr_rpc_resolver_new(1);
    int status = r != NULL ? wr_rpc_resolver_ask(r, &a, &who) : -ENOMEM;
    CU_ASSERT_EQUAL(status, unit_alloc_failed() ? -ENOMEM : 0);
    unit_alloc_off();
    if (r != NULL) {
      CU_ASSERT_EQUAL(wr_rpc_resolver_ask(r, &a, &who), 0);
      struct pollfd fd = {.fd = wr_rpc_resolver_fd(r), .events = POLLIN};
      CU_ASSERT_EQUAL(poll(&fd, 1, 30000), 1);
      CU_ASSERT_PTR_EQUAL(wr_rpc_resolver_take(r, &peers), &who);
      CU_ASSERT(peers.count > 0);
    }
    wr_rpc_resolver_free(r);
  }
  CU_ASSERT_EQUAL(unit_open_files(), files);
}

UNIT_MAIN("rpc without memory", UNIT(test_client), UNIT(test_session),
          UNIT(test_resolver))
