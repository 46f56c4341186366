#include "lib/m4/results.h"
#include "lib/m4/samples.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define PATIENCE_MS 10000 /* of a log line after one miss */
#define PROBE_US 30000    /* right after an early end */
#define PROBE_AGAIN_US 250000

/* --- calls ---
 */

static bool answered(const struct wr_rpc_call *call) {
  return call->outcome == WR_RPC_OK || call->outcome == WR_RPC_REMOTE;
}

static bool cut(const struct wr_rpc_call *call) {
  return call->outcome == WR_RPC_CRASHED || call->outcome == WR_RPC_CLOSED;
}

static void count_fault(struct wr_m4_life *l, const struct wr_rpc_call *call) {
  enum wr_rpc_fault fault = wr_rpc_fault_of(call->outcome);
  /* Foreign replies count one by one; the outcome STALE had at least one. */
  if (fault != WR_FAULT_NONE && fault != WR_FAULT_STALE)
    l->faults[fault]++;
  l->faults[WR_FAULT_STALE] += call->stale;
}

static void note_lock(struct wr_m4_life *l, const struct wr_rpc_call *call,
                      int64_t now_us) {
  if (call->unlocked) {
    wr_m4_began(&l->lock_us, now_us);
    l->said_lock = true;
    l->sink.event(l->sink.user, WR_M4_LOCK_HELD, 0, l->lock_us, "");
  } else if (l->said_lock && call->sent_us != 0) {
    l->said_lock = false;
    l->lock_us = 0;
    l->sink.event(l->sink.user, WR_M4_LOCK_FREE, 0, 0, "");
  }
}

/* What the end of a call says about the proxy. Returns how long the method
 * rests now, in ms; 0: not. */
static int64_t note_proxy(struct wr_m4_life *l, struct wr_rpc_ward *w,
                          const struct wr_rpc_call *call, int64_t now_us) {
  int64_t now_ms = now_us / 1000;
  if (!wr_rpc_session_locks(l->session))
    return 0;
  if (cut(call)) {
    /* After a foreign reply it was a drain that was cut, not the call. */
    bool own = call->stale == 0 || l->guard->suspect;
    int64_t rest_ms = wr_rpc_guard_cut(l->guard, own ? w : NULL, now_ms);
    if (l->guard->unclear)
      l->probe_us = now_us + (now_ms - l->guard->cut_ms < PROBE_US / 1000
                                  ? PROBE_US
                                  : PROBE_AGAIN_US);
    return rest_ms;
  }
  if (call->outcome == WR_RPC_REFUSED)
    l->crashed = wr_rpc_guard_refused(l->guard, now_ms);
  else if (answered(call) && w != NULL)
    wr_rpc_guard_answered(l->guard, w, now_ms);
  else if (call->outcome == WR_RPC_OK || call->outcome == WR_RPC_SILENT ||
           call->outcome == WR_RPC_STALE || call->outcome == WR_RPC_PROTOCOL)
    wr_rpc_guard_alive(l->guard);
  return 0;
}

/* Whether the connection it was told on has ended. */
static bool cut_off(const struct wr_m4_life *l, const struct wr_m4_report *r) {
  return !wr_rpc_session_locks(l->session) &&
         (!l->session->open || l->session->dials != r->dials);
}

void wr_m4_doubt(struct wr_m4_life *l, bool all, int64_t now_us) {
  for (size_t i = 0; i < l->reports_count; i++) {
    struct wr_m4_report *r = l->reports[i];
    if (!r->open || !(all || cut_off(l, r)))
      continue;
    r->open = false;
    pthread_mutex_lock(&l->lock);
    wr_label_report_lost(&r->state, now_us / 1000, l->random());
    pthread_mutex_unlock(&l->lock);
  }
}

/* The M4 has answered after being told: so it heard, if it was told on this
 * connection. */
static void confirm(struct wr_m4_life *l, int64_t now_us) {
  wr_m4_doubt(l, false, now_us);
  for (size_t i = 0; i < l->reports_count; i++) {
    l->reports[i]->confirmed |= l->reports[i]->open;
    l->reports[i]->open = false;
  }
  l->accused = NULL;
}

