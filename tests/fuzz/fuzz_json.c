/* The JSON reader on any bytes, and the writer on what was read. */
#include "lib/base/json.h"
#include "tests/fuzz/fuzz.h"

#include <math.h>

/* A number written and read back is the same number. */
static void check_number(double value) {
  struct wr_bytes b = WR_BYTES_INIT(64);
  if (wr_json_put_double(&b, value) != 0)
    abort();
  if (isfinite(value) && strtod(b.data, NULL) != value)
    abort();
  wr_bytes_free(&b);
}

/* A string written and read back is a JSON string without surprises. */
static void check_string(const char *text) {
  struct wr_bytes b = WR_BYTES_INIT(1 << 20);
  struct wr_json *doc = NULL;
  const char *back = NULL;
  if (wr_bytes_text(&b, "{\"k\":") != 0 || wr_json_put_string(&b, text) != 0 ||
      wr_bytes_text(&b, "}") != 0)
    abort();
  if (wr_json_parse(b.data, b.len, b.len, &doc) != 0 ||
      wr_json_string(doc, "k", &back) != 0)
    abort();
  if (strlen(back) < strlen(text)) /* U+FFFD is longer than a bad byte */
    abort();
  wr_json_free(doc);
  wr_bytes_free(&b);
}

static void read_member(const struct wr_json *object, const char *key) {
  const char *text = NULL;
  double number = 0;
  int64_t integer = 0;
  bool flag = false;
  check_string(key);
  if (wr_json_get(object, key) == NULL)
    abort();
  if (wr_json_string(object, key, &text) == 0)
    check_string(text);
  if (wr_json_double(object, key, &number) == 0)
    check_number(number);
  (void)wr_json_int(object, key, &integer);
  (void)wr_json_bool(object, key, &flag);
}

static void walk(const struct wr_json *v) {
  const struct wr_json *inner = NULL;
  while ((inner = wr_json_next(v, inner)) != NULL) {
    if (wr_json_kind(v) == WR_JSON_OBJECT)
      read_member(v, wr_json_key(inner));
    walk(inner);
  }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  struct wr_json *doc = NULL;
  if (wr_json_parse((const char *)data, size, 65536, &doc) == 0)
    walk(doc);
  wr_json_free(doc);
  char *text = strndup((const char *)data, size);
  if (text != NULL && size < 4096)
    check_string(text);
  free(text);
  double value;
  if (size >= sizeof(value)) {
    memcpy(&value, data, sizeof(value));
    check_number(value);
  }
  return 0;
}
