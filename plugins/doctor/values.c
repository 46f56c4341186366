#include "doctor/values.h"

#include "doctor/tools.h"

#include <math.h>
#include <string.h>

#define FAST_READS 4
#define FAST_MS 250
#define SLOW_READS 3
#define SLOW_MS 1050      /* what the FlowSensor library can serve */
#define FLOW_MAX_LPM 60.0 /* twice what a YF-S201 can turn */
#define TEXT_MAX 31       /* an m4-proxy dies of longer ones */
#define ROUTER_NO_METHOD 2
#define MCU_NO_METHOD 0xfe

/* The code of [code, "text"]; -1: none. */
static int64_t error_code(const struct wr_rpc_value *error) {
  struct wr_rpc_value code;
  return error->kind == WR_RPC_ARRAY && wr_rpc_element(error, 0, &code) == 0 &&
                 code.kind == WR_RPC_UINT && code.u < 1000
             ? (int64_t)code.u
             : -1;
}

enum doctor_verdict doctor_remote(const struct doctor_line *l,
                                  const char *method) {
  char text[300];
  const struct wr_rpc_value *error = &l->answer.error;
  wr_rpc_print_error(error, text, sizeof(text));
  doctor_step(l->d, false, "call", "%s: an error: %s", method, text);
  if (strstr(text, "invalid number of arguments") != NULL)
    return DOCTOR_ARITY;
  if (strstr(text, "could not find function") != NULL ||
      error_code(error) == MCU_NO_METHOD)
    return DOCTOR_UNBOUND;
  return error_code(error) == ROUTER_NO_METHOD &&
                 strstr(text, "not available") != NULL
             ? DOCTOR_UNREGISTERED
             : DOCTOR_REMOTE;
}

static bool is_flow(const struct doctor_method *m) {
  return strcmp(m->type != NULL ? m->type : m->name,
                m->type != NULL ? "flow" : "flow_rate") == 0;
}

/* DOCTOR_PLAUSIBLE and *out for a finite number. */
static enum doctor_verdict number(const struct wr_rpc_value *v, double *out) {
  if (v->kind == WR_RPC_FLOAT && isinf(v->d))
    return DOCTOR_INFINITE;
  if (v->kind == WR_RPC_FLOAT && isnan(v->d))
    return DOCTOR_NAN_STAYS;
  return wr_rpc_number(v, out) == 0 ? DOCTOR_PLAUSIBLE : DOCTOR_NO_NUMBER;
}

/* Reads `count` numbers `pause_ms` apart. */
static enum doctor_verdict read_again(struct doctor_line *l,
                                      const struct doctor_method *m,
                                      double *out, size_t count,
                                      int64_t pause_ms) {
  for (size_t i = 0; i < count; i++) {
    doctor_sleep_ms(pause_ms);
    enum doctor_verdict v = doctor_line_call(l, m->name, NULL);
    if (v != DOCTOR_ANSWERS)
      return v;
    if (l->answer.error.kind != WR_RPC_NIL)
      return doctor_remote(l, m->name);
    v = number(&l->answer.result, &out[i]);
    if (v != DOCTOR_PLAUSIBLE)
      return v;
  }
  return DOCTOR_PLAUSIBLE;
}

static bool all_zero(const double *v, size_t count) {
  for (size_t i = 0; i < count; i++)
    if (v[i] != 0.0)
      return false;
  return true;
}

static enum doctor_verdict judge_flow(struct doctor_line *l,
                                      const struct doctor_method *m) {
  double f[FAST_READS], s[SLOW_READS];
  enum doctor_verdict v = read_again(l, m, f, FAST_READS, FAST_MS);
  if (v != DOCTOR_PLAUSIBLE)
    return v;
  doctor_step(l->d, true, "values", "%.2f %.2f %.2f %.2f, read %d ms apart",
              f[0], f[1], f[2], f[3], FAST_MS);
  for (size_t i = 0; i < FAST_READS; i++)
    if (f[i] < 0.0 || f[i] > FLOW_MAX_LPM)
      return DOCTOR_IMPLAUSIBLE;
  if (!all_zero(f, FAST_READS))
    return DOCTOR_PLAUSIBLE;
  v = read_again(l, m, s, SLOW_READS, SLOW_MS);
  if (v != DOCTOR_PLAUSIBLE)
    return v;
  doctor_step(l->d, true, "values", "%.2f %.2f %.2f, read %d ms apart", s[0],
              s[1], s[2], SLOW_MS);
  return all_zero(s, SLOW_READS) ? DOCTOR_ZERO : DOCTOR_LIBRARY;
}

/* The first second of weir-flow is NaN: only one that stays is a fault. */
static enum doctor_verdict wait_for_number(struct doctor_line *l,
                                           const struct doctor_method *m,
                                           double *out) {
  enum doctor_verdict v = DOCTOR_NAN_STAYS;
  for (int i = 0; i < SLOW_READS && v == DOCTOR_NAN_STAYS; i++)
    v = read_again(l, m, out, 1, SLOW_MS);
  return v;
}

static enum doctor_verdict judge_text(const struct doctor_line *l) {
  size_t len = l->answer.result.len;
  if (len <= TEXT_MAX)
    return DOCTOR_ANSWERS;
  doctor_step(l->d, false, "text", "it has %zu bytes", len);
  return DOCTOR_LONG_TEXT;
}

/* A report moves the alarm output, and without its argument it kills a proxy:
 * every sketch that binds this name takes one. */
static bool is_report(const struct doctor_method *m) {
  return strcmp(m->name, "classification") == 0;
}

enum doctor_verdict doctor_values(struct doctor_line *l,
                                  const struct doctor_method *m) {
  char text[128];
  double value;
  if (is_report(m)) {
    doctor_step(l->d, false, "call",
                "%s takes a report and was not called; weir-doctor call can",
                m->name);
    return DOCTOR_ARITY;
  }
  enum doctor_verdict v = doctor_line_call(l, m->name, NULL);
  if (v != DOCTOR_ANSWERS)
    return v;
  if (l->answer.error.kind != WR_RPC_NIL)
    return doctor_remote(l, m->name);
  wr_rpc_print(&l->answer.result, text, sizeof(text));
  doctor_step(l->d, true, "call", "%s answers %s after %.1f ms", m->name, text,
              l->took_ms);
  switch (l->answer.result.kind) {
  case WR_RPC_TEXT:
    return m->type != NULL ? DOCTOR_NO_NUMBER : judge_text(l);
  case WR_RPC_ARRAY:
  case WR_RPC_MAP:
    return DOCTOR_ANSWERS;
  default:
    break;
  }
  v = number(&l->answer.result, &value);
  if (v == DOCTOR_NAN_STAYS)
    v = wait_for_number(l, m, &value);
  if (v != DOCTOR_PLAUSIBLE)
    return v;
  return is_flow(m) ? judge_flow(l, m) : DOCTOR_ANSWERS;
}
