#include "lib/spool/order.h"

#include <string.h>

static bool overtook(const struct wr_order_row *earlier,
                     const struct wr_row *row, int64_t now_ms) {
  return earlier->clock_us == row->clock_us &&
         earlier->time_us > row->time_us &&
         earlier->time_us - row->time_us <= WR_ORDER_SPAN_US &&
         now_ms - earlier->now_ms <= WR_ORDER_MS;
}

/* A number below that of row `at`, in its own places; 0: there is none. */
static int64_t number_before(const struct wr_order *o, int at) {
  int64_t high = o->rows[at].seq;
  int64_t low = (high - 1) / WR_ORDER_STEP * WR_ORDER_STEP;
  if (at == 0 && o->count == WR_ORDER_ROWS)
    return 0; /* what stands before it is forgotten */
  if (at > 0 && o->rows[at - 1].seq > low)
    low = o->rows[at - 1].seq;
  int64_t middle = low + (high - low) / 2;
  return middle > low ? middle : 0;
}

static void insert(struct wr_order *o, int at,
                   const struct wr_order_row *entry) {
  if (o->count == WR_ORDER_ROWS) {
    memmove(o->rows, o->rows + 1, sizeof(o->rows) - sizeof(o->rows[0]));
    o->count--;
    at--;
  }
  memmove(o->rows + at + 1, o->rows + at,
          (size_t)(o->count - at) * sizeof(o->rows[0]));
  o->rows[at] = *entry;
  o->count++;
}

int64_t wr_order_next(struct wr_order *o, const struct wr_row *row,
                      int64_t now_ms, int64_t *last) {
  struct wr_order_row entry = {
      .time_us = row->time_us, .clock_us = row->clock_us, .now_ms = now_ms};
  int at = o->count;
  while (at > 0 && overtook(&o->rows[at - 1], row, now_ms))
    at--;
  if (at < o->count)
    entry.seq = number_before(o, at);
  if (entry.seq == 0) {
    at = o->count;
    *last = (*last / WR_ORDER_STEP + 1) * WR_ORDER_STEP;
    entry.seq = *last;
  }
  insert(o, at, &entry);
  return entry.seq;
}
