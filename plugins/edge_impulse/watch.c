/* The watch: one thread that sees what does not happen. It gives up holes,
 * judges windows while the worker waits for a model to start or for the disk,
 * lets states grow old, and repeats health. It never asks a model, so nothing
 * holds it up. */
#include "edge.h"

#include "collectd/core/utils/common/common.h"
#include "glue/rounds.h"

#define IDLE_MS 1000 /* from one look to the next */
#define HOLES_MS 50
#define REVIEW_MS 200 /* at least, from one look at all states to the next */

static struct wr_rounds rounds = WR_ROUNDS_INIT;

/* Windows that came while the worker is absent. */
static void answer_waiting(struct edge_engine *e) {
  struct wr_job *late, *job;
  do {
    pthread_mutex_lock(&e->judging);
    job = edge_engine_take(e, &late);
    if (job != NULL)
      edge_answer_away((struct edge_job *)job, EDGE_REFUSED);
    pthread_mutex_unlock(&e->judging);
    edge_engine_drop(e, late);
    if (job != NULL)
      edge_job_free((struct edge_job *)job);
  } while (job != NULL);
}

static int64_t review(struct edge_target *t) {
  struct edge_series **all;
  size_t count = edge_series_list(t, &all);
  int64_t next_ms = IDLE_MS;
  for (size_t i = 0; i < count; i++) {
    pthread_mutex_lock(&t->engine->judging);
    int64_t due_ms = edge_state_review(all[i], wr_clock_ms());
    pthread_mutex_unlock(&t->engine->judging);
    edge_series_release(all[i]);
    if (due_ms < next_ms)
      next_ms = due_ms;
  }
  free(all);
  return next_ms;
}

/* Milliseconds to the next look. */
static int64_t look(struct edge_target *targets, bool reviews) {
  int64_t next_ms = IDLE_MS;
  for (struct edge_target *t = targets; t != NULL; t = t->next) {
    answer_waiting(t->engine);
    if (edge_series_sweep(t))
      next_ms = HOLES_MS;
    int64_t due_ms = reviews ? review(t) : IDLE_MS;
    if (due_ms < next_ms)
      next_ms = due_ms;
  }
  return next_ms > HOLES_MS ? next_ms : HOLES_MS;
}

/* One look; milliseconds to the next. */
static int64_t turn(struct edge_target *targets, int64_t *review_ms) {
  int64_t now_ms = wr_clock_ms();
  bool reviews = now_ms >= *review_ms;
  int64_t next_ms = look(targets, reviews);
  if (reviews)
    *review_ms = now_ms + (next_ms > REVIEW_MS ? next_ms : REVIEW_MS);
  int64_t left_ms = *review_ms - wr_clock_ms();
  if (left_ms > next_ms)
    return next_ms;
  return left_ms > 0 ? left_ms : 1;
}

static int64_t watch(void *arg) {
  static int64_t told_ms, review_ms;
  int64_t next_ms = turn(arg, &review_ms), now_ms = wr_clock_ms();
  if (told_ms == 0)
    told_ms = now_ms;
  if (now_ms - told_ms >= (int64_t)CDTIME_T_TO_MS(interval_g)) {
    edge_output_left_out();
    told_ms = now_ms;
  }
  return next_ms;
}

int edge_watch_start(struct edge_target *targets) {
  return wr_rounds_start(&rounds, "edge_watch", watch, targets);
}

void edge_watch_stop(void) { wr_rounds_stop(&rounds); }

void edge_watch_wake(void) { wr_rounds_wake(&rounds); }
