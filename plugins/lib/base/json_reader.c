#include "lib/base/json_reader.h"

#include "lib/base/text.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <yajl/yajl_parse.h>

/* --- memory for yajl --- */

/* Another size for what is at `old`; NULL for nothing yet. */
static void *resize(void *context, void *old, size_t size) {
  struct wr_json_reader *r = context;
  size_t i = 0;
  while (i < WR_JSON_BLOCKS && r->block[i] != old)
    i++;
  void *at = i < WR_JSON_BLOCKS ? realloc(old, size) : NULL;
  if (at == NULL)
    longjmp(r->no_memory, 1);
  return r->block[i] = at;
}

static void *take(void *context, size_t size) {
  return resize(context, NULL, size);
}

static void give_back(void *context, void *at) {
  struct wr_json_reader *r = context;
  for (size_t i = 0; i < WR_JSON_BLOCKS; i++)
    if (r->block[i] == at)
      r->block[i] = NULL;
  free(at);
}

/* --- events from yajl: 1 goes on, 0 stops --- */

static int emit(struct wr_json_reader *r, struct wr_json_event event) {
  event.depth = r->depth;
  r->status = r->on_event(r->context, &event);
  return r->status == 0;
}

static int on_null(void *context) {
  return emit(context, (struct wr_json_event){.kind = WR_JSON_NULL});
}

static int on_bool(void *context, int truth) {
  return emit(context, (struct wr_json_event){.kind = WR_JSON_BOOL,
                                              .truth = truth != 0});
}

static int on_number(void *context, const char *text, size_t len) {
  char copy[WR_NUMBER_MAX];
  if (len >= sizeof(copy))
    return 0;
  memcpy(copy, text, len);
  copy[len] = '\0';
  return emit(context, (struct wr_json_event){
                           .kind = WR_JSON_NUMBER, .text = copy, .len = len});
}

static int on_text(struct wr_json_reader *r, enum wr_json_kind kind,
                   const unsigned char *text, size_t len) {
  const char *chars = (const char *)text;
  return wr_text_is_utf8(chars, len) &&
         emit(r,
              (struct wr_json_event){.kind = kind, .text = chars, .len = len});
}

static int on_string(void *context, const unsigned char *text, size_t len) {
  return on_text(context, WR_JSON_STRING, text, len);
}

static int on_key(void *context, const unsigned char *text, size_t len) {
  return on_text(context, WR_JSON_KEY, text, len);
}

static int on_open(struct wr_json_reader *r, enum wr_json_kind kind) {
  int goes_on = emit(r, (struct wr_json_event){.kind = kind});
  r->depth++;
  return goes_on;
}

static int on_object(void *context) { return on_open(context, WR_JSON_OBJECT); }

static int on_array(void *context) { return on_open(context, WR_JSON_ARRAY); }

static int on_close(void *context) {
  struct wr_json_reader *r = context;
  r->depth--;
  return emit(r, (struct wr_json_event){.kind = WR_JSON_END});
}

static const yajl_callbacks callbacks = {
    .yajl_null = on_null,
    .yajl_boolean = on_bool,
    .yajl_number = on_number,
    .yajl_string = on_string,
    .yajl_start_map = on_object,
    .yajl_map_key = on_key,
    .yajl_end_map = on_close,
    .yajl_start_array = on_array,
    .yajl_end_array = on_close,
};

/* --- reading --- */

void wr_json_reader_init(struct wr_json_reader *r, size_t text_max,
                         wr_json_event_fn *on_event, void *context) {
  memset(r, 0, sizeof(*r));
  r->text_max = text_max;
  r->on_event = on_event;
  r->context = context;
}

static void open_yajl(struct wr_json_reader *r) {
  yajl_alloc_funcs functions = {take, resize, give_back, r};
  r->yajl = yajl_alloc(&callbacks, &functions, r);
  yajl_config(r->yajl, yajl_dont_validate_strings, 1); /* on_text() does */
}

/* Of numbers, true, false and null. */
static bool is_word(char c) {
  char lower = c | 0x20;
  return (c >= '0' && c <= '9') || c == '.' || (lower >= 'a' && lower <= 'z') ||
         c == '-' || c == '+';
}

/* One character outside strings and words. */
static int scan_plain(struct wr_json_reader *r, char c) {
  if (c == '{' || c == '[') {
    if (++r->scan.depth > WR_JSON_DEPTH)
      return -ELOOP;
  } else if ((c == '}' || c == ']') && r->scan.depth-- == 0)
    return -EBADMSG;
  r->scan.in_string = c == '"';
  r->scan.length = c == '"';
  return 0;
}

/* yajl knows no ceiling for its stack and its buffers, and a string that never
 * ends behind the document counts for the end there. */
static int scan(struct wr_json_reader *r, const char *text, size_t len) {
  int status = 0;
  for (size_t i = 0; status == 0 && i < len; i++) {
    r->scan.length++;
    if (!r->scan.in_string)
      status = is_word(text[i]) ? 0 : scan_plain(r, text[i]);
    else if (r->scan.escaped)
      r->scan.escaped = false;
    else {
      r->scan.escaped = text[i] == '\\';
      r->scan.in_string = text[i] != '"';
    }
    if (status == 0 && r->scan.length > r->text_max)
      status = -E2BIG;
  }
  return status;
}

static int settle(struct wr_json_reader *r, yajl_status status) {
  if (r->status == 0 && status != yajl_status_ok)
    r->status = -EBADMSG;
  return r->status;
}

int wr_json_reader_push(struct wr_json_reader *r, const char *text,
                        size_t len) {
  if (r->status != 0 || len == 0)
    return r->status;
  r->status = scan(r, text, len);
  if (r->status != 0)
    return r->status;
  if (setjmp(r->no_memory) != 0) {
    r->status = -ENOMEM;
    return r->status;
  }
  if (r->yajl == NULL)
    open_yajl(r);
  return settle(r, yajl_parse(r->yajl, (const unsigned char *)text, len));
}

int wr_json_reader_end(struct wr_json_reader *r) {
  if (r->status != 0)
    return r->status;
  if (r->yajl == NULL || r->scan.in_string)
    return r->status = -EBADMSG;
  if (setjmp(r->no_memory) != 0)
    return r->status = -ENOMEM;
  return settle(r, yajl_complete_parse(r->yajl));
}

void wr_json_reader_free(struct wr_json_reader *r) {
  for (size_t i = 0; i < WR_JSON_BLOCKS; i++)
    give_back(r, r->block[i]);
  r->yajl = NULL;
  if (r->status == 0)
    r->status = -EBADMSG; /* nothing can be pushed into it any more */
}

bool wr_json_event_is(const struct wr_json_event *event, const char *text) {
  return strlen(text) == event->len &&
         memcmp(event->text, text, event->len) == 0;
}
