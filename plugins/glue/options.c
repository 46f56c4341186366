#include "glue/options.h"

#include "lib/base/number.h"
#include "lib/base/text.h"

#include "collectd/core/utils/common/common.h"

int wr_option_fault(const char *where, const char *name, const char *value,
                    const char *allowed) {
  ERROR("%s: %s \"%s\" is not allowed: %s.", where, name, value, allowed);
  return -1;
}

/* The arguments as the user wrote them, for messages. */
static const char *written(const oconfig_item_t *ci, char *buffer,
                           size_t size) {
  size_t used = 0;
  buffer[0] = '\0';
  for (int i = 0; i < ci->values_num && used < size; i++) {
    const oconfig_value_t *v = ci->values + i;
    const char *gap = i > 0 ? " " : "";
    int len = v->type == OCONFIG_TYPE_STRING
                  ? wr_number_print(buffer + used, size - used, "%s%s", gap,
                                    v->value.string)
              : v->type == OCONFIG_TYPE_NUMBER
                  ? wr_number_print(buffer + used, size - used, "%s%.10g", gap,
                                    v->value.number)
                  : wr_number_print(buffer + used, size - used, "%s%s", gap,
                                    v->value.boolean ? "true" : "false");
    used += len > 0 ? (size_t)len : 0;
  }
  return buffer;
}

static int fault(const char *where, const oconfig_item_t *ci,
                 const char *allowed) {
  char value[128];
  return wr_option_fault(where, ci->key, written(ci, value, sizeof(value)),
                         allowed);
}

static int range_fault(const char *where, const oconfig_item_t *ci,
                       const char *what, double min, double max) {
  char allowed[128];
  if (isinf(min) && isinf(max))
    snprintf(allowed, sizeof(allowed), "%s", what);
  else if (isinf(max))
    wr_number_print(allowed, sizeof(allowed), "%s of at least %.10g", what,
                    min);
  else
    wr_number_print(allowed, sizeof(allowed), "%s from %.10g to %.10g", what,
                    min, max);
  return fault(where, ci, allowed);
}

static bool numbers_fit(const oconfig_item_t *ci, size_t count, double min,
                        double max) {
  if (ci->values_num != (int)count)
    return false;
  for (int i = 0; i < ci->values_num; i++) {
    const oconfig_value_t *v = ci->values + i;
    if (v->type != OCONFIG_TYPE_NUMBER || !isfinite(v->value.number) ||
        v->value.number < min || v->value.number > max)
      return false;
  }
  return true;
}

int wr_option_numbers(const char *where, const oconfig_item_t *ci, double *out,
                      size_t count, double min, double max) {
  if (!numbers_fit(ci, count, min, max)) {
    char what[32];
    snprintf(what, sizeof(what), "%zu number%s, each", count,
             count == 1 ? "" : "s");
    return range_fault(where, ci, count == 1 ? "a number" : what, min, max);
  }
  for (size_t i = 0; i < count; i++)
    out[i] = ci->values[i].value.number;
  return 0;
}

static int read_string(const char *where, const oconfig_item_t *ci,
                       char **out) {
  if (ci->values_num != 1 || ci->values[0].type != OCONFIG_TYPE_STRING ||
      ci->values[0].value.string[0] == '\0')
    return fault(where, ci, "one text in quotes, not empty");
  char *copy = strdup(ci->values[0].value.string);
  if (copy == NULL)
    return -1;
  free(*out);
  *out = copy;
  return 0;
}

static int read_boolean(const char *where, const oconfig_item_t *ci,
                        bool *out) {
  if (ci->values_num != 1 || ci->values[0].type != OCONFIG_TYPE_BOOLEAN)
    return fault(where, ci, "true or false, without quotes");
  *out = ci->values[0].value.boolean;
  return 0;
}

/* collectd reads off, no and on, yes without quotes as booleans. */
static bool is_word(const oconfig_value_t *v, const char *word) {
  if (v->type == OCONFIG_TYPE_STRING)
    return wr_text_same(v->value.string, word);
  if (v->type != OCONFIG_TYPE_BOOLEAN)
    return false;
  return v->value.boolean
             ? wr_text_same(word, "on") || wr_text_same(word, "yes")
             : wr_text_same(word, "off") || wr_text_same(word, "no");
}

