#include "lib/base/sample_clock.h"

void wr_sample_clock_start(struct wr_sample_clock *c, int64_t interval_us,
                           int64_t now_us) {
  *c = (struct wr_sample_clock){.interval_us = interval_us, .next_us = now_us};
}

bool wr_sample_clock_due(struct wr_sample_clock *c, int64_t now_us) {
  if (now_us < c->next_us)
    return false;
  int64_t passed = (now_us - c->next_us) / c->interval_us;
  c->skipped += (uint64_t)passed;
  c->next_us += (passed + 1) * c->interval_us;
  return true;
}
