/* Windows the model should learn from: alarming ones, and those it could not
 * tell. Runs on the worker, so the disk delays nobody but the next window. */
#include "edge.h"

#include "collectd/core/utils/common/common.h"

#include <errno.h>

/* Windows overlap; one of each stretch of data is enough. */
static bool is_due(const struct edge_job *job, int64_t now_us) {
  const struct wr_window_options *shape = &job->series->target->shape;
  int64_t length_us = (int64_t)shape->samples * shape->interval_us;
  int64_t kept_us = job->series->state.kept_us;
  return kept_us == 0 || now_us < kept_us || now_us - kept_us >= length_us;
}

static bool is_wanted(const struct edge_target *t,
                      const struct wr_decision *d) {
  return d->unsure || d->vote == WR_UNCERTAIN ? t->o.capture_uncertain
                                              : t->rules.alarming[d->vote];
}

static int open_once(struct edge_target *t) {
  const struct edge_options *o = &t->o;
  return t->capture != NULL
             ? 0
             : wr_capture_open(o->capture_dir, (size_t)o->capture_files,
                               (uint64_t)o->capture_bytes, &t->capture);
}

/* "name\0name\0..." of the axes; of a single series its instance. */
static void name_sensors(const struct edge_job *job, struct wr_bytes *out) {
  const struct edge_options *o = &job->series->target->o;
  for (size_t i = 0; i < o->axis_count; i++)
    (void)wr_bytes_append(out, o->axes[i].name, strlen(o->axes[i].name) + 1);
  if (o->axis_count == 0)
    (void)wr_bytes_append(out, "value", sizeof("value"));
}

void edge_keep(const struct edge_job *job, const struct wr_decision *d,
               const double *scaled) {
  struct edge_target *t = job->series->target;
  struct wr_bytes sensors = WR_BYTES_INIT(16 * 1024);
  char device[2 * DATA_MAX_NAME_LEN];
  if (t->o.capture_dir == NULL || !is_wanted(t, d) || !is_due(job, job->end_us))
    return;
  edge_engine_absent(t->engine, true);
  name_sensors(job, &sensors);
  snprintf(device, sizeof(device), "%s/%s", job->series->host,
           job->series->instance);
  struct wr_sample s = {.device = device,
                        .label = d->unsure || d->vote == WR_UNCERTAIN
                                     ? EDGE_UNCERTAIN
                                     : t->rules.labels.at[d->vote].name,
                        .sensors = sensors.data,
                        .interval_us = t->shape.interval_us,
                        .end_us = job->end_us,
                        .axes = t->shape.axes,
                        .values = scaled + job->missing,
                        .count = job->count - job->missing};
  int status = sensors.data == NULL ? -ENOMEM : open_once(t);
  if (status == 0)
    status = wr_capture_write(t->capture, &s);
  if (status != 0) { /* the directory may be another one by the next time */
    wr_capture_close(t->capture);
    t->capture = NULL;
  }
  wr_bytes_free(&sensors);
  edge_engine_absent(t->engine, false);
  if (status == 0) {
    job->series->state.kept_us = job->end_us;
    wr_trouble_end(&t->disk, wr_clock_ms(),
                   EDGE_WHERE ": windows are kept in CaptureDir");
  } else
    wr_trouble_begin(&t->disk, wr_clock_ms(), LOG_WARNING,
                     EDGE_WHERE ": no window can be kept in %s: %s.",
                     t->o.capture_dir, STRERROR(-status));
}
