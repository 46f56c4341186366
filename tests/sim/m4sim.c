#include "tests/sim/m4sim.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <time.h>

static volatile sig_atomic_t stop;

static void on_signal(int number) {
  (void)number;
  stop = 1;
}

static int fail(const char *why) {
  fprintf(stderr, "m4sim: %s\n", why);
  return -1;
}

static int load(struct ms_sim *sim) {
  char err[512] = "", line[64];
  struct ms_scenario *s = &sim->scenario;
  int rc;
  ms_scenario_init(s);
  if (sim->opt.scenario != NULL)
    rc = ms_scenario_load(s, sim->opt.scenario, err, sizeof(err));
  else if (sim->opt.replay != NULL)
    rc = ms_scenario_load_csv(s, sim->opt.replay, err, sizeof(err));
  else {
    snprintf(line, sizeof(line), "0 flow %g",
             sim->opt.flow_lpm >= 0 ? sim->opt.flow_lpm : 10);
    rc = ms_scenario_line(s, line, err, sizeof(err));
  }
  if (sim->opt.exact)
    s->noise = s->drift = 0;
  return rc == 0 ? 0 : fail(err);
}

static int open_record(struct ms_sim *sim) {
  if (sim->opt.record == NULL)
    return 0;
  sim->record = fopen(sim->opt.record, "ae");
  if (sim->record != NULL)
    return 0;
  fprintf(stderr, "m4sim: --record %s: %s\n", sim->opt.record, strerror(errno));
  return -1;
}

static int write_port(const struct ms_sim *sim, const char *address) {
  if (sim->opt.port_file == NULL)
    return 0;
  const char *colon = strrchr(address, ':');
  bool is_unix = strncmp(address, "unix:", 5) == 0;
  char part[4096]; /* whoever waits for the file must never see half of it */
  if (snprintf(part, sizeof(part), "%s.part", sim->opt.port_file) >=
      (int)sizeof(part))
    return fail("--port-file: the name is too long");
  FILE *f = fopen(part, "we");
  if (f != NULL && fprintf(f, "%s\n", is_unix ? address : colon + 1) > 0 &&
      fclose(f) == 0 && rename(part, sim->opt.port_file) == 0)
    return 0;
  fprintf(stderr, "m4sim: --port-file %s: %s\n", sim->opt.port_file,
          strerror(errno));
  return -1;
}

static int first_orders(struct ms_sim *sim) {
  char answer[1024];
  for (size_t i = 0; i < sim->opt.orders; i++) {
    if (sim->opt.order_call[i] != 0)
      continue;
    if (ms_control(sim, sim->opt.order[i], answer, sizeof(answer)) != 0) {
      fprintf(stderr, "m4sim: --do %s: %s\n", sim->opt.order[i],
              answer + strlen("error: "));
      return -1;
    }
  }
  return 0;
}

static void set_up(struct ms_sim *sim) {
  static const uint8_t garbage[] = {0xc1, 0xff, 0x00, 0x93, 0xdf, 0x7f};
  sim->rng.state = sim->opt.seed ^ 0x6d347369; /* not the plant's sequence */
  sim->quirks.late_ms = sim->opt.wait_ms + 200;
  sim->quirks.cross_p = 0.01; /* as measured: 1 to 2 % of crossed replies */
  memcpy(sim->quirks.garbage, garbage, sizeof(garbage));
  sim->quirks.garbage_len = sizeof(garbage);
  sim->m4.plant.loop = sim->opt.loop;
  ms_m4_init(&sim->m4, &sim->scenario, sim->opt.seed, sim->opt.report_hold_ms);
}

static void handle_signals(void) {
  struct sigaction action = {.sa_handler = on_signal};
  sigaction(SIGTERM, &action, NULL);
  sigaction(SIGINT, &action, NULL);
  signal(SIGPIPE, SIG_IGN);
}

static int serve(struct ms_sim *sim) {
  char address[256], err[512] = "";
  if (ms_server_open(sim, address, sizeof(address), err, sizeof(err)) != 0)
    return fail(err);
  ms_server_turn(sim, 0); /* sets the clock */
  int64_t begin_ms = sim->now_ms;
  if (!sim->opt.hold)
    sim->m4.start_ms = begin_ms;
  if (first_orders(sim) != 0 || write_port(sim, address) != 0)
    return -1;
  printf("listening on %s\n", address);
  fflush(stdout);
  while (!stop && !sim->quit) {
    int64_t left_ms = 1000;
    if (sim->opt.seconds >= 0)
      left_ms = begin_ms + (int64_t)(sim->opt.seconds * 1000) - sim->now_ms;
    if (left_ms <= 0)
      break;
    ms_server_turn(sim, left_ms < 1000 ? left_ms : 1000);
    ms_m4_output(sim);
  }
  return 0;
}

int main(int argc, char **argv) {
  static struct ms_sim sim;
  int rc = ms_options_parse(&sim.opt, argc, argv);
  if (rc != 0)
    return rc > 0 ? 0 : 2;
  handle_signals();
  rc = load(&sim);
  if (rc == 0)
    rc = open_record(&sim);
  if (rc == 0) {
    set_up(&sim);
    rc = serve(&sim);
  }
  ms_server_close(&sim);
  ms_scenario_free(&sim.scenario);
  if (sim.record != NULL)
    fclose(sim.record);
  return rc == 0 ? 0 : 1;
}
