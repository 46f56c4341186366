/* The M4 and what hangs on it: the plant of m4sim, the sketch's arithmetic and
 * its alarm output, from the firmware's own headers. */
#include "sim.h"

#include "firmware/libraries/WeirFlow/src/weir_report.h"

#include <math.h>

static const struct weir_label labels[] = {WEIR_BUNDLED_LABELS};

/* Set points on the edges of ranges, too: nothing may chatter there. */
static const char *const busy[] = {"0 flow 10",
                                   "1200 blockage 1.5 over 2",
                                   "1500 recover",
                                   "2400 flow 14 over 5",
                                   "3600 flow 10 over 5",
                                   "4200 burst 24 over 1",
                                   "4500 recover",
                                   "4800 flow 12.5 over 5",
                                   "5400 zero",
                                   "5700 recover",
                                   "6300 flow 7.5 over 20",
                                   "7200 flow 4 over 5",
                                   "7800 flow 8 over 20",
                                   "8400 air 0.4",
                                   "8700 slugs 0.6 period 8",
                                   "9000 hunting 0.4 period 12",
                                   "9300 recover",
                                   "9600 end"};
static const char *const calm[] = {"0 flow 10"};

static void play(int b, const char *const *lines, size_t count, bool loop) {
  struct sim_board *board = &sim.board[b];
  char err[128];
  ms_scenario_init(&board->scenario);
  for (size_t i = 0; i < count; i++)
    if (ms_scenario_line(&board->scenario, lines[i], err, sizeof(err)) != 0)
      sim_fail("the plant: %s", err);
  ms_plant_init(&board->plant, &board->scenario, sim.seed + (uint64_t)b);
  board->plant.loop = loop;
}

void board_begin(int b) {
  if (b == 0)
    play(b, busy, sizeof(busy) / sizeof(busy[0]), true);
  else
    play(b, calm, 1, false);
}

void board_calm(int b) { play(b, calm, 1, false); }

static uint32_t now_millis(int b) {
  return sim.board[b].millis0 +
         (uint32_t)((sim.now_us - sim.board[b].boot_us) / 1000);
}

static void latch(int b, double value) {
  struct sim_board *board = &sim.board[b];
  if (board->readings > 0)
    board->past[(board->readings - 1) % 64].to_us = sim.now_us;
  board->latched = value;
  board->past[board->readings++ % 64] =
      (struct sim_reading){value, sim.now_us, SIM_NEVER};
}

void board_boot(int b) {
  struct sim_board *board = &sim.board[b];
  board->up = true;
  board->boot_us = sim.now_us;
  board->gate_us = sim.now_us + SIM_S;
  board->seq = 0;
  board->millis0 = sim_random(); /* also close to the wrap */
  board->busy_until_us = board->behind_us = 0;
  latch(b, NAN);
  weir_alarm_init(&board->alarm, labels, sizeof(labels) / sizeof(labels[0]),
                  SIM_HOLD_MS);
  board_look(b);
}

/* Since when the flow is one level, but for its noise; when it last came and
 * went by itself. */
static void note_steady(struct sim_board *board, double before_lpm) {
  const struct ms_plant *p = &board->plant;
  if (p->now.kind != MS_FLOW || p->level_lpm != before_lpm)
    board->steady_us = 0;
  else if (board->steady_us == 0)
    board->steady_us = sim.now_us;
  if (p->now.kind >= MS_AIR && p->now.kind <= MS_EMI)
    board->restless_us = sim.now_us;
}

/* Each reading is a little different from every other one, so that the oracle
 * can tell them apart. */
void board_gate(int b) {
  struct sim_board *board = &sim.board[b];
  struct ms_second second;
  double before_lpm = board->plant.level_lpm;
  if (!ms_plant_play(&board->plant, &second))
    sim_fail("the plant has ended");
  board->gate_us += SIM_S;
  note_steady(board, before_lpm);
  if (!board->up)
    return;
  board->seq++;
  latch(b, (double)second.pulses / MS_HZ_PER_LPM +
               1e-9 * (double)(++board->serial * SIM_BOARDS + b));
  board_look(b);
  wire_ask(b);
}

void board_look(int b) {
  struct sim_board *board = &sim.board[b];
  bool output = board->up && weir_alarm_healthy(&board->alarm, now_millis(b));
  if (output == board->output)
    return;
  board->output = output;
  sim_trace("%d: output %s", b, output ? "well" : "alarm");
  seen_output(b, output);
}

int board_told(int b, const uint8_t *text, size_t len) {
  struct weir_report report;
  if (weir_report_parse((const char *)text, len, &report) != 0)
    return -1;
  sim_trace("%d: M4 hears %s", b, report.label);
  weir_alarm_report(&sim.board[b].alarm, report.label, now_millis(b));
  board_look(b);
  return 0;
}

static int classification(int b, const struct wr_rpc_value *params) {
  struct wr_rpc_value text;
  return wr_rpc_element(params, 0, &text) == 0 && text.kind == WR_RPC_TEXT
             ? board_told(b, text.data, text.len)
             : -1;
}

static size_t put_double(uint8_t *out, double value) {
  uint64_t bits;
  memcpy(&bits, &value, sizeof(bits));
  out[0] = 0xcb;
  for (int i = 0; i < 8; i++)
    out[1 + i] = (uint8_t)(bits >> (56 - 8 * i));
  return 9;
}

static bool is(const struct wr_rpc_value *method, const char *name) {
  return method->len == strlen(name) &&
         memcmp(method->data, name, method->len) == 0;
}

/* [1, msgid, error or nil, result] */
static size_t answer(int b, uint8_t *reply, uint32_t msgid,
                     const struct wr_rpc_value *method,
                     const struct wr_rpc_value *params) {
  static const uint8_t unknown[] = {0xa7, 'u', 'n', 'b', 'o',
                                    'u',  'n', 'd', 0xc0};
  const uint8_t head[] = {0x94,
                          1,
                          0xce,
                          (uint8_t)(msgid >> 24),
                          (uint8_t)(msgid >> 16),
                          (uint8_t)(msgid >> 8),
                          (uint8_t)msgid,
                          0xc0};
  memcpy(reply, head, sizeof(head));
  if (is(method, "flow_rate"))
    return sizeof(head) +
           put_double(reply + sizeof(head),
                      sim.board[b].blind ? NAN : sim.board[b].latched);
  if (!is(method, "classification")) {
    memcpy(reply + sizeof(head) - 1, unknown, sizeof(unknown));
    return sizeof(head) - 1 + sizeof(unknown);
  }
  reply[sizeof(head)] = classification(b, params) == 0 ? 0 : 0xff;
  return sizeof(head) + 1;
}

size_t board_hear(int b, const uint8_t *data, size_t len, uint8_t *reply) {
  const uint8_t *at = data;
  struct wr_rpc_value message, method, params, msgid = {.u = 0};
  if (!sim.board[b].up || sim.board[b].silent)
    return 0;
  if (wr_rpc_read(&at, data + len, &message) != 0 || message.count > 5)
    sim_fail("the M4 was sent what is no message");
  if (message.count == 5) /* it ignores these */
    return 0;
  wr_rpc_element(&message, message.count - 2, &method);
  wr_rpc_element(&message, message.count - 1, &params);
  if (message.count == 3) {
    classification(b, &params);
    return 0;
  }
  wr_rpc_element(&message, 1, &msgid);
  if (!sim.wire[b].server && !is(&method, "flow_rate") &&
      !is(&method, "classification")) {
    wire_crash(b);
    return 0;
  }
  return answer(b, reply, (uint32_t)msgid.u, &method, &params);
}
