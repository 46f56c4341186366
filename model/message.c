#include "model/message.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>

static const struct {
  const char *name;
  enum message_field field;
} fields[] = {
    {"id", FIELD_ID},
    {"hello", FIELD_HELLO},
    {"classify", FIELD_CLASSIFY},
    {"classify_continuous", FIELD_CONTINUOUS},
    {"set_threshold", FIELD_THRESHOLD},
    {"debug", FIELD_DEBUG},
};

void message_reader_init(struct message_reader *reader) {
  memset(reader, 0, sizeof(*reader));
}

void message_reader_free(struct message_reader *reader) {
  if (reader->open)
    wr_json_reader_free(&reader->json);
  reader->open = false;
}

/* As in all JSON readers that matter here, the last of two equal keys wins. */
static void forget(struct message *m, enum message_field field) {
  static const struct message none;
  if (field == FIELD_ID)
    m->id = none.id;
  else if (field == FIELD_HELLO)
    m->hello = none.hello;
  else if (field == FIELD_CLASSIFY)
    m->classify = none.classify;
  else if (field == FIELD_CONTINUOUS)
    m->continuous = none.continuous;
  else if (field == FIELD_THRESHOLD)
    m->threshold = none.threshold;
  else if (field == FIELD_DEBUG)
    m->debug = false;
}

static void top_key(struct message_reader *r,
                    const struct wr_json_event *event) {
  r->field = FIELD_OTHER;
  for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
    if (wr_json_event_is(event, fields[i].name))
      r->field = fields[i].field;
  forget(&r->message, r->field);
}

static void sub_key(struct message_reader *r,
                    const struct wr_json_event *event) {
  r->sub = SUB_OTHER;
  if (wr_json_event_is(event, "id"))
    r->sub = SUB_ID;
  else if (wr_json_event_is(event, "min_anomaly_score"))
    r->sub = SUB_SCORE;
}

static void set_int(struct message_reader *r, struct message_int *to,
                    const struct wr_json_event *event) {
  to->present = event->kind == WR_JSON_NUMBER &&
                strpbrk(event->text, ".eE") == NULL && r->number >= INT32_MIN &&
                r->number <= INT32_MAX;
  if (to->present)
    to->value = (int)r->number;
}

static void top_value(struct message_reader *r,
                      const struct wr_json_event *event) {
  struct message *m = &r->message;
  if (r->field == FIELD_ID)
    set_int(r, &m->id, event);
  else if (r->field == FIELD_HELLO)
    set_int(r, &m->hello, event);
  else if (r->field == FIELD_CLASSIFY)
    m->classify.present = event->kind == WR_JSON_ARRAY;
  else if (r->field == FIELD_CONTINUOUS)
    m->continuous.present = event->kind == WR_JSON_ARRAY;
  else if (r->field == FIELD_THRESHOLD)
    m->threshold.present = event->kind == WR_JSON_OBJECT;
  else if (r->field == FIELD_DEBUG)
    m->debug = event->kind == WR_JSON_BOOL && event->truth;
}

static void array_element(struct message_reader *r, struct message_array *array,
                          const struct wr_json_event *event) {
  if (!array->present)
    return;
  if (event->kind != WR_JSON_NUMBER)
    array->not_numbers = true;
  else if (array->count < FLOW_SAMPLES)
    array->values[array->count] = (float)r->number;
  array->count++;
}

static void threshold_value(struct message_reader *r,
                            const struct wr_json_event *event) {
  if (!r->message.threshold.present)
    return;
  if (r->sub == SUB_ID)
    set_int(r, &r->message.threshold.id, event);
  if (r->sub != SUB_SCORE)
    return;
  r->message.threshold.has_score = event->kind == WR_JSON_NUMBER;
  r->message.threshold.min_anomaly_score = (float)r->number;
}

static void inner_value(struct message_reader *r,
                        const struct wr_json_event *event) {
  if (r->field == FIELD_CLASSIFY)
    array_element(r, &r->message.classify, event);
  else if (r->field == FIELD_CONTINUOUS)
    array_element(r, &r->message.continuous, event);
  else if (r->field == FIELD_THRESHOLD && event->kind == WR_JSON_KEY)
    sub_key(r, event);
  else if (r->field == FIELD_THRESHOLD)
    threshold_value(r, event);
}

