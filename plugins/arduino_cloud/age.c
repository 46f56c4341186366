/* What no longer arrives: labels that nobody renews. */
#include "cloud.h"

/* With the thing's lock held. */
static void age(struct thing *t, int index, int64_t now_ms) {
  struct property *p = t->properties + index;
  if (!wr_age_over(&p->age, t->start_ms, now_ms))
    return;
  struct wr_row row = {
      .property = index, .time_us = cloud_wall_us(), .state = true};
  row.value =
      (struct wr_value){.kind = WR_VALUE_TEXT, .text = WR_ARRIVAL_UNKNOWN};
  row.clock_us =
      wr_stamps_clock(&t->stamps, row.time_us, wr_clock_us(), row.time_us);
  wr_policy_take(&p->policy, &row.value, now_ms);
  wr_spool_offer(t->spool, &row);
}

void cloud_age_labels(struct thing *t) {
  int64_t now_ms = wr_clock_ms();
  pthread_mutex_lock(&t->lock);
  wr_stamps_look(&t->stamps, wr_clock_us(), cloud_wall_us());
  for (int i = 0; t->spool != NULL && i < t->count; i++)
    age(t, i, now_ms);
  pthread_mutex_unlock(&t->lock);
}
