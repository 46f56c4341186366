/* The last minute of a series, for the second opinion and for hints. A window
 * as long as that shows it; with a shorter one it is kept beside the windows.
 */
#include "edge.h"

/* It knows samples of one second only. */
static bool has_seconds(const struct edge_target *t) {
  return t->shape.interval_us >= 900000 && t->shape.interval_us <= 1100000;
}

static bool is_in_window(const struct edge_target *t) {
  return t->shape.samples >= WR_LOOK_SAMPLES;
}

/* The newest samples of a window. */
static void add(struct wr_context *c, const struct edge_job *job,
                size_t count) {
  const struct edge_target *t = job->series->target;
  wr_context_add(c, job->features + job->count - count * t->axes, t->axes,
                 count, WR_NOMINAL / (t->o.nominal * job->scale));
}

void edge_minute_add(const struct edge_job *job, size_t fresh) {
  struct edge_state *state = &job->series->state;
  const struct edge_target *t = job->series->target;
  if (!has_seconds(t))
    return;
  if (is_in_window(t)) {
    free(state->context); /* of a model before */
    state->context = NULL;
    return;
  }
  if (state->context == NULL)
    state->context = calloc(1, sizeof(*state->context));
  if (state->context != NULL)
    add(state->context, job, fresh);
}

void edge_minute_forget(struct edge_series *s) {
  if (s->state.context != NULL)
    wr_context_init(s->state.context);
}

struct wr_context *edge_minute(const struct edge_job *job) {
  struct edge_target *t = job->series->target;
  if (!has_seconds(t))
    return NULL;
  if (!is_in_window(t))
    return job->series->state.context;
  wr_context_init(&t->minute);
  add(&t->minute, job, job->fill);
  return &t->minute;
}
