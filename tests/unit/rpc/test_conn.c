#define _GNU_SOURCE /* RTLD_NEXT */
#include "tests/unit/unit.h"

#include "tests/unit/rpc/rpc_peer.h"

#include <dlfcn.h>
#include <errno.h>
#include <netdb.h>
#include <semaphore.h>
#include <stdio.h>

/* In front of the C library's: "slow.example" is looked up until the test
 * allows it to end, as with a name server that does not answer. */
static sem_t slow_may_end, slow_ended;

int getaddrinfo(const char *host, const char *port,
                const struct addrinfo *hints, struct addrinfo **out) {
  static int (*real)(const char *, const char *, const struct addrinfo *,
                     struct addrinfo **);
  if (strcmp(host, "slow.example") == 0) {
    if (hints->ai_flags & AI_NUMERICHOST)
      return EAI_NONAME;
    sem_wait(&slow_may_end);
    sem_post(&slow_ended);
    return EAI_AGAIN;
  }
  if (real == NULL)
    *(void **)&real = dlsym(RTLD_NEXT, "getaddrinfo");
  return real(host, port, hints, out);
}

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
  char path[200] = "unix:/";
  memset(path + 6, 'a', 150);
  struct wr_rpc_address a;
  const char *why = NULL;
  CU_ASSERT_EQUAL(wr_rpc_address_parse(path, &a, &why), -EINVAL);
}

static int resolve(const char *text, struct wr_rpc_peers *peers) {
  struct wr_rpc_address a;
  struct wr_rpc_env env = {peer_clock, -1};
  const char *why = NULL;
  CU_ASSERT_EQUAL_FATAL(wr_rpc_address_parse(text, &a, &why), 0);
  return wr_rpc_resolve(&a, &env, peer_clock() + 30000000, peers);
}

static void test_resolve(void) {
  struct wr_rpc_peers peers;
  CU_ASSERT_EQUAL(resolve("127.0.0.1:5001", &peers), 0);
  CU_ASSERT_EQUAL(peers.count, 1);
  CU_ASSERT_EQUAL(peers.at[0].ss_family, AF_INET);
  CU_ASSERT_EQUAL(resolve("[::1]:5001", &peers), 0);
  CU_ASSERT_EQUAL(peers.at[0].ss_family, AF_INET6);
  CU_ASSERT_EQUAL(resolve("localhost:5001", &peers), 0);
  CU_ASSERT(peers.count >= 1);
  CU_ASSERT_EQUAL(resolve("unix:/run/x", &peers), 0);
  CU_ASSERT_EQUAL(peers.at[0].ss_family, AF_UNIX);
  CU_ASSERT_EQUAL(resolve("no-such-host.invalid", &peers), -EADDRNOTAVAIL);
  CU_ASSERT_EQUAL(peers.count, 0);
}

/* A look-up that hangs holds nobody up, and frees itself when it ends. */
static void test_slow_resolve(void) {
  struct wr_rpc_address a = {.host = "slow.example", .port = "1"};
  struct wr_rpc_env env = {peer_clock, -1};
  struct wr_rpc_peers peers;
  CU_ASSERT_EQUAL(wr_rpc_resolve(&a, &env, peer_clock() + 20000, &peers),
                  -ETIMEDOUT);
  CU_ASSERT_EQUAL(peers.count, 0);
  env.stop_fd = eventfd(1, EFD_CLOEXEC);
  CU_ASSERT_EQUAL(wr_rpc_resolve(&a, &env, peer_clock() + 300000000, &peers),
                  -ECANCELED);
  close(env.stop_fd);
  for (int i = 0; i < 2; i++)
    sem_post(&slow_may_end);
  for (int i = 0; i < 2; i++)
    sem_wait(&slow_ended);
}

/* The second address is tried when nobody listens at the first. */
static void test_second_address(void) {
  struct peer *p = peer_start(NULL, 0);
  struct wr_rpc_env env = {peer_clock, -1};
  struct wr_rpc_peers peers;
  char text[32];
  snprintf(text, sizeof(text), "127.0.0.1:%u", p->port);
  CU_ASSERT_EQUAL(resolve(text, &peers), 0);
  peers.at[1] = peers.at[0];
  peers.len[1] = peers.len[0];
  peers.count = 2;
  ((struct sockaddr_in *)&peers.at[0])->sin_addr.s_addr = htonl(0x7f000002);
  int fd = wr_rpc_open(&peers, &env, peer_clock() + 30000000, "x", 1);
  CU_ASSERT(fd >= 0);
  close(fd);
  peers.count = 1;
  CU_ASSERT_EQUAL(wr_rpc_open(&peers, &env, peer_clock() + 30000000, "x", 1),
                  -ECONNREFUSED);
  CU_ASSERT_EQUAL(wr_rpc_open(&peers, &env, peer_clock() + 30000000, NULL, 0),
                  -ECONNREFUSED);
  peer_stop(p);
}

int main(void) {
  const struct unit_case cases[] = {
      UNIT(test_addresses), UNIT(test_bad_addresses), UNIT(test_resolve),
      UNIT(test_slow_resolve), UNIT(test_second_address)};
  sem_init(&slow_may_end, 0, 0);
  sem_init(&slow_ended, 0, 0);
  return unit_main("rpc_conn", cases, sizeof(cases) / sizeof(cases[0]));
}
