#define _GNU_SOURCE /* ppoll() */
#include "lib/m4/loop.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define REPAIR_SLACK_US 50000
#define PATIENCE_MS 10000

static int64_t now_us(const struct wr_m4_loop *l) {
  return l->rpc.env.clock_us();
}
static int64_t now_ms(const struct wr_m4_loop *l) { return now_us(l) / 1000; }

int wr_m4_open(struct wr_m4_loop *l) {
  l->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (l->wake_fd < 0)
    return -errno;
  l->open = true;
  pthread_mutex_init(&l->lock, NULL);
  l->calls = calloc(WR_RPC_BATCH + 1, sizeof(*l->calls));
  l->client = wr_rpc_client_new(&l->rpc);
  if (l->calls != NULL && l->client != NULL)
    return 0;
  wr_m4_close(l);
  return -ENOMEM;
}

void wr_m4_close(struct wr_m4_loop *l) {
  if (!l->open)
    return;
  l->open = false;
  wr_rpc_client_free(l->client);
  l->client = NULL;
  free(l->calls);
  l->calls = NULL;
  close(l->wake_fd);
  pthread_mutex_destroy(&l->lock);
}

/* --- results ----------------------------------------------------------------
 */

/* False: this measurement was fetched before. */
static bool is_new(struct wr_m4_method *m, const struct wr_rpc_value *result) {
  double seq = 0;
  if (m->seq_index < 0 || wr_m4_number(result, m->seq_index, &seq) != 0 ||
      seq < 0 || seq > UINT32_MAX)
    return true;
  return wr_m4_seq_note(&m->seq, (uint32_t)seq) != WR_M4_REPEATED;
}

/* When the M4 took a reading that was long on its way is not known. */
static bool repaired(struct wr_m4_method *m, const struct wr_rpc_call *call,
                     double *value) {
  if (call->stale == 0 && call->took_us < REPAIR_SLACK_US)
    return wr_m4_repair(&m->repair_state, call->sent_us, value);
  wr_m4_repair_lost(&m->repair_state);
  return false;
}

/* Hands on what a good reply holds. 0; -EBADMSG: not what was configured. */
static int use_result(struct wr_m4_loop *l, size_t which,
                      const struct wr_rpc_call *call) {
  struct wr_m4_method *m = l->methods[which];
  if (!is_new(m, &call->result))
    return 0;
  for (size_t i = 0; i < m->indices_count; i++) {
    double value = 0;
    int status = wr_m4_number(&call->result, m->indices[i], &value);
    if (status == -ENODATA)
      continue; /* the M4 says that it has no reading */
    if (status != 0)
      return -EBADMSG;
    if (m->repair && !repaired(m, call, &value))
      continue;
    l->sink.sample(l->sink.user, which, i, value * m->scale, call->sent_us);
  }
  return 0;
}

static void misfit(struct wr_m4_loop *l, size_t which,
                   const struct wr_rpc_call *call) {
  char value[128], why[256];
  wr_rpc_print(&call->result, value, sizeof(value));
  snprintf(why, sizeof(why), "the result is not as configured: %s", value);
  l->faults[WR_FAULT_PROTOCOL]++;
  l->sink.event(l->sink.user, WR_M4_METHOD_FAILS, which, why);
}

static void succeeded(struct wr_m4_loop *l, size_t which,
                      const struct wr_rpc_call *call) {
  wr_rpc_guard_answered(&l->methods[which]->ward, now_ms(l));
  l->sink.latency(l->sink.user, which, call->took_us, call->sent_us);
  if (use_result(l, which, call) != 0)
    misfit(l, which, call);
  else
    l->sink.event(l->sink.user, WR_M4_METHOD_WORKS, which, "");
}

/* Whether, and in ms how long, this end of a call lets its method rest. */
static int64_t rest_after(struct wr_m4_loop *l, struct wr_rpc_ward *w,
                          const struct wr_rpc_call *call) {
  if (l->rpc.mode == WR_RPC_PROXY && call->outcome == WR_RPC_CRASHED)
    return wr_rpc_guard_crashed(l->guard, w, now_ms(l));
  if (l->rpc.mode == WR_RPC_PROXY && call->outcome == WR_RPC_CLOSED)
    return wr_rpc_guard_closed(l->guard, w, now_ms(l));
  return 0;
}

