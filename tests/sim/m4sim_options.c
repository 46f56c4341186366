#include "tests/sim/m4sim.h"

#include <getopt.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>

static const char help[] =
    "Usage: m4sim [OPTION]...\n"
    "A Portenta X8 without the hardware: the m4-proxy, the M4 and a YF-S201.\n"
    "\n"
    "Where\n"
    "  --listen ADDR      HOST:PORT or unix:PATH (127.0.0.1:0, the kernel\n"
    "                     chooses); `listening on ADDR` is printed when ready\n"
    "  --port PORT        the same as --listen 127.0.0.1:PORT\n"
    "  --port-file FILE   write the port (or the address of a unix socket)\n"
    "  --control PATH     a unix socket that takes orders, one per line\n"
    "  --record FILE      JSON lines: every call and every incident\n"
    "                     (--calls is the same)\n"
    "What flows\n"
    "  --flow LPM         steady flow (10), for ever\n"
    "  --scenario FILE    play a scenario (tests/sim/scenarios/README.md)\n"
    "  --replay FILE      play pulses per second, one whole number per line\n"
    "  --exact            no noise and no drift: 10 L/min is 75 pulses always\n"
    "  --loop             start again at the end\n"
    "  --at-end WHAT      mute: readings get no answer (the default); hold:\n"
    "                     the last one stays; exit: at the next reading\n"
    "  --seed N           of all randomness (1)\n"
    "Which clock\n"
    "  --step[=METHOD]    each call of METHOD (flow_rate) is one second later\n"
    "  --hold             real time, but from the first call on\n"
    "How it behaves\n"
    "  --ideal            no proxy: persistent connections, pipelining\n"
    "  --shuffle MS       ideal: each reply up to MS late, so out of order\n"
    "  --error-style S    ideal: string, array ([code, text]) or map\n"
    "  --firmware WHICH   weir, or note: the FlowSensor library, flow_rate "
    "only\n"
    "  --version-string T what `version` answers; 32 bytes kill the proxy\n"
    "  --delay MS         the M4 takes so long to answer (0)\n"
    "  --report-hold MS   reports older than this count for none (150000)\n"
    "  --wait MS          the proxy waits so long for the M4 (1000)\n"
    "  --outage MS        the proxy is gone so long after a crash (2000)\n"
    "  --start-limit N    crashes in 120 s until it stays down (10)\n"
    "  --packet-limit N   longest request that reaches the M4 (251; 0: any)\n"
    "  --do ORDER         carry out an order at start\n"
    "  --at N:ORDER       carry out an order before the Nth call is answered\n"
    "How long\n"
    "  --seconds N        end after N seconds\n"
    "  --exit-with-parent end when the parent process ends\n"
    "\n"
    "Orders: late P [MS] | late next [N [MS]] | mute on|off|MS | crash [MS]\n"
    "  restart m4 | restart proxy [MS] | split on|off | split next [N]\n"
    "  stale [N [FLOW]] | garbage P [HEX] | garbage next [N [HEX]] | cross P\n"
    "  error [N] | unrouted on|off | event SCENARIO-EVENT | status | quit\n";

enum {
  LISTEN = 1000,
  PORT,
  PORT_FILE,
  CONTROL,
  RECORD,
  FLOW,
  SCENARIO,
  REPLAY,
  EXACT,
  LOOP,
  AT_END,
  SEED,
  STEP,
  HOLD,
  IDEAL,
  SHUFFLE,
  ERROR_STYLE,
  FIRMWARE,
  VERSION_STRING,
  DELAY,
  REPORT_HOLD,
  WAIT,
  OUTAGE,
  START_LIMIT,
  PACKET_LIMIT,
  DO,
  AT,
  SECONDS,
  EXIT_WITH_PARENT,
  HELP,
};

