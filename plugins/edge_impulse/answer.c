/* What the worker does with a window: ask the model about it, and let the
 * verdict decide. */
#include "edge.h"

#include "collectd/core/utils/common/common.h"

/* Windows of another shape begin anew. */
static void reshape(struct edge_target *t, const struct wr_model *m) {
  struct wr_window_options shape = t->shape;
  shape.samples = m->features / m->axes;
  shape.axes = m->axes;
  t->fitted = true;
  if (t->o.interval_ms == 0)
    shape.interval_us = m->interval_us;
  if (t->o.stride == 0)
    shape.stride = 1;
  if (memcmp(&shape, &t->shape, sizeof(shape)) == 0)
    return;
  t->shape = shape;
  t->holes = 0;
  wr_table_clear(t->series);
}

void edge_target_adopt(struct edge_target *t, const struct wr_model *model) {
  char text[256];
  const char *misfit = edge_rules_misfit(&t->o, model, text, sizeof(text));
  if (misfit != NULL) {
    wr_trouble_begin(&t->misfit, wr_clock_ms(), LOG_ERR, EDGE_WHERE ": %s.",
                     misfit);
    return;
  }
  wr_trouble_end(&t->misfit, wr_clock_ms(),
                 EDGE_WHERE ": the model fits the options");
  (void)edge_rules_build(t, model);
  pthread_mutex_lock(&t->lock);
  reshape(t, model);
  pthread_mutex_unlock(&t->lock);
}

/* The values as the model knows them: of a loop whose normal flow is 10. */
static void scale(struct edge_engine *e, const struct edge_job *job) {
  for (size_t i = 0; i < job->count; i++)
    e->scaled[i] = i % e->info.axes == 0
                       ? job->features[i] * 10.0 / job->target->o.nominal
                       : job->features[i];
}

/* A window as the verdict wants it: axis 0, and no zeros in front. */
static struct wr_verdict_input input_of(const struct edge_job *job,
                                        const struct wr_answer *answer) {
  size_t axes = job->target->shape.axes;
  size_t padding = job->count - job->fill * axes;
  uint64_t fresh = job->taken - job->series->taken;
  return (struct wr_verdict_input){
      .scores = answer != NULL ? answer->scores : NULL,
      .anomaly = answer != NULL ? answer->anomaly : NAN,
      .values = job->features + padding,
      .step = axes,
      .count = job->fill,
      .fresh = fresh < job->fill ? (size_t)fresh : job->fill};
}

static void decide(struct edge_engine *e, struct edge_job *job,
                   struct edge_outcome *o) {
  struct edge_target *t = job->target;
  struct edge_series *s = job->series;
  if (t->rules.generation == 0 && edge_rules_build(t, NULL) != 0)
    return;
  if (s->generation != t->rules.generation) {
    wr_verdict_init(&s->verdict);
    s->generation = t->rules.generation;
  }
  if (job->restarted)
    wr_verdict_gap(&s->verdict);
  struct wr_verdict_input in = input_of(job, o->answer);
  s->taken = job->taken;
  if (wr_verdict_step(&s->verdict, &t->rules.verdict, &in, &o->decision)) {
    edge_output(job, o);
    if (o->answer != NULL)
      edge_keep(job, &o->decision, e->scaled);
  }
  edge_output_health(job, o->answer != NULL, o->latency_s, e->queued);
}

void edge_answer(struct edge_engine *e, struct edge_job *job) {
  struct wr_answer answer;
  struct edge_outcome o = {0};
  bool fits = e->described && job->count == e->info.features &&
              job->target->misfit.since_ms == 0;
  int status = -ENOTCONN;
  if (e->ready && fits) {
    scale(e, job);
    status = edge_model_ask(e, &answer, &o.latency_s);
  }
  if (status == -ECANCELED)
    return;
  if (status == 0)
    o.answer = &answer;
  else
    job->series->errors[fits ? e->last_error : EDGE_MODEL]++;
  decide(e, job, &o);
}
