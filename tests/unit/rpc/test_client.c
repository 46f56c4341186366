#define _GNU_SOURCE /* RTLD_NEXT */
#include "tests/unit/unit.h"

#include "lib/rpc/lock.h"
#include "tests/unit/rpc/rpc_peer.h"

#include <dlfcn.h>
#include <netdb.h>
#include <semaphore.h>
#include <stdio.h>

/* In front of the C library's: "two.example" has two addresses, and nobody
 * listens at the first; "slow.example" is looked up until the test allows it to
 * end, and may raise a stop_fd at its beginning. */
static int slow_stops = -1;
static sem_t slow_may_end, slow_ended;

int getaddrinfo(const char *host, const char *port,
                const struct addrinfo *hints, struct addrinfo **out) {
  static int (*real)(const char *, const char *, const struct addrinfo *,
                     struct addrinfo **);
  if (real == NULL)
    *(void **)&real = dlsym(RTLD_NEXT, "getaddrinfo");
  if (strcmp(host, "slow.example") == 0 &&
      (hints->ai_flags & AI_NUMERICHOST) == 0) {
    if (slow_stops >= 0)
      eventfd_write(slow_stops, 1);
    sem_wait(&slow_may_end);
    sem_post(&slow_ended);
    return EAI_AGAIN;
  }
  if (strcmp(host, "two.example") != 0 || hints->ai_flags & AI_NUMERICHOST)
    return real(host, port, hints, out);
  struct addrinfo *second = NULL;
  int status = real("127.0.0.2", port, hints, out);
  if (status == 0)
    status = real("127.0.0.1", port, hints, &second);
  if (status == 0)
    (*out)->ai_next = second; /* glibc frees such a list one by one */
  return status;
}

#define COUNT(steps) (sizeof(steps) / sizeof((steps)[0]))

/* One call in front of a script; what it ended with stays in `call`. */
static struct wr_rpc_call call;

static enum wr_rpc_outcome
call_once(enum wr_rpc_mode mode, const struct peer_step *steps, size_t count) {
  struct peer *p = peer_start(steps, count);
  struct wr_rpc_options o = peer_options(p, mode);
  struct wr_rpc_client *c = wr_rpc_client_new(&o);
  call = (struct wr_rpc_call){.method = "flow_rate"};
  wr_rpc_call(c, &call, 1);
  wr_rpc_client_free(c);
  peer_stop(p);
  return call.outcome;
}

static bool says(const char *words) {
  char text[256];
  wr_rpc_explain(&call, text, sizeof(text));
  bool found = strstr(text, words) != NULL;
  if (!found)
    printf("  \"%s\" does not say \"%s\"\n", text, words);
  return found;
}

static double number(const struct wr_rpc_call *c) {
  double n = -1;
  return wr_rpc_number(&c->result, &n) == 0 ? n : -1;
}

static void test_reply(void) {
  const struct peer_step steps[] = {{.what = PEER_REPLY, .close = true}};
  CU_ASSERT_EQUAL(call_once(WR_RPC_PROXY, steps, 1), WR_RPC_OK);
  CU_ASSERT_EQUAL(number(&call), 12.5);
  CU_ASSERT_EQUAL(call.stale, 0);
  CU_ASSERT(call.sent_us > 0);
  CU_ASSERT_EQUAL(call_once(WR_RPC_PERSISTENT, steps, 1), WR_RPC_OK);
  CU_ASSERT_EQUAL(number(&call), 12.5);
}

static void test_split_reply(void) {
  const struct peer_step steps[] = {
      {.what = PEER_REPLY, .close = true, .split = true}};
  CU_ASSERT_EQUAL(call_once(WR_RPC_PROXY, steps, 1), WR_RPC_OK);
  CU_ASSERT_EQUAL(number(&call), 12.5);
  CU_ASSERT_EQUAL(call_once(WR_RPC_PERSISTENT, steps, 1), WR_RPC_OK);
  CU_ASSERT_EQUAL(number(&call), 12.5);
}