static int read_word(const char *where, const oconfig_item_t *ci,
                     const char *const *words, int *out) {
  char allowed[128] = "";
  for (int i = 0; words[i] != NULL; i++) {
    if (ci->values_num == 1 && is_word(ci->values, words[i])) {
      *out = i;
      return 0;
    }
    size_t used = strlen(allowed);
    snprintf(allowed + used, sizeof(allowed) - used, "%s\"%s\"",
             i > 0 ? " or " : "", words[i]);
  }
  return fault(where, ci, allowed);
}

static int read_integer(const char *where, const oconfig_item_t *ci,
                        const struct wr_option *o, int64_t *out) {
  double min = o->min < -9e15 ? -9e15 : o->min; /* exact in a double */
  double max = o->max > 9e15 ? 9e15 : o->max;
  if (!numbers_fit(ci, 1, min, max) ||
      ci->values[0].value.number != floor(ci->values[0].value.number))
    return range_fault(where, ci, "a whole number", o->min, o->max);
  *out = (int64_t)ci->values[0].value.number;
  return 0;
}

static int read_value(const char *where, const oconfig_item_t *ci,
                      const struct wr_option *o, void *field) {
  switch (o->kind) {
  case WR_STRING:
    return read_string(where, ci, field);
  case WR_INTEGER:
    return read_integer(where, ci, o, field);
  case WR_NUMBER:
    return wr_option_numbers(where, ci, field, 1, o->min, o->max);
  case WR_SECONDS:
    if (!numbers_fit(ci, 1, o->min, o->max < 9e12 ? o->max : 9e12))
      return range_fault(where, ci, "a number of seconds", o->min, o->max);
    *(int64_t *)field = llround(ci->values[0].value.number * 1000.0);
    return 0;
  case WR_BOOLEAN:
    return read_boolean(where, ci, field);
  case WR_WORD:
    return read_word(where, ci, o->words, field);
  case WR_BLOCK:
    break;
  }
  return -1;
}

static const struct wr_option *
find(const char *name, const struct wr_option *table, size_t rows) {
  for (size_t i = 0; i < rows; i++)
    if (wr_text_same(table[i].name, name))
      return table + i;
  return NULL;
}

static int unknown(const char *where, const char *name,
                   const struct wr_option *table, size_t rows) {
  char allowed[512] = "";
  for (size_t i = 0; i < rows; i++) {
    size_t used = strlen(allowed);
    snprintf(allowed + used, sizeof(allowed) - used, "%s%s", i > 0 ? ", " : "",
             table[i].name);
  }
  ERROR("%s: the option \"%s\" is unknown; allowed here: %s.", where, name,
        allowed);
  return -1;
}

static bool seen_before(const oconfig_item_t *ci, int index) {
  for (int i = 0; i < index; i++)
    if (wr_text_same(ci->children[i].key, ci->children[index].key))
      return true;
  return false;
}

int wr_options_read(const char *where, const oconfig_item_t *ci,
                    const struct wr_option *table, size_t rows, void *target) {
  for (int i = 0; i < ci->children_num; i++) {
    const oconfig_item_t *child = ci->children + i;
    const struct wr_option *o = find(child->key, table, rows);
    if (o == NULL)
      return unknown(where, child->key, table, rows);
    if (o->kind != WR_BLOCK && seen_before(ci, i)) {
      ERROR("%s: the option \"%s\" is given twice.", where, child->key);
      return -1;
    }
    int status = o->kind == WR_BLOCK
                     ? o->read(where, child, target)
                     : read_value(where, child, o, (char *)target + o->offset);
    if (status != 0)
      return status;
  }
  return 0;
}

const char *wr_option_name(const char *where, const oconfig_item_t *ci) {
  if (ci->values_num == 1 && ci->values[0].type == OCONFIG_TYPE_STRING &&
      ci->values[0].value.string[0] != '\0')
    return ci->values[0].value.string;
  fault(where, ci, "one name in quotes, not empty");
  return NULL;
}
