/* m4sim: a Portenta X8 without the hardware.
 *
 *   client --TCP or unix--> proxy or ideal server --> M4 --> plant
 *
 * One thread, one poll loop. m4sim_server owns the sockets and the quirks of
 * the transport, m4sim_m4 is the firmware on the M4, m4sim_plant the pipe and
 * the sensor, m4sim_control the orders that arrive while it runs,
 * m4sim_record the file of what happened. Times are milliseconds of the
 * monotonic clock, read once per turn of the loop. */
#ifndef WEIR_TESTS_M4SIM_H
#define WEIR_TESTS_M4SIM_H

#include "firmware/libraries/WeirFlow/src/weir_alarm.h"
#include "tests/sim/m4sim_plant.h"
#include "tests/sim/m4sim_wire.h"

#include <stdio.h>

#define MS_ORDERS_MAX 64

enum ms_error_style { MS_ERROR_STRING, MS_ERROR_ARRAY, MS_ERROR_MAP };
enum ms_at_end { MS_END_MUTE, MS_END_HOLD, MS_END_EXIT };

struct ms_options {
  const char *listen; /* "127.0.0.1:0", "unix:PATH" */
  const char *control, *record, *port_file;
  const char *scenario, *replay;
  const char *step; /* NULL: real time; else the method that advances it */
  const char *version;
  double flow_lpm; /* < 0: not given */
  double seconds;  /* < 0: for ever */
  uint64_t seed;
  bool ideal, note, loop, hold, exact;
  enum ms_error_style error_style;
  enum ms_at_end at_end;
  int64_t wait_ms, outage_ms, shuffle_ms, delay_ms, report_hold_ms;
  unsigned packet_limit, start_limit;
  const char *order[MS_ORDERS_MAX]; /* --do and --at, in order */
  long order_call[MS_ORDERS_MAX];   /* before this call; 0: at start */
  size_t orders;
};

/* What is wrong with the path just now; set by control commands. */
struct ms_quirks {
  double late_p, garbage_p, cross_p;
  int64_t late_ms;
  unsigned late_next, garbage_next, split_next, error_next;
  bool split, mute;
  bool unrouted; /* ideal: a router that nobody has registered at */
  int64_t mute_until_ms;
  uint8_t garbage[256];
  size_t garbage_len;
};

/* -- the M4 ------------------------------------------------------------- */

struct ms_m4 {
  struct ms_plant plant;
  struct ms_second second; /* the last one played */
  bool has_second, ended, dead;
  int64_t start_ms;
  uint32_t seq, pulses; /* since the M4 started; seq is also its uptime, s */
  float flow_lpm;       /* latched at the gate; NaN before the first */
  uint32_t note_seen;
  int64_t note_ms;
  struct weir_alarm output; /* the sketch's own */
  struct weir_baseline memory;
  int shown;  /* enum weir_level that was recorded last */
  bool drift; /* as recorded last: what the light says of the baseline */
};

struct ms_sim;

void ms_m4_init(struct ms_m4 *m4, struct ms_scenario *s, uint64_t seed,
                int64_t report_hold_ms);
void ms_m4_restart(struct ms_m4 *m4);
/* What loop() of the sketch does with the alarm output; a change is recorded as
 * an event "output", its detail "ok", "warning", "alarm", "unknown" or
 * "silent": high with the first two. What the light says of the baseline is an
 * event "baseline", its detail "off" or "well". A dead M4 leaves the pin as it
 * is. */
void ms_m4_output(struct ms_sim *sim);
const char *ms_m4_level(const struct ms_m4 *m4);

/* Gives the M4 one message. Returns whether it answers; the reply is then in
 * out. Everything heard is recorded. */
bool ms_m4_receive(struct ms_sim *sim, const uint8_t *data, size_t len,
                   struct ms_out *out);

/* -- the whole ---------------------------------------------------------- */

struct ms_counters {
  uint64_t connections, calls, notifications, answered, late, stale, timeouts,
      dropped, crashes, classifications;
};

struct ms_server;

struct ms_sim {
  struct ms_options opt;
  struct ms_scenario scenario;
  struct ms_quirks quirks;
  struct ms_rng rng; /* of the transport; the plant has its own */
  struct ms_m4 m4;
  struct ms_counters count;
  struct ms_server *server;
  FILE *record;
  int64_t now_ms;
  bool quit;
};

/* Returns 0; 1 when all is said (--help); -1 after a sentence on stderr. */
int ms_options_parse(struct ms_options *opt, int argc, char **argv);

/* Writes a JSON string with its quotes. */
void ms_json_text(FILE *f, const char *text, size_t len);
/* Begins a line with the time, the second and the truth; ends and flushes. */
FILE *ms_record_begin(struct ms_sim *sim);
void ms_record_end(struct ms_sim *sim);
/* A whole line about the transport: {"event":"crash","detail":"..."}. */
void ms_record_event(struct ms_sim *sim, const char *event, const char *detail);

/* Carries out one order; returns 0, or -1. One line for the giver in answer,
 * "ok", "error: ..." or a JSON object. */
int ms_control(struct ms_sim *sim, const char *line, char *answer,
               size_t answerlen);

/* Returns 0, or -1 with a sentence in err. address gets "127.0.0.1:41234". */
int ms_server_open(struct ms_sim *sim, char *address, size_t len, char *err,
                   size_t errlen);
/* Waits for and handles what comes within timeout_ms. */
void ms_server_turn(struct ms_sim *sim, int64_t timeout_ms);
void ms_server_close(struct ms_sim *sim);
/* The proxy process dies and comes back after outage_ms. */
void ms_server_crash(struct ms_sim *sim, const char *why, int64_t outage_ms);
/* Puts a reply that nobody asked for into the channel. */
void ms_server_inject(struct ms_sim *sim, const uint8_t *data, size_t len);

#endif