static void test_remote_errors(void) {
  static const struct {
    const char *body;
    size_t len;
    const char *words;
  } cases[] = {
      {"\xa3"
       "bad\xc0",
       5, ": bad"},
      {"\x92\x07\xa4"
       "none\xc0",
       8, ": 7 none"},
      {"\x81\xa1m\xa4"
       "oops\xc0",
       9, ": oops"},
      {"\x07\xc0", 2, ": 7"},
  };
  for (size_t i = 0; i < COUNT(cases); i++) {
    const struct peer_step s = {.what = PEER_REPLY,
                                .body = cases[i].body,
                                .len = cases[i].len,
                                .close = true};
    CU_ASSERT_EQUAL(call_once(WR_RPC_PROXY, &s, 1), WR_RPC_REMOTE);
    CU_ASSERT(says(cases[i].words));
    CU_ASSERT_EQUAL(call_once(WR_RPC_PERSISTENT, &s, 1), WR_RPC_REMOTE);
    CU_ASSERT(says(cases[i].words));
  }
}

/* An arduino-router that knows nobody for the method is not the M4. */
static void test_unrouted(void) {
  const struct peer_step s = {.what = PEER_REPLY,
                              .body = "\x92\x02\xa4"
                                      "none\xc0",
                              .len = 8,
                              .close = true};
  CU_ASSERT_EQUAL(call_once(WR_RPC_PERSISTENT, &s, 1), WR_RPC_UNROUTED);
  CU_ASSERT(says("the router answers but knows nobody"));
  CU_ASSERT(says(": 2 none"));
  CU_ASSERT_EQUAL(call_once(WR_RPC_PROXY, &s, 1), WR_RPC_REMOTE);
}

static void test_silent(void) {
  const struct peer_step steps[] = {
      {.what = PEER_KEEP, .close = true, .later_us = 1000500}};
  CU_ASSERT_EQUAL(call_once(WR_RPC_PROXY, steps, 1), WR_RPC_SILENT);
  CU_ASSERT(says("M4 is silent"));
}

static void test_crashed(void) {
  const struct peer_step steps[] = {
      {.what = PEER_KEEP, .close = true, .later_us = -200000}};
  CU_ASSERT_EQUAL(call_once(WR_RPC_PROXY, steps, 1), WR_RPC_CRASHED);
  CU_ASSERT(says("crashed"));
}

static void test_closed(void) {
  const struct peer_step steps[] = {
      {.what = PEER_KEEP, .close = true, .later_us = 400000}};
  CU_ASSERT_EQUAL(call_once(WR_RPC_PROXY, steps, 1), WR_RPC_CLOSED);
  CU_ASSERT_EQUAL(call_once(WR_RPC_PERSISTENT, steps, 1), WR_RPC_CLOSED);
}

static void test_garbage(void) {
  static const struct {
    const char *bytes;
    size_t len;
  } cases[] = {{"HTTP/1.1 400 Bad Request\r\n\r\n", 28},
               {"\xc1", 1},
               {"\x94\x01\x07\xc0", 4}, /* ends in the middle */
               {"\xdd\xff\xff\xff\xff", 5},
               {"\x07", 1},
               {"\x94\x00\x07\xc0\xc0", 5}};
  for (size_t i = 0; i < COUNT(cases); i++) {
    const struct peer_step s = {.what = PEER_RAW,
                                .body = cases[i].bytes,
                                .len = cases[i].len,
                                .close = true};
    CU_ASSERT_EQUAL(call_once(WR_RPC_PROXY, &s, 1), WR_RPC_PROTOCOL);
  }
  const struct peer_step bad = {
      .what = PEER_RAW, .body = "\xc1", .len = 1, .close = true};
  CU_ASSERT_EQUAL(call_once(WR_RPC_PERSISTENT, &bad, 1), WR_RPC_PROTOCOL);
}

/* The clock passes the deadline while the peer says nothing. */
static void test_timeout(void) {
  const struct peer_step s = {.what = PEER_KEEP, .later_us = 30000000};
  struct peer *p = peer_start(&s, 1);
  for (int mode = WR_RPC_PROXY; mode <= WR_RPC_PERSISTENT; mode++) {
    struct wr_rpc_options o = peer_options(p, (enum wr_rpc_mode)mode);
    o.timeout_ms = 100;
    struct wr_rpc_client *c = wr_rpc_client_new(&o);
    call = (struct wr_rpc_call){.method = "flow_rate"};
    wr_rpc_call(c, &call, 1);
    CU_ASSERT_EQUAL(call.outcome, WR_RPC_TIMEOUT);
    wr_rpc_client_free(c);
  }
  peer_stop(p);
}