/* Keeps the words of the turn's first miss. */
static void keep_why(struct wr_m4_life *l, const struct wr_rpc_call *call,
                     const char *method, int64_t now_us) {
  const struct wr_rpc_guard *g = l->guard;
  char why[200];
  if (l->why[0] != '\0')
    return;
  wr_rpc_explain(call, why, sizeof(why));
  if (cut(call) && g->suspect && !g->unclear)
    snprintf(why, sizeof(why),
             "connections are accepted and closed at once (is the far side of "
             "a tunnel away?)");
  if (l->accused != NULL && !cut(call) && call->outcome != WR_RPC_REFUSED)
    snprintf(l->why, sizeof(l->why),
             "%.120s; it fell silent right after the first report to \"%.40s\" "
             "(does that take exactly one text?)",
             why, l->accused->method);
  else if (cut(call) && method != NULL)
    snprintf(l->why, sizeof(l->why), "%.150s, calling \"%.80s\"", why, method);
  else
    snprintf(l->why, sizeof(l->why), "%s", why);
  if (cut(call) && g->cut_ms == now_us / 1000)
    memcpy(l->why_cut, l->why, sizeof(l->why_cut));
}

static void rests(struct wr_m4_life *l, size_t which, int64_t rest_ms) {
  char why[200];
  snprintf(why, sizeof(why),
           "again the proxy crashed on this call (is the method bound on the "
           "M4?); not called again for %" PRId64 " min",
           rest_ms / 60000);
  wr_m4_method_fails(l, which, why);
}

/* Whether it is the method that fails, not the peer: others are answered in
 * this turn, or were in the last one and this call ends none. */
static bool alone(const struct wr_m4_life *l, const struct wr_rpc_call *call) {
  return l->turn_answered || (l->up && (call->outcome == WR_RPC_PROTOCOL ||
                                        call->outcome == WR_RPC_UNSENDABLE));
}

/* One miss alone is only counted, lest a peer that now and then is late fill
 * the log; an error is an answer. */
static void failed(struct wr_m4_life *l, size_t which,
                   const struct wr_rpc_call *call, int64_t now_us) {
  struct wr_m4_method *m = l->methods[which];
  bool answer = call->outcome == WR_RPC_REMOTE ||
                call->outcome == WR_RPC_UNROUTED ||
                call->outcome == WR_RPC_UNSENDABLE;
  wr_m4_began(&m->bad_us, call->sent_us != 0 ? call->sent_us : now_us);
  wr_m4_repair_lost(&m->repair_state);
  m->misses++;
  if (!alone(l, call) || cut(call) ||
      (!answer && m->misses < 2 && m->interval_ms < PATIENCE_MS))
    return;
  char why[256];
  wr_rpc_explain(call, why, sizeof(why));
  wr_m4_method_fails(l, which, why);
}

/* Whether the rest of the turn is worth asking. */
static bool goes_on(const struct wr_rpc_call *call) {
  return answered(call) || call->outcome == WR_RPC_UNROUTED ||
         call->outcome == WR_RPC_PROTOCOL || call->outcome == WR_RPC_UNSENDABLE;
}

static bool digest_one(struct wr_m4_life *l, size_t which,
                       const struct wr_rpc_call *call, int64_t now_us) {
  struct wr_m4_method *m = l->methods[which];
  count_fault(l, call);
  note_lock(l, call, now_us);
  int64_t rest_ms = note_proxy(l, &m->ward, call, now_us);
  if (answered(call)) {
    l->up = true;
    confirm(l, now_us);
  } else
    keep_why(l, call, m->name, now_us);
  if (call->outcome == WR_RPC_OK)
    wr_m4_sampled(l, which, call);
  else
    failed(l, which, call, now_us);
  if (rest_ms != 0)
    rests(l, which, rest_ms);
  return goes_on(call);
}

bool wr_m4_digest(struct wr_m4_life *l, const size_t *which,
                  const struct wr_rpc_call *calls, size_t count,
                  int64_t now_us) {
  bool go_on = true;
  for (size_t i = 0; i < count; i++)
    l->turn_answered |= answered(calls + i);
  for (size_t i = 0; i < count; i++)
    go_on &= digest_one(l, which[i], calls + i, now_us);
  return go_on;
}

