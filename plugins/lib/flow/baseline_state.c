#include "lib/flow/baseline_state.h"

#include "lib/base/number.h"

#include <errno.h>
#include <math.h>
#include <string.h>

/* Either writes to `out` or reads from `text`; after an error does nothing. */
struct io {
  struct wr_bytes *out;
  const char *text;
  int status;
};

static void put(struct io *io, double value, bool is_float) {
  char text[WR_NUMBER_MAX];
  if (isnan(value))
    io->status = wr_bytes_text(io->out, "- ");
  else
    io->status =
        wr_bytes_printf(io->out, "%s ",
                        is_float ? wr_number_write_float(text, (float)value)
                                 : wr_number_write(text, value));
}

static double get(struct io *io) {
  char word[WR_NUMBER_MAX];
  double value = 0;
  size_t len = strcspn(io->text, " ");
  io->status = -EBADMSG;
  if (len == 0 || len >= sizeof(word))
    return 0;
  memcpy(word, io->text, len);
  word[len] = '\0';
  io->text += len + (io->text[len] == ' ');
  if (strcmp(word, "-") == 0)
    value = NAN;
  else if (wr_number_read(word, &value) != 0)
    return 0;
  io->status = 0;
  return value;
}

/* A number; read ones must be within the range. NaN only where `or_none`. */
static void number(struct io *io, double *value, double min, double max,
                   bool or_none, bool is_float) {
  if (io->status != 0)
    return;
  if (io->out != NULL) {
    put(io, *value, is_float);
    return;
  }
  double read = get(io);
  if (io->status == 0 && (isnan(read) ? !or_none : read < min || read > max))
    io->status = -EBADMSG;
  if (io->status == 0)
    *value = read;
}

#define BEYOND 1e15 /* no level, no age and no total is beyond */

static void d(struct io *io, double *value) {
  number(io, value, -BEYOND, BEYOND, false, false);
}

static void f_or(struct io *io, float *value, double min, bool or_none) {
  double v = (double)*value;
  number(io, &v, min, BEYOND, or_none, true);
  *value = (float)v;
}

static void f(struct io *io, float *value) { f_or(io, value, -BEYOND, false); }

/* At least 0. */
static void positive(struct io *io, float *value) { f_or(io, value, 0, false); }

static int whole(struct io *io, int value, int min, int max) {
  double v = value;
  number(io, &v, min, max, false, false);
  if (io->status == 0 && v != floor(v))
    io->status = -EBADMSG;
  return io->status == 0 ? (int)v : value;
}

static void flag(struct io *io, bool *value) {
  *value = whole(io, *value, 0, 1) != 0;
}

static void small(struct io *io, uint8_t *value, int max) {
  *value = (uint8_t)whole(io, *value, 0, max);
}

static void way(struct io *io, int8_t *value) {
  *value = (int8_t)whole(io, *value, -1, 1);
}

static void point(struct io *io, struct wr_point *p) {
  f(io, &p->level);
  f(io, &p->reference);
  f(io, &p->origin);
  positive(io, &p->left_s);
  f_or(io, &p->key, -BEYOND, true);
  positive(io, &p->seen_s);
  positive(io, &p->held_s);
  small(io, &p->visits, UINT8_MAX);
  flag(io, &p->used);
  flag(io, &p->accepted);
}

static void points(struct io *io, struct wr_points *p) {
  for (int i = 0; i < WR_POINTS_MAX; i++)
    point(io, p->at + i);
  p->current = (int8_t)whole(io, p->current, WR_POINTS_NONE, WR_POINTS_MAX - 1);
  small(io, &p->count, WR_POINTS_MAX);
  positive(io, &p->scale);
}

static void totals(struct io *io, struct wr_totals *t) {
  d(io, &t->litres);
  d(io, &t->hour);
  d(io, &t->day);
  positive(io, &t->hour_s);
  positive(io, &t->day_s);
  positive(io, &t->last_hour);
  positive(io, &t->last_day);
  flag(io, &t->has_hour);
  flag(io, &t->has_day);
  flag(io, &t->restless);
  small(io, &t->days, WR_TOTALS_DAYS);
  small(io, &t->next, WR_TOTALS_DAYS - 1);
  for (int i = 0; i < WR_TOTALS_DAYS; i++)
    positive(io, t->least + i);
  positive(io, &t->today);
  positive(io, &t->block);
  positive(io, &t->block_s);
  positive(io, &t->busy_s);
}

static void trend(struct io *io, struct wr_trend *t) {
  for (int s = 0; s < WR_TREND_SCALES; s++) {
    struct wr_trend_ring *r = t->rings + s;
    small(io, &r->count, WR_TREND_BLOCKS);
    small(io, &r->next, WR_TREND_BLOCKS - 1);
    small(io, &r->filled, WR_TREND_BLOCKS);
    f(io, &r->sum);
    for (int i = 0; i < r->count; i++) /* within the ceiling, or 0 */
      r->means[i] = (int16_t)whole(io, r->means[i], INT16_MIN, INT16_MAX);
  }
}

/* All that outlives a restart. What the newest seconds said, and a time of
 * learning that was not over, do not. */
static void series(struct io *io, struct wr_baseline *b) {
  double stamp_s = floor((double)b->pace.time_us / 1e6);
  number(io, &stamp_s, 0, 1e11, false, false);
  b->pace.time_us = (int64_t)stamp_s * 1000000;
  number(io, &b->age_s, 0, BEYOND, false, false);
  f_or(io, &b->key, -BEYOND, true);
  flag(io, &b->learned);
  way(io, &b->drift);
  way(io, &b->slow);
  flag(io, &b->spread);
  flag(io, &b->jumped);
  flag(io, &b->waiting);
  way(io, &b->direction);
  small(io, &b->state, WR_BASELINE_DRIFT);
  d(io, &b->base);
  positive(io, &b->deviation);
  positive(io, &b->wander);
  positive(io, &b->quantum);
  positive(io, &b->drift_left_s);
  positive(io, &b->spread_left_s);
  d(io, &b->drift_s);
  d(io, &b->since_s);
  points(io, &b->points);
  totals(io, &b->totals);
  if (b->learned)
    trend(io, &b->u.trend);
}

int wr_baseline_put(struct wr_bytes *out, const struct wr_baseline *b) {
  struct wr_baseline copy = *b; /* the list of fields serves both ways */
  struct io io = {.out = out};
  (void)whole(&io, WR_BASELINE_STATE_VERSION, 0, INT16_MAX);
  series(&io, &copy);
  return io.status;
}

int wr_baseline_get(const char *text, struct wr_baseline *b) {
  struct io io = {.text = text};
  struct wr_baseline read;
  int version = whole(&io, 0, 0, INT16_MAX);
  if (io.status == 0 && version != WR_BASELINE_STATE_VERSION)
    return -ENOTSUP;
  wr_baseline_init(&read);
  series(&io, &read);
  if (io.status == 0 && io.text[0] != '\0')
    io.status = -EBADMSG;
  /* A series that has learnt stands at a point. */
  if (io.status == 0 && read.learned &&
      (read.points.current < 0 || !read.points.at[read.points.current].used))
    io.status = -EBADMSG;
  if (io.status != 0)
    return io.status;
  wr_baseline_resume(&read);
  *b = read;
  return 0;
}
