/* What a runner or an `.eim` sends: any bytes, in any pieces. The first byte
 * says which reader gets the rest. */
#include "lib/infer/ei_proto.h"
#include "tests/fuzz/fuzz.h"

#include <math.h>

static struct wr_model *flow_model(void) {
  static const char info[] =
      "{\"modelParameters\":{\"input_features_count\":10,\"interval_ms\":1000,"
      "\"has_anomaly\":1,\"labels\":[\"A\",\"B\\u0000\",\"\xc3\xa4\"]}}";
  static struct wr_model m;
  char fault[WR_EI_TEXT];
  if (m.features == 0 &&
      wr_ei_read_model(info, sizeof(info) - 1, -1, &m, fault) != 0)
    abort();
  return &m;
}

static void read_answer(const char *text, size_t len, int64_t id) {
  struct wr_answer a;
  char fault[WR_EI_TEXT] = "";
  const struct wr_model *m = flow_model();
  int status = wr_ei_read_answer(text, len, id, m, &a, fault);
  if ((status == 0) != (fault[0] == '\0'))
    abort();
  for (size_t i = 0; status == 0 && i < m->labels.count; i++)
    if (!(a.scores[i] >= 0.0 && a.scores[i] <= 1.0))
      abort();
  if (status == 0 && !isnan(a.anomaly) && !(a.anomaly < 1000.0))
    abort();
}

static void read_model(const char *text, size_t len, int64_t id) {
  struct wr_model m;
  char fault[WR_EI_TEXT] = "";
  int status = wr_ei_read_model(text, len, id, &m, fault);
  if ((status == 0) != (fault[0] == '\0'))
    abort();
  if (status == 0 &&
      (m.features < 1 || m.features > 65536 || m.axes < 1 || m.axes > 16 ||
       m.features % m.axes != 0 || m.interval_us <= 0))
    abort();
  for (size_t i = 0; status == 0 && i < m.labels.count; i++)
    if (strpbrk(m.labels.at[i].id, "/ \n\"") != NULL)
      abort();
  wr_model_free(&m);
}

/* The same bytes in pieces of `step` give the same objects. */
static uint64_t scan(const char *data, size_t size, size_t step) {
  struct wr_ei_scan s = {0};
  uint64_t sum = 0;
  size_t start = 0, begin, end;
  for (size_t have = 0; have < size;) {
    have = size - have < step ? size : have + step;
    while (wr_ei_scan(&s, data + start, have - start, &begin, &end)) {
      if (begin >= end || end > have - start || data[start + begin] != '{' ||
          data[start + end - 1] != '}')
        abort();
      sum = sum * 31 + (start + begin) * 7 + (end - begin);
      start += end;
    }
  }
  return sum;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  if (size == 0)
    return 0;
  const char *text = (const char *)data + 1;
  size--;
  switch (data[0] % 4) {
  case 0:
    read_model(text, size, 2);
    read_answer(text, size, 4);
    break;
  case 1:
    read_model(text, size, -1);
    break;
  case 2:
    read_answer(text, size, -1);
    break;
  default:
    if (scan(text, size, 1) != scan(text, size, 7) ||
        scan(text, size, 1) != scan(text, size, size + 1))
      abort();
  }
  return 0;
}