static void test_stop_ends_a_call(void) {
  const struct peer_step s = {.what = PEER_STOP};
  CU_ASSERT_EQUAL(call_once(WR_RPC_PROXY, &s, 1), WR_RPC_CANCELLED);
  CU_ASSERT_EQUAL(call_once(WR_RPC_PERSISTENT, &s, 1), WR_RPC_CANCELLED);
}

static void test_refused(void) {
  struct peer *p = peer_start(NULL, 0);
  struct wr_rpc_options o = peer_options(p, WR_RPC_PROXY);
  close(p->listen_fd);
  p->listen_fd = -1;
  struct wr_rpc_client *c = wr_rpc_client_new(&o);
  call = (struct wr_rpc_call){.method = "flow_rate"};
  wr_rpc_call(c, &call, 1);
  CU_ASSERT_EQUAL(call.outcome, WR_RPC_REFUSED);
  CU_ASSERT_EQUAL(call.sent_us, 0);
  wr_rpc_notify(c, &call);
  CU_ASSERT_EQUAL(call.outcome, WR_RPC_REFUSED);
  wr_rpc_client_free(c);
  peer_stop(p);
}

/* What a call held before does not show through a failure. */
static void test_reused_calls(void) {
  struct peer *p = peer_start(NULL, 0);
  close(p->listen_fd);
  p->listen_fd = -1;
  for (int mode = WR_RPC_PROXY; mode <= WR_RPC_PERSISTENT; mode++) {
    struct wr_rpc_options o = peer_options(p, (enum wr_rpc_mode)mode);
    struct wr_rpc_client *c = wr_rpc_client_new(&o);
    struct wr_rpc_call calls[2];
    memset(calls, 0x55, sizeof(calls));
    for (int i = 0; i < 2; i++) {
      calls[i].method = "flow_rate";
      calls[i].args_count = 0;
    }
    wr_rpc_call(c, calls, 2);
    for (int i = 0; i < 2; i++) {
      CU_ASSERT_EQUAL(calls[i].outcome, WR_RPC_REFUSED);
      CU_ASSERT_EQUAL(calls[i].stale, 0);
      CU_ASSERT_EQUAL(calls[i].sent_us, 0);
      CU_ASSERT_EQUAL(calls[i].result.kind, WR_RPC_NIL);
    }
    wr_rpc_client_free(c);
  }
  peer_stop(p);
}

static void test_no_unix_socket(void) {
  struct peer *p = peer_start(NULL, 0);
  struct wr_rpc_options o = peer_options(p, WR_RPC_PERSISTENT);
  const char *why = NULL;
  CU_ASSERT_EQUAL(
      wr_rpc_address_parse("unix:/nonexistent/router.sock", &o.address, &why),
      0);
  struct wr_rpc_client *c = wr_rpc_client_new(&o);
  call = (struct wr_rpc_call){.method = "flow_rate"};
  wr_rpc_call(c, &call, 1);
  CU_ASSERT_EQUAL(call.outcome, WR_RPC_REFUSED);
  wr_rpc_client_free(c);
  peer_stop(p);
}

static void test_unresolved(void) {
  struct peer *p = peer_start(NULL, 0);
  struct wr_rpc_options o = peer_options(p, WR_RPC_PROXY);
  strcpy(o.address.host, "no-such-host.invalid");
  struct wr_rpc_client *c = wr_rpc_client_new(&o);
  call = (struct wr_rpc_call){.method = "flow_rate"};
  wr_rpc_call(c, &call, 1);
  CU_ASSERT_EQUAL(call.outcome, WR_RPC_UNRESOLVED);
  CU_ASSERT_EQUAL(wr_rpc_client_resolve(c), WR_RPC_UNRESOLVED);
  wr_rpc_client_free(c);
  peer_stop(p);
}

static void test_unsendable(void) {
  char text[251];
  memset(text, 'a', sizeof(text));
  text[250] = '\0';
  struct wr_rpc_arg arg = {.kind = WR_ARG_TEXT, .text = text};
  struct peer *p = peer_start(NULL, 0);
  for (int mode = WR_RPC_PROXY; mode <= WR_RPC_PERSISTENT; mode++) {
    struct wr_rpc_options o = peer_options(p, (enum wr_rpc_mode)mode);
    struct wr_rpc_client *c = wr_rpc_client_new(&o);
    call = (struct wr_rpc_call){
        .method = "classification", .args = &arg, .args_count = 1};
    wr_rpc_notify(c, &call);
    CU_ASSERT_EQUAL(call.outcome, WR_RPC_UNSENDABLE);
    wr_rpc_client_free(c);
  }
  CU_ASSERT_EQUAL(p->served, 0);
  peer_stop(p);
}

