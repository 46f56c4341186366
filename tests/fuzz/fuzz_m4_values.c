/* From the bytes of an M4 to a number that may be trusted: what we read is what
 * the simulated M4's own reader finds in the same bytes, for each index of the
 * result; what is no reading is none, whatever it is packed as. Then the
 * counter of measurements, over any steps. */
#include "lib/m4/values.h"

#include "tests/fuzz/fuzz.h"
#include "tests/sim/m4sim_wire.c"

#include <errno.h>
#include <math.h>

/* What the other reader makes of one value: as wr_m4_number(). */
static int other_number(const struct ms_value *v, double *out) {
  float narrow;
  uint32_t bits = (uint32_t)v->u;
  if (v->type == MS_NIL)
    return -ENODATA;
  if (v->type == MS_BOOL || v->type == MS_UINT)
    *out = (double)v->u;
  else if (v->type == MS_INT)
    *out = (double)(int64_t)v->u;
  else if (v->type == MS_FLOAT32) {
    memcpy(&narrow, &bits, sizeof(narrow));
    *out = (double)narrow;
  } else if (v->type == MS_FLOAT64)
    memcpy(out, &v->u, sizeof(*out));
  else
    return -EINVAL;
  return isnan(*out) ? -ENODATA : isinf(*out) ? -ERANGE : 0;
}

static int other(const uint8_t *data, size_t size, int64_t index, double *out) {
  struct ms_in in = {data, data + size};
  struct ms_value v;
  check(ms_get(&in, &v));
  if (v.type == MS_NIL)
    return -ENODATA;
  if (index == WR_M4_WHOLE)
    return other_number(&v, out);
  if (v.type != MS_ARRAY)
    return -EINVAL;
  if (index >= (int64_t)v.len)
    return -ENOENT;
  for (int64_t i = 0; i < index; i++)
    check(ms_skip(&in) == 1);
  check(ms_get(&in, &v));
  return other_number(&v, out);
}

static void read_value(const uint8_t *data, size_t size) {
  struct wr_rpc_value v;
  size_t used = 0;
  struct ms_in in = {data, data + size};
  int status = wr_rpc_scan(data, size, &used);
  if (status == -EBADMSG || status == -EAGAIN)
    check(ms_skip(&in) != 1);
  if (status != 0)
    return;
  check(ms_skip(&in) == 1 && in.at == data + used);
  const uint8_t *at = data;
  check(wr_rpc_read(&at, data + used, &v) == 0);
  for (int64_t i = WR_M4_WHOLE; i < 4; i++) {
    double mine = -7, theirs = -7;
    check(wr_m4_number(&v, i, &mine) ==
          (status = other(data, used, i, &theirs)));
    check(status != 0 || (mine == theirs && isfinite(mine)));
  }
}

/* Every new measurement is new once; no step counts what cannot be. */
static void count(const uint8_t *data, size_t size) {
  struct wr_m4_seq s = {.known = false};
  struct wr_m4_repair r = {0};
  int64_t now_us = 1;
  uint32_t seq = 0;
  for (; size >= 4; data += 4, size -= 4) {
    uint64_t before = s.skipped;
    uint32_t step = (uint32_t)data[0] << (data[1] % 32);
    seq += step;
    enum wr_m4_sample sample = wr_m4_seq_note(&s, seq);
    check(s.last == seq && s.known);
    check(sample != WR_M4_REPEATED || s.skipped == before);
    check(s.skipped - before <= INT32_MAX);
    check(wr_m4_seq_note(&s, seq) == WR_M4_REPEATED);
    double value = 10;
    now_us += (int64_t)data[2] << (data[3] % 24);
    if (wr_m4_repair(&r, now_us, &value))
      check(value > 4.9 && value <= 10);
  }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  uint8_t *copy = malloc(size > 0 ? size : 1); /* its end is an edge */
  check(copy != NULL);
  memcpy(copy, data, size);
  read_value(copy, size);
  count(copy, size);
  free(copy);
  return 0;
}
