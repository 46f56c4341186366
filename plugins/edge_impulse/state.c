/* What a series is said to be. A state is as old as the newest sample that was
 * judged for it; beyond StaleAfter it is unknown, whatever the reason, and
 * stays so until windows have been judged again. */
#include "edge.h"

#include "collectd/core/utils/common/common.h"
#include "glue/instance.h"
#include "lib/base/number.h"
#include "lib/flow/hint.h"

int64_t edge_stale_ms(const struct edge_target *t) {
  const struct wr_window_options *w = &t->shape;
  return wr_standing_stale_ms(t->o.stale_ms,
                              w->least > 1 ? w->least : w->samples, w->stride,
                              w->interval_us);
}

static struct wr_standing_rules rules_of(const struct edge_target *t) {
  int64_t every_ms = (int64_t)CDTIME_T_TO_MS(interval_g);
  return (struct wr_standing_rules){
      .stale_ms = edge_stale_ms(t),
      .health_ms =
          every_ms < WR_STANDING_HEALTH_MS ? every_ms : WR_STANDING_HEALTH_MS,
      .of = t->o.of};
}

static void tell_health(struct edge_series *s, int64_t now_ms) {
  struct wr_standing *stands = &s->state.stands;
  /* Thousands that came at once would speak at once from then on. */
  int64_t early_ms = stands->told_ms == 0
                         ? wr_beat_phase(WR_STANDING_HEALTH_MS, s->state.number)
                         : 0;
  edge_output_health(s);
  wr_standing_health_told(stands, now_ms - early_ms);
}

/* A state by the rules of one generation before, as it is called now. */
static int carry(const struct edge_rules *r, unsigned generation, int state) {
  if (state < 0)
    return state;
  if (generation + 1 != r->generation || (size_t)state >= r->before.count)
    return WR_UNSAID;
  int label = wr_labels_find(&r->labels, r->before.at[state].name);
  return label >= 0 ? label : WR_UNSAID;
}

/* A label that the other model has as well stays the state. */
void edge_state_sync(struct edge_series *s) {
  struct edge_state *state = &s->state;
  struct wr_standing *stands = &state->stands;
  const struct edge_rules *r = &s->target->rules;
  if (state->generation == r->generation)
    return;
  stands->shown = carry(r, state->generation, stands->shown);
  stands->told = carry(r, state->generation, stands->told);
  if (stands->told == WR_UNSAID)
    stands->told = WR_UNCERTAIN;
  state->generation = r->generation;
  wr_verdict_rest_init(&state->verdict);
  if (stands->shown >= 0)
    wr_votes_set(&state->verdict.votes, stands->shown,
                 r->alarming[stands->shown]);
  else if (stands->shown == WR_UNCERTAIN)
    stands->shown = WR_UNSAID;
  if (stands->shown == WR_UNSAID)
    stands->held = 0;
}

static void notify(struct edge_outcome *o) {
  if (wr_standing_notify(&o->series->state.stands, &o->previous))
    edge_notify_state(o);
}

