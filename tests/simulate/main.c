/* simulate SEED [DAYS [TRACE]]: one run; see sim.h. */
#include "sim.h"

#include <math.h>
#include <stdarg.h>

struct sim sim;

uint32_t sim_random(void) { return (uint32_t)(ms_rng_next(&sim.rng) >> 32); }

int64_t sim_below(int64_t n) {
  return (int64_t)(ms_rng_next(&sim.rng) % (uint64_t)n);
}

bool sim_one_in(int64_t n) { return n > 0 && sim_below(n) == 0; }

int64_t sim_span(int64_t least, int64_t most) {
  double low = log((double)least), high = log((double)most);
  return (int64_t)exp(low + ms_rng_uniform(&sim.rng) * (high - low));
}

static void put(FILE *f, const char *format, va_list args) {
  fprintf(f, "%.6f ", (double)sim.now_us / 1e6);
  vfprintf(f, format, args);
  fputc('\n', f);
}

void sim_trace(const char *format, ...) {
  if (sim.trace == NULL)
    return;
  va_list args;
  va_start(args, format);
  put(sim.trace, format, args);
  va_end(args);
}

void sim_fail(const char *format, ...) {
  va_list args;
  va_start(args, format);
  printf("BROKEN PROMISE, seed %llu, after %.2f simulated hours: ",
         (unsigned long long)sim.seed, (double)sim.now_us / 3.6e9);
  vprintf(format, args);
  va_end(args);
  printf("\n  again: make simulate SEED=%llu UNTIL=%.0f TRACE=1\n",
         (unsigned long long)sim.seed, (double)sim.now_us / 1e6 + 1);
  if (sim.trace != NULL)
    fflush(sim.trace);
  fflush(stdout);
  exit(1);
}

int64_t sim_wall_us(void) {
  return SIM_EPOCH_US + sim.now_us + sim.wall_off_us;
}

static int64_t least(int64_t a, int64_t b) { return a < b ? a : b; }

static int64_t next_instant(void) {
  int64_t next = least(agent_next_us(), faults_next_us());
  for (int b = 0; b < SIM_BOARDS; b++)
    next = least(next, least(sim.board[b].gate_us, wire_next_us(b)));
  return next;
}

static int64_t second_us; /* the next look of the oracle */

/* What is due now, the world first. */
static void happen(void) {
  for (int b = 0; b < SIM_BOARDS; b++)
    if (sim.board[b].gate_us <= sim.now_us)
      board_gate(b);
  if (second_us <= sim.now_us) {
    second_us += SIM_S;
    seen_second();
    kept_second();
  }
  faults_step();
  agent_step();
}

static void run_until(int64_t end_us) {
  for (int idle = 0;;) {
    happen();
    int64_t next = next_instant();
    if (next >= end_us)
      break;
    /* A limit on every loop: time has to pass. */
    idle = next > sim.now_us ? 0 : idle + 1;
    if (idle > 10000)
      sim_fail("10 000 steps without any time passing");
    if (next > sim.now_us)
      sim.now_us = next;
  }
  sim.now_us = end_us;
}

static void begin(uint64_t seed) {
  sim.seed = seed;
  sim.rng.state = seed * 0x9e3779b97f4a7c15ull + 1;
  sim.now_us = SIM_S + sim_below(SIM_S);
  sim.cloud.last_us = -SIM_EPOCH_US;
  second_us = sim.now_us;
  memory_register();
  disk_register();
  seen_init();
  kept_init();
  for (int b = 0; b < SIM_BOARDS; b++) {
    board_begin(b);
    board_boot(b);
  }
  faults_init();
  agent_start();
}

int main(int argc, char **argv) {
  if (argc < 2) {
    fprintf(stderr, "usage: simulate SEED [DAYS [UNTIL [TRACE]]]\n");
    return 2;
  }
  wr_http_provide(&wr_http_curl); /* it reads the dates */
  double days = argc > 2 ? strtod(argv[2], NULL) : 1;
  double until = argc > 3 ? strtod(argv[3], NULL) : 0;
  sim.trace = argc > 4 && argv[4][0] == '1' ? stdout : NULL;
  begin(strtoull(argv[1], NULL, 10));
  int64_t end_us = sim.now_us + (int64_t)(days * 86400e6);
  if (until > 0 && until * 1e6 < (double)end_us) {
    run_until((int64_t)(until * 1e6));
    printf("stopped after %.0f s, nothing broken\n", until);
    return 0;
  }
  run_until(end_us);
  faults_end();
  run_until(end_us + SIM_QUIET_US);
  seen_final();
  kept_final();
  agent_stop(false);
  printf("seed %llu: %.1f hours", (unsigned long long)sim.seed,
         (double)sim.now_us / 3.6e9);
  seen_report(stdout);
  kept_report(stdout);
  memory_report(stdout);
  printf("\n");
  seen_free();
  kept_free();
  disk_wipe();
  return 0;
}
