/* The last minute of a series, for the second opinion and for hints: it is made
 * of the samples that come with each window. */
#include "edge.h"

/* It knows samples of one second only. */
static bool has_seconds(const struct edge_target *t) {
  return t->shape.interval_us >= 900000 && t->shape.interval_us <= 1100000;
}

struct wr_context *edge_minute(const struct edge_job *job) {
  struct edge_target *t = job->series->target;
  if (!has_seconds(t))
    return NULL;
  wr_context_init(&t->minute);
  wr_context_add(&t->minute, edge_job_held(job), job->axes, job->held,
                 WR_NOMINAL / (t->o.nominal * job->scale));
  return &t->minute;
}
