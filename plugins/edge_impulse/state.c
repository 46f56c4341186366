/* What a series is said to be. A state is as old as the newest sample that was
 * judged for it; beyond StaleAfter it is unknown, whatever the reason, and
 * stays so until windows have been judged again. */
#include "edge.h"

#include "collectd/core/utils/common/common.h"
#include "glue/instance.h"
#include "lib/base/number.h"
#include "lib/flow/hint.h"

#define STALE_MIN_MS 15000 /* by default: people do not need it sooner */
#define HEALTH_MS 10000    /* unknown and health come at least so often */

/* A state is renewed with every stride; two of them are the least. */
int64_t edge_stale_ms(const struct edge_target *t) {
  const struct wr_window_options *w = &t->shape;
  size_t first = w->least > 1 ? w->least : w->samples;
  int64_t stride_ms = (int64_t)w->stride * w->interval_us / 1000;
  int64_t ms = t->o.stale_ms;
  if (ms == 0)
    ms = 3 * (int64_t)first * w->interval_us / 1000;
  if (ms < STALE_MIN_MS && t->o.stale_ms == 0)
    ms = STALE_MIN_MS;
  return ms > 2 * stride_ms ? ms : 2 * stride_ms;
}

static int64_t health_ms(void) {
  int64_t every_ms = (int64_t)CDTIME_T_TO_MS(interval_g);
  return every_ms < HEALTH_MS ? every_ms : HEALTH_MS;
}

static void tell_health(struct edge_series *s, int64_t now_ms) {
  edge_output_health(s);
  s->state.told_ms = now_ms;
  s->state.up_told = s->state.up;
}

/* A state by the rules of one generation before, as it is called now. */
static int carry(const struct edge_rules *r, unsigned generation, int state) {
  if (state < 0)
    return state;
  if (generation + 1 != r->generation || (size_t)state >= r->before.count)
    return EDGE_UNSAID;
  int label = wr_labels_find(&r->labels, r->before.at[state].name);
  return label >= 0 ? label : EDGE_UNSAID;
}

/* A label that the other model has as well stays the state. */
void edge_state_sync(struct edge_series *s) {
  struct edge_state *state = &s->state;
  const struct edge_rules *r = &s->target->rules;
  if (state->generation == r->generation)
    return;
  state->shown = carry(r, state->generation, state->shown);
  state->told = carry(r, state->generation, state->told);
  if (state->told == EDGE_UNSAID)
    state->told = WR_UNCERTAIN;
  state->generation = r->generation;
  wr_verdict_init(&state->verdict);
  if (state->shown >= 0)
    wr_votes_set(&state->verdict.votes, state->shown,
                 r->alarming[state->shown]);
  else if (state->shown == WR_UNCERTAIN)
    state->shown = EDGE_UNSAID;
  if (state->shown == EDGE_UNSAID)
    state->held = 0;
}

static void notify(struct edge_outcome *o) {
  struct edge_state *state = &o->series->state;
  if (o->shown == EDGE_UNSAID || o->shown == state->told ||
      state->shelved_ms != 0)
    return;
  o->previous = state->told;
  state->told = o->shown;
  edge_notify_state(o);
}

void edge_state_shelve(struct edge_series *s, int64_t ms, const char *why,
                       int64_t now_ms) {
  struct edge_state *state = &s->state;
  edge_state_sync(s);
  if (ms == 0 && state->shelved_ms == 0)
    return;
  state->shelved_ms = ms > 0 ? now_ms + ms : 0;
  if (ms == 0)
    state->told = state->shown == EDGE_UNSAID ? WR_UNCERTAIN : state->shown;
  edge_notify_shelved(s, ms, why);
  tell_health(s, now_ms);
}

/* Remembers what came in up to now, to say later what did not. */
static void mark(struct edge_series *s) {
  pthread_mutex_lock(&s->target->lock);
  s->state.seen = s->feed;
  s->state.seen_counts = *wr_window_counts(s->window);
  pthread_mutex_unlock(&s->target->lock);
}

static bool is_known(struct edge_series *s, const struct wr_decision *d) {
  struct edge_state *state = &s->state;
  bool held = state->shown == EDGE_UNKNOWN || state->shown == EDGE_UNSAID;
  return !held || d->state != WR_UNCERTAIN || ++state->held >= s->target->o.of;
}

/* Windows: not another text, and publish, each second. */
#define HINT_EVERY 10

/* What an alarm looks like; with few samples, or such of another pace than
 * seconds, there is only the level. */
static void find_hint(const struct edge_job *job,
                      const struct edge_outcome *o) {
  struct edge_series *s = job->series;
  struct edge_state *state = &s->state;
  struct wr_hint hint;
  if (state->shown < 0 || !s->target->rules.alarming[state->shown] ||
      state->context.count == 0) {
    state->reason[0] = '\0';
    state->alarmed = 0;
    return;
  }
  if (state->alarmed++ % HINT_EVERY != 0)
    return;
  bool beyond = o->decision.by_range && o->decision.state == state->shown;
  int side = o->decision.level < s->target->o.nominal ? -1 : 1;
  wr_hint(&state->context, beyond ? side : 0, job->stuck, &hint);
  wr_text_part(hint.text, state->reason, sizeof(state->reason));
}

