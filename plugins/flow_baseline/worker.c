/* The one thread: sends notifications, notices silence, saves the state. */
#include "flow_baseline.h"

#include "collectd/core/utils/common/common.h"
#include "glue/rounds.h"

#define ROUND_MS 1000
#define TRENDS_MS 60000
#define UNSTEADY_S 20
#define SOON_MS 10000 /* from a change to its being saved */

static struct wr_rounds rounds = WR_ROUNDS_INIT;

static struct fb_series *pop(struct fb_target *t) {
  struct fb_series *s = t->first;
  if (s != NULL) {
    t->first = s->next;
    s->queued = false;
  }
  return s;
}

/* What there is to say of one series; taken under the lock, said without. */
struct saying {
  struct fb_report report;
  enum wr_baseline_state before;
  double before_s;
  unsigned events;
  enum fb_command done;
  bool state; /* it changed, or became known or unknown */
};

/* Whether the state is another than was told. A step is loud before it is
 * seen to be a step: only what stays unsteady is said to be so. */
static bool is_news(const struct fb_series *s) {
  if (s->told == s->b.state && s->told_direction == s->b.direction)
    return false;
  return s->b.state != WR_BASELINE_SPREAD ||
         s->b.age_s - s->b.since_s >= UNSTEADY_S;
}

static void compare(struct fb_series *s, struct saying *a) {
  a->before = (enum wr_baseline_state)s->told;
  a->before_s = s->b.age_s - s->told_s;
  a->events = s->events;
  a->done = (enum fb_command)s->done;
  bool changed = is_news(s);
  bool trend = a->report.forecast.clear && !s->told_trend;
  a->state = s->unknown != s->told_unknown ||
             (!s->unknown && (changed || trend) && s->done == FB_NONE);
  s->events = 0;
  s->done = FB_NONE;
  s->told_unknown = s->unknown;
  if (s->b.state != WR_BASELINE_DRIFT)
    s->told_trend = false;
  else if (a->report.forecast.clear)
    s->told_trend = true;
  if (!changed)
    return;
  s->told = s->b.state;
  s->told_direction = s->b.direction;
  s->told_s = s->b.age_s;
}

static bool look(struct fb_target *t, struct saying *a) {
  pthread_mutex_lock(&t->lock);
  struct fb_series *s = pop(t);
  if (s != NULL) {
    fb_series_report(t, s, s->b.drift != 0 || s->b.slow != 0, &a->report);
    compare(s, a);
  }
  pthread_mutex_unlock(&t->lock);
  return s != NULL;
}

static void say(struct fb_target *t, const struct saying *a) {
  if (a->events & FB_SHOW)
    fb_values(&a->report);
  if (a->done != FB_NONE)
    fb_say_done(&a->report, a->done);
  if (a->state)
    fb_say_state(t, &a->report, a->before, a->before_s);
  if (a->events & WR_BASELINE_POINT)
    fb_say_point(&a->report);
  if (a->state || a->done != FB_NONE || (a->events & WR_BASELINE_POINT))
    t->dirty = true;
}

struct sweep {
  struct fb_target *target;
  int64_t now_ms;
};

/* Silent for so long that what was known is no more. */
static void check_silence(void *series, void *arg) {
  struct fb_series *s = series;
  const struct sweep *w = arg;
  const struct fb_options *o = &w->target->o;
  int64_t limit_ms = o->stale_ms;
  int64_t interval_ms = (int64_t)CDTIME_T_TO_MS(s->interval);
  if (limit_ms < 3 * interval_ms)
    limit_ms = 3 * interval_ms;
  bool again = s->unknown;
  bool show = again && w->now_ms - s->out_ms >= o->interval_ms;
  if (!s->unknown && w->now_ms - s->seen_ms >= limit_ms)
    s->unknown = show = true;
  if (!show) {
    if (!s->unknown && is_news(s))
      fb_series_queue(w->target, s, 0);
    return;
  }
  /* By the source's own clock, so that its next sample is the newer one. */
  int64_t last_ms = again ? s->out_ms : s->seen_ms;
  s->time =
      s->time == 0 ? cdtime() : s->time + MS_TO_CDTIME_T(w->now_ms - last_ms);
  s->out_ms = w->now_ms;
  if (s->interval == 0)
    s->interval = interval_g;
  fb_series_queue(w->target, s, FB_SHOW);
}

/* A trend may become clear long after its alarm began. */
static void check_trend(void *series, void *arg) {
  struct fb_series *s = series;
  if (s->b.slow != 0 && !s->told_trend)
    fb_series_queue(((const struct sweep *)arg)->target, s, 0);
}

static void sweep(struct fb_target *t, int64_t now_ms, bool trends) {
  struct sweep w = {t, now_ms};
  pthread_mutex_lock(&t->lock);
  wr_table_each(t->series, check_silence, &w);
  if (trends)
    wr_table_each(t->series, check_trend, &w);
  pthread_mutex_unlock(&t->lock);
}

static void find_forgotten(void *series, void *arg) {
  struct fb_series *s = series, **found = arg;
  if (s->forgotten)
    *found = s;
}

static void take_out(struct fb_target *t) {
  while (t->forgotten > 0) {
    struct fb_series *s = NULL;
    t->forgotten--;
    wr_table_each(t->series, find_forgotten, &s);
    if (s != NULL)
      (void)wr_table_remove(t->series, s->source, s->source_len);
    t->dirty = true;
  }
}

/* Nobody waits in the list: what is forgotten is nowhere else. */
static void forget(struct fb_target *t, int64_t now_ms) {
  pthread_mutex_lock(&t->lock);
  if (t->first == NULL) {
    wr_table_expire(t->series, now_ms - t->o.forget_ms);
    take_out(t);
  }
  wr_table_expire(t->setpoints, now_ms - t->o.forget_ms);
  pthread_mutex_unlock(&t->lock);
}

static void save(struct fb_target *t, int64_t now_ms) {
  int64_t after_ms = t->o.save_ms;
  if (t->dirty && after_ms > SOON_MS)
    after_ms = SOON_MS;
  if (now_ms - t->saved_ms < after_ms)
    return;
  t->saved_ms = now_ms;
  t->dirty = false;
  fb_store_save(t);
}

/* What was woken for is in the list; a look at all series, of which there may
 * be many, comes once in ROUND_MS. */
static void work(struct fb_target *t, int64_t now_ms, bool sweeps,
                 bool trends) {
  struct saying a;
  if (sweeps)
    sweep(t, now_ms, trends);
  while (look(t, &a))
    say(t, &a);
  forget(t, now_ms);
  save(t, now_ms);
}

static int64_t work_round(void *unused) {
  static int64_t sweeps_ms, trends_ms;
  (void)unused;
  int64_t now_ms = wr_clock_ms();
  bool sweeps = now_ms >= sweeps_ms;
  bool trends = sweeps && now_ms >= trends_ms;
  if (sweeps)
    sweeps_ms = now_ms + ROUND_MS;
  if (trends)
    trends_ms = now_ms + TRENDS_MS;
  for (struct fb_target *t = fb_targets; t != NULL; t = t->next)
    work(t, now_ms, sweeps, trends);
  return sweeps_ms - now_ms;
}

int fb_worker_start(void) {
  return wr_rounds_start(&rounds, FB_PLUGIN, work_round, NULL);
}

void fb_worker_wake(void) { wr_rounds_wake(&rounds); }

void fb_worker_stop(void) { wr_rounds_stop(&rounds); }
