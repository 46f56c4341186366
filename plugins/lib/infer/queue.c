#include "lib/infer/queue.h"

void wr_queue_init(struct wr_queue *q, size_t max, int64_t delay_ms) {
  *q = (struct wr_queue){.max = max, .delay_ms = delay_ms};
  q->last = &q->first;
}

static struct wr_job *take_first(struct wr_queue *q) {
  struct wr_job *job = q->first;
  if (job == NULL)
    return NULL;
  q->first = job->next;
  if (q->first == NULL)
    q->last = &q->first;
  q->count--;
  --*job->waiting;
  job->next = NULL;
  return job;
}

struct wr_job *wr_queue_put(struct wr_queue *q, struct wr_job *job,
                            int64_t now_ms) {
  struct wr_job *oldest = q->count >= q->max ? take_first(q) : NULL;
  job->next = NULL;
  job->queued_ms = now_ms;
  ++*job->waiting;
  *q->last = job;
  q->last = &job->next;
  q->count++;
  return oldest;
}

struct wr_job *wr_queue_take(struct wr_queue *q, int64_t now_ms,
                             struct wr_job **late) {
  *late = NULL;
  struct wr_job *job = take_first(q);
  while (job != NULL && *job->waiting > 0 &&
         now_ms - job->queued_ms > q->delay_ms) {
    *late = job;
    late = &job->next;
    job = take_first(q);
  }
  return job;
}
