#define _GNU_SOURCE /* RTLD_NEXT */
#include "tests/unit/unit.h"

#include "lib/rpc/address.h"

#include <arpa/inet.h>
#include <dlfcn.h>
#include <errno.h>
#include <netdb.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>

/* In front of the C library's: "many.example" has `many` addresses, 192.0.2.1
 * and on, of which none can be known without asking; the first is `length` long
 * where that is not 0. */
static int many;
static socklen_t length;

/* One of such a list, which glibc frees one by one. */
static struct addrinfo *entry(const struct addrinfo *from, socklen_t len) {
  struct addrinfo *a =
      calloc(1, sizeof(*a) + sizeof(struct sockaddr_storage) + 1);
  if (a == NULL)
    abort();
  *a = *from;
  a->ai_addr = (struct sockaddr *)(a + 1);
  memcpy(a->ai_addr, from->ai_addr, from->ai_addrlen);
  if (len > 0)
    a->ai_addrlen = len;
  a->ai_next = NULL;
  return a;
}

int getaddrinfo(const char *host, const char *port,
                const struct addrinfo *hints, struct addrinfo **out) {
  static int (*real)(const char *, const char *, const struct addrinfo *,
                     struct addrinfo **);
  if (real == NULL)
    *(void **)&real = dlsym(RTLD_NEXT, "getaddrinfo");
  if (strcmp(host, "many.example") != 0)
    return real(host, port, hints, out);
  if (hints->ai_flags & AI_NUMERICHOST)
    return EAI_NONAME;
  CU_ASSERT_EQUAL(hints->ai_flags, AI_NUMERICSERV);
  for (int i = 0; i < many; i++) {
    char text[32];
    struct addrinfo numeric = *hints, *one = NULL;
    numeric.ai_flags |= AI_NUMERICHOST;
    snprintf(text, sizeof(text), "192.0.2.%d", i + 1);
    int status = real(text, port, &numeric, &one);
    if (status != 0)
      return status;
    *out = entry(one, i == 0 ? length : 0);
    out = &(*out)->ai_next;
    freeaddrinfo(one);
  }
  return 0;
}

/* And bind(): to any port, so that a peer's own is not in the way. */
int bind(int fd, const struct sockaddr *to, socklen_t len) {
  static int (*real)(int, const struct sockaddr *, socklen_t);
  if (real == NULL)
    *(void **)&real = dlsym(RTLD_NEXT, "bind");
  CU_ASSERT_EQUAL(to->sa_family == AF_INET
                      ? ((const struct sockaddr_in *)to)->sin_port
                      : ((const struct sockaddr_in6 *)to)->sin6_port,
                  0);
  return real(fd, to, len);
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
      {"tcp:[fe80::1]:7", "fe80::1", "7", ""},
      {"tcp", "tcp", "5001", ""},
      {"unix", "unix", "5001", ""},
      {"h:00080", "h", "80", ""},
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
  static const char host_is[] = "the host is missing or malformed";
  static const char port_is[] = "the port is a number from 1 to 65535";
  static const char brackets[] =
      "an IPv6 address needs brackets, as [::1]:5001";
  static const char path_is[] =
      "a unix socket is an absolute path of at most 107 bytes";
  static const struct {
    const char *text, *why;
  } cases[] = {{"", host_is},
               {":5001", host_is},
               {"m4proxy:", port_is},
               {"m4proxy:0", port_is},
               {"m4proxy:65536", port_is},
               {"m4proxy:99999999999", port_is},
               {"m4proxy:000080", port_is},
               {"m4proxy:+80", port_is},
               {"m4proxy:80x", port_is},
               {"m4 proxy:80", host_is},
               {" m4proxy", host_is},
               {"m4proxy ", host_is},
               {"/", host_is},
               {"m4proxy/x:80", host_is},
               {"http://m4proxy:80", brackets},
               {"::1:5001", brackets},
               {"::1", brackets},
               {"[::1", host_is},
               {"[::1]5001", host_is},
               {"[::1]:", port_is},
               {"[]:5001", host_is},
               {"unix:router.sock", path_is},
               {"unix:", path_is}};
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    struct wr_rpc_address a;
    const char *why = "";
    CU_ASSERT_EQUAL(wr_rpc_address_parse(cases[i].text, &a, &why), -EINVAL);
    CU_ASSERT_STRING_EQUAL(why, cases[i].why);
  }
}

