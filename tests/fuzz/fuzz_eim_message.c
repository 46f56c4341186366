#define _GNU_SOURCE /* memmem */
/* The model's reader of requests, against the agent's reader of JSON: the same
 * bytes are well-formed for both or for none, and the fields are the same. */
#include "model/message.h"

#include "lib/base/json.h"
#include "lib/base/number.h"
#include "tests/fuzz/fuzz.h"

#include <errno.h>

/* Longest string or number, as it is written; and whether a key holds a NUL,
 * which the two spell in their own ways. */
static size_t longest(const char *text, size_t len) {
  size_t most = 0, run = 0;
  for (size_t i = 0; i < len; i++) {
    run = text[i] == '"' ? 0 : run + 1;
    most = run > most ? run : most;
  }
  return most;
}

/* A number beyond a double anywhere makes the model refuse the request. */
static bool overflows(const char *text, size_t len) {
  char word[WR_NUMBER_MAX];
  size_t n = 0;
  bool quoted = false;
  for (size_t i = 0; i <= len; i++) {
    char c = i < len ? text[i] : ' ';
    double value;
    if (quoted) {
      i += c == '\\';
      quoted = c != '"';
    } else if (c != '\0' && strchr("0123456789+-.eE", c) != NULL) {
      if (n < sizeof(word) - 1)
        word[n++] = c;
    } else {
      word[n] = '\0';
      if (n > 0 && wr_number_read(word, &value) == -ERANGE)
        return true;
      n = 0;
      quoted = c == '"';
    }
  }
  return false;
}

static void same_int(const struct wr_json *object, const char *key,
                     const struct message_int *field) {
  int64_t value = 0;
  bool fits = wr_json_int(object, key, &value) == 0 && value >= INT32_MIN &&
              value <= INT32_MAX;
  check(fits == field->present);
  check(!fits || value == field->value);
}

static void same_array(const struct wr_json *doc, const char *key,
                       const struct message_array *field) {
  const struct wr_json *array = wr_json_get(doc, key), *v = NULL;
  check((wr_json_kind(array) == WR_JSON_ARRAY) == field->present);
  if (!field->present)
    return;
  long count = 0;
  bool numbers = true;
  while ((v = wr_json_next(array, v)) != NULL) {
    numbers &= wr_json_kind(v) == WR_JSON_NUMBER;
    count++;
  }
  check(count == field->count && numbers == !field->not_numbers);
}

static void same(const struct wr_json *doc, const struct message *m) {
  bool debug = false;
  const struct wr_json *threshold = wr_json_get(doc, "set_threshold");
  same_int(doc, "id", &m->id);
  same_int(doc, "hello", &m->hello);
  same_array(doc, "classify", &m->classify);
  same_array(doc, "classify_continuous", &m->continuous);
  wr_json_bool(doc, "debug", &debug);
  check(debug == m->debug);
  check((wr_json_kind(threshold) == WR_JSON_OBJECT) == m->threshold.present);
  if (!m->threshold.present)
    return;
  double score = 0;
  bool has = wr_json_double(threshold, "min_anomaly_score", &score) == 0;
  same_int(threshold, "id", &m->threshold.id);
  check(has == m->threshold.has_score);
  check(!has || (float)score == m->threshold.min_anomaly_score);
}

static void one(const char *text, size_t len, const struct message *m) {
  struct wr_json *doc = NULL;
  bool read = wr_json_parse(text, len, len, &doc) == 0;
  if (longest(text, len) < MESSAGE_TEXT_MAX / 2 &&
      memmem(text, len, "\\u0000", 6) == NULL) {
    check(m->valid == (read && !overflows(text, len)));
    if (m->valid)
      same(doc, m);
  }
  wr_json_free(doc);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  static struct message_reader reader;
  const char *text = (const char *)data;
  message_reader_init(&reader);
  while (size > 0) {
    size_t used = 0;
    enum message_progress p = message_feed(&reader, text, size, &used);
    check(used > 0 && used <= size);
    const char *brace = memchr(text, '{', used);
    if (p == MESSAGE_COMPLETE)
      one(brace, used - (size_t)(brace - text), &reader.message);
    text += used;
    size -= used;
  }
  message_reader_free(&reader);
  return 0;
}
