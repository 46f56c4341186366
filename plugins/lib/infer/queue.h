/* queue: windows that wait for a model, in the order they came. Pure.
 *
 * Many series share one queue. At the ceiling the oldest window goes, so that
 * the newest always gets in. A window that has waited longer than delay_ms is
 * skipped while a newer one of the same series waits as well: a slow model
 * gives fewer answers, not late ones. Nodes are the caller's, and are part of
 * what waits; the queue allocates nothing.
 * Threads: none of its own; the caller locks. */
#ifndef WR_QUEUE_H
#define WR_QUEUE_H

#include <stddef.h>
#include <stdint.h>

struct wr_job {
  struct wr_job *next;
  size_t *waiting; /* of its series: how many of its jobs are in the queue */
  int64_t queued_ms;
};

struct wr_queue {
  size_t max; /* at least 1 */
  int64_t delay_ms;
  size_t count;
  struct wr_job *first, **last;
};

void wr_queue_init(struct wr_queue *q, size_t max, int64_t delay_ms);
/* Appends. Returns the oldest job if it had to go, else NULL. */
struct wr_job *wr_queue_put(struct wr_queue *q, struct wr_job *job,
                            int64_t now_ms);
/* Takes the first job, or NULL. *late: what the age limit took out in front of
 * it, a list; NULL when there is none. */
struct wr_job *wr_queue_take(struct wr_queue *q, int64_t now_ms,
                             struct wr_job **late);

#endif