/* The second address is tried when nobody listens at the first. */
static void test_second_address(void) {
  for (int mode = WR_RPC_PROXY; mode <= WR_RPC_PERSISTENT; mode++) {
    const struct peer_step steps[] = {{.what = PEER_REPLY, .close = true}};
    struct peer *p = peer_start(steps, 1);
    struct wr_rpc_options o = peer_options(p, (enum wr_rpc_mode)mode);
    strcpy(o.address.host, "two.example");
    struct wr_rpc_client *c = wr_rpc_client_new(&o);
    call = (struct wr_rpc_call){.method = "flow_rate"};
    wr_rpc_call(c, &call, 1);
    CU_ASSERT_EQUAL(call.outcome, WR_RPC_OK);
    wr_rpc_client_free(c);
    peer_stop(p);
  }
}

/* A name server that does not answer: the look-up ends with its time, and at
 * once when somebody wants to stop. */
static void test_slow_name(void) {
  struct peer *p = peer_start(NULL, 0);
  struct wr_rpc_options o = peer_options(p, WR_RPC_PERSISTENT);
  strcpy(o.address.host, "slow.example");
  struct wr_rpc_client *c = wr_rpc_client_new(&o);
  slow_stops = p->stop_fd;
  CU_ASSERT_EQUAL(wr_rpc_client_resolve(c), WR_RPC_CANCELLED);
  wr_rpc_client_free(c);
  sem_post(&slow_may_end);
  sem_wait(&slow_ended);
  slow_stops = -1;
  eventfd_t ignored;
  eventfd_read(p->stop_fd, &ignored);
  o.timeout_ms = 20;
  c = wr_rpc_client_new(&o);
  CU_ASSERT_EQUAL(wr_rpc_client_resolve(c), WR_RPC_UNRESOLVED);
  wr_rpc_client_free(c);
  sem_post(&slow_may_end); /* who may not even have begun */
  peer_stop(p);
}

/* The clock of a client that waits for a lock: a millisecond each look. */
static int64_t looks_us;

static int64_t looking_clock(void) { return looks_us += 1000; }

/* As long as a call may take, and no longer. */
static void test_patience_with_a_lock(void) {
  static char directory[] = "/tmp/weir-client.XXXXXX";
  struct peer *p = peer_start(NULL, 0);
  struct wr_rpc_options o = peer_options(p, WR_RPC_PROXY);
  struct wr_rpc_lock other = {.fd = -1};
  char key[64];
  CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(directory));
  close(p->listen_fd);
  p->listen_fd = -1;
  o.lock_directory = directory;
  o.timeout_ms = 100;
  o.env.clock_us = looking_clock;
  snprintf(key, sizeof(key), "local:%u", p->port);
  CU_ASSERT_EQUAL(wr_rpc_lock_try(&other, key, directory), 0);
  struct wr_rpc_client *c = wr_rpc_client_new(&o);
  for (int i = 0; i < 2; i++) {
    int64_t start_us = looks_us;
    call = (struct wr_rpc_call){.method = "flow_rate"};
    wr_rpc_call(c, &call, 1);
    CU_ASSERT_EQUAL(call.outcome, WR_RPC_REFUSED);
    CU_ASSERT(call.unlocked);
    CU_ASSERT(looks_us - start_us >= 100000);
    CU_ASSERT(looks_us - start_us < 120000);
  }
  wr_rpc_client_free(c);
  unlink(other.path);
  wr_rpc_lock_close(&other);
  rmdir(directory);
  peer_stop(p);
}

UNIT_MAIN("client", UNIT(test_slow_name), UNIT(test_patience_with_a_lock),
          UNIT(test_reply), UNIT(test_split_reply), UNIT(test_remote_errors),
          UNIT(test_unrouted), UNIT(test_silent), UNIT(test_crashed),
          UNIT(test_closed), UNIT(test_garbage), UNIT(test_timeout),
          UNIT(test_stop_ends_a_call), UNIT(test_refused),
          UNIT(test_reused_calls), UNIT(test_no_unix_socket),
          UNIT(test_unresolved), UNIT(test_unsendable),
          UNIT(test_second_address))
