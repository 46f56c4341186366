/* The memory of a series, read back from a file that anything may have been
 * written to: whatever the text, the series is usable afterwards or refused,
 * and what is refused changes nothing. A line that was accepted and written
 * again is the same line from then on. */
#include "lib/flow/baseline_state.h"
#include "tests/fuzz/fuzz.h"

#include <math.h>

/* One line, shorter than a reader allows. */
static void text_of(const struct wr_baseline *b, struct wr_bytes *out) {
  check(wr_baseline_put(out, b) == 0);
  check(out->len > 0 && out->len < WR_BASELINE_STATE_MAX);
  check(strpbrk(out->data, "\r\n") == NULL);
}

static void same_again(const struct wr_baseline *b) {
  static struct wr_baseline second, third;
  struct wr_bytes one = WR_BYTES_INIT(WR_BASELINE_STATE_MAX);
  struct wr_bytes two = WR_BYTES_INIT(WR_BASELINE_STATE_MAX);
  text_of(b, &one);
  check(wr_baseline_get(one.data, &second) == 0);
  text_of(&second, &two);
  check(wr_baseline_get(two.data, &third) == 0);
  check(strcmp(one.data, two.data) == 0);
  wr_bytes_free(&one);
  wr_bytes_free(&two);
}

static void look(const struct wr_baseline *b,
                 const struct wr_baseline_rules *rules) {
  struct wr_baseline_view view;
  struct wr_forecast forecast;
  wr_baseline_view(b, rules, &view);
  check(view.state <= WR_BASELINE_DRIFT);
  check(view.direction >= -1 && view.direction <= 1);
  wr_baseline_forecast(b, rules, &forecast);
}

/* Two minutes of flow, then all that an operator may say. */
static void use(struct wr_baseline *b) {
  const struct wr_baseline_rules rules = WR_BASELINE_RULES;
  int64_t time_us = b->pace.time_us;
  look(b, &rules);
  for (int s = 1; s <= 120; s++)
    wr_baseline_push(b, &rules, time_us + s * INT64_C(1000000), s * 1000, 1,
                     s % 30 == 0 ? NAN : 10 + s % 3 * 0.133);
  look(b, &rules);
  wr_baseline_setpoint(b, 2, 1);
  wr_baseline_rescale(b, 1.5);
  wr_baseline_confirm(b);
  look(b, &rules);
  wr_baseline_reset(b);
  look(b, &rules);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  static struct wr_baseline b, before;
  char *text = malloc(size + 1); /* its end is an edge that ASan sees */
  check(text != NULL);
  memcpy(text, data, size);
  text[size] = '\0';
  memset(&b, 0x5a, sizeof(b));
  memcpy(&before, &b, sizeof(b));
  if (wr_baseline_get(text, &b) == 0) {
    same_again(&b);
    use(&b);
  } else
    check(memcmp(&before, &b, sizeof(b)) == 0);
  free(text);
  return 0;
}
