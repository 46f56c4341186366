/* The M4 and what hangs on it: the plant of m4sim, the sketch's arithmetic and
 * its alarm output, from the firmware's own headers. */
#include "sim.h"

#include "firmware/libraries/WeirFlow/src/weir_report.h"

#include <string.h>

static const struct weir_label labels[] = {WEIR_BUNDLED_LABELS};

static const char *const busy[] = {"0 flow 10",
                                   "1200 blockage 1.5 over 2",
                                   "1500 recover",
                                   "2400 flow 14 over 5",
                                   "3600 flow 10 over 5",
                                   "4200 burst 24 over 1",
                                   "4500 recover",
                                   "5400 zero",
                                   "5700 recover",
                                   "6600 flow 8 over 20",
                                   "7200 end"};
static const char *const calm[] = {"0 flow 10"};

static void play(const char *const *lines, size_t count, bool loop) {
  struct sim_board *b = &sim.board;
  char err[128];
  ms_scenario_init(&b->scenario);
  for (size_t i = 0; i < count; i++)
    if (ms_scenario_line(&b->scenario, lines[i], err, sizeof(err)) != 0)
      sim_fail("the plant: %s", err);
  ms_plant_init(&b->plant, &b->scenario, sim.seed);
  b->plant.loop = loop;
}

void board_begin(void) { play(busy, sizeof(busy) / sizeof(busy[0]), true); }

void board_calm(void) { play(calm, 1, false); }

uint32_t board_millis(void) {
  return sim.board.millis0 +
         (uint32_t)((sim.now_us - sim.board.boot_us) / 1000);
}

static void latch(double value) {
  struct sim_board *b = &sim.board;
  if (b->readings > 0)
    b->past[(b->readings - 1) % 64].to_us = sim.now_us;
  b->latched = value;
  b->past[b->readings++ % 64] =
      (struct sim_reading){value, sim.now_us, SIM_NEVER};
}

void board_boot(void) {
  struct sim_board *b = &sim.board;
  b->up = true;
  b->boot_us = sim.now_us;
  b->gate_us = sim.now_us + SIM_S;
  b->seq = 0;
  b->millis0 = sim_random(); /* also close to the wrap */
  b->busy_until_us = 0;
  latch(NAN);
  weir_alarm_init(&b->alarm, labels, sizeof(labels) / sizeof(labels[0]),
                  SIM_HOLD_MS);
  board_look();
}

/* Each reading is a little different from every other one, so that the oracle
 * can tell them apart. */
void board_gate(void) {
  struct sim_board *b = &sim.board;
  struct ms_second second;
  if (!ms_plant_play(&b->plant, &second))
    sim_fail("the plant has ended");
  b->gate_us += SIM_S;
  if (!b->up)
    return;
  b->seq++;
  latch((double)second.pulses / MS_HZ_PER_LPM + 1e-9 * (double)++b->serial);
  board_look();
}

void board_look(void) {
  struct sim_board *b = &sim.board;
  bool output = b->up && weir_alarm_healthy(&b->alarm, board_millis());
  if (output == b->output)
    return;
  b->output = output;
  sim_trace("output %s", output ? "well" : "alarm");
  oracle_output(output);
}

static int classification(const struct wr_rpc_value *params) {
  struct wr_rpc_value text;
  struct weir_report report;
  if (wr_rpc_element(params, 0, &text) != 0 || text.kind != WR_RPC_TEXT ||
      weir_report_parse((const char *)text.data, text.len, &report) != 0)
    return -1;
  sim_trace("M4 hears %s", report.label);
  weir_alarm_report(&sim.board.alarm, report.label, board_millis());
  board_look();
  return 0;
}

static size_t put_double(uint8_t *out, double value) {
  uint64_t bits;
  memcpy(&bits, &value, sizeof(bits));
  out[0] = 0xcb;
  for (int i = 0; i < 8; i++)
    out[1 + i] = (uint8_t)(bits >> (56 - 8 * i));
  return 9;
}

static size_t answer(uint8_t *reply, uint32_t msgid,
                     const struct wr_rpc_value *method,
                     const struct wr_rpc_value *params) {
  const uint8_t head[] = {0x94,
                          1,
                          0xce,
                          (uint8_t)(msgid >> 24),
                          (uint8_t)(msgid >> 16),
                          (uint8_t)(msgid >> 8),
                          (uint8_t)msgid,
                          0xc0};
  memcpy(reply, head, sizeof(head));
  if (method->len == 9 && memcmp(method->data, "flow_rate", 9) == 0)
    return sizeof(head) + put_double(reply + sizeof(head), sim.board.latched);
  reply[sizeof(head)] = classification(params) == 0 ? 0 : 0xff;
  return sizeof(head) + 1;
}

size_t board_hear(const uint8_t *data, size_t len, uint8_t *reply) {
  const uint8_t *at = data;
  struct wr_rpc_value message, method, params, msgid = {.u = 0};
  if (!sim.board.up || sim.board.silent)
    return 0;
  if (wr_rpc_read(&at, data + len, &message) != 0 || message.count > 5)
    sim_fail("the M4 was sent what is no message");
  if (message.count == 5) /* it ignores these */
    return 0;
  wr_rpc_element(&message, message.count - 2, &method);
  wr_rpc_element(&message, message.count - 1, &params);
  if (message.count == 3) {
    classification(&params);
    return 0;
  }
  wr_rpc_element(&message, 1, &msgid);
  return answer(reply, (uint32_t)msgid.u, &method, &params);
}
