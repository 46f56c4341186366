/* weir-doctor m4: from the name to the plausibility of the value.
 *
 * Every step uses what cannot do harm: a notification shows whether a proxy is
 * there (it never crashes one), then one call of a method the user named. No
 * other method is tried: an m4-proxy dies for 2 s of one that is not bound. */
#include "doctor/checks.h"
#include "doctor/tools.h"

#include "lib/rpc/client.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TIMEOUT_MS 2500
#define RESTART_MS 5000 /* a crashed proxy is back within 2 s */
#define FAST_READS 4
#define FAST_MS 250
#define SLOW_READS 3
#define SLOW_MS 1050      /* what the FlowSensor library can serve */
#define FLOW_MAX_LPM 60.0 /* twice what a YF-S201 can turn */

struct walk {
  struct doctor *d;
  struct wr_rpc_client *client;
  const char *method;
  unsigned stale; /* found on the way */
  double fastest[FAST_READS], slowest[SLOW_READS];
};

static const char remedy_silent[] =
    "in this order: is a sketch on the M4 that ends setup() with RPC.begin()? "
    "(firmware/weir-flow does); was it uploaded after the last power cycle?; "
    "does the M7 firmware fit the core? compare "
    "/sys/kernel/x8h7_firmware/version with the image's notes and reflash it "
    "with /usr/arduino/extra/program.sh if it does not";
static const char remedy_refused[] =
    "on the X8: systemctl status m4-proxy; after 11 crashes within 2 minutes "
    "it stays down until systemctl reset-failed m4-proxy && systemctl start "
    "m4-proxy; in a container check extra_hosts m4proxy:host-gateway";

static enum wr_rpc_outcome call(struct walk *w, struct wr_rpc_call *c) {
  *c = (struct wr_rpc_call){.method = w->method};
  wr_rpc_call(w->client, c, 1);
  w->stale += c->stale;
  return c->outcome;
}

/* Is somebody there? A proxy that restarts gets the time for it. */
static enum wr_rpc_outcome knock(struct walk *w, struct wr_rpc_call *c) {
  int64_t until_us = doctor_clock_us() + RESTART_MS * 1000;
  for (;;) {
    *c = (struct wr_rpc_call){.method = "weir_doctor"};
    wr_rpc_notify(w->client, c);
    if (c->outcome != WR_RPC_REFUSED || doctor_clock_us() > until_us)
      return c->outcome;
    doctor_sleep_ms(500);
  }
}

static int end_of_call(struct walk *w, const struct wr_rpc_call *c) {
  char text[256];
  wr_rpc_explain(c, text, sizeof(text));
  doctor_step(w->d, false, "call", "%s: %s", w->method, text);
  switch (c->outcome) {
  case WR_RPC_SILENT:
  case WR_RPC_TIMEOUT:
    return doctor_end(w->d, false, "the M4 does not answer", remedy_silent);
  case WR_RPC_CRASHED:
    return doctor_end(
        w->d, false, "the M4 does not know this method",
        "flash a sketch that binds it (firmware/weir-flow), or name the right "
        "one with --method; until then do not call it: every call stops the "
        "m4-proxy for 2 s");
  case WR_RPC_REMOTE:
    return doctor_end(w->d, false, "the M4 answers this method with an error",
                      "read the error above; the sketch sends it");
  case WR_RPC_STALE:
    return doctor_end(w->d, false,
                      "the proxy hands out replies to earlier calls",
                      "weir-doctor m4 --drain empties it; m4_rpc does so by "
                      "itself, other clients accept the wrong values");
  case WR_RPC_REFUSED:
    return doctor_end(w->d, false, "the proxy went away during the call",
                      remedy_refused);
  case WR_RPC_BUSY:
    return doctor_end(w->d, false, "another program keeps the proxy locked",
                      "find it with fuser on the lock file and end it");
  default:
    return doctor_end(w->d, false, "the call failed",
                      "is this an m4-proxy? other servers need --persistent");
  }
}

