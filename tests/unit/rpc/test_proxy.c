#include "tests/unit/unit.h"

#include "lib/rpc/lock.h"
#include "tests/unit/rpc/rpc_peer.h"

#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>

#define COUNT(steps) (sizeof(steps) / sizeof((steps)[0]))
#define BYTE(value) .body = "\xc0" value, .len = 2

static char directory[] = "/tmp/weir-test.XXXXXX";

static double number(const struct wr_rpc_call *c) {
  double n = -1;
  return wr_rpc_number(&c->result, &n) == 0 ? n : -1;
}

static struct wr_rpc_client *client_of(const struct peer *p) {
  struct wr_rpc_options o = peer_options(p, WR_RPC_PROXY);
  o.lock_directory = directory;
  return wr_rpc_client_new(&o);
}

static bool is_drain(const struct peer *p, int request) {
  return p->requests[request].bytes[0] == 0x95;
}

/* Old replies sit in the channel; ours comes behind them and is found. */
static void test_own_reply_behind_stale_ones(void) {
  const struct peer_step steps[] = {
      {.what = PEER_STALE, .close = true, .remember = true, BYTE("\x07")},
      {.what = PEER_STALE, .close = true, BYTE("\x08")},
      {.what = PEER_EARLIER, .close = true, BYTE("\x09")}};
  struct peer *p = peer_start(steps, COUNT(steps));
  struct wr_rpc_client *c = client_of(p);
  struct wr_rpc_call call = {.method = "flow_rate"};
  wr_rpc_call(c, &call, 1);
  CU_ASSERT_EQUAL(call.outcome, WR_RPC_OK);
  CU_ASSERT_EQUAL(number(&call), 9);
  CU_ASSERT_EQUAL(call.stale, 2);
  CU_ASSERT_EQUAL(p->served, 3);
  CU_ASSERT(!is_drain(p, 0) && is_drain(p, 1) && is_drain(p, 2));
  wr_rpc_client_free(c);
  peer_stop(p);
}

/* Ours never comes: the channel is emptied and no value is made of it. */
static void test_only_stale_replies(void) {
  const struct peer_step steps[] = {
      {.what = PEER_STALE, .close = true},
      {.what = PEER_STALE, .close = true},
      {.what = PEER_KEEP, .close = true, .later_us = 1000500},
      {.what = PEER_REPLY, .close = true, BYTE("\x09")}};
  struct peer *p = peer_start(steps, COUNT(steps));
  struct wr_rpc_client *c = client_of(p);
  struct wr_rpc_call call = {.method = "flow_rate"};
  wr_rpc_call(c, &call, 1);
  CU_ASSERT_EQUAL(call.outcome, WR_RPC_STALE);
  CU_ASSERT_EQUAL(call.result.kind, WR_RPC_NIL);
  CU_ASSERT_EQUAL(call.stale, 2);
  CU_ASSERT_EQUAL(p->served, 3);
  wr_rpc_call(c, &call, 1); /* and the next one is clean */
  CU_ASSERT_EQUAL(call.outcome, WR_RPC_OK);
  CU_ASSERT_EQUAL(number(&call), 9);
  CU_ASSERT_EQUAL(call.stale, 0);
  wr_rpc_client_free(c);
  peer_stop(p);
}

/* A proxy that dies while it is drained was not crashed by the method. */
static void test_crash_in_drain(void) {
  const struct peer_step steps[] = {
      {.what = PEER_STALE, .close = true},
      {.what = PEER_KEEP, .close = true, .later_us = -200000}};
  struct peer *p = peer_start(steps, COUNT(steps));
  struct wr_rpc_client *c = client_of(p);
  struct wr_rpc_call call = {.method = "flow_rate"};
  wr_rpc_call(c, &call, 1);
  CU_ASSERT_EQUAL(call.outcome, WR_RPC_CLOSED);
  CU_ASSERT_EQUAL(call.stale, 1);
  wr_rpc_client_free(c);
  peer_stop(p);
}

/* A peer that always has one more reply ends the call all the same. */
static void test_endless_stale_replies(void) {
  struct peer_step steps[200];
  for (size_t i = 0; i < COUNT(steps); i++)
    steps[i] = (struct peer_step){.what = PEER_STALE, .close = true};
  struct peer *p = peer_start(steps, COUNT(steps));
  struct wr_rpc_client *c = client_of(p);
  struct wr_rpc_call call = {.method = "flow_rate"};
  wr_rpc_call(c, &call, 1);
  CU_ASSERT_EQUAL(call.outcome, WR_RPC_STALE);
  CU_ASSERT_EQUAL(call.stale, 65);
  wr_rpc_client_free(c);
  peer_stop(p);
}

