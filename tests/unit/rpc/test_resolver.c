#define _GNU_SOURCE /* RTLD_NEXT */
#include "tests/unit/unit.h"

#include "lib/rpc/resolver.h"

#include <arpa/inet.h>
#include <dlfcn.h>
#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/eventfd.h>

/* In front of the C library's: "slow.example" is looked up until the test
 * allows it to end, as with a name server that does not answer. */
static sem_t slow_may_end, slow_ended;
static atomic_int slow_now; /* look-ups that hang */

static atomic_int unmasked;   /* look-ups that a signal could interrupt */
static int no_threads;        /* pthread_create() fails */
static int created, attached; /* threads; those that somebody would join */

int pthread_create(pthread_t *thread, const pthread_attr_t *attr,
                   void *(*run)(void *), void *arg) {
  static int (*real)(pthread_t *, const pthread_attr_t *, void *(*)(void *),
                     void *);
  if (real == NULL)
    *(void **)&real = dlsym(RTLD_NEXT, "pthread_create");
  int state = PTHREAD_CREATE_JOINABLE;
  pthread_attr_getdetachstate(attr, &state);
  attached += state != PTHREAD_CREATE_DETACHED;
  created++;
  return no_threads ? EAGAIN : real(thread, attr, run, arg);
}

static int no_descriptor;

int eventfd(unsigned count, int flags) {
  static int (*real)(unsigned, int);
  if (real == NULL)
    *(void **)&real = dlsym(RTLD_NEXT, "eventfd");
  errno = EMFILE;
  return no_descriptor ? -1 : real(count, flags);
}

static bool is_masked(int signo) {
  sigset_t now;
  pthread_sigmask(SIG_SETMASK, NULL, &now);
  return sigismember(&now, signo);
}

static bool all_are_masked(void) {
  for (int signo = 1; signo < 32; signo++)
    if (signo != SIGKILL && signo != SIGSTOP && !is_masked(signo))
      return false;
  return is_masked(SIGRTMIN) && is_masked(SIGRTMAX);
}

