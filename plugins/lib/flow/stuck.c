#include "lib/flow/stuck.h"

#include <math.h>

bool wr_stuck_step(struct wr_stuck *s, int64_t time_us, double value,
                   int64_t after_us) {
  if (isnan(value)) { /* says nothing, neither way */
    value = s->value;
    if (!s->known)
      return false;
  }
  if (!s->known || value != s->value || time_us < s->since_us)
    *s = (struct wr_stuck){.value = value, .since_us = time_us, .known = true};
  return value != 0.0 && time_us - s->since_us >= after_us;
}