bool wr_m4_digest_probe(struct wr_m4_life *l, const struct wr_rpc_call *call,
                        int64_t now_us) {
  l->faults[WR_FAULT_STALE] += call->stale;
  note_lock(l, call, now_us);
  note_proxy(l, NULL, call, now_us);
  if (l->guard->suspect)
    keep_why(l, call, NULL, now_us);
  return !l->guard->suspect;
}

void wr_m4_withhold(struct wr_m4_life *l, size_t which, int64_t now_us) {
  struct wr_m4_method *m = l->methods[which];
  const struct wr_rpc_call call = {.outcome = WR_RPC_WITHHELD};
  char why[256];
  m->due = false;
  wr_m4_began(&m->bad_us, now_us);
  count_fault(l, &call);
  wr_rpc_explain(&call, why, sizeof(why));
  wr_m4_method_fails(l, which, why);
}

/* --- labels ---
 */

/* Whether it was heard only a later answer can tell; without methods there is
 * none, and only the end of the connection says anything. */
static void told(struct wr_m4_life *l, struct wr_m4_report *r) {
  r->open = l->methods_count > 0 || !wr_rpc_session_locks(l->session);
  r->dials = l->session->dials;
  if (!r->confirmed && l->up)
    l->accused = r;
}

void wr_m4_digest_report(struct wr_m4_life *l, size_t which,
                         const struct wr_rpc_call *call, int64_t now_us) {
  struct wr_m4_report *r = l->reports[which];
  bool ok = call->outcome == WR_RPC_OK;
  int64_t rest_ms = 0;
  if (r->call && call->outcome != WR_RPC_WITHHELD)
    rest_ms = note_proxy(l, &r->ward, call, now_us);
  pthread_mutex_lock(&l->lock);
  wr_label_report_done(&r->state, l->version, ok, now_us / 1000, l->random(),
                       rest_ms);
  pthread_mutex_unlock(&l->lock);
  count_fault(l, call);
  note_lock(l, call, now_us);
  r->registered = ok && r->serve;
  if (r->registered)
    r->dials = l->session->dials;
  else if (ok && !r->call)
    told(l, r);
  if (l->methods_count == 0) {
    l->turn_answered = ok;
    l->turn_us = call->sent_us != 0 ? call->sent_us : now_us;
    l->why[0] = '\0';
    keep_why(l, call, r->method, now_us);
    wr_m4_judge(l, now_us);
  }
  char why[256];
  wr_rpc_explain(call, why, sizeof(why));
  if (!ok)
    wr_m4_began(&r->bad_us, now_us);
  if (!ok || r->fails)
    l->sink.event(l->sink.user, ok ? WR_M4_REPORT_WORKS : WR_M4_REPORT_FAILS,
                  which, r->bad_us, why);
  r->fails = !ok;
  if (ok)
    r->bad_us = 0;
}

/* --- the turn ---
 */

/* The peer is up when any call of a turn was answered. */
void wr_m4_judge(struct wr_m4_life *l, int64_t now_us) {
  l->judged_us = now_us;
  if (l->turn_answered) {
    if (l->said_down)
      l->sink.event(l->sink.user, WR_M4_UP, 0, 0, "");
    l->said_down = false;
    l->misses = 0;
    l->up = true;
    return;
  }
  if (l->why[0] == '\0' || (l->extra && !l->crashed))
    return; /* nothing was asked, or nothing is known yet */
  if (l->misses++ == 0)
    l->down_us = l->turn_us;
  l->up = false;
  wr_m4_doubt(l, true, now_us);
  if (l->guard->unclear ||
      (l->misses == 1 && l->interval_ms < PATIENCE_MS && !l->crashed))
    return;
  l->said_down = true;
  l->sink.event(l->sink.user, WR_M4_DOWN, 0, l->down_us,
                l->crashed && l->why_cut[0] != '\0' ? l->why_cut : l->why);
}
