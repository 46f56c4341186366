#include "lib/flow/window.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define PENDING WR_WINDOW_PENDING

struct sample {
  int64_t time_us;
  double value;
  int64_t arrived_ms;
};

/* Samples of one axis in order of time, the oldest dropped when full. */
struct line {
  size_t len;
  struct sample *at; /* PENDING; NULL while none has to wait */
};

struct wr_window {
  struct wr_window_options o;
  struct wr_window_counts counts;
  bool running; /* the grid is set */
  bool restarted;
  bool saw_late;
  int64_t late_us;   /* time stamp of the last late sample */
  int64_t grid_us;   /* ideal time of the newest place taken */
  int64_t newest_us; /* time stamp of the newest sample taken */
  size_t places;     /* that are kept */
  size_t held;       /* of them taken */
  size_t fill;       /* the same, of a window */
  uint64_t taken;    /* since the beginning */
  size_t head;       /* the place to take next */
  size_t skip;       /* places until the next window */
  /* In the same allocation: */
  struct line *lines;
  uint32_t *marks; /* of axis 0, per place; NOT_SEEN when filled */
  double values[]; /* ring of places x axes */
};

#define NOT_SEEN 0

/* What tells a time stamp from the others of its window: 71 minutes fit, and
 * beyond them two differ by a multiple of that to the microsecond. */
static uint32_t mark_of(int64_t time_us) {
  uint32_t low = (uint32_t)time_us;
  return low != NOT_SEEN ? low : 1;
}

static void forget(struct wr_window *w) {
  for (size_t i = 0; i < w->places * w->o.axes; i++)
    w->values[i] = NAN;
}

static size_t places_of(const struct wr_window_options *o) {
  return o->kept > o->samples ? o->kept : o->samples;
}

/* Samples in the first window. */
static size_t least(const struct wr_window *w) {
  return w->o.least != 0 ? w->o.least : w->o.samples;
}

static bool options_fit(const struct wr_window_options *o) {
  return o->samples >= 1 && o->axes >= 1 && o->axes <= WR_WINDOW_AXES &&
         places_of(o) <= WR_WINDOW_VALUES / o->axes && o->stride >= 1 &&
         o->interval_us >= 1 && o->interval_us <= INT64_C(86400000000) &&
         o->late_ms >= 0 && o->least <= o->samples;
}

struct wr_window *wr_window_create(const struct wr_window_options *options) {
  if (!options_fit(options))
    return NULL;
  size_t places = places_of(options), values = places * options->axes;
  struct wr_window *w = calloc(1, sizeof(*w) + values * sizeof(w->values[0]) +
                                      options->axes * sizeof(*w->lines) +
                                      places * sizeof(*w->marks));
  if (w == NULL)
    return NULL;
  w->o = *options;
  w->places = places;
  w->lines = (struct line *)(w->values + values);
  w->marks = (uint32_t *)(w->lines + options->axes);
  forget(w);
  return w;
}

void wr_window_destroy(struct wr_window *w) {
  if (w == NULL)
    return;
  for (size_t a = 0; a < w->o.axes; a++)
    free(w->lines[a].at);
  free(w);
}

static void line_remove(struct line *l, size_t index) {
  l->len--;
  memmove(l->at + index, l->at + index + 1,
          (l->len - index) * sizeof(l->at[0]));
}

/* False when that time stamp is there already. The line has room. */
static bool line_insert(struct line *l, const struct sample *s) {
  size_t i = l->len;
  while (i > 0 && l->at[i - 1].time_us > s->time_us)
    i--;
  if (i > 0 && l->at[i - 1].time_us == s->time_us)
    return false;
  memmove(l->at + i + 1, l->at + i, (l->len - i) * sizeof(l->at[0]));
  l->at[i] = *s;
  l->len++;
  return true;
}

/* The newest sample in (after_us, until_us], or NULL. */
static const struct sample *line_find(const struct line *l, int64_t after_us,
                                      int64_t until_us) {
  for (size_t i = l->len; i > 0; i--)
    if (l->at[i - 1].time_us <= until_us)
      return l->at[i - 1].time_us > after_us ? &l->at[i - 1] : NULL;
  return NULL;
}

