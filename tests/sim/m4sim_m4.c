/* The firmware on the M4: the dispatcher and the bound methods, either of
 * this project's sketch (the M4 owns a one-second gate) or, with --firmware
 * note, of a sketch on the FlowSensor library. */
#include "tests/sim/m4sim.h"

#include "firmware/libraries/WeirFlow/src/weir_report.h"

#include <math.h>
#include <string.h>

struct request {
  bool notification;
  struct ms_value id, method;
  uint32_t args;
  struct ms_value arg; /* the first, if any */
};

/* As LABELS in the sketch. */
static const struct weir_label labels[] = {WEIR_BUNDLED_LABELS};

void ms_m4_init(struct ms_m4 *m4, struct ms_scenario *s, uint64_t seed,
                int64_t report_hold_ms) {
  weir_alarm_init(&m4->output, labels, sizeof(labels) / sizeof(labels[0]),
                  (uint32_t)report_hold_ms);
  weir_baseline_init(&m4->memory, (uint32_t)report_hold_ms);
  ms_plant_init(&m4->plant, s, seed);
  m4->start_ms = -1;
  m4->flow_lpm = NAN;
}

void ms_m4_restart(struct ms_m4 *m4) {
  m4->seq = 0;
  m4->pulses = 0;
  m4->flow_lpm = NAN;
  m4->dead = false;
  m4->note_seen = 0;
  m4->note_ms = 0;
  weir_alarm_init(&m4->output, m4->output.labels, m4->output.count,
                  m4->output.hold_ms);
  weir_baseline_init(&m4->memory, m4->output.hold_ms);
}

const char *ms_m4_level(const struct ms_m4 *m4) {
  static const char *const names[] = {[WEIR_SILENT] = "silent",
                                      [WEIR_OK] = "ok",
                                      [WEIR_WARNING] = "warning",
                                      [WEIR_ALARM] = "alarm",
                                      [WEIR_UNKNOWN] = "unknown"};
  return names[m4->output.level];
}

void ms_m4_output(struct ms_sim *sim) {
  struct ms_m4 *m4 = &sim->m4;
  if (m4->dead || sim->opt.note)
    return;
  weir_alarm_healthy(&m4->output, (uint32_t)sim->now_ms);
  bool drift = weir_baseline_off(&m4->memory, (uint32_t)sim->now_ms);
  if (m4->drift != drift)
    ms_record_event(sim, "baseline", drift ? "off" : "well");
  m4->drift = drift;
  if (m4->shown == (int)m4->output.level)
    return;
  m4->shown = (int)m4->output.level;
  ms_record_event(sim, "output", ms_m4_level(m4));
}

static bool play_second(struct ms_m4 *m4) {
  struct ms_second next;
  if (m4->ended || !ms_plant_play(&m4->plant, &next)) {
    m4->ended = true;
    return false;
  }
  m4->second = next;
  m4->has_second = true;
  m4->seq++;
  m4->pulses += next.pulses;
  m4->flow_lpm = (float)(next.pulses / MS_HZ_PER_LPM);
  return true;
}

/* The M4 has been up for one gate when m4sim starts: the first sample is
 * there at once. The FlowSensor library counts on within a second, so its
 * second is played when it begins, not when it ends. */
static void advance_clock(struct ms_sim *sim) {
  struct ms_m4 *m4 = &sim->m4;
  if (m4->start_ms < 0)
    m4->start_ms = sim->now_ms;
  int64_t due = (sim->now_ms - m4->start_ms) / 1000 + 1 + sim->opt.note;
  while (m4->plant.second < due && play_second(m4))
    ;
}

static bool is(const struct ms_value *text, const char *name) {
  return text->len == strlen(name) && memcmp(text->data, name, text->len) == 0;
}

static bool is_reading(const struct ms_value *method) {
  return is(method, "flow_rate") || is(method, "flow_pulses") ||
         is(method, "flow_stat");
}

/* FlowSensor::read(): pulses since the last read over WHOLE seconds. */
static float note_flow(struct ms_sim *sim) {
  struct ms_m4 *m4 = &sim->m4;
  int64_t since_ms = sim->opt.step != NULL ? m4->plant.second * 1000
                                           : sim->now_ms - m4->start_ms + 1000;
  uint32_t count = m4->pulses;
  if (sim->opt.step == NULL) /* not yet counted in this second */
    count -= (uint32_t)(m4->second.pulses -
                        m4->second.pulses * (since_ms % 1000) / 1000);
  int64_t whole_s = (since_ms - m4->note_ms) / 1000;
  uint32_t seen = count - m4->note_seen;
  m4->note_ms = since_ms;
  m4->note_seen = count;
  return whole_s > 0 ? (float)(seen / MS_HZ_PER_LPM / (double)whole_s) : 0;
}