static void test_drain(void) {
  const struct peer_step steps[] = {
      {.what = PEER_STALE, .close = true},
      {.what = PEER_STALE, .close = true},
      {.what = PEER_KEEP, .close = true, .later_us = 1000500}};
  struct peer *p = peer_start(steps, COUNT(steps));
  struct wr_rpc_client *c = client_of(p);
  struct wr_rpc_call call = {.outcome = WR_RPC_BUSY};
  wr_rpc_drain(c, &call);
  CU_ASSERT_EQUAL(call.outcome, WR_RPC_OK);
  CU_ASSERT_EQUAL(call.stale, 2);
  CU_ASSERT(is_drain(p, 0) && is_drain(p, 1) && is_drain(p, 2));
  wr_rpc_client_free(c);
  peer_stop(p);
}

static void test_notify(void) {
  const struct peer_step steps[] = {{.what = PEER_KEEP, .close = true},
                                    {.what = PEER_STALE, .close = true}};
  struct peer *p = peer_start(steps, COUNT(steps));
  struct wr_rpc_client *c = client_of(p);
  struct wr_rpc_arg arg = {.kind = WR_ARG_TEXT, .text = "{}"};
  struct wr_rpc_call call = {.method = "m", .args = &arg, .args_count = 1};
  wr_rpc_notify(c, &call);
  CU_ASSERT_EQUAL(call.outcome, WR_RPC_OK);
  CU_ASSERT_EQUAL(p->requests[0].len, 8);
  CU_ASSERT_EQUAL(memcmp(p->requests[0].bytes, "\x93\x02\xa1m\x91\xa2{}", 8),
                  0);
  wr_rpc_notify(c, &call); /* nothing may come back */
  CU_ASSERT_EQUAL(call.outcome, WR_RPC_PROTOCOL);
  wr_rpc_client_free(c);
  peer_stop(p);
}

/* No msgid twice, and never the same start for two clients. */
static void test_msgids(void) {
  struct peer_step steps[PEER_REQUESTS];
  for (size_t i = 0; i < COUNT(steps); i++)
    steps[i] = (struct peer_step){.what = PEER_REPLY, .close = true};
  struct peer *p = peer_start(steps, COUNT(steps));
  struct wr_rpc_client *c = client_of(p);
  uint32_t seen[PEER_REQUESTS];
  for (size_t i = 0; i < COUNT(steps); i++) {
    struct wr_rpc_call call = {.method = "flow_rate"};
    wr_rpc_call(c, &call, 1);
    CU_ASSERT_EQUAL(call.outcome, WR_RPC_OK);
    seen[i] = peer_msgid(p->requests[i].bytes, p->requests[i].len);
    CU_ASSERT_EQUAL(seen[i], call.msgid);
    for (size_t j = 0; j < i; j++)
      CU_ASSERT_NOT_EQUAL(seen[i], seen[j]);
  }
  wr_rpc_client_free(c);
  peer_stop(p);
}

/* Nobody holds the callers off for ever: they go on and say so. */
static void test_lock_held_by_another(void) {
  const struct peer_step steps[] = {{.what = PEER_REPLY, .close = true},
                                    {.what = PEER_REPLY, .close = true}};
  struct peer *p = peer_start(steps, COUNT(steps));
  struct wr_rpc_options o = peer_options(p, WR_RPC_PROXY);
  o.lock_directory = directory;
  o.timeout_ms = 50;
  struct wr_rpc_client *c = wr_rpc_client_new(&o);
  struct wr_rpc_lock other = {.fd = -1};
  char key[64];
  snprintf(key, sizeof(key), "local:%u", p->port);
  CU_ASSERT_EQUAL(wr_rpc_lock_try(&other, key, directory), 0);
  struct wr_rpc_call call = {.method = "flow_rate"};
  wr_rpc_call(c, &call, 1);
  CU_ASSERT_EQUAL(call.outcome, WR_RPC_OK);
  CU_ASSERT(call.unlocked);
  int error = -1;
  CU_ASSERT_STRING_EQUAL(wr_rpc_client_lock(c, &error), other.path);
  CU_ASSERT_EQUAL(error, 0);
  wr_rpc_lock_close(&other);
  wr_rpc_call(c, &call, 1);
  CU_ASSERT_EQUAL(call.outcome, WR_RPC_OK);
  CU_ASSERT_FALSE(call.unlocked);
  CU_ASSERT_EQUAL(wr_rpc_lock_try(&other, key, directory), 0); /* given back */
  eventfd_write(p->stop_fd, 1);
  wr_rpc_call(c, &call, 1);
  CU_ASSERT_EQUAL(call.outcome, WR_RPC_CANCELLED);
  wr_rpc_lock_close(&other);
  wr_rpc_client_free(c);
  peer_stop(p);
}