static bool all_zero(const double *v, size_t count) {
  for (size_t i = 0; i < count; i++)
    if (v[i] != 0.0)
      return false;
  return true;
}

/* Reads `count` values `pause_ms` apart: 0, or the call that failed in *c. */
static int read_values(struct walk *w, double *out, size_t count,
                       int64_t pause_ms, struct wr_rpc_call *c) {
  for (size_t i = 0; i < count; i++) {
    doctor_sleep_ms(pause_ms);
    if (call(w, c) != WR_RPC_OK)
      return -EIO;
    if (wr_rpc_number(&c->result, &out[i]) != 0)
      return -EINVAL;
  }
  return 0;
}

static int judge_values(struct walk *w) {
  const double *v = w->fastest;
  doctor_step(w->d, true, "values", "%.2f %.2f %.2f %.2f, read %d ms apart",
              v[0], v[1], v[2], v[3], FAST_MS);
  for (size_t i = 0; i < FAST_READS; i++)
    if (v[i] < 0.0 || v[i] > FLOW_MAX_LPM)
      return doctor_end(
          w->d, false, "the values are implausible for a flow in L/min",
          "check the pulses per litre of the sketch (YF-S201: 450), a loose "
          "ground, and interference on the signal wire");
  if (!all_zero(v, FAST_READS))
    return doctor_end(w->d, true, "the M4 answers with plausible values", NULL);

  struct wr_rpc_call c;
  if (read_values(w, w->slowest, SLOW_READS, SLOW_MS, &c) != 0)
    return end_of_call(w, &c);
  v = w->slowest;
  doctor_step(w->d, true, "values", "%.2f %.2f %.2f, read %d ms apart", v[0],
              v[1], v[2], SLOW_MS);
  if (!all_zero(v, SLOW_READS))
    return doctor_end(
        w->d, false,
        "values read more often than once a second are 0: the sketch uses the "
        "FlowSensor library",
        "flash firmware/weir-flow, or set \"Compensate true\" in m4_rpc");
  return doctor_end(
      w->d, true, "the M4 answers; the flow is 0",
      "if water flows: is the sensor on the pin the sketch counts (a PC_7 cast "
      "to a pin number never counts), supplied with 5 V, and its pulse brought "
      "down to 3.3 V?");
}

static int walk_path(struct walk *w, const char *address, bool drain) {
  struct wr_rpc_call c;
  if (wr_rpc_client_resolve(w->client) != WR_RPC_OK) {
    doctor_step(w->d, false, "name", "%s does not resolve", address);
    return doctor_end(w->d, false, "the address has no meaning here",
                      "use the board's IP address, or give the name one: "
                      "/etc/hosts, or extra_hosts in compose.yaml");
  }
  doctor_step(w->d, true, "name", "%s resolves", address);
  enum wr_rpc_outcome outcome = knock(w, &c);
  if (outcome == WR_RPC_REFUSED || outcome == WR_RPC_UNREACHABLE) {
    char text[256];
    wr_rpc_explain(&c, text, sizeof(text));
    doctor_step(w->d, false, "connect", "%s", text);
    return doctor_end(w->d, false, "the proxy is not there", remedy_refused);
  }
  doctor_step(w->d, true, "connect", "somebody listens at %s", address);
  if (drain) {
    c = (struct wr_rpc_call){0};
    wr_rpc_drain(w->client, &c);
    doctor_step(w->d, c.outcome == WR_RPC_OK, "drain",
                "%u stale replies taken out", c.stale);
  }
  if (call(w, &c) != WR_RPC_OK)
    return end_of_call(w, &c);
  char text[128];
  wr_rpc_print(&c.result, text, sizeof(text));
  doctor_step(w->d, true, "call", "%s answers %s after %.1f ms", w->method,
              text, (double)c.took_us / 1000.0);
  if (w->stale > 0) {
    doctor_step(w->d, false, "stale", "%u replies to earlier calls came first",
                w->stale);
    return doctor_end(w->d, false, "stale replies were in the proxy's channel",
                      "they are gone now; other clients of this proxy got "
                      "wrong values: let only m4_rpc call it");
  }
  double number;
  if (wr_rpc_number(&c.result, &number) != 0)
    return doctor_end(w->d, true, "the M4 answers", NULL); /* not a flow */
  int status = read_values(w, w->fastest, FAST_READS, FAST_MS, &c);
  if (status == -EINVAL)
    return doctor_end(w->d, false, "the value is no number", remedy_silent);
  return status != 0 ? end_of_call(w, &c) : judge_values(w);
}