static void error_reply(struct ms_sim *sim, struct ms_out *out,
                        const char *text) {
  switch (sim->opt.ideal ? sim->opt.error_style : MS_ERROR_STRING) {
  case MS_ERROR_STRING:
    ms_put_str(out, text);
    break;
  case MS_ERROR_ARRAY:
    ms_put_array(out, 2);
    ms_put_uint(out, 2);
    ms_put_str(out, text);
    break;
  case MS_ERROR_MAP:
    ms_put(out, "\x82", 1);
    ms_put_str(out, "code");
    ms_put_uint(out, 2);
    ms_put_str(out, "message");
    ms_put_str(out, text);
    break;
  }
  ms_put_nil(out);
}

static int classification(struct ms_sim *sim, const struct request *request) {
  sim->count.classifications++;
  struct weir_report report;
  int status = weir_report_parse((const char *)request->arg.data,
                                 request->arg.len, &report);
  if (status == 0)
    weir_alarm_report(&sim->m4.output, report.label, (uint32_t)sim->now_ms);
  return status;
}

static int baseline(struct ms_sim *sim, const struct request *request) {
  struct weir_report report;
  int status = weir_report_parse((const char *)request->arg.data,
                                 request->arg.len, &report);
  if (status == 0)
    weir_baseline_report(&sim->m4.memory, report.label, (uint32_t)sim->now_ms);
  return status;
}

static void put_stat(struct ms_sim *sim, struct ms_out *out) {
  ms_put_array(out, 3);
  ms_put_uint(out, sim->m4.seq);
  ms_put_float(out, sim->m4.flow_lpm);
  ms_put_uint(out, sim->m4.seq); /* gates of one second: the uptime */
}

static void json_number(FILE *f, double value) {
  if (isfinite(value))
    fprintf(f, "%.9g", value);
  else
    fputs("null", f);
}

static void record_call(struct ms_sim *sim, const struct request *request,
                        double value) {
  FILE *f = ms_record_begin(sim);
  if (f == NULL)
    return;
  fputs(",\"method\":", f);
  ms_json_text(f, (const char *)request->method.data, request->method.len);
  fprintf(f, ",\"kind\":\"%s\",\"seq\":%u",
          request->notification ? "notification" : "call", sim->m4.seq);
  if (!request->notification)
    fprintf(f, ",\"msgid\":%llu", (unsigned long long)request->id.u);
  fputs(",\"value\":", f);
  json_number(f, value);
  if (request->args > 0 && request->arg.type == MS_STR) {
    fputs(",\"payload\":", f);
    ms_json_text(f, (const char *)request->arg.data, request->arg.len);
  }
  ms_record_end(sim);
}

/* Puts [error, result] and returns true, or returns false: no such method. */
static bool run(struct ms_sim *sim, const struct request *request,
                struct ms_out *out) {
  const struct ms_value *method = &request->method;
  struct ms_m4 *m4 = &sim->m4;
  double value = NAN;
  ms_put_nil(out);
  if (is(method, "flow_rate")) {
    float flow = sim->opt.note ? note_flow(sim) : m4->flow_lpm;
    ms_put_float(out, flow);
    value = (double)flow;
  } else if (is(method, "classification") && !sim->opt.note) {
    value = classification(sim, request);
    ms_put_int(out, (int64_t)value);
  } else if (is(method, "baseline") && !sim->opt.note) {
    value = baseline(sim, request);
    ms_put_int(out, (int64_t)value);
  } else if (is(method, "flow_pulses") && !sim->opt.note) {
    ms_put_uint(out, m4->pulses);
    value = m4->pulses;
  } else if (is(method, "flow_stat") && !sim->opt.note) {
    put_stat(sim, out);
    value = (double)m4->flow_lpm;
  } else if (is(method, "version") && !sim->opt.note)
    ms_put_str(out, sim->opt.version);
  else if (sim->opt.ideal && is(method, "$/register"))
    ms_put_bool(out, true);
  else if (sim->opt.ideal && is(method, "$/version"))
    ms_put_str(out, "0.0.0-m4sim");
  else
    return false;
  record_call(sim, request, value);
  return true;
}

static bool is_report(const struct ms_value *method) {
  return is(method, "classification") || is(method, "baseline");
}

static uint32_t arity(const struct ms_value *method) {
  return is_report(method) || is(method, "$/register") ? 1 : 0;
}

/* Returns 1, 0 for a message that the dispatcher ignores, -1 for one that
 * throws an exception on the M4. */