void edge_state_judged(const struct edge_job *job, struct edge_outcome *o) {
  struct edge_series *s = job->series;
  struct edge_state *state = &s->state;
  o->previous = state->shown;
  state->judged_ms = job->queued.queued_ms;
  mark(s);
  if (is_known(s, &o->decision)) {
    char what[3 * DATA_MAX_NAME_LEN];
    state->shown = o->decision.state;
    snprintf(what, sizeof(what), EDGE_WHERE ": the state of %s/%s is known",
             s->host, s->source);
    wr_trouble_end(&state->trouble, wr_clock_ms(), what);
  }
  if (state->shown != EDGE_UNKNOWN)
    find_hint(job, o);
  o->shown = state->shown;
  edge_output(o);
  notify(o);
}

void edge_state_answered(const struct edge_job *job, bool up,
                         double latency_s) {
  struct edge_series *s = job->series;
  struct edge_state *state = &s->state;
  int64_t now_ms = wr_clock_ms();
  bool turned = job->stuck != state->stuck_told;
  state->up = up;
  state->latency_s = latency_s;
  state->stuck_told = job->stuck;
  if (!state->answered || state->up != state->up_told || turned ||
      now_ms - state->told_ms >= health_ms())
    tell_health(s, now_ms);
  state->answered = true;
  if (job->stuck != state->stuck_said && state->shelved_ms == 0) {
    state->stuck_said = job->stuck;
    edge_notify_stuck(s, job->stuck,
                      job->features[job->count - s->target->axes]);
  }
}

/* Why no window was judged. */
static void find_reason(struct edge_series *s, int64_t now_ms) {
  struct edge_state *state = &s->state;
  struct edge_target *t = s->target;
  char why[320], part[EDGE_REASON - 32];
  pthread_mutex_lock(&t->lock);
  struct edge_feed feed = s->feed;
  struct wr_window_counts c = *wr_window_counts(s->window);
  pthread_mutex_unlock(&t->lock);
  uint64_t samples = feed.samples - state->seen.samples;
  double silent_s = (double)(now_ms - feed.sample_ms) / 1000.0;
  double age_s = (double)(now_ms - state->judged_ms) / 1000.0;
  if (silent_s * 2 > age_s) {
    wr_number_print(state->reason, sizeof(state->reason),
                    "no sample for %.0f s", silent_s);
  } else if (feed.windows == state->seen.windows) {
    wr_number_print(state->reason, sizeof(state->reason),
                    "no full window for %.0f s: %" PRIu64 " samples, %" PRIu64
                    " invalid, %" PRIu64 " late, %" PRIu64 " gaps over MaxGap",
                    age_s, samples, c.invalid - state->seen_counts.invalid,
                    c.late - state->seen_counts.late + feed.jumped -
                        state->seen.jumped,
                    c.restarts - state->seen_counts.restarts);
  } else if (t->misfits) {
    wr_number_print(state->reason, sizeof(state->reason),
                    "the model does not fit the options");
  } else {
    edge_engine_why(t->engine, why, sizeof(why));
    wr_text_part(why, part, sizeof(part));
    wr_number_print(state->reason, sizeof(state->reason),
                    "the model does not answer%s%s",
                    part[0] != '\0' ? ": " : "", part);
  }
}

static void tell_unknown(struct edge_series *s, int64_t now_ms) {
  struct edge_state *state = &s->state;
  edge_state_sync(s);
  int previous = state->shown;
  find_reason(s, now_ms);
  wr_trouble_begin(&state->trouble, now_ms, LOG_WARNING,
                   EDGE_WHERE ": the state of %s/%s is unknown: %s.", s->host,
                   s->source, state->reason);
  if (previous != EDGE_UNKNOWN) {
    wr_votes_init(&state->verdict.votes); /* what they were is no evidence */
    state->held = 0;
    state->up = false;
  }
  state->alarmed = 0; /* the reason is another one now */
  state->shown = EDGE_UNKNOWN;
  struct edge_outcome o = {.series = s,
                           .time = edge_series_time(s, now_ms),
                           .decision = {.state = WR_UNCERTAIN},
                           .shown = EDGE_UNKNOWN,
                           .previous = previous};
  edge_output(&o);
  tell_health(s, now_ms);
  notify(&o);
}

static int64_t review(struct edge_series *s, int64_t now_ms) {
  struct edge_state *state = &s->state;
  int64_t stale_ms = state->judged_ms + edge_stale_ms(s->target) - now_ms;
  int64_t health = state->told_ms + health_ms() - now_ms;
  if (stale_ms > 0) {
    if (!state->answered)
      return stale_ms;
    if (health <= 0) {
      tell_health(s, now_ms);
      health = health_ms();
    }
    return health < stale_ms ? health : stale_ms;
  }
  if (state->shown != EDGE_UNKNOWN || health <= 0) {
    tell_unknown(s, now_ms);
    health = health_ms();
  }
  return health;
}

int64_t edge_state_review(struct edge_series *s, int64_t now_ms) {
  struct edge_state *state = &s->state;
  if (state->shelved_ms != 0 && now_ms >= state->shelved_ms)
    edge_state_shelve(s, 0, "", now_ms);
  int64_t next = review(s, now_ms), shelved = state->shelved_ms - now_ms;
  return shelved > 0 && shelved < next ? shelved : next;
}