/* Without a file calls are made all the same. */
static void test_no_lock_file(void) {
  const struct peer_step steps[] = {{.what = PEER_REPLY, .close = true}};
  struct peer *p = peer_start(steps, COUNT(steps));
  struct wr_rpc_options o = peer_options(p, WR_RPC_PROXY);
  o.lock_directory = "/nonexistent";
  struct wr_rpc_client *c = wr_rpc_client_new(&o);
  struct wr_rpc_call call = {.method = "flow_rate"};
  wr_rpc_call(c, &call, 1);
  CU_ASSERT_EQUAL(call.outcome, WR_RPC_OK);
  CU_ASSERT_FALSE(call.unlocked);
  int error = 0;
  wr_rpc_client_lock(c, &error);
  CU_ASSERT_EQUAL(error, -ENOENT);
  wr_rpc_client_free(c);
  peer_stop(p);
}

/* A planted link must not be followed. */
static void test_lock_is_no_link(void) {
  struct wr_rpc_lock l = {.fd = -1};
  char link[300], target[300];
  snprintf(link, sizeof(link), "%s/weir-m4-a_2.lock", directory);
  snprintf(target, sizeof(target), "%s/elsewhere", directory);
  CU_ASSERT_EQUAL(symlink(target, link), 0);
  CU_ASSERT_EQUAL(wr_rpc_lock_try(&l, "a:2", directory), -ELOOP);
  struct stat st;
  CU_ASSERT_NOT_EQUAL(stat(target, &st), 0);
  wr_rpc_lock_close(&l);
}

/* Two clients of one proxy, each in a thread, and never two at once. */
static void *call_often(void *arg) {
  for (int i = 0; i < 20; i++) {
    struct wr_rpc_call call = {.method = "flow_rate"};
    wr_rpc_call(arg, &call, 1);
    if (call.outcome != WR_RPC_OK || call.stale != 0)
      return arg;
  }
  return NULL;
}

static void test_two_clients(void) {
  struct peer_step steps[40];
  for (size_t i = 0; i < COUNT(steps); i++)
    steps[i] = (struct peer_step){.what = PEER_REPLY, .close = true};
  struct peer *p = peer_start(steps, COUNT(steps));
  struct wr_rpc_client *a = client_of(p), *b = client_of(p);
  pthread_t thread;
  void *bad = NULL;
  CU_ASSERT_EQUAL(pthread_create(&thread, NULL, call_often, a), 0);
  CU_ASSERT_PTR_NULL(call_often(b));
  pthread_join(thread, &bad);
  CU_ASSERT_PTR_NULL(bad);
  CU_ASSERT_EQUAL(p->crowded, 0);
  wr_rpc_client_free(a);
  wr_rpc_client_free(b);
  peer_stop(p);
}

int main(void) {
  const struct unit_case cases[] = {UNIT(test_own_reply_behind_stale_ones),
                                    UNIT(test_only_stale_replies),
                                    UNIT(test_crash_in_drain),
                                    UNIT(test_endless_stale_replies),
                                    UNIT(test_drain),
                                    UNIT(test_notify),
                                    UNIT(test_msgids),
                                    UNIT(test_lock_held_by_another),
                                    UNIT(test_no_lock_file),
                                    UNIT(test_lock_is_no_link),
                                    UNIT(test_two_clients)};
  if (mkdtemp(directory) == NULL)
    return 1;
  int bad = unit_main("rpc_proxy", cases, COUNT(cases));
  char command[64];
  snprintf(command, sizeof(command), "rm -r %s", directory);
  return system(command) != 0 || bad;
}