static void failed(struct wr_m4_loop *l, size_t which,
                   const struct wr_rpc_call *call) {
  struct wr_m4_method *m = l->methods[which];
  char why[256], rests[320];
  wr_rpc_explain(call, why, sizeof(why));
  wr_m4_repair_lost(&m->repair_state);
  int64_t rest_ms = rest_after(l, &m->ward, call);
  if (rest_ms > 0) {
    snprintf(rests, sizeof(rests), "%s; not called again for %" PRId64 " min",
             why, rest_ms / 60000);
    l->sink.event(l->sink.user, WR_M4_METHOD_RESTS, which, rests);
  } else if (l->up)
    l->sink.event(l->sink.user, WR_M4_METHOD_FAILS, which, why);
}

/* --- calls ------------------------------------------------------------------
 */

static bool answered(const struct wr_rpc_call *call) {
  return call->outcome == WR_RPC_OK || call->outcome == WR_RPC_REMOTE;
}

static void count_fault(struct wr_m4_loop *l, const struct wr_rpc_call *call) {
  enum wr_rpc_fault fault = wr_rpc_fault_of(call->outcome);
  /* Foreign replies count one by one; the outcome STALE had at least one. */
  if (fault != WR_FAULT_NONE && fault != WR_FAULT_STALE)
    l->faults[fault]++;
  l->faults[WR_FAULT_STALE] += call->stale;
}

/* The peer is up when any call of a turn was answered. One miss alone is only
 * counted, lest a peer that now and then is late fill the log. */
static void note_peer(struct wr_m4_loop *l, const struct wr_rpc_call *calls,
                      size_t count) {
  l->up = false;
  for (size_t i = 0; i < count; i++)
    l->up |= answered(calls + i);
  l->misses = l->up ? 0 : l->misses + 1;
  if (l->misses == 1 && l->interval_ms < PATIENCE_MS)
    return;
  char why[256];
  wr_rpc_explain(calls, why, sizeof(why));
  l->sink.event(l->sink.user, l->up ? WR_M4_UP : WR_M4_DOWN, 0, why);
}

static void call_methods(struct wr_m4_loop *l, const size_t *which,
                         size_t count) {
  wr_rpc_call(l->client, l->calls, count);
  if (l->calls[0].outcome == WR_RPC_CANCELLED)
    return;
  note_peer(l, l->calls, count);
  for (size_t i = 0; i < count; i++) {
    count_fault(l, l->calls + i);
    if (l->calls[i].outcome == WR_RPC_OK)
      succeeded(l, which[i], l->calls + i);
    else if (l->calls[i].outcome != WR_RPC_CANCELLED)
      failed(l, which[i], l->calls + i);
  }
}

/* The sample is missing, which is to be seen. */
static void withhold(struct wr_m4_loop *l, size_t which) {
  struct wr_rpc_call *call = l->calls + WR_RPC_BATCH; /* not in use */
  char why[256];
  call->outcome = WR_RPC_WITHHELD;
  call->stale = 0;
  count_fault(l, call);
  wr_rpc_explain(call, why, sizeof(why));
  l->sink.event(l->sink.user, WR_M4_METHOD_FAILS, which, why);
}

static void sample(struct wr_m4_loop *l) {
  size_t which[WR_M4_METHODS], count = 0;
  for (size_t i = 0; i < l->methods_count; i++) {
    struct wr_m4_method *m = l->methods[i];
    if (!wr_sample_clock_due(&m->clock, now_us(l)))
      continue;
    if (wr_rpc_guard_allows(l->guard, &m->ward, now_ms(l))) {
      l->calls[count] = (struct wr_rpc_call){.method = m->name};
      which[count++] = i;
    } else
      withhold(l, i);
  }
  if (count > 0)
    call_methods(l, which, count);
}

/* --- labels -----------------------------------------------------------------
 */

static void report_done(struct wr_m4_loop *l, size_t which, uint64_t version,
                        const struct wr_rpc_call *call) {
  struct wr_m4_report *r = l->reports[which];
  bool ok = call->outcome == WR_RPC_OK;
  int64_t rest_ms = r->call ? rest_after(l, &r->ward, call) : 0;
  if (ok)
    wr_rpc_guard_answered(&r->ward, now_ms(l));
  pthread_mutex_lock(&l->lock);
  wr_label_report_done(&r->state, version, ok, now_ms(l), l->random(), rest_ms);
  pthread_mutex_unlock(&l->lock);
  count_fault(l, call);
  if (l->methods_count == 0)
    note_peer(l, call, 1);
  char why[256];
  wr_rpc_explain(call, why, sizeof(why));
  l->sink.event(l->sink.user, ok ? WR_M4_REPORT_WORKS : WR_M4_REPORT_FAILS,
                which, why);
}

