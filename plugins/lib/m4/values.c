#include "lib/m4/values.h"

#include <errno.h>
#include <math.h>

#define SECOND_US 1000000
#define MARGIN_MS 10

int wr_m4_number(const struct wr_rpc_value *result, int64_t index,
                 double *out) {
  struct wr_rpc_value element = *result;
  if (result->kind == WR_RPC_NIL)
    return -ENODATA;
  if (index != WR_M4_WHOLE) {
    int status = wr_rpc_element(result, (uint32_t)index, &element);
    if (status != 0)
      return status;
  }
  if (element.kind == WR_RPC_NIL ||
      (element.kind == WR_RPC_FLOAT && isnan(element.d)))
    return -ENODATA;
  return wr_rpc_number(&element, out);
}

enum wr_m4_sample wr_m4_seq_note(struct wr_m4_seq *s, uint32_t seq) {
  uint32_t step = seq - s->last;
  bool first = !s->known;
  s->known = true;
  s->last = seq;
  if (first)
    return WR_M4_NEW;
  if (step == 0)
    return WR_M4_REPEATED;
  if (step > INT32_MAX)
    return WR_M4_RESTARTED;
  s->skipped += step - 1;
  return WR_M4_NEW;
}

bool wr_m4_repair_serves(int64_t interval_ms) {
  int64_t part = interval_ms % 1000;
  return interval_ms >= 1000 + MARGIN_MS && part >= MARGIN_MS &&
         part <= 1000 - MARGIN_MS;
}

bool wr_m4_repair(struct wr_m4_repair *r, int64_t now_us, double *value) {
  int64_t dt_us = now_us - r->last_us;
  bool usable = r->last_us != 0 && dt_us >= SECOND_US;
  r->last_us = now_us;
  if (usable)
    *value *= (double)(dt_us / SECOND_US * SECOND_US) / (double)dt_us;
  return usable;
}

void wr_m4_repair_lost(struct wr_m4_repair *r) { r->last_us = 0; }