static void restart(struct wr_window *w) {
  w->running = w->saw_late = false;
  w->held = w->fill = w->head = w->skip = 0;
  forget(w);
  w->restarted = true;
}

/* Places from the newest one to a sample: 0 when it has none of its own. */
static size_t steps_to(const struct wr_window *w, int64_t time_us) {
  int64_t interval = w->o.interval_us, distance = time_us - w->grid_us;
  if (distance < interval / 2)
    return 0;
  if (distance - interval <= interval * 3 / 4)
    return 1;
  return (size_t)((distance + interval / 2) / interval);
}

/* What the other axes have for a place; false when an axis has nothing that
 * could stand for it. `*complete`: no value had to be held. */
static bool gather(const struct wr_window *w, int64_t time_us, double *values,
                   bool *complete) {
  int64_t half = w->o.interval_us / 2, interval = w->o.interval_us;
  *complete = true;
  for (size_t a = 1; a < w->o.axes; a++) {
    const struct line *l = &w->lines[a];
    const struct sample *s = line_find(
        l, time_us - half - (int64_t)w->o.max_gap * interval, time_us + half);
    if (s == NULL)
      return false;
    if (s->time_us <= time_us - half)
      *complete = false;
    values[a] = s->value;
  }
  return true;
}

static void take_place(struct wr_window *w, uint32_t mark, int64_t end_us,
                       const double *values, wr_window_fn full, void *arg) {
  w->marks[w->head] = mark;
  memcpy(w->values + w->head * w->o.axes, values,
         w->o.axes * sizeof(*w->values));
  w->head = (w->head + 1) % w->places;
  w->taken++;
  w->held += w->held < w->places;
  w->fill += w->fill < w->o.samples;
  if (w->fill < least(w))
    return;
  if (w->skip == 0) {
    full(arg, w, end_us, w->restarted);
    w->restarted = false;
    w->skip = w->o.stride;
  }
  w->skip--;
}

static const double *last_values(const struct wr_window *w) {
  size_t last = (w->head + w->places - 1) % w->places;
  return w->values + last * w->o.axes;
}

/* Holds the last values over the places in front of a sample. */
static void fill_gap(struct wr_window *w, size_t places, wr_window_fn full,
                     void *arg) {
  double values[WR_WINDOW_AXES];
  for (size_t i = 0; i < places; i++) {
    memcpy(values, last_values(w), w->o.axes * sizeof(values[0]));
    bool complete;
    w->grid_us += w->o.interval_us;
    (void)gather(w, w->grid_us, values, &complete);
    w->counts.filled++;
    take_place(w, NOT_SEEN, w->grid_us, values, full, arg);
  }
}

/* The grid follows the samples slowly: their clock drifts. */
static void follow(struct wr_window *w, int64_t time_us) {
  if (!w->running) {
    w->running = true;
    w->grid_us = time_us;
  } else {
    w->grid_us += w->o.interval_us;
    w->grid_us += (time_us - w->grid_us) / 8;
  }
  w->newest_us = time_us;
  w->saw_late = false;
}

/* A first sample waits for company, so that a disordered start loses
 * nothing; no window is later for it. */
static size_t company(const struct wr_window *w) {
  return least(w) < PENDING ? least(w) : PENDING - 1;
}

/* Puts a sample of axis 0, the oldest of `waiting`, and what may be missing in
 * front of it, into the window. False: it has to wait. */
static bool take(struct wr_window *w, const struct sample *s, size_t waiting,
                 int64_t now_ms, wr_window_fn full, void *arg) {
  bool patient = waiting < PENDING && now_ms - s->arrived_ms < w->o.late_ms;
  double values[WR_WINDOW_AXES] = {s->value};
  bool complete;
  if (!w->running && patient && waiting < company(w))
    return false;
  size_t steps = w->running ? steps_to(w, s->time_us) : 1;
  if (steps > 1 && patient)
    return false;
  bool known = steps == 0 || gather(w, s->time_us, values, &complete);
  if (steps != 0 && patient && (!known || !complete))
    return false;
  if (steps == 0) {
    w->counts.duplicate++;
    return true;
  }
  if (w->running && (steps - 1 > w->o.max_gap || !known)) {
    w->counts.restarts++;
    restart(w);
  }
  if (!known)
    return true;
  if (!complete)
    w->counts.filled++;
  if (w->running)
    fill_gap(w, steps - 1, full, arg);
  follow(w, s->time_us);
  take_place(w, mark_of(s->time_us), s->time_us, values, full, arg);
  return true;
}

