/* The M4's parser of label reports: any bytes in, no byte read too far, the
 * label always ends, and what is accepted is a finite number. It is a second
 * reader of JSON, so it is held against the one of the agent: what one of them
 * accepts the other accepts, too, and finds the same in it. */
#include "firmware/libraries/WeirFlow/src/weir_report.h"

#include "lib/base/json.h"
#include "lib/base/text.h"
#include "tests/fuzz/fuzz.h"

#include <math.h>

#define CLOSE(a, b) (fabs((a) - (b)) <= 1e-6 * fabs(b) + 1e-37)

static size_t longest_number(const char *text, size_t size) {
  size_t longest = 0, length = 0;
  for (size_t i = 0; i < size; i++) {
    length = strchr("0123456789.+-eE", text[i]) != NULL ? length + 1 : 0;
    if (length > longest)
      longest = length;
  }
  return longest;
}

static bool has_any(const char *text, size_t size, const char *chars) {
  for (size_t i = 0; i < size; i++)
    if (text[i] != '\0' && strchr(chars, text[i]) != NULL)
      return true;
  return false;
}

static size_t brackets(const char *text, size_t size) {
  size_t count = 0;
  for (size_t i = 0; i < size; i++)
    count += text[i] == '{' || text[i] == '[';
  return count;
}

static size_t keys(const char *text, size_t size, const char *key) {
  size_t count = 0, len = strlen(key);
  for (size_t i = 0; i + len <= size; i++)
    count += memcmp(text + i, key, len) == 0;
  return count;
}

/* The M4 took it. It does not look whether texts are UTF-8. */
static void taken(const char *text, size_t size,
                  const struct weir_report *report) {
  struct wr_json *doc;
  const char *label = "";
  double value = 0;
  if (!wr_text_is_utf8(text, size) ||
      longest_number(text, size) >= WR_NUMBER_MAX)
    return;
  check(wr_json_parse(text, size, size, &doc) == 0);
  check(wr_json_string(doc, "label", &label) == 0);
  if (strlen(label) > WEIR_LABEL_MAX)
    label = WEIR_LABEL_TOO_LONG;
  check(strcmp(label, report->label) == 0);
  check((wr_json_double(doc, "value", &value) == 0) == report->has_value);
  check(!report->has_value || CLOSE(report->value, value));
  wr_json_free(doc);
}

/* The M4 refused it: it need not have, if the agent reads it as a report. Not
 * asked for: deep nesting, the rarer escapes, numbers beyond a float. */
static void refused(const char *text, size_t size) {
  struct wr_json *doc;
  const char *label = NULL;
  double value = 0;
  if (has_any(text, size, "\\eE") || longest_number(text, size) > 30 ||
      brackets(text, size) > WEIR_REPORT_DEPTH ||
      wr_json_parse(text, size, size, &doc) != 0)
    return;
  enum wr_json_kind kind = wr_json_kind(wr_json_get(doc, "value"));
  bool report = wr_json_string(doc, "label", &label) == 0 && label[0] != '\0' &&
                strlen(label) <= WEIR_LABEL_MAX &&
                (kind == WR_JSON_NONE || kind == WR_JSON_NULL ||
                 wr_json_double(doc, "value", &value) == 0);
  wr_json_free(doc);
  /* Each of several equal keys must be right for the M4. */
  check(!report || keys(text, size, "\"label\"") > 1 ||
        keys(text, size, "\"value\"") > 1);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  const char *text = (const char *)data;
  struct weir_report report;
  int rc = weir_report_parse(text, size, &report);
  check(memchr(report.label, '\0', sizeof(report.label)) != NULL);
  check(rc != 0 || (report.label[0] != '\0' && isfinite(report.value)));
  check(rc == 0 || (report.label[0] == '\0' && !report.has_value));
  if (rc == 0)
    taken(text, size, &report);
  else
    refused(text, size);
  return 0;
}
