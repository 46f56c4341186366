#include "lib/m4/life.h"
#include "lib/m4/results.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LATER(at_us, wait_ms)                                                  \
  ((wait_ms) < (INT64_MAX - (at_us)) / 1000 ? (at_us) + (wait_ms)*1000         \
                                            : INT64_MAX)

static bool suspect(const struct wr_m4_life *l) {
  return wr_rpc_session_locks(l->session) && l->guard->suspect;
}

/* --- labels ---
 */

/* A router forgets what was registered with the connection. */
static bool is_registered(const struct wr_m4_life *l,
                          const struct wr_m4_report *r) {
  return r->registered && l->session->open && r->dials == l->session->dials;
}

static int64_t report_at(struct wr_m4_life *l, size_t which, int64_t now_us) {
  struct wr_m4_report *r = l->reports[which];
  if (r->serve && is_registered(l, r))
    return INT64_MAX;
  pthread_mutex_lock(&l->lock);
  int64_t wait_ms = r->serve ? wr_backoff_wait(&r->state.backoff, now_us / 1000)
                             : wr_label_report_wait(&r->state, now_us / 1000);
  pthread_mutex_unlock(&l->lock);
  return LATER(now_us, wait_ms);
}

static void enroll(struct wr_m4_life *l, size_t which, int64_t now_us) {
  l->arg = (struct wr_rpc_arg){.kind = WR_ARG_TEXT,
                               .text = l->reports[which]->method};
  l->calls[0] = (struct wr_rpc_call){
      .method = "$/register", .args = &l->arg, .args_count = 1};
  l->doing = WR_M4_TELLS;
  l->telling = which;
  wr_rpc_begin(l->session, WR_OP_CALL, l->calls, 1, now_us);
}

/* Somebody asks for a label, see struct wr_rpc_session. */
static bool asked(void *user, const struct wr_rpc_value *method, char *buf,
                  size_t size, int64_t now_us) {
  struct wr_m4_life *l = user;
  struct wr_bytes text = WR_BYTES_INIT(WR_RPC_STRING_MAX);
  int status = -ENOENT;
  for (size_t i = 0; i < l->reports_count && status != 0; i++) {
    struct wr_m4_report *r = l->reports[i];
    if (!r->serve || strlen(r->method) != method->len ||
        memcmp(r->method, method->data, method->len) != 0)
      continue;
    pthread_mutex_lock(&l->lock);
    wr_label_report_wait(&r->state, now_us / 1000); /* it may be too old */
    status = wr_label_report_write(
        &text, r->state.label[0] != '\0' ? r->state.label : WR_LABEL_UNKNOWN,
        r->state.score);
    pthread_mutex_unlock(&l->lock);
  }
  if (status == 0)
    snprintf(buf, size, "%s", text.data);
  wr_bytes_free(&text);
  return status == 0;
}

static void tell(struct wr_m4_life *l, size_t which, int64_t now_us) {
  struct wr_m4_report *r = l->reports[which];
  struct wr_rpc_call *call = l->calls;
  *call = (struct wr_rpc_call){
      .method = r->method, .args = &l->arg, .args_count = 1};
  l->doing = WR_M4_TELLS;
  l->telling = which;
  wr_bytes_reset(&l->text);
  pthread_mutex_lock(&l->lock);
  l->version = r->state.version;
  int status = wr_label_report_write(&l->text, r->state.label, r->state.score);
  pthread_mutex_unlock(&l->lock);
  l->arg = (struct wr_rpc_arg){.kind = WR_ARG_TEXT, .text = l->text.data};
  if (status != 0)
    call->outcome = WR_RPC_UNSENDABLE;
  else if (!r->call)
    wr_rpc_begin(l->session, WR_OP_NOTIFY, call, 1, now_us);
  else if (!wr_rpc_session_locks(l->session) ||
           wr_rpc_guard_allows(l->guard, &r->ward, now_us / 1000))
    wr_rpc_begin(l->session, WR_OP_CALL, call, 1, now_us);
  else
    call->outcome = WR_RPC_WITHHELD; /* once more after the back-off */
}

