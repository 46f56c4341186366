#include "lib/m4/samples.h"

#include <errno.h>
#include <stdio.h>

#define REPAIR_SLACK_US 50000
#define NO_READING_US 3000000 /* our sketch has none in its first second */

/* False: this measurement was fetched before. */
static bool is_new(struct wr_m4_method *m, const struct wr_rpc_value *result) {
  double seq = 0;
  if (m->seq_index < 0 || wr_m4_number(result, m->seq_index, &seq) != 0 ||
      seq < 0 || seq > UINT32_MAX)
    return true;
  return wr_m4_seq_note(&m->seq, (uint32_t)seq) != WR_M4_REPEATED;
}

/* When the M4 took a reading that was long on its way is not known. */
static bool repaired(struct wr_m4_method *m, const struct wr_rpc_call *call,
                     double *value) {
  if (call->stale == 0 && call->took_us < REPAIR_SLACK_US)
    return wr_m4_repair(&m->repair_state, call->sent_us, value);
  wr_m4_repair_lost(&m->repair_state);
  return false;
}

/* Hands on what a good reply holds. 0; -ENODATA: the M4 has no reading;
 * -EBADMSG: not what was configured. */
static int use_result(struct wr_m4_life *l, size_t which,
                      const struct wr_rpc_call *call) {
  struct wr_m4_method *m = l->methods[which];
  int missing = 0;
  if (!is_new(m, &call->result))
    return 0;
  for (size_t i = 0; i < m->indices_count; i++) {
    double value = 0;
    int status = wr_m4_number(&call->result, m->indices[i], &value);
    if (status == -ENODATA)
      missing = status;
    if (status == -ENODATA)
      continue;
    if (status != 0)
      return -EBADMSG;
    if (!m->repair || repaired(m, call, &value))
      l->sink.sample(l->sink.user, which, i, value * m->scale, call->sent_us);
  }
  return missing;
}

void wr_m4_method_fails(struct wr_m4_life *l, size_t which, const char *why) {
  struct wr_m4_method *m = l->methods[which];
  m->fails = true;
  l->sink.event(l->sink.user, WR_M4_METHOD_FAILS, which, m->bad_us, why);
}

void wr_m4_began(int64_t *since_us, int64_t at_us) {
  if (*since_us == 0)
    *since_us = at_us;
}

static void no_sample(struct wr_m4_life *l, size_t which, int status,
                      const struct wr_rpc_call *call) {
  struct wr_m4_method *m = l->methods[which];
  char value[128], why[256];
  wr_m4_began(&m->bad_us, call->sent_us);
  if (status == -ENODATA && call->sent_us - m->bad_us < NO_READING_US)
    return;
  wr_rpc_print(&call->result, value, sizeof(value));
  snprintf(why, sizeof(why), "%s: %s",
           status == -ENODATA ? "the M4 says that it has no reading"
                              : "the result is not as configured",
           value);
  if (status != -ENODATA)
    l->faults[WR_FAULT_PROTOCOL]++;
  wr_m4_method_fails(l, which, why);
}

void wr_m4_sampled(struct wr_m4_life *l, size_t which,
                   const struct wr_rpc_call *call) {
  struct wr_m4_method *m = l->methods[which];
  m->misses = 0;
  l->sink.latency(l->sink.user, which, call->took_us, call->sent_us);
  int status = use_result(l, which, call);
  if (status != 0) {
    no_sample(l, which, status, call);
    return;
  }
  m->bad_us = 0;
  if (m->fails)
    l->sink.event(l->sink.user, WR_M4_METHOD_WORKS, which, 0, "");
  m->fails = false;
}
