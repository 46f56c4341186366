/* What a client waits for, and how long. One thread plays all: poll() looks
 * whether something is there; if not, it lets the time pass at once. */
#define _GNU_SOURCE /* RTLD_NEXT */
#include "tests/unit/unit.h"

#include "lib/rpc/client.h"
#include "lib/rpc/lock.h"

#include <arpa/inet.h>
#include <dlfcn.h>
#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#define S 1000000LL

static int64_t now_us;
static int polls, waited_ms[64]; /* how often, and the first of them */
static nfds_t waited_for;
static bool patient;        /* really wait, and let no time pass */
static void (*event)(void); /* before the next one looks, once */

static int64_t clock_us(void) { return now_us; }

int poll(struct pollfd *fds, nfds_t count, int timeout_ms) {
  static int (*real)(struct pollfd *, nfds_t, int);
  if (real == NULL)
    *(void **)&real = dlsym(RTLD_NEXT, "poll");
  if (polls < 64)
    waited_ms[polls] = timeout_ms;
  polls++;
  waited_for = count;
  void (*happens)(void) = event;
  event = NULL;
  if (happens != NULL)
    happens();
  int ready = real(fds, count, patient ? 30000 : 0);
  if (ready == 0)
    now_us += timeout_ms * 1000LL;
  return ready;
}

/* "name.example" is this host as long as it is known, "slow.example" is looked
 * up until the test allows it to end. */
static bool known;
static sem_t slow_began, slow_may_end, slow_ended;

int getaddrinfo(const char *host, const char *port,
                const struct addrinfo *hints, struct addrinfo **out) {
  static int (*real)(const char *, const char *, const struct addrinfo *,
                     struct addrinfo **);
  if (real == NULL)
    *(void **)&real = dlsym(RTLD_NEXT, "getaddrinfo");
  bool name = strcmp(host, "name.example") == 0;
  bool slow = strcmp(host, "slow.example") == 0;
  if ((name || slow) && (hints->ai_flags & AI_NUMERICHOST) != 0)
    return EAI_NONAME;
  if (slow) {
    sem_post(&slow_began);
    sem_wait(&slow_may_end);
    sem_post(&slow_ended);
  }
  if (slow || (name && !known))
    return EAI_AGAIN;
  return real(name ? "127.0.0.1" : host, port, hints, out);
}

static int threads;

int pthread_create(pthread_t *thread, const pthread_attr_t *attr,
                   void *(*run)(void *), void *arg) {
  static int (*real)(pthread_t *, const pthread_attr_t *, void *(*)(void *),
                     void *);
  if (real == NULL)
    *(void **)&real = dlsym(RTLD_NEXT, "pthread_create");
  threads++;
  return real(thread, attr, run, arg);
}

static char directory[] = "/tmp/weir-waits.XXXXXX";
static int listener, stop_fd;
static char key[64];
static struct wr_rpc_client *c;
static struct wr_rpc_call calls[4];

