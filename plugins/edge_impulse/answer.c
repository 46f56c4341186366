/* What the worker does: learn what the model wants, ask it about a window, let
 * the verdict decide. */
#include "edge.h"

#include "collectd/core/utils/common/common.h"

#include <errno.h>

static enum edge_error error_kind(int status) {
  switch (status) {
  case -ETIMEDOUT:
    return EDGE_TIMEOUT;
  case -ECONNREFUSED:
    return EDGE_REFUSED;
  case -EREMOTEIO:
  case -ENOTSUP:
    return EDGE_MODEL;
  default:
    return EDGE_PROTOCOL;
  }
}

static void failed(struct edge_engine *e, int status) {
  if (status == -ECANCELED)
    return;
  int64_t now_ms = wr_clock_ms();
  e->last_error = error_kind(status);
  wr_backoff_fail(&e->backoff, now_ms, wr_clock_random(), 0);
  wr_trouble_begin(&e->trouble, now_ms, LOG_WARNING,
                   EDGE_WHERE ": the model at %s does not answer: %s. Trying "
                              "again.",
                   edge_engine_name(e), e->inference->error);
}

static void succeeded(struct edge_engine *e) {
  char what[512];
  wr_backoff_ok(&e->backoff);
  snprintf(what, sizeof(what), EDGE_WHERE ": the model at %s answers",
           edge_engine_name(e));
  wr_trouble_end(&e->trouble, wr_clock_ms(), what);
}

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

/* The model is known, perhaps another one than before: every target of this
 * engine takes it over. */
static void adopt(struct edge_engine *e) {
  char text[256];
  for (struct edge_target *t = edge_targets; t != NULL; t = t->next) {
    if (t->engine != e)
      continue;
    const char *misfit = edge_rules_misfit(&t->o, &e->info, text, sizeof(text));
    if (misfit != NULL) {
      wr_trouble_begin(&t->misfit, wr_clock_ms(), LOG_ERR, EDGE_WHERE ": %s.",
                       misfit);
      continue;
    }
    wr_trouble_end(&t->misfit, wr_clock_ms(),
                   EDGE_WHERE ": the model fits the options");
    (void)edge_rules_build(t, &e->info);
    pthread_mutex_lock(&t->lock);
    reshape(t, &e->info);
    pthread_mutex_unlock(&t->lock);
  }
}

static bool same_model(const struct wr_model *a, const struct wr_model *b) {
  if (a->features != b->features || a->axes != b->axes ||
      a->interval_us != b->interval_us || a->version != b->version ||
      a->labels.count != b->labels.count)
    return false;
  for (size_t i = 0; i < a->labels.count; i++)
    if (strcmp(a->labels.at[i].name, b->labels.at[i].name) != 0)
      return false;
  return true;
}

void edge_describe(struct edge_engine *e) {
  struct wr_model info;
  int status = wr_inference_describe(e->inference, &info);
  double *scaled =
      status == 0 ? realloc(e->scaled, info.features * sizeof(*scaled)) : NULL;
  if (scaled == NULL) {
    if (status == 0)
      wr_model_free(&info);
    failed(e, status != 0 ? status : -ENOMEM);
    return;
  }
  e->scaled = scaled;
  e->ready = true;
  if (e->described && same_model(&e->info, &info)) {
    wr_model_free(&info);
    return;
  }
  INFO(EDGE_WHERE ": the model at %s is \"%s\", version %" PRId64 ": %zu "
                  "values, %zu labels, one sample every %.3f s.",
       edge_engine_name(e), info.name, info.version, info.features,
       info.labels.count, (double)info.interval_us / 1e6);
  wr_model_free(&e->info);
  e->info = info;
  e->described = true;
  adopt(e);
}

static double level_of(const struct edge_job *job) {
  size_t axes = job->target->shape.axes;
  double sum = 0;
  for (size_t i = 0; i < job->count; i += axes)
    sum += job->features[i];
  return sum / (double)(job->count / axes);
}

/* The values as the model knows them: of a loop whose normal flow is 10. */
static void scale(struct edge_engine *e, const struct edge_job *job) {
  for (size_t i = 0; i < job->count; i++)
    e->scaled[i] = i % e->info.axes == 0
                       ? job->features[i] * 10.0 / job->target->o.nominal
                       : job->features[i];
}

/* Asks the model about e->scaled. 0 and *answer; else -errno, and the engine
 * knows. */
static int ask(struct edge_engine *e, struct wr_answer *answer,
               double *latency_s) {
  bool changed = false;
  int64_t begin_us = wr_clock_us();
  int status = wr_inference_classify(e->inference, &e->info, e->scaled, answer,
                                     &changed);
  *latency_s = (double)(wr_clock_us() - begin_us) / 1e6;
  if (status == 0)
    succeeded(e);
  else
    failed(e, status);
  /* A program that refuses one window goes on with the next; a container may
   * say the same because its program is dead. */
  if (changed || (status != 0 && !(status == -EREMOTEIO && e->url == NULL)))
    e->ready = false;
  return status;
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
  if (wr_verdict_step(&s->verdict, &t->rules.verdict,
                      o->answer != NULL ? o->answer->scores : NULL,
                      o->answer != NULL ? o->answer->anomaly : NAN, o->level,
                      &o->decision)) {
    edge_output(job, o);
    if (o->answer != NULL)
      edge_keep(job, &o->decision, e->scaled);
  }
  edge_output_health(job, o->answer != NULL, o->latency_s, e->queued);
}

void edge_answer(struct edge_engine *e, struct edge_job *job) {
  struct wr_answer answer;
  struct edge_outcome o = {.level = level_of(job)};
  bool fits = e->described && job->count == e->info.features &&
              job->target->misfit.since_ms == 0;
  if (e->ready && fits) {
    scale(e, job);
    int status = ask(e, &answer, &o.latency_s);
    if (status == -ECANCELED)
      return;
    if (status == 0)
      o.answer = &answer;
  }
  if (o.answer == NULL)
    job->series->errors[fits ? e->last_error : EDGE_MODEL]++;
  decide(e, job, &o);
}