static const struct option longs[] = {
    {"listen", required_argument, NULL, LISTEN},
    {"port", required_argument, NULL, PORT},
    {"port-file", required_argument, NULL, PORT_FILE},
    {"control", required_argument, NULL, CONTROL},
    {"record", required_argument, NULL, RECORD},
    {"calls", required_argument, NULL, RECORD},
    {"flow", required_argument, NULL, FLOW},
    {"scenario", required_argument, NULL, SCENARIO},
    {"replay", required_argument, NULL, REPLAY},
    {"exact", no_argument, NULL, EXACT},
    {"loop", no_argument, NULL, LOOP},
    {"at-end", required_argument, NULL, AT_END},
    {"seed", required_argument, NULL, SEED},
    {"step", optional_argument, NULL, STEP},
    {"hold", no_argument, NULL, HOLD},
    {"ideal", no_argument, NULL, IDEAL},
    {"shuffle", required_argument, NULL, SHUFFLE},
    {"error-style", required_argument, NULL, ERROR_STYLE},
    {"firmware", required_argument, NULL, FIRMWARE},
    {"version-string", required_argument, NULL, VERSION_STRING},
    {"delay", required_argument, NULL, DELAY},
    {"report-hold", required_argument, NULL, REPORT_HOLD},
    {"wait", required_argument, NULL, WAIT},
    {"outage", required_argument, NULL, OUTAGE},
    {"start-limit", required_argument, NULL, START_LIMIT},
    {"packet-limit", required_argument, NULL, PACKET_LIMIT},
    {"do", required_argument, NULL, DO},
    {"at", required_argument, NULL, AT},
    {"seconds", required_argument, NULL, SECONDS},
    {"exit-with-parent", no_argument, NULL, EXIT_WITH_PARENT},
    {"help", no_argument, NULL, HELP},
    {NULL, 0, NULL, 0}};

static int number(const char *name, double max, double *out) {
  char *end;
  double value = strtod(optarg, &end);
  if (end != optarg && *end == '\0' && value >= 0 && value <= max) {
    *out = value;
    return 0;
  }
  fprintf(stderr, "m4sim: --%s %s: give a number from 0 to %.0f\n", name,
          optarg, max);
  return -1;
}

static int whole(const char *name, double max, int64_t *out) {
  double value;
  if (number(name, max, &value) != 0)
    return -1;
  *out = (int64_t)value;
  return 0;
}

static int choice(const char *name, const char *const *words, int *out) {
  for (int i = 0; words[i] != NULL; i++)
    if (strcmp(optarg, words[i]) == 0) {
      *out = i;
      return 0;
    }
  fprintf(stderr, "m4sim: --%s %s: give", name, optarg);
  for (int i = 0; words[i] != NULL; i++)
    fprintf(stderr, "%s %s", i > 0 ? " or" : "", words[i]);
  fputc('\n', stderr);
  return -1;
}

static int order(struct ms_options *opt, bool at_call) {
  char *end = optarg;
  long call = at_call ? strtol(optarg, &end, 10) : 0;
  if (at_call && (call < 1 || *end++ != ':')) {
    fprintf(stderr, "m4sim: --at %s: give N:ORDER, N from 1\n", optarg);
    return -1;
  }
  if (opt->orders == MS_ORDERS_MAX) {
    fprintf(stderr, "m4sim: more than %d orders\n", MS_ORDERS_MAX);
    return -1;
  }
  opt->order[opt->orders] = end;
  opt->order_call[opt->orders++] = call;
  return 0;
}

static int one_port(struct ms_options *opt) {
  static char address[32];
  int64_t port;
  if (whole("port", 65535, &port) != 0)
    return -1;
  snprintf(address, sizeof(address), "127.0.0.1:%d", (int)port);
  opt->listen = address;
  return 0;
}