static int parse(const uint8_t *data, size_t len, struct request *request) {
  struct ms_in in = {data, data + len};
  struct ms_value head, type, params;
  if (!ms_get(&in, &head) || head.type != MS_ARRAY ||
      (head.len != 3 && head.len != 4) || !ms_get(&in, &type))
    return 0;
  request->notification = head.len == 3;
  if (type.type != MS_UINT || type.u != (request->notification ? 2 : 0))
    return 0;
  if (!request->notification &&
      (!ms_get(&in, &request->id) || request->id.type != MS_UINT ||
       request->id.u > UINT32_MAX))
    return -1;
  if (!ms_get(&in, &request->method) || request->method.type != MS_STR ||
      !ms_get(&in, &params) || params.type != MS_ARRAY)
    return -1;
  request->args = params.len;
  if (params.len > 0 && !ms_get(&in, &request->arg))
    return 0;
  return 1;
}

static void answer(struct ms_sim *sim, const struct request *request,
                   struct ms_out *out) {
  char text[160];
  if (request->args != arity(&request->method)) { /* swapped, as in rpclib */
    snprintf(text, sizeof(text),
             "rpclib: Function '%.*s' was called with an invalid number of "
             "arguments. Expected: %u, got: %u",
             (int)(request->method.len < 32 ? request->method.len : 32),
             (const char *)request->method.data, request->args,
             arity(&request->method));
    error_reply(sim, out, text);
    return;
  }
  if (sim->opt.ideal && sim->quirks.unrouted) {
    error_reply(sim, out, "method not available");
    return;
  }
  if (sim->quirks.error_next > 0) {
    sim->quirks.error_next--;
    error_reply(sim, out, "bad sensor");
    return;
  }
  size_t mark = out->len;
  if (run(sim, request, out))
    return;
  out->len = mark;
  snprintf(text, sizeof(text),
           "rpclib: server could not find function '%.*s' with argument "
           "count %u.",
           (int)(request->method.len < 32 ? request->method.len : 32),
           (const char *)request->method.data, request->args);
  error_reply(sim, out, text);
}

/* Orders of --at that are due before this call. */
static void orders_due(struct ms_sim *sim) {
  char line[256];
  for (size_t i = 0; i < sim->opt.orders; i++)
    if (sim->opt.order_call[i] == (long)sim->count.calls)
      ms_control(sim, sim->opt.order[i], line, sizeof(line));
}

static bool mute(struct ms_sim *sim) {
  return sim->quirks.mute || sim->now_ms < sim->quirks.mute_until_ms ||
         sim->m4.dead;
}

static bool is_bound(const struct ms_sim *sim, const struct ms_value *method) {
  return is(method, "flow_rate") ||
         (!sim->opt.note &&
          (is_reading(method) || is(method, "version") || is_report(method)));
}

/* rpclib checks the number of arguments, throws, and catches that only around
 * a call. */
static void notified(struct ms_sim *sim, const struct request *request) {
  struct ms_out unused = {.len = 0};
  sim->count.notifications++;
  if (request->args == arity(&request->method))
    run(sim, request, &unused);
  else if (is_bound(sim, &request->method)) {
    sim->m4.dead = true;
    ms_record_event(sim, "exception", "wrong number of arguments");
  }
}

bool ms_m4_receive(struct ms_sim *sim, const uint8_t *data, size_t len,
                   struct ms_out *out) {
  struct request request = {0};
  int parsed = parse(data, len, &request);
  if (parsed > 0 && !request.notification) {
    sim->count.calls++;
    orders_due(sim);
  }
  if (mute(sim)) {
    if (parsed != 0)
      ms_record_event(sim, "unheard", "the M4 is silent");
    return false;
  }
  bool bad_cast = parsed > 0 && is_report(&request.method) &&
                  request.args == 1 && request.arg.type != MS_STR;
  if (sim->opt.ideal && (parsed < 0 || bad_cast)) {
    ms_record_event(sim, "malformed", "no answer");
    return false;
  }
  if (parsed < 0 || bad_cast) {
    sim->m4.dead = true;
    ms_record_event(sim, "exception", "uncaught exception on the M4");
    return false;
  }
  if (parsed == 0)
    return false;
  if (sim->opt.step == NULL)
    advance_clock(sim);
  else if (is(&request.method, sim->opt.step))
    play_second(&sim->m4);
  if (sim->m4.ended && is_reading(&request.method) &&
      sim->opt.at_end != MS_END_HOLD) {
    sim->quit = sim->opt.at_end == MS_END_EXIT;
    return false;
  }
  out->len = 0;
  out->full = false;
  if (request.notification) {
    notified(sim, &request);
    return false;
  }
  ms_put_array(out, 4);
  ms_put_uint(out, 1);
  ms_put_uint(out, request.id.u);
  answer(sim, &request, out);
  return true;
}