/* A client of a peer of its own, which may be closed; a call takes 1.5 s. */
static void start(enum wr_rpc_mode mode, const char *host) {
  struct sockaddr_in in = {.sin_family = AF_INET,
                           .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t len = sizeof(in);
  listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (bind(listener, (struct sockaddr *)&in, len) != 0 ||
      listen(listener, 4) != 0 ||
      getsockname(listener, (struct sockaddr *)&in, &len) != 0)
    abort();
  struct wr_rpc_options o = {.mode = mode,
                             .timeout_ms = 1500,
                             .random = 7,
                             .lock_directory = directory,
                             .env = {clock_us, stop_fd}};
  snprintf(o.address.host, sizeof(o.address.host), "%s", host);
  snprintf(o.address.port, sizeof(o.address.port), "%u", ntohs(in.sin_port));
  snprintf(key, sizeof(key), "local:%u", ntohs(in.sin_port));
  now_us = S;
  patient = false;
  c = wr_rpc_client_new(&o);
  CU_ASSERT_PTR_NOT_NULL_FATAL(c);
}

static void nobody_listens(void) {
  close(listener);
  listener = -1;
}

static void end(void) {
  wr_rpc_client_free(c);
  if (listener >= 0)
    close(listener);
  close(stop_fd);
}

static void call(size_t count) {
  memset(calls, 0, sizeof(calls));
  memset(calls, 1, count * sizeof(calls[0]));
  for (size_t i = 0; i < count; i++) {
    calls[i].method = "m";
    calls[i].args_count = 0;
  }
  polls = 0;
  wr_rpc_call(c, calls, count);
}

static void is_untouched(const struct wr_rpc_call *other) {
  static const struct wr_rpc_call untouched;
  CU_ASSERT_EQUAL(memcmp(other, &untouched, sizeof(untouched)), 0);
}

static void stop(void) { eventfd_write(stop_fd, 1); }

static void slow_begins(void) {
  struct timespec at;
  clock_gettime(CLOCK_REALTIME, &at);
  at.tv_sec += 30;
  CU_ASSERT_EQUAL_FATAL(sem_timedwait(&slow_began, &at), 0);
}

static void go_on(void) {
  eventfd_t ignored;
  eventfd_read(stop_fd, &ignored);
}

/* Nothing to wait for: not one look. */
static void test_refused_at_once(void) {
  for (int mode = WR_RPC_PROXY; mode <= WR_RPC_PERSISTENT; mode++) {
    start((enum wr_rpc_mode)mode, "127.0.0.1");
    nobody_listens();
    call(1);
    CU_ASSERT_EQUAL(calls[0].outcome, WR_RPC_REFUSED);
    CU_ASSERT_EQUAL(polls, 0);
    end();
  }
}

/* Nobody answers: one wait, as long as the call may take. */
static void test_one_wait(void) {
  for (int mode = WR_RPC_PROXY; mode <= WR_RPC_PERSISTENT; mode++) {
    start((enum wr_rpc_mode)mode, "127.0.0.1");
    call(1);
    CU_ASSERT_EQUAL(calls[0].outcome, WR_RPC_TIMEOUT);
    CU_ASSERT_EQUAL(calls[0].took_us, 3 * S / 2);
    CU_ASSERT_EQUAL(polls, 1);
    CU_ASSERT_EQUAL(waited_ms[0], 1500);
    CU_ASSERT_EQUAL(waited_for, 3);
    end();
  }
}

/* Stopped: the rest of the batch is not even begun. */
static void test_stop(void) {
  for (int mode = WR_RPC_PROXY; mode <= WR_RPC_PERSISTENT; mode++) {
    start((enum wr_rpc_mode)mode, "127.0.0.1");
    event = stop;
    call(3);
    CU_ASSERT_EQUAL(polls, 1);
    CU_ASSERT_EQUAL(now_us, S);
    for (int i = 0; i < 3; i++) {
      CU_ASSERT_EQUAL(calls[i].outcome, WR_RPC_CANCELLED);
      CU_ASSERT_EQUAL(calls[i].error, 0);
      CU_ASSERT_EQUAL(calls[i].stale, 0);
      CU_ASSERT_EQUAL(calls[i].took_us, 0);
      CU_ASSERT_FALSE(calls[i].unlocked);
      CU_ASSERT_EQUAL(calls[i].result.kind, WR_RPC_NIL);
    }
    CU_ASSERT_EQUAL(calls[1].sent_us, mode == WR_RPC_PROXY ? 0 : S);
    CU_ASSERT_EQUAL(calls[2].sent_us, mode == WR_RPC_PROXY ? 0 : S);
    is_untouched(calls + 3);
    end();
  }
}

/* The lock of another is tried every 3 ms, as long as a call may take; after a
 * stop in the middle the next call waits as long again. */
static void test_lock_of_another(void) {
  struct wr_rpc_lock other = {.fd = -1};
  int error = -1;
  start(WR_RPC_PROXY, "127.0.0.1");
  nobody_listens();
  CU_ASSERT_STRING_EQUAL(wr_rpc_client_lock(c, &error), "");
  CU_ASSERT_EQUAL(error, 0);
  CU_ASSERT_EQUAL(wr_rpc_lock_try(&other, key, directory), 0);
  event = stop;
  call(1);
  CU_ASSERT_EQUAL(calls[0].outcome, WR_RPC_CANCELLED);
  CU_ASSERT_EQUAL(polls, 1);
  go_on();
  for (int i = 0; i < 2; i++) {
    now_us += S;
    int64_t start_us = now_us;
    call(1);
    CU_ASSERT_EQUAL(calls[0].outcome, WR_RPC_REFUSED);
    CU_ASSERT(calls[0].unlocked);
    CU_ASSERT_EQUAL(polls, 500);
    CU_ASSERT_EQUAL(waited_ms[0], 3);
    CU_ASSERT_EQUAL(waited_ms[63], 3);
    CU_ASSERT_EQUAL(now_us - start_us, 3 * S / 2);
    CU_ASSERT_STRING_EQUAL(wr_rpc_client_lock(c, &error), other.path);
    CU_ASSERT_EQUAL(error, 0);
  }
  wr_rpc_lock_give(&other);
  call(1);
  CU_ASSERT_EQUAL(polls, 0);
  CU_ASSERT_FALSE(calls[0].unlocked);
  CU_ASSERT_EQUAL(wr_rpc_lock_try(&other, key, directory), 0); /* given back */
  unlink(other.path);
  wr_rpc_lock_close(&other);
  end();
}

/* A name that is not found any more: what was known serves, under its lock. */
static void test_name_is_lost(void) {
  static const struct {
    bool known, resolves;
    int polls;
  } steps[] = {{true, false, 1},  /* looked up by the call */
               {true, true, 1},   /* and again, after it was refused */
               {false, false, 0}, /* the call takes what was found */
               {false, true, 1},
               {false, false, 1}}; /* in vain */
  int error = -1;
  char path[256], name[64];
  start(WR_RPC_PROXY, "name.example");
  nobody_listens();
  snprintf(name, sizeof(name), "%s", key);
  name[strlen("local")] = '_';
  snprintf(path, sizeof(path), "%s/weir-m4-%s.lock", directory, name);
  patient = true;
  for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
    known = steps[i].known;
    polls = 0;
    if (steps[i].resolves) {
      CU_ASSERT_EQUAL(wr_rpc_client_resolve(c),
                      known ? WR_RPC_OK : WR_RPC_UNRESOLVED);
      CU_ASSERT_EQUAL(waited_for, 2);
    } else {
      call(1);
      CU_ASSERT_EQUAL(calls[0].outcome, WR_RPC_REFUSED);
      CU_ASSERT_FALSE(calls[0].unlocked);
    }
    CU_ASSERT_EQUAL(polls, steps[i].polls);
    CU_ASSERT(polls == 0 || waited_ms[0] == 1500);
    CU_ASSERT_STRING_EQUAL(wr_rpc_client_lock(c, &error), path);
    CU_ASSERT_EQUAL(unlink(path), steps[i].resolves ? -1 : 0);
  }
  end();
}