static int one_word(struct ms_options *opt, int which) {
  static const char *const ends[] = {"mute", "hold", "exit", NULL};
  static const char *const styles[] = {"string", "array", "map", NULL};
  static const char *const firmwares[] = {"weir", "note", NULL};
  int picked = 0, rc;
  switch (which) {
  case AT_END:
    rc = choice("at-end", ends, &picked);
    opt->at_end = (enum ms_at_end)picked;
    return rc;
  case ERROR_STYLE:
    rc = choice("error-style", styles, &picked);
    opt->error_style = (enum ms_error_style)picked;
    return rc;
  default:
    rc = choice("firmware", firmwares, &picked);
    opt->note = picked == 1;
    return rc;
  }
}

static int one_number(struct ms_options *opt, int which) {
  int64_t value = 0;
  int rc;
  switch (which) {
  case FLOW:
    return number("flow", 100, &opt->flow_lpm);
  case SECONDS:
    return number("seconds", 1e7, &opt->seconds);
  case SEED:
    rc = whole("seed", 1e15, &value);
    opt->seed = (uint64_t)value;
    return rc;
  case SHUFFLE:
    return whole("shuffle", 60000, &opt->shuffle_ms);
  case DELAY:
    return whole("delay", 60000, &opt->delay_ms);
  case REPORT_HOLD:
    return whole("report-hold", 1e9, &opt->report_hold_ms);
  case WAIT:
    return whole("wait", 60000, &opt->wait_ms);
  case OUTAGE:
    return whole("outage", 600000, &opt->outage_ms);
  case START_LIMIT:
    rc = whole("start-limit", 31, &value);
    opt->start_limit = (unsigned)value;
    return rc;
  default:
    rc = whole("packet-limit", MS_MESSAGE_MAX, &value);
    opt->packet_limit = (unsigned)value;
    return rc;
  }
}

static int one(struct ms_options *opt, int which) {
  switch (which) {
  case LISTEN:
    opt->listen = optarg;
    return 0;
  case PORT:
    return one_port(opt);
  case PORT_FILE:
    opt->port_file = optarg;
    return 0;
  case CONTROL:
    opt->control = optarg;
    return 0;
  case RECORD:
    opt->record = optarg;
    return 0;
  case SCENARIO:
    opt->scenario = optarg;
    return 0;
  case REPLAY:
    opt->replay = optarg;
    return 0;
  case EXACT:
    opt->exact = true;
    return 0;
  case LOOP:
    opt->loop = true;
    return 0;
  case STEP:
    opt->step = optarg ? optarg : "flow_rate";
    return 0;
  case HOLD:
    opt->hold = true;
    return 0;
  case IDEAL:
    opt->ideal = true;
    return 0;
  case VERSION_STRING:
    opt->version = optarg;
    return 0;
  case DO:
  case AT:
    return order(opt, which == AT);
  case AT_END:
  case ERROR_STYLE:
  case FIRMWARE:
    return one_word(opt, which);
  case EXIT_WITH_PARENT:
    return prctl(PR_SET_PDEATHSIG, SIGTERM);
  case HELP:
    fputs(help, stdout);
    return 1;
  case '?':
    fputs("m4sim: see m4sim --help\n", stderr);
    return -1;
  default:
    return one_number(opt, which);
  }
}

int ms_options_parse(struct ms_options *opt, int argc, char **argv) {
  *opt = (struct ms_options){.listen = "127.0.0.1:0",
                             .version = "weir-flow m4sim",
                             .flow_lpm = -1,
                             .seconds = -1,
                             .seed = 1,
                             .wait_ms = 1000,
                             .report_hold_ms = 150000,
                             .outage_ms = 2000,
                             .packet_limit = 251,
                             .start_limit = 10};
  int which;
  while ((which = getopt_long(argc, argv, "", longs, NULL)) != -1) {
    int rc = one(opt, which);
    if (rc != 0)
      return rc;
  }
  if (optind < argc) {
    fprintf(stderr, "m4sim: what is '%s'? See m4sim --help\n", argv[optind]);
    return -1;
  }
  if ((opt->scenario != NULL) + (opt->replay != NULL) + (opt->flow_lpm >= 0) >
      1) {
    fputs("m4sim: give one of --scenario, --replay and --flow\n", stderr);
    return -1;
  }
  return 0;
}