/* A notification to a proxy that dies would be lost without a word. */
static bool tell_next(struct wr_m4_life *l, int64_t now_us) {
  wr_m4_doubt(l, false, now_us);
  for (size_t i = 0; i < l->reports_count && !suspect(l); i++)
    if (report_at(l, i, now_us) <= now_us) {
      if (l->reports[i]->serve)
        enroll(l, i, now_us);
      else
        tell(l, i, now_us);
      return true;
    }
  return false;
}

/* --- the ends of a life, and labels from outside ---
 */

int wr_m4_open(struct wr_m4_life *l) {
  size_t batch = wr_rpc_session_locks(l->session) ? 1 : l->methods_count;
  l->calls = calloc(batch > 0 ? batch : 1, sizeof(*l->calls));
  l->text = (struct wr_bytes)WR_BYTES_INIT(WR_RPC_STRING_MAX);
  pthread_mutex_init(&l->lock, NULL);
  l->next_us = INT64_MAX;
  l->session->asked_user = l;
  l->session->asked = asked;
  return l->calls != NULL ? 0 : -ENOMEM;
}

void wr_m4_close(struct wr_m4_life *l) {
  if (l->calls == NULL)
    return;
  free(l->calls);
  l->calls = NULL;
  wr_bytes_free(&l->text);
  pthread_mutex_destroy(&l->lock);
}

void wr_m4_start(struct wr_m4_life *l, int64_t first_us, int64_t now_us) {
  for (size_t i = 0; i < l->methods_count; i++)
    wr_sample_clock_start(&l->methods[i]->clock,
                          l->methods[i]->interval_ms * 1000, first_us);
  wr_sample_clock_start(&l->health, l->interval_ms * 1000, first_us);
  pthread_mutex_lock(&l->lock);
  for (size_t i = 0; i < l->reports_count; i++)
    wr_label_report_start(&l->reports[i]->state, now_us / 1000);
  pthread_mutex_unlock(&l->lock);
  l->next_us = now_us;
}