/* Never found: said without a connection, and without an address. */
static void test_name_is_unknown(void) {
  start(WR_RPC_PERSISTENT, "name.example");
  known = false;
  patient = true;
  for (int i = 0; i < 2; i++) {
    call(1);
    CU_ASSERT_EQUAL(calls[0].outcome, WR_RPC_UNRESOLVED);
    CU_ASSERT_EQUAL(polls, 1);
  }
  end();
}

/* A name server that hangs: one thread hangs with it, however often it is
 * asked. */
static void test_name_server_hangs(void) {
  start(WR_RPC_PERSISTENT, "slow.example");
  threads = polls = 0;
  event = slow_begins;
  for (int i = 0; i < 2; i++) {
    CU_ASSERT_EQUAL(wr_rpc_client_resolve(c), WR_RPC_UNRESOLVED);
    CU_ASSERT_EQUAL(waited_ms[i], 1500);
  }
  call(1);
  CU_ASSERT_EQUAL(calls[0].outcome, WR_RPC_UNRESOLVED);
  CU_ASSERT_EQUAL(calls[0].took_us, 3 * S / 2);
  polls = 0;
  event = stop;
  CU_ASSERT_EQUAL(wr_rpc_client_resolve(c), WR_RPC_CANCELLED);
  CU_ASSERT_EQUAL(polls, 1);
  CU_ASSERT_EQUAL(threads, 1);
  end();
  sem_post(&slow_may_end);
  sem_wait(&slow_ended);
}