static const char *default_address(char *buffer, size_t size) {
  const char *host = getenv("M4_PROXY_HOST"), *port = getenv("M4_PROXY_PORT");
  snprintf(buffer, size, "%s:%s", host != NULL ? host : "m4proxy",
           port != NULL ? port : WR_RPC_PORT);
  return buffer;
}

static int open_client(struct doctor *d, struct wr_rpc_client **client,
                       const char *address, bool persistent) {
  struct wr_rpc_options options = {.timeout_ms = TIMEOUT_MS,
                                   .random = doctor_random(),
                                   .env = {doctor_clock_us, -1}};
  const char *why = NULL;
  if (wr_rpc_address_parse(address, &options.address, &why) != 0)
    return doctor_usage(d, "the address \"%s\" is not one: %s", address, why);
  options.mode = persistent || options.address.path[0] != '\0'
                     ? WR_RPC_PERSISTENT
                     : WR_RPC_PROXY;
  *client = wr_rpc_client_new(&options);
  return *client != NULL ? 0 : doctor_usage(d, "there is no memory left");
}

int doctor_m4(struct doctor *d, int argc, char **argv) {
  struct walk w = {.d = d, .method = "flow_rate"};
  char buffer[300];
  const char *address = NULL;
  bool drain = false, persistent = false;
  for (int i = 0; i < argc; i++) {
    if (strcmp(argv[i], "--drain") == 0)
      drain = true;
    else if (strcmp(argv[i], "--persistent") == 0)
      persistent = true;
    else if (strcmp(argv[i], "--method") == 0 && i + 1 < argc)
      w.method = argv[++i];
    else if (argv[i][0] == '-' || address != NULL)
      return doctor_usage(d, "m4 does not take \"%s\"", argv[i]);
    else
      address = argv[i];
  }
  if (address == NULL)
    address = default_address(buffer, sizeof(buffer));
  int status = open_client(d, &w.client, address, persistent);
  if (status != 0)
    return status;
  status = walk_path(&w, address, drain);
  wr_rpc_client_free(w.client);
  return status;
}

int doctor_call(struct doctor *d, int argc, char **argv) {
  bool persistent = argc > 0 && strcmp(argv[0], "--persistent") == 0;
  argc -= persistent;
  argv += persistent;
  if (argc < 2 || argc > 3)
    return doctor_usage(d, "call takes ADDRESS METHOD [ARGUMENT]");
  struct wr_rpc_client *client;
  int status = open_client(d, &client, argv[0], persistent);
  if (status != 0)
    return status;
  struct wr_rpc_arg arg = {.kind = WR_ARG_TEXT};
  if (argc == 3) {
    char *end;
    errno = 0;
    arg.text = argv[2];
    arg.i = strtoll(argv[2], &end, 10);
    if (*argv[2] != '\0' && *end == '\0' && errno == 0)
      arg.kind = WR_ARG_INT;
  }
  struct wr_rpc_call c = {
      .method = argv[1], .args = &arg, .args_count = argc == 3};
  wr_rpc_call(client, &c, 1);
  char text[1100];
  if (c.outcome == WR_RPC_OK)
    wr_rpc_print(&c.result, text, sizeof(text));
  else
    wr_rpc_explain(&c, text, sizeof(text));
  doctor_step(d, c.outcome == WR_RPC_OK, "call", "%s: %s", argv[1], text);
  wr_rpc_client_free(client);
  return doctor_end(d, c.outcome == WR_RPC_OK,
                    c.outcome == WR_RPC_OK ? text : "the call failed", NULL);
}
