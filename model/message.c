#include "model/message.h"

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

static void top_key(struct message_reader *r, const struct json_event *event) {
  r->field = FIELD_OTHER;
  for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
    if (!event->cut && strcmp(event->text, fields[i].name) == 0)
      r->field = fields[i].field;
  forget(&r->message, r->field);
}

static void sub_key(struct message_reader *r, const struct json_event *event) {
  r->sub = SUB_OTHER;
  if (strcmp(event->text, "id") == 0)
    r->sub = SUB_ID;
  else if (strcmp(event->text, "min_anomaly_score") == 0)
    r->sub = SUB_SCORE;
}

static void set_int(struct message_int *to, const struct json_event *event) {
  to->present = event->kind == JSON_NUMBER && event->integer &&
                event->number >= INT32_MIN && event->number <= INT32_MAX;
  if (to->present)
    to->value = (int)event->number;
}

static void top_value(struct message_reader *r,
                      const struct json_event *event) {
  struct message *m = &r->message;
  if (r->field == FIELD_ID)
    set_int(&m->id, event);
  else if (r->field == FIELD_HELLO)
    set_int(&m->hello, event);
  else if (r->field == FIELD_CLASSIFY)
    m->classify.present = event->kind == JSON_ARRAY;
  else if (r->field == FIELD_CONTINUOUS)
    m->continuous.present = event->kind == JSON_ARRAY;
  else if (r->field == FIELD_THRESHOLD)
    m->threshold.present = event->kind == JSON_OBJECT;
  else if (r->field == FIELD_DEBUG)
    m->debug = event->kind == JSON_BOOL && event->truth;
}

static void array_element(struct message_array *array,
                          const struct json_event *event) {
  if (!array->present)
    return;
  if (event->kind != JSON_NUMBER)
    array->not_numbers = true;
  else if (array->count < FLOW_SAMPLES)
    array->values[array->count] = (float)event->number;
  array->count++;
}

static void threshold_value(struct message_reader *r,
                            const struct json_event *event) {
  if (!r->message.threshold.present)
    return;
  if (r->sub == SUB_ID)
    set_int(&r->message.threshold.id, event);
  if (r->sub != SUB_SCORE)
    return;
  r->message.threshold.has_score = event->kind == JSON_NUMBER;
  r->message.threshold.min_anomaly_score = (float)event->number;
}

static void inner_value(struct message_reader *r,
                        const struct json_event *event) {
  if (r->field == FIELD_CLASSIFY)
    array_element(&r->message.classify, event);
  else if (r->field == FIELD_CONTINUOUS)
    array_element(&r->message.continuous, event);
  else if (r->field == FIELD_THRESHOLD && event->kind == JSON_KEY)
    sub_key(r, event);
  else if (r->field == FIELD_THRESHOLD)
    threshold_value(r, event);
}

static void on_event(void *context, const struct json_event *event) {
  struct message_reader *r = context;
  if (event->kind == JSON_END)
    return;
  if (event->depth == 1 && event->kind == JSON_KEY)
    top_key(r, event);
  else if (event->depth == 1)
    top_value(r, event);
  else if (event->depth == 2)
    inner_value(r, event);
}

static void open_message(struct message_reader *r) {
  message_reader_init(r);
  r->open = true;
  json_reader_init(&r->json, on_event, r);
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

enum message_progress message_push(struct message_reader *r, char c) {
  if (!r->open) {
    if (c != '{')
      return MESSAGE_PARTIAL;
    open_message(r);
  }
  bool ended = frame(r, c);
  r->open = !ended;
  if (r->too_long)
    return MESSAGE_PARTIAL;
  json_reader_push(&r->json, c);
  if (++r->bytes > MESSAGE_BYTES_MAX) {
    r->too_long = true;
    return MESSAGE_TOO_LONG;
  }
  r->message.valid = json_reader_done(&r->json);
  return ended ? MESSAGE_COMPLETE : MESSAGE_PARTIAL;
}