void wr_window_tick(struct wr_window *w, int64_t now_ms, wr_window_fn full,
                    void *arg) {
  struct line *l = &w->lines[0];
  while (l->len > 0 && take(w, &l->at[0], l->len, now_ms, full, arg))
    line_remove(l, 0);
  if (l->len == 0 && w->o.axes == 1) { /* others wait at every place */
    free(l->at);
    l->at = NULL;
  }
}

bool wr_window_waits(const struct wr_window *w) {
  return w->running && w->lines[0].len > 0;
}

static bool seen(const struct wr_window *w, int64_t time_us) {
  uint32_t mark = mark_of(time_us);
  for (size_t i = 0; i < w->held; i++)
    if (w->marks[i] == mark)
      return true;
  return false;
}

/* A sample that is no newer than what was given out. True: to be dropped;
 * false: the clock went back, and this sample begins anew. */
static bool refuse_old(struct wr_window *w, int64_t time_us) {
  if (seen(w, time_us)) {
    w->counts.duplicate++;
    return true;
  }
  if (w->saw_late && time_us > w->late_us) {
    w->counts.restarts++;
    restart(w);
    for (size_t a = 0; a < w->o.axes; a++)
      w->lines[a].len = 0;
    return false;
  }
  w->saw_late = true;
  w->late_us = time_us;
  w->counts.late++;
  return true;
}

static void line_up(struct wr_window *w, size_t axis, const struct sample *s) {
  struct line *l = &w->lines[axis];
  if (l->at == NULL)
    l->at = malloc(PENDING * sizeof(l->at[0]));
  if (l->at == NULL)
    w->counts.late++;
  else if (!line_insert(l, s))
    w->counts.duplicate++;
}

void wr_window_push(struct wr_window *w, size_t axis, int64_t time_us,
                    double value, int64_t now_ms, wr_window_fn full,
                    void *arg) {
  if (!isfinite(value) || time_us < 0 || time_us > WR_WINDOW_TIME_US) {
    w->counts.invalid++;
    wr_window_tick(w, now_ms, full, arg);
    return;
  }
  if (axis == 0 && w->running && time_us <= w->newest_us &&
      refuse_old(w, time_us))
    return;
  struct line *l = &w->lines[axis];
  struct sample s = {time_us, value, now_ms};
  /* Mostly a sample is the next in turn. */
  if (axis == 0 && l->len == 0 && take(w, &s, 1, now_ms, full, arg))
    return;
  if (axis != 0 && l->len == PENDING)
    line_remove(l, 0);
  line_up(w, axis, &s);
  wr_window_tick(w, now_ms, full, arg);
}

const struct wr_window_options *wr_window_shape(const struct wr_window *w) {
  return &w->o;
}

uint64_t wr_window_taken(const struct wr_window *w) { return w->taken; }

size_t wr_window_fill(const struct wr_window *w) { return w->fill; }

size_t wr_window_held(const struct wr_window *w) { return w->held; }

void wr_window_newest(const struct wr_window *w, size_t places, double *out) {
  size_t axes = w->o.axes;
  /* Behind the head is the oldest place, or one that is not taken yet. */
  size_t first = (w->head + w->places - places) % w->places;
  size_t part = w->places - first < places ? w->places - first : places;
  memcpy(out, w->values + first * axes, part * axes * sizeof(*out));
  memcpy(out + part * axes, w->values, (places - part) * axes * sizeof(*out));
}

void wr_window_copy(const struct wr_window *w, double *out) {
  wr_window_newest(w, w->o.samples, out);
}

const struct wr_window_counts *wr_window_counts(const struct wr_window *w) {
  return &w->counts;
}