/* Calls or notifies; a notification cannot crash a proxy and needs no guard. */
static void deliver(struct wr_m4_loop *l, struct wr_m4_report *r,
                    struct wr_rpc_call *call) {
  if (!r->call)
    wr_rpc_notify(l->client, call);
  else if (wr_rpc_guard_allows(l->guard, &r->ward, now_ms(l)))
    wr_rpc_call(l->client, call, 1);
  else
    call->outcome = WR_RPC_WITHHELD; /* once more after the back-off */
}

static void send_report(struct wr_m4_loop *l, size_t which) {
  struct wr_m4_report *r = l->reports[which];
  struct wr_bytes text = WR_BYTES_INIT(WR_RPC_STRING_MAX);
  pthread_mutex_lock(&l->lock);
  uint64_t version = r->state.version;
  int status = wr_label_report_write(&text, r->state.label, r->state.score);
  pthread_mutex_unlock(&l->lock);
  struct wr_rpc_arg arg = {.kind = WR_ARG_TEXT, .text = text.data};
  struct wr_rpc_call *call = l->calls;
  *call =
      (struct wr_rpc_call){.method = r->method, .args = &arg, .args_count = 1};
  if (status != 0)
    call->outcome = WR_RPC_UNSENDABLE;
  else
    deliver(l, r, call);
  if (call->outcome != WR_RPC_CANCELLED)
    report_done(l, which, version, call);
  wr_bytes_free(&text);
}

static int64_t report_wait_ms(struct wr_m4_loop *l, size_t which) {
  pthread_mutex_lock(&l->lock);
  int64_t wait = wr_label_report_wait(&l->reports[which]->state, now_ms(l));
  pthread_mutex_unlock(&l->lock);
  return wait;
}

void wr_m4_offer(struct wr_m4_loop *l, const char *label, double score,
                 int64_t time_us) {
  bool due = false;
  pthread_mutex_lock(&l->lock);
  for (size_t i = 0; i < l->reports_count; i++)
    due |= wr_label_report_offer(&l->reports[i]->state, label, score, time_us);
  pthread_mutex_unlock(&l->lock);
  if (due)
    eventfd_write(l->wake_fd, 1);
}

/* --- the turn ----------------------------------------------------------------
 */

static int64_t next_instant(struct wr_m4_loop *l) {
  int64_t next = l->health.next_us;
  for (size_t i = 0; i < l->methods_count; i++)
    if (l->methods[i]->clock.next_us < next)
      next = l->methods[i]->clock.next_us;
  for (size_t i = 0; i < l->reports_count; i++) {
    int64_t wait_ms = report_wait_ms(l, i), at = now_us(l);
    if (wait_ms < (next - at) / 1000)
      next = at + wait_ms * 1000;
  }
  return next;
}

/* Sleeps until the instant or a label; false when it is time to end. ppoll()
 * because a schedule in whole milliseconds would be up to one late. */
static bool sleep_until(const struct wr_m4_loop *l, int64_t at_us) {
  int64_t left_us = at_us - now_us(l);
  if (left_us < 0)
    left_us = 0;
  struct timespec left = {.tv_sec = left_us / 1000000,
                          .tv_nsec = left_us % 1000000 * 1000};
  struct pollfd fds[2] = {{.fd = l->wake_fd, .events = POLLIN},
                          {.fd = l->rpc.env.stop_fd, .events = POLLIN}};
  if (ppoll(fds, 2, &left, NULL) <= 0)
    return true;
  eventfd_t ignored;
  if (fds[0].revents != 0)
    eventfd_read(l->wake_fd, &ignored);
  return fds[1].revents == 0;
}

void wr_m4_run(struct wr_m4_loop *l) {
  int64_t start_us = now_us(l);
  for (size_t i = 0; i < l->methods_count; i++)
    wr_sample_clock_start(&l->methods[i]->clock,
                          l->methods[i]->interval_ms * 1000, start_us);
  wr_sample_clock_start(&l->health, l->interval_ms * 1000, start_us);
  while (sleep_until(l, next_instant(l))) {
    sample(l);
    for (size_t i = 0; i < l->reports_count; i++)
      if (report_wait_ms(l, i) <= 0)
        send_report(l, i);
    if (wr_sample_clock_due(&l->health, now_us(l)))
      l->sink.health(l->sink.user);
  }
}