void edge_state_shelve(struct edge_series *s, int64_t ms, const char *why,
                       int64_t now_ms) {
  edge_state_sync(s);
  if (!wr_standing_shelve(&s->state.stands, ms, now_ms))
    return;
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

/* False: it was this one. Without memory there is none. */
static bool set_reason(struct edge_state *state, const char *text) {
  if (strcmp(edge_reason(state), text) == 0)
    return false;
  free(state->reason);
  state->reason = text[0] != '\0' ? strdup(text) : NULL;
  return true;
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
  int shown = state->stands.shown;
  bool alarms = shown >= 0 && s->target->rules.alarming[shown];
  struct wr_context *minute = alarms ? edge_minute(job) : NULL;
  if (minute == NULL || minute->count == 0) {
    state->reason_told &= !set_reason(state, "");
    state->alarmed = 0;
    return;
  }
  if (state->alarmed++ % HINT_EVERY != 0)
    return;
  char text[EDGE_REASON];
  bool beyond = o->decision.by_range && o->decision.state == shown;
  int side = o->decision.level < s->target->o.nominal ? -1 : 1;
  wr_hint(minute, beyond ? side : 0, job->stuck, &hint);
  wr_text_part(hint.text, text, sizeof(text));
  state->reason_told &= !set_reason(state, text);
}

/* Whether the values of this window say what those before did not; scores
 * alone wait for the heartbeat. They count as told. */
static bool has_news(struct edge_state *state, const struct edge_outcome *o) {
  struct edge_told now = {.vote = o->decision.vote,
                          .by_range = o->decision.by_range,
                          .answered = o->answer != NULL};
  struct edge_told *was = &state->values;
  bool news = o->shown != o->previous || !state->reason_told ||
              now.vote != was->vote || now.by_range != was->by_range ||
              now.answered != was->answered;
  *was = now;
  state->reason_told = true;
  return news;
}

void edge_state_judged(const struct edge_job *job, struct edge_outcome *o) {
  struct edge_series *s = job->series;
  struct edge_state *state = &s->state;
  struct wr_standing_rules rules = rules_of(s->target);
  o->previous = state->stands.shown;
  mark(s);
  if (wr_standing_judged(&state->stands, &rules, o->decision.state,
                         job->queued.queued_ms)) {
    char what[3 * DATA_MAX_NAME_LEN];
    snprintf(what, sizeof(what), EDGE_WHERE ": the state of %s/%s is known",
             s->host, s->source);
    wr_trouble_end(&state->trouble, wr_clock_ms(), what);
  }
  if (state->stands.shown != WR_UNKNOWN)
    find_hint(job, o);
  o->shown = state->stands.shown;
  if (wr_beat_due(&state->beat, has_news(state, o), job->queued.queued_ms))
    edge_output(o);
  notify(o);
}

void edge_state_answered(const struct edge_job *job, bool up,
                         double latency_s) {
  struct edge_series *s = job->series;
  struct edge_state *state = &s->state;
  struct wr_standing_rules rules = rules_of(s->target);
  int64_t now_ms = wr_clock_ms();
  bool turned = job->stuck != state->stuck_told;
  state->latency_s = latency_s;
  state->stuck_told = job->stuck;
  if (wr_standing_answered(&state->stands, &rules, up, turned, now_ms))
    tell_health(s, now_ms);
  if (job->stuck != state->stuck_said && state->stands.shelved_ms == 0) {
    state->stuck_said = job->stuck;
    edge_notify_stuck(s, job->stuck,
                      job->features[job->count - s->target->axes]);
  }
}

/* Why no window was judged. */
static void find_reason(struct edge_series *s, int64_t now_ms) {
  struct edge_state *state = &s->state;
  struct edge_target *t = s->target;
  char text[EDGE_REASON], why[320], part[EDGE_REASON - 32];
  pthread_mutex_lock(&t->lock);
  struct edge_feed feed = s->feed;
  struct wr_window_counts c = *wr_window_counts(s->window);
  pthread_mutex_unlock(&t->lock);
  uint64_t samples = feed.samples - state->seen.samples;
  double silent_s = (double)(now_ms - feed.sample_ms) / 1000.0;
  double age_s = (double)(now_ms - state->stands.judged_ms) / 1000.0;
  if (silent_s * 2 > age_s) {
    wr_number_print(text, sizeof(text), "no sample for %.0f s", silent_s);
  } else if (feed.windows == state->seen.windows) {
    wr_number_print(text, sizeof(text),
                    "no full window for %.0f s: %" PRIu64 " samples, %" PRIu64
                    " invalid, %" PRIu64 " late, %" PRIu64 " gaps over MaxGap",
                    age_s, samples, c.invalid - state->seen_counts.invalid,
                    c.late - state->seen_counts.late + feed.jumped -
                        state->seen.jumped,
                    c.restarts - state->seen_counts.restarts);
  } else if (t->misfits) {
    wr_number_print(text, sizeof(text), "the model does not fit the options");
  } else {
    edge_engine_why(t->engine, why, sizeof(why));
    wr_text_part(why, part, sizeof(part));
    wr_number_print(text, sizeof(text), "the model does not answer%s%s",
                    part[0] != '\0' ? ": " : "", part);
  }
  (void)set_reason(state, text);
}

static void tell_unknown(struct edge_series *s, int64_t now_ms) {
  struct edge_state *state = &s->state;
  edge_state_sync(s);
  int previous = state->stands.shown;
  find_reason(s, now_ms);
  wr_trouble_begin(&state->trouble, now_ms, LOG_WARNING,
                   EDGE_WHERE ": the state of %s/%s is unknown: %s.", s->host,
                   s->source, edge_reason(state));
  if (wr_standing_lose(&state->stands))
    wr_votes_init(&state->verdict.votes); /* what they were is no evidence */
  state->alarmed = 0;                     /* the reason is another one now */
  struct edge_outcome o = {.series = s,
                           .time = edge_series_time(s, now_ms),
                           .decision = {.state = WR_UNCERTAIN},
                           .shown = WR_UNKNOWN,
                           .previous = previous};
  edge_output(&o);
  tell_health(s, now_ms);
  notify(&o);
}

int64_t edge_state_review(struct edge_series *s, int64_t now_ms) {
  struct wr_standing *stands = &s->state.stands;
  struct wr_standing_rules rules = rules_of(s->target);
  int64_t wait_ms;
  if (stands->shelved_ms != 0 && now_ms >= stands->shelved_ms)
    edge_state_shelve(s, 0, "", now_ms);
  enum wr_standing_due due =
      wr_standing_review(stands, &rules, now_ms, &wait_ms);
  if (due == WR_STANDING_HEALTH)
    tell_health(s, now_ms);
  else if (due == WR_STANDING_UNKNOWN)
    tell_unknown(s, now_ms);
  int64_t shelved_ms = stands->shelved_ms - now_ms;
  return shelved_ms > 0 && shelved_ms < wait_ms ? shelved_ms : wait_ms;
}
