/* One window: ask the model about it, and let the verdict decide. */
#include "edge.h"

#include "collectd/core/utils/common/common.h"

#include <errno.h>

static void reshape_window(void *value, void *arg) {
  struct edge_series *s = value;
  const struct edge_target *t = arg;
  struct wr_window *w = wr_window_create(&t->shape);
  if (w == NULL)
    return; /* its windows will not fit the model, and the state says so */
  wr_window_destroy(s->window);
  s->window = w;
}

/* Windows of another shape begin anew. */
static void reshape(struct edge_target *t, const struct wr_model *m) {
  struct wr_window_options shape = t->shape;
  shape.samples = m->features / m->axes;
  shape.axes = m->axes;
  shape.least = edge_least(&t->o, m);
  t->fitted = true;
  if (t->o.interval_ms == 0)
    shape.interval_us = m->interval_us;
  if (t->o.stride == 0)
    shape.stride = 1;
  if (memcmp(&shape, &t->shape, sizeof(shape)) == 0)
    return;
  t->shape = shape;
  t->holes = 0;
  wr_table_each(t->series, reshape_window, t);
}

/* With engine.judging held. */
static void adopt(struct edge_target *t, const struct wr_model *model) {
  char text[256];
  const char *misfit = edge_rules_misfit(&t->o, model, text, sizeof(text));
  if (misfit == NULL && edge_rules_build(t, model, text, sizeof(text)) != 0)
    misfit = text;
  t->fits = misfit == NULL;
  t->misfits = !t->fits;
  if (misfit != NULL) {
    wr_trouble_begin(&t->misfit, wr_clock_ms(), LOG_ERR, EDGE_WHERE ": %s.",
                     misfit);
    return;
  }
  wr_trouble_end(&t->misfit, wr_clock_ms(),
                 EDGE_WHERE ": the model fits the options");
  (void)edge_rules_remarks(t, model);
  pthread_mutex_lock(&t->lock);
  reshape(t, model);
  pthread_mutex_unlock(&t->lock);
}

void edge_target_adopt(struct edge_target *t, const struct wr_model *model) {
  pthread_mutex_lock(&t->engine->judging);
  adopt(t, model);
  pthread_mutex_unlock(&t->engine->judging);
}

/* The values as the model knows them: of a loop whose normal flow is 10. */
static void scale(struct edge_engine *e, const struct edge_job *job) {
  double none = e->info.least != 0 ? WR_EI_NO_SAMPLE : 0.0;
  for (size_t i = 0; i < job->count; i++)
    e->scaled[i] = i < job->missing ? none
                   : i % e->info.axes == 0
                       ? job->features[i] * 10.0 /
                             (job->series->target->o.nominal * job->scale)
                       : job->features[i];
}

/* A window as the verdict wants it: axis 0, and samples only, with those that
 * came before. */
static struct wr_verdict_input input_of(const struct edge_job *job,
                                        const struct wr_answer *answer) {
  return (struct wr_verdict_input){
      .scores = answer != NULL ? answer->scores : NULL,
      .anomaly = answer != NULL ? answer->anomaly : NAN,
      .values = edge_job_held(job),
      .step = job->axes,
      .count = job->held,
      .fresh = job->held,
      .plan = job->say,
      .scale = job->scale};
}

static bool wants_context(const struct edge_target *t) {
  if (t->o.context == EDGE_CONTEXT_AUTO)
    return t->axes == 1 && t->shape.samples < WR_CONTEXT_SECONDS;
  return t->o.context == EDGE_CONTEXT_ON;
}

/* Whether the last minute says that there is no cause for alarm. */
static bool is_excused(const struct edge_job *job) {
  struct wr_context *minute =
      wants_context(job->series->target) ? edge_minute(job) : NULL;
  return minute != NULL && wr_context_excuses(minute);
}

/* answer NULL: the model is away. engine.judging is held. True and *decision,
 * if the window was judged. */
static bool decide(struct edge_job *job, const struct wr_answer *answer,
                   struct wr_decision *decision) {
  struct edge_series *s = job->series;
  struct edge_target *t = s->target;
  struct edge_state *state = &s->state;
  struct edge_outcome o = {.series = s, .time = job->time, .answer = answer};
  edge_state_sync(s);
  if (job->restarted)
    wr_votes_gap(&state->verdict.votes);
  struct wr_verdict_input in = input_of(job, answer);
  in.excused = is_excused(job);
  wr_verdict_resume(&t->verdict, &state->verdict);
  bool judged =
      wr_verdict_step(&t->verdict, &t->rules.verdict, &in, &o.decision);
  wr_verdict_leave(&t->verdict, &state->verdict);
  if (!judged)
    return false;
  edge_plan_remark(s);
  edge_state_judged(job, &o);
  *decision = o.decision;
  return true;
}

void edge_answer_away(struct edge_job *job, enum edge_error kind) {
  struct wr_decision decision;
  job->series->errors[kind]++;
  (void)decide(job, NULL, &decision);
  edge_state_answered(job, false, 0);
}

void edge_answer(struct edge_engine *e, struct edge_job *job) {
  struct wr_answer answer;
  double latency_s = 0;
  pthread_mutex_lock(&e->judging);
  bool fits = e->described && job->series->target->fits &&
              job->count == e->info.features;
  pthread_mutex_unlock(&e->judging);
  int status = -ENOTCONN;
  if (e->ready && fits) {
    scale(e, job);
    status = edge_model_ask(e, &answer, &latency_s);
  }
  if (status == -ECANCELED)
    return;
  struct wr_decision decision;
  bool judged = false;
  pthread_mutex_lock(&e->judging);
  if (status == 0) {
    judged = decide(job, &answer, &decision);
    edge_state_answered(job, true, latency_s);
  } else
    edge_answer_away(job, fits ? e->last_error : EDGE_MODEL);
  pthread_mutex_unlock(&e->judging);
  if (judged)
    edge_keep(job, &decision, e->scaled);
}
