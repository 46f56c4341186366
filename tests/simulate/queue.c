/* collectd between read, chain and writers: values wait while somebody's write
 * callback hangs, and then come all at once, in their order. */
#include "sim.h"

#define WAITING_MAX 512 /* WriteQueueLimitHigh; the oldest go */

static struct sim_value waiting[WAITING_MAX];
static size_t first, count;
static bool held, late; /* what is handed over has waited */

static void hand_over(const struct sim_value *v) {
  if (v->kind == SIM_LABEL) {
    agent_label(v);
    return;
  }
  base_sample(v);
  edge_sample(v);
  agent_flow(v);
}

/* What comes while others are handed over goes behind them. */
static void drain(void) {
  static bool draining;
  if (draining || held)
    return;
  draining = true;
  while (count > 0) {
    struct sim_value v = waiting[first];
    first = (first + 1) % WAITING_MAX;
    count--;
    if (sim.agent.up)
      hand_over(&v);
  }
  draining = false;
}

void queue_put(const struct sim_value *v) {
  waiting[(first + count) % WAITING_MAX] = *v;
  if (count < WAITING_MAX)
    count++;
  else
    first = (first + 1) % WAITING_MAX;
  drain();
}

void queue_hold(bool on) {
  held = on;
  late = !on;
  drain();
  late = false;
}

bool queue_drains(void) { return late; }

void queue_forget(void) { count = 0; }