static int on_event(void *context, const struct wr_json_event *event) {
  struct message_reader *r = context;
  if (event->kind == WR_JSON_NUMBER &&
      wr_number_read(event->text, &r->number) != 0)
    return -EBADMSG;
  if (event->kind == WR_JSON_END)
    return 0;
  if (event->depth == 1 && event->kind == WR_JSON_KEY)
    top_key(r, event);
  else if (event->depth == 1)
    top_value(r, event);
  else if (event->depth == 2)
    inner_value(r, event);
  return 0;
}

static void open_message(struct message_reader *r) {
  message_reader_init(r);
  r->open = true;
  wr_json_reader_init(&r->json, MESSAGE_TEXT_MAX, on_event, r);
}

/* Returns whether the byte ends the object. */
static bool frame(struct message_reader *r, char c) {
  if (r->in_string) {
    if (c == '\n')
      return true;
    if (r->escaped)
      r->escaped = false;
    else if (c == '\\')
      r->escaped = true;
    else if (c == '"')
      r->in_string = false;
    return false;
  }
  if (c == '"')
    r->in_string = true;
  else if (c == '{')
    r->braces++;
  else if (c == '}')
    r->braces--;
  return r->braces == 0;
}

/* The end of the request among these bytes; `length` when it is not there. */
static size_t find_end(struct message_reader *r, const char *bytes,
                       size_t length) {
  size_t at = 0;
  while (at < length && r->open)
    r->open = !frame(r, bytes[at++]);
  return at;
}

/* --- the request that comes each second ---
 *
 * {"classify":[10,9.87],"id":7} as Weir writes it, in one piece, needs no
 * parser of all JSON, which takes as long as the model. What is not exactly
 * this is left to the reader below. */

static const char *skip(const char *at, const char *end, const char *text) {
  size_t length = strlen(text);
  bool there = (size_t)(end - at) >= length && memcmp(at, text, length) == 0;
  return there ? at + length : NULL;
}

static const char *plain_number(const char *at, const char *end,
                                double *value) {
  size_t length = wr_number_scan(at, (size_t)(end - at), value);
  return length > 0 ? at + length : NULL;
}

static const char *plain_array(const char *at, const char *end,
                               struct message_array *array) {
  double value;
  array->present = true;
  do {
    if ((at = plain_number(at, end, &value)) == NULL)
      return NULL;
    if (array->count < FLOW_SAMPLES)
      array->values[array->count] = (float)value;
    array->count++;
  } while (at < end && *at == ',' && ++at < end);
  return at;
}

/* How many bytes the request has; 0: it is not of this form. */
static size_t plain_request(struct message_reader *r, const char *bytes,
                            size_t length) {
  const char *end = bytes + length, *id;
  double value = 0;
  if (length > MESSAGE_BYTES_MAX)
    return 0;
  message_reader_init(r);
  struct message *m = &r->message;
  const char *at = skip(bytes, end, "{\"classify\":[");
  if (at == NULL || (at = plain_array(at, end, &m->classify)) == NULL ||
      (id = skip(at, end, "],\"id\":")) == NULL ||
      (at = plain_number(id, end, &value)) == NULL || at == end || *at != '}' ||
      memchr(id, '.', (size_t)(at - id)) != NULL || value < INT32_MIN ||
      value > INT32_MAX)
    return 0;
  m->id = (struct message_int){.present = true, .value = (int)value};
  m->valid = true;
  return (size_t)(at + 1 - bytes);
}

enum message_progress message_feed(struct message_reader *r, const char *bytes,
                                   size_t length, size_t *used) {
  size_t begin = 0;
  if (!r->open) {
    const char *brace = memchr(bytes, '{', length);
    *used = length;
    if (brace == NULL)
      return MESSAGE_PARTIAL;
    begin = (size_t)(brace - bytes);
    size_t plain = plain_request(r, brace, length - begin);
    *used = begin + plain;
    if (plain > 0)
      return MESSAGE_COMPLETE;
    open_message(r);
  }
  size_t left = (size_t)(MESSAGE_BYTES_MAX + 1 - r->bytes);
  bool limited = !r->too_long && length - begin > left;
  size_t count = find_end(r, bytes + begin, limited ? left : length - begin);
  *used = begin + count;
  if (r->too_long)
    return MESSAGE_PARTIAL;
  wr_json_reader_push(&r->json, bytes + begin, count);
  r->bytes += (long)count;
  r->too_long = r->bytes > MESSAGE_BYTES_MAX;
  r->message.valid = !r->open && wr_json_reader_end(&r->json) == 0;
  if (!r->open || r->too_long)
    wr_json_reader_free(&r->json);
  if (r->too_long)
    return MESSAGE_TOO_LONG;
  return r->open ? MESSAGE_PARTIAL : MESSAGE_COMPLETE;
}
