#include "lib/base/timers.h"

#include <errno.h>
#include <stdlib.h>

int wr_timers_reserve(struct wr_timers *t, size_t room) {
  if (room <= t->room)
    return 0;
  struct wr_timer **at = realloc(t->at, (room + 1) * sizeof(*at));
  if (at == NULL)
    return -ENOMEM;
  t->at = at;
  t->room = room;
  return 0;
}

void wr_timers_free(struct wr_timers *t) {
  free(t->at);
  *t = (struct wr_timers)WR_TIMERS_INIT;
}

static void put(struct wr_timers *t, struct wr_timer *timer, size_t place) {
  t->at[place] = timer;
  timer->place = place;
}

/* Moves the timer from its place to where it belongs. */
static void settle(struct wr_timers *t, struct wr_timer *timer) {
  size_t place = timer->place;
  while (place > 1 && t->at[place / 2]->at_us > timer->at_us) {
    put(t, t->at[place / 2], place);
    place /= 2;
  }
  for (;;) {
    size_t child = 2 * place;
    if (child < t->count && t->at[child + 1]->at_us < t->at[child]->at_us)
      child++;
    if (child > t->count || t->at[child]->at_us >= timer->at_us)
      break;
    put(t, t->at[child], place);
    place = child;
  }
  put(t, timer, place);
}

void wr_timers_set(struct wr_timers *t, struct wr_timer *timer, int64_t at_us) {
  if (timer->place == 0)
    timer->place = ++t->count;
  timer->at_us = at_us;
  settle(t, timer);
}

void wr_timers_remove(struct wr_timers *t, struct wr_timer *timer) {
  if (timer->place == 0)
    return;
  struct wr_timer *last = t->at[t->count--];
  if (last != timer) {
    last->place = timer->place;
    settle(t, last);
  }
  timer->place = 0;
}

struct wr_timer *wr_timers_first(const struct wr_timers *t) {
  return t->count > 0 ? t->at[1] : NULL;
}
