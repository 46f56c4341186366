/* order: the place of a row among those of its property. It is that of arrival;
 * but the threads that hand rows in may overtake each other. Of two rows by one
 * clock that arrived within WR_ORDER_MS the time stamps tell which came first.
 * But only stamps that lie close together: a writer that hung lets come at once
 * what says "unknown" now and what was measured before, in the right order.
 * Numbers are WR_ORDER_STEP apart; the places below a number belong to rows of
 * its property that come late, so that no two rows ever share one. Pure.
 * Threads: none of its own. */
#ifndef WR_SPOOL_ORDER_H
#define WR_SPOOL_ORDER_H

#include "lib/spool/value.h"

#define WR_ORDER_STEP 1024
#define WR_ORDER_MS 900
#define WR_ORDER_SPAN_US 10000000 /* further apart is no matter of threads */
#define WR_ORDER_ROWS 16          /* that are looked back at */

struct wr_order_row {
  int64_t seq, time_us, clock_us, now_ms;
};

struct wr_order {
  struct wr_order_row rows[WR_ORDER_ROWS]; /* by seq */
  int count;
};

/* The number of `row`, stored at now_ms; *last: the last number given to any
 * row, moved on unless this one came late. */
int64_t wr_order_next(struct wr_order *o, const struct wr_row *row,
                      int64_t now_ms, int64_t *last);

#endif