static bool same_source(const char *a, const char *b) {
  return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

bool wr_m4_offer(struct wr_m4_life *l, const char *source, const char *label,
                 double score, int64_t window, int64_t interval_ms,
                 int64_t now_us) {
  bool due = false;
  pthread_mutex_lock(&l->lock);
  for (size_t i = 0; i < l->reports_count; i++)
    if (same_source(l->reports[i]->source, source))
      due |= wr_label_report_offer(&l->reports[i]->state, label, score, window,
                                   interval_ms, now_us / 1000);
  pthread_mutex_unlock(&l->lock);
  return due;
}

/* --- methods ---
 */

static void ask(struct wr_m4_life *l, const size_t *which, size_t count,
                int64_t now_us) {
  for (size_t i = 0; i < count; i++) {
    struct wr_m4_method *m = l->methods[which[i]];
    m->due = false;
    l->which[i] = which[i];
    l->calls[i] = (struct wr_rpc_call){.method = m->name};
  }
  l->asked = count;
  l->first = (which[count - 1] + 1) % l->methods_count;
  l->doing = WR_M4_ASKS;
  wr_rpc_begin(l->session, WR_OP_CALL, l->calls, count, now_us);
}

static bool ask_together(struct wr_m4_life *l, int64_t now_us) {
  size_t which[WR_M4_METHODS], count = 0;
  for (size_t i = 0; i < l->methods_count; i++)
    if (l->methods[i]->due)
      which[count++] = i;
  if (count > 0)
    ask(l, which, count, now_us);
  return count > 0;
}

static bool ask_one(struct wr_m4_life *l, int64_t now_us) {
  for (size_t i = 0; i < l->methods_count; i++) {
    size_t which = (l->first + i) % l->methods_count;
    struct wr_m4_method *m = l->methods[which];
    if (m->due && wr_rpc_guard_allows(l->guard, &m->ward, now_us / 1000)) {
      ask(l, &which, 1, now_us);
      return true;
    }
    if (m->due)
      wr_m4_withhold(l, which, now_us);
  }
  return false;
}

/* The first thing that is asked of a proxy which may have crashed. */
static void probe(struct wr_m4_life *l, int64_t now_us) {
  l->probe_us = 0;
  for (size_t i = 0; i < l->methods_count; i++)
    if (l->methods[i]->due &&
        wr_rpc_guard_trial(l->guard, &l->methods[i]->ward, now_us / 1000)) {
      ask(l, &i, 1, now_us);
      return;
    }
  l->doing = WR_M4_PROBES;
  wr_rpc_begin(l->session, WR_OP_DRAIN, l->calls, 1, now_us);
}

static bool begin_turn(struct wr_m4_life *l, int64_t now_us) {
  bool due = false;
  for (size_t i = 0; i < l->methods_count; i++)
    if (wr_sample_clock_due(&l->methods[i]->clock, now_us))
      due = l->methods[i]->due = true;
  if (l->methods_count == 0 && suspect(l) && now_us >= l->health.next_us)
    due = true;
  l->extra = !due && l->probe_us != 0 && now_us >= l->probe_us;
  l->turn = due = due || l->extra;
  l->turn_answered = l->crashed = false;
  l->turn_us = now_us;
  l->why[0] = '\0';
  return due;
}

static bool ask_next(struct wr_m4_life *l, int64_t now_us) {
  if (!l->turn && !begin_turn(l, now_us))
    return false;
  bool asks = true;
  if (suspect(l))
    probe(l, now_us);
  else
    asks = wr_rpc_session_locks(l->session) ? ask_one(l, now_us)
                                            : ask_together(l, now_us);
  if (asks)
    return true;
  wr_m4_judge(l, now_us);
  l->turn = false;
  return false;
}

/* --- the step ---
 */

/* The operation has ended. */
static void digest(struct wr_m4_life *l, int64_t now_us) {
  bool go_on = true;
  if (l->doing == WR_M4_TELLS)
    wr_m4_digest_report(l, l->telling, l->calls, now_us);
  else if (l->doing == WR_M4_PROBES)
    go_on = wr_m4_digest_probe(l, l->calls, now_us);
  else
    go_on = wr_m4_digest(l, l->which, l->calls, l->asked, now_us);
  l->doing = WR_M4_RESTS;
  if (go_on)
    return;
  wr_m4_judge(l, now_us);
  l->turn = false;
}

/* Health that is due when a turn begins waits for its end, but not for ever; a
 * silent M4 takes 1.0005 s, which an interval of 1 s is to see. The first one
 * waits also for a turn that has not begun, since a label goes first. */
static int64_t health_at(const struct wr_m4_life *l) {
  int64_t due_us = l->health.next_us;
  bool first = l->judged_us == 0 && l->methods_count > 0 && !l->parked;
  bool waits =
      first || (l->turn && due_us <= l->turn_us && l->judged_us < due_us);
  int64_t most_us = l->health.interval_us + l->health.interval_us / 10;
  return due_us + (waits ? most_us : 0);
}

static void tell_health(struct wr_m4_life *l, int64_t now_us) {
  if (now_us >= health_at(l) && wr_sample_clock_due(&l->health, now_us))
    l->sink.health(l->sink.user);
}

static int64_t next_instant(struct wr_m4_life *l, int64_t now_us) {
  int64_t next = health_at(l);
  if (l->doing != WR_M4_RESTS)
    return l->session->next_us < next ? l->session->next_us : next;
  for (size_t i = 0; i < l->methods_count && !l->parked; i++)
    if (l->methods[i]->clock.next_us < next)
      next = l->methods[i]->clock.next_us;
  if (l->probe_us != 0 && l->probe_us < next)
    next = l->probe_us;
  for (size_t i = 0; i < l->reports_count && !l->parked && !suspect(l); i++) {
    int64_t at_us = report_at(l, i, now_us);
    next = at_us < next ? at_us : next;
  }
  return next;
}

void wr_m4_step(struct wr_m4_life *l, int64_t now_us) {
  while (l->session->op == WR_OP_NONE && !l->parked) {
    if (l->doing != WR_M4_RESTS) {
      digest(l, now_us);
      if (l->judged_us == now_us)
        tell_health(l, now_us);
    } else if (!tell_next(l, now_us) && !ask_next(l, now_us))
      break;
  }
  tell_health(l, now_us);
  l->next_us = next_instant(l, now_us);
}
