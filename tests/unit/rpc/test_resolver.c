#define _GNU_SOURCE /* RTLD_NEXT */
#include "tests/unit/unit.h"

#include "lib/rpc/resolver.h"

#include <dlfcn.h>
#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <sched.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <string.h>

/* In front of the C library's: "slow.example" is looked up until the test
 * allows it to end, as with a name server that does not answer. */
static sem_t slow_may_end, slow_ended;
static atomic_int slow_now; /* look-ups that hang */

int getaddrinfo(const char *host, const char *port,
                const struct addrinfo *hints, struct addrinfo **out) {
  static int (*real)(const char *, const char *, const struct addrinfo *,
                     struct addrinfo **);
  if (strcmp(host, "slow.example") == 0) {
    if (hints->ai_flags & AI_NUMERICHOST)
      return EAI_NONAME;
    slow_now++;
    sem_wait(&slow_may_end);
    slow_now--;
    sem_post(&slow_ended);
    return EAI_AGAIN;
  }
  if (real == NULL)
    *(void **)&real = dlsym(RTLD_NEXT, "getaddrinfo");
  return real(host, port, hints, out);
}

static void ask(struct wr_rpc_resolver *r, const char *text, void *who) {
  struct wr_rpc_address a;
  const char *why = NULL;
  CU_ASSERT_EQUAL_FATAL(wr_rpc_address_parse(text, &a, &why), 0);
  CU_ASSERT_EQUAL(wr_rpc_resolver_ask(r, &a, who), 0);
}

static void *await(struct wr_rpc_resolver *r, struct wr_rpc_peers *out) {
  for (;;) {
    void *who = wr_rpc_resolver_take(r, out);
    if (who != NULL)
      return who;
    struct pollfd fd = {.fd = wr_rpc_resolver_fd(r), .events = POLLIN};
    if (poll(&fd, 1, 30000) <= 0)
      return NULL;
  }
}

static void test_resolve(void) {
  struct wr_rpc_resolver *r = wr_rpc_resolver_new(2);
  struct wr_rpc_peers peers;
  int one, two;
  ask(r, "localhost:5001", &one);
  CU_ASSERT_PTR_EQUAL(await(r, &peers), &one);
  CU_ASSERT(peers.count >= 1);
  ask(r, "no-such-host.invalid", &two);
  CU_ASSERT_PTR_EQUAL(await(r, &peers), &two);
  CU_ASSERT_EQUAL(peers.count, 0);
  CU_ASSERT_PTR_NULL(wr_rpc_resolver_take(r, &peers));
  wr_rpc_resolver_free(r);
}

/* Two hundred names that hang are two threads; who goes is not waited for. */
static void test_ceiling(void) {
  struct wr_rpc_resolver *r = wr_rpc_resolver_new(2);
  struct wr_rpc_peers peers;
  char who[200];
  for (size_t i = 0; i < sizeof(who); i++)
    ask(r, "slow.example", who + i);
  while (slow_now < 2)
    sched_yield();
  CU_ASSERT_EQUAL(slow_now, 2);
  for (size_t i = 0; i < sizeof(who) - 1; i++)
    wr_rpc_resolver_forget(r, who + i);
  for (int i = 0; i < 3; i++)
    sem_post(&slow_may_end);
  for (int i = 0; i < 3; i++)
    sem_wait(&slow_ended);
  CU_ASSERT_PTR_EQUAL(await(r, &peers), who + sizeof(who) - 1);
  CU_ASSERT_EQUAL(peers.count, 0);
  ask(r, "slow.example", who);
  while (slow_now < 1)
    sched_yield();
  wr_rpc_resolver_free(r); /* it hangs on, and frees itself */
  sem_post(&slow_may_end);
  sem_wait(&slow_ended);
}

int main(void) {
  const struct unit_case cases[] = {UNIT(test_resolve), UNIT(test_ceiling)};
  sem_init(&slow_may_end, 0, 0);
  sem_init(&slow_ended, 0, 0);
  return unit_main("resolver", cases, sizeof(cases) / sizeof(cases[0]));
}
