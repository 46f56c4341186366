/* The machine's clock as the oracle knows it: since when it was off by how
 * much. A stamp that comes late may mean two instants. */
#include "sim.h"

#define CLOCKS 16

static struct {
  int64_t off_us, from_us;
} past[CLOCKS];          /* the newest last; a ring */
static size_t count = 1; /* at first it is right */

void clocks_set(void) {
  past[count % CLOCKS].off_us = sim.wall_off_us;
  past[count++ % CLOCKS].from_us = sim.now_us;
}

/* The agent looks at its clock every SIM_KEEPER_US, takes less than
 * WR_ARRIVAL_STEP_US for no step, and stamps what it asked for
 * WR_ARRIVAL_LAG_US ago. */
int64_t clocks_youngest(int64_t true_us, int64_t stamp_us) {
  int64_t youngest_us = true_us, until_us = sim.now_us;
  for (size_t i = count; i-- > 0 && i + CLOCKS > count;) {
    int64_t at_us = stamp_us - past[i % CLOCKS].off_us - SIM_EPOCH_US;
    if (at_us >= past[i % CLOCKS].from_us - SIM_KEEPER_US - WR_ARRIVAL_LAG_US &&
        at_us <= until_us + WR_ARRIVAL_STEP_US &&
        at_us + SIM_EPOCH_US > youngest_us)
      youngest_us = at_us + SIM_EPOCH_US;
    until_us = past[i % CLOCKS].from_us;
  }
  return youngest_us;
}