int getaddrinfo(const char *host, const char *port,
                const struct addrinfo *hints, struct addrinfo **out) {
  static int (*real)(const char *, const char *, const struct addrinfo *,
                     struct addrinfo **);
  unmasked += !all_are_masked();
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

static int port_of(const struct wr_rpc_peers *peers) {
  return ntohs(((const struct sockaddr_in *)peers->at)->sin_port);
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

static bool readable(const struct wr_rpc_resolver *r) {
  struct pollfd fd = {.fd = wr_rpc_resolver_fd(r), .events = POLLIN};
  return poll(&fd, 1, 0) == 1;
}

/* Readable while an answer waits, and a second one as well; one question of
 * each at a time. The threads take no signal, and leave the asker's as they
 * are. */
static void test_answers(void) {
  struct wr_rpc_resolver *r = wr_rpc_resolver_new(1);
  struct wr_rpc_peers peers;
  int one, two;
  unmasked = attached = 0;
  CU_ASSERT_FALSE(readable(r));
  CU_ASSERT_PTR_NULL(wr_rpc_resolver_take(r, &peers));
  CU_ASSERT_FALSE(readable(r));
  ask(r, "127.0.0.1:1", &one);
  ask(r, "127.0.0.1:2", &one); /* open already */
  ask(r, "127.0.0.1:3", &two);
  CU_ASSERT_FALSE(is_masked(SIGUSR1));
  CU_ASSERT_PTR_EQUAL(await(r, &peers), &one);
  CU_ASSERT_EQUAL(port_of(&peers), 1);
  CU_ASSERT_PTR_EQUAL(await(r, &peers), &two);
  CU_ASSERT_EQUAL(port_of(&peers), 3);
  CU_ASSERT_FALSE(readable(r));
  CU_ASSERT_PTR_NULL(wr_rpc_resolver_take(r, &peers));
  ask(r, "127.0.0.1:4", &one); /* once more, by a thread that may be new */
  CU_ASSERT_PTR_EQUAL(await(r, &peers), &one);
  CU_ASSERT_EQUAL(port_of(&peers), 4);
  CU_ASSERT_EQUAL(unmasked, 0);
  CU_ASSERT_EQUAL(attached, 0);
  wr_rpc_resolver_free(r);
}

/* Readable as long as there is one more, and no longer. */
static void test_readable(void) {
  struct wr_rpc_resolver *r = wr_rpc_resolver_new(1);
  struct wr_rpc_peers peers;
  int one, two, three, slow;
  ask(r, "127.0.0.1:1", &one);
  ask(r, "127.0.0.1:2", &two);
  ask(r, "127.0.0.1:3", &three);
  ask(r, "slow.example", &slow);
  while (slow_now < 1) /* the others are answered by then */
    sched_yield();
  CU_ASSERT(readable(r));
  CU_ASSERT_PTR_EQUAL(wr_rpc_resolver_take(r, &peers), &one);
  CU_ASSERT(readable(r));
  wr_rpc_resolver_forget(r, &three);
  CU_ASSERT(readable(r));
  wr_rpc_resolver_forget(r, &two);
  CU_ASSERT_FALSE(readable(r));
  CU_ASSERT_PTR_NULL(wr_rpc_resolver_take(r, &peers));
  sem_post(&slow_may_end);
  sem_wait(&slow_ended);
  CU_ASSERT_PTR_EQUAL(await(r, &peers), &slow);
  CU_ASSERT_EQUAL(peers.count, 0);
  CU_ASSERT_FALSE(readable(r));
  wr_rpc_resolver_free(r);
}

/* Forgotten: neither one that waits nor one that is answered comes. */
static void test_forget(void) {
  struct wr_rpc_resolver *r = wr_rpc_resolver_new(1);
  struct wr_rpc_peers peers;
  int slow, one, two;
  ask(r, "slow.example", &slow);
  ask(r, "127.0.0.1:1", &one);
  ask(r, "127.0.0.1:2", &two);
  wr_rpc_resolver_forget(r, &one);
  wr_rpc_resolver_forget(r, NULL); /* harmless */
  sem_post(&slow_may_end);
  sem_wait(&slow_ended);
  CU_ASSERT_PTR_EQUAL(await(r, &peers), &slow);
  CU_ASSERT_EQUAL(peers.count, 0);
  struct pollfd fd = {.fd = wr_rpc_resolver_fd(r), .events = POLLIN};
  CU_ASSERT_EQUAL(poll(&fd, 1, 30000), 1);
  CU_ASSERT_PTR_EQUAL(await(r, &peers), &two);
  ask(r, "127.0.0.1:3", &one);
  CU_ASSERT_EQUAL(poll(&fd, 1, 30000), 1);
  wr_rpc_resolver_forget(r, &one);
  CU_ASSERT_PTR_NULL(wr_rpc_resolver_take(r, &peers));
  wr_rpc_resolver_free(r);
}

/* It is freed with answers and questions that nobody took. */
static void test_free(void) {
  struct wr_rpc_resolver *r = wr_rpc_resolver_new(1);
  struct wr_rpc_peers peers;
  int one, two;
  ask(r, "127.0.0.1:1", &one);
  CU_ASSERT_PTR_EQUAL(await(r, &peers), &one);
  ask(r, "127.0.0.1:1", &one);
  struct pollfd fd = {.fd = wr_rpc_resolver_fd(r), .events = POLLIN};
  CU_ASSERT_EQUAL(poll(&fd, 1, 30000), 1);
  ask(r, "slow.example", &two);
  while (slow_now < 1)
    sched_yield();
  wr_rpc_resolver_free(r);
  sem_post(&slow_may_end);
  sem_wait(&slow_ended);
  wr_rpc_resolver_free(NULL);
}

/* Without a thread there is no answer, and the question is not kept. */
static void test_no_thread(void) {
  struct wr_rpc_resolver *r = wr_rpc_resolver_new(2);
  struct wr_rpc_address a;
  struct wr_rpc_peers peers;
  const char *why = NULL;
  int one;
  CU_ASSERT_EQUAL_FATAL(wr_rpc_address_parse("127.0.0.1:1", &a, &why), 0);
  no_threads = 1;
  CU_ASSERT_EQUAL(wr_rpc_resolver_ask(r, &a, &one), -EAGAIN);
  no_threads = 0;
  ask(r, "127.0.0.1:2", &one);
  CU_ASSERT_PTR_EQUAL(await(r, &peers), &one);
  CU_ASSERT_EQUAL(port_of(&peers), 2);
  wr_rpc_resolver_free(r);
}

static void test_no_descriptor(void) {
  no_descriptor = 1;
  CU_ASSERT_PTR_NULL(wr_rpc_resolver_new(1));
  no_descriptor = 0;
}

/* Two hundred names that hang are two threads; who goes is not waited for. */
static void test_ceiling(void) {
  struct wr_rpc_resolver *r = wr_rpc_resolver_new(2);
  struct wr_rpc_peers peers;
  char who[200];
  created = 0;
  for (size_t i = 0; i < sizeof(who); i++)
    ask(r, "slow.example", who + i);
  while (slow_now < 2)
    sched_yield();
  CU_ASSERT_EQUAL(slow_now, 2);
  CU_ASSERT_EQUAL(created, 2);
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
  const struct unit_case cases[] = {
      UNIT(test_resolve),       UNIT(test_answers), UNIT(test_readable),
      UNIT(test_forget),        UNIT(test_free),    UNIT(test_no_thread),
      UNIT(test_no_descriptor), UNIT(test_ceiling)};
  sem_init(&slow_may_end, 0, 0);
  sem_init(&slow_ended, 0, 0);
  return unit_main("resolver", cases, sizeof(cases) / sizeof(cases[0]));
}