/* What was given up is not waited for: the name is looked up anew. */
static void test_look_up_given_up(void) {
  start(WR_RPC_PERSISTENT, "slow.example");
  for (int i = 0; i < 4; i++) {
    event = slow_begins;
    if (i % 2 == 0)
      CU_ASSERT_EQUAL(wr_rpc_client_resolve(c), WR_RPC_UNRESOLVED);
    if (i % 2 != 0)
      call(1);
    sem_post(&slow_may_end);
    sem_wait(&slow_ended);
  }
  end();
}

/* A notification and the emptying of a channel are one call each. */
static void test_one_call(void) {
  for (int drains = 0; drains < 2; drains++) {
    start(WR_RPC_PROXY, "127.0.0.1");
    memset(calls, 0, sizeof(calls));
    calls[0].method = "m";
    polls = 0;
    if (drains)
      wr_rpc_drain(c, calls);
    else
      wr_rpc_notify(c, calls);
    CU_ASSERT_EQUAL(calls[0].outcome, drains ? WR_RPC_OK : WR_RPC_TIMEOUT);
    CU_ASSERT_EQUAL(calls[0].took_us, 3 * S / 2);
    CU_ASSERT_EQUAL(polls, 1);
    is_untouched(calls + 1);
    end();
  }
}

/* Nothing is left open, neither the connection nor the lock. */
static void test_free(void) {
  int files = unit_open_files();
  for (int mode = WR_RPC_PROXY; mode <= WR_RPC_PERSISTENT; mode++) {
    start((enum wr_rpc_mode)mode, "127.0.0.1");
    struct wr_rpc_call notice = {.method = "m"};
    wr_rpc_notify(c, &notice);
    CU_ASSERT_EQUAL(notice.outcome,
                    mode == WR_RPC_PROXY ? WR_RPC_TIMEOUT : WR_RPC_OK);
    int error = -1;
    const char *path = wr_rpc_client_lock(c, &error);
    CU_ASSERT_EQUAL(path == NULL, mode == WR_RPC_PERSISTENT);
    if (path != NULL)
      unlink(path);
    CU_ASSERT_EQUAL(error, 0);
    wr_rpc_call(c, NULL, 0); /* nothing to do */
    end();
    CU_ASSERT_EQUAL(unit_open_files(), files);
  }
  wr_rpc_client_free(NULL);
}

static void test_directory(void) {
  CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(directory));
  sem_init(&slow_began, 0, 0);
  sem_init(&slow_may_end, 0, 0);
  sem_init(&slow_ended, 0, 0);
}

static void test_nothing_left(void) {
  char command[64];
  snprintf(command, sizeof(command), "rm -r %s", directory);
  CU_ASSERT_EQUAL(system(command), 0);
}

UNIT_MAIN("client, its waits", UNIT(test_directory), UNIT(test_refused_at_once),
          UNIT(test_one_wait), UNIT(test_stop), UNIT(test_lock_of_another),
          UNIT(test_name_is_lost), UNIT(test_name_is_unknown),
          UNIT(test_name_server_hangs), UNIT(test_look_up_given_up),
          UNIT(test_one_call), UNIT(test_free), UNIT(test_nothing_left))
