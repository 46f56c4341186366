#include "tests/unit/unit.h"

#include "lib/rpc/address.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static void test_addresses(void) {
  static const struct {
    const char *text, *host, *port, *path;
  } cases[] = {
      {"m4proxy", "m4proxy", "5001", ""},
      {"m4proxy:5002", "m4proxy", "5002", ""},
      {"tcp:10.0.0.7:1", "10.0.0.7", "1", ""},
      {"[::1]:65535", "::1", "65535", ""},
      {"[fe80::1]", "fe80::1", "5001", ""},
      {"unix:/var/run/arduino-router.sock", "", "5001",
       "/var/run/arduino-router.sock"},
  };
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    struct wr_rpc_address a;
    const char *why = NULL;
    CU_ASSERT_EQUAL(wr_rpc_address_parse(cases[i].text, &a, &why), 0);
    CU_ASSERT_STRING_EQUAL(a.host, cases[i].host);
    CU_ASSERT_STRING_EQUAL(a.port, cases[i].port);
    CU_ASSERT_STRING_EQUAL(a.path, cases[i].path);
  }
}

static void test_bad_addresses(void) {
  static const char *const cases[] = {"",
                                      ":5001",
                                      "m4proxy:",
                                      "m4proxy:0",
                                      "m4proxy:65536",
                                      "m4proxy:99999999999",
                                      "m4proxy:000080",
                                      "m4proxy:+80",
                                      "m4proxy:80x",
                                      "m4 proxy:80",
                                      "http://m4proxy:80",
                                      "::1:5001",
                                      "[::1",
                                      "[::1]5001",
                                      "[]:5001",
                                      "unix:router.sock",
                                      "unix:"};
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    struct wr_rpc_address a;
    const char *why = NULL;
    CU_ASSERT_EQUAL(wr_rpc_address_parse(cases[i], &a, &why), -EINVAL);
    CU_ASSERT_PTR_NOT_NULL(why);
  }
  for (size_t len = 254; len <= 257; len++) {
    char host[300];
    memset(host, 'h', len);
    host[len] = '\0';
    struct wr_rpc_address at;
    const char *why = NULL;
    CU_ASSERT_EQUAL(wr_rpc_address_parse(host, &at, &why),
                    len <= 255 ? 0 : -EINVAL);
    CU_ASSERT(len > 255 || strcmp(at.host, host) == 0);
  }
  for (size_t len = 106; len <= 109; len++) {
    char at_path[200] = "unix:/";
    memset(at_path + 6, 'a', len - 1);
    struct wr_rpc_address at;
    const char *why = NULL;
    CU_ASSERT_EQUAL(wr_rpc_address_parse(at_path, &at, &why),
                    len <= 107 ? 0 : -EINVAL);
    CU_ASSERT(len > 107 || strcmp(at.path, at_path + 5) == 0);
  }
  char path[200] = "unix:/";
  memset(path + 6, 'a', 150);
  struct wr_rpc_address a;
  const char *why = NULL;
  CU_ASSERT_EQUAL(wr_rpc_address_parse(path, &a, &why), -EINVAL);
}

static void test_default(void) {
  char text[300];
  wr_rpc_address_default(NULL, NULL, text, sizeof(text));
  CU_ASSERT_STRING_EQUAL(text, "m4proxy:5001");
  wr_rpc_address_default("", "", text, sizeof(text));
  CU_ASSERT_STRING_EQUAL(text, "m4proxy:5001");
  wr_rpc_address_default("board", "7", text, sizeof(text));
  CU_ASSERT_STRING_EQUAL(text, "board:7");
}

static const char *key_of(const char *text) {
  static char key[4][WR_RPC_KEY_MAX];
  static int n;
  struct wr_rpc_address a;
  struct wr_rpc_peers peers = {.count = 0};
  const char *why = NULL;
  CU_ASSERT_EQUAL_FATAL(wr_rpc_address_parse(text, &a, &why), 0);
  if (!wr_rpc_address_known(&a, &peers))
    CU_ASSERT_EQUAL_FATAL(wr_rpc_address_ask(&a, &peers), 0);
  n = (n + 1) % 4;
  wr_rpc_peers_key(&peers, key[n], sizeof(key[n]));
  return key[n];
}

/* One proxy is one key, however it is spelled. */
static void test_keys(void) {
  CU_ASSERT_STRING_EQUAL(key_of("127.0.0.1:5001"), "local:5001");
  CU_ASSERT_STRING_EQUAL(key_of("localhost:5001"), "local:5001");
  CU_ASSERT_STRING_EQUAL(key_of("[::1]:5001"), "local:5001");
  CU_ASSERT_STRING_EQUAL(key_of("127.0.0.1:7"), "local:7");
  CU_ASSERT_STRING_EQUAL(key_of("192.0.2.7:5001"), "192.0.2.7:5001");
  CU_ASSERT_STRING_EQUAL(key_of("unix:/run/x.sock"), "/run/x.sock");
}

UNIT_MAIN("address", UNIT(test_addresses), UNIT(test_bad_addresses),
          UNIT(test_default), UNIT(test_keys))