static void test_longest_addresses(void) {
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
  CU_ASSERT_STRING_EQUAL(key_of("[2001:db8::7]:5001"), "2001:db8::7:5001");
  CU_ASSERT_STRING_EQUAL(key_of("unix:/run/x.sock"), "/run/x.sock");
}

/* What needs no server: the bytes of the socket's address. */
static void test_known(void) {
  struct wr_rpc_peers peers = {.count = 3};
  struct wr_rpc_address a = {.path = "/run/x.sock"};
  CU_ASSERT(wr_rpc_address_known(&a, &peers));
  CU_ASSERT_EQUAL(peers.count, 1);
  const struct sockaddr_un *un = (const struct sockaddr_un *)peers.at;
  CU_ASSERT_EQUAL(peers.len[0], sizeof(*un));
  CU_ASSERT_EQUAL(un->sun_family, AF_UNIX);
  CU_ASSERT_STRING_EQUAL(un->sun_path, "/run/x.sock");
  a = (struct wr_rpc_address){.host = "192.0.2.7", .port = "5001"};
  CU_ASSERT(wr_rpc_address_known(&a, &peers));
  CU_ASSERT_EQUAL(peers.count, 1);
  const struct sockaddr_in *in = (const struct sockaddr_in *)peers.at;
  CU_ASSERT_EQUAL(peers.len[0], sizeof(*in));
  CU_ASSERT_EQUAL(ntohs(in->sin_port), 5001);
  CU_ASSERT_EQUAL(ntohl(in->sin_addr.s_addr), 0xc0000207);
  strcpy(a.host, "localhost");
  CU_ASSERT_FALSE(wr_rpc_address_known(&a, &peers));
  CU_ASSERT_EQUAL(peers.count, 0);
  strcpy(a.host, "many.example");
  CU_ASSERT_FALSE(wr_rpc_address_known(&a, &peers));
}

/* Of a name with more addresses than are tried, the first; one of a kind that
 * does not fit is left out. */
static void test_many_addresses(void) {
  struct wr_rpc_peers peers = {.count = 0};
  struct wr_rpc_address a = {.host = "many.example", .port = "1"};
  int files = unit_open_files();
  for (many = 1; many <= WR_RPC_PEERS + 2; many++) {
    CU_ASSERT_EQUAL(wr_rpc_address_ask(&a, &peers), 0);
    CU_ASSERT_EQUAL(peers.count,
                    many < WR_RPC_PEERS ? (unsigned)many : WR_RPC_PEERS);
    for (unsigned i = 0; i < peers.count; i++) {
      const struct sockaddr_in *in = (const struct sockaddr_in *)&peers.at[i];
      CU_ASSERT_EQUAL(ntohl(in->sin_addr.s_addr), 0xc0000201 + i);
      CU_ASSERT_EQUAL(peers.len[i], sizeof(*in));
    }
  }
  length = sizeof(struct sockaddr_storage) + 1; /* one that does not fit */
  for (many = 1; many <= 2; many++) {
    CU_ASSERT_EQUAL(wr_rpc_address_ask(&a, &peers),
                    many == 1 ? -EADDRNOTAVAIL : 0);
    CU_ASSERT_EQUAL(peers.count, many - 1);
  }
  const struct sockaddr_in *second = (const struct sockaddr_in *)&peers.at[0];
  CU_ASSERT_EQUAL(ntohl(second->sin_addr.s_addr), 0xc0000202);
  CU_ASSERT_EQUAL(peers.len[0], sizeof(*second));
  length--; /* and one that just does */
  many = 1;
  CU_ASSERT_EQUAL(wr_rpc_address_ask(&a, &peers), 0);
  CU_ASSERT_EQUAL(peers.len[0], length);
  strcpy(a.host, "no-such-host.invalid");
  CU_ASSERT_EQUAL(wr_rpc_address_ask(&a, &peers), -EADDRNOTAVAIL);
  key_of("192.0.2.7:5001");
  key_of("127.0.0.1:5001");
  CU_ASSERT_EQUAL(unit_open_files(), files);
}

UNIT_MAIN("address", UNIT(test_addresses), UNIT(test_bad_addresses),
          UNIT(test_longest_addresses), UNIT(test_default), UNIT(test_keys),
          UNIT(test_known), UNIT(test_many_addresses))
